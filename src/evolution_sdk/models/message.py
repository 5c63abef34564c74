"""Messages as sent, stored, edited and deleted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field

from evolution_sdk._base.json_types import is_array, is_object

from .base import Model, Number, OpenEnum, UnixTime
from .content import Content, content_of
from .message_types import MessageKind


class MessageStatus(OpenEnum):
    """Status of a message. ``PENDING`` only means handed to WhatsApp, not delivered."""

    ERROR = "ERROR"
    PENDING = "PENDING"
    SERVER_ACK = "SERVER_ACK"
    DELIVERY_ACK = "DELIVERY_ACK"
    READ = "READ"
    PLAYED = "PLAYED"
    DELETED = "DELETED"
    EDITED = "EDITED"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"

    @property
    def rank(self) -> int:
        """Order of progress; higher is further. Failures have 0, statuses without an order -1."""
        return _RANKS.get(self.value, -1)


# Baileys and the Business channel use different words for the same steps (`facts/semantics.md` §6).
_RANKS = {
    "ERROR": 0,
    "FAILED": 0,
    "PENDING": 1,
    "SERVER_ACK": 2,
    "SENT": 2,
    "DELIVERY_ACK": 3,
    "DELIVERED": 3,
    "READ": 4,
    "PLAYED": 5,
}


def _written(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


# 2.4 stores the id that a client chose as it came, a number as a number
# (`facts/versions/versions.md` §4 "not de-duplicated").
MessageId = Annotated[str, BeforeValidator(_written)]


class MessageKey(Model):
    """The identity of a message on WhatsApp."""

    shown: ClassVar[tuple[str, ...]] = ("id", "remote_jid", "from_me")

    id: MessageId = ""
    remote_jid: str = ""
    from_me: bool = False
    participant: str | None = None
    # The phone or hidden id that belongs to the other two (`facts/semantics.md` §5).
    remote_jid_alt: str | None = None
    participant_alt: str | None = None
    addressing_mode: str | None = None
    deleted: bool | None = None


_NO_KEY = MessageKey()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Message(Model):
    """A message record.

    Attributes:
        key: The identification on WhatsApp.
        content: The ``message`` object, undecoded; see ``text``.
        message_type: Kind of content, such as ``conversation`` or ``imageMessage``.
        row_id: Id of the row in the server's database, if it was read from there.
    """

    shown: ClassVar[tuple[str, ...]] = ("id", "remote_jid", "status", "message_type")

    # Found once: a router asks many filters about one message.
    __slots__ = ("_content",)

    key: MessageKey = _NO_KEY
    # A record's ``id`` is its row; the WhatsApp id is ``key.id`` (`facts/semantics.md` §6).
    row_id: str | None = Field(default=None, alias="id")
    push_name: str | None = None
    status: MessageStatus | None = None
    content: Mapping[str, Any] | None = Field(default=None, alias="message")
    context_info: Mapping[str, Any] | None = None
    message_type: str = ""
    sent_at: UnixTime | None = Field(default=None, alias="messageTimestamp")
    instance_id: str | None = None
    source: str | None = None

    @property
    def id(self) -> str:
        """WhatsApp's message id; empty if the answer had none."""
        return self.key.id

    @property
    def remote_jid(self) -> str:
        """The chat as stored by the server, which may differ from the number in the request."""
        return self.key.remote_jid

    @property
    def from_me(self) -> bool:
        """True if this account sent it."""
        return self.key.from_me

    @property
    def timestamp(self) -> datetime:
        """The time of sending, aware, in UTC (the epoch when the answer did not say)."""
        return self.sent_at or _EPOCH

    @property
    def kind(self) -> MessageKind:
        """The kind of message; wrappers (view once, ephemeral …) are looked through."""
        return self._found.kind

    @property
    def content_type(self) -> str:
        """WhatsApp's own name of the content, such as ``imageMessage``; empty without content.

        ``message_type`` is the server's word, which may name a wrapper. For a type that this SDK
        does not know (``kind`` is ``unknown``) this is the way to tell it from others.
        """
        return self._found.name

    @property
    def text(self) -> str | None:
        """The text, caption, title or name, whichever this kind of message has."""
        return self._found.text

    @property
    def _found(self) -> Content:
        """The content without its wrappers."""
        found: Content | None = getattr(self, "_content", None)
        if found is None:
            found = content_of({} if self.content is None else self.content, self.message_type)
            object.__setattr__(self, "_content", found)
        return found

    def _kept(self) -> dict[str, Any]:
        # Made anew in a copy, which may have other content.
        return {name: value for name, value in super()._kept().items() if name != "_content"}


