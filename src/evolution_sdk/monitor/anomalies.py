"""One detector per metric, and one event per incident."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, Protocol

from .events import AnomalyDetected
from .sample import METRICS, Sample

__all__ = ["AnomalyWatch", "Detector", "default_detector"]


class Detector(Protocol):
    """Anything that scores a stream of numbers; see ``AnomalyDetector``."""

    def update(self, value: float, timestamp: float | None = None) -> float:
        """Take a value and return how anomalous it is, from 0 to 1."""
        ...

    @property
    def last(self) -> Any:
        """What it thinks of the last value: expected range, kind and words."""
        ...


def default_detector() -> Detector:
    """A detector with its usual settings."""
    made: Detector = import_module(_HOME).AnomalyDetector()
    return made


_HOME: Final = "evolution_sdk.monitor.anomaly"


def has_default_detector() -> bool:
    """Whether the package's own detector is there."""
    return find_spec(_HOME) is not None


class AnomalyWatch:
    """Feeds every metric's detector.

    Args:
        make: Makes a detector; None looks for nothing.
        score: From which score on a value is an anomaly.
        cooldown_ms: An incident lasts until so long after its last anomalous value.
        settle: Values of a metric before its anomalies count.
    """

    def __init__(
        self,
        make: Callable[[], Detector] | None,
        score: float,
        cooldown_ms: float,
        settle: int,
    ) -> None:
        self._make = make
        self._score = score
        self._cooldown = cooldown_ms / 1_000
        self._settle = settle
        self._detectors: dict[str, Detector] = {}
        self._seen: dict[str, int] = {}
        self._last: dict[str, float] = {}

    def step(self, sample: Sample, now: float) -> list[AnomalyDetected]:
        """Score a sample.

        Args:
            sample: What a check measured.
            now: Seconds that never go back.

        Returns:
            The anomalies that begin with it.
        """
        if self._make is None:
            return []
        found: list[AnomalyDetected] = []
        for metric in METRICS.values():
            value = sample.value(metric.name) if metric.detect else None
            if value is None:
                continue
            detector = self._detectors.get(metric.name)
            if detector is None:
                detector = self._detectors[metric.name] = self._make()
            score = detector.update(value, sample.at)
            seen = self._seen[metric.name] = self._seen.get(metric.name, 0) + 1
            if score < self._score or seen <= self._settle:
                continue
            before = self._last.get(metric.name)
            self._last[metric.name] = now
            if before is None or now - before > self._cooldown:
                found.append(_event(metric.name, metric.label, value, score, detector, sample.at))
        return found


def _event(
    name: str, label: str, value: float, score: float, detector: Detector, at: float
) -> AnomalyDetected:
    last = detector.last
    low = getattr(last, "expected_low", None)
    high = getattr(last, "expected_high", None)
    words = str(getattr(last, "words", "") or f"{value:g} is unusual")
    kind = str(getattr(last, "kind", "") or "")
    return AnomalyDetected(name, value, low, high, score, kind, f"{label}: {words}", at)
