"""Events of a PostgreSQL inbox that change hands: accepted for another receiver, or left behind."""

from __future__ import annotations

from collections.abc import Collection

from evolution_sdk._sql.database import Database, Session

from .inbox import InboxEntry
from .inbox_rows import COLUMNS, to_entry
from .postgres_lease import Lease
from .postgres_writes import lock_chats

_MOST_CHATS = 256
"""Most chats that are taken over in one transaction, so that others wait shortly."""

# As pairs, so that no plan walks over the events of others in search of the first ones.
_OWNED = "(owner, id) > (?, 0) AND (owner, id) < (? + 1, 0) AND failed_at IS NULL"
WAITING = f"""
SELECT id, octet_length(body) FROM evolution_inbox_event
WHERE {_OWNED} AND NOT handed ORDER BY owner, id LIMIT ?
"""  # noqa: S608 - our own words only
_HAND_OUT = f"""
UPDATE evolution_inbox_event SET handed = TRUE
WHERE id = ANY(?) AND owner = ? AND NOT handed AND failed_at IS NULL RETURNING {COLUMNS}, again
"""  # noqa: S608 - our own words only
_SWEEP = """
UPDATE evolution_inbox_event SET handed = FALSE
WHERE owner = ? AND handed AND failed_at IS NULL AND NOT (id = ANY(?))
"""
# After a start of the database all leases are over, and all receivers are about to come back.
_SILENT = """
SELECT id FROM evolution_inbox_receiver WHERE id <> ? AND (free OR (
    ? AND until <= clock_timestamp()
    AND pg_postmaster_start_time() <= clock_timestamp() - make_interval(secs => ?)
)) ORDER BY free DESC, until LIMIT 8
"""
LEFT_BEHIND = f"""
SELECT DISTINCT chat FROM (
    SELECT chat FROM evolution_inbox_event WHERE {_OWNED} ORDER BY owner, id LIMIT ?
) AS first_ones
"""  # noqa: S608 - our own words only
_HOLD = """
SELECT 1 FROM evolution_inbox_receiver WHERE id = ? AND (free OR until <= clock_timestamp())
FOR UPDATE SKIP LOCKED
"""
_TAKE = """
UPDATE evolution_inbox_event SET owner = ?, again = again OR handed, handed = FALSE
WHERE chat = ANY(?) AND owner = ? AND failed_at IS NULL
"""
_FREE = "UPDATE evolution_inbox_receiver SET free = TRUE WHERE id = ? AND NOT free"
_FORGET = """
DELETE FROM evolution_inbox_receiver WHERE id = ? AND NOT EXISTS (
    SELECT FROM evolution_inbox_event WHERE owner = ? AND failed_at IS NULL
)
"""


def hand_out(
    session: Session, lease: Lease, room: int, room_bytes: int, *, any_size: bool
) -> list[InboxEntry]:
    """Fetch events that wait for this receiver.

    Args:
        session: A transaction.
        lease: This receiver's lease.
        room: Most events.
        room_bytes: Most bytes of their bodies.
        any_size: Whether the first may be larger than that.

    Returns:
        The events, in order.

    Raises:
        LeaseLostError: This receiver owns nothing any more.
    """
    chosen: list[int] = []
    for number, size in session.run(WAITING, (lease.id, lease.id, room)):
        if size > room_bytes and not (any_size and not chosen):
            break
        room_bytes -= size
        chosen.append(number)
    if not chosen:
        return []
    lease.keep(session, set())
    found: list[InboxEntry] = []
    for *row, again in session.run(_HAND_OUT, (chosen, lease.id)):
        entry = to_entry(tuple(row))
        entry.recovered = again
        found.append(entry)
    return sorted(found, key=lambda entry: entry.id)


def sweep(session: Session, owner: int, held: Collection[int]) -> int:
    """Have events handed out again that this receiver does not know of.

    A connection that broke during a commit leaves it open whether the commit was done.

    Args:
        session: A transaction.
        owner: This receiver.
        held: Numbers of the events that it knows of.

    Returns:
        How many there were.
    """
    session.run(_SWEEP, (owner, list(held)))
    return session.changed


def take_over(database: Database, lease: Lease, lease_s: float) -> int:
    """Take over events of receivers that have ended or fallen silent, whole chats at a time.

    Args:
        database: The database.
        lease: This receiver's lease.
        lease_s: Time of a lease, in seconds.

    Returns:
        How many chats were taken.

    Raises:
        LeaseLostError: This receiver owns nothing any more.
        DatabaseError: The database cannot be used now.
    """
    with database.reading() as session:
        silent = session.run(_SILENT, (lease.id, lease.settled, lease_s))
    taken = 0
    for (number,) in silent:
        with database.writing() as session:
            taken += _take(session, lease, number)
        if taken >= _MOST_CHATS:
            break
    return taken


def _take(session: Session, lease: Lease, silent: int) -> int:
    chats = [bytes(chat) for (chat,) in session.run(LEFT_BEHIND, (silent, silent, _MOST_CHATS))]
    lock_chats(session, chats)
    lease.keep(session, set())
    if not session.run(_HOLD, (silent,)):
        return 0  # somebody else is at it, or it has come back
    # From here on it cannot come back under its number, not even with what is left.
    session.run(_FREE, (silent,))
    if chats:
        session.run(_TAKE, (lease.id, chats, silent))
    else:
        session.run(_FORGET, (silent, silent))
    return len(chats)
