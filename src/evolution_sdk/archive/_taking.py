"""Conversion of events and sends to rows. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

from evolution_sdk._base.json_types import is_array, is_object
from evolution_sdk.events import (
    ContactsSet,
    ContactsUpdate,
    ContactsUpsert,
    Event,
    EventMessage,
    GroupParticipantsUpdate,
    GroupsUpdate,
    GroupsUpsert,
    MessagesDelete,
    MessagesEdited,
    MessagesSet,
    MessagesUpdate,
    MessagesUpsert,
    SendMessage,
    SendMessageUpdate,
)
from evolution_sdk.events.records import ParticipantAction
from evolution_sdk.identity import Jid
from evolution_sdk.identity.chat_names import Whom
from evolution_sdk.identity.lids import pairs_in
from evolution_sdk.models import Group
from evolution_sdk.models.group import GroupParticipant
from evolution_sdk.models.message import Message, MessageKey
from evolution_sdk.models.message_types import MessageKind

from ._judging import Kept, Names

# Left out of a backup of texts: contents of files, keys of encrypted files, previews.
_LEFT_OUT = frozenset({"base64", "mediaKey", "jpegThumbnail"})


_MOST_INT = 2**63
_ADDED_OPTION = "pollAddOptionMessage"
_CHANGES = (MessagesUpdate, MessagesDelete, MessagesEdited, SendMessageUpdate)
_GROUPS = (GroupsUpsert, GroupsUpdate)
# Their keys were written by a stranger's phone, so no pair of ids is learned from them.
_HEARSAY = (MessagesEdited, SendMessageUpdate)


@dataclass(frozen=True, slots=True)
class MessageRow:
    """Message to store, with ``values`` in the order of :data:`MESSAGE_FIELDS`."""

    instance: str
    id: str
    chat: Names
    from_me: bool
    sender: Names
    status: str | None
    values: tuple[Any, ...]

    @property
    def kept(self) -> Kept:
        """The message in the form that is compared with those in the archive."""
        return Kept(0, self.chat, self.from_me, self.sender)


@dataclass(frozen=True, slots=True)
class UpdateRow:
    """Change to store and to apply to its message; see ``_judging.Change`` for the fields."""

    key: str
    instance: str
    id: str
    kind: str
    status: str | None
    participant: str | None
    text: str | None
    at: int
    chat: str | None
    by_me: bool
    participant_alt: str | None = None
    proven: bool = True
    mirrored: bool = False


@dataclass(frozen=True, slots=True)
class LidRow:
    """Pair of a hidden id and the phone's JID behind it, as an instance reported it."""

    instance: str
    lid: str
    phone: str


@dataclass(frozen=True, slots=True)
class AdminRow:
    """Admins of a group: all of them (``whole``), or the ones added and removed (``others``)."""

    instance: str
    chat: str
    admins: tuple[Names, ...]
    others: tuple[Names, ...] = ()
    whole: bool = False


@dataclass(frozen=True, slots=True)
class ContactRow:
    """Contact to store."""

    instance: str
    jid: str
    name: str | None
    picture_url: str | None
    at: int


Row: TypeAlias = MessageRow | UpdateRow | ContactRow | LidRow | AdminRow

MESSAGE_FIELDS = (
    "instance", "id", "chat", "from_me", "sender", "push_name", "kind", "message_type", "text",
    "status", "timestamp", "quoted_id", "media_url", "media_mimetype", "media_size", "media_name",
    "recorded_at", "raw", "chat_alt", "sender_alt", "first_text",
)  # fmt: skip


