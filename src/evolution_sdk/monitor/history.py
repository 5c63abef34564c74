"""Samples: the newest in memory, and in a SQLite file those that survive restarts.

Trouble with the file never reaches a check.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from itertools import islice, takewhile
from pathlib import Path
from threading import Condition, Lock, RLock, Thread, current_thread
from typing import Final

from evolution_sdk._base.at_exit import close_at_exit
from evolution_sdk._base.forking import CARRIED_OVER, abandon, around_fork, free_in_child, in_child
from evolution_sdk._common.arguments import checked
from evolution_sdk._sql.private_connect import connect_private
from evolution_sdk._sql.write_ahead import use_write_ahead_log

from .sample import Sample

__all__ = ["SampleHistory", "SqliteHistory"]

_log = logging.getLogger("evolution_sdk.monitor")
_MOST_PENDING: Final = 10_000
_FIRST_PAUSE_S: Final = 5.0
_LONGEST_PAUSE_S: Final = 600.0
_PRUNE_EVERY: Final = 500
_STILL_S: Final = 1.0
_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS samples (at REAL NOT NULL, data TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS samples_at ON samples (at)",
)

_ALL: Final = "SELECT data FROM samples WHERE at >= :at AND at <= :end ORDER BY at"
_MORE_THAN: Final = "SELECT 1 FROM samples WHERE at >= :at AND at <= :end LIMIT 1 OFFSET :most"
_ENDS: Final = (
    "SELECT (SELECT min(at) FROM samples WHERE at >= :at), "
    "(SELECT max(at) FROM samples WHERE at <= :end)"
)
# One look into the index for each point in time, and no walk through all rows.
_SPREAD: Final = """
WITH RECURSIVE grid(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM grid WHERE n < :most - 1),
chosen(id) AS (
    SELECT DISTINCT (
        SELECT rowid FROM samples WHERE at >= :first + n * :step AND at <= :end ORDER BY at LIMIT 1
    ) FROM grid
)
SELECT data FROM chosen JOIN samples ON samples.rowid = chosen.id ORDER BY samples.at
"""


class SampleHistory:
    """Keeps the newest samples in memory; the oldest give way.

    Args:
        size: Most samples kept.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = free_in_child(Lock())
        self._begin()
        in_child(self._begin)

    def _begin(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=self._size)

    def __len__(self) -> int:
        return len(self._samples)

    def __iter__(self) -> Iterator[Sample]:
        with self._lock:
            return iter(tuple(self._samples))

    def add(self, sample: Sample) -> None:
        """Keep a sample."""
        with self._lock:
            self._samples.append(sample)

    def last(self) -> Sample | None:
        """Return the newest sample; None without any."""
        with self._lock:
            return self._samples[-1] if self._samples else None

    def since(self, at: float) -> list[Sample]:
        """Return the samples from a time on, the oldest first.

        Args:
            at: Unix seconds.

        Returns:
            The samples.
        """
        with self._lock:
            # From the newest backwards: a look at the last minutes does not walk through days.
            found = list(takewhile(lambda sample: sample.at >= at, reversed(self._samples)))
        found.reverse()
        return found

    def oldest(self) -> Sample | None:
        """Return the oldest sample; None without any."""
        with self._lock:
            return self._samples[0] if self._samples else None

    def evenly(self, at: float, most: int) -> list[Sample]:
        """Return some samples from a time on, at even distances; costs no more the more there are.

        Args:
            at: Unix seconds.
            most: Most samples, at least 2.

        Returns:
            The samples, the oldest first: all of them if there are no more, else the first, the
            last, and some between.
        """
        with self._lock:
            samples = self._samples
            # A clock that was set back may put the start a little off, and nothing else.
            begin = bisect_left(samples, at, key=_time_of)
            if len(samples) - begin <= most:
                found = list(islice(samples, begin, None))
            else:
                found = [samples[place] for place in _places(begin, len(samples), most)]
        return [sample for sample in found if sample.at >= at]


def _time_of(sample: Sample) -> float:
    return sample.at


def _places(begin: int, end: int, most: int) -> list[int]:
    """Spread some places evenly, the first and the last among them."""
    step = (end - 1 - begin) / (most - 1)
    return [begin + round(number * step) for number in range(most)]


