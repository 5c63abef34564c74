"""Counters behind the metrics: per operation, exact, of bounded size, behind one lock."""

from __future__ import annotations

from collections.abc import Callable
from math import floor
from threading import Lock
from typing import Final

from evolution_sdk._base.forking import free_in_child, in_child
from evolution_sdk._base.histogram import LatencyHistogram, bucket_of
from evolution_sdk._base.sliding_window import SlidingWindow

from .metrics import AttemptsHistogram, RetryMetrics
from .safety import StopReason

__all__ = [
    "MAX_OPERATIONS",
    "OTHER_OPERATIONS",
    "WINDOW_MS",
    "CallCounters",
    "Counters",
    "MetricsRegistry",
    "OperationCounters",
]

MAX_OPERATIONS: Final = 1_000
"""Number of distinct names that are kept apart; calls of further ones are counted together."""

OTHER_OPERATIONS: Final = "other"
"""Name under which the calls beyond :data:`MAX_OPERATIONS` are counted."""

WINDOW_MS: Final = 300_000
"""Length of the sliding window, in milliseconds."""

_SLOTS: Final = 30
_SLOT_S: Final = WINDOW_MS / 1_000 / _SLOTS
_MOST_ATTEMPTS_SHOWN: Final = 100


class CallCounters:
    """Counts of one call in flight; they are added to its operation when it ends."""

    __slots__ = ("absent", "found", "unknown", "wait_ms", "waits")

    def __init__(self) -> None:
        self.waits: int = 0
        self.wait_ms: float = 0.0
        self.unknown: int = 0
        self.found: int = 0
        self.absent: int = 0


class Counters:
    """Running sums over some stretch of time.

    Attributes:
        at_once: Calls whose first attempt returned: nearly all. They are counted here alone, and
            in the other numbers only when those are read.
    """

    __slots__ = (
        "absent",
        "at_once",
        "attempts",
        "attempts_histogram",
        "budget",
        "cancelled",
        "circuit",
        "failed",
        "failed_first_try",
        "first_try",
        "found",
        "handler_errors",
        "latencies",
        "success_ms",
        "successful",
        "unknown",
        "wait_ms",
        "waits",
    )

    def __init__(self) -> None:
        self.at_once: int = 0
        self.successful: int = 0
        self.failed: int = 0
        self.cancelled: int = 0
        self.attempts: int = 0
        self.first_try: int = 0
        self.failed_first_try: int = 0
        self.waits: int = 0
        self.wait_ms: float = 0.0
        self.unknown: int = 0
        self.found: int = 0
        self.absent: int = 0
        self.budget: int = 0
        self.circuit: int = 0
        self.handler_errors: int = 0
        self.success_ms: float = 0.0
        self.latencies: LatencyHistogram = LatencyHistogram()
        self.attempts_histogram: dict[int, int] = {}

    def add(self, other: Counters) -> None:
        """Add the sums of another stretch."""
        # By name, so that a new counter cannot be forgotten here.
        for name in self.__slots__:
            if name not in ("attempts_histogram", "latencies"):
                setattr(self, name, getattr(self, name) + getattr(other, name))
        self.latencies.merge(other.latencies)
        for attempts, calls in other.attempts_histogram.items():
            self.attempts_histogram[attempts] = self.attempts_histogram.get(attempts, 0) + calls

    def finish(self, attempts: int) -> None:
        """Count the attempts of a call that returned or raised."""
        self.attempts += attempts
        # A policy may allow any number of attempts; the histogram must not grow with it.
        shown = min(attempts, _MOST_ATTEMPTS_SHOWN)
        self.attempts_histogram[shown] = self.attempts_histogram.get(shown, 0) + 1

    def add_call(self, call: CallCounters) -> None:
        """Add the counts of a call, however it ended."""
        self.waits += call.waits
        self.wait_ms += call.wait_ms
        self.unknown += call.unknown
        self.found += call.found
        self.absent += call.absent

    def snapshot(self, operation: str | None, window_ms: float | None) -> RetryMetrics:
        """Copy the sums and derive the rates."""
        successful = self.at_once + self.successful
        total = successful + self.failed
        attempts = self.at_once + self.attempts
        successes_first_try = self.at_once + self.first_try
        successes_after_retry = successful - successes_first_try
        failures_after_retry = self.failed - self.failed_first_try
        histogram = dict(self.attempts_histogram)
        if self.at_once:
            histogram[1] = histogram.get(1, 0) + self.at_once
        return RetryMetrics(
            operation=operation,
            window_ms=window_ms,
            total_operations=total,
            successful_operations=successful,
            failed_operations=self.failed,
            cancelled_operations=self.cancelled,
            success_rate=_ratio(successful, total),
            failure_rate=_ratio(self.failed, total),
            average_time_to_success_ms=_ratio(self.success_ms, successful),
            p50_time_to_success_ms=self.latencies.percentile_ms(0.50),
            p95_time_to_success_ms=self.latencies.percentile_ms(0.95),
            p99_time_to_success_ms=self.latencies.percentile_ms(0.99),
            attempts=attempts,
            retries=attempts - total,
            attempts_per_operation=_ratio(attempts, total),
            attempts_histogram=AttemptsHistogram(sorted(histogram.items())),
            successes_first_try=successes_first_try,
            successes_after_retry=successes_after_retry,
            failures_after_retry=failures_after_retry,
            retry_success_rate=_ratio(
                successes_after_retry, successes_after_retry + failures_after_retry
            ),
            waits=self.waits,
            total_wait_ms=self.wait_ms,
            budget_refusals=self.budget,
            circuit_refusals=self.circuit,
            unknown_outcomes=self.unknown,
            resolved_found=self.found,
            resolved_absent=self.absent,
            # Derived, so that the three always add up to the unknown ones.
            unresolved_outcomes=self.unknown - self.found - self.absent,
            handler_errors=self.handler_errors,
        )


