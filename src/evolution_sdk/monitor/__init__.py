"""Health that is measured: anomaly detection over any stream of numbers."""

from .anomaly import AnomalyDetector, AnomalyKind, Judgement

__all__ = ["AnomalyDetector", "AnomalyKind", "Judgement"]
