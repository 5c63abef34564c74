"""What an archive gives back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from evolution_sdk.models.message import MessageStatus


@dataclass(frozen=True, slots=True)
class MediaReference:
    """Where a message's file was; the archive keeps no bytes.

    Attributes:
        url: Its address, which may have expired.
        mimetype: Its type.
        size_bytes: Its size.
        file_name: Its name.
    """

    url: str | None = field(repr=False)
    mimetype: str | None
    size_bytes: int | None
    file_name: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ArchivedMessage:
    """A message; ``repr`` shows nothing of what people wrote.

    Attributes:
        instance: Its instance.
        id: WhatsApp's id.
        chat: JID of the chat.
        from_me: Whether the account wrote it.
        sender: JID of the writer, where known.
        push_name: The name that the writer chose.
        kind: Its kind, such as ``text`` or ``image``.
        text: Text, caption, title or name; the latest one when it was edited.
        status: How far it got.
        timestamp: When it was written (aware).
        quoted_id: Id of the message that it answers.
        media: Its file.
        edited_at: When it was edited (aware).
        deleted_at: When it was taken back (aware); the text stays.
        raw: The record as it came, without a file's content.
    """

    instance: str
    id: str
    chat: str
    from_me: bool
    sender: str | None
    push_name: str | None = field(repr=False)
    kind: str
    text: str | None = field(repr=False)
    status: MessageStatus | None
    timestamp: datetime
    quoted_id: str | None
    media: MediaReference | None
    edited_at: datetime | None
    deleted_at: datetime | None
    raw: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ArchivedUpdate:
    """A change that was told of a message.

    One that is told of another chat, or that somebody else made than the message's author (or, of
    deletions in groups, a known admin), changes no message: it stands beside, ``applied`` False.
    So does what the server only repeats from the writer's phone, until the server itself says who
    it was. See the page on the archive.

    Attributes:
        instance: Its instance.
        id: WhatsApp's id of the message.
        kind: ``status``, ``edit`` or ``delete``.
        status: How far the message got, of ``status``.
        participant: Who of a group.
        text: The new text, of ``edit``.
        at: When (aware).
        chat: The chat that was told; None where none was, and in files of older versions.
        from_me: Whether it says that the account did it, or of ``status`` wrote the message.
        applied: Whether it counts for a message that is kept.
    """

    instance: str
    id: str
    kind: str
    status: MessageStatus | None
    participant: str | None
    text: str | None = field(repr=False)
    at: datetime
    chat: str | None = None
    from_me: bool | None = None
    applied: bool = False


@dataclass(frozen=True, slots=True)
class ArchivedContact:
    """A contact.

    Attributes:
        instance: Its instance.
        jid: Its JID.
        name: The name.
        picture_url: Where its picture was.
        updated_at: When it was told last (aware).
    """

    instance: str
    jid: str
    name: str | None = field(repr=False)
    picture_url: str | None = field(repr=False)
    updated_at: datetime


MESSAGE_COLUMNS = (
    "instance, id, chat, from_me, sender, push_name, kind, text, status, timestamp, quoted_id, "
    "media_url, media_mimetype, media_size, media_name, edited_at, deleted_at, raw"
)


def message_from(row: tuple[Any, ...]) -> ArchivedMessage:
    """Read a row of :data:`MESSAGE_COLUMNS`."""
    (instance, message_id, chat, from_me, sender, push_name, kind, text, status, timestamp,
     quoted_id, url, mimetype, size, name, edited_at, deleted_at, raw) = row  # fmt: skip
    has_media = any(part is not None for part in (url, mimetype, size, name))
    return ArchivedMessage(
        instance=instance, id=message_id, chat=chat, from_me=bool(from_me), sender=sender,
        push_name=push_name, kind=kind, text=text, status=status_from(status),
        timestamp=_time(timestamp) or datetime.fromtimestamp(0, tz=UTC), quoted_id=quoted_id,
        media=MediaReference(url, mimetype, size, name) if has_media else None,
        edited_at=_time(edited_at), deleted_at=_time(deleted_at), raw=json.loads(raw),
    )  # fmt: skip


UPDATE_COLUMNS = "instance, id, kind, status, participant, text, at, chat, by_me, message"


def update_from(row: tuple[Any, ...]) -> ArchivedUpdate:
    """Read a row of :data:`UPDATE_COLUMNS`."""
    instance, message_id, kind, status, participant, text, at, chat, by_me, message = row
    return ArchivedUpdate(
        instance, message_id, kind, status_from(status), participant, text, _known(at), chat,
        None if by_me is None else bool(by_me), message is not None,
    )  # fmt: skip


def contact_from(row: tuple[Any, ...]) -> ArchivedContact:
    """Read a row of ``instance, jid, name, picture_url, updated_at``."""
    instance, jid, name, picture_url, at = row
    return ArchivedContact(instance, jid, name, picture_url, _known(at))


def status_from(word: str | None) -> MessageStatus | None:
    """A status as it was stored."""
    return None if word is None else MessageStatus(word)


def _time(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, tz=UTC)


def _known(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
