"""Expectations about a sent message: a status that it reaches, a reply to it. Pure.

An expectation takes events and stored messages in, in any order, and says when it is met.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import timedelta
from typing import Protocol, TypeAlias

from evolution_sdk._base.json_types import is_object
from evolution_sdk.errors import DeliveryRefusedError, RequestValidationError
from evolution_sdk.events import Event, MessagesUpdate, MessagesUpsert, parse_event
from evolution_sdk.events.messages import merge_status, tells_status
from evolution_sdk.identity import Jid
from evolution_sdk.identity.chat_names import Lids, Whom, tells_of_own
from evolution_sdk.models.message import Message, MessageStatus, StatusUpdate, StoredMessage
from evolution_sdk.models.refusals import Refusal, refusal_of

from .event_topics import MESSAGE, STATUS, Topic, chat_topics

_NO_TIME = timedelta(0)

ReplyFilter: TypeAlias = Callable[[MessagesUpsert], bool]
"""Tells if an event counts as the reply."""

_MOST_PLACES = 3
# Notices about messages, such as an edit or a deletion, are no answers.
_NO_ANSWERS = frozenset({"protocol", "edited", "revoked"})


class Expectation(Protocol):
    """Something that is waited for; as a text it says what, with what is known so far."""

    @property
    def status(self) -> MessageStatus | None:
        """Return the furthest status known, where one is waited for."""
        ...

    @property
    def done(self) -> bool:
        """Tell if the waiting is over."""
        ...

    @property
    def topics(self) -> Collection[Topic]:
        """Return the topics of the events that can meet it."""
        ...

    def take(self, event: Event) -> bool:
        """Take an event in; True when the expectation is met."""
        ...


class AnswerExpectation(Expectation, Protocol):
    """An event that somebody causes by answering a message, of any kind."""

    def places(self) -> tuple[str, ...]:
        """Return the chats in which it may be stored, the likeliest first."""
        ...

    def learn(self, records: Iterable[StoredMessage]) -> None:
        """Take stored messages in."""
        ...

    def result(self) -> Event:
        """Return the event; ask only once it is there."""
        ...


class StatusExpectation:
    """A message gets as far as a status.

    Args:
        message: The message.
        wanted: The status.
        instance: The instance whose events count; None for any.
        lids: Pairs of hidden id and phone.
        likely: Guesses the reason of a refusal that is told without one.

    Attributes:
        wanted: The status.
        status: The furthest status known.

    Raises:
        RequestValidationError: The message has no id, or no message comes up to that status.
    """

    def __init__(
        self,
        message: Message,
        wanted: str,
        instance: str | None,
        lids: Lids | None = None,
        likely: Callable[[], Refusal | None] | None = None,
    ) -> None:
        self.wanted: MessageStatus = MessageStatus(wanted)
        if self.wanted.rank < 1:
            raise RequestValidationError(
                "status", "must be PENDING, SERVER_ACK, DELIVERY_ACK, READ or PLAYED"
            )
        self._id = checked_id(message)
        self._own = message.from_me
        self._chat = chat_of(message, lids)
        self._instance = instance
        self._likely = likely
        self.status: MessageStatus | None = message.status
        self._refusal = refusal_of(message.status, message.raw)

    @property
    def refused(self) -> bool:
        """Tell if the message failed, and was not delivered all the same."""
        return self.status is not None and self.status.rank == 0

    @property
    def topics(self) -> Collection[Topic]:
        """Return the topic of the message's statuses."""
        return ((STATUS, self._id),)

    @property
    def done(self) -> bool:
        """Tell if the message got that far, or failed."""
        # Rank 0 is a failure: nothing further will come, so that the waiting ends here, too.
        return self.status is not None and self.status.rank in (0, *range(self.wanted.rank, 9))

    def take(self, event: Event) -> bool:
        """Take an event in.

        Args:
            event: The event.

        Returns:
            True when the expectation is met.
        """
        if isinstance(event, MessagesUpdate) and is_of_instance(event, self._instance):
            self.learn(event.data)
        return self.done

    def learn(self, change: StatusUpdate) -> None:
        """Take in a status of some message; the known status never goes back.

        Args:
            change: The status, as an event or the store tells it.
        """
        told_id = change.key_id or change.id  # v1 says "id"
        # An id alone proves nothing: senders choose ids, and others may use this one elsewhere.
        if told_id == self._id and self._fits(change):
            self.status = merge_status(self.status, change.status)
            refusal = refusal_of(change.status, change.raw)
            # Told twice, it may have its code only once.
            if refusal is not None and (self._refusal is None or refusal.reason_is_told):
                self._refusal = refusal

    def learn_all(self, changes: Iterable[StatusUpdate]) -> None:
        """Take in several statuses.

        Args:
            changes: The statuses, in any order.
        """
        for change in changes:
            self.learn(change)

    def _fits(self, change: StatusUpdate) -> bool:
        if not self._chat.may_be_told_by(change.remote_jid):
            return False
        raw: object = change.raw
        if not is_object(raw):
            return True
        if self._own and not tells_of_own(self._id, self._chat, raw.get("fromMe")):
            return False
        # Edits and votes come with a status as well, which the server made up.
        return tells_status(change)

    def result(self) -> MessageStatus:
        """Return the furthest status.

        Raises:
            DeliveryRefusedError: WhatsApp reported a failure.
        """
        if self.status is not None and not self.refused:
            return self.status
        refusal = self._refusal
        # The lock is about WhatsApp Web's accounts: Business says FAILED.
        if self.status == MessageStatus.ERROR and not (refusal and refusal.reason_is_told):
            refusal = (self._likely() if self._likely is not None else None) or refusal
        if refusal is None:
            raise DeliveryRefusedError(self._id)
        raise DeliveryRefusedError(
            self._id,
            code=refusal.code,
            meaning=refusal.meaning,
            advice=refusal.advice,
            reason_is_told=refusal.reason_is_told,
        )

    def __str__(self) -> str:
        seen = "no status was seen" if self.status is None else f"the last status is {self.status}"
        return f"message {self._id} to reach {self.wanted}; {seen}"


