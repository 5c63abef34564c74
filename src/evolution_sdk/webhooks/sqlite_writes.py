"""Statements that change a SQLite inbox; each visits rows by an index, and few of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import TypeVar

from .inbox import Added, InboxEntry
from .inbox_rows import to_blob

_T = TypeVar("_T")

MOST_AT_ONCE = 64
"""Most rows of one statement: SQLite takes 999 values, and old rows go in steps of this size."""

# Triggers keep the counts, so that whoever writes the file counts: an older version of this
# package, too, and a person in a shell.
_TALLY = (
    """CREATE TABLE tally (
        one INTEGER PRIMARY KEY CHECK (one = 1), keys INTEGER NOT NULL, dead INTEGER NOT NULL
    )""",
    """INSERT INTO tally SELECT 1, (SELECT count(*) FROM seen),
        (SELECT count(*) FROM event WHERE failed_at IS NOT NULL)""",
    "CREATE TRIGGER seen_added AFTER INSERT ON seen BEGIN UPDATE tally SET keys = keys + 1; END",
    "CREATE TRIGGER seen_gone AFTER DELETE ON seen BEGIN UPDATE tally SET keys = keys - 1; END",
    """CREATE TRIGGER event_died AFTER UPDATE OF failed_at ON event
        WHEN (old.failed_at IS NULL) <> (new.failed_at IS NULL) BEGIN
        UPDATE tally SET dead = dead + (CASE WHEN new.failed_at IS NULL THEN -1 ELSE 1 END); END""",
    """CREATE TRIGGER event_gone AFTER DELETE ON event WHEN old.failed_at IS NOT NULL
        BEGIN UPDATE tally SET dead = dead - 1; END""",
)
LAST_DEAD = "SELECT max(id) FROM event WHERE failed_at IS NOT NULL"
OLDEST_KEYS = "SELECT key FROM seen ORDER BY at LIMIT ?"
EXPIRED_KEYS = "SELECT key FROM seen WHERE at <= ? ORDER BY at LIMIT ?"
OLDEST_DEAD = "SELECT id FROM event WHERE failed_at IS NOT NULL AND id <= ? ORDER BY id LIMIT ?"
_LARGEST_ID = 2**63 - 1


def begin_tally(db: sqlite3.Connection) -> None:
    """Count the rows of a file that has no counts yet, once; from then on they are kept.

    Args:
        db: The file.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'tally'").fetchone():
            for statement in _TALLY:
                db.execute(statement)
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def add_events(
    db: sqlite3.Connection, slot: int, entries: Sequence[InboxEntry], at: float, old: float
) -> list[Added]:
    """Keep events whose keys are new, and remember the keys.

    Args:
        db: The file, in a transaction.
        slot: The slot that they belong to.
        entries: The events; those that are kept get their ids.
        at: Time of the inbox, in seconds.
        old: A key of this time or earlier counts as new.

    Returns:
        The result of each.
    """
    keys = [to_blob(entry.key) or b"" for entry in entries]
    known: set[bytes] = set()
    for some in _padded(list(dict.fromkeys(keys))):
        query = f"SELECT key FROM seen WHERE key IN ({_marks(len(some))}) AND at > ?"  # noqa: S608 - only marks
        known.update(key for (key,) in db.execute(query, (*some, old)))
    found: list[Added] = []
    new: list[tuple[bytes, InboxEntry]] = []
    for key, entry in zip(keys, entries, strict=True):
        found.append("duplicate" if key in known else "new")
        if key not in known:
            known.add(key)  # two copies may be in one group
            new.append((key, entry))
    for fresh in _chunks(new):
        _insert(db, slot, fresh, at)
    return found


