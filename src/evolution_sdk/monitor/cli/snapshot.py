"""Snapshot of a monitor, as the command shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from evolution_sdk.monitor.alert import Alert
from evolution_sdk.monitor.report import HealthReport
from evolution_sdk.monitor.sample import HealthStatus, Sample

__all__ = ["EXIT_CODES", "Snapshot"]

EXIT_CODES: Final[Mapping[HealthStatus, int]] = MappingProxyType(
    {"healthy": 0, "degraded": 1, "unhealthy": 2, "unknown": 3}
)
"""Exit codes of the command by health; 3 also where health cannot be told."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A monitor at one moment.

    Attributes:
        report: Health.
        samples: The last checks, the oldest first.
        alerts: The last alerts, the oldest first, those that are over among them.
        url: The server, for the title.
    """

    report: HealthReport
    samples: Sequence[Sample] = ()
    alerts: Sequence[Alert] = ()
    url: str = ""

    @property
    def exit_code(self) -> int:
        """Exit code of the command."""
        return EXIT_CODES[self.report.status]

    def to_dict(self) -> dict[str, Any]:
        """Return all of it but older samples, ready for JSON and without pairing codes."""
        return {
            "status": self.report.status,
            "exit_code": self.exit_code,
            "url": self.url,
            "checked_at": self.report.checked_at,
            "reasons": list(self.report.reasons),
            "details": dict(self.report.details),
            "instances": {
                name: {
                    "status": each.status,
                    "state": each.state,
                    "socket_dead": each.socket_dead,
                    "event_age_s": each.event_age_s,
                    "reasons": list(each.reasons),
                }
                for name, each in self.report.instances.items()
            },
            "sample": self.samples[-1].to_dict() if self.samples else None,
            "alerts": [
                {
                    "rule": alert.rule,
                    "severity": alert.severity,
                    "words": alert.words,
                    "instance": alert.instance,
                    "raised_at": alert.raised_at,
                    "resolved_at": alert.resolved_at,
                }
                for alert in self.alerts
            ],
        }
