"""Questions to the outbox."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from evolution_sdk._sql.database import Session

from .claims import ALL
from .records import COLUMNS, OutboxMessage, message_of
from .store_clock import StoreNow

__all__ = [
    "ALWAYS",
    "DUE",
    "OptOut",
    "OutboxPause",
    "OutboxStats",
    "by_id",
    "by_ids",
    "by_key",
    "find",
    "opt_outs",
    "pauses",
    "stats",
]

DUE = "coalesce(not_before, created_at)"
"""The time when a message was due, in the words of the index."""

ALWAYS = "created_at > 0"
"""True of every row; by it the database knows the indexes that are meant for questions alone."""

_SELECT = f"SELECT {COLUMNS} FROM evolution_outbox"
_WAITING = ("queued", "sending")


@dataclass(frozen=True, slots=True)
class OutboxPause:
    """A pause of the outbox.

    Attributes:
        instance: The instance; None for the whole server.
        reason: Why, in a word or the name of an error.
        by_person: True if a person paused it, so that only :meth:`resume` ends it.
        left_ms: Time until it goes on by itself, in milliseconds; None if a person paused it.
        troubles: Failures in a row that brought it about.
    """

    instance: str | None
    reason: str
    by_person: bool
    left_ms: int | None
    troubles: int

    @property
    def cause(self) -> Literal["person", "limit", "trouble"]:
        """Its cause: a person, a limit of the client such as a daily cap, or trouble."""
        if self.by_person:
            return "person"
        return "trouble" if self.troubles else "limit"


@dataclass(frozen=True, slots=True)
class OptOut:
    """A recipient who asked not to be written to.

    Attributes:
        recipient: The chat's JID.
        instance: For which instance; None for all.
        since: The time of the opt-out.
        reason: Words about it.
    """

    recipient: str = field(repr=False)
    instance: str | None
    since: datetime
    reason: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OutboxStats:
    """Figures about the outbox at one moment.

    Attributes:
        counts: Number of messages by instance and state.
        oldest_ms: Age of the oldest message that waits and is due, by instance, in milliseconds.
        pauses: The pauses in force.
    """

    counts: Mapping[tuple[str, str], int]
    oldest_ms: Mapping[str, int]
    pauses: tuple[OutboxPause, ...]


def by_id(session: Session, number: int) -> OutboxMessage | None:
    """Return the message of a row; None if there is none."""
    rows = session.run(f"{_SELECT} WHERE id = ?", (number,))
    return message_of(rows[0]) if rows else None


def by_ids(session: Session, numbers: Sequence[int]) -> dict[int, OutboxMessage]:
    """Return the messages of some rows, by their numbers; those that are gone are missing."""
    if not numbers:
        return {}
    marks = ", ".join("?" * len(numbers))
    rows = session.run(f"{_SELECT} WHERE id IN ({marks})", numbers)
    return {message.id: message for message in map(message_of, rows)}


def by_key(session: Session, key: str) -> OutboxMessage | None:
    """Return the message of a key; None if there is none."""
    rows = session.run(f"{_SELECT} WHERE key = ?", (key,))
    return message_of(rows[0]) if rows else None


def find(
    session: Session,
    *,
    states: Collection[str] = (),
    chats: Collection[str] = (),
    instance: str | None = None,
    since_ms: int | None = None,
    after_id: int = 0,
    limit: int = 100,
) -> list[OutboxMessage]:
    """Return messages, the oldest first.

    Args:
        session: A connection.
        states: Only in these states; empty for all.
        chats: Only to these chats; empty for all.
        instance: Only of this instance.
        since_ms: Only handed over since then, in milliseconds since 1970.
        after_id: Only rows after this one.
        limit: Most messages.
    """
    where: list[str] = ["id > ?", ALWAYS]
    values: list[Any] = [after_id]
    for column, chosen in (("state", states), ("chat", chats)):
        if chosen:
            where.append(f"{column} IN ({', '.join('?' * len(chosen))})")
            values += chosen
    if instance is not None:
        where.append("instance = ?")
        values.append(instance)
    if since_ms is not None:
        where.append("created_at >= ?")
        values.append(since_ms)
    values.append(limit)
    rows = session.run(f"{_SELECT} WHERE {' AND '.join(where)} ORDER BY id LIMIT ?", values)
    return [message_of(row) for row in rows]


def stats(session: Session, now: StoreNow) -> OutboxStats:
    """Return figures about the outbox.

    Args:
        session: A connection.
        now: The present.
    """
    rows = session.run(
        "SELECT instance, state, count(*) FROM evolution_outbox "
        f"WHERE {ALWAYS} GROUP BY state, instance"
    )
    counts = {(instance, state): many for instance, state, many in rows}
    oldest: dict[str, int] = {}
    for instance in {name for (name, state) in counts if state in _WAITING}:
        for state in _WAITING:
            found = session.run(
                f"SELECT {DUE} FROM evolution_outbox WHERE {ALWAYS} AND state = ? "
                f"AND instance = ? ORDER BY {DUE} LIMIT 1",
                (state, instance),
            )
            for (due,) in found:
                # What is due later is not late.
                if due <= now.wall:
                    oldest[instance] = max(oldest.get(instance, 0), now.wall - due)
    return OutboxStats(counts, oldest, pauses(session, now))


def pauses(session: Session, now: StoreNow) -> tuple[OutboxPause, ...]:
    """Return the pauses in force."""
    rows = session.run(
        "SELECT instance, pause_reason, by_person, paused_until, troubles "
        "FROM evolution_outbox_instance WHERE paused_until > ? OR by_person = 1 ORDER BY instance",
        (now.steady,),
    )
    return tuple(
        OutboxPause(
            None if name == ALL else name,
            reason,
            bool(by_person),
            None if by_person else until - now.steady,
            troubles,
        )
        for name, reason, by_person, until, troubles in rows
    )


def opt_outs(session: Session, limit: int) -> list[OptOut]:
    """Return those who asked not to be written to, the earliest first."""
    rows = session.run(
        "SELECT chat, instance, since, reason FROM evolution_outbox_opt_out ORDER BY since LIMIT ?",
        (limit,),
    )
    return [
        OptOut(chat, instance or None, datetime.fromtimestamp(since / 1_000, UTC), reason)
        for chat, instance, since, reason in rows
    ]
