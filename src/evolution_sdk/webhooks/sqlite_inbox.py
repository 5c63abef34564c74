"""An inbox in a SQLite file: an accepted event survives a crash of the process."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from evolution_sdk._core.arguments import checked
from evolution_sdk.errors import ConfigurationError

from .inbox import Added, Entry

_MOST_SLOTS = 256
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
"""
_COLUMNS = (
    "id, key, body, source, hint, received_at, finished, attempts, failed_at, error, error_text"
)


@checked()
class SqliteInbox:
    """Keeps accepted events in a file; several processes may share it.

    Each process has a slot, held by a lock that the operating system frees when the process ends,
    however it ends. Whoever opens the inbox takes over the events of slots that nobody holds.

    Args:
        path: The file; made when it does not exist. Beside it stand its WAL and one small lock
            file for each process.
        synchronous: ``normal`` survives a crash of the process; ``full`` also one of the machine,
            for one flush to the disk per event.
        dedupe_ms: How long a key is remembered, in milliseconds.
        max_keys: Most keys remembered; the oldest go first.
        max_dead: Most dead letters kept; the oldest go first.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        synchronous: Literal["normal", "full"] = "normal",
        dedupe_ms: float = 86_400_000,
        max_keys: int = 1_000_000,
        max_dead: int = 10_000,
    ) -> None:
        if synchronous not in ("normal", "full"):
            raise ConfigurationError(
                f"synchronous must be normal or full, not {synchronous!r}.", variable="synchronous"
            )
        self.blocks: bool = synchronous == "full"
        self._path = Path(path)
        self._synchronous = synchronous
        self._keep_s = dedupe_ms / 1_000
        self._max_keys = max_keys
        self._max_dead = max_dead
        self._db: sqlite3.Connection | None = None
        self._lock: sqlite3.Connection | None = None
        self._slot = 0
        self._adds = 0

    def open(self) -> list[Entry]:
        """Open the file, take a slot, and take over what nobody holds.

        Raises:
            ConfigurationError: The file cannot be used.
        """
        try:
            self._db = self._connect(self._path)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute(f"PRAGMA synchronous = {self._synchronous.upper()}")
            self._db.executescript(_SCHEMA)
            self._take_slot()
            self._adopt()
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise ConfigurationError(
                f"The inbox {self._path} cannot be used: {error}", variable="inbox"
            ) from error
        found = self._select("slot = ? AND failed_at IS NULL ORDER BY id", (self._slot,))
        for entry in found:
            entry.recovered = True
        return found

    def add(self, entry: Entry, now: float) -> Added:
        """Keep an event, unless its key was seen before; both in one transaction."""
        key = _blob(entry.key)
        with self._begun() as db:
            known = db.execute(
                "INSERT INTO seen VALUES (?, ?) ON CONFLICT (key) "
                "DO UPDATE SET at = excluded.at WHERE at <= ?",
                (key, now, now - self._keep_s),
            )
            if not known.rowcount:
                return "duplicate"
            made = db.execute(
                "INSERT INTO event (slot, key, body, source, hint, received_at) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (self._slot, key, entry.body, entry.source, _blob(entry.hint), entry.received_at),
            )
            entry.id = made.lastrowid or 0
            self._adds += 1
            if self._adds % 1_000 == 0:
                self._prune(db, now)
        return "new"

    def done(self, entry: Entry) -> None:
        """Forget an event that was handled; its key stays known."""
        with self._begun() as db:
            db.execute("DELETE FROM event WHERE id = ?", (entry.id,))

    def bury(self, entry: Entry) -> None:
        """Put an event among the dead letters."""
        with self._begun() as db:
            db.execute(
                "UPDATE event SET finished = ?, attempts = ?, failed_at = ?, error = ?, "
                "error_text = ? WHERE id = ?",
                (
                    json.dumps(entry.finished),
                    entry.attempts,
                    entry.failed_at,
                    entry.error,
                    _blob(entry.error_text),
                    entry.id,
                ),
            )
            db.execute(
                "DELETE FROM event WHERE id IN (SELECT id FROM event WHERE failed_at IS NOT NULL "
                "ORDER BY id DESC LIMIT -1 OFFSET ?)",
                (self._max_dead,),
            )

    def dead(self, limit: int) -> list[Entry]:
        """The dead letters of all processes, the oldest first."""
        return self._select("failed_at IS NOT NULL ORDER BY id LIMIT ?", (limit,))

    def revive(self, ids: Iterable[int] | None) -> list[Entry]:
        """Take events from the dead letters back among those that wait, for this process."""
        found: list[Entry] = []
        with self._begun() as db:
            for entry in self._chosen(ids):
                db.execute(
                    "UPDATE event SET failed_at = NULL, slot = ? WHERE id = ?",
                    (self._slot, entry.id),
                )
                found.append(entry)
        return found

    def discard(self, ids: Iterable[int] | None) -> int:
        """Forget dead letters."""
        with self._begun() as db:
            found = self._chosen(ids)
            db.executemany("DELETE FROM event WHERE id = ?", [(one.id,) for one in found])
        return len(found)

    def count_dead(self) -> int:
        """How many dead letters there are."""
        count: int = (
            self._opened()
            .execute("SELECT count(*) FROM event WHERE failed_at IS NOT NULL")
            .fetchone()[0]
        )
        return count

    def close(self) -> None:
        """Close the file and give the slot back; what waits is there for the next process."""
        for connection in (self._db, self._lock):
            if connection is not None:
                connection.close()
        self._db = self._lock = None

    def _connect(self, path: Path) -> sqlite3.Connection:
        # Transactions are begun by hand; the receiver's lock keeps threads apart.
        return sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            raise ConfigurationError("The inbox is not open.", variable="inbox")
        return self._db

    def _begun(self) -> _Transaction:
        return _Transaction(self._opened())

    def _select(self, where: str, values: tuple[Any, ...]) -> list[Entry]:
        query = f"SELECT {_COLUMNS} FROM event WHERE {where}"  # noqa: S608 - our own words only
        return [_entry(row) for row in self._opened().execute(query, values)]

    def _chosen(self, ids: Iterable[int] | None) -> list[Entry]:
        if ids is None:
            return self._select("failed_at IS NOT NULL ORDER BY id", ())
        found: list[Entry] = []
        for one in dict.fromkeys(ids):
            found += self._select("failed_at IS NOT NULL AND id = ?", (one,))
        return found

    def _prune(self, db: sqlite3.Connection, now: float) -> None:
        db.execute("DELETE FROM seen WHERE at <= ?", (now - self._keep_s,))
        db.execute(
            "DELETE FROM seen WHERE key IN (SELECT key FROM seen ORDER BY at DESC "
            "LIMIT -1 OFFSET ?)",
            (self._max_keys,),
        )

    def _hold(self, slot: int) -> sqlite3.Connection | None:
        """Lock a slot for as long as the process lives; None when another one has it."""
        lock = sqlite3.connect(
            f"{self._path}.slot{slot}", isolation_level=None, check_same_thread=False, timeout=0
        )
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
            lock = self._hold(slot)
            if lock is not None:
                db.execute(
                    "UPDATE event SET slot = ? WHERE slot = ? AND failed_at IS NULL",
                    (self._slot, slot),
                )
                lock.close()


class _Transaction:
    """Begin for writing at once, so that two processes wait for each other instead of failing."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> sqlite3.Connection:
        self._db.execute("BEGIN IMMEDIATE")
        return self._db

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            self._db.execute("COMMIT" if kind is None else "ROLLBACK")
        finally:
            # A full disk can refuse the commit and leave the transaction open.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")


def _blob(text: str | None) -> bytes | None:
    # Bytes, because SQLite refuses text with lone surrogates, which JSON may hold.
    return None if text is None else text.encode("utf-8", "surrogatepass")


def _text(blob: bytes | str) -> str:
    return blob.decode("utf-8", "surrogatepass") if isinstance(blob, bytes) else blob


def _entry(row: tuple[Any, ...]) -> Entry:
    number, key, body, source, hint, received_at, finished, attempts, failed_at, *error = row
    return Entry(
        _text(key),
        body,
        source,
        None if hint is None else _text(hint),
        received_at,
        number,
        finished=json.loads(finished),
        attempts=attempts,
        failed_at=failed_at,
        error=error[0],
        error_text=_text(error[1]),
    )