@checked()
class SqliteHistory:
    """Keeps samples in a SQLite file, written by a thread of its own.

    While the file is corrupt, locked or cannot be opened, samples wait in memory (the newest
    10,000) and opening is tried again, ever less often. A corrupt file is left as it is. Nothing
    but ``close`` waits for a lock: reading has a connection of its own.

    Args:
        path: The file; its folder must exist.
        retention_ms: Age from which samples are deleted, in milliseconds; None keeps all.
        failed: Called with an error, once until the file works again.
        clock: Seconds that never go back.
        threaded: Whether a thread writes; without one, ``flush`` does.
        busy_ms: Longest wait of a write for another process's lock, in milliseconds.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        retention_ms: float | None = None,
        failed: Callable[[Exception], None],
        clock: Callable[[], float],
        threaded: bool = True,
        busy_ms: float = 200,
    ) -> None:
        self._path = str(path)
        self._retention = None if retention_ms is None else retention_ms / 1_000
        self._failed = failed
        self._clock = clock
        self._threaded = threaded
        self._busy_s = busy_ms / 1_000
        self._carried_over = False
        # Reentrant: whoever is told of an error may ask for samples at once.
        self._file = free_in_child(RLock())
        self._reading = free_in_child(Lock())
        self._begin()
        around_fork(self._still, self._go_on)
        in_child(self._begin_anew)
        close_at_exit(self)

    def _begin(self) -> None:
        self._pending: deque[Sample] = deque(maxlen=_MOST_PENDING)
        self._wake = Condition()
        self._connection: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._broken = False
        self._pause = _FIRST_PAUSE_S
        self._not_before = float("-inf")
        # As if many were written: a short run deletes old samples, too.
        self._written = _PRUNE_EVERY
        self._closed = False
        self._left_told = 0
        self._thread: Thread | None = None

    @property
    def waiting(self) -> int:
        """Number of samples that are not in the file yet."""
        return len(self._pending)

    def _still(self) -> bool:
        """Close the file before a fork; the next sample opens it again."""
        if not self._file.acquire(timeout=_STILL_S):
            return False
        if not self._reading.acquire(timeout=_STILL_S):
            self._file.release()
            return False
        self._connection = _shut(self._connection)
        self._reader = _shut(self._reader)
        return True

    def _go_on(self) -> None:
        self._reading.release()
        self._file.release()

    def _begin_anew(self) -> None:
        """Forget what waits: the parent writes it."""
        opened = self._connection is not None or self._reader is not None
        self._carried_over = self._carried_over or opened
        abandon(self._connection, self._reader)
        self._begin()
        close_at_exit(self)

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
            at: Start of the time, in unix seconds.
            until: End of it, in unix seconds; None for all.

        Returns:
            The samples; only those in memory while the file cannot be read.
        """
        end = float("inf") if until is None else until
        # Before reading: a sample that is written meanwhile is found twice, not never.
        with self._wake:
            pending = tuple(self._pending)
        found = [sample for text in self._read(at, end) if (sample := _sample(text)) is not None]
        written: dict[float, list[Sample]] = {}
        for sample in found:
            written.setdefault(sample.at, []).append(sample)
        waiting = (sample for sample in pending if at <= sample.at <= end)
        return found + [each for each in waiting if each not in written.get(each.at, ())]

    def evenly(self, at: float, until: float | None, most: int) -> list[Sample]:
        """Find some samples by time, at even distances; costs no more the more there are.

        Args:
            at: Start of the time, in unix seconds.
            until: End of it, in unix seconds; None for all.
            most: Most samples, at least 2.

        Returns:
            The samples, the oldest first: all of them if there are no more.
        """
        end = float("inf") if until is None else until
        with self._wake:
            pending = [sample for sample in self._pending if at <= sample.at <= end]
        rows = self._read(at, end, most)
        found = [sample for text in rows if (sample := _sample(text)) is not None]
        # Found twice where they are written meanwhile, which moves no median.
        found += pending
        if len(found) <= most:
            return found
        return [found[place] for place in _places(0, len(found), most)]

    def _read(self, at: float, end: float, most: int | None = None) -> list[str]:
        end = min(end, 1e18)
        with self._reading:
            try:
                if self._carried_over:
                    raise sqlite3.OperationalError(CARRIED_OVER)
                if self._reader is None:
                    if not Path(self._path).exists():
                        return []
                    self._reader = self._connected()
                return _rows(self._reader, at, end, most)
            except sqlite3.Error as error:
                self._reader = _shut(self._reader)
                # The file is there, and nothing was written to it yet.
                if "no such table" in str(error):
                    return []
                trouble = error
        self._tell(trouble)
        return []

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
            # More may have come meanwhile, and the oldest have fallen out.
            written = set(map(id, taken))
            with self._wake:
                while self._pending and id(self._pending[0]) in written:
                    self._pending.popleft()
            self._left_told = 0
            self._broken, self._pause = False, _FIRST_PAUSE_S

    def close(self, *, wait_ms: float = 5_000) -> None:
        """Write what is waiting and close the file; another sample opens it again.

        The number of samples that cannot be written is logged; starting anew tries again.

        Args:
            wait_ms: Longest wait for the thread, in milliseconds; then it goes on alone.
        """
        with self._wake:
            self._closed = True
            self._wake.notify()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not current_thread():
            thread.join(wait_ms / 1_000)
            # It finishes by itself: a locked file must not hold up the end of the program.
            if thread.is_alive():
                return
        self._finish()

    def _finish(self) -> None:
        self.flush()
        with self._file:
            self._connection = _shut(self._connection)
        with self._reading:
            self._reader = _shut(self._reader)
        if self._pending and self._left_told != len(self._pending):
            self._left_told = len(self._pending)
            _log.warning(
                "the history file was closed before it took %d samples; only memory has them",
                self._left_told,
            )

    def _work(self) -> None:
        while True:
            with self._wake:
                if self._closed:
                    break
                # After an error, nobody wakes the thread when its pause is over: it looks itself.
                if not self._pending or self._waits():
                    self._wake.wait(1.0)
            if not self._waits():
                self.flush()
        self._finish()

    def _waits(self) -> bool:
        return self._clock() < self._not_before

    def _open(self) -> sqlite3.Connection | None:
        if self._connection is not None:
            return self._connection
        if self._waits():
            return None
        try:
            if self._carried_over:
                raise sqlite3.OperationalError(CARRIED_OVER)
            self._connection = connection = self._connected()
            use_write_ahead_log(connection, self._busy_s * 1_000)
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

    def _connected(self) -> sqlite3.Connection:
        return connect_private(self._path, timeout=self._busy_s, check_same_thread=False)

    def _fail(self, error: sqlite3.Error) -> None:
        self._connection = _shut(self._connection)
        # Ever longer pauses: a file that is gone for days is not opened at every sample.
        self._not_before = self._clock() + self._pause
        self._pause = min(_LONGEST_PAUSE_S, self._pause * 2)
        self._tell(error)

    def _tell(self, error: sqlite3.Error) -> None:
        if not self._broken:
            self._broken = True
            self._failed(error)


def _rows(reader: sqlite3.Connection, at: float, end: float, most: int | None) -> list[str]:
    """Read the rows of a time; of more than ``most``, some at even distances."""
    between = {"at": at, "end": end, "most": most}
    query = _ALL
    if most is not None and reader.execute(_MORE_THAN, between).fetchone() is not None:
        first, last = reader.execute(_ENDS, between).fetchone()
        between |= {"first": first, "step": (last - first) / (most - 1)}
        query = _SPREAD
    with closing(reader.execute(query, between)) as cursor:
        return [str(text) for (text,) in cursor]


def _shut(connection: sqlite3.Connection | None) -> sqlite3.Connection | None:
    """Close a connection; returns None, to stand in its place."""
    if connection is not None:
        with suppress(sqlite3.Error):
            connection.close()
    return None


def _sample(text: str) -> Sample | None:
    """Read the sample of a row; None for a damaged one."""
    try:
        return Sample.from_dict(json.loads(text))
    except (TypeError, ValueError):
        return None