class ReplyExpectation:
    """Somebody answers a message.

    Args:
        message: The message.
        sender: The only person whose answers count; None for everybody.
        quoted: True for only those answers that quote the message.
        where: A further condition.
        instance: The instance whose events count; None for any.
        lids: Pairs of hidden id and phone.

    Attributes:
        reply: The answer, once it came.

    Raises:
        RequestValidationError: The message has no id.
    """

    status: MessageStatus | None = None

    def __init__(
        self,
        message: Message,
        *,
        sender: str | Jid | None,
        quoted: bool,
        where: ReplyFilter | None,
        instance: str | None,
        lids: Lids | None = None,
    ) -> None:
        self._id = checked_id(message)
        self._message = message
        self._chat = chat_of(message, lids)
        self._sender = None if sender is None else Whom([sender], lids)
        self._quoted = quoted
        self._where = where
        self._instance = instance
        self._lids = lids
        self.reply: MessagesUpsert | None = None

    @property
    def topics(self) -> Collection[Topic]:
        """Return the topics of the messages of its chat."""
        return chat_topics(MESSAGE, self._chat)

    @property
    def done(self) -> bool:
        """Tell if an answer came."""
        return self.reply is not None

    def take(self, event: Event) -> bool:
        """Take an event in.

        Args:
            event: The event.

        Returns:
            True when the expectation is met.
        """
        if self.reply is None and isinstance(event, MessagesUpsert) and self._fits(event):
            self.reply = event
        return self.done

    def places(self) -> tuple[str, ...]:
        """Return the chats in which answers may be stored, the likeliest first.

        Of the EVOLUTION channel a send names the number as it was given; its inbound messages come
        from a JID (`facts/websocket.json`, "inbound text, new contact").
        """
        return places_of(self._message, self._lids)

    def learn(self, records: Iterable[StoredMessage]) -> None:
        """Take stored messages in.

        Args:
            records: The messages, in any order.
        """
        held = sorted(records, key=lambda each: (each.timestamp, each.row_id or ""))
        mine = (each for each in held if each.id == self._id)
        own = next((e.row_id for e in mine if e.from_me == self._message.from_me), None)
        for record in held:
            event = as_event(record, self._instance)
            if event is not None and self._came_after(event, record.row_id, own):
                self.take(event)

    def _came_after(self, event: MessagesUpsert, row: str | None, own: str | None) -> bool:
        """Tell if a message came after ours, within the same second as well.

        The store knows whole seconds, by two clocks. The ids of its rows grow (see ``Window``), so
        that they decide wherever both are known: the message that a bot reacts to often has the
        very second of the bot's answer, and must not count as a reply to it.
        """
        if self._quotes(event):
            return True
        if row is not None and own is not None:
            return row > own
        sent_at = self._message.sent_at
        return sent_at is None or event.timestamp > sent_at

    def _fits(self, event: MessagesUpsert) -> bool:
        message = event.message
        sent_at = self._message.sent_at
        if message.from_me or str(message.kind) in _NO_ANSWERS or self._votes_elsewhere(event):
            return False
        if not is_of_instance(event, self._instance):
            return False
        # By event, a message of the same second counts: it came after the send was over.
        if sent_at is not None and message.timestamp - sent_at < _NO_TIME:
            return False
        if not self._chat.is_told_by(message.remote_jid, message.chat, message.chat_alt):
            return False
        if self._sender is not None and not self._sender.is_told_by(
            message.sender, message.sender_alt
        ):
            return False
        if self._quoted and not self._quotes(event):
            return False
        return self._where is None or bool(self._where(event))

    def _quotes(self, event: MessagesUpsert) -> bool:
        vote = event.message.poll_vote
        if vote is not None:  # it names its poll as an answer names what it quotes
            return vote.poll_id == self._id
        return event.message.quoted is not None and event.message.quoted.id == self._id

    def _votes_elsewhere(self, event: MessagesUpsert) -> bool:
        """Tell if it is a vote that answers nothing: in another poll, or taken back."""
        vote = event.message.poll_vote
        return vote is not None and (vote.poll_id != self._id or vote.is_removed)

    def result(self) -> MessagesUpsert:
        """Return the answer; ask only once it is there."""
        assert self.reply is not None  # noqa: S101
        return self.reply

    def __str__(self) -> str:
        return f"an answer to message {self._id}"