def _ratio(part: float, whole: int) -> float:
    return part / whole if whole else 0.0


class OperationCounters:
    """One operation: its calls in flight, its sums of the last minutes, and those before.

    Args:
        now: The present time, in seconds that never go back.
        groups: Groups in which its calls are counted too.
    """

    __slots__ = ("_before", "active", "groups", "window")

    window: SlidingWindow[Counters]
    _before: Counters

    def __init__(self, now: float, groups: frozenset[str] = frozenset()) -> None:
        self.active: int = 0
        self.groups: frozenset[str] = groups
        self.clear(now)

    def clear(self, now: float) -> None:
        """Begin anew, but for the calls in flight."""
        self._before = Counters()
        # A slot that leaves the window is added up, so that the total forgets nothing.
        self.window = SlidingWindow(now, _SLOT_S, _SLOTS, Counters, self._before.add)

    def add_to(self, sums: Counters, now: float) -> None:
        """Add everything since the beginning to some sums."""
        self.window.at(now)  # slots that have left the window go over to the sums before it
        sums.add(self._before)
        for counters in self.window.recent(now):
            sums.add(counters)

    def add_recent_to(self, sums: Counters, now: float, slots: int) -> None:
        """Add the last slots of time to some sums."""
        for counters in self.window.recent(now, slots):
            sums.add(counters)


