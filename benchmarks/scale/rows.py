"""The rows that every part of ``make scale`` measures."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple


class Row(NamedTuple):
    """One figure at one size.

    ``target`` is the most (or, with ``at_least``, the least) that may be measured; None for
    information only. ``stable`` is False for figures of wall clock, which a busy machine spoils.
    """

    what: str
    size: int
    value: float
    unit: str
    target: float | None = None
    at_least: bool = False
    stable: bool = True

    @property
    def kept(self) -> bool:
        """True if the target is met, or there is none."""
        if self.target is None:
            return True
        return self.value >= self.target if self.at_least else self.value <= self.target


def cpu_us(run: Callable[[], object], times: int) -> float:
    """CPU time of one call in microseconds, the best of three rounds."""
    best = float("inf")
    for _ in range(3):
        begun = time.process_time()
        for _ in range(times):
            run()
        best = min(best, time.process_time() - begun)
    return best / times * 1e6
