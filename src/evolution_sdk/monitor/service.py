"""EvolutionMonitorService: health that is measured, in the background."""

from __future__ import annotations

import logging
import random as _random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from threading import RLock
from types import TracebackType
from typing import Any, Final, Self

from evolution_sdk._base.forking import check, free_in_child, in_child
from evolution_sdk._base.handler_log import tell_handler_failure
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk._common.arguments import checked
from evolution_sdk.config import EvolutionConfig
from evolution_sdk.config._switched_on import note_used
from evolution_sdk.errors import EvolutionError
from evolution_sdk.retry import RetryMetrics, RetryPolicy
from evolution_sdk.retry.waits import Draw

from .alert import DEFAULT_RULES, AlertRule, AlertTracker
from .anomalies import AnomalyTracker, Detector
from .anomaly import AnomalyDetector
from .checking import Checking
from .clients import ObservedClients
from .collector import Collector
from .delivery import AlertDelivery
from .events import MonitorEvent, MonitoringError, RetryMetricsUpdated
from .forecast import Forecaster
from .health_tracker import HealthTracker
from .history import SampleHistory
from .outages import OutageLog
from .process import ProcessSource, PsutilProcess, with_memory_limit
from .recovery import RecoveryPlanner, RecoveryPolicy
from .report import HealthReport
from .retries import RetryOutcomes
from .runner import ASYNC_SLEEP, CheckRunner, in_thread, spawn_or_run
from .server_version import ServerVersionProbe
from .setup import (
    ClientNow,
    first,
    not_negative,
    policy_from,
    positive,
    sinks_from,
    thresholds_from,
    watched_from,
)
from .sinks import Sink
from .sqlite_history import SqliteHistory
from .thresholds import Thresholds

__all__ = ["EvolutionMonitorService"]

_log = logging.getLogger("evolution_sdk.monitor")
_SYSTEM_RANDOM: Final = _random.SystemRandom()
_RETRY_WINDOWS: Final = 5
_STOP_MS: Final = 2_000.0
_HELD_MS: Final = 100.0
_DELIVERY: Final = RetryPolicy(
    max_attempts=6, delay_ms=2_000, backoff_factor=3, max_delay_ms=300_000
)


