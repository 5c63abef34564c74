"""Kinds of send that are known to be recognised in the store, by channel.

Data, held against the recordings by a test: a kind that no server was seen to store on a channel
may be stored in a shape that is not known, so that not finding it proves nothing there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from evolution_sdk._base.json_types import is_array, is_object
from evolution_sdk.operations.operation import ALL_CHANNELS, Channel, SentKind

__all__ = ["RECORDED", "channel_of", "form_of", "unrecorded"]

_ALL: Final[frozenset[Channel]] = frozenset(ALL_CHANNELS)
_WHATSAPP: Final[frozenset[Channel]] = frozenset({"baileys", "business"})
_BAILEYS: Final[frozenset[Channel]] = frozenset({"baileys"})

RECORDED: Final[Mapping[str, frozenset[Channel]]] = {
    "text": _ALL,
    "media image": _ALL,
    "media video": _ALL,
    "media document": _ALL,
    "media audio": frozenset({"evolution"}),
    "whatsapp_audio": _ALL,
    "ptv": _BAILEYS,
    "sticker": _BAILEYS,
    "status text": _BAILEYS,
    "status image": _BAILEYS,
    "location": _WHATSAPP,
    "contact one": _WHATSAPP,
    "contact several": _WHATSAPP,
    "reaction": _WHATSAPP,
    "poll": _BAILEYS,
    "list": _WHATSAPP,
    "buttons reply": _ALL,
    "buttons pix": _ALL,
    "buttons other": _BAILEYS,
    "carousel": _BAILEYS,
    "template": frozenset({"business"}),
}
"""Form of send → channels on which a stored, answered or announced one was recorded."""

_IDS: Final[tuple[tuple[Channel, re.Pattern[str]], ...]] = (
    ("business", re.compile(r"wamid\..+")),
    ("baileys", re.compile(r"(3EB0|BAE5)[0-9A-F]{8,}")),
    ("evolution", re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")),
)


def form_of(kind: SentKind, body: Mapping[str, Any]) -> str:
    """Name the form of a send, as far as the store writes forms of one kind in different shapes.

    Args:
        kind: The kind of send.
        body: Its body, with the server's names.
    """
    if kind == "media":
        return f"media {body.get('mediatype')}"
    if kind == "status":
        return f"status {body.get('type')}"
    if kind == "contact":
        people = body.get("contact")
        return f"contact {'several' if is_array(people) and len(people) > 1 else 'one'}"
    if kind == "buttons":
        given = body.get("buttons")
        types = {b.get("type") for b in given if is_object(b)} if is_array(given) else set[Any]()
        return f"buttons {types.pop()}" if types in ({"reply"}, {"pix"}) else "buttons other"
    return kind


def channel_of(message_id: str) -> Channel | None:
    """The channel that makes ids of this form (`facts/semantics.md` §6); None for another one."""
    return next((name for name, form in _IDS if form.fullmatch(message_id)), None)


def unrecorded(form: str, channels: Iterable[Channel]) -> tuple[Channel, ...]:
    """The channels, of those that are possible, on which a form is not known to be recognised.

    Args:
        form: By :func:`form_of`.
        channels: On which it can have been sent.
    """
    known = RECORDED.get(form, frozenset[Channel]())
    return tuple(channel for channel in channels if channel not in known)
