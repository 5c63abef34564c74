"""Answers of the monitor: health, performance, trends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import attrgetter
from statistics import fmean
from types import MappingProxyType
from typing import Any

from evolution_sdk.config._monitoring import Thresholds

from .probe import ProbeReport
from .sample import METRICS, HealthStatus, LocalReadings, Sample
from .trend import MOST_SAMPLES, Trend, find_trend
from .window import WindowTotals

__all__ = [
    "HealthReport",
    "InstanceHealth",
    "PerformanceMetrics",
    "details_of",
    "performance",
    "trends",
]


@dataclass(frozen=True, slots=True)
class InstanceHealth:
    """Health of one instance.

    Attributes:
        status: The state of health in force.
        reasons: Reasons of the last check, in words.
        state: State as the server tells it: ``open``, ``connecting``, ``close``, or None.
        socket_dead: Whether its socket is known to be dead although it says open.
        event_age_s: Age of its last event, in seconds; None when none ever came.
        refusals: Messages that WhatsApp refused lately, after the server had accepted them.
    """

    status: HealthStatus
    reasons: tuple[str, ...] = ()
    state: str | None = None
    socket_dead: bool = False
    event_age_s: float | None = None
    refusals: int = 0


@dataclass(frozen=True, slots=True)
class HealthReport:
    """Present health.

    Attributes:
        status: The state of health in force; ``unknown`` before the first check.
        checked_at: Time of the last check, in unix seconds; None before the first.
        reasons: Reasons of the last check, in words; empty when all is well.
        details: Measurements by name; ``notes`` are words that change no state.
        instances: Health of each watched instance.
    """

    status: HealthStatus = "unknown"
    checked_at: float | None = None
    reasons: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    instances: Mapping[str, InstanceHealth] = field(default_factory=dict[str, InstanceHealth])

    @property
    def last_check(self) -> datetime | None:
        """Time of the last check, as an aware datetime; None before the first."""
        return None if self.checked_at is None else datetime.fromtimestamp(self.checked_at, UTC)


@dataclass(frozen=True, slots=True)
class PerformanceMetrics:
    """Summary of the last minutes. None stands for a value that was not measured.

    Its metrics have the names that samples, trends and alert rules know them by.

    Attributes:
        minutes: Length of the time summed up, in minutes.
        samples: Checks in this time.
        requests: Requests, those of the monitor not counted.
        messages_per_second: Messages sent and received.
        response_time_ms: Mean time of probes and reading calls, in milliseconds.
        p50_response_time_ms: Its median, right to within 1/32, in milliseconds.
        p95_response_time_ms: Its 95th percentile, right to within 1/32, in milliseconds.
        probe_ms: Mean time of the checks' probe of the server, in milliseconds.
        send_time_ms: Mean time of the requests of sends, in milliseconds.
        error_rate: Share of requests that failed, 0 to 1.
        in_flight: Calls under way at the last check.
        active_connections: Open instances at the last check.
        retry_success_rate: Share of retried calls that succeeded in the end, at the last check.
        unacked_share: Share of sends without SERVER_ACK in time, at the last check.
        refusals: Messages that WhatsApp refused lately, of the worst instance, at the last check.
        event_age_s: Age of the newest event at the last check, in seconds.
        memory_bytes: Mean resident memory of this process, in bytes.
        cpu_percent: Mean CPU use of this process; 100 is one full core.
        loop_lag_ms: Mean lag of the event loop, in milliseconds.
        outbox_depth: Messages that waited in the watched outbox at the last check.
        outbox_oldest_s: Age of the oldest of them that was due, at the last check, in seconds.
        outbox_unknown: Messages that may or may not have been sent, at the last check.
        outbox_paused: Instances that the outbox had paused for trouble at the last check.
        outbox_sent_per_second: Mean of the messages that this process sent per second.
        outbox_wait_ms: 95th percentile of the time from hand-over until sent, in milliseconds, in
            the window of the last check.
    """

    minutes: float
    samples: int
    requests: int
    messages_per_second: float
    response_time_ms: float | None
    p50_response_time_ms: float | None
    p95_response_time_ms: float | None
    probe_ms: float | None
    send_time_ms: float | None
    error_rate: float
    in_flight: int | None
    active_connections: int | None
    retry_success_rate: float | None
    unacked_share: float | None
    refusals: int | None
    event_age_s: float | None
    memory_bytes: float | None
    cpu_percent: float | None
    loop_lag_ms: float | None
    outbox_depth: int | None
    outbox_oldest_s: float | None
    outbox_unknown: int | None
    outbox_paused: int | None
    outbox_sent_per_second: float | None
    outbox_wait_ms: float | None


def performance(
    minutes: float, samples: Sequence[Sample], totals: WindowTotals, covered_s: float
) -> PerformanceMetrics:
    """Sum up the last minutes.

    Args:
        minutes: Length of the time, in minutes.
        samples: The checks of that time.
        totals: The calls of that time.
        covered_s: Seconds that the calls cover.

    Returns:
        The summary.
    """
    # Counts and ages are as of the last check; means are over all of them.
    last = samples[-1] if samples else None
    messages = totals.sends + totals.received
    return PerformanceMetrics(
        minutes=minutes,
        samples=len(samples),
        requests=totals.requests,
        messages_per_second=messages / covered_s if covered_s else 0.0,
        response_time_ms=totals.average_ms,
        p50_response_time_ms=totals.percentile_ms(0.5),
        p95_response_time_ms=totals.percentile_ms(0.95),
        probe_ms=_mean(samples, "probe_ms"),
        send_time_ms=totals.average_send_ms,
        error_rate=totals.error_rate or 0.0,
        in_flight=last.in_flight if last else None,
        active_connections=last.active_connections if last else None,
        retry_success_rate=last.retry_success_rate if last else None,
        unacked_share=last.unacked_share if last else None,
        refusals=last.refusals if last else None,
        event_age_s=last.event_age_s if last else None,
        memory_bytes=_mean(samples, "memory_bytes"),
        cpu_percent=_mean(samples, "cpu_percent"),
        loop_lag_ms=_mean(samples, "loop_lag_ms"),
        outbox_depth=last.outbox_depth if last else None,
        outbox_oldest_s=last.outbox_oldest_s if last else None,
        outbox_unknown=last.outbox_unknown if last else None,
        outbox_paused=last.outbox_paused if last else None,
        outbox_sent_per_second=_mean(samples, "outbox_sent_per_second"),
        outbox_wait_ms=last.outbox_wait_ms if last else None,
    )


def details_of(
    sample: Sample, report: ProbeReport, local: LocalReadings, identity: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Name the measurements that reports and events carry.

    Args:
        sample: The row of the check.
        report: The result of its probes.
        local: Readings of this process and of the client.
        identity: What the server says of itself, by name: its version and licence.

    Returns:
        The measurements by name, read-only.
    """
    outbox: dict[str, Any] = {}
    if local.outbox is not None:
        outbox["outbox"] = {
            "depth": local.outbox.depth,
            "oldest_s": local.outbox.oldest_s,
            "counts": dict(local.outbox.counts),
            "paused": dict(local.outbox.pauses),
        }
    return MappingProxyType(
        {
            "connected": report.server.reachable,
            **identity,
            "latency_ms": report.server.latency_ms,
            "response_time_ms": sample.response_time_ms,
            "p50_response_time_ms": sample.p50_response_time_ms,
            "p95_response_time_ms": sample.p95_response_time_ms,
            "error_rate": sample.error_rate,
            "requests": sample.requests,
            "retry_success_rate": sample.retry_success_rate,
            "messages_per_second": sample.messages_per_second,
            "in_flight": local.in_flight,
            "active_connections": sample.active_connections,
            "unacked_share": sample.unacked_share,
            "refusals": sample.refusals,
            "event_age_s": sample.event_age_s,
            "breakers": dict(local.breakers),
            "instances": {each.name: each.state for each in report.instances},
            "failure": report.server.failure,
            **outbox,
        }
    )


