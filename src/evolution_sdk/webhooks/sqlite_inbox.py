"""An inbox in a SQLite file: accepted events survive a crash of the process."""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from evolution_sdk._base.forking import CARRIED_OVER, abandon, in_child
from evolution_sdk._base.serial_worker import BUSY_TIMEOUT_MS
from evolution_sdk._common.arguments import checked
from evolution_sdk._sql.private_connect import connect_private
from evolution_sdk._sql.write_ahead import use_write_ahead_log
from evolution_sdk.errors import ConfigurationError

from .completion_journal import CompletionJournal
from .inbox import Added, InboxBatch, InboxEntry
from .inbox_clock import ClockReading, advance_clock, worth_writing
from .inbox_rows import COLUMNS, to_entry
from .sqlite_rows import Transaction
from .sqlite_writes import (
    LAST_DEAD,
    MOST_AT_ONCE,
    add_events,
    begin_tally,
    bury_event,
    delete_events,
    drop_dead,
    drop_keys,
)

_MOST_SLOTS = 256
# AUTOINCREMENT: a number is never used twice, since journals name events by their numbers.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    slot INTEGER NOT NULL,
    key BLOB NOT NULL,
    body BLOB NOT NULL,
    source TEXT NOT NULL,
    hint BLOB,
    received_at REAL NOT NULL,
    finished TEXT NOT NULL DEFAULT '{}',
    attempts INTEGER NOT NULL DEFAULT 0,
    failed_at REAL,
    error TEXT NOT NULL DEFAULT '',
    error_text BLOB NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS event_dead ON event (id) WHERE failed_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS seen (key BLOB PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seen_by_age ON seen (at);
CREATE TABLE IF NOT EXISTS reading (
    one INTEGER PRIMARY KEY CHECK (one = 1), mark BLOB NOT NULL,
    at REAL NOT NULL, steady REAL NOT NULL, wall REAL NOT NULL
);
"""
_OPEN_TIMEOUT_MS = 10_000
_BUSY_STEP_MS = 2.0
# Old keys do no harm, they only take room: it is enough to look now and then.
_PRUNE_EVERY = 32


@checked(but=("add", "bury", "done", "write_batch"))  # asked for every event
class SqliteInbox:
    """Keeps accepted events in a file; several processes may share it.

    Each process has a slot. A lock holds it, and the operating system frees the lock when the
    process ends, however it ends. A process that opens the inbox takes over the events of the slots
    that nobody holds.

    Args:
        path: The file; made when it does not exist. Beside it stand its WAL and, for each process,
            a small lock file and a journal of 64 KiB for the time in which the file cannot be
            written.
        synchronous: ``normal`` survives a crash of the process; ``full`` also a crash of the
            machine, at the price of one flush to the disk per commit.
        dedupe_ms: Time for which a key is remembered, in milliseconds. Default: a day.
        max_keys: Most keys remembered; the oldest go first.
        max_dead: Most dead letters kept; the oldest go first.
        busy_timeout_ms: Longest wait for a lock of another process (a backup, a shell), in
            milliseconds, before an event is answered with 503.
        clock: Seconds that only go forward, for the age of keys.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        synchronous: Literal["normal", "full"] = "normal",
        dedupe_ms: float = 86_400_000,
        max_keys: int = 1_000_000,
        max_dead: int = 10_000,
        busy_timeout_ms: float = BUSY_TIMEOUT_MS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if synchronous not in ("normal", "full"):
            raise ConfigurationError(
                f"synchronous must be normal or full, not {synchronous!r}.", variable="synchronous"
            )
        self.blocks: bool = True
        self._path = Path(path)
        self._synchronous = synchronous
        self._keep_s = dedupe_ms / 1_000
        self._max_keys = max_keys
        self._max_dead = max_dead
        self._db: sqlite3.Connection | None = None
        self._lock: sqlite3.Connection | None = None
        self._slot = 0
        self._unpruned = 0
        self._busy_timeout_ms = busy_timeout_ms
        self._tries = 1
        self._clock = clock
        self._journal = CompletionJournal(Path())
        self._carried_over = False
        in_child(self._begin_anew)

    def rest(self) -> None:
        """Close the file before a fork, but keep the slot: the next use opens it again."""
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None

    def _begin_anew(self) -> None:
        """Begin without a slot: the parent's slot and the events in it stay the parent's."""
        self._carried_over = self._carried_over or self._db is not None
        abandon(self._db, self._lock)
        self._db = self._lock = None
        self._journal = CompletionJournal(Path())

    def open(self) -> list[InboxEntry]:
        """Open the file, take a slot, and take over the events that nobody holds.

        Raises:
            ConfigurationError: The file cannot be used.
        """
        try:
            # SQLite forbids using a connection in a child of the process that opened it.
            if self._carried_over:
                raise OSError(CARRIED_OVER)
            db = self._open_file()
            db.executescript(_SCHEMA)
            begin_tally(db)
            db.execute(
                "INSERT OR IGNORE INTO reading SELECT 1, randomblob(16), "
                "coalesce((SELECT max(at) FROM seen), 0), ?, ?",
                (self._clock(), 0.0),
            )
            self._take_slot()
            self._adopt()
            # From here on waits are short: opening may wait for others, an event may not.
            self._wait_shortly(db)
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise ConfigurationError(
                f"The inbox {self._path} cannot be used: {error}", variable="inbox"
            ) from error
        found = self._select("slot = ? AND failed_at IS NULL ORDER BY id", (self._slot,))
        for entry in found:
            entry.recovered = True
        return found

    def add(self, entry: InboxEntry, now: float) -> Added:
        """Keep an event, unless its key was seen before; both in one transaction."""
        return self.write_batch(InboxBatch(added=(entry,)), now)[0]

    def done(self, entry: InboxEntry) -> None:
        """Delete an event that was handled; its key stays known.

        Raises:
            sqlite3.Error: The file could not be written. The journal then holds the end, so that
                the event is not handled again after a restart.
        """
        self.write_batch(InboxBatch(done=(entry,)), 0.0)

    def bury(self, entry: InboxEntry) -> None:
        """Make an event a dead letter.

        Raises:
            sqlite3.Error: The file could not be written; the journal holds it as by :meth:`done`.
        """
        self.write_batch(InboxBatch(buried=(entry,)), 0.0)

    def write_batch(self, batch: InboxBatch, now: float) -> list[Added]:
        """Make several changes in one transaction, with a number of statements that hardly grows.

        Args:
            batch: The changes.
            now: Seconds since 1970; for additions.

        Returns:
            The result of each addition.

        Raises:
            sqlite3.Error: Nothing was changed; the journal holds the ends as by :meth:`done`.
        """
        found: list[Added] = []
        ends = [one.id for one in batch.done] + [-one.id for one in batch.buried]
        with self._journaled(ends), self._begun() as db:
            if batch.added:
                at = self._time(db, now)
                found = add_events(db, self._slot, batch.added, at, at - self._keep_s)
                self._unpruned += found.count("new")
                # A few rows each time, so that nobody ever waits for many.
                if self._unpruned >= _PRUNE_EVERY:
                    most = self._unpruned + _PRUNE_EVERY
                    drop_keys(db, at - self._keep_s, self._max_keys, most=most)
                    self._unpruned = 0
            delete_events(db, [one.id for one in batch.done])
            for entry in batch.buried:
                bury_event(db, entry)
            if batch.buried:
                # The newest are kept: an old dead letter is the least likely to be replayed.
                drop_dead(db, self._max_dead, most=2 * len(batch.buried) + MOST_AT_ONCE)
        return found

    def dead(self, limit: int) -> list[InboxEntry]:
        """Return the dead letters of all processes, the oldest first."""
        return self._select("failed_at IS NOT NULL ORDER BY id LIMIT ?", (limit,))

    def revive(self, ids: Iterable[int] | None) -> list[InboxEntry]:
        """Move dead letters back to the events that wait, for this process."""
        found: list[InboxEntry] = []
        with self._begun() as db:
            for entry in self._chosen(ids):
                # The slot says whose it is: another process may have made it a dead letter.
                db.execute(
                    "UPDATE event SET failed_at = NULL, slot = ? WHERE id = ?",
                    (self._slot, entry.id),
                )
                found.append(entry)
        return found

    def discard(self, ids: Iterable[int] | None) -> int:
        """Delete dead letters; some at a time, so that other processes need not wait for many."""
        last: int | None = None
        wanted = None if ids is None else list(dict.fromkeys(ids))
        if wanted is None:
            (last,) = self._opened().execute(LAST_DEAD).fetchone()
            if last is None:
                return 0
        count = 0
        while wanted or last is not None:
            with self._begun() as db:
                if last is not None:
                    gone = drop_dead(db, 0, most=MOST_AT_ONCE, last=last)
                    last = last if gone else None
                else:
                    some, wanted = (wanted or [])[:MOST_AT_ONCE], (wanted or [])[MOST_AT_ONCE:]
                    gone = delete_events(db, some, dead_only=True)
            count += gone
        return count

    def count_dead(self) -> int:
        """Return the number of dead letters."""
        count: int = self._opened().execute("SELECT dead FROM tally").fetchone()[0]
        return count

    def close(self) -> None:
        """Close the file and give the slot back; waiting events stay for the next process."""
        # The file before the slot: nobody may take over events while this one is still open.
        for connection in (self._db, self._lock):
            if connection is not None:
                connection.close()
        self._db = self._lock = None

    def _connect(self, path: Path) -> sqlite3.Connection:
        # Transactions are begun by hand; the receiver's lock keeps threads apart.
        return connect_private(
            path,
            isolation_level=None,
            check_same_thread=False,
            timeout=_OPEN_TIMEOUT_MS / 1_000,
        )

    def _open_file(self) -> sqlite3.Connection:
        self._db = db = self._connect(self._path)
        # With a WAL, whoever reads (a shell, a backup) does not stop the writer.
        use_write_ahead_log(db, _OPEN_TIMEOUT_MS)
        db.execute(f"PRAGMA synchronous = {self._synchronous.upper()}")
        return db

    def _wait_shortly(self, db: sqlite3.Connection) -> None:
        # SQLite's own wait grows to 100 ms, in which a busy neighbour begins many times anew.
        # Short ones in a row give every process its turn.
        step_ms = min(self._busy_timeout_ms, _BUSY_STEP_MS)
        db.execute(f"PRAGMA busy_timeout = {round(step_ms)}")
        self._tries = max(1, math.ceil(self._busy_timeout_ms / _BUSY_STEP_MS))

    def _opened(self) -> sqlite3.Connection:
        if self._db is None and self._lock is not None:  # it was at rest
            db = self._open_file()
            self._wait_shortly(db)
            return db
        if self._db is None:
            raise ConfigurationError("The inbox is not open.", variable="inbox")
        return self._db

    def _begun(self) -> Transaction:
        return Transaction(self._opened(), self._tries)

    @contextmanager
    def _journaled(self, numbers: list[int]) -> Generator[None]:
        """Write the ends of events to the journal when the file cannot take them."""
        try:
            yield
        except sqlite3.Error:
            # At most one entry for each event, however often it is tried.
            for number in numbers:
                if abs(number) not in self._journal:
                    self._journal.add(number)
            raise
        for number in numbers:
            self._journal.forget(abs(number))

    def _select(self, where: str, values: tuple[Any, ...]) -> list[InboxEntry]:
        query = f"SELECT {COLUMNS} FROM event WHERE {where}"  # noqa: S608 - our own words only
        return [to_entry(row) for row in self._opened().execute(query, values)]

    def _chosen(self, ids: Iterable[int] | None) -> list[InboxEntry]:
        if ids is None:
            return self._select("failed_at IS NOT NULL ORDER BY id", ())
        found: list[InboxEntry] = []
        for one in dict.fromkeys(ids):
            found += self._select("failed_at IS NOT NULL AND id = ?", (one,))
        return found

    def _time(self, db: sqlite3.Connection, wall: float) -> float:
        """Read the clock of the inbox, which all its processes share, and store the reading."""
        last = ClockReading(*db.execute("SELECT at, steady, wall FROM reading").fetchone())
        now = advance_clock(last, self._clock(), wall)
        if worth_writing(last, now):
            db.execute("UPDATE reading SET at = ?, steady = ?, wall = ?", now)
        return now.at

    def _hold(self, slot: int) -> sqlite3.Connection | None:
        """Lock a slot for the life of the process; None when another process has it."""
        lock = connect_private(
            f"{self._path}.slot{slot}", isolation_level=None, check_same_thread=False, timeout=0
        )
        # A transaction that is never ended: the system frees its lock when the process dies.
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            lock.close()
            return None
        return lock

    def _take_slot(self) -> None:
        for slot in range(_MOST_SLOTS):
            lock = self._hold(slot)
            if lock is not None:
                self._lock, self._slot = lock, slot
                # The last holder of the slot may have died with ends that the file does not know.
                self._journal = self._apply_journal(slot)
                self._journal.prepare()
                return
        raise ConfigurationError(
            f"More than {_MOST_SLOTS} processes share this inbox.", variable="inbox"
        )

    def _adopt(self) -> None:
        db = self._opened()
        rows = db.execute("SELECT DISTINCT slot FROM event WHERE failed_at IS NULL").fetchall()
        for (slot,) in rows:
            if slot == self._slot:
                continue
            # A slot whose lock is free belonged to a process that has ended.
            lock = self._hold(slot)
            if lock is not None:
                self._apply_journal(slot)
                db.execute(
                    "UPDATE event SET slot = ? WHERE slot = ? AND failed_at IS NULL",
                    (self._slot, slot),
                )
                lock.close()

    def _apply_journal(self, slot: int) -> CompletionJournal:
        """Do the work that the last holder of a slot could only write into its journal."""
        journal = CompletionJournal(self._path.with_name(f"{self._path.name}.slot{slot}.done"))
        (mark,) = self._opened().execute("SELECT mark FROM reading").fetchone()
        # Deleting twice does no harm; a death between the two steps loses nothing.
        noted = journal.take(mark)
        if noted:
            with self._begun() as db:
                db.executemany(
                    "DELETE FROM event WHERE id = ?", [(one,) for one in noted if one > 0]
                )
                db.executemany(
                    "UPDATE event SET failed_at = received_at, error = ? "
                    "WHERE id = ? AND failed_at IS NULL",
                    [("unknown: the inbox could not be written", -one) for one in noted if one < 0],
                )
            journal.prepare()
        return journal
