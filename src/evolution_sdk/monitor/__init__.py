"""Health that is measured: states with reasons, history, trends, anomalies, alerts."""

from .alert import DEFAULT_RULES, Alert, AlertRule, Pairing
from .anomaly import AnomalyDetector, AnomalyKind, Judgement
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
from .recovery import RecoveryPolicy
from .report import HealthReport, InstanceHealth, PerformanceMetrics
from .sample import METRICS, HealthStatus, Metric, Sample
from .service import EvolutionMonitorService
from .sinks import CallableSink, HttpSink, LogSink, Sink, WhatsAppSink
from .thresholds import Thresholds
from .trend import Forecast, Trend

__all__ = [
    "DEFAULT_RULES",
    "METRICS",
    "Alert",
    "AlertRaised",
    "AlertResolved",
    "AlertRule",
    "AnomalyDetected",
    "AnomalyDetector",
    "AnomalyKind",
    "CallableSink",
    "EvolutionMonitorService",
    "Forecast",
    "HealthReport",
    "HealthStatus",
    "HealthStatusChanged",
    "HttpSink",
    "InstanceHealth",
    "Judgement",
    "LogSink",
    "Metric",
    "MetricsUpdated",
    "MonitorEvent",
    "MonitoringError",
    "Pairing",
    "PerformanceMetrics",
    "RecoveryPolicy",
    "RetryMetricsUpdated",
    "Sample",
    "Sink",
    "Thresholds",
    "Trend",
    "WhatsAppSink",
]
