"""How surprising a number is, given all numbers before it, whatever their distribution.

Extreme-value view: what lies beyond ``REACH`` mean deviations is an exceedance. How often that
happens, and how far beyond, is learned; both start from what a Gaussian would do, with the weight
of ``PRIOR`` exceedances, so that a few observations do not decide. The tail beyond is a power law
of that exponent, a little heavier than an exponential: what metrics have, however many exceedances
were seen. Besides, nothing that came before at least twice is more surprising than the time since
it last came: the job that runs at noon alarms once, not every day.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

__all__ = ["MOST_SURPRISE", "REACH", "ExtremeValueEstimator", "finite"]

MOST_SURPRISE: Final = 30.0
"""Upper bound of a surprise, in decimal orders of magnitude."""

REACH: Final = 4.2
"""Mean absolute deviations from the mean that are ordinary; 3.4 sigma of a Gaussian."""

PRIOR: Final = 15.0
"""Exceedances the prior is worth. Fewer let two or three extremes define what is normal."""

PRIOR_RATE: Final = 0.03
"""Share of exceedances assumed before any was seen; real metrics have more than a Gaussian."""

PRIOR_EXCESS: Final = 0.5
"""Mean excess assumed before any was seen, in mean absolute deviations: that of a Gaussian."""

CLIP: Final = 20.0
"""One value alone moves mean and deviation by no more than this many deviations."""

OUTLIER: Final = 10.0
"""One exceedance counts for no more than this many mean ones, lest it blind to the next."""

NEAR: Final = 1.2
"""Up to this many times the height seen twice, a value counts as seen before."""

LIKE: Final = 0.9
"""From this share of that height on, a value is the same thing happening again."""

CLUSTER: Final = 6
"""Exceedances closer together than this many values are one event."""

PEAK_MEMORY: Final = 5.0
"""Heights are remembered this many times longer than mean and deviation."""

_TINY: Final = 1e-300


class _Side:
    """Exceedances to one side; everything decays lazily, when the next one comes."""

    __slots__ = ("again", "count", "excess", "last", "peak", "second", "top")

    def __init__(self) -> None:
        self.count = 0.0
        self.excess = 0.0
        self.last = 0
        self.again = 0
        self.peak = 0.0
        self.top = 0.0
        self.second = 0.0


class ExtremeValueEstimator:
    """Running mean, mean absolute deviation and both tails of one stream of numbers.

    Args:
        memory: Values after which an observation has lost two thirds of its weight.
    """

    __slots__ = (
        "_before", "_down", "_fade", "_memory", "_peak_fade", "_up", "_weight",
        "deviation", "mean", "seen",
    )  # fmt: skip

    def __init__(self, memory: float) -> None:
        self._memory = memory
        self._fade = 1 - 1 / memory
        self._peak_fade = 1 - 1 / (PEAK_MEMORY * memory)
        self._up = _Side()
        self._down = _Side()
        self._weight = 0.0
        self._before = 0.0
        self.seen: int = 0
        self.mean: float = 0.0
        self.deviation: float = 0.0

    def update(self, x: float, floor: float) -> float:
        """Judge ``x`` by what came before, then learn it.

        Args:
            x: A finite number.
            floor: Excess that is not worth noticing, in the unit of ``x``.

        Returns:
            Decimal orders of magnitude of the improbability of ``x``, negative when it is below
            the mean; 0.0 when it is ordinary.
        """
        self.seen = seen = self.seen + 1
        if seen == 1:
            self.mean = x
            self._weight = 1.0
            return 0.0
        deviation = self.deviation
        off = x - self.mean
        size = off if off > 0 else -off
        self._weight = self._weight * self._fade + 1
        excess = size - REACH * deviation
        surprise = self._exceeded(off, size, excess, floor) if excess > 0 else 0.0
        if seen > 30:
            limit = CLIP * deviation + floor
            if self._before > limit:
                limit = self._before
            self._before = size
            if size > limit:
                off = limit if off > 0 else -limit
                size = limit
            rate = 1 / seen if seen < self._memory else 1 / self._memory
        else:
            rate = 1 / seen
        self.mean += rate * off
        self.deviation = deviation + rate * (size - deviation)
        return surprise

    def look(self, x: float, floor: float) -> float:
        """The surprise of a number above the mean, without learning it."""
        size = x - self.mean
        excess = size - REACH * self.deviation
        if excess <= 0:
            return 0.0
        side = self._up
        fade = self._fade ** (self.seen - side.last)
        known = side.count * fade + PRIOR
        prior = PRIOR * (PRIOR_EXCESS * self.deviation + floor)
        mean = (side.excess * fade + prior + _TINY) / known
        surprise = PRIOR * math.log10(1 + excess / (PRIOR * mean))
        surprise -= math.log10(known / (self._weight + PRIOR / PRIOR_RATE))
        if size <= NEAR * side.second:
            surprise = min(surprise, math.log10(self.seen - side.again + 1))
        return min(surprise, MOST_SURPRISE)

    def _exceeded(self, off: float, size: float, excess: float, floor: float) -> float:
        side = self._up if off > 0 else self._down
        seen = self.seen
        since = seen - side.last
        fade = self._fade**since
        count = side.count * fade
        total = side.excess * fade
        if since >= CLUSTER:
            if side.peak >= side.top:
                side.second, side.top = side.top, side.peak
            elif side.peak > side.second:
                side.second = side.peak
            side.peak = 0.0
        fade = self._peak_fade**since
        side.top *= fade
        side.second *= fade

        known = count + PRIOR
        prior = PRIOR * (PRIOR_EXCESS * self.deviation + floor)
        mean = (total + prior + _TINY) / known
        surprise = PRIOR * math.log10(1 + excess / (PRIOR * mean))
        surprise -= math.log10(known / (self._weight + PRIOR / PRIOR_RATE))
        if size <= NEAR * side.second:
            surprise = min(surprise, math.log10(seen - side.again))

        side.count = count + 1
        bound = OUTLIER * mean
        side.excess = total + (excess if excess < bound or not prior else bound)
        if size >= LIKE * side.second:
            side.again = seen
        side.last = seen
        side.peak = max(side.peak, size)
        surprise = min(surprise, MOST_SURPRISE)
        return surprise if off > 0 else -surprise

    def to_list(self) -> list[float]:
        """The whole state as numbers."""
        return [
            *(getattr(self, name) for name in _OWN),
            *(getattr(side, name) for side in (self._up, self._down) for name in _Side.__slots__),
        ]

    def restore(self, numbers: Sequence[float]) -> None:
        """Continue from what ``to_list`` gave; ValueError when that is damaged."""
        names: list[tuple[ExtremeValueEstimator | _Side, str]] = [(self, name) for name in _OWN]
        names += [(side, name) for side in (self._up, self._down) for name in _Side.__slots__]
        for (owner, name), number in zip(names, numbers, strict=True):
            setattr(owner, name, finite(number))


_OWN: Final = ("seen", "mean", "deviation", "_weight", "_before")


def finite(number: Any) -> float:
    """A number of a saved state, whole ones kept whole; ValueError for anything else."""
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise ValueError(f"{number!r} is no finite number")
    return number
