"""What happened lately: requests counted in slots of time, of bounded size."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

__all__ = ["CallWindow", "WindowTotals"]

_STEP: Final = math.log(1.1)  # a percentile is right to within 5 %
_SLOTS_PER_WINDOW: Final = 12


def _bucket(ms: float) -> int:
    return round(math.log(max(ms, 0.01)) / _STEP)


@dataclass(slots=True)
class WindowTotals:
    """Sums over some slots.

    Attributes:
        requests: Requests that were answered or failed.
        errors: Those that failed for a reason that is not the caller's.
        timed: Requests and probes whose time counts as response time.
        time_ms: Sum of their times, in milliseconds.
        sends: Sends that succeeded.
        send_ms: Sum of the times of all requests of sends, in milliseconds.
        send_requests: Requests of sends.
        received: Messages that arrived as events.
        histogram: Number of timed requests by class of time.
    """

    requests: int = 0
    errors: int = 0
    timed: int = 0
    time_ms: float = 0.0
    sends: int = 0
    send_ms: float = 0.0
    send_requests: int = 0
    received: int = 0
    histogram: dict[int, int] = field(default_factory=dict[int, int])

    def add(self, other: WindowTotals) -> None:
        """Add another's sums."""
        self.requests += other.requests
        self.errors += other.errors
        self.timed += other.timed
        self.time_ms += other.time_ms
        self.sends += other.sends
        self.send_ms += other.send_ms
        self.send_requests += other.send_requests
        self.received += other.received
        for key, count in other.histogram.items():
            self.histogram[key] = self.histogram.get(key, 0) + count

    @property
    def error_rate(self) -> float | None:
        """Share of failed requests; None without requests."""
        return self.errors / self.requests if self.requests else None

    @property
    def average_ms(self) -> float | None:
        """Mean response time, in milliseconds."""
        return self.time_ms / self.timed if self.timed else None

    @property
    def average_send_ms(self) -> float | None:
        """Mean time of a send's request, in milliseconds."""
        return self.send_ms / self.send_requests if self.send_requests else None

    def percentile_ms(self, share: float) -> float | None:
        """A percentile of response time, right to within 5 %, in milliseconds."""
        if not self.timed:
            return None
        left = math.ceil(share * self.timed)
        for key in sorted(self.histogram):
            left -= self.histogram[key]
            if left <= 0:
                return math.exp(key * _STEP)
        return None  # pragma: no cover - the histogram counts every timed request

    def slower_than(self, ms: float) -> int:
        """How many timed requests took longer, right to within 5 % of the time."""
        return sum(n for key, n in self.histogram.items() if key >= _bucket(ms))


class CallWindow:
    """Requests and messages of the last time, told by any thread.

    Args:
        window_ms: What "lately" means, in milliseconds.
        keep_ms: How far back totals can be asked for, in milliseconds.
    """

    def __init__(self, window_ms: float, keep_ms: float = 3_600_000) -> None:
        self._width = window_ms / _SLOTS_PER_WINDOW / 1_000
        self._size = max(_SLOTS_PER_WINDOW, math.ceil(keep_ms / 1_000 / self._width)) + 1
        self._slots: dict[int, WindowTotals] = {}
        self._newest = -1
        self._begun: float | None = None
        self._lock = Lock()

    def request(self, now: float, ms: float, *, failed: bool, timed: bool, send: bool) -> None:
        """Count a request.

        Args:
            now: Seconds that never go back.
            ms: Time until its answer or failure, in milliseconds.
            failed: Whether it failed, and not by the caller's fault.
            timed: Whether its time tells how fast the server is.
            send: Whether it was a send.
        """
        with self._lock:
            slot = self._slot(now)
            slot.requests += 1
            slot.errors += failed
            if timed:
                _time(slot, ms)
            if send:
                slot.send_requests += 1
                slot.send_ms += ms

    def probe(self, now: float, ms: float) -> None:
        """Count the time of one of the monitor's own questions."""
        with self._lock:
            _time(self._slot(now), ms)

    def message(self, now: float, *, sent: bool) -> None:
        """Count a message that was sent or received."""
        with self._lock:
            slot = self._slot(now)
            slot.sends += sent
            slot.received += not sent

    def totals(self, now: float, span_ms: float) -> tuple[WindowTotals, float]:
        """Sum up the last time.

        Args:
            now: Seconds that never go back.
            span_ms: How far back, in milliseconds.

        Returns:
            The sums, and the seconds that they really cover.
        """
        with self._lock:
            if self._begun is None:
                return WindowTotals(), 0.0
            total = WindowTotals()
            for slot in self._recent(now, span_ms):
                total.add(slot)
            kept = (self._size - 1) * self._width
            return total, max(self._width, min(span_ms / 1_000, now - self._begun, kept))

    def _recent(self, now: float, span_ms: float) -> Iterator[WindowTotals]:
        last = int(now / self._width)
        first = last - min(self._size, max(1, math.ceil(span_ms / 1_000 / self._width))) + 1
        return (slot for i in range(first, last + 1) if (slot := self._slots.get(i)))

    def _slot(self, now: float) -> WindowTotals:
        if self._begun is None:
            self._begun = now
        index = max(int(now / self._width), self._newest)
        slot = self._slots.get(index)
        if slot is None:
            slot = self._slots[index] = WindowTotals()
            self._newest = index
            while next(iter(self._slots)) <= index - self._size:  # they were put in by age
                del self._slots[next(iter(self._slots))]
        return slot


def _time(slot: WindowTotals, ms: float) -> None:
    slot.timed += 1
    slot.time_ms += ms
    key = _bucket(ms)
    slot.histogram[key] = slot.histogram.get(key, 0) + 1
