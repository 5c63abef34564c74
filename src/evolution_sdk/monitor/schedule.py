"""The rhythm of checks: each at start + n · interval, whatever the checks before it took."""

from __future__ import annotations

import math
from collections.abc import Callable

__all__ = ["CheckSchedule"]


class CheckSchedule:
    """Says how long to wait for the next check.

    Args:
        interval_ms: Time between two checks, in milliseconds.
        clock: Seconds that never go back.
    """

    def __init__(self, interval_ms: float, clock: Callable[[], float]) -> None:
        self._interval = interval_ms / 1_000
        self._clock = clock
        self._start = clock()
        self._due = self._start

    def wait_s(self) -> float:
        """Choose the next tick, leaving out those that were missed.

        Returns:
            How long to wait for it, in seconds.
        """
        now = self._clock()
        done = math.floor((now - self._start) / self._interval + 1e-9)
        self._due = self._start + (done + 1) * self._interval
        return max(0.0, self._due - now)

    def lag_ms(self) -> float:
        """How late it is after the tick that was waited for, in milliseconds."""
        return max(0.0, self._clock() - self._due) * 1_000
