"""Read the content of a message record of any type, channel and version.

Facts: `facts/semantics.md` §6 (types and exceptions), `facts/observed.md` "Response shapes that
vary", `facts/versions/baileys.md` "Event → shape".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from evolution_sdk._base.json_types import is_array, is_object

from .message_types import (
    BESIDE_CONTENT,
    MESSAGE_TYPES,
    WRAPPERS,
    MessageKind,
    MessageType,
)

__all__ = [
    "Content",
    "content_of",
    "objects_at",
    "part",
    "protocol_kind",
    "text_of",
    "unwrap",
    "values_at",
]

_NOTHING: Mapping[str, Any] = {}
# A note holds a message, which may hold a note …: the words of a person stand in the first ones.
_MOST_DEEP = 4
_POLL = "pollCreationMessage"
# On BUSINESS the answer to buttons or a list arrives under these types, as its title alone
# (`facts/observed.md`).
_TITLE_ONLY: Mapping[str, MessageKind] = {
    "buttonMessage": MessageKind.BUTTON_REPLY,
    "interactiveMessage": MessageKind.INTERACTIVE_REPLY,
}
_USUAL_TEXT = ("text", "caption", "contentText", "body.text", "body")
# The one encrypted change that is no edit of its target (``SecretEncType`` in the protobuf).
_SCHEDULED = ("MESSAGE_SCHEDULE", 3)


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a message, without its wrappers.

    Attributes:
        kind: The kind of message.
        name: WhatsApp's name of the content, such as ``imageMessage``; of an edit, of the new one.
        row: What is known of that type; None for a type that this SDK does not know.
        part: The content object; empty for plain text.
        inner: The ``message`` object without its wrappers.
        wrappers: The wrappers that were removed, the outermost first.
        edit: The protocol message of an edit, which names the message that was changed.
    """

    kind: MessageKind
    name: str
    row: MessageType | None
    part: Mapping[str, Any]
    inner: Mapping[str, Any]
    wrappers: tuple[str, ...] = ()
    edit: Mapping[str, Any] | None = None

    @property
    def text(self) -> str | None:
        """The text, caption, title or name, whichever this type has; None without one."""
        return _text(self, 0)

    @property
    def context(self) -> Mapping[str, Any]:
        """WhatsApp's ``contextInfo`` inside the content; empty when there is none."""
        row = self.row
        usual = self.part.get("contextInfo")
        found: tuple[Mapping[str, Any], ...] = ()
        # Most types have it in the usual place, and no list there: no path to walk along.
        if row is not None and (row.context != "contextInfo" or is_array(usual)):
            found = objects_at(self.part, row.context)
        inside = next(iter(found), None) or usual
        # BUSINESS puts it beside the content, within the message (`facts/webhooks.json`).
        return inside if is_object(inside) and inside else _object(self.inner, "contextInfo")

    @property
    def target(self) -> Mapping[str, Any] | None:
        """The key of the earlier message that this one is about; None for any other."""
        if self.edit is not None:
            key = self.edit.get("key")
            return key if is_object(key) else None
        if self.row is None or not self.row.target:
            return None
        return next(iter(objects_at(self.part, self.row.target)), None)


def content_of(message: Mapping[str, Any], message_type: str = "") -> Content:
    """Find the content of a message; never raises.

    Args:
        message: The ``message`` object of a record.
        message_type: The server's word for it. Not always a field: BUSINESS says ``conversation``
            of much that is none, and wrapped messages are named by the wrapper.

    Returns:
        The content. Of an edit it is the new content.
    """
    inner, wrappers = _unwrapped(message)
    name = _content_name(inner, message_type)
    edit = _edit_in(inner, name)
    if edit is not None:
        inner, more = _unwrapped(edit["editedMessage"])
        wrappers += more
        message_type, name = "", _content_name(inner, "")
    row = _row(name)
    node = inner.get(name)
    if is_object(node):
        found: Mapping[str, Any] = node
    else:
        # EVOLUTION puts the fields of some types into the message itself (`facts/webhooks.json`).
        found = inner if row is not None and name not in inner else _NOTHING
    kind = (
        MessageKind.EDITED
        if edit is not None or "editedMessage" in wrappers
        else _kind(row, name, found, inner, message_type)
    )
    return Content(kind, name, row, found, inner, wrappers, edit)


