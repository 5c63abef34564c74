"""Queue of rows to be written. Safe to use from any thread; its lock is never held for long."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from threading import Lock, Timer
from weakref import WeakMethod

from ._taking import Row


class Waiting:
    """Bounded queue; beyond its bound the oldest rows are dropped and counted.

    Args:
        most: Most rows that may wait.

    Attributes:
        lost: Number of rows dropped.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._rows: deque[Row] = deque()
        self._taken = 0
        self._lock = Lock()
        self.lost: int = 0

    def add(self, rows: Iterable[Row]) -> None:
        """Add rows."""
        with self._lock:
            self._rows.extend(rows)
            self._bound()

    def take(self) -> list[Row]:
        """Take all rows, the oldest first, to write them; for one thread at a time."""
        with self._lock:
            taken, self._rows = list(self._rows), deque()
            self._taken = len(taken)
        return taken

    def done(self, lost: int = 0) -> None:
        """Note that the rows taken were written, except for some that cannot be."""
        with self._lock:
            self._taken = 0
            self.lost += lost

    def put_back(self, taken: list[Row]) -> None:
        """Put rows back, before those that came meanwhile."""
        with self._lock:
            self._taken = 0
            self._rows.extendleft(reversed(taken))
            self._bound()

    def give_up(self) -> int:
        """Drop all rows.

        Returns:
            The number of rows dropped.
        """
        with self._lock:
            count = len(self._rows)
            self._rows.clear()
            self.lost += count
        return count

    def __len__(self) -> int:
        return len(self._rows) + self._taken  # rows being written are not in the file yet

    def _bound(self) -> None:
        while len(self._rows) > self._most:
            self._rows.popleft()
            self.lost += 1


class Again:
    """Calls a method again after a while, without keeping its object or the program alive.

    Args:
        work: The method; called in a thread.
        after_s: The wait in seconds.
    """

    def __init__(self, work: Callable[[], object], after_s: float) -> None:
        # Weak, so that an archive that nobody uses any more can be collected.
        self._work = WeakMethod(work)
        self._after_s = after_s
        self._timer: Timer | None = None

    def arm(self) -> None:
        """Start the timer, unless it runs already."""
        if self._timer is None:
            self._timer = timer = Timer(self._after_s, self._now)
            timer.daemon = True  # a program that ends does not wait for it
            timer.start()

    def cancel(self) -> None:
        """Stop the timer."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _now(self) -> None:
        self._timer = None
        work = self._work()
        if work is not None:
            work()
