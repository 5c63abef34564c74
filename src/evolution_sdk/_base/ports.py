"""The outside world as arguments: time, sleep and chance."""

from __future__ import annotations

import time
from typing import Protocol

__all__ = ["SYSTEM_CLOCK", "Clock"]


class Clock(Protocol):
    """Tells the time twice: of the day, and in seconds that never go back."""

    def time(self) -> float:
        """Seconds since 1970."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment, which never go back."""
        ...


SYSTEM_CLOCK: Clock = time
"""The clocks of this machine: the module ``time`` has both."""