class SentMessage(Message):
    """Answer to a send: handed to WhatsApp, not yet delivered.

    A client gives it as a ``SyncSentMessage`` or an ``AsyncSentMessage``, which can be waited for.

    Attributes:
        webhook_url: Where the server posts later status changes; echoed by the Business channel.
    """

    expected: ClassVar[tuple[str, ...]] = ("key", "message", "messageType", "messageTimestamp")

    __slots__ = ("_evidence",)

    webhook_url: str | None = None

    @property
    def reconciled(self) -> bool:
        """True if it was found after its answer had been lost."""
        return self.evidence is not None

    @property
    def evidence(self) -> Literal["store", "event"] | None:
        """The place where it was found: the store or a ``send.message`` event; None if answered."""
        return getattr(self, "_evidence", None)

    @classmethod
    def from_store(
        cls, record: Mapping[str, Any], evidence: Literal["store", "event"] = "store"
    ) -> Self:
        """Build the result of a send whose answer was lost from a record that was found.

        Args:
            record: The message as stored, or as a ``send.message`` event carries it.
            evidence: The place where it was found.

        Returns:
            The message, with ``reconciled`` set.
        """
        return cls.from_wire(record)._take({"_evidence": evidence})


class StatusMark(Model):
    """One entry in the ``MessageUpdate`` of a stored message."""

    shown: ClassVar[tuple[str, ...]] = ("status",)

    status: MessageStatus | None = None


class StoredMessage(Message):
    """A message from the server's store; ``row_id`` is its database id."""

    expected: ClassVar[tuple[str, ...]] = ("id", "key", "messageType")

    participant: str | None = None
    session_id: str | None = None
    message_updates: tuple[StatusMark, ...] = Field(default=(), alias="MessageUpdate")

    @property
    def latest_status(self) -> MessageStatus | None:
        """The furthest status recorded; updates are unordered and may be missing."""
        # The row itself keeps PENDING: progress is in the updates only (`facts/semantics.md` §6).
        marks = [mark.status for mark in self.message_updates if mark.status is not None]
        return max(marks, key=lambda status: status.rank, default=self.status)


class MessagePage(Model):
    """One page of stored messages, newest first."""

    shown: ClassVar[tuple[str, ...]] = ("total", "pages", "current_page")

    total: Number = 0
    pages: Number = 0
    current_page: Number = 1
    records: tuple[StoredMessage, ...] = ()


class MessageSearch(Model):
    """Envelope of ``findMessages``."""

    expected: ClassVar[tuple[str, ...]] = ("messages",)

    messages: MessagePage = MessagePage()

    @classmethod
    def page_from_wire(cls, data: Any) -> MessagePage:
        """Read the envelope and return the page inside; a bare list (v1) is one page.

        The page's ``raw`` is the whole answer.
        """
        # Version 1 answers with a bare list, later ones with a page inside an envelope.
        inner = data.get("messages") if is_object(data) else data
        if is_array(inner):
            inner = {"total": len(inner), "pages": 1, "currentPage": 1, "records": inner}
        page = MessagePage.from_wire(inner)
        return page._keep(data, page.drift)


class StatusUpdate(Model):
    """One recorded status change; rows come unordered."""

    shown: ClassVar[tuple[str, ...]] = ("key_id", "status")
    expected: ClassVar[tuple[str, ...]] = ("keyId", "status")

    id: str | None = None
    key_id: str = ""
    remote_jid: str = ""
    from_me: bool = False
    participant: str | None = None
    poll_updates: Any = None
    status: MessageStatus | None = None
    message_id: str | None = None
    instance_id: str | None = None


class ProtocolMessage(Message):
    """Raw message of an edit or a deletion, with numbers as text on the wire."""

    expected: ClassVar[tuple[str, ...]] = ("key",)
