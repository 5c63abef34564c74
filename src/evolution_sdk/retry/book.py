"""The counters behind the metrics: per operation, exact, of bounded size, behind one lock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import floor
from threading import Lock
from typing import Final

from evolution_sdk._base.forking import free_in_child, in_child

from .latency import bucket_of, percentile_ms
from .metrics import Histogram, RetryMetrics
from .safety import StopReason

__all__ = ["MAX_OPERATIONS", "OTHER", "WINDOW_MS", "Counts", "MetricsBook", "Record", "Tally"]

MAX_OPERATIONS: Final = 1_000
"""Operations beyond this many distinct names are counted together, as ``OTHER``."""

OTHER: Final = "other"

WINDOW_MS: Final = 300_000
"""How far back the sliding window reaches, in milliseconds."""

_SLOTS: Final = 30
_SLOT_S: Final = WINDOW_MS / 1_000 / _SLOTS
_MOST_ATTEMPTS_SHOWN: Final = 100


class Tally:
    """What one call has gone through so far."""

    __slots__ = ("absent", "found", "unknown", "wait_ms", "waits")

    def __init__(self) -> None:
        self.waits: int = 0
        self.wait_ms: float = 0.0
        self.unknown: int = 0
        self.found: int = 0
        self.absent: int = 0


class Counts:
    """Running sums over some stretch of time."""

    __slots__ = (
        "absent",
        "attempts",
        "budget",
        "cancelled",
        "circuit",
        "failed",
        "failed_first_try",
        "first_try",
        "found",
        "handler_errors",
        "histogram",
        "success_ms",
        "successful",
        "times",
        "unknown",
        "wait_ms",
        "waits",
    )

    successful: int
    failed: int
    cancelled: int
    attempts: int
    first_try: int
    failed_first_try: int
    waits: int
    unknown: int
    found: int
    absent: int
    budget: int
    circuit: int
    handler_errors: int

    def __init__(self) -> None:
        self.successful = self.failed = self.cancelled = self.attempts = 0
        self.first_try = self.failed_first_try = self.waits = 0
        self.unknown = self.found = self.absent = 0
        self.budget = self.circuit = self.handler_errors = 0
        self.success_ms: float = 0.0
        self.wait_ms: float = 0.0
        self.histogram: dict[int, int] = {}
        self.times: dict[int, int] = {}

    def add(self, other: Counts) -> None:
        """Add another stretch."""
        for name in self.__slots__:
            if name not in ("histogram", "times"):
                setattr(self, name, getattr(self, name) + getattr(other, name))
        for mine, others in ((self.histogram, other.histogram), (self.times, other.times)):
            for key, calls in others.items():
                mine[key] = mine.get(key, 0) + calls

    def finish(self, attempts: int) -> None:
        """Count one finished call's attempts."""
        self.attempts += attempts
        shown = min(attempts, _MOST_ATTEMPTS_SHOWN)
        self.histogram[shown] = self.histogram.get(shown, 0) + 1

    def close(self, tally: Tally) -> None:
        """Count what a call went through, however it ended."""
        self.waits += tally.waits
        self.wait_ms += tally.wait_ms
        self.unknown += tally.unknown
        self.found += tally.found
        self.absent += tally.absent

    def snapshot(self, operation: str | None, window_ms: float | None) -> RetryMetrics:
        """Copy the sums and derive the rates."""
        total = self.successful + self.failed
        retried_well = self.successful - self.first_try
        retried_badly = self.failed - self.failed_first_try
        return RetryMetrics(
            operation=operation,
            window_ms=window_ms,
            total_operations=total,
            successful_operations=self.successful,
            failed_operations=self.failed,
            cancelled_operations=self.cancelled,
            success_rate=_ratio(self.successful, total),
            failure_rate=_ratio(self.failed, total),
            average_time_to_success_ms=_ratio(self.success_ms, self.successful),
            p50_time_to_success_ms=percentile_ms(self.times, 0.50),
            p95_time_to_success_ms=percentile_ms(self.times, 0.95),
            p99_time_to_success_ms=percentile_ms(self.times, 0.99),
            attempts=self.attempts,
            retries=self.attempts - total,
            attempts_per_operation=_ratio(self.attempts, total),
            attempts_histogram=Histogram(sorted(self.histogram.items())),
            successes_first_try=self.first_try,
            successes_after_retry=retried_well,
            failures_after_retry=retried_badly,
            retry_success_rate=_ratio(retried_well, retried_well + retried_badly),
            waits=self.waits,
            total_wait_ms=self.wait_ms,
            budget_refusals=self.budget,
            circuit_refusals=self.circuit,
            unknown_outcomes=self.unknown,
            resolved_found=self.found,
            resolved_absent=self.absent,
            unresolved_outcomes=self.unknown - self.found - self.absent,
            handler_errors=self.handler_errors,
        )


def _ratio(part: float, whole: int) -> float:
    return part / whole if whole else 0.0


