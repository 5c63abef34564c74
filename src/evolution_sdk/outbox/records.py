"""Messages of the outbox as programs see them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from evolution_sdk._sql.database import Row

__all__ = ["COLUMNS", "OutboxFailure", "OutboxMessage", "OutboxState"]


class OutboxState(StrEnum):
    """States of a message in the outbox.

    ``queued`` waits for its turn; ``sending`` is being sent or, after a crash or a lost answer,
    looked for; ``sent`` was handed to WhatsApp; ``server``, ``delivered`` and ``read`` are told by
    events. ``failed`` was refused by the server for good, ``refused`` by WhatsApp; ``unknown``
    may or may not have been sent, and waits for a person; ``expired`` was not sent in time;
    ``cancelled`` was taken back before it was sent.
    """

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    SERVER = "server"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    CANCELLED = "cancelled"

    @property
    def was_sent(self) -> bool:
        """True if the message was surely handed to WhatsApp."""
        return self in _SENT

    @property
    def is_over(self) -> bool:
        """True if the outbox does nothing more about it on its own."""
        return self not in (OutboxState.QUEUED, OutboxState.SENDING)


_SENT = frozenset(
    {
        OutboxState.SENT,
        OutboxState.SERVER,
        OutboxState.DELIVERED,
        OutboxState.READ,
        OutboxState.REFUSED,
    }
)


@dataclass(frozen=True, slots=True)
class OutboxFailure:
    """The reason why a message was not sent, or not delivered, as data.

    Attributes:
        error: Name of the error's class, such as ``RecipientNotFoundError``.
        text: Its words, without numbers, keys or content.
        status: HTTP status of the server's answer; None without one.
        code: WhatsApp's or Meta's code, such as 463; None where none was told.
    """

    error: str
    text: str = ""
    status: int | None = None
    code: int | None = None

    def dump(self) -> str:
        """Return it as JSON."""
        return json.dumps(
            {"error": self.error, "text": self.text, "status": self.status, "code": self.code}
        )

    @classmethod
    def load(cls, text: str | None) -> OutboxFailure | None:
        """Read it from JSON.

        Args:
            text: The JSON; None for no failure.
        """
        if not text:
            return None
        told: Mapping[str, Any] = json.loads(text)
        return cls(
            str(told.get("error", "")), str(told.get("text", "")), told.get("status"),
            told.get("code"),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """A message of the outbox, as it was when it was read.

    Attributes:
        id: Number of its row: ``outbox.deliver(id)``.
        key: Its key, by which it is handed over only once.
        instance: The instance that sends it.
        recipient: The number or JID as it was given; ``status@broadcast`` for a story.
        operation: Key of the operation, such as ``message.send_text``.
        state: Its state.
        priority: Chats whose message has a higher one come first.
        created_at: Time of its hand-over.
        not_before: Earliest time to send it; None for at once.
        expires_at: Time after which it is not sent any more; None for never.
        attempts: Calls that were made for it and may have reached the server.
        begun_at: Time of the latest call; None before the first one.
        sent_at: Time when it was known to be sent; None before.
        delivered_at: Time when an event told that it reached the recipient; None before.
        read_at: Time when an event told that it was read; None before.
        message_id: WhatsApp's id; None while it is not known.
        remote_jid: The chat as the server answered it; None while it is not known.
        error: The reason why it was not sent or was refused, or the latest trouble while it waits.
        reason: Words about its state, such as why it waits or why nothing is proven.
        found: True if its answer was lost and it was found by a look.
        metadata: The caller's own data.
    """

    id: int
    key: str
    instance: str
    recipient: str = field(repr=False)
    operation: str
    state: OutboxState
    priority: int = 0
    created_at: datetime | None = field(default=None, repr=False)
    not_before: datetime | None = field(default=None, repr=False)
    expires_at: datetime | None = field(default=None, repr=False)
    attempts: int = 0
    begun_at: datetime | None = field(default=None, repr=False)
    sent_at: datetime | None = None
    delivered_at: datetime | None = field(default=None, repr=False)
    read_at: datetime | None = field(default=None, repr=False)
    message_id: str | None = None
    remote_jid: str | None = field(default=None, repr=False)
    error: OutboxFailure | None = None
    reason: str = ""
    found: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data for JSON; without the message's content, which is not in it."""
        made: dict[str, Any] = {}
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, datetime):
                value = value.isoformat(timespec="milliseconds")
            elif isinstance(value, OutboxFailure):
                value = json.loads(value.dump())
            elif isinstance(value, OutboxState):
                value = value.value
            made[name] = value
        return made


COLUMNS = (
    "id, key, instance, recipient, operation, state, priority, created_at, not_before, expires_at, "
    "attempts, begun_at, sent_at, delivered_at, read_at, message_id, remote_jid, error, reason, "
    "found, metadata"
)
"""The columns that :func:`message_of` reads, in its order."""


def message_of(row: Row) -> OutboxMessage:
    """Build a message from a row with :data:`COLUMNS`.

    Args:
        row: The row.
    """
    times = [_time(row[place]) for place in (7, 8, 9, 11, 12, 13, 14)]
    return OutboxMessage(
        id=row[0],
        key=row[1],
        instance=row[2],
        recipient=row[3],
        operation=row[4],
        state=OutboxState(row[5]),
        priority=row[6],
        created_at=times[0],
        not_before=times[1],
        expires_at=times[2],
        attempts=row[10],
        begun_at=times[3],
        sent_at=times[4],
        delivered_at=times[5],
        read_at=times[6],
        message_id=row[15],
        remote_jid=row[16],
        error=OutboxFailure.load(row[17]),
        reason=row[18],
        found=bool(row[19]),
        metadata=json.loads(row[20]) if row[20] else {},
    )


def _time(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1_000, UTC)
