"""Happenings that samples do not tell: changes of health, alerts, anomalies."""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import Final

from evolution_sdk._base.forking import free_in_child, in_child
from evolution_sdk.monitor.alert import Alert, take_end
from evolution_sdk.monitor.events import (
    AlertRaised,
    AlertResolved,
    AnomalyDetected,
    HealthStatusChanged,
    MonitorEvent,
)

__all__ = ["ReportMemory"]

_MOST_CHANGES: Final = 2_000
_MOST_OTHERS: Final = 500


class ReportMemory:
    """Keeps the latest events that a report tells of; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = free_in_child(Lock())
        self._begin()
        in_child(self._begin)

    def _begin(self) -> None:
        self._changes: deque[HealthStatusChanged] = deque(maxlen=_MOST_CHANGES)
        self._alerts: deque[Alert] = deque(maxlen=_MOST_OTHERS)
        self._anomalies: deque[AnomalyDetected] = deque(maxlen=_MOST_OTHERS)

    def note(self, event: MonitorEvent) -> None:
        """Keep an event, if a report tells of its kind.

        Args:
            event: The event.
        """
        with self._lock:
            if isinstance(event, HealthStatusChanged):
                self._changes.append(event)
            elif isinstance(event, AnomalyDetected):
                self._anomalies.append(event)
            elif isinstance(event, AlertRaised):
                self._alerts.append(event.alert)
            elif isinstance(event, AlertResolved):
                take_end(self._alerts, event.alert)

    def changes(self, since: float) -> list[HealthStatusChanged]:
        """Return the changes of health since a time, in unix seconds, the oldest first."""
        with self._lock:
            return [each for each in self._changes if each.at >= since]

    def alerts(self, since: float) -> list[Alert]:
        """Return the alerts that were active since a time, in unix seconds, the oldest first."""
        with self._lock:
            return [each for each in self._alerts if (each.resolved_at or since) >= since]

    def anomalies(self, since: float) -> list[AnomalyDetected]:
        """Return the anomalies since a time, in unix seconds, the oldest first."""
        with self._lock:
            return [each for each in self._anomalies if each.at >= since]
