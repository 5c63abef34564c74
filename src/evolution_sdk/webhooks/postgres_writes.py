"""Statements that change a PostgreSQL inbox; each visits rows by an index, and few of them.

Locks are taken in one order, so that receivers wait for each other and never in a circle: keys,
lanes of chats, leases, events.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from evolution_sdk._sql.database import Session

from .inbox import Added, InboxEntry
from .inbox_rows import COLUMNS, to_blob, to_entry
from .postgres_lease import Lease

_LANES = 1_024
"""Locks for all chats together, so that the room for locks is bounded."""

_LARGEST_ID = 2**63 - 1

NOW = "extract(epoch FROM clock_timestamp())"

KNOWN_KEYS = f"SELECT key FROM evolution_inbox_key WHERE key = ANY(?) AND at > {NOW} - ?"  # noqa: S608 - our own words only
_ADD_KEYS = f"""
INSERT INTO evolution_inbox_key (key, at)
SELECT key, {NOW} FROM unnest(?::bytea[]) AS new (key) ORDER BY key
ON CONFLICT (key) DO UPDATE SET at = excluded.at, number = excluded.number
WHERE evolution_inbox_key.at <= excluded.at - ? RETURNING key
"""  # noqa: S608 - our own words only
_LOCK_LANES = """
SELECT pg_advisory_xact_lock('evolution_inbox_event'::regclass::oid::int, lane)
FROM unnest(?::int[]) AS lane
"""
LAST_OF_CHATS = """
SELECT wanted.chat, last.owner, last.handed FROM unnest(?::bytea[]) AS wanted (chat)
CROSS JOIN LATERAL (
    SELECT owner, handed FROM evolution_inbox_event
    WHERE chat = wanted.chat AND failed_at IS NULL ORDER BY id DESC LIMIT 1
) AS last
"""
_ADD_EVENTS = """
INSERT INTO evolution_inbox_event (chat, owner, handed, key, body, source, hint, received_at)
SELECT chat, owner, handed, key, body, source, hint, received_at
FROM unnest(
    ?::bytea[], ?::bigint[], ?::boolean[], ?::bytea[], ?::bytea[], ?::text[], ?::bytea[],
    ?::float8[]
) WITH ORDINALITY AS new (chat, owner, handed, key, body, source, hint, received_at, place)
ORDER BY place RETURNING key, id
"""
_DELETE = "DELETE FROM evolution_inbox_event WHERE id = ANY(?)"
_BURY = """
UPDATE evolution_inbox_event
SET finished = ?, attempts = ?, failed_at = ?, error = ?, error_text = ? WHERE id = ? AND owner = ?
"""
OLD_DEAD = """
SELECT id FROM evolution_inbox_event WHERE failed_at IS NOT NULL AND id <= ? AND id <= (
    SELECT id FROM evolution_inbox_event WHERE failed_at IS NOT NULL
    ORDER BY id DESC OFFSET ? LIMIT 1
) ORDER BY id LIMIT ? FOR UPDATE SKIP LOCKED
"""
OLDEST_KEYS = f"""
SELECT number FROM (SELECT number, at FROM evolution_inbox_key ORDER BY number LIMIT ?) AS oldest
WHERE at <= {NOW} - ? OR number <= (SELECT max(number) FROM evolution_inbox_key) - ?
"""  # noqa: S608 - our own words only
_DROP_KEYS = """
DELETE FROM evolution_inbox_key WHERE number IN (
    SELECT number FROM evolution_inbox_key WHERE number = ANY(?) ORDER BY number
    FOR UPDATE SKIP LOCKED
)
"""
_SOME_DEAD = """
SELECT id, chat FROM evolution_inbox_event WHERE failed_at IS NOT NULL AND (? OR id = ANY(?))
ORDER BY id FOR UPDATE SKIP LOCKED
"""
_REVIVE = f"""
UPDATE evolution_inbox_event AS event SET failed_at = NULL, owner = new.owner, handed = new.handed
FROM unnest(?::bigint[], ?::bigint[], ?::boolean[]) AS new (number, owner, handed)
WHERE event.id = new.number AND failed_at IS NOT NULL RETURNING {COLUMNS}
"""  # noqa: S608 - our own words only


class Place(NamedTuple):
    """Place of an event of a chat.

    Attributes:
        owner: Number of the receiver that handles the chat.
        handed: Whether this receiver may have it in memory at once.
    """

    owner: int
    handed: bool


def digest(text: str) -> bytes:
    """Return what stands for a key or a chat: of one size, and without anybody's number.

    Args:
        text: The key, which may be of any length.
    """
    return hashlib.blake2b(to_blob(text) or b"", digest_size=16).digest()


def lock_chats(session: Session, chats: Collection[bytes]) -> None:
    """Keep others from adding to some chats, and from taking them over, until the end.

    Args:
        session: A transaction.
        chats: The chats.
    """
    lanes = sorted({int.from_bytes(chat[:4], "big") % _LANES for chat in chats})
    session.run(_LOCK_LANES, (lanes,))


def places_of(
    session: Session, lease: Lease, chats: Collection[bytes], *, at_once: bool
) -> dict[bytes, Place]:
    """Say where events of some chats go, and keep it so until the end of the transaction.

    Args:
        session: A transaction.
        lease: This receiver's lease.
        chats: The chats.
        at_once: Whether this receiver may have events in memory before it adopts them.

    Returns:
        The place of each.

    Raises:
        LeaseLostError: This receiver owns nothing any more.
    """
    lock_chats(session, chats)
    last = {
        bytes(chat): Place(owner, handed)
        for chat, owner, handed in session.run(LAST_OF_CHATS, (sorted(chats),))
    }
    there = lease.keep(session, {one.owner for one in last.values()})
    mine = Place(lease.id, at_once)
    found: dict[bytes, Place] = {}
    for chat in chats:
        place = last.get(chat, mine)
        if place.owner not in there:
            place = mine  # it has just finished the last one, and gone
        # Behind one that waits to be adopted, so that it does not overtake it.
        handed = place.handed and at_once and place.owner == lease.id
        found[chat] = Place(place.owner, handed)
    return found


def add_events(
    session: Session, lease: Lease, entries: Sequence[InboxEntry], keep_s: float, *, at_once: bool
) -> list[Added]:
    """Keep events whose keys are new, and remember the keys.

    Args:
        session: A transaction.
        lease: This receiver's lease.
        entries: The events; those that are kept get their ids, and whether they are held.
        keep_s: A key of this age, in seconds, counts as new.
        at_once: Whether this receiver may have events in memory before it adopts them.

    Returns:
        The result of each.

    Raises:
        LeaseLostError: This receiver owns nothing any more.
    """
    keys = [digest(entry.key) for entry in entries]
    known = {bytes(key) for (key,) in session.run(KNOWN_KEYS, (list(set(keys)), keep_s))}
    unknown = sorted(set(keys) - known)
    # Another machine may add the same one at this moment; then this waits for its commit.
    fresh = {bytes(key) for (key,) in session.run(_ADD_KEYS, (unknown, keep_s))} if unknown else ()
    left = set(fresh)
    found: list[Added] = []
    new: list[InboxEntry] = []
    for key, entry in zip(keys, entries, strict=True):
        found.append("new" if key in left else "duplicate")
        if key in left:
            left.discard(key)  # two copies may be in one group
            new.append(entry)
    if new:
        _insert(session, lease, new, at_once=at_once)
    return found


def _insert(session: Session, lease: Lease, new: Sequence[InboxEntry], *, at_once: bool) -> None:
    # An event of no chat, as others may put into an inbox, waits for nobody.
    chats = [digest(entry.chat or f"#{entry.key}") for entry in new]
    places = places_of(session, lease, set(chats), at_once=at_once)
    keys = [to_blob(entry.key) or b"" for entry in new]
    made = session.run(
        _ADD_EVENTS,
        (
            chats,
            [places[chat].owner for chat in chats],
            [places[chat].handed for chat in chats],
            keys,
            [entry.body for entry in new],
            [entry.source for entry in new],
            [to_blob(entry.hint) for entry in new],
            [entry.received_at for entry in new],
        ),
    )
    numbers = {bytes(key): number for key, number in made}
    for key, chat, entry in zip(keys, chats, new, strict=True):
        entry.id = numbers[key]
        entry.held = places[chat].handed


def end_events(
    session: Session, owner: int, done: Sequence[InboxEntry], buried: Sequence[InboxEntry]
) -> None:
    """Delete events that were handled, and make others dead letters.

    Args:
        session: A transaction.
        owner: This receiver; what others have taken over is theirs to bury.
        done: Events that were handled, whoever owns them now.
        buried: Events that become dead letters.
    """
    if done:
        session.run(_DELETE, (sorted(one.id for one in done),))
    if buried:
        session.run_many(
            _BURY,
            [
                (
                    json.dumps(one.finished),
                    one.attempts,
                    one.failed_at,
                    to_blob(one.error),
                    to_blob(one.error_text),
                    one.id,
                    owner,
                )
                for one in sorted(buried, key=lambda one: one.id)
            ],
        )


def delete_dead(session: Session, ids: Sequence[int]) -> int:
    """Delete dead letters by their numbers.

    Args:
        session: A transaction.
        ids: The numbers.

    Returns:
        How many there were.
    """
    session.run(f"{_DELETE} AND failed_at IS NOT NULL", (list(ids),))
    return session.changed


def drop_dead(session: Session, keep: int, *, most: int, last: int = _LARGEST_ID) -> int:
    """Delete the oldest dead letters beyond a number.

    Args:
        session: A transaction.
        keep: How many to keep.
        most: Most to delete now.
        last: The last number that may be deleted.

    Returns:
        How many were deleted.
    """
    old = [number for (number,) in session.run(OLD_DEAD, (last, keep, most))]
    if old:
        session.run(_DELETE, (old,))
    return len(old)


def drop_keys(session: Session, keep_s: float, keep: int, *, most: int) -> None:
    """Forget the oldest keys: those beyond a number, and those that are too old.

    Args:
        session: A transaction.
        keep_s: Keys of this age, in seconds, are too old.
        keep: How many to keep at most.
        most: Most to forget now.
    """
    old = [number for (number,) in session.run(OLDEST_KEYS, (most, keep_s, keep))]
    if old:
        session.run(_DROP_KEYS, (old,))


def revive_events(
    session: Session, lease: Lease, ids: Iterable[int] | None, *, at_once: bool
) -> list[InboxEntry]:
    """Move dead letters back to the events that wait, to whoever handles their chats.

    Args:
        session: A transaction.
        lease: This receiver's lease.
        ids: Their numbers; None for all.
        at_once: Whether this receiver may have events in memory before it adopts them.

    Returns:
        The events.

    Raises:
        LeaseLostError: This receiver owns nothing any more.
    """
    some = session.run(_SOME_DEAD, (ids is None, [] if ids is None else list(dict.fromkeys(ids))))
    if not some:
        return []
    places = places_of(session, lease, {bytes(chat) for _, chat in some}, at_once=at_once)
    targets = {number: places[bytes(chat)] for number, chat in some}
    found = [
        to_entry(row)
        for row in session.run(
            _REVIVE,
            (
                list(targets),
                [place.owner for place in targets.values()],
                [place.handed for place in targets.values()],
            ),
        )
    ]
    for entry in found:
        entry.held = targets[entry.id].handed
    return sorted(found, key=lambda entry: entry.id)
