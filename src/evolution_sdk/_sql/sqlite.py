"""A SQLite file with a write-ahead log, which several processes of one machine may share."""

from __future__ import annotations

import math
import sqlite3
import threading
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from evolution_sdk._base.forking import CARRIED_OVER, abandon, around_fork, free_in_child, in_child
from evolution_sdk._base.private_file import make_private

from .database import Row
from .dialect import SQLITE, Dialect
from .troubles import DatabaseError, of_sqlite
from .write_ahead import BUSY_STEP_MS, is_busy, use_write_ahead_log

__all__ = ["SqliteDatabase", "SqliteSession"]

_translated = SQLITE.sql
_FORK_PATIENCE_S = 1.0


class SqliteSession:
    """A connection to a file.

    Args:
        db: The connection of :mod:`sqlite3`.
        tries: Times that a statement is tried while another process holds the file.
    """

    dialect: Dialect = SQLITE

    def __init__(self, db: sqlite3.Connection, tries: int = 1) -> None:
        self._db = db
        self._tries = tries
        self.changed: int = 0

    def run(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Run a statement; see :class:`Session`."""
        left = self._tries
        while True:
            try:
                cursor = self._db.execute(_translated(sql), values)
                rows: list[Row] = cursor.fetchall()
            except (sqlite3.Error, UnicodeError, OverflowError) as error:
                left -= 1
                if left <= 0 or not is_busy(error):
                    raise of_sqlite(error) from None
            else:
                self.changed = cursor.rowcount
                return rows

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        """Run a statement for each of some rows; see :class:`Session`."""
        try:
            self.changed = self._db.executemany(SQLITE.sql(sql), rows).rowcount
        except (sqlite3.Error, UnicodeError, OverflowError) as error:
            raise of_sqlite(error) from None
        return self.changed


class SqliteDatabase:
    """A file, over one connection that all threads of a process take turns with.

    Args:
        path: The file; made when it does not exist, for its owner alone.
        full: Whether a commit survives a crash of the machine, at the price of one flush to disk;
            else only a crash of the process.
        busy_timeout_ms: Longest wait for another process, in milliseconds.
        settings: More settings of a connection, by the names of SQLite's pragmas.
    """

    dialect: Dialect = SQLITE

    def __init__(
        self,
        path: str | Path,
        *,
        full: bool = True,
        busy_timeout_ms: float = 5_000,
        settings: Mapping[str, int] | None = None,
    ) -> None:
        self.path: Path = Path(path)
        self._settings = dict(settings or {})
        self._full = full
        self._tries = max(1, math.ceil(busy_timeout_ms / BUSY_STEP_MS))
        self._patience_ms = busy_timeout_ms
        self._db: sqlite3.Connection | None = None
        self._carried_over = False
        self._lock = free_in_child(threading.RLock())
        around_fork(self._rest, self._go_on)
        in_child(self._begin_anew)

    @contextmanager
    def writing(self, *, patient: bool = True) -> Generator[SqliteSession]:
        """Begin a transaction that may write; see :class:`Database`.

        Args:
            patient: Whether it waits for another process that writes.
        """
        with self._lock:
            db = self._opened()
            if db.in_transaction:
                raise DatabaseError("other", "this thread is within a transaction already")
            try:
                # At once, so that two processes wait for each other instead of failing half-way.
                SqliteSession(db, self._tries if patient else 1).run("BEGIN IMMEDIATE")
                yield SqliteSession(db)
                try:
                    db.execute("COMMIT")
                except sqlite3.Error as error:
                    raise of_sqlite(error) from None
            finally:
                # A full disk can refuse the commit and leave the transaction open.
                if db.in_transaction:
                    with suppress(sqlite3.Error):
                        db.execute("ROLLBACK")

    @contextmanager
    def reading(self) -> Generator[SqliteSession]:
        """Begin to read; see :class:`Database`."""
        with self._lock:
            # Another process may be about to close the file as the last one, or to recover it.
            yield SqliteSession(self._opened(), self._tries)

    def close(self) -> None:
        """Close the file; see :class:`Database`."""
        with self._lock:
            db, self._db = self._db, None
            if db is not None:
                db.close()

    def _opened(self) -> sqlite3.Connection:
        if self._db is not None:
            return self._db
        # SQLite forbids using a connection in a child of the process that opened it.
        if self._carried_over:
            raise DatabaseError("other", f"the file {self.path} is not used: {CARRIED_OVER}")
        db: sqlite3.Connection | None = None
        try:
            make_private(self.path)
            db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            use_write_ahead_log(db, self._patience_ms)
            db.execute(f"PRAGMA synchronous = {'FULL' if self._full else 'NORMAL'}")
            db.execute(f"PRAGMA busy_timeout = {round(BUSY_STEP_MS)}")
            for name, value in self._settings.items():
                db.execute(f"PRAGMA {name} = {value:d}")
        except (sqlite3.Error, OSError) as error:
            if db is not None:
                db.close()
            raise of_sqlite(error) from None
        self._db = db
        return db

    def _rest(self) -> bool:
        """Close the file before a fork: a child must not inherit an open one."""
        if not self._lock.acquire(timeout=_FORK_PATIENCE_S):
            return False
        if self._db is not None and not self._db.in_transaction:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None
        return True

    def _go_on(self) -> None:
        self._lock.release()

    def _begin_anew(self) -> None:
        self._carried_over = self._carried_over or self._db is not None
        abandon(self._db)
        self._db = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"
