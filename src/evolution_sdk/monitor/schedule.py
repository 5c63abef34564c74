"""Times of the checks: each at start + n · interval, however long the checks before it took."""

from __future__ import annotations

import math
from collections.abc import Callable

__all__ = ["CheckSchedule"]


class CheckSchedule:
    """Plans the next check.

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
        """Plan the next check, leaving out those that were missed.

        Returns:
            Time to wait for it, in seconds.
        """
        now = self._clock()
        # Rounding may put the present just before the check that has just been made.
        done = math.floor((now - self._start) / self._interval + 1e-9)
        self._due = self._start + (done + 1) * self._interval
        return max(0.0, self._due - now)

    def lag_ms(self) -> float:
        """Return the delay since the planned time of the check, in milliseconds."""
        return max(0.0, self._clock() - self._due) * 1_000
