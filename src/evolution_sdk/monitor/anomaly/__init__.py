"""Streaming anomaly detection: constant time and memory per value, no clock, no I/O."""

from .detector import AnomalyDetector
from .judgement import AnomalyKind, Judgement, chance_score

__all__ = ["AnomalyDetector", "AnomalyKind", "Judgement", "chance_score"]
