"""Figures of a watched outbox: what its store holds, and what this process has sent of late."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Final, Protocol

from evolution_sdk._base.forking import free_in_child, in_child
from evolution_sdk._base.histogram import LatencyHistogram
from evolution_sdk._base.sliding_window import SlidingWindow
from evolution_sdk.errors import ConfigurationError

from .sample import OutboxReadings

if TYPE_CHECKING:
    from evolution_sdk.outbox import OutboxFact, OutboxStats

__all__ = ["MonitoredOutbox", "OutboxReader", "OutboxWatch"]

_LEAST_PAUSE_S: Final = 1.0
# Counting takes at most this share of the time, however many rows there are.
_LEAST_REST: Final = 20.0
_OLD_S: Final = 60.0
_SLOTS: Final = 12
_WAITING: Final = ("queued", "sending")


class MonitoredOutbox(Protocol):
    """An outbox that a monitor or an exporter can watch: ``Outbox`` and ``AsyncOutbox``."""

    def read_stats(self) -> OutboxStats:
        """Return its figures, blocking, from any thread."""
        ...

    def observe(self, observer: Callable[[OutboxFact], object], /) -> Callable[[], None]:
        """Tell an observer of each send and look; returns a function that ends it."""
        ...


def _check(outbox: object) -> None:
    """Refuse what cannot be watched.

    Args:
        outbox: What the caller gave.

    Raises:
        ConfigurationError: It is no outbox.
    """
    for name in ("read_stats", "observe"):
        if not callable(getattr(outbox, name, None)):
            raise ConfigurationError(
                f"outbox: must be an Outbox or AsyncOutbox: it has no {name}().", variable="outbox"
            )


class OutboxReader:
    """Reads the figures of an outbox in a thread of its own, and seldom enough to disturb nobody.

    Args:
        outbox: The outbox.
        clock: Seconds that never go back.

    Raises:
        ConfigurationError: It is no outbox.

    Attributes:
        error: What the last reading raised; None after one that succeeded.
    """

    def __init__(
        self, outbox: MonitoredOutbox, clock: Callable[[], float] = time.monotonic
    ) -> None:
        _check(outbox)
        self._outbox = outbox
        self._clock = clock
        self._lock = free_in_child(Lock())
        self._begin()
        in_child(self._begin)

    def _begin(self) -> None:
        self.error: Exception | None = None
        self._found: OutboxStats | None = None
        self._found_at = float("-inf")
        self._next_at = float("-inf")
        self._under_way: Event | None = None

    def read(self, wait_ms: float) -> OutboxStats | None:
        """Return the figures; None while they cannot be read.

        Args:
            wait_ms: Longest wait for a reading, in milliseconds; 0 on an event loop. A reading that
                is not over by then goes on, and those of before are returned.
        """
        with self._lock:
            if self._under_way is None and self._clock() >= self._next_at:
                self._under_way = Event()
                Thread(
                    target=self._read, args=(self._under_way,), name="evolution-outbox-figures",
                    daemon=True,
                ).start()  # fmt: skip
            under_way = self._under_way
        if under_way is not None and wait_ms > 0:
            under_way.wait(wait_ms / 1_000)
        with self._lock:
            old = self._clock() - self._found_at > _OLD_S
            return None if old else self._found

    def _read(self, done: Event) -> None:
        begun, found, error = self._clock(), None, None
        try:
            found = self._outbox.read_stats()
        except Exception as trouble:  # noqa: BLE001 - told, and tried again
            error = trouble
        now = self._clock()
        with self._lock:
            self._found, self._found_at, self.error = found, now, error
            self._next_at = now + max(_LEAST_PAUSE_S, (now - begun) * _LEAST_REST)
            self._under_way = None
        done.set()


@dataclass(slots=True)
class _Sent:
    """Messages that were sent in some slots of time.

    Attributes:
        count: How many.
        waits: Times from their hand-over until they were sent.
    """

    count: int = 0
    waits: LatencyHistogram = field(default_factory=LatencyHistogram)


class _Window:
    """Messages that the workers of this process have sent lately; safe to use from any thread.

    Args:
        window_ms: Length of the time, in milliseconds.
        clock: Seconds that never go back.
    """

    def __init__(self, window_ms: float, clock: Callable[[], float]) -> None:
        self._width = window_ms / 1_000 / _SLOTS
        self._clock = clock
        self._lock = free_in_child(Lock())
        self._begin()
        in_child(self._begin)

    def _begin(self) -> None:
        self._begun = self._clock()
        self._window = SlidingWindow(self._begun, self._width, _SLOTS, _Sent)

    def fact(self, fact: OutboxFact) -> None:
        """Take in what a worker of this process has done."""
        if fact.waited_ms is None:
            return
        with self._lock:
            slot = self._window.at(self._clock())
            slot.count += 1
            slot.waits.add(fact.waited_ms)

    def recent(self) -> tuple[float, float | None]:
        """Sum up the last time.

        Returns:
            Messages sent per second, and the 95th percentile of the time from their hand-over
            until they were sent, in milliseconds, right to within 1/32; None without any.
        """
        now = self._clock()
        total = _Sent()
        with self._lock:
            for slot in self._window.recent(now):
                total.count += slot.count
                total.waits.merge(slot.waits)
        covered = max(self._width, min(self._width * _SLOTS, now - self._begun))
        p95 = total.waits.percentile_ms(0.95) if total.count else None
        return total.count / covered, p95


class OutboxWatch:
    """Watches an outbox for a monitor.

    Args:
        outbox: The outbox.
        window_ms: Length of the time for which sent messages count, in milliseconds.
        wait_ms: Longest wait of a check for a reading, in milliseconds.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        outbox: MonitoredOutbox,
        window_ms: float,
        wait_ms: float,
        clock: Callable[[], float],
    ) -> None:
        self._wait_ms = wait_ms
        self._window = _Window(window_ms, clock)
        self._reader = OutboxReader(outbox, clock)
        self._end: Callable[[], object] = outbox.observe(self._window.fact)

    def readings(self) -> tuple[OutboxReadings | None, Exception | None]:
        """Return its figures, None while they cannot be read, and why; blocks for some time."""
        found = _readings_of(self._reader.read(self._wait_ms), self._window.recent())
        return found, self._reader.error

    def close(self) -> None:
        """Stop listening to it."""
        self._end()


def _readings_of(
    stats: OutboxStats | None, recent: tuple[float, float | None]
) -> OutboxReadings | None:
    """Sum up the figures of an outbox for one check.

    Args:
        stats: What the store holds; None where it cannot be read.
        recent: As :meth:`OutboxWindow.recent` returns it.

    Returns:
        The sums; None where the store cannot be read.
    """
    if stats is None:
        return None
    counts: dict[str, int] = {}
    for (_, state), many in stats.counts.items():
        counts[state] = counts.get(state, 0) + many
    meant = {pause.instance for pause in stats.pauses if pause.cause != "trouble"}
    # Where a person or a limit of ours holds messages back, their age is no trouble.
    ages = [ms for name, ms in stats.oldest_ms.items() if not {name, None} & meant]
    return OutboxReadings(
        depth=sum(counts.get(state, 0) for state in _WAITING),
        oldest_s=max(ages, default=0) / 1_000,
        unknown=counts.get("unknown", 0),
        pauses={p.instance or "*": p.reason for p in stats.pauses if p.cause == "trouble"},
        sent_per_second=recent[0],
        p95_wait_ms=recent[1],
        counts=counts,
    )
