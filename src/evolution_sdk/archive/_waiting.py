"""Rows that wait for the file. Safe to use from any thread, and never held for long."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from threading import Lock, Timer
from weakref import WeakMethod

from ._taking import Row


class Waiting:
    """A bounded queue; beyond its bound the oldest rows are given up, and counted.

    Args:
        most: How many rows may wait.

    Attributes:
        lost: Rows that were given up.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._rows: deque[Row] = deque()
        self._taken = 0
        self._lock = Lock()
        self.lost: int = 0

    def add(self, rows: Iterable[Row]) -> None:
        """Let rows wait."""
        with self._lock:
            self._rows.extend(rows)
            self._bound()

    def take(self) -> list[Row]:
        """Take out everything, the oldest first, for writing it; one thread at a time."""
        with self._lock:
            taken, self._rows = list(self._rows), deque()
            self._taken = len(taken)
        return taken

    def done(self, lost: int = 0) -> None:
        """Count as written what was taken out, except for some that cannot be."""
        with self._lock:
            self._taken = 0
            self.lost += lost

    def put_back(self, taken: list[Row]) -> None:
        """Let what was taken out wait again, before what came meanwhile."""
        with self._lock:
            self._taken = 0
            self._rows.extendleft(reversed(taken))
            self._bound()

    def give_up(self) -> int:
        """Give up everything that waits.

        Returns:
            How many rows.
        """
        with self._lock:
            count = len(self._rows)
            self._rows.clear()
            self.lost += count
        return count

    def __len__(self) -> int:
        return len(self._rows) + self._taken

    def _bound(self) -> None:
        while len(self._rows) > self._most:
            self._rows.popleft()
            self.lost += 1


class Again:
    """Has something tried once more after a while, without keeping it or the program alive.

    Args:
        work: A method; called in a thread.
        after_s: After how many seconds.
    """

    def __init__(self, work: Callable[[], object], after_s: float) -> None:
        self._work = WeakMethod(work)
        self._after_s = after_s
        self._timer: Timer | None = None

    def arm(self) -> None:
        """Try after a while, unless that is going to happen anyway."""
        if self._timer is None:
            self._timer = timer = Timer(self._after_s, self._now)
            timer.daemon = True
            timer.start()

    def cancel(self) -> None:
        """Do not try any more."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _now(self) -> None:
        self._timer = None
        work = self._work()
        if work is not None:
            work()
