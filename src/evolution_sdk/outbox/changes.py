"""Changes that a person makes in the outbox: pauses, opt-outs, and fates of messages."""

from __future__ import annotations

from collections.abc import Collection

from evolution_sdk._sql.database import Session

from .claims import ALL
from .questions import ALWAYS, DUE
from .records import OutboxState
from .store_clock import StoreNow

__all__ = [
    "RETRIABLE",
    "add_opt_out",
    "cancel",
    "drop_opt_out",
    "end_pause",
    "ended_kinds",
    "purge",
    "purge_files",
    "requeue",
    "resolve_sent",
    "set_pause",
]

RETRIABLE = ("failed", "expired", "cancelled", "refused")
"""States in which a message surely is not on its way, and may be queued anew."""
_ENDED = tuple(one.value for one in OutboxState if one.is_over and one is not OutboxState.UNKNOWN)
_PURGE = 500
# The transaction of a program that names a file anew is not seen yet; it lasts no longer than this.
_FILE_KEPT_MS = 3_600_000


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


def cancel(session: Session, _now: StoreNow, *, key: str, reason: str) -> bool:
    """Take a message back that was not begun; tells if it was."""
    session.run(
        "UPDATE evolution_outbox SET state = 'cancelled', lined_up = 1, reason = ? "
        "WHERE key = ? AND state = 'queued'",
        (reason, key),
    )
    return session.changed > 0


def requeue(
    session: Session,
    _now: StoreNow,
    *,
    key: str,
    states: Collection[str],
    reason: str,
    same_id: bool,
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
        "server_at = NULL, delivered_at = NULL, read_at = NULL, "
        f"given_id = {'given_id' if same_id else 'NULL'}, "
        f"found = 0, expires_at = NULL, reason = ? WHERE key = ? AND state IN ({marks})",
        (reason, key, *states),
    )
    return session.changed > 0


def resolve_sent(session: Session, now: StoreNow, *, key: str) -> bool:
    """Note that a person knows a message to be sent; tells if that was open."""
    session.run(
        "UPDATE evolution_outbox SET state = 'sent', sent_at = ?, reason = 'told by a person' "
        "WHERE key = ? AND state = 'unknown'",
        (now.wall, key),
    )
    return session.changed > 0


def ended_kinds(session: Session) -> list[tuple[str, str]]:
    """Return the instances and states in which there are messages that are over.

    Args:
        session: A connection.
    """
    marks = ", ".join("?" * len(_ENDED))
    rows = session.run(
        f"SELECT DISTINCT instance, state FROM evolution_outbox WHERE {ALWAYS} "
        f"AND state IN ({marks})",
        _ENDED,
    )
    return [(instance, state) for instance, state in rows]


def purge(session: Session, instance: str, state: str, before_ms: int) -> int:
    """Delete some old messages of one instance and state.

    Args:
        session: A transaction.
        instance: The instance.
        state: The state, one in which messages are over.
        before_ms: Only those that were due before this, in milliseconds since 1970.

    Returns:
        How many were deleted; fewer than there are, so that nobody waits for long.
    """
    session.run(
        "DELETE FROM evolution_outbox WHERE id IN (SELECT id FROM evolution_outbox "
        f"WHERE {ALWAYS} AND state = ? AND instance = ? AND {DUE} < ? ORDER BY {DUE} LIMIT ?)",
        (state, instance, before_ms, _PURGE),
    )
    return session.changed


def purge_files(session: Session, now: StoreNow) -> int:
    """Delete some files that no row names any more.

    Args:
        session: A transaction.
        now: The present.

    Returns:
        How many were deleted.
    """
    before = now.wall - _FILE_KEPT_MS
    # The age is asked twice: another transaction may name the file anew while this one waits.
    session.run(
        "DELETE FROM evolution_outbox_file WHERE created_at < ? AND hash IN (SELECT f.hash "
        "FROM evolution_outbox_file AS f WHERE f.created_at < ? AND NOT EXISTS "
        "(SELECT 1 FROM evolution_outbox AS m WHERE m.file = f.hash) LIMIT ?)",
        (before, before, _PURGE),
    )
    return session.changed


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
