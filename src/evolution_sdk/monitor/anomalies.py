"""One detector per metric, and one event per incident."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from evolution_sdk._common.arguments import checked
from evolution_sdk.errors import ConfigurationError

from .anomaly import AnomalyDetector, Judgement, chance_score
from .events import AnomalyDetected
from .level_shift import LevelShiftDetector
from .sample import METRICS, Metric, Sample

__all__ = ["AnomalyOptions", "AnomalyTracker", "Detector"]


class Detector(Protocol):
    """Scores a stream of numbers; see ``AnomalyDetector``."""

    def update(self, value: float, timestamp: float | None = None) -> float:
        """Take a value and return its anomaly score, from 0 to 1."""
        ...

    @property
    def last(self) -> Judgement | None:
        """Judgement of the last value: expected range, kind and words."""
        ...


@checked()
@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyOptions:
    """Limits of anomaly detection, which only code sets.

    Attributes:
        detector: Makes the detector of a metric.
        score: Score from which a value is an anomaly, 0 to 1.
        cooldown_ms: Time after its last anomalous value at which an incident is over, in
            milliseconds.
        settle_values: Values of a metric, one per window, before its anomalies count.

    Raises:
        ConfigurationError: A value is out of range; ``variable`` names it.
    """

    detector: Callable[[], Detector] = AnomalyDetector
    score: float = 0.75
    cooldown_ms: float = 900_000
    settle_values: int = 60

    def __post_init__(self) -> None:
        if not 0 <= self.score <= 1:
            raise ConfigurationError(
                f"score must be from 0 to 1, not {self.score!r}.", variable="score"
            )
        for name in ("cooldown_ms", "settle_values"):
            if getattr(self, name) < 0:
                raise ConfigurationError(
                    f"{name} must be 0 or more, not {getattr(self, name)!r}.", variable=name
                )


_TOLERANCE_S: Final = 0.5
_OF_CALLS: Final = ("error_rate", "send_time_ms")
_SHIFTING: Final = "response_time_ms"
_SETTLED_SOONER: Final = 4
"""A level is known after this part of ``settle_values``: several values make it, not one."""


class AnomalyTracker:
    """Feeds every metric's detector, once per window: overlapping windows tell nothing new.

    Mean response time is watched at every check besides, for a level that has moved.

    Args:
        options: Detector and limits; None looks for nothing.
        every_ms: Time between two values of a metric, in milliseconds.
        min_requests: Requests in the window before its error rate and time of sends say anything.
        min_errors: Failures in the window before its error rate is told.
    """

    def __init__(
        self,
        options: AnomalyOptions | None,
        *,
        every_ms: float,
        min_requests: int,
        min_errors: int,
    ) -> None:
        self._enabled = options is not None
        options = options or AnomalyOptions()
        self._make = options.detector
        self._score = options.score
        self._cooldown = options.cooldown_ms / 1_000
        self._settle = options.settle_values
        self._every = every_ms / 1_000 - _TOLERANCE_S
        self._min_requests = min_requests
        self._min_errors = min_errors
        self._shift = LevelShiftDetector(every_ms / 1_000, self._settle / _SETTLED_SOONER)
        self._fed_at = float("-inf")
        self._detectors: dict[str, Detector] = {}
        self._seen: dict[str, int] = {}
        self._last: dict[str, float] = {}
        self._words: dict[str, str] = {}

    def step(self, sample: Sample, now: float) -> list[AnomalyDetected]:
        """Score a sample.

        Args:
            sample: Measurements of a check.
            now: Seconds that never go back.

        Returns:
            The anomalies that begin with it.
        """
        if not self._enabled:
            return []
        found: list[AnomalyDetected] = []
        # Windows overlap: between two values lies a whole window.
        fed = now - self._fed_at >= self._every
        if fed:
            self._fed_at = now
            # A share or a mean of few requests is chance.
            for metric in METRICS.values():
                value = sample.value(metric.name) if metric.detect else None
                few = metric.name in _OF_CALLS and sample.requests < self._min_requests
                if value is not None and not few:
                    found += self._judged(metric, value, sample, now)
        return found + self._shifted(sample, now, learn=fed)

    def _judged(
        self, metric: Metric, value: float, sample: Sample, now: float
    ) -> list[AnomalyDetected]:
        # Made with the first value: most metrics of most programs are never measured.
        detector = self._detectors.get(metric.name)
        if detector is None:
            detector = self._detectors[metric.name] = self._make()
        score = detector.update(value, sample.at)
        seen = self._seen[metric.name] = self._seen.get(metric.name, 0) + 1
        # The first values of a metric are all unusual: nothing is known of it yet.
        if score < self._score or seen <= self._settle:
            return []
        # One failure in a quiet window is a high rate, and still one failure.
        if metric.name == "error_rate" and round(value * sample.requests) < self._min_errors:
            return []
        return self._told(_event(metric, value, score, detector, sample.at), now)

    def _shifted(self, sample: Sample, now: float, *, learn: bool) -> list[AnomalyDetected]:
        # Evidence adds up over checks, and is scored as a single value would be.
        shift = self._shift.step(sample, now, learn=learn)
        if shift is None or (score := chance_score(shift.evidence)) < self._score:
            return []
        words = f"{METRICS[_SHIFTING].label}: {shift.words}"
        event = AnomalyDetected(
            _SHIFTING, shift.value, shift.low, shift.high, score, "level", words, sample.at
        )
        return self._told(event, now)

    def _told(self, event: AnomalyDetected, now: float) -> list[AnomalyDetected]:
        """Return the event, unless it belongs to an incident that was told."""
        before = self._last.get(event.metric)
        self._last[event.metric] = now
        if before is not None and now - before <= self._cooldown:
            return []
        self._words[event.metric] = event.words
        return [event]

    def lasting(self, now: float) -> dict[str, str]:
        """Return the words, by metric, of the incidents that are not over.

        Args:
            now: Seconds that never go back.

        Returns:
            The words by metric.
        """
        last = self._last
        return {m: words for m, words in self._words.items() if now - last[m] <= self._cooldown}


def _event(
    metric: Metric, value: float, score: float, detector: Detector, at: float
) -> AnomalyDetected:
    # A detector of the user's own making need not judge in words.
    last = detector.last
    low = getattr(last, "expected_low", None)
    high = getattr(last, "expected_high", None)
    words = str(getattr(last, "words", "") or f"{value:g} is unusual")
    kind = str(getattr(last, "kind", "") or "")
    return AnomalyDetected(
        metric.name, value, low, high, score, kind, f"{metric.label}: {words}", at
    )
