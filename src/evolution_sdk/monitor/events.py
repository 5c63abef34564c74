"""Events of the monitor: one frozen dataclass each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Literal, TypeAlias, get_args

from evolution_sdk.retry import RetryMetrics

from .alert import Alert
from .sample import HealthStatus, Sample

__all__ = [
    "EVENT_NAMES",
    "AlertRaised",
    "AlertResolved",
    "AnomalyDetected",
    "HealthStatusChanged",
    "MetricsUpdated",
    "MonitorEvent",
    "MonitorEventName",
    "MonitoringError",
    "RetryMetricsUpdated",
]

MonitorEventName = Literal[
    "healthStatusChanged",
    "metricsUpdated",
    "retryMetricsUpdated",
    "monitoringError",
    "anomalyDetected",
    "alertRaised",
    "alertResolved",
]


@dataclass(frozen=True, slots=True)
class HealthStatusChanged:
    """Another state of health is in force.

    Attributes:
        previous: The state before.
        current: The state now.
        reasons: Reasons in words; empty when all is well again.
        details: Measurements by name.
        at: Time of the change, in unix seconds.
        instance: The instance it is about; None for the whole. Instances have events of their own
            only when several are watched.
    """

    name: ClassVar[MonitorEventName] = "healthStatusChanged"
    previous: HealthStatus
    current: HealthStatus
    reasons: tuple[str, ...]
    details: Mapping[str, Any]
    at: float
    instance: str | None = None

    @property
    def status(self) -> HealthStatus:
        """The state now."""
        return self.current


@dataclass(frozen=True, slots=True)
class MetricsUpdated:
    """A check was made.

    Attributes:
        sample: Its measurements.
    """

    name: ClassVar[MonitorEventName] = "metricsUpdated"
    sample: Sample


@dataclass(frozen=True, slots=True)
class RetryMetricsUpdated:
    """The numbers of a retry service were taken in.

    Attributes:
        metrics: The numbers.
        retry_success_rate: Share of the lately retried calls that succeeded in the end; None
            without any.
    """

    name: ClassVar[MonitorEventName] = "retryMetricsUpdated"
    metrics: RetryMetrics
    retry_success_rate: float | None


@dataclass(frozen=True, slots=True)
class MonitoringError:
    """Something in the monitor itself failed; it goes on.

    Attributes:
        where: The part that failed, such as ``check``, ``history`` or ``sink:log``.
        words: The failure in words, without secrets.
        error: The exception; not in the repr, as it may quote secrets.
    """

    name: ClassVar[MonitorEventName] = "monitoringError"
    where: str
    words: str
    error: Exception | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class AnomalyDetected:
    """A metric is unlike its own past. One incident gives one event.

    Attributes:
        metric: Its name.
        value: The measured value.
        expected_low: Lower end of the expected range.
        expected_high: Upper end of it.
        score: Confidence of the detector, up to 1.
        kind: Kind of the anomaly, as the detector calls it.
        words: The anomaly in words.
        at: Time of the value, in unix seconds.
    """

    name: ClassVar[MonitorEventName] = "anomalyDetected"
    metric: str
    value: float
    expected_low: float | None
    expected_high: float | None
    score: float
    kind: str
    words: str
    at: float


@dataclass(frozen=True, slots=True)
class AlertRaised:
    """The condition of a rule held for long enough.

    Attributes:
        alert: The alert.
    """

    name: ClassVar[MonitorEventName] = "alertRaised"
    alert: Alert


@dataclass(frozen=True, slots=True)
class AlertResolved:
    """The condition of an alert is over.

    Attributes:
        alert: The alert, with ``resolved_at``.
    """

    name: ClassVar[MonitorEventName] = "alertResolved"
    alert: Alert


MonitorEvent: TypeAlias = (
    HealthStatusChanged
    | MetricsUpdated
    | RetryMetricsUpdated
    | MonitoringError
    | AnomalyDetected
    | AlertRaised
    | AlertResolved
)

EVENT_NAMES: Final[tuple[str, ...]] = get_args(MonitorEventName)
"""Names of all events."""