@checked()
class EvolutionMonitorService(Checking):
    """Measures the health of a server, its instances and the calls to them.

    Subscribe with ``on("healthStatusChanged", handler)`` and call :meth:`start_monitoring`. It is
    a context manager, sync and async, which stops it at the end. See ``docs/monitor.md``.

    Args:
        client: A sync or async client, which is watched and not closed. Default: one of its own,
            from the environment.
        config: Settings. Default: the client's, or the environment.
        interval_ms: Time between two checks, in milliseconds. Default: the settings (5000).
        max_history: Most samples kept in memory. Default: the settings (1000).
        window_ms: How far back calls count for health, in milliseconds. Default: the settings.
        instances: Names of the instances to watch; ``*`` for all. Default: the settings.
        thresholds: What counts as degraded and unhealthy. Default: the settings.
        rules: Alert rules instead of :data:`DEFAULT_RULES`.
        sinks: Where alerts go. Default: the log, and what the settings say.
        delivery: How often a failing sink is tried, and how long apart.
        recovery: True or a policy restarts instances that do not come back. Default: the settings.
        deep_probe: Whether sockets are probed by setting the presence to ``unavailable``.
            Default: the settings (no).
        deep_probe_interval_ms: How often, per instance, in milliseconds. Default: the settings.
        probe_timeout_ms: Longest wait for the answer of a probe, in milliseconds. Default: the
            settings.
        history_path: SQLite file that keeps samples over restarts. Default: the settings (none).
        history_retention_ms: How long it keeps them, in milliseconds. Default: the settings.
        detector: Makes the anomaly detector of a metric; False looks for none.
        anomaly_score: From which score on a value is an anomaly, 0 to 1.
        anomaly_cooldown_ms: An incident lasts until so long after its last anomalous value, in
            milliseconds.
        anomaly_settle: Values of a metric, one per window, before its anomalies count.
        clock: Seconds that never go back, as ``time.monotonic``.
        wall_clock: Unix seconds, as ``time.time``.
        sleep: Blocks the monitor's thread for some seconds. Default: a wait that stopping ends.
        async_sleep: Awaits some seconds, as ``asyncio.sleep``.
        random: Chance, from 0 to 1, for the waits of failing sinks.
        process: Where memory and CPU use come from. Default: this process.

    Raises:
        ConfigurationError: A value is out of range, or the environment lacks a setting.
    """

    def __init__(
        self,
        client: Any = None,
        *,
        config: EvolutionConfig | None = None,
        interval_ms: float | None = None,
        max_history: int | None = None,
        window_ms: float | None = None,
        instances: Sequence[str] | str | None = None,
        thresholds: Thresholds | None = None,
        rules: Sequence[AlertRule] = DEFAULT_RULES,
        sinks: Sequence[Sink] | None = None,
        delivery: RetryPolicy = _DELIVERY,
        recovery: RecoveryPolicy | bool | None = None,
        deep_probe: bool | None = None,
        deep_probe_interval_ms: float | None = None,
        probe_timeout_ms: float | None = None,
        history_path: str | None = None,
        history_retention_ms: float | None = None,
        detector: Callable[[], Detector] | bool = True,
        anomaly_score: float = 0.75,
        anomaly_cooldown_ms: float = 900_000,
        anomaly_settle: int = 60,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] | None = None,
        async_sleep: Callable[[float], Awaitable[object]] = ASYNC_SLEEP,
        random: Draw = _SYSTEM_RANDOM.random,
        process: ProcessSource | None = None,
    ) -> None:
        super().__init__(spawn_or_run)
        note_used("monitor")
        self._given = client
        self._own: Any = None
        chosen = config or getattr(client, "config", None)
        self._config: EvolutionConfig = chosen or EvolutionConfig.from_env()
        options = self._config.monitoring
        self._interval = positive("interval_ms", first(interval_ms, options.interval_ms))
        self._probe_timeout = positive(
            "probe_timeout_ms", first(probe_timeout_ms, options.probe_timeout_ms)
        )
        self._window = positive("window_ms", first(window_ms, options.window_ms))
        self._limits = with_memory_limit(thresholds or thresholds_from(options))
        self._clock, self._wall = clock, wall_clock
        self._trouble = QuietLog(_log, clock)
        self._outages = OutageLog(self._trouble)
        self._lock = free_in_child(RLock())
        self._process: ProcessSource = process or PsutilProcess()
        self._ring = SampleHistory(
            int(positive("max_history", first(max_history, options.max_history)))
        )
        self._intake = Collector(self._limits, self._window, clock, wall_clock)
        self._retries = RetryOutcomes(self._window * _RETRY_WINDOWS)
        policy = policy_from(recovery, options)
        deep = options.deep_probe if deep_probe is None else deep_probe
        every = first(deep_probe_interval_ms, options.deep_probe_interval_ms)
        make = detector if callable(detector) else AnomalyDetector if detector else None
        self._make_alerts: Callable[[], AlertTracker] = lambda: AlertTracker(
            rules, Forecaster(self._ring, self._limits, self._window)
        )
        self._make_anomalies = partial(
            AnomalyTracker,
            make,
            anomaly_score,
            anomaly_cooldown_ms,
            anomaly_settle,
            every_ms=self._window,
            min_requests=self._limits.min_requests,
            min_errors=self._limits.min_errors,
        )
        self._make_recoverer = None if policy is None else partial(RecoveryPlanner, policy)
        self._make_core = partial(
            HealthTracker,
            self._limits,
            window_ms=self._window,
            intake=self._intake,
            retries=self._retries,
            ring=self._ring,
            instances=watched_from(instances, self._config),
            deep_probe_ms=positive("deep_probe_interval_ms", every) if deep else None,
            clock=clock,
            wall_clock=wall_clock,
        )
        self._version = ServerVersionProbe(self._probe_timeout, clock, self._versioned)
        self._begin()
        in_child(self._begin)
        self._runner = CheckRunner(
            self._check,
            self._check_async,
            is_async=self._is_async,
            clock=clock,
            sleep=sleep,
            async_sleep=async_sleep,
        )
        path = history_path or options.history_path
        keep = first(history_retention_ms, options.history_retention_ms)
        self._file = (
            SqliteHistory(path, retention_ms=keep, failed=self._history_failed, clock=clock)
            if path
            else None
        )
        self._sinks = tuple(
            sinks_from(self._config, ClientNow(self._client)) if sinks is None else sinks
        )
        self._delivery = AlertDelivery(
            self._sinks,
            delivery,
            clock=clock,
            draw=random,
            run=self._runner.finish,
            failed=self._sink_failed,
        )
        self._clients = ObservedClients(self._intake.fact)
        self._baseline(client)

    def _begin(self) -> None:
        """Know nothing yet: as at first, so in a child, whose parent tells what it knows."""
        self._untold: deque[MonitorEvent] = deque()
        self._alerts = self._make_alerts()
        self._core = self._make_core(
            alerts=self._alerts,
            anomalies=self._make_anomalies(),
            recoverer=None if self._make_recoverer is None else self._make_recoverer(),
        )

    def _versioned(self, version: str) -> None:
        with self._lock:
            self._core.versioned(version)

    @property
    def running(self) -> bool:
        """Whether checks are made in the background."""
        return self._runner.running

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
        interval = self._interval if interval_ms is None else positive("interval_ms", interval_ms)
        if not self._config.monitoring.enabled:
            _log.info("monitoring is off: EVOLUTION_MONITORING_ENABLED is false")
            return
        check()
        self._runner.start(interval)

    def stop_monitoring(self, timeout_ms: float = _STOP_MS) -> None:
        """Stop the checks, write the history, and close what the monitor opened.

        It may be started again. Stopping what does not run is no error.

        Args:
            timeout_ms: How long to wait in all, in milliseconds (2000): for a check under way,
                alerts being delivered, and the history file. A check that is not over by then is
                abandoned: its result counts no more, and its thread ends with the question it
                waits for (``probe_timeout_ms``). On an event loop only the file is waited for.

        Raises:
            ConfigurationError: ``timeout_ms`` is below 0.
        """
        not_negative("timeout_ms", timeout_ms)
        begun = self._clock()

        def left_ms() -> float:
            return max(0.0, timeout_ms - (self._clock() - begun) * 1_000)

        on_loop = self._runner.on_loop
        self._runner.stop(left_ms() / 1_000)
        self._delivery.close(wait_ms=0 if on_loop else left_ms())
        if self._file is not None:
            # A loop waits for a file that works, and leaves one that is held to the thread.
            self._file.close(wait_ms=min(_HELD_MS, left_ms()) if on_loop else left_ms())
        with self._lock:
            own, self._own = self._own, None
        if own is not None:
            own.close()
        for sink in self._sinks:
            if callable(close := getattr(sink, "close", None)):
                close()

    def close(self, timeout_ms: float = _STOP_MS) -> None:
        """Stop, and listen to no client any more.

        Args:
            timeout_ms: As for :meth:`stop_monitoring`.
        """
        self.stop_monitoring(timeout_ms)
        self._clients.close()

    async def check_health(self) -> HealthReport:
        """Make one check now; a sync client is asked in a thread, so that the loop goes on.

        Returns:
            Health after it. A check that fails is told as ``monitoringError``.
        """
        if self._is_async:
            await self._runner.call_async(lambda: self._check_async(None))
        else:
            await self._check_async(None)
        return self.get_health_status()

    def check_health_sync(self) -> HealthReport:
        """Make one check now, blocking.

        Returns:
            Health after it. A check that fails is told as ``monitoringError``.

        Raises:
            ConfigurationError: The client is async and an event loop runs in this thread.
        """
        if self._is_async:
            self._runner.call(lambda: self._check_async(None))
        else:
            self._check(None)
        return self.get_health_status()

    def update_retry_metrics(self, metrics: RetryMetrics) -> None:
        """Take in the numbers of a retry service that the client does not use itself.

        Args:
            metrics: What ``retry.get_metrics()`` returned. How its retried calls end counts for
                health from the next check on; ``retryMetricsUpdated`` is told at once.
        """
        self._retries.update("given", metrics, self._clock())
        _, rate = self._retries.recent(self._clock())
        self._emit(RetryMetricsUpdated(metrics, rate))

    def observe(self, client: Any) -> Callable[[], None]:
        """Count the calls of one more client, such as a worker's own.

        Args:
            client: A sync or async client of the same server.

        Returns:
            A function that ends it.
        """
        return self._clients.add(client)

    def observe_event(self, event: object) -> None:
        """Take in an event of the server: status updates, and the rhythm of events.

        Args:
            event: A typed event, or the envelope as it came. Anything else is left out.
        """
        try:
            self._intake.event(event)
        except Exception as error:  # noqa: BLE001 - the delivery of events must not suffer
            self._emit(MonitoringError("event", f"{type(error).__name__} in an event", error))

    def _baseline(self, client: Any) -> None:
        if client is None:
            return
        if callable(getattr(client, "observe", None)):
            self.observe(client)
        ask = getattr(getattr(client, "retry", None), "get_metrics", None)
        if callable(ask):
            metrics: Any = ask()
            self._retries.baseline("client", metrics)

    def _history_failed(self, error: Exception) -> None:
        words = f"the history file does not work ({error}); samples stay in memory"
        _log.warning("%s", words)
        self._emit(MonitoringError("history", words, error))

    def _sink_failed(self, name: str, error: Exception) -> None:
        words = f"an alert was given up ({type(error).__name__})"
        self._trouble.trouble(("sink", name, words), "sink %s: %s", name, words)
        if not isinstance(error, EvolutionError | OSError):
            tell_handler_failure(self._trouble, f"sink {name}", error)
        self._emit(MonitoringError(f"sink:{name}", words, error))

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
        self._runner.stop()
        await in_thread(self.close)