class MetricsRegistry:
    """Counters of all operations of one service.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        # One lock for all operations: it is held for less than a microsecond, and a total must
        # not count a call in one operation that it misses in another.
        self._lock = free_in_child(Lock())
        self._operations: dict[str, OperationCounters] = {}
        in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        # The calls in flight are the parent's, and so is what it has counted.
        self._operations = {}

    def begin(self, operation: str, effect: str | None = None) -> OperationCounters:
        """Count a call as in flight.

        Args:
            operation: Its name.
            effect: Effect of a call of the API: it is then also counted in the group of that
                effect and in that of its family, the part of its name before the dot.

        Returns:
            The counters to which the end of the call is written.
        """
        with self._lock:
            counters = self._operations.get(operation)
            if counters is None:
                counters = self._open(operation, effect)  # may be those of OTHER_OPERATIONS
            counters.active += 1
            return counters

    def succeeded_at_once(
        self, operation: OperationCounters, now: float, elapsed_ms: float
    ) -> None:
        """Count a call whose first attempt returned."""
        # Nearly every call ends here: written out, since each call into Python would show. The
        # window is asked for another slot only when the present one is over.
        bucket = bucket_of(elapsed_ms)
        with self._lock:
            window = operation.window
            counters = window.current if now < window.until else window.at(now)
            operation.active -= 1
            counters.at_once += 1
            counters.success_ms += elapsed_ms
            latencies = counters.latencies
            latencies[bucket] = latencies.get(bucket, 0) + 1

    def succeeded(
        self,
        operation: OperationCounters,
        now: float,
        attempts: int,
        elapsed_ms: float,
        call: CallCounters,
    ) -> None:
        """Count a call that returned after a retry or a look-up."""
        with self._lock:
            counters = operation.window.at(now)
            operation.active -= 1
            counters.successful += 1
            counters.first_try += attempts == 1
            counters.success_ms += elapsed_ms
            counters.latencies.add(elapsed_ms)
            counters.add_call(call)
            counters.finish(attempts)

    def failed(
        self,
        operation: OperationCounters,
        now: float,
        attempts: int,
        reason: StopReason,
        call: CallCounters,
    ) -> None:
        """Count a call that raised in the end."""
        with self._lock:
            counters = operation.window.at(now)
            operation.active -= 1
            counters.failed += 1
            counters.failed_first_try += attempts == 1
            counters.budget += reason is StopReason.BUDGET
            counters.circuit += reason is StopReason.CIRCUIT_OPEN
            counters.add_call(call)
            counters.finish(attempts)

    def cancelled(self, operation: OperationCounters, call: CallCounters) -> None:
        """Count a call that was broken off from outside."""
        with self._lock:
            counters = operation.window.at(self._clock())
            operation.active -= 1
            counters.cancelled += 1
            # Its waits and unknown outcomes did happen; its attempts are no part of the rates.
            counters.add_call(call)

    def handler_failed(self, operation: str) -> None:
        """Count an event handler that failed."""
        with self._lock:
            counters = self._operations.get(operation) or self._open(operation)
            counters.window.at(self._clock()).handler_errors += 1

    def active(self, operation: str | None = None) -> int:
        """Count the calls in flight, of one operation or group or of all."""
        with self._lock:
            return sum(counters.active for counters in self._chosen(operation))

    def snapshot(
        self, operation: str | None = None, window_ms: float | None = None
    ) -> RetryMetrics:
        """Return the metrics, for one operation or group or for all."""
        sums = Counters()
        with self._lock:
            now = self._clock()
            for counters in self._chosen(operation):
                if window_ms is None:
                    counters.add_to(sums, now)
                elif slots := _whole_slots(now, window_ms):
                    counters.add_recent_to(sums, now, slots)
        return sums.snapshot(operation, window_ms)

    def operations(self) -> tuple[str, ...]:
        """List the names that have been counted, sorted."""
        with self._lock:
            return tuple(sorted(self._operations))

    def reset(self) -> None:
        """Begin anew; calls in flight stay in flight and are counted when they finish."""
        with self._lock:
            now = self._clock()
            # An operation with a call in flight must stay: its end is written to this object.
            self._operations = {name: o for name, o in self._operations.items() if o.active}
            for counters in self._operations.values():
                counters.clear(now)

    def _chosen(self, operation: str | None) -> list[OperationCounters]:
        if operation is None:
            return list(self._operations.values())
        # A name may be an operation's and a group's: the sum holds both, each call once.
        return [
            counters
            for name, counters in self._operations.items()
            if name == operation or operation in counters.groups
        ]

    def _open(self, operation: str, effect: str | None = None) -> OperationCounters:
        name, groups = operation, frozenset[str]()
        # Names may come from user data, such as a chat id: memory must stay bounded.
        if len(self._operations) >= MAX_OPERATIONS:
            name = OTHER_OPERATIONS
        elif effect is not None:
            groups = frozenset((effect, operation.partition(".")[0]))
        return self._operations.setdefault(name, OperationCounters(self._clock(), groups))


def _whole_slots(now: float, window_ms: float) -> int:
    """Count the slots that lie wholly in the last milliseconds, the present one among them."""
    return floor(now / _SLOT_S) - floor((now - window_ms / 1_000) / _SLOT_S)
