"""What the monitor tells its listeners: one frozen dataclass per event."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, Final, Literal, TypeAlias, TypeVar, get_args, overload

from evolution_sdk._base.handler_log import tell_handler_failure
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk._common.arguments import checked
from evolution_sdk._common.emitter import Handler, Spawn, Subscribers
from evolution_sdk.retry import RetryMetrics

from .alert import Alert
from .sample import HealthStatus, Sample

__all__ = [
    "AlertRaised",
    "AlertResolved",
    "AnomalyDetected",
    "HealthStatusChanged",
    "MetricsUpdated",
    "MonitorEvent",
    "MonitorEventName",
    "MonitorNotifier",
    "MonitoringError",
    "RetryMetricsUpdated",
]

_log = logging.getLogger("evolution_sdk.monitor")

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
        reasons: Why, in words; empty when all is well again.
        details: What was measured, by name.
        at: When, in unix seconds.
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
        sample: What it measured.
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
        where: What failed, such as ``check``, ``history`` or ``sink:log``.
        words: What happened, without secrets.
        error: The exception; not in the repr, as it may quote secrets.
    """

    name: ClassVar[MonitorEventName] = "monitoringError"
    where: str
    words: str
    error: Exception | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class AnomalyDetected:
    """A metric does what it does not usually do. One incident gives one event.

    Attributes:
        metric: Its name.
        value: What was measured.
        expected_low: Lower end of what was expected.
        expected_high: Upper end of it.
        score: How sure the detector is, up to 1.
        kind: What kind of anomaly it is, as the detector calls it.
        words: All of it, in words.
        at: When, in unix seconds.
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
    """A rule was broken for as long as it takes.

    Attributes:
        alert: The alert.
    """

    name: ClassVar[MonitorEventName] = "alertRaised"
    alert: Alert


@dataclass(frozen=True, slots=True)
class AlertResolved:
    """What an alert was raised for is over.

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

_NAMES: Final[tuple[str, ...]] = get_args(MonitorEventName)
T = TypeVar("T")
_H = TypeVar("_H", bound=Callable[[HealthStatusChanged], object])
_M = TypeVar("_M", bound=Callable[[MetricsUpdated], object])
_R = TypeVar("_R", bound=Callable[[RetryMetricsUpdated], object])
_E = TypeVar("_E", bound=Callable[[MonitoringError], object])
_A = TypeVar("_A", bound=Callable[[AnomalyDetected], object])
_U = TypeVar("_U", bound=Callable[[AlertRaised], object])
_D = TypeVar("_D", bound=Callable[[AlertResolved], object])


