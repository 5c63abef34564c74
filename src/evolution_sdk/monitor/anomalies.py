"""One detector per metric, and one event per incident."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from .anomaly import Judgement, chance_score
from .events import AnomalyDetected
from .level_shift import LevelShiftDetector
from .sample import METRICS, Metric, Sample

__all__ = ["AnomalyTracker", "Detector"]


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
_OF_CALLS: Final = ("error_rate", "send_time_ms")
_SHIFTING: Final = "response_time_ms"
_SETTLED_SOONER: Final = 4
"""A level is known after this part of ``settle``: it takes several values to be told, not one."""


class AnomalyTracker:
    """Feeds every metric's detector, once per window: overlapping windows are not news.

    Mean response time is watched at every check besides, for a level that has moved.

    Args:
        make: Makes a detector; None looks for nothing.
        score: From which score on a value is an anomaly.
        cooldown_ms: An incident lasts until so long after its last anomalous value.
        settle: Values of a metric before its anomalies count.
        every_ms: Time between two values of a metric, in milliseconds.
        min_requests: Requests in the window before its error rate and time of sends say anything.
        min_errors: Failures in the window before its error rate is told.
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
        min_errors: int,
    ) -> None:
        self._make = make
        self._score = score
        self._cooldown = cooldown_ms / 1_000
        self._settle = settle
        self._every = every_ms / 1_000 - _TOLERANCE_S
        self._min_requests = min_requests
        self._min_errors = min_errors
        self._shift = LevelShiftDetector(every_ms / 1_000, settle / _SETTLED_SOONER)
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
        if self._make is None:
            return []
        found: list[AnomalyDetected] = []
        fed = now - self._fed_at >= self._every
        if fed:
            self._fed_at = now
            for metric in METRICS.values():
                value = sample.value(metric.name) if metric.detect else None
                few = metric.name in _OF_CALLS and sample.requests < self._min_requests
                if value is not None and not few:
                    found += self._judged(metric, value, sample, now, self._make)
        return found + self._shifted(sample, now, learn=fed)

    def _judged(
        self, metric: Metric, value: float, sample: Sample, now: float, make: Callable[[], Detector]
    ) -> list[AnomalyDetected]:
        detector = self._detectors.get(metric.name)
        if detector is None:
            detector = self._detectors[metric.name] = make()
        score = detector.update(value, sample.at)
        seen = self._seen[metric.name] = self._seen.get(metric.name, 0) + 1
        if score < self._score or seen <= self._settle:
            return []
        if metric.name == "error_rate" and round(value * sample.requests) < self._min_errors:
            return []
        return self._told(_event(metric, value, score, detector, sample.at), now)

    def _shifted(self, sample: Sample, now: float, *, learn: bool) -> list[AnomalyDetected]:
        shift = self._shift.step(sample, now, learn=learn)
        if shift is None or (score := chance_score(shift.evidence)) < self._score:
            return []
        words = f"{METRICS[_SHIFTING].label}: {shift.words}"
        event = AnomalyDetected(
            _SHIFTING, shift.value, shift.low, shift.high, score, "level", words, sample.at
        )
        return self._told(event, now)

    def _told(self, event: AnomalyDetected, now: float) -> list[AnomalyDetected]:
        """The event, unless it belongs to an incident that was told."""
        before = self._last.get(event.metric)
        self._last[event.metric] = now
        if before is not None and now - before <= self._cooldown:
            return []
        self._words[event.metric] = event.words
        return [event]

    def lasting(self, now: float) -> dict[str, str]:
        """Words by metric of the incidents that are not over.

        Args:
            now: Seconds that never go back.
        """
        last = self._last
        return {m: words for m, words in self._words.items() if now - last[m] <= self._cooldown}


def _event(
    metric: Metric, value: float, score: float, detector: Detector, at: float
) -> AnomalyDetected:
    last = detector.last
    low = getattr(last, "expected_low", None)
    high = getattr(last, "expected_high", None)
    words = str(getattr(last, "words", "") or f"{value:g} is unusual")
    kind = str(getattr(last, "kind", "") or "")
    return AnomalyDetected(
        metric.name, value, low, high, score, kind, f"{metric.label}: {words}", at
    )
