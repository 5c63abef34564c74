"""One row of measurements, and the meaning of its columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Final, Literal, Self, TypeAlias

__all__ = [
    "METRICS",
    "STATUSES",
    "UP",
    "HealthStatus",
    "LocalReadings",
    "Metric",
    "OutboxReadings",
    "Sample",
    "gap_s",
    "worst",
]

HealthStatus: TypeAlias = Literal["healthy", "degraded", "unhealthy", "unknown"]

STATUSES: Final[tuple[HealthStatus, ...]] = ("healthy", "unknown", "degraded", "unhealthy")
"""From best to worst."""


UP: Final = frozenset[HealthStatus]({"healthy", "degraded"})
"""Those that count as up."""

# One check may be late, or its answer lost.
_GAP_CHECKS: Final = 3
_LEAST_GAP_S: Final = 60.0


def gap_s(interval_ms: float) -> float:
    """Return the time without a check after which nothing is known, in seconds.

    Args:
        interval_ms: Time between two checks by the settings, in milliseconds.
    """
    return max(_LEAST_GAP_S, _GAP_CHECKS * interval_ms / 1_000)


def worst(*statuses: HealthStatus) -> HealthStatus:
    """Return the worst of some statuses; healthy when there are none."""
    return STATUSES[max(map(STATUSES.index, statuses), default=0)]


@dataclass(frozen=True, slots=True)
class Metric:
    """Meaning of a column of a sample.

    Attributes:
        name: Its field.
        unit: Its unit, in words.
        label: Its name in words.
        detect: Whether anomalies are looked for in it.
        least_change: A change over the time looked at that is smaller is no trend, in its unit.
        advice: Recommended action where an alert rule finds it out of bounds.
    """

    name: str
    unit: str
    label: str
    detect: bool = True
    least_change: float = 0.0
    advice: str = ""


@dataclass(frozen=True, slots=True)
class OutboxReadings:
    """Figures of a watched outbox at a check.

    Attributes:
        depth: Messages that wait or are being sent.
        oldest_s: Age of the oldest of them that is due, in seconds; where a person or a limit of
            the SDK holds an instance back, its messages are left out.
        unknown: Messages that may or may not have been sent, and wait for a person.
        pauses: The reason of each pause for trouble, by instance; ``*`` for the whole server.
        sent_per_second: Messages that the workers of this process sent per second in the window.
        p95_wait_ms: 95th percentile of the time from their hand-over until they were sent, in
            milliseconds; None when none was sent.
        counts: Messages by state.
    """

    depth: int
    oldest_s: float
    unknown: int
    pauses: Mapping[str, str]
    sent_per_second: float
    p95_wait_ms: float | None
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class LocalReadings:
    """Readings of this process and of the client at a check; None where there is none.

    Attributes:
        in_flight: Calls under way.
        breakers: State of each circuit breaker, by scope.
        causes: Reason why each of them opened, in words, by scope.
        memory_bytes: Memory of this process, in bytes.
        cpu_percent: CPU use of this process.
        loop_lag_ms: Delay with which the event loop woke the monitor, in milliseconds.
        outbox: Figures of the watched outbox; None without one, or while it cannot be read.
    """

    in_flight: int | None = None
    breakers: Mapping[str, str] = field(default_factory=dict[str, str])
    causes: Mapping[str, str] = field(default_factory=dict[str, str])
    memory_bytes: int | None = None
    cpu_percent: float | None = None
    loop_lag_ms: float | None = None
    outbox: OutboxReadings | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Measurements of one check. None stands for a value that could not be measured.

    Attributes:
        at: Time of the check, in unix seconds.
        status: The health that was in force after it.
        reachable: Whether the server answered; None when it was not asked.
        response_time_ms: Mean time of probes and reading calls in the window, in milliseconds.
        p50_response_time_ms: Its median, in milliseconds.
        p95_response_time_ms: Its 95th percentile, in milliseconds.
        probe_ms: Time of the first answer of this check, in milliseconds.
        send_time_ms: Mean time of sends in the window, in milliseconds; the server holds them for
            their ``delay``.
        error_rate: Share of requests in the window that failed, 0 to 1; errors of the caller do
            not count as failures.
        messages_per_second: Messages sent and received per second in the window.
        requests: Requests in the window.
        in_flight: Calls under way.
        active_connections: Watched instances whose connection is open and not known to be dead;
            None when none is known to be, and not all are known not to be.
        retry_success_rate: Share of retried calls that succeeded in the end, 0 to 1.
        unacked_share: Share of sends without SERVER_ACK in time, 0 to 1, of the worst instance.
        refusals: Messages that WhatsApp refused lately, of the worst instance.
        event_age_s: Age of the newest event of all watched instances, in seconds.
        memory_bytes: Resident memory of this process, in bytes.
        cpu_percent: CPU use of this process since the last check, 100 for one full core.
        loop_lag_ms: Delay with which the event loop woke the monitor, in milliseconds.
        outbox_depth: Messages of the watched outbox that wait or are being sent.
        outbox_oldest_s: Age of the oldest of them that is due, in seconds; those of an instance
            that a person or a limit of the SDK holds back are left out.
        outbox_unknown: Messages of it that may or may not have been sent, and wait for a person.
        outbox_paused: Instances that it has paused for trouble; the whole server counts as one.
        outbox_sent_per_second: Messages that the workers of this process sent per second in the
            window.
        outbox_wait_ms: 95th percentile of the time from hand-over until sent, in milliseconds.
    """

    at: float
    status: HealthStatus = "unknown"
    reachable: bool | None = None
    response_time_ms: float | None = None
    p50_response_time_ms: float | None = None
    p95_response_time_ms: float | None = None
    probe_ms: float | None = None
    send_time_ms: float | None = None
    error_rate: float | None = None
    messages_per_second: float | None = None
    requests: int = 0
    in_flight: int | None = None
    active_connections: int | None = None
    retry_success_rate: float | None = None
    unacked_share: float | None = None
    refusals: int | None = None
    event_age_s: float | None = None
    memory_bytes: int | None = None
    cpu_percent: float | None = None
    loop_lag_ms: float | None = None
    outbox_depth: int | None = None
    outbox_oldest_s: float | None = None
    outbox_unknown: int | None = None
    outbox_paused: int | None = None
    outbox_sent_per_second: float | None = None
    outbox_wait_ms: float | None = None

    def value(self, metric: str) -> float | None:
        """Return the number in a column, or None when it was not measured."""
        found = getattr(self, metric)
        return None if found is None else float(found)

    def to_dict(self) -> dict[str, Any]:
        """Return all columns by name."""
        return {name: getattr(self, name) for name in COLUMNS}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Self:
        """Rebuild a sample; unknown columns are left out, so that older files can be read."""
        return cls(**{name: row[name] for name in COLUMNS if name in row})


