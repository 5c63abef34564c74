"""What single readings come to: times, counts, and the details of a report; pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from .health import HealthFinding, HealthVerdict
from .probe import ProbeReport
from .sample import HealthStatus, Sample

__all__ = ["LocalReadings", "count_open", "details_of", "of_instances", "times"]


@dataclass(frozen=True, slots=True)
class LocalReadings:
    """What is read beside the server at a check; None where it cannot be.

    Attributes:
        in_flight: Calls under way.
        breakers: State of each circuit breaker, by scope.
        causes: What opened them, in words, by scope.
        memory_bytes: Memory of this process, in bytes.
        cpu_percent: CPU use of this process.
        loop_lag_ms: How late the event loop was, in milliseconds.
    """

    in_flight: int | None = None
    breakers: Mapping[str, str] = field(default_factory=dict[str, str])
    causes: Mapping[str, str] = field(default_factory=dict[str, str])
    memory_bytes: int | None = None
    cpu_percent: float | None = None
    loop_lag_ms: float | None = None


def count_open(probed: ProbeReport, dead: Collection[str], *, complete: bool) -> int | None:
    """Count the open instances; None where it is not known: only what is known of all is a 0.

    Args:
        probed: What a check learned.
        dead: Instances whose socket is known to be dead.
        complete: Whether all instances that are to be watched are known.
    """
    server = probed.server
    if not server.reachable or server.by_calls or server.activate_at is not None:
        return None
    found = sum(each.state == "open" and each.name not in dead for each in probed.instances)
    told = all(each.state or each.problem == "missing" for each in probed.instances)
    return found if found or (told and complete) else None


def details_of(
    sample: Sample, probed: ProbeReport, around: LocalReadings, version: str | None
) -> Mapping[str, Any]:
    """What a report and its events say in numbers."""
    return MappingProxyType(
        {
            "connected": probed.server.reachable,
            "server_version": version,
            "latency_ms": probed.server.latency_ms,
            "response_time_ms": sample.response_time_ms,
            "p95_response_time_ms": sample.p95_response_time_ms,
            "error_rate": sample.error_rate,
            "requests": sample.requests,
            "retry_success_rate": sample.retry_success_rate,
            "messages_per_second": sample.messages_per_second,
            "in_flight": around.in_flight,
            "active_connections": sample.active_connections,
            "unacked_share": sample.unacked_share,
            "event_age_s": sample.event_age_s,
            "breakers": dict(around.breakers),
            "instances": {each.name: each.state for each in probed.instances},
            "failure": probed.server.failure,
        }
    )


def of_instances(verdicts: Mapping[str, HealthVerdict]) -> list[HealthFinding]:
    """What single instances mean for the whole: one of several down is not everything down."""
    states = {verdict.status for verdict in verdicts.values()}
    found: list[HealthFinding] = []
    for name, verdict in verdicts.items():
        if verdict.status == "healthy":
            continue
        status: HealthStatus = verdict.status if len(states) == 1 else "degraded"
        words = f"instance {name}: {'; '.join(verdict.reasons)}"
        found.append(HealthFinding(status, words, verdict.hard))
    return found


def times(probed: ProbeReport) -> list[float]:
    """How long the answers took that tell how fast the server is."""
    told = [each.latency_ms for each in probed.instances if each.latency_ms is not None]
    first = probed.server.latency_ms
    return told if told or first is None else [first]
