"""Events about messages."""

from __future__ import annotations

from collections.abc import Mapping

from evolution_sdk._base.json_types import is_array, is_object
from evolution_sdk.identity import Jid
from evolution_sdk.identity.lids import jid_or_none
from evolution_sdk.models.content import content_of, protocol_kind
from evolution_sdk.models.message import MessageKey, MessageStatus, StatusUpdate
from evolution_sdk.models.message_types import MessageKind
from evolution_sdk.models.people import jid_at
from evolution_sdk.models.refusals import Refusal, refusal_of
from evolution_sdk.models.wire import decode_long

from ._base import Event
from ._json import NOTHING, many, object_at
from ._mentions import is_account
from .message import EventMessage, MessageStatusChange, ProtocolNotice
from .message_event import MessageEvent, first, key_identity
from .polls import PollVote, vote_in_update

# What an update says besides these is new content (votes, an edit, a star) of the message.
_OF_STATUS = frozenset(
    {
        "keyId", "id", "messageId", "remoteJid", "remoteJidAlt", "fromMe", "participant",
        "participantAlt", "addressingMode", "status", "instanceId", "owner", "datetime",
    }
)  # fmt: skip
_BUSINESS_ID = "wamid."


class _Record(MessageEvent[EventMessage]):
    """An event whose data is a message record."""

    repeatable = False
    __slots__ = ()

    def _read(self) -> EventMessage:
        return EventMessage.from_wire(first(self._data))

    @property
    def message(self) -> EventMessage:
        """The message."""
        return self.data

    @property
    def messages(self) -> tuple[EventMessage, ...]:
        """The message as a tuple; version 2.3.6 always sends one at a time."""
        return many(EventMessage, self._data)

    def _identity(self) -> tuple[object, ...] | None:
        found = key_identity(self._data)
        # New content under a known id is no news: the server repeats messages, and the store keeps
        # them in another encoding. An edit in a wrapper (2.2.3) is, whatever id it came under.
        record = first(self._data)
        content = object_at(record, "message") if is_object(record) else NOTHING
        if found is None or "editedMessage" not in content:
            return found
        return (*found, MessageKind.EDITED, self.text)


class MessagesUpsert(_Record):
    """A message arrived, or was sent from another device of the account (``from_me``).

    Messages sent through the API come as :class:`SendMessage`. Told apart by chat and id: the
    server repeats its own processing up to three times, so that copies occur.
    """

    wire = "messages.upsert"
    __slots__ = ()


class SendMessage(_Record):
    """A message was sent through the API or by an integration. Identified by chat and id."""

    wire = "send.message"
    __slots__ = ()


class MessagesSet(Event[tuple[EventMessage, ...]]):
    """A batch of the history that WhatsApp sends after a login; possibly huge.

    Identified by the hash of the batch and its progress: the last batch may be as empty as the one
    before.
    """

    wire = "messages.set"
    repeatable = False
    __slots__ = ()

    def _read(self) -> tuple[EventMessage, ...]:
        return many(EventMessage, self._data)

    @property
    def messages(self) -> tuple[EventMessage, ...]:
        """The messages; the server leaves out those it already has."""
        return self.data

    @property
    def is_latest(self) -> bool | None:
        """True for the newest part of the history; None before server 2.3.7 and where not told."""
        told = self._beside("isLatest")
        return told if isinstance(told, bool) else None

    @property
    def progress(self) -> int | None:
        """Percent of the history that arrived; None before server 2.3.7 and where not told."""
        return decode_long(self._beside("progress"))

    def _identity(self) -> tuple[object, ...] | None:
        progress, latest = self.progress, self.is_latest
        return None if progress is None and latest is None else (self._data, progress, latest)

    def _beside(self, name: str) -> object:
        """Return what the server adds to the envelope of this event alone."""
        return self._raw.get(name) if is_object(self._raw) else None

    def _shown(self) -> dict[str, object]:
        count = len(self._data) if is_array(self._data) else None
        return {"messages": count, "progress": self.progress}


