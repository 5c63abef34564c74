"""RetryMetrics: a snapshot of the counters of the retry service."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, NoReturn

__all__ = ["AttemptsHistogram", "RetryMetrics"]


class AttemptsHistogram(dict[int, int]):
    """Number of calls by number of attempts. It cannot be changed; otherwise it is a dict."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return (AttemptsHistogram, (dict(self),))

    def __copy__(self) -> AttemptsHistogram:
        return self

    def __deepcopy__(self, _: Any) -> AttemptsHistogram:
        return self


# A snapshot may be shared by exporters and handlers: one must not change what another reads.
def _refuse(*_: object, **__: object) -> NoReturn:
    raise TypeError("A snapshot of the metrics cannot be changed; make a dict of it.")


_CHANGES = "__setitem__ __delitem__ __ior__ clear pop popitem setdefault update"
for _name in _CHANGES.split():
    setattr(AttemptsHistogram, _name, _refuse)


@dataclass(frozen=True, slots=True)
class RetryMetrics:
    """Numbers since the service began or was reset, or of its sliding window; a copy.

    Only finished calls are counted, so that the numbers always add up. Rates are fractions from
    0 to 1, and 0.0 as long as there is nothing to divide.

    Attributes:
        operation: Name of the operation or group; None for the total of all.
        window_ms: Length of the window, in milliseconds; None for everything.
        total_operations: Calls that succeeded or failed.
        successful_operations: Calls that returned.
        failed_operations: Calls that raised in the end.
        cancelled_operations: Calls broken off from outside (cancellation, ``KeyboardInterrupt``);
            in none of the other numbers but those of unknown outcomes.
        success_rate: successful / total, from 0 to 1.
        failure_rate: failed / total, from 0 to 1.
        average_time_to_success_ms: Mean time of the successful calls from beginning to end,
            waits included, in milliseconds.
        p50_time_to_success_ms: Half of them took no longer, in milliseconds; this and the next two
            are within 1/32 of the true value.
        p95_time_to_success_ms: 95 % of them took no longer, in milliseconds.
        p99_time_to_success_ms: 99 % of them took no longer, in milliseconds.
        attempts: Attempts of all calls.
        retries: Attempts after the first of a call.
        attempts_per_operation: attempts / total.
        attempts_histogram: Number of calls by number of attempts; 100 stands for 100 and more.
        successes_first_try: Successful calls of one attempt.
        successes_after_retry: Successful calls of several attempts.
        failures_after_retry: Failed calls of several attempts.
        retry_success_rate: Of the calls of several attempts, the fraction that succeeded.
        waits: Waits between attempts, of calls finished or broken off.
        total_wait_ms: Their sum, in milliseconds.
        budget_refusals: Calls that gave up because the retry budget was used up.
        circuit_refusals: Calls that gave up because the circuit breaker was open.
        unknown_outcomes: Attempts to send that may or may not have acted.
        resolved_found: Unknown outcomes whose message was found.
        resolved_absent: Unknown outcomes whose message was looked for and not found.
        unresolved_outcomes: Unknown outcomes that could not be looked up, or should not be.
        handler_errors: Event handlers that raised.
    """

    operation: str | None
    window_ms: float | None
    total_operations: int
    successful_operations: int
    failed_operations: int
    cancelled_operations: int
    success_rate: float
    failure_rate: float
    average_time_to_success_ms: float
    p50_time_to_success_ms: float
    p95_time_to_success_ms: float
    p99_time_to_success_ms: float
    attempts: int
    retries: int
    attempts_per_operation: float
    attempts_histogram: AttemptsHistogram
    successes_first_try: int
    successes_after_retry: int
    failures_after_retry: int
    retry_success_rate: float
    waits: int
    total_wait_ms: float
    budget_refusals: int
    circuit_refusals: int
    unknown_outcomes: int
    resolved_found: int
    resolved_absent: int
    unresolved_outcomes: int
    handler_errors: int

    @classmethod
    def names(cls) -> Iterable[str]:
        """List the names of all numbers, for exporters.

        Returns:
            Field names but for ``operation`` and ``window_ms``, in order.
        """
        return [f.name for f in fields(cls) if f.name not in ("operation", "window_ms")]