COLUMNS: Final[tuple[str, ...]] = tuple(field.name for field in fields(Sample))

_REFUSED: Final = (
    "WhatsApp refuses what the server has accepted: stop writing first to strangers, do not send "
    "the refused messages again, and see the reasons of the instances"
)
_LATE: Final = (
    "no worker sends it: see that `python -m evolution_sdk outbox run` runs, and what is paused"
)
_UNKNOWN: Final = (
    "look at the phone, then `python -m evolution_sdk outbox resolve KEY --sent` or `--not-sent`; "
    "`outbox list --state unknown` names them"
)
_PAUSED: Final = (
    "the outbox tries again by itself and loses nothing; the reasons are in the details"
)

METRICS: Final[Mapping[str, Metric]] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            Metric("response_time_ms", "milliseconds", "mean response time", least_change=5),
            Metric(
                "p50_response_time_ms",
                "milliseconds",
                "median of response time",
                detect=False,
                least_change=5,
            ),
            Metric(
                "p95_response_time_ms",
                "milliseconds",
                "95th percentile of response time",
                least_change=10,
            ),
            Metric(
                "probe_ms", "milliseconds", "time of the first probe", detect=False, least_change=5
            ),
            Metric("send_time_ms", "milliseconds", "mean time of sends", least_change=10),
            Metric("error_rate", "share", "error rate", least_change=0.01),
            Metric(
                "messages_per_second", "messages/second", "messages per second", least_change=0.05
            ),
            Metric("requests", "requests", "requests in the window", detect=False, least_change=5),
            Metric("in_flight", "calls", "calls in flight", detect=False, least_change=1),
            Metric(
                "active_connections",
                "instances",
                "active connections",
                detect=False,
                least_change=1,
            ),
            Metric(
                "retry_success_rate", "share", "retry success rate", detect=False, least_change=0.05
            ),
            Metric(
                "unacked_share",
                "share",
                "share of unacknowledged sends",
                detect=False,
                least_change=0.02,
            ),
            Metric(
                "refusals",
                "messages",
                "number of refused messages",
                detect=False,
                least_change=1,
                advice=_REFUSED,
            ),
            Metric(
                "event_age_s", "seconds", "age of the last event", detect=False, least_change=30
            ),
            Metric("memory_bytes", "bytes", "memory of this process", least_change=4 * 2**20),
            Metric("cpu_percent", "percent", "CPU use of this process", least_change=2),
            Metric("loop_lag_ms", "milliseconds", "lag of the event loop", least_change=2),
            Metric(
                "outbox_depth",
                "messages",
                "number of messages waiting in the outbox",
                detect=False,
                least_change=10,
            ),
            Metric(
                "outbox_oldest_s",
                "seconds",
                "age of the oldest message due in the outbox",
                detect=False,
                least_change=30,
                advice=_LATE,
            ),
            Metric(
                "outbox_unknown",
                "messages",
                "number of messages that may or may not have been sent",
                detect=False,
                least_change=1,
                advice=_UNKNOWN,
            ),
            Metric(
                "outbox_paused",
                "instances",
                "number of instances that the outbox has paused for trouble",
                detect=False,
                least_change=1,
                advice=_PAUSED,
            ),
            Metric(
                "outbox_sent_per_second",
                "messages/second",
                "messages of the outbox sent per second",
                detect=False,
                least_change=0.05,
            ),
            Metric(
                "outbox_wait_ms",
                "milliseconds",
                "95th percentile of the time from hand-over until sent",
                detect=False,
                least_change=100,
            ),
        )
    }
)
"""Every metric of a sample: the names of trends, alert rules and ``PerformanceMetrics``, too."""
