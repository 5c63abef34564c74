"""Events about messages."""

from __future__ import annotations

from evolution_sdk._base.json_types import is_array, is_object
from evolution_sdk.identity import Jid
from evolution_sdk.identity.lids import is_stripped_lid, jid_or_none
from evolution_sdk.models.content import protocol_kind
from evolution_sdk.models.message import MessageStatus
from evolution_sdk.models.message_types import MessageKind
from evolution_sdk.models.refusals import Refusal, refusal_of
from evolution_sdk.models.wire import decode_long

from ._base import Event
from ._json import many
from .message import EventMessage, MessageStatusChange, ProtocolNotice
from .message_event import MessageEvent, first, key_identity
from .polls import PollVote, vote_in_update


class _Record(MessageEvent[EventMessage]):
    """An event whose data is a message record."""

    repeatable = False
    __slots__ = ()

    def _read(self) -> EventMessage:
        return self.message

    @property
    def messages(self) -> tuple[EventMessage, ...]:
        """The message as a tuple; version 2.3.6 always sends one at a time."""
        return many(EventMessage, self._data)

    def _identity(self) -> tuple[object, ...] | None:
        return key_identity(self._data)


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

    Identified by the hash of the batch.
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
            "key": notice.key.raw,
            "message": content,
            "messageType": next(iter(content)),
            "messageTimestamp": None
            if notice.timestamp_ms is None
            else notice.timestamp_ms // 1000,
        }
        return EventMessage.from_wire(record)

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
        # Two edits of one message differ by their time alone; without it they are told apart by
        # the hash of the data. A message is revoked once.
        if found is None or not is_object(data) or not (data.get("timestampMs") or self.is_revoke):
            return None
        return (*found, protocol_kind(data.get("type")), decode_long(data.get("timestampMs")))


class MessagesEdited(_Protocol):
    """A protocol message about an earlier message, **not only an edit**; see ``kind``.

    Revocations by the other side come here, too. Identified by chat, id, kind and time of the
    change; without a time, by the hash of the data.
    """

    wire = "messages.edited"
    __slots__ = ()


class SendMessageUpdate(_Protocol):
    """A message was edited through the API. Identified like :class:`MessagesEdited`."""

    wire = "send.message.update"
    __slots__ = ()


class MessagesDelete(MessageEvent[EventMessage]):
    """A message was deleted for everyone. Identified by chat, id and, in a group, the participant.

    A revocation by the other side usually comes as :class:`MessagesEdited`, or as both. The message
    is the whole record if it was deleted through the API, otherwise only its key.
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
        return self.data

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
    """The progress of a message. Identified by chat, id, participant, **status**, new content.

    Statuses are unordered and may be missing: compare their ``rank``. Business also posts these,
    without an envelope, to the ``webhookUrl`` of a template message; then ``instance`` is empty.
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
        """The status of the message."""
        return self.data.status

    @property
    def refusal(self) -> Refusal | None:
        """Reason for which WhatsApp refused the message; None for any status but a failure.

        The recorded servers drop WhatsApp's code: then ``code`` is None and the meaning unknown
        (`facts/versions/baileys.md`, status ERROR).
        """
        return refusal_of(self.data.status, first(self._data))

    @property
    def chat(self) -> Jid | None:
        """The chat it is in; None for the bare digits of a hidden id, which server 2.4 reports."""
        return _jid_of(self.data.remote_jid)

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
        """The member of a group who received or read it, where that is told."""
        return _jid_of(self.data.participant)

    @property
    def message(self) -> EventMessage:
        """The message as far as it is known: its key and its status."""
        # Enough to quote it, to react to it and to mark it as read.
        data = self.data
        # An answer to the bare digits of a hidden id would go to a stranger's phone.
        chat = "" if is_stripped_lid(data.remote_jid) else data.remote_jid
        key = {"id": data.whatsapp_id, "remoteJid": chat, "fromMe": data.from_me}
        return self._once(
            "message", lambda: EventMessage.from_wire({"key": key, "status": data.status})
        )

    def _identity(self) -> tuple[object, ...] | None:
        data = first(self._data)
        if not is_object(data):
            return None
        found = data.get("keyId") or data.get("id")
        if not isinstance(found, str):
            return None
        told = data.get("remoteJid"), found, data.get("participant"), data.get("status")
        # An edit comes with the new content (since 2.3.7), always with the same status.
        content = data.get("message")
        return (*told, content) if is_object(content) else told

    def _shown(self) -> dict[str, object]:
        status = self.status
        return {"id": self.id, "status": None if status is None else str(status)}


def _jid_of(text: str | None) -> Jid | None:
    return None if is_stripped_lid(text) else jid_or_none(text)


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
