"""EvolutionMonitorService: measured health, in the background."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeVar, overload

from evolution_sdk._base.forking import check
from evolution_sdk._base.handler_log import tell_handler_failure
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk._common.arguments import checked
from evolution_sdk._common.emitter import Handler, Subscribers
from evolution_sdk.config import EvolutionConfig
from evolution_sdk.config._monitoring import (
    HistoryOptions,
    ProbeOptions,
    RecoveryPolicy,
    Thresholds,
)
from evolution_sdk.config._switched_on import note_used
from evolution_sdk.errors import EvolutionError
from evolution_sdk.retry import RetryMetrics, RetryPolicy

from .alert import DEFAULT_RULES, Alert, AlertRule, AlertTracker
from .anomalies import AnomalyOptions, AnomalyTracker
from .checker import HealthChecker
from .clients import ClientProvider, MonitoredClient, ObservedClients, retry_metrics
from .collector import Collector
from .delivery import AlertDelivery
from .events import (
    EVENT_NAMES,
    AlertRaised,
    AlertResolved,
    AnomalyDetected,
    HealthStatusChanged,
    MetricsUpdated,
    MonitorEvent,
    MonitorEventName,
    MonitoringError,
    RetryMetricsUpdated,
)
from .forecast import Forecaster
from .health_tracker import HealthTracker
from .history import SampleHistory, SqliteHistory
from .options import (
    DEFAULT_DELIVERY,
    MonitorPorts,
    default_sinks,
    recovery_policy,
    require_not_negative,
    require_positive,
    watched_instances,
)
from .outbox import MonitoredOutbox, OutboxWatch
from .process import PsutilProcess, with_memory_limit
from .recovery import RecoveryPlanner
from .report import HealthReport, PerformanceMetrics, performance, trends
from .reporting.memory import ReportMemory
from .reporting.report import MonitorReport, period_of, report_of
from .roster import Roster
from .runner import CheckRunner, run_in_daemon_thread, spawn_or_run
from .sample import Sample, gap_s
from .server_identity import ServerIdentity
from .server_version import ServerVersionProbe
from .sinks import Sink
from .trend import MOST_SAMPLES, Trend
from .window import RetryOutcomes

if TYPE_CHECKING:
    from .console import EvolutionConsole

__all__ = ["EvolutionMonitorService"]

_log = logging.getLogger("evolution_sdk.monitor")
# Number of windows over which the success of retried calls is judged, as these are rare.
_RETRY_WINDOWS: Final = 5
# Kinds of trouble in the log, so that those of all instances are remembered.
_MOST_KINDS: Final = 2_000
_STOP_MS: Final = 2_000.0
_HELD_MS: Final = 100.0
# Longest wait of a check for the figures of an outbox; they come with a later one, then.
_OUTBOX_MS: Final = 2_000.0

T = TypeVar("T")
_H = TypeVar("_H", bound=Callable[[HealthStatusChanged], object])
_M = TypeVar("_M", bound=Callable[[MetricsUpdated], object])
_R = TypeVar("_R", bound=Callable[[RetryMetricsUpdated], object])
_E = TypeVar("_E", bound=Callable[[MonitoringError], object])
_A = TypeVar("_A", bound=Callable[[AnomalyDetected], object])
_U = TypeVar("_U", bound=Callable[[AlertRaised], object])
_D = TypeVar("_D", bound=Callable[[AlertResolved], object])


@checked(but=("listeners", "on", "once", "remove_listener"))
class EvolutionMonitorService:
    """Measures the health of a server, its instances and the calls to them.

    Subscribe with ``on("healthStatusChanged", handler)`` and call :meth:`start_monitoring`. It is
    a context manager, sync and async, which stops it at the end. See ``docs/en/monitor.md``.

    An argument wins over the settings of ``config.monitoring``; defaults are theirs.

    Args:
        client: A sync or async client, which is watched and not closed. Default: one of its own,
            from the environment.
        config: Settings. Default: the client's, or the environment.
        interval_ms: Time between two checks, in milliseconds.
        max_history: Most samples kept in memory.
        window_ms: Time for which calls count for health, in milliseconds.
        instances: Names of the instances to watch; ``*`` for all.
        thresholds: Limits of degraded and unhealthy.
        probes: Timeout of the questions to the server, and the deep probe.
        history: The file that keeps samples over restarts.
        recovery: True or a policy restarts instances that do not come back.
        anomalies: Limits of anomaly detection; False looks for none.
        rules: Alert rules instead of :data:`DEFAULT_RULES`.
        sinks: Sinks of alerts. Default: the log, and the targets of the settings.
        delivery: Attempts of a failing sink, and the waits between them.
        outbox: An outbox that is watched, too, and neither started nor closed: its depth, ages,
            unknown messages and pauses, and what its workers in this process send. Default: none.
        ports: Time, sleep, chance and process, for tests.

    Raises:
        ConfigurationError: A value is out of range, or the environment lacks a setting.
    """

    def __init__(
        self,
        client: MonitoredClient | None = None,
        *,
        config: EvolutionConfig | None = None,
        interval_ms: float | None = None,
        max_history: int | None = None,
        window_ms: float | None = None,
        instances: Sequence[str] | str | None = None,
        thresholds: Thresholds | None = None,
        probes: ProbeOptions | None = None,
        history: HistoryOptions | None = None,
        recovery: RecoveryPolicy | bool | None = None,
        anomalies: AnomalyOptions | bool = True,
        rules: Sequence[AlertRule] = DEFAULT_RULES,
        sinks: Sequence[Sink] | None = None,
        delivery: RetryPolicy = DEFAULT_DELIVERY,
        outbox: MonitoredOutbox | None = None,
        ports: MonitorPorts | None = None,
    ) -> None:
        note_used("monitor")
        ports = ports or MonitorPorts()
        found: EvolutionConfig | None = config or getattr(client, "config", None)
        self._config: EvolutionConfig = found or EvolutionConfig.from_env()
        given = {
            "interval_ms": interval_ms,
            "max_history": max_history,
            "window_ms": window_ms,
            "thresholds": thresholds,
            "probes": probes,
            "history": history,
        }
        # The section checks its fields, whoever sets them.
        self._settings = settings = self._config.monitoring.replace(
            **{name: value for name, value in given.items() if value is not None}
        )
        self._limits = with_memory_limit(settings.thresholds)
        self._clock, self._wall = ports.clock.monotonic, ports.clock.time
        # Kept as they are, since a forked process makes its tracker anew from them.
        self._rules = tuple(rules)
        self._anomalies = anomalies if isinstance(anomalies, AnomalyOptions) else None
        if anomalies is True:
            self._anomalies = AnomalyOptions()
        self._recovery = recovery_policy(recovery, settings)
        self._instances = watched_instances(instances, self._config)
        # Inputs: what happens between checks, and the memory of what happened.
        self._trouble = QuietLog(_log, self._clock, most=_MOST_KINDS)
        self._subscribers = Subscribers(EVENT_NAMES, self._handler_failed, spawn_or_run)
        self._handler_errors = 0
        self._console: EvolutionConsole | None = None
        self._history = SampleHistory(settings.max_history)
        self._memory = ReportMemory()
        self._collector = Collector(
            self._limits, settings.window_ms, self._clock, self._wall, self._trouble
        )
        self._retries = RetryOutcomes(settings.window_ms * _RETRY_WINDOWS)
        self._observed = ObservedClients(self._collector.fact, self._take_event)
        self._clients = ClientProvider(client, self._config)
        self._version = ServerVersionProbe(
            self._clock,
            self._take_version,
            self._take_license,
            reads_client=self._config.server_version is None,
        )
        self._outbox: OutboxWatch | None = None
        if outbox is not None:
            self._outbox = OutboxWatch(
                outbox, settings.window_ms,
                min(_OUTBOX_MS, settings.probes.timeout_ms), self._clock,
            )  # fmt: skip
        # One check, and the runner that makes them on schedule.
        self._checker = HealthChecker(
            self._clients,
            self._new_tracker,
            observed=self._observed,
            retries=self._retries,
            version=self._version,
            process=ports.process or PsutilProcess(),
            log=self._trouble,
            publish=self._publish,
            timeout_ms=settings.probes.timeout_ms,
            clock=self._clock,
            read_outbox=None if self._outbox is None else self._outbox.readings,
        )
        self._runner = CheckRunner(
            self._checker.check,
            self._checker.check_async,
            is_async=self._clients.is_async,
            clock=self._clock,
            sleep=ports.sleep,
            async_sleep=ports.async_sleep,
        )
        # Outputs: the history file, and the alerts on their way to the sinks.
        self._file = self._open_file(settings.history)
        self._sinks = tuple(default_sinks(self._config, self._clients) if sinks is None else sinks)
        self._delivery = AlertDelivery(
            self._sinks,
            delivery,
            clock=self._clock,
            draw=ports.random,
            run=self._runner.finish,
            failed=self._sink_failed,
        )
        if client is not None:
            self._observe_given(client)

    def _new_tracker(self) -> HealthTracker:
        """Make the tracker of health: at first, and in a forked process."""
        settings, limits = self._settings, self._limits
        probes = settings.probes
        return HealthTracker(
            limits,
            window_ms=settings.window_ms,
            collector=self._collector,
            retries=self._retries,
            history=self._history,
            alerts=AlertTracker(self._rules, Forecaster(self._history, limits, settings.window_ms)),
            anomalies=AnomalyTracker(
                self._anomalies,
                every_ms=settings.window_ms,
                min_requests=limits.min_requests,
                min_errors=limits.min_errors,
            ),
            recovery=None if self._recovery is None else RecoveryPlanner(self._recovery),
            roster=Roster(self._instances, probes.deep_interval_ms if probes.deep else None),
            identity=ServerIdentity(self._config.server_version),
            clock=self._clock,
            wall_clock=self._wall,
        )

    def _open_file(self, options: HistoryOptions) -> SqliteHistory | None:
        if not options.path:
            return None
        return SqliteHistory(
            options.path,
            retention_ms=options.retention_ms,
            failed=self._history_failed,
            clock=self._clock,
        )

    def _observe_given(self, client: MonitoredClient) -> None:
        # A client of the user's own making may have neither observers nor a retry service.
        if callable(getattr(client, "observe", None)):
            self.observe(client)
        metrics = retry_metrics(client)
        if metrics is not None:
            # Calls from before the monitor are past, and not judged.
            self._retries.baseline("client", metrics)

    @property
    def config(self) -> EvolutionConfig:
        """The settings in force, without the arguments that win over them."""
        return self._config

    @property
    def running(self) -> bool:
        """True while checks are made in the background."""
        return self._runner.running

    @property
    def handler_errors(self) -> int:
        """Number of times that a handler has failed."""
        return self._handler_errors

    @property
    def active_alerts(self) -> tuple[Alert, ...]:
        """The alerts that are not over, the oldest first."""
        return self._checker.active_alerts

    @property
    def asgi(self) -> EvolutionConsole:
        """The live console of this monitor, an ASGI app that shows and does not act.

        Its token is ``EVOLUTION_CONSOLE_TOKEN``. An outbox, a receiver or actions need an
        ``EvolutionConsole`` of one's own.

        Raises:
            ConfigurationError: The token is missing.
        """
        if self._console is None:
            # Loaded by those who show it alone.
            from .console import EvolutionConsole

            self._console = EvolutionConsole(self)
        return self._console

    def start_monitoring(self, interval_ms: float | None = None) -> None:
        """Begin to check in the background; the first check is made at once.

        Where an event loop runs, checks run in a task of it; elsewhere in a daemon thread. Neither
        keeps the process alive. Does nothing when it runs already, and nothing but a log line when
        ``EVOLUTION_MONITORING_ENABLED`` is false.

        Args:
            interval_ms: Time between two checks, in milliseconds. Default: the constructor's.

        Raises:
            ConfigurationError: The interval is not above 0.
        """
        interval: float = self._settings.interval_ms
        if interval_ms is not None:
            interval = require_positive("interval_ms", interval_ms)
        # The switch is about the background only: a check that is asked for is made.
        if not self._settings.enabled:
            _log.info("monitoring is off: EVOLUTION_MONITORING_ENABLED is false")
            return
        # Where a host forks without telling Python, the parts begin anew here.
        check()
        self._runner.start(interval)

    def stop_monitoring(self, timeout_ms: float = _STOP_MS) -> None:
        """Stop the checks, write the history, and close what the monitor opened.

        It may be started again. Stopping a monitor that does not run is no error.

        Args:
            timeout_ms: Longest wait in all, in milliseconds (2000): for a check under way,
                alerts being delivered, and the history file. A check that is not over by then is
                abandoned: its result counts no more, and its thread ends with the question it
                waits for (``probes.timeout_ms``). On an event loop only the file is waited for.

        Raises:
            ConfigurationError: ``timeout_ms`` is below 0.
        """
        require_not_negative("timeout_ms", timeout_ms)
        begun = self._clock()

        def left_ms() -> float:
            return max(0.0, timeout_ms - (self._clock() - begun) * 1_000)

        # Checks end first: nothing is delivered or written after delivery and file have ended.
        on_loop = self._runner.on_loop
        self._runner.stop(left_ms() / 1_000)
        self._delivery.close(wait_ms=0 if on_loop else left_ms())
        if self._file is not None:
            # A loop waits for a file that works, and leaves one that is held to the thread.
            self._file.close(wait_ms=min(_HELD_MS, left_ms()) if on_loop else left_ms())
        # Its own client was made by the checks, which have ended.
        self._clients.close_own()
        for sink in self._sinks:
            # A sink of the user's own making need not have anything to close.
            if callable(close := getattr(sink, "close", None)):
                close()

    def close(self, timeout_ms: float = _STOP_MS) -> None:
        """Stop, and observe no client any more.

        Args:
            timeout_ms: Longest wait, in milliseconds; see :meth:`stop_monitoring`.
        """
        self.stop_monitoring(timeout_ms)
        if self._console is not None:
            self._console.close()
            self._console = None
        self._observed.close()
        if self._outbox is not None:
            self._outbox.close()

    async def check_health(self) -> HealthReport:
        """Make one check now; a sync client is asked in a thread, so that the loop goes on.

        Returns:
            Health after it. A check that fails is told as ``monitoringError``.
        """
        if self._clients.is_async:
            # The connections of an async client belong to the loop that the monitor runs on.
            await self._runner.call_async(lambda: self._checker.check_async(None))
        else:
            await self._checker.check_async(None)
        return self.get_health_status()

    def check_health_sync(self) -> HealthReport:
        """Make one check now, blocking.

        Returns:
            Health after it. A check that fails is told as ``monitoringError``.

        Raises:
            ConfigurationError: The client is async and an event loop runs in this thread.
        """
        if self._clients.is_async:
            self._runner.call(lambda: self._checker.check_async(None))
        else:
            self._checker.check(None)
        return self.get_health_status()

    def wait_for_version(self, timeout_ms: float = 2_000) -> str | None:
        """Wait for the server's version, which is asked for in the background of a check.

        Args:
            timeout_ms: Longest wait, in milliseconds. With an async client nothing is waited for.

        Returns:
            The version, or None when it is not known yet.
        """
        self._version.wait(require_not_negative("timeout_ms", timeout_ms) / 1_000)
        return self._checker.tracker.version

    def get_health_status(self) -> HealthReport:
        """Return health as of the last check; asks nothing of the server.

        Returns:
            Status, reasons, measurements, and the health of each instance.
        """
        return self._checker.tracker.report

    def get_performance_metrics(self, minutes: float = 5) -> PerformanceMetrics:
        """Sum up the last minutes.

        Args:
            minutes: Length of the time, in minutes; calls are remembered for 60.

        Returns:
            Rates, times and resources.

        Raises:
            ConfigurationError: ``minutes`` is not above 0.
        """
        span_s = require_positive("minutes", minutes) * 60
        # Calls come from their own window, resources and probes from the samples.
        totals, covered = self._collector.calls.totals(self._clock(), span_s * 1_000)
        return performance(minutes, self._history.since(self._wall() - span_s), totals, covered)

    def get_trends(self, minutes: float = 60) -> Mapping[str, Trend]:
        """Find the direction of each metric; of many samples, from 400 at even distances.

        Args:
            minutes: Length of the time to look back, in minutes.

        Returns:
            A trend per metric that has values.

        Raises:
            ConfigurationError: ``minutes`` is not above 0.
        """
        return trends(self._spread(minutes), self._limits, self._settings.window_ms)

    async def get_trends_async(self, minutes: float = 60) -> Mapping[str, Trend]:
        """Find the direction of each metric in a thread, so that the event loop goes on.

        Args:
            minutes: Length of the time to look back, in minutes.

        Returns:
            As :meth:`get_trends`.

        Raises:
            ConfigurationError: ``minutes`` is not above 0.
        """
        return await run_in_daemon_thread(lambda: self.get_trends(minutes))

    def _spread(self, minutes: float) -> list[Sample]:
        """Return samples of the last minutes at even distances, as many as a trend needs."""
        since = self._wall() - require_positive("minutes", minutes) * 60
        oldest = self._history.oldest()
        if self._file is None or (oldest is not None and oldest.at <= since):
            return self._history.evenly(since, MOST_SAMPLES)
        older = self._file.evenly(since, None if oldest is None else oldest.at, MOST_SAMPLES)
        newer = self._history.evenly(since, MOST_SAMPLES)
        if len(older) + len(newer) <= MOST_SAMPLES or not (older and newer):
            return older + newer
        # Each part gets points by its length of time: a trend is one over all of it.
        whole = max(newer[-1].at - older[0].at, 1e-9)
        few = max(2, round(MOST_SAMPLES * (newer[-1].at - newer[0].at) / whole))
        return older + self._history.evenly(since, few)

    def get_history(self, minutes: float | None = None) -> list[Sample]:
        """Return samples of the last minutes, the oldest first.

        Args:
            minutes: Length of the time to look back, in minutes; None for all.

        Returns:
            Samples from memory, and those before from the history file when there is one.

        Raises:
            ConfigurationError: ``minutes`` is not above 0.
        """
        since = 0.0
        if minutes is not None:
            since = self._wall() - require_positive("minutes", minutes) * 60
        samples = self._history.since(since)
        if self._file is None:
            return samples
        # The file is read only for the time before the oldest sample in memory: most questions
        # are about the last minutes.
        oldest = next(iter(self._history), None)
        if oldest is not None and oldest.at <= since:
            return samples
        before = None if oldest is None else oldest.at
        older = [s for s in self._file.since(since, before) if before is None or s.at < before]
        return older + samples

    def report(
        self,
        period: Literal["day", "week"] | timedelta = "day",
        *,
        language: Literal["en", "pt"] = "en",
    ) -> MonitorReport:
        """Write a report about the last time, for mail.

        Samples come from memory and the history file; changes of health, alerts and anomalies are
        those since this monitor was made.

        Args:
            period: The last ``day`` or ``week``, or another time.
            language: ``en`` or ``pt``.

        Returns:
            A report with ``markdown()`` and ``html()``.

        Raises:
            ConfigurationError: ``period`` is no such time.
        """
        span = period_of(period)
        end = self._wall()
        begin = end - span.total_seconds()
        minutes = span.total_seconds() / 60
        return report_of(
            self.get_history(minutes),
            self.get_health_status(),
            changes=self._memory.changes(begin),
            alerts=self._memory.alerts(begin),
            anomalies=self._memory.anomalies(begin),
            trends=self.get_trends(minutes),
            server=self._config.base_url,
            begin=begin,
            end=end,
            gap_s=gap_s(self._settings.interval_ms),
            language=language,
        )

    def update_retry_metrics(self, metrics: RetryMetrics) -> None:
        """Take in the metrics of a retry service that the client does not use itself.

        Args:
            metrics: The result of ``retry.get_metrics()``. The ends of its retried calls count for
                health from the next check on; ``retryMetricsUpdated`` is told at once.
        """
        now = self._clock()
        self._retries.update("given", metrics, now)
        self._publish(RetryMetricsUpdated(metrics, self._retries.recent(now)[1]))

    def observe(self, client: Any) -> Callable[[], None]:
        """Count the calls of one more client, and the events that are fed to it.

        Args:
            client: A sync or async client of the same server, such as a worker's own.

        Returns:
            A function that ends it.
        """
        return self._observed.add(client)

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
        raises is logged and counted in ``handler_errors``; neither the check nor other handlers
        suffer from it.

        Args:
            event: Name of the event.
            handler: Takes the event. The same handler is called once per event.

        Returns:
            The handler; without one, a decorator.

        Raises:
            ConfigurationError: There is no such event, or the handler cannot be called.
        """
        return self._subscribers.on(event, handler)

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
        return self._subscribers.once(event, handler)

    def remove_listener(self, event: MonitorEventName, handler: Handler) -> bool:
        """Unsubscribe a handler.

        Args:
            event: The event it was subscribed to.
            handler: The function given to :meth:`on` or :meth:`once`.

        Returns:
            Whether it was subscribed; it is no error when it was not.

        Raises:
            ConfigurationError: There is no such event.
        """
        return self._subscribers.remove_listener(event, handler)

    def listeners(self, event: MonitorEventName) -> list[Handler]:
        """List the handlers of an event.

        Args:
            event: Name of the event.

        Returns:
            The handlers, in the order in which they are called.

        Raises:
            ConfigurationError: There is no such event.
        """
        return self._subscribers.listeners(event)

    def _take_event(self, event: object) -> None:
        try:
            self._collector.event(event)
        except Exception as error:  # noqa: BLE001 - the delivery of events must not suffer
            self._publish(MonitoringError("event", f"{type(error).__name__} in an event", error))

    def _take_version(self, version: str) -> None:
        self._checker.take_version(version)

    def _take_license(self, state: str) -> None:
        self._checker.take_license(state)

    def _publish(self, event: MonitorEvent) -> None:
        """Store, tell and deliver an event: each to the parts that want it."""
        self._memory.note(event)
        # Stored before it is told: a handler that asks for the history finds the sample.
        if isinstance(event, MetricsUpdated) and self._file is not None:
            self._file.add(event.sample)
        self._subscribers.emit(event.name, event)
        # Sinks get the alert last, in a thread of their own.
        if isinstance(event, AlertRaised | AlertResolved):
            self._delivery.post(event.alert)

    def _handler_failed(self, event: Any, error: BaseException) -> None:
        self._handler_errors += 1
        name = getattr(event, "name", "?")
        tell_handler_failure(self._trouble, f"a listener of {name!r}", error, event=name)

    def _history_failed(self, error: Exception) -> None:
        # Told once until the file works again, so that it needs no quiet log.
        words = f"the history file does not work ({error}); samples stay in memory"
        _log.warning("%s", words)
        self._publish(MonitoringError("history", words, error))

    def _sink_failed(self, name: str, error: Exception) -> None:
        words = f"an alert was given up ({type(error).__name__})"
        self._trouble.trouble(("sink", name, words), "sink %s: %s", name, words)
        # An unreachable sink needs no traceback; a defect in one does.
        if not isinstance(error, EvolutionError | OSError):
            tell_handler_failure(self._trouble, f"sink {name}", error)
        self._publish(MonitoringError(f"sink:{name}", words, error))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # The check under way ends on this loop; the rest may block, and goes to a thread.
        await self._runner.stop_here(_STOP_MS / 1_000)
        await run_in_daemon_thread(self.close)
