"""Deadline of one attempt, shared by all of its steps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Self

__all__ = ["Deadline", "OverdueError", "current_left_s"]


class OverdueError(TimeoutError):
    """The attempt as a whole took too long, although no single step did."""


class Deadline:
    """Deadline of one attempt.

    As a context manager it applies to the blocking reads and writes of the thread; see
    :func:`current_left_s`.

    Args:
        total_ms: Time for the attempt from now on, in milliseconds; None for no limit.
        clock: Monotonic clock, in seconds.
    """

    __slots__ = ("_at", "_clock", "_outer")

    def __init__(self, total_ms: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at = None if total_ms is None else clock() + total_ms / 1_000
        self._outer: Deadline | None = None

    def left_s(self, limit_s: float | None = None) -> float | None:
        """Return the time that a step may take.

        Args:
            limit_s: Limit of the step itself in seconds, or None.

        Returns:
            The shorter of that limit and the time left, in seconds, never negative; None when
            there is no limit at all.
        """
        if self._at is None:
            return limit_s
        left = max(0.0, self._at - self._clock())
        return left if limit_s is None else min(limit_s, left)

    def __enter__(self) -> Self:
        # Deadlines nest when an event hook of the httpx client makes a call of its own.
        self._outer = getattr(_thread, "deadline", None)
        _thread.deadline = self
        return self

    def __exit__(self, *_: object) -> None:
        _thread.deadline = self._outer


_thread = threading.local()


def current_left_s(limit_s: float | None) -> float | None:
    """Return the time that a blocking step of this thread may take; see :meth:`Deadline.left_s`."""
    deadline: Deadline | None = getattr(_thread, "deadline", None)
    return limit_s if deadline is None else deadline.left_s(limit_s)