def _mean(samples: Sequence[Sample], metric: str) -> float | None:
    values = [value for sample in samples if (value := sample.value(metric)) is not None]
    return fmean(values) if values else None


def trends(
    samples: Sequence[Sample],
    limits: Thresholds,
    window_ms: float,
    metrics: Iterable[str] = tuple(METRICS),
) -> dict[str, Trend]:
    """Find the trend of every metric that has values.

    Args:
        samples: Checks, the oldest first.
        limits: Thresholds to forecast.
        window_ms: The time that each value already stands for, in milliseconds.
        metrics: Names of the metrics to look at.

    Returns:
        The trends by metric.
    """
    # A value stands for a window already: closer points would count it twice. Of many samples,
    # some at even distances tell the same.
    if len(samples) > MOST_SAMPLES:
        step = (len(samples) - 1) / (MOST_SAMPLES - 1)
        samples = [samples[round(number * step)] for number in range(MOST_SAMPLES)]
    times = [sample.at for sample in samples]
    bounds = limits.by_metric()
    found: dict[str, Trend] = {}
    for name in metrics:
        metric = METRICS[name]
        values = map(attrgetter(name), samples)
        points = [
            (at, float(value)) for at, value in zip(times, values, strict=True) if value is not None
        ]
        if points:
            found[name] = find_trend(
                name,
                metric.unit,
                points,
                least_width_s=window_ms / 1_000,
                least_change=metric.least_change,
                limits=bounds.get(name, ()),
            )
    return found
