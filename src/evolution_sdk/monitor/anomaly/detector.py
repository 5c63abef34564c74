"""Streaming anomaly detector: values and gaps in, a score out; reports each anomaly once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, Self

from evolution_sdk._common.arguments import checked
from evolution_sdk.errors import ConfigurationError

from .extreme_value import REACH, ExtremeValueEstimator, finite
from .features import SeriesFeatures, Surprise
from .judgement import AnomalyKind, Judgement, chance_score

__all__ = ["AnomalyDetector"]

# An anomaly that was reported is reported again when its surprise has grown by so much.
GROWTH: Final = 1.2

# The highest score of something that was reported already and lasts.
DAMPED: Final = 0.2

# Excess in the logarithm of a gap that is not worth noticing: late values are common, long
# silences are not.
GAP_FLOOR: Final = 1.0

# Usual intervals without a value after which the short-term forecast is void.
STALE: Final = 10.0

# Larger finite values are taken for this one: squares and ratios of it do not overflow.
LARGEST: Final = 1e150

STATE_VERSION: Final = 1


@checked(but=("update",))
class AnomalyDetector:
    """Finds spikes, level shifts, changes of spread, flat lines and gaps in one stream of numbers.

    Constant time and memory per value; no clock and no I/O: the same values give the same scores.
    Not thread-safe: one detector belongs to one metric of one writer.

    Args:
        threshold: Score from which a judgement calls itself anomalous, above 0 up to 1. The
            default means a chance of one in ten thousand.
        memory_values: Values after which an observation has lost two thirds of its weight, at
            least 100.
        cooldown_values: Values for which an anomaly that was reported is not reported again, unless
            it grows; 0 reports each value by itself.
        warm_up_values: Values at the beginning for which the score is 0.0.
        period_s: Length in seconds of the rhythm to learn; a day by default, None for none.
        interval_s: Time between values in seconds, for streams without timestamps; without it,
            such a stream has no rhythm.

    Raises:
        ConfigurationError: An option is out of its range.
    """

    def __init__(
        self,
        *,
        threshold: float = 0.5,
        memory_values: int = 1_400,
        cooldown_values: int = 100,
        warm_up_values: int = 30,
        period_s: float | None = 86_400.0,
        interval_s: float | None = None,
    ) -> None:
        _check("threshold", "above 0 and at most 1", 0 < threshold <= 1)
        _check("memory_values", "at least 100", 100 <= memory_values < math.inf)
        _check("cooldown_values", "0 or more", 0 <= cooldown_values < math.inf)
        _check("warm_up_values", "0 or more", 0 <= warm_up_values < math.inf)
        _check("period_s", "a positive number or None", period_s is None or 0 < period_s < math.inf)
        _check(
            "interval_s",
            "a positive number or None",
            interval_s is None or 0 < interval_s < math.inf,
        )
        self.threshold = threshold
        self._memory = memory_values
        self._cooldown = cooldown_values
        self._warm_up = warm_up_values
        self._period_s = period_s
        self._interval_s = interval_s
        self._held = 0.0
        self._age = 0
        self._missed = 0
        self._intervals = 1.0
        self._time: float | None = None
        self._gaps = ExtremeValueEstimator(memory_values)
        self._features = SeriesFeatures(memory_values, period_s)
        self._last: tuple[float, float | None, Surprise] | None = None

    def update(self, value: float, timestamp: float | None = None) -> float:
        """Judge one value by those before it, then learn it.

        Never raises: NaN, infinity, None and the like count as a missing value.

        Args:
            value: The value.
            timestamp: Its time in seconds since the epoch; None when unknown.

        Returns:
            The score, from 0.0 (normal) to 1.0 (certain). A lasting anomaly scores high when it
            begins and when it grows, and at most 0.2 otherwise.
        """
        # This way round, floats pay nothing for the check: it runs for every value.
        if value.__class__ is not float:
            value = _number(value)
        time = self._when(timestamp)
        if not -LARGEST <= value <= LARGEST:
            # A gap is judged by the wait, a huge value as the largest one that can be squared.
            if not math.isfinite(value):
                return self._absent(time)
            value = math.copysign(LARGEST, value)
        # The gap before the value is an observation of its own; the stronger surprise counts.
        missing = self._gap(time)
        stale = missing > 0 and self._intervals > STALE
        found = self._features.judge(value, time, stale=stale)
        if missing > found.surprise:
            found = found._replace(surprise=missing, kind="missing", size=self._intervals)
        return self._finish(found, value)

    def _finish(self, found: Surprise, value: float | None) -> float:
        """Score a surprise: in full at first, damped while it lasts."""
        self._age += 1
        # After the cool-down, the same surprise is reported again.
        if self._age > self._cooldown:
            self._held = 0.0
        surprise = found.surprise
        score = 0.0
        # At first everything is unusual.
        if self._features.values.seen <= self._warm_up:
            found = found._replace(kind=None)
        elif surprise > 0:
            score = chance_score(surprise)
            if surprise > self._held * GROWTH:
                self._held = surprise
                self._age = 0
            # No stronger than what was reported: the same incident.
            elif score > DAMPED:
                score = DAMPED
        self._last = (score, value, found)
        return score

    def _when(self, timestamp: float | None) -> float | None:
        if timestamp is None:
            if self._interval_s is None:
                return None
            # A missing value takes its interval, too.
            return self._interval_s * (1 + self._missed) + (self._time or 0.0)
        if timestamp.__class__ is not float:
            timestamp = _number(timestamp)
        return timestamp if -LARGEST < timestamp < LARGEST else None

    def _elapsed(self, time: float | None) -> float:
        """Return the seconds since the last value; 0.0 when the clock went back or stood still."""
        if time is None or self._time is None:
            # Without times, each value stands for the usual gap.
            usual = math.exp(self._gaps.mean) if self._gaps.seen else 1.0
            return usual * (1 + self._missed)
        return max(0.0, time - self._time)

    def _gap(self, time: float | None) -> float:
        """Judge and learn the time since the last value."""
        elapsed = self._elapsed(time)
        surprise = 0.0
        if elapsed > 0:
            # Only longer gaps matter: a value that comes early is no sign of trouble.
            gaps = self._gaps
            length = math.log(elapsed)
            longer = length - gaps.mean
            surprise = max(0.0, gaps.update(length, GAP_FLOOR))
            self._intervals = math.exp(min(longer, 700.0))
        self._missed = 0
        self._time = time if time is not None else self._time and self._time + elapsed
        return surprise

    def _absent(self, time: float | None) -> float:
        """Judge a missing value by the wait so far."""
        self._missed += 1
        gaps, values = self._gaps, self._features.values
        elapsed = self._elapsed(time)
        surprise = longer = 0.0
        if elapsed > 0:
            length = math.log(elapsed)
            longer = min(length - gaps.mean, 700.0)
            # Not learned: the gap is still open, and counts once, when the next value comes.
            surprise = gaps.look(length, GAP_FLOOR)
        kind: AnomalyKind | None = "missing" if surprise else None
        found = Surprise(surprise, kind, math.exp(longer), values.mean, values.deviation)
        return self._finish(found, None)

    @property
    def last(self) -> Judgement | None:
        """Judgement of the last value; None before the first, and after a restart."""
        if self._last is None:
            return None
        score, value, found = self._last
        low = high = None
        if self._features.values.seen > 1:
            reach = REACH * found.deviation
            low, high = found.level - reach, found.level + reach
        anomalous = score >= self.threshold
        return Judgement(score, value, low, high, found.kind, found.size, anomalous)

    def to_dict(self) -> dict[str, Any]:
        """Return options and everything learned, of constant size, for ``json.dumps``."""
        return {
            "version": STATE_VERSION,
            "options": {name: getattr(self, attribute) for name, attribute in _OPTIONS.items()},
            "numbers": {name: getattr(self, name) for name in _NUMBERS},
            "gaps": self._gaps.to_list(),
            "views": self._features.to_dict(),
        }

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Self:
        """Continue where ``to_dict`` stood: the next scores are those of a detector never stopped.

        Args:
            state: The result of ``to_dict``, also after a detour through JSON.

        Returns:
            A new detector.

        Raises:
            ConfigurationError: The state is damaged or of another version; begin with a new
                detector then.
        """
        try:
            if state["version"] != STATE_VERSION:
                raise ValueError(f"version {state['version']!r}")
            detector = cls(**state["options"])
            for name in _NUMBERS:
                number = state["numbers"][name]
                unknown = number is None and name == "_time"
                setattr(detector, name, None if unknown else finite(number))
            detector._gaps.restore(state["gaps"])
            detector._features.restore(state["views"])
        except (LookupError, TypeError, ValueError, AttributeError, ConfigurationError) as error:
            raise ConfigurationError(
                f"this is no state of an AnomalyDetector ({error!r}); begin with a new detector",
                variable="state",
            ) from error
        return detector


_OPTIONS: Final = {
    "threshold": "threshold",
    "memory_values": "_memory",
    "cooldown_values": "_cooldown",
    "warm_up_values": "_warm_up",
    "period_s": "_period_s",
    "interval_s": "_interval_s",
}
_NUMBERS: Final = ("_held", "_age", "_missed", "_intervals", "_time")


def _number(value: Any) -> float:
    """Convert any object to a float; NaN when it is none."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _check(name: str, rule: str, kept: bool) -> None:
    if not kept:
        raise ConfigurationError(f"{name} must be {rule}", variable=name)
