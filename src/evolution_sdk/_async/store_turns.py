"""Turns at a shared store: one at a time for each line, and so many at once."""

from __future__ import annotations

import threading

from evolution_sdk._base.forking import free_in_child, in_child

from ._seam import Signal

__all__ = ["StoreTurns"]


class _Waiter:
    """One who waits for a turn.

    Attributes:
        line: What it waits for.
        signal: Wakes it.
        granted: True once the turn is its own, False once the store has failed before.
    """

    __slots__ = ("granted", "line", "signal")

    def __init__(self, line: str) -> None:
        self.line = line
        # One each: they may wait in different event loops.
        self.signal = Signal()
        self.granted: bool | None = None


# Dictionaries stand for queues from which whoever is cancelled can leave at once.
_Queue = dict[_Waiter, None]


class StoreTurns:
    """Lets the callers of one process at a shared state one after the other, in order.

    They would otherwise race for the same compare-and-swap, and all but one would try again. The
    swap keeps the state right whoever else writes, so that turns need not be known elsewhere. Only
    lines that are in use take memory.

    Args:
        at_once: Most turns of all lines at one time, so that connections do not run out.
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = max(1, at_once)
        self._guard = free_in_child(threading.Lock())
        self._begin_anew()
        in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        """Forget the parent's turns, which would never end in a forked child."""
        self._free = self._at_once
        self._lines: dict[str, _Queue] = {}  # those in use, each with who waits for it
        self._ready: _Queue = {}  # whose line is free, but who finds no place among all

    async def take(self, line: str) -> bool:
        """Wait for the turn; :meth:`give` must follow if it came.

        Args:
            line: Key of the state.

        Returns:
            True for the turn; False if the store failed for one who was before: whoever waited
            then needs not find out for itself, which may take its time.
        """
        with self._guard:
            queue = self._lines.get(line)
            if queue is None and self._free:
                self._lines[line] = {}
                self._free -= 1
                return True
            waiter = _Waiter(line)
            if queue is None:
                self._lines[line] = {}
                self._ready[waiter] = None
            else:
                queue[waiter] = None
        try:
            await waiter.signal.wait()
        except BaseException:
            self._leave(waiter)
            raise
        return waiter.granted is True

    def give(self, line: str, *, failed: bool = False) -> None:
        """End a turn; the next one begins.

        Args:
            line: Key of the state.
            failed: Whether the store failed, so that all who wait now go on without it.
        """
        with self._guard:
            if line not in self._lines:
                return  # begun before a fork
            self._free = min(self._at_once, self._free + 1)
            if failed:
                self._send_away()
            self._pass_on(line)
            self._grant()

    def _leave(self, waiter: _Waiter) -> None:
        """Go away without a turn, whether it has come meanwhile or not."""
        with self._guard:
            queue = self._lines.get(waiter.line)
            if waiter.granted is False or queue is None:
                return
            if waiter in queue:
                del queue[waiter]
                return
            if waiter.granted:
                self._free = min(self._at_once, self._free + 1)
            elif waiter in self._ready:
                del self._ready[waiter]
            else:
                return  # of before a fork
            self._pass_on(waiter.line)
            self._grant()

    def _pass_on(self, line: str) -> None:
        queue = self._lines[line]
        if not queue:
            del self._lines[line]
            return
        following = next(iter(queue))
        del queue[following]
        self._ready[following] = None

    def _grant(self) -> None:
        while self._free and self._ready:
            following = next(iter(self._ready))
            del self._ready[following]
            self._free -= 1
            following.granted = True
            following.signal.set()

    def _send_away(self) -> None:
        """Let all who wait go on without the store; the lines of those in turn stay theirs."""
        gone = list(self._ready)
        for waiter in self._ready:
            gone += self._lines.pop(waiter.line)
        self._ready.clear()
        for queue in self._lines.values():
            gone += queue
            queue.clear()
        for waiter in gone:
            waiter.granted = False
            waiter.signal.set()
