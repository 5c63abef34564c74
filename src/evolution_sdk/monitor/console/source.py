"""Readings that the console takes of a monitor: the only place that reaches into its parts."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from evolution_sdk.monitor.clients import retry_metrics
from evolution_sdk.monitor.collector import Tap
from evolution_sdk.monitor.forecast import Forecaster
from evolution_sdk.monitor.runner import run_in_daemon_thread
from evolution_sdk.monitor.sample import Sample
from evolution_sdk.monitor.service import EvolutionMonitorService
from evolution_sdk.monitor.trend import Forecast
from evolution_sdk.resilience import BreakerSnapshot
from evolution_sdk.retry import RetryMetrics

__all__ = ["MonitorSource"]

_DAY_MINUTES: Final = 1_440.0
_HOUR_MINUTES: Final = 60.0


class MonitorSource:
    """Reads a monitor and the clients that it watches.

    Args:
        monitor: The monitor.
    """

    def __init__(self, monitor: EvolutionMonitorService) -> None:
        self.monitor = monitor
        self._forecaster = Forecaster(
            monitor._history, monitor._limits, monitor._settings.window_ms
        )

    @property
    def now(self) -> float:
        """Seconds that never go back."""
        return self.monitor._clock()

    @property
    def at(self) -> float:
        """Unix seconds."""
        return self.monitor._wall()

    @property
    def interval_ms(self) -> float:
        """Time between two checks by the settings, in milliseconds."""
        return self.monitor._settings.interval_ms

    @property
    def limits(self) -> Mapping[str, tuple[tuple[float, str], ...]]:
        """Limits of health, by metric."""
        return self.monitor._limits.by_metric()

    @property
    def history_path(self) -> str | None:
        """Path of the history file, if there is one."""
        return self.monitor._settings.history.path

    @property
    def last_sample(self) -> Sample | None:
        """The measurements of the last check; None before the first."""
        return self.monitor._history.last()

    @property
    def watches_outbox(self) -> bool:
        """True if the monitor itself watches an outbox."""
        return self.monitor._outbox is not None

    def tap(self, tap: Tap) -> Callable[[], None]:
        """Listen to calls and events until the returned function is called."""
        return self.monitor._collector.tap(tap)

    def samples(self) -> list[Sample]:
        """Return samples of the last day: all of the last hour, some of those before."""
        whole = self.monitor._spread(_DAY_MINUTES)
        lately = self.monitor.get_history(_HOUR_MINUTES)
        begin = lately[0].at if lately else float("inf")
        return [sample for sample in whole if sample.at < begin] + lately

    def forecasts(self) -> Mapping[str, Forecast]:
        """Return the forecasts of the alert rules, by metric; a reading once per window."""
        # One of its own: the alert rules' looks at other metrics, and keeps what it found.
        return self._forecaster.forecasts(tuple(self.limits), self.now, self.at)

    def clients(self) -> Iterator[Any]:
        """Go through the clients: the one it asks, and the others that it observes."""
        current = self.monitor._clients.current
        if current is not None:
            yield current
        for each in self.monitor._observed._observed:
            if each.client is not current:
                yield each.client

    def breakers(self) -> Mapping[str, BreakerSnapshot]:
        """Return the circuit breakers by scope; of several clients, the open one counts."""
        found: dict[str, BreakerSnapshot] = {}
        for client in self.clients():
            read: Any = getattr(client, "breakers", None)
            if not callable(read):
                continue
            states: Any = read()
            for scope, snapshot in states.items():
                if scope not in found or str(found[scope].state) == "closed":
                    found[scope] = snapshot
        return found

    def retry(self) -> RetryMetrics | None:
        """Return the numbers of the client's retry service."""
        for client in self.clients():
            if (metrics := retry_metrics(client)) is not None:
                return metrics
        return None

    async def connect(self, instance: str) -> Any:
        """Ask the server for a code that links a phone, without holding up the loop.

        Args:
            instance: The instance.

        Returns:
            A ``QrCode``.
        """
        monitor = self.monitor
        if monitor._clients.is_async:
            client: Any = monitor._clients.get()

            async def ask() -> Any:
                return await client.instances.connect(instance)

            # The connections of an async client belong to the loop that the monitor runs on.
            return await monitor._runner.call_async(ask)
        return await run_in_daemon_thread(lambda: _connect(monitor._clients.get(), instance))


def _connect(client: Any, instance: str) -> Any:
    return client.instances.connect(instance)
