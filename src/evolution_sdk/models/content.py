"""Read the content of a message record of any kind.

Facts: `facts/semantics.md` §6 (types and exceptions), `facts/observed.md` "Response shapes that
vary".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evolution_sdk._base.json_types import is_object

_WRAPPERS = (
    "ephemeralMessage",
    "viewOnceMessage",
    "viewOnceMessageV2",
    "viewOnceMessageV2Extension",
    "documentWithCaptionMessage",
    "editedMessage",
)
_TEXT_FIELDS = ("text", "caption", "conversation", "contentText", "title", "name", "displayName")


def unwrap(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Remove the wrappers that the server leaves on (view once, ephemeral, …)."""
    # A loop: a hostile body may be nested deeper than Python's recursion limit.
    while True:
        for wrapper in _WRAPPERS:
            outer = message.get(wrapper)
            inner = outer.get("message") if is_object(outer) else None
            if is_object(inner):
                message = _edit_in(inner) if wrapper == "editedMessage" else inner
                break
        else:
            return message


def _edit_in(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the new content of an edit that is still in the notice of its phone (2.2.3)."""
    notice = message.get("protocolMessage")
    edited = notice.get("editedMessage") if is_object(notice) else None
    return edited if is_object(edited) else message


def part(message: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """Return the content object, such as ``message["imageMessage"]``; empty when absent."""
    inner = unwrap(message)
    content = inner.get(kind)
    if is_object(content):
        return content
    # ``messageType`` names the wrapper of a wrapped message, so the kind may not be found in it.
    for key, value in inner.items():
        if key.endswith(("Message", "MessageV2", "MessageV3")) and is_object(value):
            return value
    return {}


def text_of(message: Mapping[str, Any], kind: str = "") -> str | None:
    """Return the human-readable text of a message: its text, caption, title or name.

    Args:
        message: The ``message`` object of a record.
        kind: Its ``messageType``, if known.

    Returns:
        The text, or None if the message has none.
    """
    inner = unwrap(message)
    plain = inner.get("conversation")
    if isinstance(plain, str):
        return plain
    content = part(message, kind)
    for name in _TEXT_FIELDS:
        value = content.get(name)
        if isinstance(value, str):
            return value
    title = inner.get("title")
    return title if isinstance(title, str) else None


def file_name_of(message: Mapping[str, Any], kind: str = "") -> str | None:
    """Return the file name of a document, or None."""
    value = part(message, kind).get("fileName")
    return value if isinstance(value, str) else None
