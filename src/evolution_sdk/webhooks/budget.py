"""A bound on the memory of all bodies whose events are not stored yet, over all connections."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from evolution_sdk._base.forking import free_in_child, in_child


class BodyBudget:
    """Bytes for all bodies that are arriving, being unpacked or being judged; thread-safe.

    Bytes count when they arrive, not when they are announced: a sender that announces a large body
    and sends nothing takes no room from others.

    Args:
        most: Most bytes at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = free_in_child(threading.Lock())
        self._begin()
        in_child(self._begin)

    def _begin(self) -> None:
        """Begin without bodies: those under way at a fork arrive at the parent."""
        self._held = 0

    @property
    def held(self) -> int:
        """Bytes in use now."""
        return self._held

    def lease(self) -> BodyLease:
        """Return room for one request; a context manager that gives it back.

        Returns:
            The room, without any bytes yet.
        """
        return BodyLease(self)

    def take(self, count: int) -> bool:
        """Take room, unless there is none.

        Args:
            count: Number of bytes.

        Returns:
            True if they fit.
        """
        with self._lock:
            fits = self._held + count <= self._most
            if fits:
                self._held += count
            return fits

    def give(self, count: int) -> None:
        """Give room back.

        Args:
            count: Number of bytes.
        """
        with self._lock:
            # Room that was taken before a fork is given back in both processes.
            self._held = max(0, self._held - count)


class BodyLease:
    """The room of one request.

    Args:
        budget: The room of all requests.
    """

    __slots__ = ("_budget", "_count")

    def __init__(self, budget: BodyBudget) -> None:
        self._budget = budget
        self._count = 0

    def add(self, count: int) -> bool:
        """Take more room.

        Args:
            count: Number of bytes.

        Returns:
            True if they fit; else the request is to be refused.
        """
        # Remembered, so that the room comes back whatever happens to the request.
        fits = self._budget.take(count)
        if fits:
            self._count += count
        return fits

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._budget.give(self._count)
        self._count = 0
