"""Learns the usual value by time of day (or of any other period), and proves that there is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .extreme_value import finite

__all__ = ["SLOTS", "Rhythm"]

# Parts of a period: half hours of a day.
SLOTS: Final = 48

# Weight of the newest period in a slot's mean once there are five: about a week is remembered.
SLOWEST: Final = 0.2

# A slot is used after this many periods.
PERIODS_NEEDED: Final = 2

# Comparisons before the profile may be trusted.
VALUES_NEEDED: Final = 100

# The profile is a rhythm when it errs by less than this share of the error of a plain mean.
GAIN: Final = 0.6

# Values over which the two errors are compared.
ERROR_MEMORY: Final = 500.0


class Rhythm:
    """Profile of one period in ``SLOTS`` slots; a slot is learned when time leaves it.

    Args:
        period_s: Length of the period in seconds.
    """

    __slots__ = (
        "_compared", "_count", "_error", "_per_s", "_period_s", "_plain", "_slot", "_sum",
        "means", "periods",
    )  # fmt: skip

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._per_s = SLOTS / period_s
        self.means: list[float] = [0.0] * SLOTS
        self.periods: list[int] = [0] * SLOTS
        self._slot = -1
        self._sum = 0.0
        self._count = 0
        self._compared = 0
        self._error = 0.0
        self._plain = 0.0

    def expect(self, value: float, timestamp: float, plain: float) -> float | None:
        """Learn a value, and return the expected one.

        Args:
            value: The value.
            timestamp: Its time in seconds.
            plain: The value expected without a rhythm.

        Returns:
            The profile's value; None when it knows too little about this time.
        """
        slot = int(timestamp % self._period_s * self._per_s) % SLOTS
        # A slot is learned as a whole: its own values must not be their own forecast.
        if slot != self._slot:
            self._close()
            self._slot = slot
        self._sum += value
        self._count += 1
        if self.periods[slot] < PERIODS_NEEDED:
            return None
        # The profile competes with a plain mean, over the same values.
        usual = self.means[slot]
        self._compared = compared = self._compared + 1
        rate = 1 / compared if compared < ERROR_MEMORY else 1 / ERROR_MEMORY
        self._error += (abs(value - usual) - self._error) * rate
        self._plain += (abs(value - plain) - self._plain) * rate
        return usual

    @property
    def proven(self) -> bool:
        """True if the profile explains the values clearly better than a plain mean does."""
        return self._compared > VALUES_NEEDED and self._error < GAIN * self._plain

    def _close(self) -> None:
        if self._count:
            slot = self._slot
            self.periods[slot] = periods = min(self.periods[slot] + 1, 1_000)
            # A plain mean of the first periods, then the newest counts for a fifth.
            new = self._sum / self._count
            self.means[slot] += (new - self.means[slot]) * max(1 / periods, SLOWEST)
        self._sum = 0.0
        self._count = 0

    def to_list(self) -> list[float]:
        """Return the whole state as numbers."""
        return [*(getattr(self, name) for name in _OWN), *self.means, *self.periods]

    def restore(self, numbers: Sequence[float]) -> None:
        """Continue from the numbers of ``to_list``; ValueError when they are damaged."""
        if len(numbers) != len(_OWN) + 2 * SLOTS:
            raise ValueError(f"a rhythm has {len(_OWN) + 2 * SLOTS} numbers, not {len(numbers)}")
        own, rest = numbers[: len(_OWN)], [finite(n) for n in numbers[len(_OWN) :]]
        for name, number in zip(_OWN, own, strict=True):
            setattr(self, name, finite(number))
        self._slot = int(self._slot) % SLOTS if self._count else -1
        self.means = list(rest[:SLOTS])
        self.periods = [int(n) for n in rest[SLOTS:]]


_OWN: Final = ("_slot", "_sum", "_count", "_compared", "_error", "_plain")
