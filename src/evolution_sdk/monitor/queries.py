"""What a monitor answers from memory; nothing of it asks the server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from evolution_sdk._common.arguments import checked
from evolution_sdk.config import EvolutionConfig

from .alert import Alert, AlertTracker
from .collector import Collector
from .events import MonitorNotifier
from .health_tracker import HealthTracker
from .history import SampleHistory
from .report import HealthReport, PerformanceMetrics, performance, trends
from .sample import Sample
from .setup import positive
from .sqlite_history import SqliteHistory
from .thresholds import Thresholds
from .trend import Trend

__all__ = ["Queries"]


@checked()
class Queries(MonitorNotifier):
    """The answering half of the monitor; the service makes its parts."""

    _config: EvolutionConfig
    _core: HealthTracker
    _intake: Collector
    _ring: SampleHistory
    _alerts: AlertTracker
    _limits: Thresholds
    _window: float
    _file: SqliteHistory | None
    _clock: Callable[[], float]
    _wall: Callable[[], float]
    _lock: AbstractContextManager[bool]

    @property
    def config(self) -> EvolutionConfig:
        """The settings in force."""
        return self._config

    @property
    def active_alerts(self) -> tuple[Alert, ...]:
        """The alerts that are not over, the oldest first."""
        with self._lock:
            return self._alerts.active

    def get_health_status(self) -> HealthReport:
        """Health as of the last check; asks nothing of the server.

        Returns:
            Status, reasons, what was measured, and the health of each instance.
        """
        return self._core.report

    def get_performance_metrics(self, minutes: float = 5) -> PerformanceMetrics:
        """Sum up the last minutes.

        Args:
            minutes: How many; calls are remembered for 60.

        Returns:
            Rates, times and resources.

        Raises:
            ConfigurationError: ``minutes`` is not above 0.
        """
        span_s = positive("minutes", minutes) * 60
        totals, covered = self._intake.calls.totals(self._clock(), span_s * 1_000)
        return performance(minutes, self._ring.since(self._wall() - span_s), totals, covered)

    def get_trends(self, minutes: float = 60) -> Mapping[str, Trend]:
        """Say where each metric is going.

        Args:
            minutes: How far to look back.

        Returns:
            A trend per metric that has values.

        Raises:
            ConfigurationError: ``minutes`` is not above 0.
        """
        return trends(self.get_history(minutes), self._limits, self._window)

    def get_history(self, minutes: float | None = None) -> list[Sample]:
        """Samples of the last minutes, the oldest first.

        Args:
            minutes: How far to look back; None for all.

        Returns:
            Samples from memory, and those before from the history file when there is one.

        Raises:
            ConfigurationError: ``minutes`` is not above 0.
        """
        since = 0.0 if minutes is None else self._wall() - positive("minutes", minutes) * 60
        samples = self._ring.since(since)
        if self._file is None:
            return samples
        oldest = next(iter(self._ring), None)
        if oldest is not None and oldest.at <= since:
            return samples
        before = None if oldest is None else oldest.at
        older = [s for s in self._file.since(since, before) if before is None or s.at < before]
        return older + samples
