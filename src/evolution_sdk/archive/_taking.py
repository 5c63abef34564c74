"""From events and sends to rows. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from evolution_sdk._core.shapes import is_array, is_object
from evolution_sdk.events import (
    ContactsSet,
    ContactsUpdate,
    ContactsUpsert,
    Event,
    EventMessage,
    MessageEvent,
    MessagesDelete,
    MessagesEdited,
    MessagesSet,
    MessagesUpdate,
    MessagesUpsert,
    SendMessage,
    SendMessageUpdate,
)
from evolution_sdk.identity import Jid
from evolution_sdk.models.message import Message

# A file's content, an encrypted file's key, a preview: not for a backup of texts.
_LEFT_OUT = frozenset({"base64", "mediaKey", "jpegThumbnail"})


_MOST_INT = 2**63
_CHANGES = (MessagesUpdate, MessagesDelete, MessagesEdited, SendMessageUpdate)


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message to keep; ``values`` in the order of :data:`MESSAGE_FIELDS`."""

    instance: str
    id: str
    text: str | None
    status: str | None
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class UpdateRow:
    """A change to keep, and to apply to its message."""

    key: str
    instance: str
    id: str
    kind: str
    status: str | None
    participant: str | None
    text: str | None
    at: int


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A contact to keep."""

    instance: str
    jid: str
    name: str | None
    picture_url: str | None
    at: int


Row: TypeAlias = MessageRow | UpdateRow | ContactRow

MESSAGE_FIELDS = (
    "instance", "id", "chat", "from_me", "sender", "push_name", "kind", "message_type", "text",
    "status", "timestamp", "quoted_id", "media_url", "media_mimetype", "media_size", "media_name",
    "recorded_at", "raw",
)  # fmt: skip


def rows_of(event: Event[Any], now: int) -> Iterator[Row]:
    """Everything of an event that can be kept.

    Args:
        event: Any event.
        now: When it came, in unix seconds.

    Yields:
        Rows; none for events about other things.
    """
    if isinstance(event, MessagesUpsert | SendMessage | MessagesSet):
        account = None if isinstance(event, MessagesSet) or not event.from_me else event.sender
        for message in event.messages:
            yield from _message(message, event.instance, now, account)
    elif isinstance(event, ContactsUpsert | ContactsUpdate | ContactsSet):
        for contact in event.contacts:
            if contact.remote_jid:
                yield ContactRow(
                    event.instance, _clean(contact.remote_jid), _clean(contact.push_name),
                    _clean(contact.profile_pic_url), now,
                )  # fmt: skip
    elif isinstance(event, _CHANGES) and event.id:
        yield from _changes(event, now)


def _changes(
    event: MessagesUpdate | MessagesDelete | MessagesEdited | SendMessageUpdate, now: int
) -> Iterator[UpdateRow]:
    if isinstance(event, MessagesUpdate):
        yield _update(event, "status", now, status=event.status, who=event.participant)
    elif isinstance(event, MessagesDelete):
        yield _update(event, "delete", now)
    elif event.is_edit or event.is_revoke:
        kind = "edit" if event.is_edit else "delete"
        text = event.text if event.is_edit else None
        yield _update(event, kind, int(event.timestamp.timestamp()) or now, text=text)


def row_of_sent(sent: Message, instance: str, now: int) -> Iterator[Row]:
    """The row of an own send, from the answer to it."""
    yield from _message(EventMessage.from_wire(sent.raw), instance, now, None)


def _message(
    message: EventMessage, instance: str, now: int, account: Jid | None
) -> Iterator[MessageRow]:
    if not message.id:
        return
    media = message.media
    quoted = message.quoted
    status = None if message.status is None else str(message.status)
    sent_at = int(message.sent_at.timestamp()) if message.sent_at is not None else now
    values = (
        instance, message.id, message.remote_jid, int(message.from_me),
        _text(message.sender or account), message.push_name, str(message.kind),
        message.message_type, message.text, status, sent_at,
        None if quoted is None else quoted.id or None,
        *((None,) * 4 if media is None else
          (media.url or media.whatsapp_url, media.mimetype, media.size_bytes, media.file_name)),
        now, json.dumps(_without_files(message.raw), default=_bytes),
    )  # fmt: skip
    stored = tuple(map(_clean, values))
    yield MessageRow(stored[0], stored[1], stored[8], status, stored)


def _update(
    event: MessageEvent[Any] | MessagesUpdate, kind: str, at: int, *, status: Any = None,
    text: str | None = None, who: Jid | None = None,
) -> UpdateRow:  # fmt: skip
    word = None if status is None else str(status)
    return UpdateRow(
        event.dedupe_key,
        _clean(event.instance),
        _clean(event.id),
        kind,
        word,
        _clean(_text(who)),
        _clean(text),
        at,
    )


def _clean(value: Any) -> Any:
    """What SQLite can hold: half a character and a number beyond 64 bits it cannot."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, int) and not -_MOST_INT <= value < _MOST_INT:
        return None
    return value


def _text(jid: Jid | None) -> str | None:
    return None if jid is None else str(jid)


def _without_files(value: Any) -> Any:
    """The record without a file's content and without the keys of files."""
    if is_object(value):
        return {k: _without_files(v) for k, v in value.items() if k not in _LEFT_OUT}
    if is_array(value):
        return [_without_files(each) for each in value]
    return value


def _bytes(_value: object) -> None:
    """Bytes of the socket are left out, as JSON cannot hold them."""
