"""Metrics for Prometheus, metrics and spans for OpenTelemetry; each needs its extra."""

from .otel import instrument
from .prometheus import PrometheusCollector, serve_prometheus

__all__ = ["PrometheusCollector", "instrument", "serve_prometheus"]