def rows_of(event: Event[Any], now: int) -> Iterator[Row]:
    """Convert an event to rows.

    Args:
        event: Any event.
        now: Time of its arrival, in unix seconds.

    Yields:
        Rows; none for events about other things.
    """
    # Pairs first: they decide to which chat the rows after them belong.
    if not isinstance(event, _HEARSAY):
        for lid, phone in pairs_in(event):
            yield LidRow(_clean(event.instance), _clean(str(lid)), _clean(str(phone)))
    # An own message may name no sender; then it is the account of the event. A history holds
    # messages of many senders, so the event says nothing about a single one.
    if isinstance(event, MessagesUpsert | SendMessage | MessagesSet):
        account = None if isinstance(event, MessagesSet) or not event.from_me else event.sender
        for message in event.messages:
            target = message.target if message.kind is MessageKind.EDITED else None
            if target is not None and target.id:
                yield _edit_of(message, target, event, now)
            else:
                yield from _message(message, event.instance, now, account)
    elif isinstance(event, ContactsUpsert | ContactsUpdate | ContactsSet):
        for contact in event.contacts:
            if contact.remote_jid:
                yield ContactRow(
                    _clean(event.instance), _clean(contact.remote_jid), _clean(contact.push_name),
                    _clean(contact.profile_pic_url), now,
                )  # fmt: skip
    elif isinstance(event, _GROUPS):
        yield from rows_of_groups(event.groups, event.instance)
    elif isinstance(event, GroupParticipantsUpdate):
        yield from _rights(event)
    elif isinstance(event, _CHANGES) and event.id:
        yield from _changes(event, now)


def rows_of_groups(groups: Iterable[Group], instance: str) -> Iterator[AdminRow]:
    """Yield the admins of groups that list their participants."""
    for group in groups:
        if group.id and group.participants is not None:
            admins = tuple(map(_who, (each for each in group.participants if each.admin)))
            yield AdminRow(_clean(instance), _clean(group.id), admins, whole=True)


def _rights(event: GroupParticipantsUpdate) -> Iterator[AdminRow]:
    change = event.data
    people = tuple(map(_who, change.participants))
    # Whoever joins, leaves or is demoted is no admin from now on.
    if change.action is ParticipantAction.PROMOTE:
        yield AdminRow(_clean(event.instance), _clean(change.id), people)
    elif change.action is not None and change.action is not ParticipantAction.MODIFY:
        yield AdminRow(_clean(event.instance), _clean(change.id), (), people)


def _who(participant: GroupParticipant) -> Names:
    names = (participant.id, participant.phone_number or participant.lid)
    return tuple(_clean(name) for name in names if name)


def _changes(
    event: MessagesUpdate | MessagesDelete | MessagesEdited | SendMessageUpdate, now: int
) -> Iterator[UpdateRow]:
    instance, message_id = _clean(event.instance), _clean(event.id)
    # A text that is changed, changed back and changed again is told three times, in equal words.
    key = event.delivery_key
    # Since 2.3.7 messages.update carries the new content of an edit, too.
    if isinstance(event, MessagesUpdate):
        change = event.data
        raw: Any = change.raw
        alt = raw.get("participantAlt") if is_object(raw) else None
        edited = event.is_edit
        # Votes come with a status as well, which the server made up.
        counts = event.status is not None and (event.tells_status or event.source == "backfill")
        word = str(event.status) if counts else None
        if not edited and word is None:
            return
        yield UpdateRow(
            key, instance, message_id, "edit" if edited else "status", None if edited else word,
            _name(change.participant), _clean(event.text) if edited else None, now,
            _name(change.remote_jid), change.from_me, _name(alt),
        )  # fmt: skip
    elif isinstance(event, MessagesDelete):
        whose = event.data.key
        yield UpdateRow(
            key, instance, message_id, "delete", None, _name(whose.participant), None, now,
            _name(whose.remote_jid), _by_us(whose, event.account), _name(whose.participant_alt),
        )  # fmt: skip
    elif event.is_edit or event.is_revoke:
        whose = event.data.key
        proven = isinstance(event, SendMessageUpdate)
        yield UpdateRow(
            key, instance, message_id, "edit" if event.is_edit else "delete", None, None,
            _clean(event.text) if event.is_edit else None,
            int(event.timestamp.timestamp()) or now, _name(whose.remote_jid), whose.from_me,
            proven=proven,
            mirrored=not proven and whose.from_me and _is_us(whose.remote_jid, event.account),
        )  # fmt: skip


def _edit_of(message: EventMessage, target: MessageKey, event: Event[Any], now: int) -> UpdateRow:
    """Make the change that a message of its own tells: an edit, of which the text may be sealed."""
    at = int(message.sent_at.timestamp()) if message.sent_at is not None else now
    # An option that is added to a poll is not the new text of the poll.
    words = None if message.content_type == _ADDED_OPTION else _clean(message.text)
    return UpdateRow(
        f"{event.dedupe_key}:{message.id}", _clean(event.instance), _clean(target.id), "edit", None,
        _name(message.key.participant), words, at, _name(message.remote_jid),
        message.from_me, _name(message.key.participant_alt),
    )  # fmt: skip


