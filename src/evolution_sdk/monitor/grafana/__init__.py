"""A dashboard for Grafana, and rules for Prometheus, made from the table of exported metrics."""

from .dashboard import dashboard
from .files import FILES, grafana_files
from .rules import alert_rules, recording_rules

__all__ = ["FILES", "alert_rules", "dashboard", "grafana_files", "recording_rules"]
