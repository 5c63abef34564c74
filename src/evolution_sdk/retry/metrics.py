"""Counters of the retry service: per operation and in total, exact, of bounded size."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import Final

__all__ = ["MAX_OPERATIONS", "OTHER", "MetricsBook", "Record", "RetryMetrics", "Tally"]

MAX_OPERATIONS: Final = 1_000
"""Operations beyond this many distinct names are counted together, as ``OTHER``."""

OTHER: Final = "other"

_MOST_ATTEMPTS_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class RetryMetrics:
    """What happened since the service began or was reset; a copy that no longer changes.

    Only finished calls are counted, so that the numbers always add up. Rates are fractions from
    0 to 1, and 0.0 as long as there is nothing to divide.

    Attributes:
        operation: The operation's name; None for the total of all.
        total_operations: Calls that succeeded or failed.
        successful_operations: Calls that returned.
        failed_operations: Calls that raised in the end.
        cancelled_operations: Calls broken off from outside (cancellation, ``KeyboardInterrupt``);
            in none of the other numbers but those of unknown outcomes.
        success_rate: successful / total, from 0 to 1.
        failure_rate: failed / total, from 0 to 1.
        average_time_to_success_ms: Mean time from beginning to end of the successful calls,
            waits included, in milliseconds.
        attempts: Attempts of all calls.
        retries: Attempts after the first of a call.
        attempts_per_operation: attempts / total.
        attempts_histogram: Number of calls by number of attempts; 100 stands for 100 and more.
        successes_first_try: Successful calls of one attempt.
        successes_after_retry: Successful calls of several attempts.
        unknown_outcomes: Attempts to send that ended without telling whether they had acted.
        resolved_found: Unknown outcomes of which the message was found.
        resolved_absent: Unknown outcomes of which the message was looked for and not found.
        total_wait_ms: Sum of the waits between attempts, in milliseconds.
        handler_errors: Event handlers that raised.
    """

    operation: str | None
    total_operations: int
    successful_operations: int
    failed_operations: int
    cancelled_operations: int
    success_rate: float
    failure_rate: float
    average_time_to_success_ms: float
    attempts: int
    retries: int
    attempts_per_operation: float
    attempts_histogram: dict[int, int]
    successes_first_try: int
    successes_after_retry: int
    unknown_outcomes: int
    resolved_found: int
    resolved_absent: int
    total_wait_ms: float
    handler_errors: int


class Tally:
    """What one call has gone through so far."""

    __slots__ = ("absent", "found", "unknown", "wait_ms")

    def __init__(self) -> None:
        self.wait_ms: float = 0.0
        self.unknown: int = 0
        self.found: int = 0
        self.absent: int = 0


class Record:
    """The running sums of one operation; changed only under its book's lock."""

    __slots__ = (
        "absent",
        "active",
        "attempts",
        "cancelled",
        "failed",
        "first_try",
        "found",
        "handler_errors",
        "histogram",
        "success_ms",
        "successful",
        "unknown",
        "wait_ms",
    )

    successful: int
    failed: int
    cancelled: int
    attempts: int
    first_try: int
    unknown: int
    found: int
    absent: int
    handler_errors: int
    success_ms: float
    wait_ms: float
    histogram: dict[int, int]

    def __init__(self, active: int = 0) -> None:
        self.active: int = active
        self.clear()

    def clear(self) -> None:
        """Begin again, but for the calls in flight."""
        self.successful = self.failed = self.cancelled = self.attempts = self.first_try = 0
        self.unknown = self.found = self.absent = self.handler_errors = 0
        self.success_ms = self.wait_ms = 0.0
        self.histogram = {}

    def add(self, other: Record) -> None:
        """Add another operation's sums."""
        for name in self.__slots__:
            if name != "histogram":
                setattr(self, name, getattr(self, name) + getattr(other, name))
        for attempts, calls in other.histogram.items():
            self.histogram[attempts] = self.histogram.get(attempts, 0) + calls

    def snapshot(self, operation: str | None) -> RetryMetrics:
        """Copy the sums and derive the rates."""
        total = self.successful + self.failed
        return RetryMetrics(
            operation=operation,
            total_operations=total,
            successful_operations=self.successful,
            failed_operations=self.failed,
            cancelled_operations=self.cancelled,
            success_rate=_ratio(self.successful, total),
            failure_rate=_ratio(self.failed, total),
            average_time_to_success_ms=_ratio(self.success_ms, self.successful),
            attempts=self.attempts,
            retries=self.attempts - total,
            attempts_per_operation=_ratio(self.attempts, total),
            attempts_histogram=dict(sorted(self.histogram.items())),
            successes_first_try=self.first_try,
            successes_after_retry=self.successful - self.first_try,
            unknown_outcomes=self.unknown,
            resolved_found=self.found,
            resolved_absent=self.absent,
            total_wait_ms=self.wait_ms,
            handler_errors=self.handler_errors,
        )


def _ratio(part: float, whole: int) -> float:
    return part / whole if whole else 0.0


class MetricsBook:
    """All records of one service, behind one lock."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._records: dict[str, Record] = {}

    def begin(self, operation: str) -> Record:
        """Count a call as in flight and return the record it will be written to."""
        with self._lock:
            record = self._records.get(operation)
            if record is None:
                record = self._open(operation)
            record.active += 1
            return record

    def succeeded(self, record: Record, attempts: int, elapsed_ms: float, tally: Tally) -> None:
        """Count a call that returned."""
        with self._lock:
            record.successful += 1
            record.first_try += attempts == 1
            record.success_ms += elapsed_ms
            _finish(record, attempts, tally)

    def failed(self, record: Record, attempts: int, tally: Tally) -> None:
        """Count a call that raised in the end."""
        with self._lock:
            record.failed += 1
            _finish(record, attempts, tally)

    def cancelled(self, record: Record, tally: Tally) -> None:
        """Count a call that was broken off from outside."""
        with self._lock:
            record.cancelled += 1
            _close(record, tally)

    def handler_failed(self, operation: str) -> None:
        """Count a failed event handler."""
        with self._lock:
            (self._records.get(operation) or self._open(operation)).handler_errors += 1

    def active(self, operation: str | None = None) -> int:
        """Count the calls in flight."""
        with self._lock:
            return sum(record.active for record in self._chosen(operation))

    def snapshot(self, operation: str | None = None) -> RetryMetrics:
        """Return what has been counted, for one operation or for all."""
        with self._lock:
            total = Record()
            for record in self._chosen(operation):
                total.add(record)
        return total.snapshot(operation)

    def reset(self) -> None:
        """Begin again; calls in flight stay in flight and are counted when they finish."""
        with self._lock:
            self._records = {name: r for name, r in self._records.items() if r.active}
            for record in self._records.values():
                record.clear()

    def _chosen(self, operation: str | None) -> list[Record]:
        if operation is None:
            return list(self._records.values())
        record = self._records.get(operation)
        return [] if record is None else [record]

    def _open(self, operation: str) -> Record:
        name = operation if len(self._records) < MAX_OPERATIONS else OTHER
        return self._records.setdefault(name, Record())


def _finish(record: Record, attempts: int, tally: Tally) -> None:
    record.attempts += attempts
    record.wait_ms += tally.wait_ms
    shown = min(attempts, _MOST_ATTEMPTS_SHOWN)
    record.histogram[shown] = record.histogram.get(shown, 0) + 1
    _close(record, tally)


def _close(record: Record, tally: Tally) -> None:
    record.active -= 1
    record.unknown += tally.unknown
    record.found += tally.found
    record.absent += tally.absent
