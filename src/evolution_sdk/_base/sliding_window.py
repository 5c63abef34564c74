"""Sums over the last stretch of time, kept in slots."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

__all__ = ["SlidingWindow"]

S = TypeVar("S")


class SlidingWindow(Generic[S]):
    """Slots of time in a row: one to write to, and those before it until they leave the window.

    The clock may go back; what happens then counts for the newest slot. It takes no lock.

    Args:
        now: The present time, in seconds that never go back; its own zero.
        slot_s: Length of one slot, in seconds.
        slots: Number of slots in the window, the current one among them.
        make: Makes an empty slot.
        on_leave: Called with each slot that leaves the window.

    Attributes:
        current: The slot to write to until ``until``; for owners that check the time themselves.
        until: End of the current slot, in seconds.
    """

    __slots__ = ("_index", "_make", "_old", "_on_leave", "_slot_s", "_slots", "current", "until")

    def __init__(
        self,
        now: float,
        slot_s: float,
        slots: int,
        make: Callable[[], S],
        on_leave: Callable[[S], object] | None = None,
    ) -> None:
        self._slot_s = slot_s
        self._slots = slots
        self._make = make
        self._on_leave = on_leave
        self._old: deque[tuple[int, S]] = deque()
        self._begin(int(now // slot_s))

    def _begin(self, index: int) -> None:
        self._index = index
        self.current: S = self._make()
        self.until: float = (index + 1) * self._slot_s

    def at(self, now: float) -> S:
        """Move the window on to a time.

        Args:
            now: Seconds.

        Returns:
            The slot to write to.
        """
        if now >= self.until:
            index = int(now // self._slot_s)
            # Rounding may put a time just past the end back into the slot it has left.
            if index > self._index:
                self._old.append((self._index, self.current))
                self._begin(index)
                while self._old and self._old[0][0] <= index - self._slots:
                    _, gone = self._old.popleft()
                    if self._on_leave is not None:
                        self._on_leave(gone)
        return self.current

    def recent(self, now: float, slots: int | None = None) -> Iterator[S]:
        """Go through the slots of the last time, the oldest first.

        Args:
            now: Seconds; slots that have left the window by then are left out.
            slots: Number of slots to look back, the one of ``now`` among them. Default: all.
        """
        newest = max(self._index, int(now // self._slot_s))
        oldest = newest - min(slots or self._slots, self._slots) + 1
        for index, slot in (*self._old, (self._index, self.current)):
            if index >= oldest:
                yield slot

    def clear(self) -> None:
        """Forget all slots; none is told to leave."""
        self._old.clear()
        self.current = self._make()
