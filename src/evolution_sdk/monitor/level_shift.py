"""Detects a response time that has moved to another level, in a minute or two.

The general detector takes one value per window, and a single value must be very odd to be told. A
new level shows in all of them together: here the improbability of each window adds up, check by
check, until it is enough. The usual level is not learned further meanwhile.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypeGuard

from .anomaly.extreme_value import REACH, ExtremeValueEstimator
from .sample import Sample

__all__ = ["LevelShift", "LevelShiftDetector"]

# Windows that the usual level stands for: the rhythm of a day is no shift.
_MEMORY: Final = 30.0

# A change of three hundredths is not worth noticing, however even the windows were.
_FLOOR: Final = 0.03

# Smallest shift that matters, as a multiple of the usual level ...
_LEAST_RATIO: Final = 1.5

# ... and in milliseconds above it; both must hold.
_LEAST_MS: Final = 10.0

# Multiple of their usual time from which the monitor's own probes count as slower, too.
_PROBES_RATIO: Final = 1.25

# Multiple of the usual calls that makes another mixture, which may be slower by nature.
_MORE_CALLS: Final = 1.5

# More or fewer calls than usual by this number are no other mixture.
_FEW: Final = 10

# Windows that overlap by half count as two: their newer halves have nothing in common.
_SHARE: Final = 0.5

# Checks in a row that must show it: overlapping windows all contain one slow call.
_FEWEST_CHECKS: Final = 3

# Windows after which a new level is the usual one.
_ADOPTED: Final = 60.0


@dataclass(frozen=True, slots=True)
class LevelShift:
    """A response time that has moved.

    Attributes:
        evidence: Its improbability so far, in decimal orders of magnitude.
        value: The new level, in milliseconds.
        low: Lower end of the usual range, in milliseconds.
        high: Upper end of it.
    """

    evidence: float
    value: float
    low: float
    high: float

    @property
    def words(self) -> str:
        """The shift in one sentence."""
        usual = f"usual is {self.low:.6g} to {self.high:.6g}"
        return f"The level has moved to about {self.value:.6g}; {usual}."


class LevelShiftDetector:
    """Watches mean response time for a level above the usual one.

    Slower calls in the mixture are no slower server: when there are clearly more calls than usual,
    the monitor's own probes must have slowed down as well.

    Args:
        window_s: Time that a value stands for, in seconds; values of one window overlap.
        settle: Windows to learn before anything is judged.
    """

    def __init__(self, window_s: float, settle: float) -> None:
        self._window = window_s
        self._settle = settle
        self._begin()

    def _begin(self) -> None:
        self._levels = ExtremeValueEstimator(_MEMORY)
        self._calls = 0.0
        self._probes: float | None = None
        self._probes_now = 0.0
        self._at: float | None = None
        self._evidence = 0.0
        self._since: float | None = None
        self._checks = 0

    def step(self, sample: Sample, now: float, *, learn: bool) -> LevelShift | None:
        """Take in a check.

        Args:
            sample: Its measurements.
            now: Seconds that never go back.
            learn: Whether the window of this check does not overlap the one learned last.

        Returns:
            The shift that its window belongs to, with the evidence so far; None without one.
        """
        if not _measured(sample.response_time_ms):
            return None
        # Checks overlap: each counts for the time that has passed since the one before.
        passed = self._window if self._at is None else min(now - self._at, self._window)
        self._at = now
        self._probed(sample.probe_ms, passed)
        level = math.log(sample.response_time_ms)
        surprise = self._surprise(level, sample)
        # A single ordinary window ends the suspicion.
        if not surprise:
            self._evidence, self._since, self._checks = 0.0, None, 0
            if learn:
                self._learn(level, sample)
            return None
        self._since = now if self._since is None else self._since
        # After an hour, the new level is the usual one, and learned from scratch.
        if now - self._since > _ADOPTED * self._window:
            self._begin()
            return None
        self._checks += 1
        self._evidence += surprise * passed / (_SHARE * self._window)
        if self._checks < _FEWEST_CHECKS:
            return None
        mean, reach = self._levels.mean, REACH * self._levels.deviation
        return LevelShift(
            self._evidence, sample.response_time_ms, math.exp(mean - reach), math.exp(mean + reach)
        )

    def _surprise(self, level: float, sample: Sample) -> float:
        levels = self._levels
        if levels.seen < self._settle:
            return 0.0
        usual = math.exp(levels.mean)
        least = max(usual * _LEAST_RATIO, usual + _LEAST_MS)
        # Too little to matter; or more calls of another kind, while probes are as fast as ever.
        if math.exp(level) < least or (self._busier(sample) and not self._probes_slower):
            return 0.0
        return levels.look(level, _FLOOR)

    def _busier(self, sample: Sample) -> bool:
        return sample.requests > _MORE_CALLS * self._calls + _FEW

    @property
    def _probes_slower(self) -> bool:
        if self._probes is None:
            return False
        return self._probes_now - self._probes > math.log(_PROBES_RATIO)

    def _probed(self, ms: float | None, passed: float) -> None:
        if not _measured(ms):
            return
        length = math.log(ms)
        if self._probes is None:
            self._probes = self._probes_now = length
        # Follows half a window quickly, so that it is as fresh as the level it is held against.
        self._probes_now += min(1.0, 2 * passed / self._window) * (length - self._probes_now)

    def _learn(self, level: float, sample: Sample) -> None:
        self._levels.update(level, _FLOOR)
        rate = 1 / min(self._levels.seen, _MEMORY)
        self._calls += rate * (sample.requests - self._calls)
        if self._probes is not None:
            self._probes += rate * (self._probes_now - self._probes)


def _measured(ms: float | None) -> TypeGuard[float]:
    return ms is not None and 0 < ms < math.inf
