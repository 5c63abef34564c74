"""Records that an archive returns."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from evolution_sdk.models.message import MessageStatus


@dataclass(frozen=True, slots=True)
class MediaReference:
    """Reference to the file of a message; the archive stores no contents of files.

    Attributes:
        url: URL of the file, which may have expired.
        mimetype: MIME type.
        size_bytes: Size in bytes.
        file_name: Name of the file.
    """

    url: str | None = field(repr=False)
    mimetype: str | None
    size_bytes: int | None
    file_name: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ArchivedMessage:
    """Message in the archive; its ``repr`` shows nothing that people wrote.

    Attributes:
        instance: Name of the instance.
        id: WhatsApp id.
        chat: JID of the chat.
        from_me: True if the account wrote it.
        sender: JID of the sender, or None if unknown.
        push_name: Name that the sender chose.
        kind: Kind of message, such as ``text`` or ``image``.
        text: Text, caption, title or name; the latest version of an edited message.
        status: Delivery status.
        timestamp: Time when it was written (aware).
        quoted_id: Id of the message that it quotes.
        media: Its file, or None.
        edited_at: Time of the last edit (aware), or None.
        deleted_at: Time of the deletion (aware), or None; the text stays.
        raw: The record as received, without contents of files.
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
    """Reported change of a message.

    A change changes no message (``applied`` is False) if it names another chat, or another author
    than the message's (or, for deletions in groups, than a known admin). The same holds for a
    change that the server only repeats from the sender's phone, until the server itself names the
    author. See ``docs/en/archive.md``.

    Attributes:
        instance: Name of the instance.
        id: WhatsApp id of the message.
        kind: ``status``, ``edit`` or ``delete``.
        status: New status, for ``status``.
        participant: Member of the group, or None.
        text: New text, for ``edit``.
        at: Time of the change (aware).
        chat: Chat named by the change; None if it named none, or came with version 1 of the file.
        from_me: True if it says that the account made the change, or, for ``status``, wrote the
            message.
        applied: True if it counts for a message in the archive.
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
    """Contact in the archive.

    Attributes:
        instance: Name of the instance.
        jid: JID of the contact.
        name: Its name.
        picture_url: URL of its picture, which may have expired.
        updated_at: Time of the last report (aware).
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
    # A message without a file has none of these columns; one with a file may lack some.
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
    """Read a stored status."""
    return None if word is None else MessageStatus(word)


def _time(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, tz=UTC)


def _known(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
