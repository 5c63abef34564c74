"""Keeps what the console shows and the monitor does not: bounded, by listening to the monitor."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, Final, cast

from evolution_sdk._base.effect import Effect
from evolution_sdk._base.forking import free_in_child
from evolution_sdk._client.observers import CallFinished
from evolution_sdk.models.refusals import Refusal
from evolution_sdk.monitor.alert import Alert
from evolution_sdk.monitor.events import AlertRaised, AlertResolved, AnomalyDetected, MetricsUpdated
from evolution_sdk.monitor.sample import HealthStatus, gap_s

from .funnel import DeliveryFunnel
from .pairing import Pairings
from .series import ChartPoints
from .source import MonitorSource
from .status_log import StatusLog
from .strips import StatusChange, StatusStrip
from .traffic import Traffic

__all__ = ["WHOLE", "Recorder"]

WHOLE: Final = ""
"""Name of the strip of the whole, beside those of the instances."""

_MOST_ALERTS: Final = 100
_MOST_ANOMALIES: Final = 50


class Recorder:
    """Listens to a monitor until it is closed.

    Args:
        source: The monitor.

    Attributes:
        checks: Checks so far; what is shown of health changes with it.
        alert_changes: Alerts raised or over so far.
    """

    def __init__(self, source: MonitorSource) -> None:
        self.source = source
        self.checks: int = 0
        self.alert_changes: int = 0
        self.hour: ChartPoints = ChartPoints(30, 120)
        self.day: ChartPoints = ChartPoints(300, 288)
        self.traffic: Traffic = Traffic(source.now)
        self.funnel: DeliveryFunnel = DeliveryFunnel()
        self.pairings: Pairings = Pairings()
        self.strips: dict[str, StatusStrip] = {}
        self._alerts: deque[Alert] = deque(maxlen=_MOST_ALERTS)
        self._anomalies: deque[AnomalyDetected] = deque(maxlen=_MOST_ANOMALIES)
        self._lock = free_in_child(Lock())
        path = source.history_path
        self._log = None if path is None else StatusLog(path)
        self._load()
        monitor = source.monitor
        monitor.on("metricsUpdated", self._checked)
        monitor.on("anomalyDetected", self._anomaly)
        monitor.on("alertRaised", self._alert)
        monitor.on("alertResolved", self._alert)
        self._end_tap: Callable[[], None] = source.tap(self)

    @property
    def history(self) -> bool:
        """True if uptime survives a restart."""
        return self._log is not None

    def close(self) -> None:
        """Listen no more."""
        monitor = self.source.monitor
        monitor.remove_listener("metricsUpdated", self._checked)
        monitor.remove_listener("anomalyDetected", self._anomaly)
        monitor.remove_listener("alertRaised", self._alert)
        monitor.remove_listener("alertResolved", self._alert)
        self._end_tap()
        if self._log is not None:
            self._log.close()

    @property
    def alerts(self) -> list[Alert]:
        """The alerts that are over, the newest first."""
        with self._lock:
            return list(reversed(self._alerts))

    @property
    def anomalies(self) -> list[AnomalyDetected]:
        """The anomalies, the newest first."""
        with self._lock:
            return list(reversed(self._anomalies))

    def _load(self) -> None:
        for sample in self.source.samples():
            self.hour.add(sample)
            self.day.add(sample)
        if self._log is None:
            return
        for name, changes in self._log.load(self.source.at).items():
            strip = self.strips[name] = StatusStrip(gap_s(self.source.interval_ms))
            strip.load(changes)

    def _checked(self, event: MetricsUpdated) -> None:
        sample = event.sample
        self.hour.add(sample)
        self.day.add(sample)
        report = self.source.monitor.get_health_status()
        changes: list[tuple[str, StatusChange]] = []
        seen: dict[str, tuple[HealthStatus, tuple[str, ...]]] = {
            WHOLE: (report.status, report.reasons),
            **{name: (each.status, each.reasons) for name, each in report.instances.items()},
        }
        for name, (status, reasons) in seen.items():
            strip = self.strips.get(name)
            if strip is None:
                strip = self.strips[name] = StatusStrip(gap_s(self.source.interval_ms))
            change = strip.saw(sample.at, status, reasons)
            if change is not None:
                changes.append((name, change))
        for name, each in report.instances.items():
            if each.state == "open" and not each.socket_dead:
                self.pairings.linked(name)
        for name in [name for name in self.strips if name not in seen]:
            del self.strips[name]
            self.pairings.linked(name)
        if changes and self._log is not None:
            self._log.add(changes)
        self.checks += 1

    def _anomaly(self, event: AnomalyDetected) -> None:
        with self._lock:
            self._anomalies.append(event)

    def _alert(self, event: AlertRaised | AlertResolved) -> None:
        alert = event.alert
        if isinstance(event, AlertResolved):
            with self._lock:
                self._alerts.append(alert)
        elif alert.pairing is not None and alert.instance is not None:
            self.pairings.shown(alert.instance, alert.pairing, self.source.at)
        self.alert_changes += 1

    def call(self, fact: CallFinished) -> None:
        """Take in a finished call."""
        self.traffic.call(fact, self.source.now)
        if fact.error is not None or fact.effect is not Effect.SEND or fact.instance is None:
            return
        key_id = getattr(fact.result, "id", None)
        if fact.operation.startswith("message.") and isinstance(key_id, str) and key_id:
            self.funnel.accepted(fact.instance, key_id, self.source.at)

    def event(self, name: str, instance: str, data: Any) -> None:
        """Take in an event."""
        at = self.source.at
        self.traffic.event(name, instance, self.source.now, at)
        if name == "qrcode.updated" and isinstance(data, Mapping):
            self.pairings.told(instance, cast("Mapping[str, Any]", data), at)

    def status(self, instance: str, key_id: str, status: str, refusal: Refusal | None) -> None:
        """Take in the status of a message."""
        self.funnel.status(instance, key_id, status, refusal, self.source.at)
