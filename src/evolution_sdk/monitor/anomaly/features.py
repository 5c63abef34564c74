"""Features of a series of values, each judged by its own past; the strongest surprise wins.

* the value itself (spikes, and values never seen),
* its distance from a short-term forecast (sudden moves inside the usual range),
* the mean of the last dozen values (level shifts, and large values that come too often),
* the difference of neighbours (changes of spread), and the length of a run of equal values (flat
  lines),
* its distance from the usual value of this time of day, once there is a rhythm.

Every feature goes through the same ``ExtremeValueEstimator``, so that a surprise means the same in
all of them: the improbability of the observation in decimal orders of magnitude, given this series'
own past.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from .extreme_value import ExtremeValueEstimator, finite
from .judgement import AnomalyKind
from .rhythm import Rhythm

__all__ = ["SETTLED", "SeriesFeatures", "Surprise"]

# Weight of the newest value in the short-term forecast: about the last four values.
FORECAST: Final = 0.25

# Weight of the newest value in recent level and spread: about the last dozen values.
RECENT: Final = 1 / 12

# A change of a thousandth of the level is not worth noticing, however still the series was.
FLOOR: Final = 1e-3

# The same for the logarithm of the spread: three hundredths.
LOG_FLOOR: Final = 0.03

# The same for the logarithm of a run's length.
RUN_FLOOR: Final = 0.5

# Deviations from the level beyond which a value is learned as if it were no farther, ...
ABSURD: Final = 1e4

# The same bound for a series that has been nothing but zero.
UNHEARD_OF: Final = 1e15

# ... and the number of such values in a row that make it a new series, learned from scratch.
INSISTING: Final = 5

# A series that has changed less often than this is not stuck when it stays as it is.
CHANGES_NEEDED: Final = 5

# Values after which a deviation can be relied upon.
SETTLED: Final = 30


class Surprise(NamedTuple):
    """The strongest surprise of one value, its kind, and the level that was expected."""

    surprise: float
    kind: AnomalyKind | None
    size: float
    level: float
    deviation: float


class SeriesFeatures:
    """Learns the features of one series, in constant size.

    Args:
        memory: Values after which an observation has lost two thirds of its weight.
        period_s: Length of the rhythm to learn, in seconds; None for none.
    """

    def __init__(self, memory: float, period_s: float | None) -> None:
        self._memory = memory
        self._period_s = period_s
        self._absurd = 0
        self._begin()

    def _begin(self) -> None:
        memory = self._memory
        self.values: ExtremeValueEstimator = ExtremeValueEstimator(memory)
        self._errors = ExtremeValueEstimator(memory)
        self._levels = ExtremeValueEstimator(memory)
        self._spreads = ExtremeValueEstimator(memory)
        self._runs = ExtremeValueEstimator(memory)
        self._seasonal = ExtremeValueEstimator(memory)
        self._rhythm = None if self._period_s is None else Rhythm(self._period_s)
        self._run = 0
        self._previous = 0.0
        self._forecast = 0.0
        self._recent = 0.0
        self._moves = 0.0
        self._ratio = 1.0

    def judge(self, value: float, time: float | None, *, stale: bool) -> Surprise:
        """Judge a finite value by those before it, then learn it.

        Args:
            value: The value, not so large that its differences overflow.
            time: Its time in seconds; None when unknown.
            stale: Whether the value before is too old to forecast from.

        Returns:
            The strongest surprise.
        """
        # The expected range is that of before: the value moves both below.
        values = self.values
        level, deviation = values.mean, values.deviation
        floor = FLOOR * abs(level)
        if values.seen >= SETTLED:
            finding = self._other_world(value, level, deviation, floor)
            if finding is not None:
                return finding
            # Learning may just have started anew.
            values = self.values
        # Nothing was forecast for a value after a long gap: it is its own forecast.
        if stale or not values.seen:
            self._forecast = value
            if not values.seen:
                self._previous = self._recent = value

        # Each feature in turn is judged and learned.
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
        # A rhythm says something only where a time is known, and once it has proven itself.
        if time is not None and self._rhythm is not None:
            usual = self._rhythm.expect(value, time, level)
            if usual is not None:
                reach = self._seasonal.deviation
                offbeat = abs(self._seasonal.update(value - usual, floor))
                if self._rhythm.proven:
                    level, deviation = usual, reach
                else:
                    offbeat = 0.0

        # Not the sum: one cause shows in several features.
        best = max(unseen, sudden, shifted, stuck, varied, offbeat)
        if not best:
            return Surprise(0.0, None, 0.0, level, deviation)
        kind, size = self._named(best, value, shifted, stuck, varied)
        return Surprise(best, kind, size, level, deviation)

    def _named(
        self, best: float, value: float, shifted: float, stuck: float, varied: float
    ) -> tuple[AnomalyKind, float]:
        if best == shifted:
            return "level", self._recent
        if best == stuck:
            return "flat", self._run + 1
        if best == varied:
            return "spread", self._ratio
        return "spike", value

    def _other_world(
        self, value: float, level: float, deviation: float, floor: float
    ) -> Surprise | None:
        """Judge a value beyond all scales, which must not spoil what was learned; else None."""
        limit = ABSURD * (deviation + floor) or UNHEARD_OF
        scale = abs(level) + deviation
        # Written so that NaN and infinity fall into the first branch.
        if not -limit <= value - level <= limit:
            learned = level + math.copysign(limit, value - level)
        elif scale > UNHEARD_OF and abs(value) * ABSURD < scale:
            learned = level
        else:
            self._absurd = 0
            return None
        # A few are outliers; many in a row are a new series, with a new past.
        self._absurd += 1
        if self._absurd < INSISTING:
            surprise = abs(self.values.update(learned, floor))
            return Surprise(surprise, "spike" if surprise else None, value, level, deviation)
        self._absurd = 0
        self._begin()
        return None

    def _stuck(self, move: float) -> float:
        """Judge the length of a run of equal values."""
        if not move and self.values.seen > 1:
            self._run = run = self._run + 1
            # A series that hardly ever changes is not stuck when it stays as it is.
            if run == 1 or self._runs.seen <= CHANGES_NEEDED:
                return 0.0
            return self._runs.look(math.log(run), RUN_FLOOR)
        self._runs.update(math.log(self._run) if self._run else 0.0, RUN_FLOOR)
        self._run = 0
        return 0.0

    def _varied(self, move: float, least: float) -> float:
        """Judge the recent difference of neighbours, by its logarithm."""
        self._moves += RECENT * (move - self._moves)
        if self.values.seen <= SETTLED:
            return 0.0
        # The logarithm: half as much is as far from the usual as twice as much.
        spread = math.log(self._moves + least + 1e-300)
        spreads = self._spreads
        surprise = abs(spreads.update(spread, LOG_FLOOR))
        if surprise:
            self._ratio = math.exp(min(spread - spreads.mean, 700.0))
        return surprise

    def to_dict(self) -> dict[str, Any]:
        """Return everything learned, as plain numbers."""
        return {
            "numbers": {name: getattr(self, name) for name in _NUMBERS},
            "tails": {name: getattr(self, name).to_list() for name in _TAILS},
            "rhythm": None if self._rhythm is None else self._rhythm.to_list(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from the result of ``to_dict``; any of several errors when it is damaged."""
        for name in _NUMBERS:
            setattr(self, name, finite(state["numbers"][name]))
        for name in _TAILS:
            getattr(self, name).restore(state["tails"][name])
        if self._rhythm is not None:
            self._rhythm.restore(state["rhythm"])


_NUMBERS: Final = (
    "_absurd",
    "_run",
    "_previous",
    "_forecast",
    "_recent",
    "_moves",
    "_ratio",
)
_TAILS: Final = ("values", "_errors", "_levels", "_spreads", "_runs", "_seasonal")
