"""Measures the surprise of a number, given all numbers before it, whatever their distribution.

Extreme-value view: what lies beyond ``REACH`` mean deviations is an exceedance. How often that
happens, and how far beyond, is learned; both start from what a Gaussian would do, with the weight
of ``PRIOR`` exceedances, so that a few observations do not decide. The tail beyond is a power law
of that exponent, a little heavier than an exponential, as metrics have it, however many exceedances
were seen. Besides, a height that was seen twice is never more surprising than the time since it
last came: the job that runs at noon alarms once, not every day.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

__all__ = ["MOST_SURPRISE", "REACH", "ExtremeValueEstimator", "finite"]

# Upper bound of a surprise, in decimal orders of magnitude.
MOST_SURPRISE: Final = 30.0

# Mean absolute deviations from the mean that are ordinary; 3.4 sigma of a Gaussian.
REACH: Final = 4.2

# Exceedances the prior is worth. Fewer let two or three extremes define what is normal.
PRIOR: Final = 15.0

# Share of exceedances assumed before any was seen; real metrics have more than a Gaussian.
PRIOR_RATE: Final = 0.03

# Mean excess assumed before any was seen, in mean absolute deviations: that of a Gaussian.
PRIOR_EXCESS: Final = 0.5

# One value alone moves mean and deviation by no more than this many deviations.
CLIP: Final = 20.0

# One exceedance counts for no more than this many mean ones, so that it does not hide the next.
OUTLIER: Final = 10.0

# Up to this many times the height seen twice, a value counts as seen before.
NEAR: Final = 1.2

# From this share of that height on, a value is the same thing happening again.
LIKE: Final = 0.9

# Exceedances closer together than this many values are one event.
CLUSTER: Final = 6

# Heights are remembered this many times longer than mean and deviation.
PEAK_MEMORY: Final = 5.0

# Keeps the mean excess of a series without any variation above zero.
_TINY: Final = 1e-300


class _Side:
    """Exceedances to one side of the mean; they decay when the next one comes."""

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
        """Judge ``x`` by the numbers before it, then learn it.

        Args:
            x: A finite number.
            floor: Excess that is not worth noticing, in the unit of ``x``.

        Returns:
            Decimal orders of magnitude of the improbability of ``x``, negative when it is below
            the mean; 0.0 when it is ordinary.
        """
        self.seen = seen = self.seen + 1
        # The first number is the mean: there is nothing to judge it by.
        if seen == 1:
            self.mean = x
            self._weight = 1.0
            return 0.0
        # Judged by the state before: a number must not make itself ordinary.
        deviation = self.deviation
        off = x - self.mean
        size = off if off > 0 else -off
        self._weight = self._weight * self._fade + 1
        excess = size - REACH * deviation
        surprise = self._exceeded(off, size, excess, floor) if excess > 0 else 0.0
        if seen > 30:
            # One far number is learned as a near one, so that a spike does not hide the next. A
            # second one in a row may be the new level: then the bound is as far as the first.
            limit = CLIP * deviation + floor
            if self._before > limit:
                limit = self._before
            self._before = size
            if size > limit:
                off = limit if off > 0 else -limit
                size = limit
            # A plain mean until the memory is full, then one that fades.
            rate = 1 / seen if seen < self._memory else 1 / self._memory
        else:
            rate = 1 / seen
        self.mean += rate * off
        self.deviation = deviation + rate * (size - deviation)
        return surprise

    def look(self, x: float, floor: float) -> float:
        """Judge a number above the mean, without learning it; see :meth:`update`."""
        size = x - self.mean
        excess = size - REACH * self.deviation
        if excess <= 0:
            return 0.0
        # The same estimate as in _exceeded, from a state that is not moved on.
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
        """Judge and learn an exceedance; the surprise has the sign of its side."""
        side = self._up if off > 0 else self._down
        seen = self.seen
        # 1. Let the past fade by the numbers since the last exceedance.
        since = seen - side.last
        fade = self._fade**since
        count = side.count * fade
        total = side.excess * fade
        # 2. After a pause, the event before is over: its height becomes one of the two highest.
        if since >= CLUSTER:
            if side.peak >= side.top:
                side.second, side.top = side.top, side.peak
            elif side.peak > side.second:
                side.second = side.peak
            side.peak = 0.0
        fade = self._peak_fade**since
        side.top *= fade
        side.second *= fade

        # 3. The surprise is the chance to go so far beyond (a power law of the mean excess), times
        #    the chance of an exceedance at all. The prior counts in both until data outweigh it.
        known = count + PRIOR
        prior = PRIOR * (PRIOR_EXCESS * self.deviation + floor)
        mean = (total + prior + _TINY) / known
        surprise = PRIOR * math.log10(1 + excess / (PRIOR * mean))
        surprise -= math.log10(known / (self._weight + PRIOR / PRIOR_RATE))
        # 4. A height that was seen twice is only as surprising as its absence was long.
        if size <= NEAR * side.second:
            surprise = min(surprise, math.log10(seen - side.again))

        # 5. Learn it, but no single exceedance for more than its share.
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
        """Return the whole state as numbers."""
        return [
            *(getattr(self, name) for name in _OWN),
            *(getattr(side, name) for side in (self._up, self._down) for name in _Side.__slots__),
        ]

    def restore(self, numbers: Sequence[float]) -> None:
        """Continue from the numbers of ``to_list``; ValueError when they are damaged."""
        names: list[tuple[ExtremeValueEstimator | _Side, str]] = [(self, name) for name in _OWN]
        names += [(side, name) for side in (self._up, self._down) for name in _Side.__slots__]
        for (owner, name), number in zip(names, numbers, strict=True):
            setattr(owner, name, finite(number))


_OWN: Final = ("seen", "mean", "deviation", "_weight", "_before")


def finite(number: Any) -> float:
    """Check a number of a saved state, whole ones kept whole; ValueError for anything else."""
    # JSON may hold true, NaN or a text where a number was.
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise ValueError(f"{number!r} is no finite number")
    return number