class _Protocol(MessageEvent[ProtocolNotice]):
    """An event whose data is WhatsApp's protocol message about an earlier message."""

    repeatable = False
    __slots__ = ()

    def _read(self) -> ProtocolNotice:
        return ProtocolNotice.from_wire(first(self._data))

    def _message(self) -> EventMessage:
        # Handlers find the new content where any message has its content.
        notice = self.data
        edited = notice.edited_message
        content: dict[str, object] = (
            {"protocolMessage": {"type": notice.type}}
            if edited is None
            else {"editedMessage": {"message": edited}}
        )
        record = {
            "key": self._key(),
            "message": content,
            "messageType": next(iter(content)),
            "messageTimestamp": None
            if notice.timestamp_ms is None
            else notice.timestamp_ms // 1000,
        }
        return EventMessage.from_wire(record)

    def _key(self) -> Mapping[str, object]:
        """Return the key of the changed message, as far as it is surely known."""
        raw: object = self.data.key.raw
        return raw if is_object(raw) else NOTHING

    @property
    def target(self) -> MessageKey | None:
        """The key of the message that was changed; None where none is named (a changed timer)."""
        key = self.message.key
        return key if key.id else None

    @property
    def kind(self) -> MessageKind:
        """``edited``, ``revoked``, or ``protocol`` for everything else."""
        return protocol_kind(self.data.type)

    @property
    def is_edit(self) -> bool:
        """True if a message got new content."""
        return self.kind is MessageKind.EDITED

    @property
    def is_revoke(self) -> bool:
        """True if a message was taken back for everyone."""
        return self.kind is MessageKind.REVOKED

    def _identity(self) -> tuple[object, ...] | None:
        data = first(self._data)
        found = key_identity(data)
        # Two edits of one message may differ by their time alone; without it they are told apart
        # by the hash of the data. A message is revoked once.
        if found is None or not is_object(data) or not (data.get("timestampMs") or self.is_revoke):
            return None
        kind = protocol_kind(data.get("type"))
        told = decode_long(data.get("timestampMs")), data.get("editedMessage")
        return (*found, kind, *(told if kind is not MessageKind.REVOKED else ()))

    def _may_repeat(self) -> bool:
        # A timer that is switched on, off and on again is told in the same words, without a time.
        return self._identity() is None


class MessagesEdited(_Protocol):
    """A protocol message about an earlier message, **not only an edit**; see ``kind``.

    The server passes on the words of the phone that made the change, without saying whose phone
    that was: the message's id and the new content are true, but ``fromMe`` and the chat are that
    phone's own view. A contact's edit has our own number as its chat, and ``fromMe: true``
    (`facts/versions/baileys.md` "SDK misreadings"). Therefore ``from_me`` is False and ``sender``
    None, which mean "not told" here, and ``author_known`` is False. The whole truth comes in the
    :class:`MessagesUpdate` (edit, since server 2.3.7) or :class:`MessagesDelete` (revocation) that
    follows; :class:`~evolution_sdk.events.ChangeJoiner` makes one change of the two. ``data`` has
    the words as they came.

    Identified by chat, id, kind, time and content of the change; without a time, by the hash of the
    data.
    """

    wire = "messages.edited"
    __slots__ = ()

    @property
    def author_known(self) -> bool:
        """Always False: nothing in this event tells who made the change."""
        return False

    @property
    def chat(self) -> Jid | None:
        """The chat, as the phone that made the change names it; None where it names this account.

        A group is surely right. A person is so for changes that this account made; of a contact's
        change it is this account, and the contact stays unknown. By its hidden id the account is
        known to a router or a client that has seen it (see ``mentions_me``).
        """
        chat = jid_at(self.data.key.remote_jid)
        return None if chat is None or is_account(self, chat) else chat

    @property
    def sender(self) -> Jid | None:
        """Always None: nothing in this event tells who made the change."""
        return None

    @property
    def from_me(self) -> bool:
        """Always False: nothing in this event tells that this account made the change."""
        return False

    def _key(self) -> Mapping[str, object]:
        told = self.data.key
        chat = self.chat
        key: dict[str, object] = {
            "id": told.id,
            "remoteJid": "" if chat is None else str(chat),
            "fromMe": False,
        }
        # An admin who revokes names the writer of the message; everybody else names nobody.
        writer = {"participant": told.participant, "participantAlt": told.participant_alt}
        return key | {name: value for name, value in writer.items() if value}