def _insert(
    db: sqlite3.Connection, slot: int, fresh: Sequence[tuple[bytes, InboxEntry]], at: float
) -> None:
    rows = ", ".join(["(?, ?)"] * len(fresh))
    db.execute(
        f"INSERT INTO seen VALUES {rows} ON CONFLICT (key) DO UPDATE SET at = excluded.at",  # noqa: S608 - only marks
        [value for key, _ in fresh for value in (key, at)],
    )
    rows = ", ".join(["(?, ?, ?, ?, ?, ?)"] * len(fresh))
    made = db.execute(
        f"INSERT INTO event (slot, key, body, source, hint, received_at) VALUES {rows}",  # noqa: S608 - only marks
        [
            value
            for key, one in fresh
            for value in (slot, key, one.body, one.source, to_blob(one.hint), one.received_at)
        ],
    )
    # AUTOINCREMENT numbers the rows of one statement in a row.
    last = made.lastrowid or 0
    for back, (_, entry) in enumerate(reversed(fresh)):
        entry.id = last - back


def delete_events(db: sqlite3.Connection, ids: Sequence[int], *, dead_only: bool = False) -> int:
    """Delete events by their numbers.

    Args:
        db: The file, in a transaction.
        ids: The numbers.
        dead_only: True to spare those that are no dead letters.

    Returns:
        How many there were.
    """
    count = 0
    also = " AND failed_at IS NOT NULL" if dead_only else ""
    for some in _padded(ids):
        statement = f"DELETE FROM event WHERE id IN ({_marks(len(some))}){also}"  # noqa: S608 - only marks
        count += db.execute(statement, some).rowcount
    return count


def bury_event(db: sqlite3.Connection, entry: InboxEntry) -> None:
    """Make an event a dead letter.

    Args:
        db: The file, in a transaction.
        entry: The event.
    """
    db.execute(
        "UPDATE event SET finished = ?, attempts = ?, failed_at = ?, error = ?, error_text = ? "
        "WHERE id = ?",
        (
            json.dumps(entry.finished),
            entry.attempts,
            entry.failed_at,
            entry.error.encode("utf-8", "replace").decode(),  # a class may have any name
            to_blob(entry.error_text),
            entry.id,
        ),
    )


def drop_dead(db: sqlite3.Connection, keep: int, *, most: int, last: int = _LARGEST_ID) -> int:
    """Delete the oldest dead letters beyond a number.

    Args:
        db: The file, in a transaction.
        keep: How many to keep.
        most: Most to delete now.
        last: The last number that may be deleted.

    Returns:
        How many were deleted.
    """
    (dead,) = db.execute("SELECT dead FROM tally").fetchone()
    if dead <= keep:
        return 0
    many = min(dead - keep, most)
    return db.execute(f"DELETE FROM event WHERE id IN ({OLDEST_DEAD})", (last, many)).rowcount  # noqa: S608 - our own words only


def drop_keys(db: sqlite3.Connection, old: float, keep: int, *, most: int) -> int:
    """Forget the oldest keys: those beyond a number, else those that are too old.

    Args:
        db: The file, in a transaction.
        old: Keys of this time or earlier are too old.
        keep: How many to keep at most.
        most: Most to forget now.

    Returns:
        How many were forgotten.
    """
    (keys,) = db.execute("SELECT keys FROM tally").fetchone()
    if keys > keep:
        chosen, values = OLDEST_KEYS, (min(keys - keep, most),)
    else:
        chosen, values = EXPIRED_KEYS, (old, most)  # type: ignore[assignment]
    return db.execute(f"DELETE FROM seen WHERE key IN ({chosen})", values).rowcount  # noqa: S608 - our own words only


def _chunks(rows: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """Cut rows into powers of two, so that few texts of statements serve groups of any size."""
    place, size = 0, MOST_AT_ONCE
    while place < len(rows):
        while size > len(rows) - place:
            size //= 2
        yield rows[place : place + size]
        place += size


def _padded(values: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """Cut values for ``IN (…)`` in few pieces: a value that fills a piece up counts once."""
    for place in range(0, len(values), MOST_AT_ONCE):
        some = list(values[place : place + MOST_AT_ONCE])
        size = 1 << (len(some) - 1).bit_length()
        yield some + some[-1:] * (size - len(some))


def _marks(count: int) -> str:
    return ", ".join("?" * count)