class Record:
    """One operation: its calls in flight, and its sums, the newest ones in slots of time."""

    __slots__ = ("_ended", "_recent", "_slot", "active", "groups", "now", "until")

    active: int
    groups: frozenset[str]
    now: Counts
    until: float
    _ended: Counts
    _recent: deque[tuple[int, Counts]]
    _slot: int

    def __init__(self, slot: int, groups: frozenset[str] = frozenset()) -> None:
        self.active = 0
        self.groups = groups
        self.clear(slot)

    def clear(self, slot: int) -> None:
        """Begin again, but for the calls in flight."""
        self._ended, self.now = Counts(), Counts()
        self._recent = deque()
        self._begin(slot)

    def _begin(self, slot: int) -> None:
        self._slot, self.until = slot, (slot + 1) * _SLOT_S

    def at(self, slot: int) -> Counts:
        """The sums to write to in that slot of time."""
        if slot > self._slot:
            self._recent.append((self._slot, self.now))
            self.now = Counts()
            self._begin(slot)
            while self._recent and self._recent[0][0] <= slot - _SLOTS:
                self._ended.add(self._recent.popleft()[1])
        return self.now

    def gather(self, into: Counts, oldest: int | None) -> None:
        """Add all sums, or those of the slots from ``oldest`` on."""
        if oldest is None:
            into.add(self._ended)
        for slot, counts in (*self._recent, (self._slot, self.now)):
            if oldest is None or slot >= oldest:
                into.add(counts)


class MetricsBook:
    """All records of one service.

    Args:
        clock: Seconds, never going back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = free_in_child(Lock())
        self._records: dict[str, Record] = {}
        in_child(self._records_anew)

    def _records_anew(self) -> None:
        """Nothing has been called in this process yet, nor is in flight."""
        self._records = {}

    def begin(self, operation: str, effect: str | None = None) -> Record:
        """Count a call as in flight and return the record it will be written to.

        Args:
            operation: Its name.
            effect: What it does, for a call of the API: it is then also counted in the group of
                that effect and in that of its family, the part of its name before the dot.
        """
        with self._lock:
            record = self._records.get(operation)
            if record is None:
                record = self._open(operation, effect)
            record.active += 1
            return record

    def succeeded_at_once(self, record: Record, now: float, elapsed_ms: float) -> None:
        """Count a call whose first attempt returned."""
        # Nearly every call ends here: written out, as each call of a function would show.
        bucket = bucket_of(elapsed_ms)
        with self._lock:
            counts = record.now if now < record.until else record.at(int(now / _SLOT_S))
            record.active -= 1
            counts.successful += 1
            counts.first_try += 1
            counts.attempts += 1
            counts.success_ms += elapsed_ms
            times, histogram = counts.times, counts.histogram
            times[bucket] = times.get(bucket, 0) + 1
            histogram[1] = histogram.get(1, 0) + 1

    def succeeded(
        self, record: Record, now: float, attempts: int, elapsed_ms: float, tally: Tally
    ) -> None:
        """Count a call that returned after all."""
        with self._lock:
            counts = record.at(int(now / _SLOT_S))
            record.active -= 1
            counts.successful += 1
            counts.first_try += attempts == 1
            counts.success_ms += elapsed_ms
            bucket = bucket_of(elapsed_ms)
            counts.times[bucket] = counts.times.get(bucket, 0) + 1
            counts.close(tally)
            counts.finish(attempts)

    def failed(
        self, record: Record, now: float, attempts: int, reason: StopReason, tally: Tally
    ) -> None:
        """Count a call that raised in the end."""
        with self._lock:
            counts = record.at(int(now / _SLOT_S))
            record.active -= 1
            counts.failed += 1
            counts.failed_first_try += attempts == 1
            counts.budget += reason is StopReason.BUDGET
            counts.circuit += reason is StopReason.CIRCUIT_OPEN
            counts.close(tally)
            counts.finish(attempts)

    def cancelled(self, record: Record, tally: Tally) -> None:
        """Count a call that was broken off from outside."""
        with self._lock:
            counts = record.at(self._slot())
            record.active -= 1
            counts.cancelled += 1
            counts.close(tally)

    def handler_failed(self, operation: str) -> None:
        """Count a failed event handler."""
        with self._lock:
            record = self._records.get(operation) or self._open(operation)
            record.at(self._slot()).handler_errors += 1

    def active(self, operation: str | None = None) -> int:
        """Count the calls in flight."""
        with self._lock:
            return sum(record.active for record in self._chosen(operation))

    def snapshot(
        self, operation: str | None = None, window_ms: float | None = None
    ) -> RetryMetrics:
        """Return what has been counted, for one operation or for all."""
        sums = Counts()
        with self._lock:
            oldest = None
            if window_ms is not None:
                oldest = floor((self._clock() - window_ms / 1_000) / _SLOT_S) + 1
            for record in self._chosen(operation):
                record.gather(sums, oldest)
        return sums.snapshot(operation, window_ms)

    def operations(self) -> tuple[str, ...]:
        """The names that have been counted, sorted."""
        with self._lock:
            return tuple(sorted(self._records))

    def reset(self) -> None:
        """Begin again; calls in flight stay in flight and are counted when they finish."""
        with self._lock:
            slot = self._slot()
            self._records = {name: r for name, r in self._records.items() if r.active}
            for record in self._records.values():
                record.clear(slot)

    def _slot(self) -> int:
        return int(self._clock() / _SLOT_S)

    def _chosen(self, operation: str | None) -> list[Record]:
        if operation is None:
            return list(self._records.values())
        # A name may be an operation's and a group's: the sum holds both, each call once.
        return [
            record
            for name, record in self._records.items()
            if name == operation or operation in record.groups
        ]

    def _open(self, operation: str, effect: str | None = None) -> Record:
        name, groups = operation, frozenset[str]()
        if len(self._records) >= MAX_OPERATIONS:
            name = OTHER
        elif effect is not None:
            groups = frozenset((effect, operation.partition(".")[0]))
        return self._records.setdefault(name, Record(self._slot(), groups))