class SendMessageUpdate(_Protocol):
    """A message of this account was edited through the API.

    Its key is the server's own, and true. Identified like :class:`MessagesEdited`.
    """

    wire = "send.message.update"
    __slots__ = ()


class MessagesDelete(MessageEvent[EventMessage]):
    """A message was deleted for everyone. Identified by chat, id and, in a group, the participant.

    ``sender`` and ``from_me`` tell who deleted it, as ``deleted_by`` does. In a group that may be
    an admin: whose message it was is not told then, and ``message`` names no writer. Before server
    2.3.7 a revocation may come as :class:`MessagesEdited` alone. ``message`` is the whole record if
    it was deleted through the API, otherwise only its key.
    """

    wire = "messages.delete"
    repeatable = False
    __slots__ = ()

    def _read(self) -> EventMessage:
        data = first(self._data)
        if not is_object(data) or is_object(data.get("key")):
            return EventMessage.from_wire(data)
        # Deleted by its writer: the data is the bare key, since 2.3.7 with a status beside it.
        status = data.get("status")
        return EventMessage.from_wire(
            {"key": data} if status is None else {"key": data, "status": status}
        )

    def _message(self) -> EventMessage:
        told = self.data
        if self._is_record:
            return told
        # The key is that of the notice: its participant deleted the message, and may be an admin.
        chat = jid_at(told.key.remote_jid)
        record: dict[str, object] = {
            "key": {
                "id": told.key.id,
                "remoteJid": "" if chat is None else str(chat),
                "remoteJidAlt": told.key.remote_jid_alt,
                "fromMe": told.key.from_me and not told.is_group,
            }
        }
        status = {} if told.status is None else {"status": str(told.status)}
        return EventMessage.from_wire(record | status)

    @property
    def _is_record(self) -> bool:
        """True if it was deleted through the API: the data is the message's whole record."""
        data = first(self._data)
        return is_object(data) and is_object(data.get("key"))

    @property
    def target(self) -> MessageKey | None:
        """The key of the deleted message; in a group it does not tell whose message it was."""
        key = self.message.key
        return key if key.id else None

    @property
    def deleted_by(self) -> Jid | None:
        """The person who deleted it; of deletions by this account the account, where it is told."""
        key = self.data.key
        own = jid_or_none(self.account)
        if self._is_record:
            return own
        if key.participant:
            return jid_at(key.participant)
        # Only its writer can delete a message in a private chat.
        return own if key.from_me else None if self.data.is_group else jid_at(key.remote_jid)

    @property
    def sender(self) -> Jid | None:
        """The person who deleted it, like ``deleted_by``."""
        return self.deleted_by

    @property
    def from_me(self) -> bool:
        """True if this account deleted it, whatever ``fromMe`` says (2.2.3, hidden ids)."""
        who = self.deleted_by
        return self._is_record or self.data.from_me or (who is not None and is_account(self, who))

    @property
    def kind(self) -> MessageKind:
        """Always ``revoked``; ``message.kind`` is the former kind, if the content is known."""
        return MessageKind.REVOKED

    def _identity(self) -> tuple[object, ...] | None:
        data = first(self._data)
        if not is_object(data):
            return None
        found = key_identity(data)
        key = data["key"] if found is not None else data
        found = found or key_identity({"key": key})
        if found is None:
            return None
        # Any group member can send a revocation, so those of two members are not copies.
        who = key.get("participant")
        return (*found, who) if isinstance(who, str) and who else found