def _by_us(key: MessageKey, account: str | None) -> bool:
    # In groups with hidden ids an old server reports the account's own actions as those of others.
    return key.from_me or _is_us(key.participant, account) or _is_us(key.participant_alt, account)


def _is_us(jid: str | None, account: str | None) -> bool:
    return bool(jid and account) and Whom([jid]).is_told_by(account)


def row_of_sent(sent: Message, instance: str, now: int) -> Iterator[Row]:
    """Yield the row of an own send, from the server's answer."""
    yield from _message(EventMessage.from_wire(sent.raw), instance, now, None)


def _message(
    message: EventMessage, instance: str, now: int, account: Jid | None
) -> Iterator[MessageRow]:
    if not message.id:  # a copy could not be recognised
        return
    # What may be seen only once is not kept: neither its words nor the way to its file.
    keep = not message.is_view_once
    media = message.media if keep else None
    words = message.text if keep else None
    raw = message.raw if keep else {**message.raw, "message": None, "contextInfo": None}
    quoted = message.quoted
    status = None if message.status is None else str(message.status)
    sent_at = int(message.sent_at.timestamp()) if message.sent_at is not None else now
    chat = (message.remote_jid, _text(message.chat_alt))
    sender = (_text(message.sender or account), _text(message.sender_alt))
    values = (
        instance, message.id, chat[0], int(message.from_me), sender[0], message.push_name,
        str(message.kind), message.message_type, words, status, sent_at,
        None if quoted is None else quoted.id or None,
        *((None,) * 4 if media is None else
          (media.url or media.whatsapp_url, media.mimetype, media.size_bytes, media.file_name)),
        now, _raw_text(raw, is_small=media is None), chat[1], sender[1], words,
    )  # fmt: skip
    stored: tuple[Any, ...] = tuple([each if each is None else _clean(each) for each in values])
    yield MessageRow(
        stored[0], stored[1], (stored[2], stored[-3]), message.from_me, (stored[4], stored[-2]),
        status, stored,
    )  # fmt: skip


def _name(jid: Any) -> str | None:
    """Return a JID without its device, or None for an empty one."""
    if not isinstance(jid, str) or not jid:
        return None
    user, at, server = jid.partition("@")
    return str(_clean(f"{user.partition(':')[0]}{at}{server}"))


def _clean(value: Any) -> Any:
    """Replace what no database can hold: half a surrogate pair, NUL, numbers beyond 64 bits."""
    if isinstance(value, str):
        if "\0" in value:
            value = value.replace("\0", "\ufffd")
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, int) and not -_MOST_INT <= value < _MOST_INT:
        return None
    return value


def _text(jid: Jid | None) -> str | None:
    return None if jid is None else str(jid)


def _raw_text(raw: Any, *, is_small: bool) -> str:
    """Write a record as JSON, without what a backup of texts leaves out.

    Args:
        raw: The record.
        is_small: True if it is not expected to hold a file. Then it is written first and looked at
            afterwards, because most records hold nothing that is left out.
    """
    if is_small:
        with suppress(TypeError):  # bytes, or an object that is no dict
            text = _AS_IS.encode(raw)
            if not any(mark in text for mark in _MARKS):
                return text
    return _JSON.encode(_without_files(raw))


def _without_files(value: Any) -> Any:
    """Copy a record without contents and keys of files, and without what may be seen only once."""
    if value is None or isinstance(value, str | int):
        return value  # most of it
    if is_object(value):
        return {
            k: _without_files(v)
            for k, v in value.items()
            if k not in _LEFT_OUT and not (k == "quotedMessage" and _vanishes(v))
        }
    if is_array(value):
        return [_without_files(each) for each in value]
    return value


def _vanishes(quoted: Any) -> bool:
    # An answer brings along what it answers.
    return is_object(quoted) and EventMessage.from_wire({"message": quoted}).is_view_once


def _bytes(_value: object) -> None:
    """Stand in for bytes, which JSON cannot hold."""


# Made once: ``json.dumps`` makes an encoder each time.
_AS_IS = json.JSONEncoder()
_JSON = json.JSONEncoder(default=_bytes)
# A name in a record is written like this; in a text its quotes have a backslash before them.
_MARKS = tuple(f'"{name}"' for name in sorted({*_LEFT_OUT, "quotedMessage"}))
