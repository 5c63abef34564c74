"""The figures of a report, from samples. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median
from typing import Final

from evolution_sdk.monitor.sample import UP, HealthStatus, Sample

__all__ = ["Figures", "Run", "column", "figures_of", "runs_of", "uptime_of"]

_POINTS: Final = 160
Run = tuple[float, float, HealthStatus]


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of a time. None stands for what was not measured.

    Attributes:
        samples: Checks.
        uptime: Share of the known time in which the whole was healthy or degraded.
        median_ms: Median of the medians of response time, in milliseconds.
        p95_ms: Median of its 95th percentiles, in milliseconds.
        worst_p95_ms: Highest of them, in milliseconds.
        error_rate: Mean share of failed requests.
        worst_error_rate: Highest share.
        messages: Messages sent and received, about.
        unacked_share: Highest share of sends without an acknowledgement, of the worst instance.
        refusals: Most messages that WhatsApp refused within its window.
        retry_success_rate: Mean share of retried calls that succeeded.
        outbox_depth: Most messages that waited in the outbox.
        outbox_oldest_s: Highest age of the oldest one that was due, in seconds.
        outbox_unknown: Messages of unknown outcome at the end.
    """

    samples: int
    uptime: float | None
    median_ms: float | None
    p95_ms: float | None
    worst_p95_ms: float | None
    error_rate: float | None
    worst_error_rate: float | None
    messages: float | None
    unacked_share: float | None
    refusals: float | None
    retry_success_rate: float | None
    outbox_depth: float | None
    outbox_oldest_s: float | None
    outbox_unknown: float | None


def runs_of(samples: Sequence[Sample], gap_s: float) -> list[Run]:
    """Return the times in which one state of health was in force.

    Args:
        samples: Samples, the oldest first.
        gap_s: Time between two checks after which nothing is known, in seconds.
    """
    runs: list[Run] = []
    for sample, following in pairwise(samples):
        if following.at - sample.at > gap_s:
            continue
        if runs and runs[-1][1] == sample.at and runs[-1][2] == sample.status:
            runs[-1] = (runs[-1][0], following.at, sample.status)
        else:
            runs.append((sample.at, following.at, sample.status))
    return runs


def uptime_of(runs: Iterable[Run]) -> float | None:
    """Return the share of the known time in which it could be used; None where nothing is known.

    Args:
        runs: As of :func:`runs_of`.
    """
    up = known = 0.0
    for begin, end, status in runs:
        if status != "unknown":
            known += end - begin
            up += (end - begin) * (status in UP)
    return up / known if known else None


def column(samples: Sequence[Sample], metric: str, begin: float, end: float) -> list[float | None]:
    """Return a metric at even distances; the mean where several samples fall into one.

    Args:
        samples: Samples, the oldest first.
        metric: The metric.
        begin: Begin of the time, in unix seconds.
        end: End of it.
    """
    parts: list[list[float]] = [[] for _ in range(_POINTS)]
    step = max(end - begin, 1e-9) / _POINTS
    for sample in samples:
        value = sample.value(metric)
        if value is not None and begin <= sample.at <= end:
            parts[min(_POINTS - 1, int((sample.at - begin) / step))].append(value)
    return [fmean(part) if part else None for part in parts]


def figures_of(samples: Sequence[Sample], gap_s: float) -> Figures:
    """Sum up samples.

    Args:
        samples: Samples, the oldest first.
        gap_s: As of :func:`runs_of`.
    """
    p95 = _known(samples, "p95_response_time_ms")
    errors = _known(samples, "error_rate")
    last = samples[-1] if samples else None
    retried = _known(samples, "retry_success_rate")
    return Figures(
        samples=len(samples),
        uptime=uptime_of(runs_of(samples, gap_s)),
        median_ms=_or_none(median, _known(samples, "p50_response_time_ms")),
        p95_ms=_or_none(median, p95),
        worst_p95_ms=max(p95, default=None),
        error_rate=_or_none(fmean, errors),
        worst_error_rate=max(errors, default=None),
        messages=_messages(samples, gap_s),
        unacked_share=max(_known(samples, "unacked_share"), default=None),
        refusals=max(_known(samples, "refusals"), default=None),
        retry_success_rate=_or_none(fmean, retried),
        outbox_depth=max(_known(samples, "outbox_depth"), default=None),
        outbox_oldest_s=max(_known(samples, "outbox_oldest_s"), default=None),
        outbox_unknown=None if last is None else last.value("outbox_unknown"),
    )


def _known(samples: Sequence[Sample], metric: str) -> list[float]:
    values = (sample.value(metric) for sample in samples)
    return [value for value in values if value is not None]


def _or_none(sum_up: Callable[[list[float]], float], values: list[float]) -> float | None:
    return sum_up(values) if values else None


def _messages(samples: Sequence[Sample], gap_s: float) -> float | None:
    """Messages, by their rate and the time it held."""
    total, known = 0.0, False
    for sample, following in pairwise(samples):
        rate = sample.messages_per_second
        if rate is not None and following.at - sample.at <= gap_s:
            total += rate * (following.at - sample.at)
            known = True
    return total if known else None