class MessagesUpdate(Event[MessageStatusChange]):
    """News of a message: how far it got, its new content after an edit, or the votes of a poll.

    Identified by chat, id, participant, **status** and everything else that it says of the message
    (new content, votes, a star): only what says nothing new is a copy. Statuses are unordered and
    may be missing: compare their ``rank``. Where the server has no status to tell it writes a word
    of its own, see ``status``. Business also posts these, without an envelope, to the
    ``webhookUrl`` of a template message; then ``instance`` is empty.
    """

    wire = "messages.update"
    repeatable = False
    __slots__ = ()

    def _read(self) -> MessageStatusChange:
        return MessageStatusChange.from_wire(first(self._data))

    @property
    def id(self) -> str:
        """The message's WhatsApp id."""
        return self.data.whatsapp_id

    @property
    def status(self) -> MessageStatus | None:
        """The status of the message; trust it only where ``tells_status`` is True.

        For a change without a status, the server writes ``SERVER_ACK`` since 2.3.7, ``DELETED``
        from 2.3.0 to 2.3.6, and nothing before (`facts/versions/versions.md`). That ``DELETED`` is
        None here, or ``EDITED`` where the new content is told: a message that was really deleted
        comes as :class:`MessagesDelete`. What it is otherwise is in ``data``.
        """
        told = self.data.status
        if told is not MessageStatus.DELETED or not self._is_fallback:
            return told
        return MessageStatus.EDITED if self.is_edit else None

    @property
    def tells_status(self) -> bool:
        """True if ``status`` tells how far the message got, as far as the event shows.

        False for edits, votes, and words that are no step on the way. A star on server 2.3.7 and
        later looks exactly like a ``SERVER_ACK``.
        """
        return tells_status(self.data)

    @property
    def _is_fallback(self) -> bool:
        # Meta has the word for real; a backfill has it from rows of messages that are deleted.
        return self.source != "backfill" and not self.id.startswith(_BUSINESS_ID)

    @property
    def refusal(self) -> Refusal | None:
        """Reason for which WhatsApp refused the message; None for any status but a failure.

        The recorded servers drop WhatsApp's code: then ``code`` is None and the meaning unknown
        (`facts/versions/baileys.md`, status ERROR).
        """
        return refusal_of(self.data.status, first(self._data))

    @property
    def chat(self) -> Jid | None:
        """The chat it is in, without device; None for bare digits.

        Server 2.4 cuts a device off together with what follows: the digits may be a phone's or a
        hidden id's (`facts/versions/baileys.md` "receipt from a device jid").
        """
        return jid_at(self.data.remote_jid)

    @property
    def from_me(self) -> bool:
        """True if this account wrote it; always False on Business (a fault of the server)."""
        return self.data.from_me

    @property
    def poll_vote(self) -> PollVote | None:
        """The vote in a poll, as 2.2.3 tells it; None for any other update."""
        return vote_in_update(self.message.key, self.data.poll_updates)

    @property
    def participant(self) -> Jid | None:
        """The member of a group who received, read or edited it, where that is told."""
        told = self.data.participant
        # In a private chat some versions name the chat once more.
        return None if told == self.data.remote_jid else jid_at(told)

    @property
    def sender(self) -> Jid | None:
        """The writer of new content; of everything else the account, as in other events."""
        if not self._content or self.from_me:
            return super().sender
        chat = self.chat
        return self.participant if chat is None or chat.is_group else chat

    @property
    def message(self) -> EventMessage:
        """The message as far as it is told: its key, its status, and its new content."""
        # Enough to quote it, to react to it and to mark it as read.
        return self._once("message", self._message)

    def _message(self) -> EventMessage:
        chat, who = self.chat, self.participant
        in_group = chat is not None and chat.is_group
        # Of a status the participant is whoever got it, of new content the writer.
        writer = {"participant": str(who)} if in_group and who and self._content else {}
        record: dict[str, object] = {
            "key": {
                "id": self.id,
                "remoteJid": "" if chat is None else str(chat),
                "fromMe": self.from_me,
                **writer,
            },
            "status": self.status,
        }
        content = self._content
        if content:
            record |= {"message": content, "messageType": next(iter(content))}
        votes = self.data.poll_updates
        return EventMessage.from_wire(record if votes is None else record | {"pollUpdates": votes})

    @property
    def _content(self) -> Mapping[str, object]:
        """The new content; empty where none is told."""
        data = first(self._data)
        return object_at(data, "message") if is_object(data) else NOTHING

    @property
    def target(self) -> MessageKey | None:
        """The key of the message that the news is about."""
        key = self.message.key
        return key if key.id else None

    @property
    def kind(self) -> MessageKind:
        """``edited``, ``poll_vote`` for the votes of a poll, or ``unknown`` for a status alone."""
        if self._content:
            return self._once("kind", lambda: content_of(self._content).kind)
        return MessageKind.POLL_VOTE if self.data.poll_updates else MessageKind.UNKNOWN

    @property
    def is_edit(self) -> bool:
        """True if the message got new content, which the server tells since 2.3.7.

        Before, an edit comes as :class:`MessagesEdited` only; its update is skipped (2.3.5, 2.3.6)
        or tells nothing but a wrong ``DELETED`` (see ``status``).
        """
        return self.kind is MessageKind.EDITED

    @property
    def text(self) -> str | None:
        """The new text or caption of an edited message; None where none is told."""
        return self.message.text if self._content else None

    def _identity(self) -> tuple[object, ...] | None:
        data = first(self._data)
        if not is_object(data):
            return None
        found = data.get("keyId") or data.get("id")
        if not isinstance(found, str):
            return None
        chat, who = data.get("remoteJid"), data.get("participant")
        # Empty on some versions, and the chat once more on others, where a row has nothing.
        told = chat, found, None if who in ("", chat) else who, data.get("status")
        more = self._more()
        return (*told, more) if more else told

    def _more(self) -> dict[str, object]:
        """Return what it says besides the status."""
        data = first(self._data)
        if not is_object(data):
            return {}
        return {k: v for k, v in data.items() if k not in _OF_STATUS and v is not None}

    def _may_repeat(self) -> bool:
        # A text that is changed and changed back, and a vote that is taken back and given again,
        # come in the same words each time.
        return bool(self._more())

    def _shown(self) -> dict[str, object]:
        status = self.status
        return {"id": self.id, "status": None if status is None else str(status)}


