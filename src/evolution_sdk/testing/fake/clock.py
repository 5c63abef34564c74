"""Clocks for tests: the system's time, movable, or a time that moves only when it is told to."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from evolution_sdk._base.forking import free_in_child
from evolution_sdk._common.arguments import checked

from .arrange_errors import ArrangementError

# KeyedSendLock of the event loop that let woken tasks run as far as they can without waiting.
_TURNS = 100


class Clock(Protocol):
    """Source of time of the fake."""

    def now_ms(self) -> float:
        """Milliseconds since the epoch."""
        ...

    def advance(self, ms: float) -> None:
        """Move time forward by ``ms`` milliseconds without waiting."""
        ...


class SystemClock:
    """Wall-clock time plus whatever was skipped."""

    def __init__(self) -> None:
        # Time that was skipped instead of slept through.
        self._skipped_ms = 0.0
        self._lock = free_in_child(threading.Lock())

    def now_ms(self) -> float:
        """Milliseconds since the epoch."""
        return time.time() * 1000 + self._skipped_ms

    def advance(self, ms: float) -> None:
        """Move time forward without waiting.

        Args:
            ms: Distance, in milliseconds; not negative.

        Raises:
            ValueError: It would go back.
        """
        if ms < 0:
            raise ArrangementError(
                f"ms: must not be negative: time does not go back. Got advance({ms}).",
                variable="ms",
            )
        with self._lock:
            self._skipped_ms += ms


@dataclass(eq=False, slots=True)
class _Sleeper:
    due_ms: float
    wake: Callable[[], object]


@checked()
class FakeClock:
    """Time that stands still until it is moved; one for the client, its retries and the fake.

    ``EvolutionRetryService(clock=clock, sleep=clock.sleep, async_sleep=clock.async_sleep)`` waits
    by it, and ``FakeEvolution(clock=clock)`` lives by it. Safe for threads and event loops.

    By itself, every sleep moves time by its length and returns at once (an asynchronous one lets
    other tasks run once). Sleeps at the same time therefore add up: eight sleeps of 1 s move
    time by 8 s. With ``manual`` a sleep lasts until the test has moved time far enough:
    for background work that sleeps between its rounds.

    Args:
        start_ms: First reading, in milliseconds since the epoch.
        manual: Sleeps last until :meth:`advance` or :meth:`run_for` passes their end.
    """

    def __init__(self, start_ms: float = 1_767_225_600_000, *, manual: bool = False) -> None:
        self._start_ms = start_ms
        self._now_ms = start_ms
        self._manual = manual
        self._naps: list[float] = []
        self._sleepers: list[_Sleeper] = []
        self._changed = free_in_child(threading.Condition())

    def __call__(self) -> float:
        """Return seconds since the clock was made, as :meth:`monotonic`."""
        return self.monotonic()

    def now_ms(self) -> float:
        """Milliseconds since the epoch."""
        return self._now_ms

    def time(self) -> float:
        """Return seconds since the epoch, as ``time.time``."""
        return self._now_ms / 1_000

    def monotonic(self) -> float:
        """Return seconds since the clock was made, as ``time.monotonic``."""
        return (self._now_ms - self._start_ms) / 1_000

    @property
    def naps(self) -> tuple[float, ...]:
        """Lengths of all sleeps, in seconds, in the order they began."""
        with self._changed:
            return tuple(self._naps)

    @property
    def sleepers(self) -> int:
        """Number of sleeps that last right now; always 0 unless ``manual``."""
        with self._changed:
            return len(self._sleepers)

    def advance(self, ms: float) -> None:
        """Move time forward in one leap, and end the sleeps whose time is over, the earliest first.

        A task that sleeps in rounds is woken once, however many rounds would have passed; see
        :meth:`run_for`.

        Args:
            ms: Distance, in milliseconds; not negative.

        Raises:
            ValueError: It would go back.
        """
        if ms < 0:
            raise ArrangementError(
                f"ms: must not be negative: time does not go back. Got advance({ms}).",
                variable="ms",
            )
        with self._changed:
            self._move_to(self._now_ms + ms)

    async def run_for(self, ms: float) -> None:
        """Move time forward from one end of a sleep to the next, as it passes for real.

        After each, the tasks of this event loop run until all of them wait for something. Threads
        are not waited for: see :meth:`wait_for_sleepers`.

        Args:
            ms: Distance in all, in milliseconds; not negative.

        Raises:
            ValueError: It would go back.
        """
        if ms < 0:
            raise ArrangementError(
                f"ms: must not be negative: time does not go back. Got run_for({ms}).",
                variable="ms",
            )
        end_ms = self._now_ms + ms
        # Tasks that were just created have to fall asleep before their first due time is known.
        await _let_tasks_run()
        while True:
            with self._changed:
                # Looked up anew in every round: a task that woke may sleep again before the end.
                due = min((sleeper.due_ms for sleeper in self._sleepers), default=end_ms)
                self._move_to(max(self._now_ms, min(due, end_ms)))
            await _let_tasks_run()
            if due >= end_ms:
                return

    def sleep(self, seconds: float) -> None:
        """Sleep by this clock, as ``time.sleep``.

        Args:
            seconds: Length of the sleep, in seconds.
        """
        woken = threading.Event()
        if self._fall_asleep(seconds, woken.set) is not None:
            woken.wait()

    async def async_sleep(self, seconds: float) -> None:
        """Sleep by this clock, as ``asyncio.sleep``; other tasks run at least once.

        Args:
            seconds: Length of the sleep, in seconds.
        """
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()

        def wake() -> None:
            # The test may end its loop while a task still sleeps.
            if not loop.is_closed():
                loop.call_soon_threadsafe(woken.set)

        sleeper = self._fall_asleep(seconds, wake)
        if sleeper is None:
            # The sleep is over, but asyncio.sleep always lets other tasks run once.
            await asyncio.sleep(0)
            return
        try:
            await woken.wait()
        finally:
            with self._changed:
                if sleeper in self._sleepers:  # the task was cancelled
                    self._sleepers.remove(sleeper)

    def wait_for_sleepers(self, count: int = 1, timeout_ms: float = 5_000) -> None:
        """Block until enough threads or tasks sleep, their round finished; for ``manual`` only.

        Args:
            count: Least number of sleeps.
            timeout_ms: Longest wait, in milliseconds of real time.

        Raises:
            TimeoutError: Fewer sleep when the wait is over.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._sleepers) >= count, timeout_ms / 1_000):
                raise TimeoutError(
                    f"{len(self._sleepers)} sleep after {timeout_ms} ms, not {count}"
                )

    def wake_all(self) -> None:
        """End every sleep at once without moving time, so that background work can be stopped."""
        with self._changed:
            self._wake(self._sleepers)

    def _fall_asleep(self, seconds: float, wake: Callable[[], object]) -> _Sleeper | None:
        """Note a sleep; return None when it is over already."""
        with self._changed:
            self._naps.append(seconds)
            due_ms = self._now_ms + max(0.0, seconds) * 1_000
            if not self._manual:
                # By itself the clock serves the sleep at once.
                self._move_to(due_ms)
            if due_ms <= self._now_ms:
                return None
            sleeper = _Sleeper(due_ms, wake)
            self._sleepers.append(sleeper)
            self._changed.notify_all()
            return sleeper

    def _move_to(self, now_ms: float) -> None:
        self._now_ms = now_ms
        self._wake([sleeper for sleeper in self._sleepers if sleeper.due_ms <= now_ms])

    def _wake(self, sleepers: list[_Sleeper]) -> None:
        # Earliest first, so that tasks resume in the order in which real time would wake them.
        awake = sorted(sleepers, key=lambda sleeper: sleeper.due_ms)
        woken = set(awake)  # they are compared by identity
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper not in woken]
        for sleeper in awake:
            sleeper.wake()


async def _let_tasks_run() -> None:
    for _ in range(_TURNS):
        await asyncio.sleep(0)
