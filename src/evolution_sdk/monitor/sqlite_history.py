"""Samples in a SQLite file, that survive restarts. Trouble with the file never reaches a check."""

from __future__ import annotations

import json
import sqlite3
from collections import deque
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from threading import Condition, RLock, Thread, current_thread
from typing import Final

from evolution_sdk._core.arguments import checked

from .sample import Sample

__all__ = ["SqliteHistory"]

_MOST_PENDING: Final = 10_000
_FIRST_PAUSE_S: Final = 5.0
_LONGEST_PAUSE_S: Final = 600.0
_PRUNE_EVERY: Final = 500
_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS samples (at REAL NOT NULL, data TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS samples_at ON samples (at)",
)


@checked()
class SqliteHistory:
    """Writes samples in a thread of its own, and finds them by time.

    While the file is corrupt, locked or cannot be opened, samples wait in memory (the newest
    10,000) and opening is tried again, ever less often. A corrupt file is left as it is.

    Args:
        path: The file; its folder must exist.
        retention_ms: Older samples are deleted, in milliseconds; None keeps all.
        failed: Hears of trouble, once until the file works again.
        clock: Seconds that never go back.
        threaded: Whether a thread writes; without one, ``flush`` does.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        retention_ms: float | None = None,
        failed: Callable[[Exception], None],
        clock: Callable[[], float],
        threaded: bool = True,
    ) -> None:
        self._path = str(path)
        self._retention = None if retention_ms is None else retention_ms / 1_000
        self._failed = failed
        self._clock = clock
        self._pending: deque[Sample] = deque(maxlen=_MOST_PENDING)
        self._file = RLock()  # who hears of trouble may ask for samples
        self._wake = Condition()
        self._connection: sqlite3.Connection | None = None
        self._broken = False
        self._pause = _FIRST_PAUSE_S
        self._not_before = float("-inf")
        self._written = _PRUNE_EVERY  # short runs delete too
        self._closed = False
        self._threaded = threaded
        self._thread: Thread | None = None

    def add(self, sample: Sample) -> None:
        """Keep a sample; returns at once."""
        with self._wake:
            self._closed = False
            self._pending.append(sample)
            if self._threaded and (self._thread is None or not self._thread.is_alive()):
                self._thread = Thread(
                    target=self._work, name="evolution-monitor-history", daemon=True
                )
                self._thread.start()
            self._wake.notify()

    def since(self, at: float, until: float | None = None) -> list[Sample]:
        """Find samples by time, the oldest first; those not yet written are among them.

        Args:
            at: From when on, in unix seconds.
            until: Until when, in unix seconds; None for all.

        Returns:
            The samples; only those in memory while the file does not work.
        """
        self.flush()
        end = float("inf") if until is None else until
        rows: list[tuple[str]] = []
        with self._file:
            connection = self._open()
            if connection is not None:
                query = "SELECT data FROM samples WHERE at >= ? AND at <= ? ORDER BY at"
                try:
                    with closing(connection.execute(query, (at, min(end, 1e18)))) as cursor:
                        rows = cursor.fetchall()
                except sqlite3.Error as error:
                    self._fail(error)
            with self._wake:  # another thread may be adding one
                pending = tuple(self._pending)
        found = [sample for (text,) in rows if (sample := _sample(text)) is not None]
        return found + [sample for sample in pending if at <= sample.at <= end]

    def flush(self) -> None:
        """Write what is waiting, if the file works; raises nothing."""
        with self._file:
            connection = self._open() if self._pending else None
            if connection is None:
                return
            taken = list(self._pending)
            try:
                with connection:
                    connection.executemany(
                        "INSERT INTO samples VALUES (?, ?)",
                        [(sample.at, json.dumps(sample.to_dict())) for sample in taken],
                    )
                    self._prune(connection, taken)
            except sqlite3.Error as error:
                self._fail(error)
                return
            for _ in taken:
                self._pending.popleft()
            self._broken, self._pause = False, _FIRST_PAUSE_S

    def close(self) -> None:
        """Write what is waiting and close the file; another sample opens it again."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not current_thread():
            thread.join(timeout=5)
        self.flush()
        with self._file:
            self._drop()

    def _work(self) -> None:
        while True:
            with self._wake:
                if self._closed:
                    return
                if not self._pending or self._waits():
                    self._wake.wait(1.0)
            if not self._waits():
                self.flush()

    def _waits(self) -> bool:
        return self._clock() < self._not_before

    def _open(self) -> sqlite3.Connection | None:
        if self._connection is not None:
            return self._connection
        if self._waits():
            return None
        try:
            self._connection = connection = sqlite3.connect(
                self._path, timeout=0.2, check_same_thread=False
            )
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            for statement in _SCHEMA:
                connection.execute(statement)
        except sqlite3.Error as error:
            self._fail(error)
            return None
        return self._connection

    def _prune(self, connection: sqlite3.Connection, taken: list[Sample]) -> None:
        self._written += len(taken)
        if self._retention is not None and self._written >= _PRUNE_EVERY:
            self._written = 0
            oldest = taken[-1].at - self._retention
            connection.execute("DELETE FROM samples WHERE at < ?", (oldest,))

    def _fail(self, error: sqlite3.Error) -> None:
        self._drop()
        self._not_before = self._clock() + self._pause
        self._pause = min(_LONGEST_PAUSE_S, self._pause * 2)
        if not self._broken:
            self._broken = True
            self._failed(error)

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


def _sample(text: str) -> Sample | None:
    """The sample of a row; None for a damaged one."""
    try:
        return Sample.from_dict(json.loads(text))
    except (TypeError, ValueError):
        return None