def tells_status(change: StatusUpdate) -> bool:
    """Tell if a change says how far a message got.

    Args:
        change: The change, as an event or the store tells it.

    Returns:
        False for edits and votes, whose status is a word that the server fills in (``SERVER_ACK``
        since 2.3.7, ``DELETED`` before), and for a status that is no step on the way.
    """
    raw: object = change.raw
    if is_object(raw) and (is_object(raw.get("message")) or raw.get("pollUpdates")):
        return False
    return change.status is not None and change.status.rank >= 0


def merge_status(known: MessageStatus | None, told: MessageStatus | None) -> MessageStatus | None:
    """Return the further of two statuses: updates come unordered, and more than once.

    Args:
        known: The status known so far.
        told: The status that an event tells.

    Returns:
        The further one. A failure counts until the message was delivered; a deletion or an edit
        says nothing about delivery and changes nothing.
    """
    if told is None or told.rank < 0:
        return known if known is not None else told
    if known is None or known.rank < 0:
        return told
    delivered = MessageStatus.DELIVERY_ACK.rank
    # A message that was delivered did not fail, whatever comes in afterwards.
    if told.rank == 0:
        return told if known.rank < delivered else known
    if known.rank == 0:
        return told if told.rank >= delivered else known
    return told if told.rank > known.rank else known
