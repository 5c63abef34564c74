"""Measured health: states with reasons, history, trends, anomalies, alerts."""

from evolution_sdk.config._monitoring import (
    AlertTargets,
    HistoryOptions,
    ProbeOptions,
    RecoveryPolicy,
    Thresholds,
)

from .alert import DEFAULT_RULES, Alert, AlertRule
from .anomalies import AnomalyOptions
from .anomaly import AnomalyDetector, AnomalyKind, Judgement
from .clients import MonitoredClient
from .console import EvolutionConsole
from .events import (
    AlertRaised,
    AlertResolved,
    AnomalyDetected,
    HealthStatusChanged,
    MetricsUpdated,
    MonitorEvent,
    MonitoringError,
    RetryMetricsUpdated,
)
from .options import MonitorPorts
from .report import HealthReport, InstanceHealth, PerformanceMetrics
from .reporting.report import MonitorReport
from .sample import METRICS, HealthStatus, Metric, Sample
from .service import EvolutionMonitorService
from .sinks import CallableSink, HttpSink, LogSink, Sink, WhatsAppSink
from .trend import Forecast, Trend

__all__ = [
    "DEFAULT_RULES",
    "METRICS",
    "Alert",
    "AlertRaised",
    "AlertResolved",
    "AlertRule",
    "AlertTargets",
    "AnomalyDetected",
    "AnomalyDetector",
    "AnomalyKind",
    "AnomalyOptions",
    "CallableSink",
    "EvolutionConsole",
    "EvolutionMonitorService",
    "Forecast",
    "HealthReport",
    "HealthStatus",
    "HealthStatusChanged",
    "HistoryOptions",
    "HttpSink",
    "InstanceHealth",
    "Judgement",
    "LogSink",
    "Metric",
    "MetricsUpdated",
    "MonitorEvent",
    "MonitorPorts",
    "MonitorReport",
    "MonitoredClient",
    "MonitoringError",
    "PerformanceMetrics",
    "ProbeOptions",
    "RecoveryPolicy",
    "RetryMetricsUpdated",
    "Sample",
    "Sink",
    "Thresholds",
    "Trend",
    "WhatsAppSink",
]
