"""Sliding windows over the last time: requests, messages, and the ends of retried calls."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from evolution_sdk._base.forking import free_in_child, in_child
from evolution_sdk._base.histogram import LatencyHistogram
from evolution_sdk._base.sliding_window import SlidingWindow
from evolution_sdk.retry import RetryMetrics

__all__ = ["CallWindow", "RetryOutcomes", "WindowTotals"]

_SLOTS_PER_WINDOW: Final = 12
_MOST_OUTCOMES: Final = 2_000


@dataclass(slots=True)
class WindowTotals:
    """Sums over some slots of time.

    Attributes:
        requests: Requests that were answered or failed.
        errors: Requests that failed for a reason that is not the caller's.
        timed: Requests and probes whose time counts as response time.
        time_ms: Sum of their times, in milliseconds.
        sends: Sends that succeeded.
        send_ms: Sum of the times of all requests of sends, in milliseconds.
        send_requests: Requests of sends.
        received: Messages that arrived as events.
        histogram: Times of the timed requests.
    """

    requests: int = 0
    errors: int = 0
    timed: int = 0
    time_ms: float = 0.0
    sends: int = 0
    send_ms: float = 0.0
    send_requests: int = 0
    received: int = 0
    histogram: LatencyHistogram = field(default_factory=LatencyHistogram)

    def time(self, ms: float) -> None:
        """Count a response time.

        Args:
            ms: The time, in milliseconds.
        """
        self.timed += 1
        self.time_ms += ms
        self.histogram.add(ms)

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
        self.histogram.merge(other.histogram)

    @property
    def error_rate(self) -> float | None:
        """Share of failed requests; None without requests."""
        return self.errors / self.requests if self.requests else None

    @property
    def average_ms(self) -> float | None:
        """Mean response time, in milliseconds; None without timed requests."""
        return self.time_ms / self.timed if self.timed else None

    @property
    def average_send_ms(self) -> float | None:
        """Mean time of a send's request, in milliseconds; None without sends."""
        return self.send_ms / self.send_requests if self.send_requests else None

    def percentile_ms(self, share: float) -> float | None:
        """Return a percentile of response time, right to within 1/32 of its value.

        Args:
            share: From 0 to 1; 0.95 is the 95th percentile.

        Returns:
            Milliseconds; None without timed requests.
        """
        return self.histogram.percentile_ms(share) if self.timed else None

    def slower_than(self, ms: float) -> int:
        """Count the timed requests that took longer, right to within 1/16 of the time.

        Args:
            ms: The time, in milliseconds.
        """
        return self.histogram.count_from(ms)


class CallWindow:
    """Requests and messages of the last hour, counted in slots; safe to use from any thread.

    Args:
        window_ms: The time that health is judged by, in milliseconds; a slot is a twelfth of it.
        keep_ms: Longest time that totals can be asked for, in milliseconds.
    """

    def __init__(self, window_ms: float, keep_ms: float = 3_600_000) -> None:
        self._width = window_ms / _SLOTS_PER_WINDOW / 1_000
        # One more than fits: the oldest slot has partly left the window.
        self._size = max(_SLOTS_PER_WINDOW, math.ceil(keep_ms / 1_000 / self._width)) + 1
        self._window: SlidingWindow[WindowTotals] | None = None
        self._begun = 0.0
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
                slot.time(ms)
            if send:
                slot.send_requests += 1
                slot.send_ms += ms

    def probe(self, now: float, ms: float) -> None:
        """Count the time of one of the monitor's own questions."""
        with self._lock:
            self._slot(now).time(ms)

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
            span_ms: The time to sum up, in milliseconds.

        Returns:
            The sums, and the seconds that they really cover.
        """
        with self._lock:
            # Nothing was counted yet: there is no rate, not a rate of zero.
            if self._window is None:
                return WindowTotals(), 0.0
            total = WindowTotals()
            for slot in self._window.recent(now, max(1, math.ceil(span_ms / 1_000 / self._width))):
                total.add(slot)
            # A monitor that has just begun covers less than was asked for, but a slot at least.
            kept = (self._size - 1) * self._width
            return total, max(self._width, min(span_ms / 1_000, now - self._begun, kept))

    def _slot(self, now: float) -> WindowTotals:
        # Made with the first count, so that the covered time begins there.
        if self._window is None:
            self._begun = now
            self._window = SlidingWindow(now, self._width, self._size, WindowTotals)
        return self._window.at(now)


@dataclass(slots=True)
class _RetrySums:
    """The sums of one retry service when they were last read."""

    retried: int = 0
    succeeded: int = 0


class RetryOutcomes:
    """Turns the running sums of retry services into the outcomes of the last time.

    A call counts when it took more than one attempt: a call that succeeds at once, and a mistake
    of the caller, say nothing about retries.

    Args:
        window_ms: Time for which an outcome counts, in milliseconds.
    """

    def __init__(self, window_ms: float) -> None:
        self._window = window_ms / 1_000
        self._lock = free_in_child(Lock())
        self._begin()
        in_child(self._begin)

    def _begin(self) -> None:
        # A child's services count from nothing: they have no past to leave out.
        self._sources: dict[str, _RetrySums] = {}
        self._recent: deque[tuple[float, int, int]] = deque(maxlen=_MOST_OUTCOMES)

    def baseline(self, source: str, metrics: RetryMetrics) -> None:
        """Take sums as the past of a source, which is not judged."""
        with self._lock:
            self._sources[source] = _RetrySums(*_sums(metrics))

    def update(self, source: str, metrics: RetryMetrics, now: float) -> None:
        """Take in the present sums of a source."""
        with self._lock:
            known = self._sources.setdefault(source, _RetrySums())
            retried, succeeded = _sums(metrics)
            # Smaller sums mean that the service was reset: all of them are new.
            if retried < known.retried or succeeded < known.succeeded:
                known.retried = known.succeeded = 0
            more, won = retried - known.retried, succeeded - known.succeeded
            known.retried, known.succeeded = retried, succeeded
            if more:
                self._recent.append((now, more, won))

    def recent(self, now: float) -> tuple[int, float | None]:
        """Sum up the last time.

        Args:
            now: Seconds that never go back.

        Returns:
            The number of retried calls, and the share of them that succeeded, None without any.
        """
        with self._lock:
            while self._recent and self._recent[0][0] < now - self._window:
                self._recent.popleft()
            retried = sum(more for _, more, _ in self._recent)
            won = sum(succeeded for _, _, succeeded in self._recent)
        return retried, (won / retried if retried else None)


def _sums(metrics: RetryMetrics) -> tuple[int, int]:
    """Count the retried calls of a service, and those that succeeded."""
    retried = sum(calls for attempts, calls in metrics.attempts_histogram.items() if attempts > 1)
    return retried, metrics.successes_after_retry
