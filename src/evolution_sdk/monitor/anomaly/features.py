"""Five views of a series of values, each judged by its own past; the strongest surprise wins.

* the value itself (spikes, and values never seen),
* its distance from a short-term forecast (sudden moves inside the usual range),
* the mean of the last dozen values (level shifts, and large values that come too often),
* how much neighbours differ (changes of spread), and how long a value stays the same (flat lines),
* its distance from the usual value of this time of day, once there is a rhythm.

Every view goes through the same ``Tails``, so that a surprise means the same in all of them: how
many decimal orders of magnitude the observation is improbable, given this series' own past.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from .extreme_value import ExtremeValueEstimator, finite
from .judgement import AnomalyKind
from .rhythm import Rhythm

__all__ = ["SETTLED", "SeriesFeatures", "Surprise"]

FORECAST: Final = 0.25
"""Weight of the newest value in the short-term forecast: about the last four values."""

RECENT: Final = 1 / 12
"""Weight of the newest value in recent level and spread: about the last dozen values."""

FLOOR: Final = 1e-3
"""A change of a thousandth of the level is not worth noticing, however still the series was."""

LOG_FLOOR: Final = 0.03
"""The same for the logarithm of the spread: three hundredths."""

RUN_FLOOR: Final = 0.5
"""The same for the logarithm of a run's length."""

ABSURD: Final = 1e4
"""So many deviations away, a value is reported, and learned as if it were no farther, ..."""

UNHEARD_OF: Final = 1e15
"""The same bound for a series that has been nothing but zero."""

INSISTING: Final = 5
"""... until so many came in a row: then the series is another one, and learning starts anew."""

CHANGES_NEEDED: Final = 5
"""A series that has changed less often than this is not stuck when it stays as it is."""

SETTLED: Final = 30
"""Values after which a deviation can be relied upon."""


class Surprise(NamedTuple):
    """The strongest surprise of one value, what kind it is of, and what had been expected."""

    surprise: float
    kind: AnomalyKind | None
    size: float
    level: float
    deviation: float


class SeriesFeatures:
    """Everything learned about the values of one series, in constant size.

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
        """Judge a finite value by what came before, then learn it.

        Args:
            value: The value, not so large that its differences overflow.
            time: Its time in seconds; None when unknown.
            stale: The value before is so old that nothing was forecast from it.
        """
        values = self.values
        level, deviation = values.mean, values.deviation
        floor = FLOOR * abs(level)
        if values.seen >= SETTLED:
            finding = self._other_world(value, level, deviation, floor)
            if finding is not None:
                return finding
            values = self.values
        if stale or not values.seen:
            self._forecast = value
            if not values.seen:
                self._previous = self._recent = value

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
        if time is not None and self._rhythm is not None:
            usual = self._rhythm.expect(value, time, level)
            if usual is not None:
                reach = self._seasonal.deviation
                offbeat = abs(self._seasonal.update(value - usual, floor))
                if self._rhythm.proven:
                    level, deviation = usual, reach
                else:
                    offbeat = 0.0

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
        """The finding of a value beyond all scales, which must not spoil what was learned."""
        limit = ABSURD * (deviation + floor) or UNHEARD_OF
        scale = abs(level) + deviation
        if not -limit <= value - level <= limit:
            learned = level + math.copysign(limit, value - level)
        elif scale > UNHEARD_OF and abs(value) * ABSURD < scale:
            learned = level
        else:
            self._absurd = 0
            return None
        self._absurd += 1
        if self._absurd < INSISTING:
            surprise = abs(self.values.update(learned, floor))
            return Surprise(surprise, "spike" if surprise else None, value, level, deviation)
        self._absurd = 0
        self._begin()
        return None

    def _stuck(self, move: float) -> float:
        """Surprise of how often the value has come in a row."""
        if not move and self.values.seen > 1:
            self._run = run = self._run + 1
            if run == 1 or self._runs.seen <= CHANGES_NEEDED:
                return 0.0
            return self._runs.look(math.log(run), RUN_FLOOR)
        self._runs.update(math.log(self._run) if self._run else 0.0, RUN_FLOOR)
        self._run = 0
        return 0.0

    def _varied(self, move: float, least: float) -> float:
        """Surprise of how much neighbours differ of late, by its logarithm."""
        self._moves += RECENT * (move - self._moves)
        if self.values.seen <= SETTLED:
            return 0.0
        spread = math.log(self._moves + least + 1e-300)
        spreads = self._spreads
        surprise = abs(spreads.update(spread, LOG_FLOOR))
        if surprise:
            self._ratio = math.exp(min(spread - spreads.mean, 700.0))
        return surprise

    def to_dict(self) -> dict[str, Any]:
        """Everything learned, as plain numbers."""
        return {
            "numbers": {name: getattr(self, name) for name in _NUMBERS},
            "tails": {name: getattr(self, name).to_list() for name in _TAILS},
            "rhythm": None if self._rhythm is None else self._rhythm.to_list(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what ``to_dict`` gave; any of several errors when that is damaged."""
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