def checked_id(message: Message) -> str:
    """Return a message's id.

    Raises:
        RequestValidationError: It has none.
    """
    if not message.id:
        raise RequestValidationError("sent", "the message has no id to follow it by")
    return message.id


def places_of(message: Message, lids: Lids | None) -> tuple[str, ...]:
    """Return the chats in which answers to a message may be stored, the likeliest first."""
    key = message.key
    # Names that events told come first; pairs of ids that the client has learned follow.
    names = [_plain(name) for name in (key.remote_jid, key.remote_jid_alt) if name]
    known = () if lids is None else lids.forms(names)
    return tuple(dict.fromkeys((*names, *known)))[:_MOST_PLACES]


def as_event(record: StoredMessage, instance: str | None) -> MessagesUpsert | None:
    """Return the event that told of a stored message, so that one set of rules holds for both."""
    envelope = {"event": MessagesUpsert.wire, "data": record.raw, "instance": instance or ""}
    event = parse_event(envelope, source="backfill")
    return event if isinstance(event, MessagesUpsert) else None


def chat_of(message: Message, lids: Lids | None) -> Whom:
    """Return the chat of a message, by all its names."""
    return Whom([message.key.remote_jid, message.key.remote_jid_alt], lids)


def is_of_instance(event: Event, instance: str | None) -> bool:
    """Tell if an event is of an instance; None for any."""
    # Business posts some statuses without an envelope, so that they name no instance.
    unnamed = isinstance(event, MessagesUpdate) and event.instance == ""
    return instance is None or unnamed or event.instance == instance


def _plain(jid: str) -> str:
    user, _, server = jid.partition("@")
    user = user.partition(":")[0].lstrip("+")
    return f"{user}@{'s.whatsapp.net' if server in ('', 'c.us') else server}"
