"""Questions to the outbox, and what a person may change in it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from evolution_sdk._sql.database import Row, Session

from .claims import ALL
from .records import COLUMNS, OutboxMessage, OutboxState, message_of
from .store_clock import StoreNow

__all__ = [
    "OptOut",
    "OutboxPause",
    "OutboxStats",
    "Told",
    "by_id",
    "by_key",
    "find",
    "take_told",
]

_SELECT = f"SELECT {COLUMNS} FROM evolution_outbox"
_ENDED = tuple(one.value for one in OutboxState if one.is_over and one is not OutboxState.UNKNOWN)
_PURGE = 500
# Rows that were handed over with no hurry are counted by an index; those that wait are few kinds.
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
    where: list[str] = ["id > ?"]
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
        "SELECT instance, state, count(*) FROM evolution_outbox GROUP BY state, instance"
    )
    counts = {(instance, state): many for instance, state, many in rows}
    oldest: dict[str, int] = {}
    for instance in {name for (name, state) in counts if state in _WAITING}:
        for state in _WAITING:
            # What is due later is not late.
            found = session.run(
                "SELECT created_at, coalesce(not_before, created_at) FROM evolution_outbox "
                "WHERE state = ? AND instance = ? AND (not_before IS NULL OR not_before <= ?) "
                "ORDER BY created_at LIMIT 1",
                (state, instance, now.wall),
            )
            for _, due in found:
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


def set_pause(session: Session, instance: str | None, reason: str, now: StoreNow) -> None:
    """Pause an instance, or all of them, until a person resumes it."""
    session.run(
        "INSERT INTO evolution_outbox_instance (instance, paused_until, pause_reason, by_person) "
        "VALUES (?, ?, ?, 1) ON CONFLICT (instance) DO UPDATE SET "
        "paused_until = excluded.paused_until, pause_reason = excluded.pause_reason, by_person = 1",
        (instance or ALL, now.steady, reason),
    )


def end_pause(session: Session, instance: str | None) -> bool:
    """End a pause, whoever began it; tells if there was one."""
    session.run(
        "UPDATE evolution_outbox_instance SET paused_until = NULL, pause_reason = '', "
        "by_person = 0, troubles = 0 WHERE instance = ? AND paused_until IS NOT NULL",
        (instance or ALL,),
    )
    return session.changed > 0


def cancel(session: Session, key: str, reason: str) -> bool:
    """Take a message back that was not begun; tells if it was."""
    session.run(
        "UPDATE evolution_outbox SET state = 'cancelled', lined_up = 1, reason = ? "
        "WHERE key = ? AND state = 'queued'",
        (reason, key),
    )
    return session.changed > 0


def requeue(
    session: Session, key: str, states: Collection[str], reason: str, *, same_id: bool
) -> bool:
    """Queue a message anew that has ended in one of some states; tells if it had.

    Args:
        session: A transaction.
        key: Its key.
        states: The states.
        reason: Words about it.
        same_id: True to give the message the same id again: should both go out, phones may see one.
    """
    marks = ", ".join("?" * len(states))
    session.run(
        "UPDATE evolution_outbox SET state = 'queued', lined_up = 0, due_at = 0, failures = 0, "
        "looks = 0, worker = NULL, lost_steady = NULL, error = NULL, message_id = NULL, "
        "remote_jid = NULL, server_time = NULL, answered_steady = NULL, sent_at = NULL, "
        f"given_id = {'given_id' if same_id else 'NULL'}, "
        f"found = 0, expires_at = NULL, reason = ? WHERE key = ? AND state IN ({marks})",
        (reason, key, *states),
    )
    return session.changed > 0


def resolve_sent(session: Session, key: str, now: StoreNow) -> bool:
    """Note that a person knows a message to be sent; tells if that was open."""
    session.run(
        "UPDATE evolution_outbox SET state = 'sent', sent_at = ?, reason = 'told by a person' "
        "WHERE key = ? AND state = 'unknown'",
        (now.wall, key),
    )
    return session.changed > 0


def purge(session: Session, before_ms: int, states: Sequence[str] = _ENDED) -> int:
    """Delete some messages that ended and are old, and files that no row names any more.

    Args:
        session: A transaction.
        before_ms: Only those handed over before this, in milliseconds since 1970.
        states: Only those in these states.

    Returns:
        How many messages were deleted; fewer than there are, so that nobody waits for long.
    """
    marks = ", ".join("?" * len(states))
    session.run(
        "DELETE FROM evolution_outbox WHERE id IN (SELECT id FROM evolution_outbox "
        f"WHERE state IN ({marks}) AND created_at < ? LIMIT ?)",
        (*states, before_ms, _PURGE),
    )
    gone = session.changed
    # A file may belong to a message that is just being handed over: only old ones go.
    session.run(
        "DELETE FROM evolution_outbox_file WHERE hash IN (SELECT f.hash "
        "FROM evolution_outbox_file AS f WHERE f.created_at < ? AND NOT EXISTS "
        "(SELECT 1 FROM evolution_outbox AS m WHERE m.file = f.hash) LIMIT ?)",
        (before_ms, _PURGE),
    )
    return gone


def add_opt_out(
    session: Session, instance: str | None, chat: str, reason: str, now: StoreNow
) -> None:
    """Note that a recipient asked not to be written to."""
    session.run(
        "INSERT INTO evolution_outbox_opt_out (instance, chat, since, reason) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (instance, chat) DO NOTHING",
        (instance or "", chat, now.wall, reason),
    )


def drop_opt_out(session: Session, instance: str | None, chats: Collection[str]) -> bool:
    """Note that a recipient may be written to again; tells if there was an opt-out."""
    marks = ", ".join("?" * len(chats))
    session.run(
        f"DELETE FROM evolution_outbox_opt_out WHERE instance = ? AND chat IN ({marks})",
        (instance or "", *chats),
    )
    return session.changed > 0


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


# Also one that was thought absent, and waits to be sent again.
_OPEN = ("queued", "sending", "unknown")
_RANKS = {"sent": 0, "server": 1, "delivered": 2, "read": 3}


@dataclass(frozen=True, slots=True)
class Told:
    """What an event told about a message of ours.

    Attributes:
        instance: The instance.
        message_id: WhatsApp's id.
        fits: Tells from the names of a row's chat if the event is about that chat: an id counts
            for its own chat alone, for others may use it elsewhere.
        state: How far it came: ``sent``, ``server``, ``delivered``, ``read`` or ``refused``.
        at_ms: When, in milliseconds since 1970.
        error: The refusal, as JSON.
    """

    instance: str
    message_id: str
    fits: Callable[[Sequence[str | None]], bool] = field(repr=False)
    state: Literal["sent", "server", "delivered", "read", "refused"]
    at_ms: int
    error: str | None = None


def take_told(session: Session, told: Told) -> tuple[bool, OutboxMessage | None]:
    """Move the row that an event tells of; a state only ever goes forward.

    Args:
        session: A transaction.
        told: What was told.

    Returns:
        Whether it is about a row, and the message if its state has changed.
    """
    rows: list[Row] = session.run(
        "SELECT id, chat, remote_jid, state FROM evolution_outbox "
        "WHERE instance = ? AND message_id = ?",
        (told.instance, told.message_id),
    ) or session.run(
        "SELECT id, chat, remote_jid, state FROM evolution_outbox "
        "WHERE instance = ? AND given_id = ? AND message_id IS NULL",
        (told.instance, told.message_id),
    )
    rows = [row for row in rows if told.fits(row[1:3])]
    for number, _, _, state in rows:
        if _moved(session, number, state, told):
            return True, by_id(session, number)
    return bool(rows), None


def _moved(session: Session, number: int, state: str, told: Told) -> bool:
    if told.state == "refused":
        if state in ("delivered", "read", "refused"):
            return False
        change, values = "state = 'refused', error = ?", [told.error]
    else:
        # One that may have been sent surely was; one that is over otherwise stays as it is.
        rank = _RANKS.get(state, -1 if state in _OPEN else 9)
        if _RANKS[told.state] <= rank:
            return False
        change, values = "state = ?", [told.state]
        for name in ("server", "delivered", "read"):
            if _RANKS[name] <= _RANKS[told.state]:
                change += f", {name}_at = coalesce({name}_at, ?)"
                values.append(told.at_ms)  # type: ignore[arg-type]
    values_all: list[Any] = [*values, told.message_id, told.at_ms, number, state]
    session.run(
        f"UPDATE evolution_outbox SET {change}, message_id = coalesce(message_id, ?), "
        "sent_at = coalesce(sent_at, ?) WHERE id = ? AND state = ?",
        values_all,
    )
    return session.changed > 0
