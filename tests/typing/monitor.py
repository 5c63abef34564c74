"""Read by mypy and pyright, never run: what a monitor takes, and what it returns."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_type

from evolution_sdk import AsyncEvolutionClient, EvolutionClient, EvolutionMonitorService
from evolution_sdk.config import MonitoringConfig
from evolution_sdk.monitor import (
    AnomalyOptions,
    HealthReport,
    HealthStatusChanged,
    HistoryOptions,
    MonitoredClient,
    MonitorPorts,
    PerformanceMetrics,
    ProbeOptions,
    RecoveryPolicy,
    Sample,
    Thresholds,
    Trend,
    WhatsAppSink,
)


def every_client_can_be_watched(client: EvolutionClient, other: AsyncEvolutionClient) -> None:
    blocking: MonitoredClient = client
    awaiting: MonitoredClient = other
    EvolutionMonitorService()
    EvolutionMonitorService(blocking)
    EvolutionMonitorService(awaiting)
    EvolutionMonitorService(client, max_history=1_000, interval_ms=5_000, instances="*")
    WhatsAppSink(client, "alerts", "5511999999999")
    WhatsAppSink(other, "alerts", "5511999999999")


def anything_else_cannot(client: EvolutionClient) -> None:
    EvolutionMonitorService("oops")  # type: ignore[arg-type]
    EvolutionMonitorService(client.server)  # type: ignore[arg-type]
    EvolutionMonitorService(client, thresholds={"min_slow": 3})  # type: ignore[arg-type]
    EvolutionMonitorService(client, detector=False)  # type: ignore[call-arg]
    WhatsAppSink("oops", "alerts", "5511999999999")  # type: ignore[arg-type]


async def it_answers(monitor: EvolutionMonitorService, settings: MonitoringConfig) -> None:
    assert_type(await monitor.check_health(), HealthReport)
    assert_type(monitor.check_health_sync(), HealthReport)
    assert_type(monitor.get_health_status(), HealthReport)
    assert_type(monitor.get_performance_metrics(minutes=5), PerformanceMetrics)
    assert_type(monitor.get_trends(), Mapping[str, Trend])
    assert_type(monitor.get_history(), list[Sample])
    assert_type(settings.thresholds, Thresholds)
    assert_type(settings.history, HistoryOptions)
    assert_type(settings.probes, ProbeOptions)
    assert_type(settings.recovery_policy, RecoveryPolicy)


def options_are_typed(client: EvolutionClient) -> None:
    EvolutionMonitorService(
        client,
        thresholds=Thresholds(degraded_response_ms=300.5, min_slow=3),
        probes=ProbeOptions(timeout_ms=1_000, deep=True),
        history=HistoryOptions(path="monitor.sqlite3"),
        recovery=RecoveryPolicy(max_restarts=1),
        anomalies=AnomalyOptions(score=0.9),
        ports=MonitorPorts(random=lambda: 0.5),
    )
    Thresholds(min_slow="3")  # type: ignore[arg-type]
    Thresholds(minimum=3)  # type: ignore[call-arg]


def handlers_are_typed(monitor: EvolutionMonitorService) -> None:
    @monitor.on("healthStatusChanged")
    def changed(event: HealthStatusChanged) -> None:
        assert_type(event.details, Mapping[str, Any])

    changed(HealthStatusChanged("healthy", "degraded", (), {}, 1.0))
    monitor.on("healthStatusChanged", lambda event: event.reasons)
    monitor.on("metricsUpdated", changed)  # type: ignore[call-overload]
    monitor.on("oops", changed)  # type: ignore[call-overload]
