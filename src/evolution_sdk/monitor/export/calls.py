"""Metrics of finished calls: their readings, sums of them, and the feed from clients."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

from evolution_sdk._base.forking import free_in_child, in_child
from evolution_sdk._client.observers import AttemptFinished, Fact
from evolution_sdk.monitor.clients import PROBING
from evolution_sdk.operations.routes import OPERATIONS
from evolution_sdk.retry import EvolutionRetryService, FailureEvent, SuccessEvent

from .families import FAMILIES, MetricReading

__all__ = [
    "MAX_OPERATIONS",
    "OTHER",
    "CallTotals",
    "LabelLimiter",
    "Totals",
    "error_name",
    "feed",
    "of_event",
    "of_fact",
    "operations",
]

OTHER: Final = "other"
MAX_OPERATIONS: Final = 200
"""Distinct names of operations beside those of the API; further ones are counted as ``other``."""


class LabelLimiter:
    """Limits the values of a label: the first ones seen, then ``other``.

    Args:
        most: Number of values.
        known: Values that are always let through and not counted.
    """

    def __init__(self, most: int, known: Iterable[str] = ()) -> None:
        self._most = most
        self._known = frozenset(known)
        self._seen: set[str] = set()
        self._lock = free_in_child(Lock())

    def __call__(self, value: str) -> str:
        """Return the value, or ``other``."""
        if value in self._known or value in self._seen:
            return value
        # A name of the server may hold half a character, which no exporter could write.
        clean = value.encode("utf-8", "replace").decode("utf-8")
        with self._lock:
            if clean not in self._seen and len(self._seen) >= self._most:
                return OTHER
            self._seen.add(clean)
        return clean


def operations() -> LabelLimiter:
    """Make the limiter of operation names."""
    return LabelLimiter(MAX_OPERATIONS, OPERATIONS)


def error_name(error: BaseException) -> str:
    """Name the class of one of our errors; ``other`` for a foreign one, to bound the label."""
    kind = type(error)
    return kind.__name__ if kind.__module__.startswith("evolution_sdk.") else OTHER


def of_fact(fact: Fact, bounded: LabelLimiter) -> list[MetricReading]:
    """Turn one fact of a client into readings."""
    error = fact.error
    operation = bounded(fact.operation)
    if isinstance(fact, AttemptFinished):
        duration = MetricReading(
            "evolution.request.duration", fact.response_ms / 1_000, (fact.effect.value,)
        )
        if error is None or not isinstance(error, Exception):
            return [duration]
        return [
            duration,
            MetricReading("evolution.request.errors", 1, (operation, error_name(error))),
        ]
    if error is None:
        result = "success"
    else:
        result = "failure" if isinstance(error, Exception) else "cancelled"
    return _finished(operation, result, fact.elapsed_ms, fact.attempts)


def of_event(event: SuccessEvent | FailureEvent, bounded: LabelLimiter) -> list[MetricReading]:
    """Turn an event of a retry service into readings."""
    result = "success" if isinstance(event, SuccessEvent) else "failure"
    return _finished(bounded(event.operation), result, event.elapsed_ms, event.attempts)


def _finished(operation: str, result: str, elapsed_ms: float, attempts: int) -> list[MetricReading]:
    duration = MetricReading("evolution.call.duration", elapsed_ms / 1_000, (operation, result))
    # Refused before the first request, or answered from the cache.
    if not attempts:
        return [duration]
    return [duration, MetricReading("evolution.call.attempts", attempts, (operation,))]


@dataclass(slots=True)
class Totals:
    """Counts per bucket of a histogram, the last without bound, and their sum; or a counter's sum.

    Attributes:
        counts: Values per bucket, not cumulated.
        sum: The sum of all values.
    """

    counts: list[int]
    sum: float = 0.0


class CallTotals:
    """Sums readings from its start on; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = free_in_child(Lock())
        self._begin()
        in_child(self._begin)

    def _begin(self) -> None:
        self._totals: dict[str, dict[tuple[str, ...], Totals]] = {}

    def add(self, readings: Iterable[MetricReading]) -> None:
        """Add the readings of a call."""
        with self._lock:
            for reading in readings:
                buckets = FAMILIES[reading.family].buckets
                rows = self._totals.setdefault(reading.family, {})
                row = rows.get(reading.labels)
                if row is None:
                    row = rows[reading.labels] = Totals([0] * (len(buckets) + 1))
                row.counts[bisect_left(buckets, reading.value)] += 1
                row.sum += reading.value

    def rows(self, family: str) -> list[tuple[tuple[str, ...], Totals]]:
        """Copy the sums of a metric, by labels."""
        with self._lock:
            rows = self._totals.get(family, {})
            return [(labels, Totals(list(row.counts), row.sum)) for labels, row in rows.items()]


def feed(
    client: Any,
    retry: EvolutionRetryService | None,
    take: Callable[[Iterable[MetricReading]], object],
) -> Callable[[], None]:
    """Listen until the returned function is called; the monitor's own probes are left out.

    Args:
        client: A sync or async client, or None.
        retry: A retry service that is not the client's own, or None.
        take: Called with the readings of each call, in the thread or task of the call.

    Returns:
        A function that ends it.
    """
    bounded = operations()

    def fact(told: Fact) -> None:
        if not PROBING.get():
            take(of_fact(told, bounded))

    def finished(event: SuccessEvent | FailureEvent) -> None:
        take(of_event(event, bounded))

    ends: list[Callable[[], object]] = []
    if client is not None:
        ends.append(client.observe(fact))
    if retry is not None:
        retry.on("success", finished)
        retry.on("failure", finished)
        ends += (
            lambda: retry.remove_listener("success", finished),
            lambda: retry.remove_listener("failure", finished),
        )

    def end() -> None:
        while ends:
            ends.pop()()

    return end
