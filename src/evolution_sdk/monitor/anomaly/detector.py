"""The streaming detector: five views of a series, each judged by its own past, the strongest wins.

* the value itself (spikes, and values never seen),
* its distance from a short-term forecast (sudden moves inside the usual range),
* the mean of the last dozen values (level shifts, and large values that come too often),
* how much neighbours differ (changes of spread), and how long a value stays the same (flat lines),
* its distance from the usual value of this time of day, once there is a rhythm,
* the time since the last value (gaps).

Every view goes through the same ``Tails``, so that a surprise means the same in all of them: how
many decimal orders of magnitude the observation is improbable, given this series' own past.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, Self

from evolution_sdk.errors import ConfigurationError

from .judgement import AnomalyKind, Judgement
from .rhythm import Rhythm
from .tail import REACH, Tails

__all__ = ["AnomalyDetector"]

HALF_AT: Final = 5.0
"""A surprise of so many orders of magnitude is a score of 0.5; twice as many, 0.75."""

GROWTH: Final = 1.2
"""An anomaly that was reported is reported again when its surprise has grown by so much."""

DAMPED: Final = 0.2
"""The highest score of something that was reported already and lasts."""

FORECAST: Final = 0.2
"""Weight of the newest value in the short-term forecast: about the last five values."""

RECENT: Final = 1 / 12
"""Weight of the newest value in recent level and spread: about the last dozen values."""

FLOOR: Final = 1e-3
"""A change of a thousandth of the level is not worth noticing, however still the series was."""

LOG_FLOOR: Final = 0.1
"""The same for the logarithm of the spread: a tenth."""

RUN_FLOOR: Final = 0.5
"""The same for the logarithm of a run's length."""

GAP_FLOOR: Final = 2.0
"""The same for the logarithm of a gap: a few late values are no news."""

STALE: Final = 10.0
"""After so many usual intervals without a value, the short-term forecast knows nothing."""

ABSURD: Final = 1e4
"""So many deviations away, a value is reported, and learned as if it were no farther, ..."""

UNHEARD_OF: Final = 1e15
"""The same bound for a series that has been nothing but zero."""

INSISTING: Final = 5
"""... until so many came in a row: then the series is another one, and learning starts anew."""

LARGEST: Final = 1e150
"""Larger finite values are taken for this one: squares and ratios of it do not overflow."""

STATE_VERSION: Final = 1

_SETTLED: Final = 30


