"""The fake's time: real or frozen, and movable without sleeping."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Where the fake takes its time from."""

    def now_ms(self) -> float:
        """Milliseconds since the epoch."""
        ...

    def advance(self, ms: float) -> None:
        """Move time forward by ``ms`` milliseconds without waiting."""
        ...


class SystemClock:
    """Wall-clock time plus whatever was skipped."""

    def __init__(self) -> None:
        self._skipped_ms = 0.0

    def now_ms(self) -> float:
        """Milliseconds since the epoch."""
        return time.time() * 1000 + self._skipped_ms

    def advance(self, ms: float) -> None:
        """Move time forward by ``ms`` milliseconds without waiting."""
        self._skipped_ms += ms


class FakeClock:
    """Time that stands still until it is moved.

    Args:
        start_ms: First reading, in milliseconds since the epoch.
    """

    def __init__(self, start_ms: float = 1_767_225_600_000) -> None:
        self._now_ms = start_ms

    def now_ms(self) -> float:
        """Milliseconds since the epoch."""
        return self._now_ms

    def advance(self, ms: float) -> None:
        """Move time forward by ``ms`` milliseconds."""
        self._now_ms += ms