def unwrap(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Remove every wrapper of a message (view once, ephemeral, edited …).

    Args:
        message: The ``message`` object of a record.

    Returns:
        The innermost message object.
    """
    return _unwrapped(message)[0]


def part(message: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """Return the content object, such as ``message["imageMessage"]``; empty when absent."""
    return content_of(message, kind).part


def text_of(message: Mapping[str, Any], kind: str = "") -> str | None:
    """Return the human-readable text of a message: its text, caption, title or name.

    Args:
        message: The ``message`` object of a record.
        kind: Its ``messageType``, if known.

    Returns:
        The text, or None if the message has none.
    """
    return content_of(message, kind).text


def protocol_kind(code: object) -> MessageKind:
    """Tell the kind of a protocol message by WhatsApp's number (0, 14) or word (REVOKE, …)."""
    if code in ("MESSAGE_EDIT", 14):
        return MessageKind.EDITED
    # False equals 0 in Python: a "type": false is no revocation.
    if code == "REVOKE" or (code == 0 and not isinstance(code, bool)):
        return MessageKind.REVOKED
    return MessageKind.PROTOCOL


def values_at(node: Mapping[str, Any], path: str) -> Iterator[Any]:
    """Go along a path of fields with dots; a list on the way stands for each of its items.

    Args:
        node: The object to begin with.
        path: The fields; empty for the object itself.

    Yields:
        The values found, never None.
    """
    found: list[Any] = [node]
    for name in path.split(".") if path else ():
        told = [item.get(name) for item in found if is_object(item)]
        found = [one for value in told for one in (value if is_array(value) else (value,))]
    yield from (value for value in found if value is not None)


def objects_at(node: Mapping[str, Any], path: str) -> tuple[Mapping[str, Any], ...]:
    """Return the objects at the end of a path of fields, like :func:`values_at`."""
    return tuple(filter(is_object, values_at(node, path)))


def _object(node: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = node.get(name)
    return value if is_object(value) else _NOTHING


def _unwrapped(message: Mapping[str, Any]) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    wrappers: tuple[str, ...] = ()
    # A loop: a hostile body may be nested deeper than Python's recursion limit.
    while True:
        for name, outer in message.items():
            if is_object(outer) and _wraps(name, outer):
                wrappers += (name,)
                message = outer["message"]
                break
        else:
            return message, wrappers


def _wraps(name: str, outer: Mapping[str, Any]) -> bool:
    if not is_object(outer.get("message")):
        return False
    # A wrapper that WhatsApp adds holds a message and nothing else, as all before it did.
    return name in WRAPPERS or (name not in MESSAGE_TYPES and len(outer) == 1)


def _content_name(inner: Mapping[str, Any], message_type: str) -> str:
    """Return the field that holds the content, or the server's word if no field fits."""
    if message_type in inner and message_type not in BESIDE_CONTENT:
        return message_type
    # The server names a wrapped message by its wrapper: a field of a known type comes first, then
    # anything that looks like content of a type that WhatsApp added since.
    for name in inner:
        if name in MESSAGE_TYPES:
            return name
    # BUSINESS calls any content that it does not know ``conversation``, by its source.
    for name, value in inner.items():
        if is_object(value) and name not in BESIDE_CONTENT:
            return name
    return message_type


def _row(name: str) -> MessageType | None:
    # Polls are renumbered with each change; what a bot needs of them stayed the same.
    return MESSAGE_TYPES.get(name) or (MESSAGE_TYPES[_POLL] if name.startswith(_POLL) else None)


def _edit_in(inner: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """Return the protocol message of an edit that carries the new content."""
    found = inner.get("protocolMessage") if name == "protocolMessage" else None
    return found if is_object(found) and is_object(found.get("editedMessage")) else None


def _kind(
    row: MessageType | None,
    name: str,
    found: Mapping[str, Any],
    inner: Mapping[str, Any],
    message_type: str,
) -> MessageKind:
    title_only = _TITLE_ONLY.get(message_type)
    # What looks like a plain text is the title of a choice here; a form has not even that.
    if title_only is not None and (name == "conversation" or not _told(inner)):
        return title_only
    if row is None:
        return MessageKind.UNKNOWN
    if name == "audioMessage" and found.get("ptt"):
        return MessageKind.VOICE
    if name == "locationMessage" and found.get("isLive") is True:
        return MessageKind.LIVE_LOCATION
    if name == "protocolMessage" and found:
        return protocol_kind(found.get("type"))
    if name == "secretEncryptedMessage" and found.get("secretEncType") not in _SCHEDULED:
        return MessageKind.EDITED
    return row.kind


def _told(inner: Mapping[str, Any]) -> bool:
    return any(name not in BESIDE_CONTENT for name in inner)


def _text(content: Content, depth: int) -> str | None:
    plain = content.inner.get("conversation")
    # An empty one beside a file does not hide its caption.
    if isinstance(plain, str) and (plain or content.name == "conversation"):
        return plain
    empty: str | None = None
    # A type that is new may still have words, under the names that most types use.
    for path in _USUAL_TEXT if content.row is None else content.row.text:
        words = [_words(value, depth) for value in values_at(content.part, path)]
        told = [word for word in words if word is not None]
        if any(told):
            # Several options of a poll, or parts of an answer, are one text.
            return told[0] if len(told) == 1 else ", ".join(told)
        # An empty title does not hide the words below it.
        empty = "" if told else empty
    return empty


def _words(value: object, depth: int) -> str | None:
    if isinstance(value, str):
        return value
    if is_object(value) and depth < _MOST_DEEP:
        return _text(content_of(value), depth + 1)
    return None