@checked(but=("listeners", "on", "once", "remove_listener"))
class MonitorNotifier:
    """The subscribing half of the monitor.

    Args:
        spawn: Runs what async handlers return.
    """

    def __init__(self, spawn: Spawn) -> None:
        self._subscribers = Subscribers(_NAMES, self._handler_failed, spawn)
        self._handler_errors = 0
        self._trouble = QuietLog(_log)

    @property
    def handler_errors(self) -> int:
        """How often a handler has failed."""
        return self._handler_errors

    @overload
    def on(self, event: Literal["healthStatusChanged"]) -> Callable[[_H], _H]: ...
    @overload
    def on(
        self, event: Literal["healthStatusChanged"], handler: Callable[[HealthStatusChanged], T]
    ) -> Callable[[HealthStatusChanged], T]: ...
    @overload
    def on(self, event: Literal["metricsUpdated"]) -> Callable[[_M], _M]: ...
    @overload
    def on(
        self, event: Literal["metricsUpdated"], handler: Callable[[MetricsUpdated], T]
    ) -> Callable[[MetricsUpdated], T]: ...
    @overload
    def on(self, event: Literal["retryMetricsUpdated"]) -> Callable[[_R], _R]: ...
    @overload
    def on(
        self, event: Literal["retryMetricsUpdated"], handler: Callable[[RetryMetricsUpdated], T]
    ) -> Callable[[RetryMetricsUpdated], T]: ...
    @overload
    def on(self, event: Literal["monitoringError"]) -> Callable[[_E], _E]: ...
    @overload
    def on(
        self, event: Literal["monitoringError"], handler: Callable[[MonitoringError], T]
    ) -> Callable[[MonitoringError], T]: ...
    @overload
    def on(self, event: Literal["anomalyDetected"]) -> Callable[[_A], _A]: ...
    @overload
    def on(
        self, event: Literal["anomalyDetected"], handler: Callable[[AnomalyDetected], T]
    ) -> Callable[[AnomalyDetected], T]: ...
    @overload
    def on(self, event: Literal["alertRaised"]) -> Callable[[_U], _U]: ...
    @overload
    def on(
        self, event: Literal["alertRaised"], handler: Callable[[AlertRaised], T]
    ) -> Callable[[AlertRaised], T]: ...
    @overload
    def on(self, event: Literal["alertResolved"]) -> Callable[[_D], _D]: ...
    @overload
    def on(
        self, event: Literal["alertResolved"], handler: Callable[[AlertResolved], T]
    ) -> Callable[[AlertResolved], T]: ...
    def on(self, event: MonitorEventName, handler: Handler | None = None) -> Any:
        """Subscribe a handler; also usable as a decorator, ``@monitor.on("alertRaised")``.

        A handler is called where the check runs: on the event loop when monitoring was started
        in one, else in the monitor's thread, where an async handler is run to its end. One that
        raises is logged, counted in ``handler_errors``, and harms nothing.

        Args:
            event: Name of the event.
            handler: Takes the event. The same handler is called once per event.

        Returns:
            The handler; without one, a decorator.

        Raises:
            ConfigurationError: There is no such event, or the handler cannot be called.
        """
        self._subscribers.check_name(event)
        if handler is None:
            return partial(self._subscribers.add, event)
        return self._subscribers.add(event, handler)

    @overload
    def once(self, event: Literal["healthStatusChanged"]) -> Callable[[_H], _H]: ...
    @overload
    def once(
        self, event: Literal["healthStatusChanged"], handler: Callable[[HealthStatusChanged], T]
    ) -> Callable[[HealthStatusChanged], T]: ...
    @overload
    def once(self, event: Literal["metricsUpdated"]) -> Callable[[_M], _M]: ...
    @overload
    def once(
        self, event: Literal["metricsUpdated"], handler: Callable[[MetricsUpdated], T]
    ) -> Callable[[MetricsUpdated], T]: ...
    @overload
    def once(self, event: Literal["retryMetricsUpdated"]) -> Callable[[_R], _R]: ...
    @overload
    def once(
        self, event: Literal["retryMetricsUpdated"], handler: Callable[[RetryMetricsUpdated], T]
    ) -> Callable[[RetryMetricsUpdated], T]: ...
    @overload
    def once(self, event: Literal["monitoringError"]) -> Callable[[_E], _E]: ...
    @overload
    def once(
        self, event: Literal["monitoringError"], handler: Callable[[MonitoringError], T]
    ) -> Callable[[MonitoringError], T]: ...
    @overload
    def once(self, event: Literal["anomalyDetected"]) -> Callable[[_A], _A]: ...
    @overload
    def once(
        self, event: Literal["anomalyDetected"], handler: Callable[[AnomalyDetected], T]
    ) -> Callable[[AnomalyDetected], T]: ...
    @overload
    def once(self, event: Literal["alertRaised"]) -> Callable[[_U], _U]: ...
    @overload
    def once(
        self, event: Literal["alertRaised"], handler: Callable[[AlertRaised], T]
    ) -> Callable[[AlertRaised], T]: ...
    @overload
    def once(self, event: Literal["alertResolved"]) -> Callable[[_D], _D]: ...
    @overload
    def once(
        self, event: Literal["alertResolved"], handler: Callable[[AlertResolved], T]
    ) -> Callable[[AlertResolved], T]: ...
    def once(self, event: MonitorEventName, handler: Handler | None = None) -> Any:
        """Subscribe a handler for the next event only; as :meth:`on`.

        Args:
            event: Name of the event.
            handler: Takes the event. One that is subscribed already stays as it is.

        Returns:
            The handler; without one, a decorator.

        Raises:
            ConfigurationError: There is no such event, or the handler cannot be called.
        """
        self._subscribers.check_name(event)
        if handler is None:
            return partial(self._subscribers.add_once, event)
        return self._subscribers.add_once(event, handler)

    def remove_listener(self, event: MonitorEventName, handler: Handler) -> bool:
        """Unsubscribe a handler.

        Args:
            event: The event it was subscribed to.
            handler: What was given to :meth:`on` or :meth:`once`.

        Returns:
            Whether it was subscribed; one that was not is no error.

        Raises:
            ConfigurationError: There is no such event.
        """
        self._subscribers.check_name(event)
        return self._subscribers.remove(event, handler)

    def listeners(self, event: MonitorEventName) -> list[Handler]:
        """List the handlers of an event.

        Args:
            event: Name of the event.

        Returns:
            The handlers, in the order in which they are called.

        Raises:
            ConfigurationError: There is no such event.
        """
        self._subscribers.check_name(event)
        return self._subscribers.listeners(event)

    def _emit(self, event: MonitorEvent) -> None:
        self._subscribers.emit(event.name, event)

    def _handler_failed(self, event: Any, error: BaseException) -> None:
        self._handler_errors += 1
        name = getattr(event, "name", "?")
        tell_handler_failure(self._trouble, f"a listener of {name!r}", error, event=name)
