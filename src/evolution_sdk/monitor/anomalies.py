"""One detector per metric, and one event per incident."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from .anomaly import Judgement
from .events import AnomalyDetected
from .sample import METRICS, Sample

__all__ = ["AnomalyWatch", "Detector"]


class Detector(Protocol):
    """Anything that scores a stream of numbers; see ``AnomalyDetector``."""

    def update(self, value: float, timestamp: float | None = None) -> float:
        """Take a value and return how anomalous it is, from 0 to 1."""
        ...

    @property
    def last(self) -> Judgement | None:
        """What it thinks of the last value: expected range, kind and words."""
        ...


_TOLERANCE_S: Final = 0.5


class AnomalyWatch:
    """Feeds every metric's detector, once per window: overlapping windows are not news.

    Args:
        make: Makes a detector; None looks for nothing.
        score: From which score on a value is an anomaly.
        cooldown_ms: An incident lasts until so long after its last anomalous value.
        settle: Values of a metric before its anomalies count.
        every_ms: Time between two values of a metric, in milliseconds.
        min_requests: Requests in the window before an error rate says anything.
    """

    def __init__(
        self,
        make: Callable[[], Detector] | None,
        score: float,
        cooldown_ms: float,
        settle: int,
        *,
        every_ms: float,
        min_requests: int,
    ) -> None:
        self._make = make
        self._score = score
        self._cooldown = cooldown_ms / 1_000
        self._settle = settle
        self._every = every_ms / 1_000 - _TOLERANCE_S
        self._min_requests = min_requests
        self._fed_at = float("-inf")
        self._detectors: dict[str, Detector] = {}
        self._seen: dict[str, int] = {}
        self._last: dict[str, float] = {}
        self._words: dict[str, str] = {}

    def step(self, sample: Sample, now: float) -> list[AnomalyDetected]:
        """Score a sample.

        Args:
            sample: What a check measured.
            now: Seconds that never go back.

        Returns:
            The anomalies that begin with it.
        """
        if self._make is None or now - self._fed_at < self._every:
            return []
        self._fed_at = now
        found: list[AnomalyDetected] = []
        for metric in METRICS.values():
            value = sample.value(metric.name) if metric.detect else None
            few = metric.name == "error_rate" and sample.requests < self._min_requests
            if value is None or few:
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
                event = _event(metric.name, metric.label, value, score, detector, sample.at)
                self._words[metric.name] = event.words
                found.append(event)
        return found

    def lasting(self, now: float) -> dict[str, str]:
        """Words by metric of the incidents that are not over.

        Args:
            now: Seconds that never go back.
        """
        last = self._last
        return {m: words for m, words in self._words.items() if now - last[m] <= self._cooldown}


def _event(
    name: str, label: str, value: float, score: float, detector: Detector, at: float
) -> AnomalyDetected:
    last = detector.last
    low = getattr(last, "expected_low", None)
    high = getattr(last, "expected_high", None)
    words = str(getattr(last, "words", "") or f"{value:g} is unusual")
    kind = str(getattr(last, "kind", "") or "")
    return AnomalyDetected(name, value, low, high, score, kind, f"{label}: {words}", at)