class AnomalyDetector:
    """Finds spikes, level shifts, changes of spread, flat lines and gaps in one stream of numbers.

    Constant time and memory per value; no clock and no I/O: the same values give the same scores.
    Not thread-safe: one detector belongs to one metric of one writer.

    Args:
        threshold: Score from which a judgement calls itself anomalous, above 0 up to 1. The
            default means a chance of one in a hundred thousand.
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
        memory_values: int = 2_000,
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
        self._absurd = 0
        self._missed = 0
        self._intervals = 1.0
        self._time: float | None = None
        self._gaps = Tails(memory_values)
        self._begin()
        self._last: tuple[float, float | None, float, float, AnomalyKind | None, float] | None = (
            None
        )

    def _begin(self) -> None:
        """Forget every value; what was reported, and the time, stay."""
        memory = self._memory
        self._values = Tails(memory)
        self._errors = Tails(memory)
        self._levels = Tails(memory)
        self._spreads = Tails(memory)
        self._runs = Tails(memory)
        self._seasonal = Tails(memory)
        self._rhythm = None if self._period_s is None else Rhythm(self._period_s)
        self._run = 0
        self._previous = 0.0
        self._forecast = 0.0
        self._recent = 0.0
        self._ratio = 1.0
        self._moves = 0.0

    def update(self, value: float, timestamp: float | None = None) -> float:
        """Judge one value by those before it, then learn it.

        Never raises: what is no finite number (NaN, infinity, None) counts as a missing value.

        Args:
            value: The value.
            timestamp: Its time in seconds since the epoch; None when unknown.

        Returns:
            The score, from 0.0 (normal) to 1.0 (certain). A lasting anomaly scores high when it
            begins and when it grows, and at most 0.2 otherwise.
        """
        if value.__class__ is not float:
            value = _number(value)
        time = self._when(timestamp)
        if not -LARGEST <= value <= LARGEST:
            if not math.isfinite(value):
                return self._absent(time)
            value = math.copysign(LARGEST, value)
        missing = self._gap(time, value)
        values = self._values
        level, deviation = values.mean, values.deviation
        floor = FLOOR * abs(level)
        if values.seen >= _SETTLED:
            limit = ABSURD * (deviation + floor) or UNHEARD_OF
            if not -limit <= value - level <= limit:
                self._absurd += 1
                if self._absurd < INSISTING:
                    surprise = values.update(math.copysign(limit, value), floor)
                    return self._finish(abs(surprise), "spike", value, value, level, deviation)
                self._begin()
                values = self._values
        self._absurd = 0
        if not values.seen:
            self._previous = self._forecast = self._recent = value

        unseen = abs(values.update(value, floor))
        error = value - self._forecast
        self._forecast += FORECAST * error
        sudden = abs(self._errors.update(error, floor))
        self._recent += RECENT * (value - self._recent)
        shifted = abs(self._levels.update(self._recent, floor))
        move = abs(value - self._previous)
        self._previous = value
        stuck = self._stuck(move)
        varied = self._varied(move, FLOOR * deviation + 1e-9 * abs(value))
        offbeat = 0.0
        rhythm = self._rhythm
        if rhythm is not None and time is not None:
            usual = rhythm.expect(value, time, level)
            if usual is not None:
                reach = self._seasonal.deviation
                offbeat = abs(self._seasonal.update(value - usual, floor))
                if rhythm.proven:
                    level, deviation = usual, reach
                else:
                    offbeat = 0.0

        best = max(unseen, sudden, shifted, stuck, varied, offbeat, missing)
        if not best:
            return self._finish(0.0, None, 0.0, value, level, deviation)
        if best in (unseen, sudden, offbeat):
            return self._finish(best, "spike", value, value, level, deviation)
        if best == shifted:
            return self._finish(best, "level", self._recent, value, level, deviation)
        if best == stuck:
            return self._finish(best, "flat", self._run + 1, value, level, deviation)
        if best == varied:
            return self._finish(best, "spread", self._ratio, value, level, deviation)
        return self._finish(best, "missing", self._intervals, value, level, deviation)

    def _stuck(self, move: float) -> float:
        """Surprise of how often the value has come in a row."""
        if not move and self._values.seen > 1:
            self._run = run = self._run + 1
            return self._runs.look(math.log(run), RUN_FLOOR) if run > 1 else 0.0
        self._runs.update(math.log(self._run) if self._run else 0.0, RUN_FLOOR)
        self._run = 0
        return 0.0

    def _varied(self, move: float, least: float) -> float:
        """Surprise of how much neighbours differ of late, by its logarithm."""
        self._moves += RECENT * (move - self._moves)
        if self._values.seen <= _SETTLED:
            return 0.0
        spread = math.log(self._moves + least + 1e-300)
        spreads = self._spreads
        surprise = abs(spreads.update(spread, LOG_FLOOR))
        if surprise:
            self._ratio = math.exp(min(spread - spreads.mean, 700.0))
        return surprise

    def _finish(
        self,
        surprise: float,
        kind: AnomalyKind | None,
        size: float,
        value: float | None,
        level: float,
        deviation: float,
    ) -> float:
        """The score of a surprise: full when it is news, damped when it was reported."""
        self._age += 1
        if self._age > self._cooldown:
            self._held = 0.0
        score = 0.0
        if self._values.seen <= self._warm_up:
            kind = None
        elif surprise > 0:
            score = 1 - 2 ** (-surprise / HALF_AT)
            if surprise > self._held * GROWTH:
                self._held = surprise
                self._age = 0
            elif score > DAMPED:
                score = DAMPED
        self._last = (score, value, level, deviation, kind, size)
        return score

    def _when(self, timestamp: float | None) -> float | None:
        if timestamp is None:
            if self._interval_s is None:
                return None
            return self._interval_s * (1 + self._missed) + (self._time or 0.0)
        if timestamp.__class__ is not float:
            timestamp = _number(timestamp)
        return timestamp if -LARGEST < timestamp < LARGEST else None

    def _elapsed(self, time: float | None) -> float:
        """Seconds since the last value; 0.0 when the clock went back or stood still."""
        if time is None or self._time is None:
            usual = math.exp(self._gaps.mean) if self._gaps.seen else 1.0
            return usual * (1 + self._missed)
        return max(0.0, time - self._time)

    def _gap(self, time: float | None, value: float) -> float:
        """Judge and learn the time since the last value."""
        elapsed = self._elapsed(time)
        surprise = 0.0
        if elapsed > 0:
            gaps = self._gaps
            length = math.log(elapsed)
            longer = length - gaps.mean
            surprise = max(0.0, gaps.update(length, GAP_FLOOR))
            self._intervals = math.exp(min(longer, 700.0))
            if self._intervals > STALE and gaps.seen > _SETTLED:
                self._forecast = value
        self._missed = 0
        self._time = time if time is not None else self._time and self._time + elapsed
        return surprise

    def _absent(self, time: float | None) -> float:
        """Judge a missing value: how unusual the wait has become by now."""
        self._missed += 1
        gaps, values = self._gaps, self._values
        elapsed = self._elapsed(time)
        surprise = longer = 0.0
        if elapsed > 0:
            length = math.log(elapsed)
            longer = min(length - gaps.mean, 700.0)
            surprise = gaps.look(length, GAP_FLOOR)
        kind: AnomalyKind | None = "missing" if surprise else None
        return self._finish(surprise, kind, math.exp(longer), None, values.mean, values.deviation)

    @property
    def last(self) -> Judgement | None:
        """The judgement of the last value; None before the first, and after a restart."""
        if self._last is None:
            return None
        score, value, level, deviation, kind, size = self._last
        low = high = None
        if self._values.seen > 1:
            low, high = level - REACH * deviation, level + REACH * deviation
        return Judgement(score, value, low, high, kind, size, score >= self.threshold)

    def to_dict(self) -> dict[str, Any]:
        """Options and everything learned, of constant size, for ``json.dumps``."""
        return {
            "version": STATE_VERSION,
            "options": {name: getattr(self, attribute) for name, attribute in _OPTIONS.items()},
            "numbers": {name: getattr(self, name) for name in _NUMBERS},
            "tails": {name: getattr(self, name).to_list() for name in _TAILS},
            "rhythm": None if self._rhythm is None else self._rhythm.to_list(),
        }

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Self:
        """Continue where ``to_dict`` stood: the next scores are those of a detector never stopped.

        Args:
            state: What ``to_dict`` returned, also after a detour through JSON.

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
                setattr(detector, name, number if number is None else _finite(number))
            for name in _TAILS:
                getattr(detector, name).restore([_finite(n) for n in state["tails"][name]])
            if detector._rhythm is not None:
                detector._rhythm.restore([_finite(n) for n in state["rhythm"]])
        except (KeyError, TypeError, ValueError, ConfigurationError) as error:
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
_NUMBERS: Final = (
    "_held", "_age", "_absurd", "_missed", "_intervals", "_time",
    "_run", "_previous", "_forecast", "_recent", "_moves",
)  # fmt: skip
_TAILS: Final = ("_gaps", "_values", "_errors", "_levels", "_spreads", "_runs", "_seasonal")


def _finite(number: Any) -> float:
    """A number of the state, whole ones kept whole."""
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise ValueError(f"{number!r} is no finite number")
    return number


def _number(value: Any) -> float:
    """Any object as a float; NaN when it is none."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _check(name: str, rule: str, kept: bool) -> None:
    if not kept:
        raise ConfigurationError(f"{name} must be {rule}", variable=name)
