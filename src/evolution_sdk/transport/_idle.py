"""Idle connections that wait for the next call. No I/O: the pools open and close them."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar

__all__ = ["IdleConnections", "Reusable"]


class Reusable(Protocol):
    """The questions that are asked of a connection."""

    def has_expired(self) -> bool:
        """Return True if its keep-alive time is over, or the server has closed it."""
        ...

    def is_idle(self) -> bool:
        """Return True if the last exchange ended cleanly."""
        ...


C = TypeVar("C", bound=Reusable)


class IdleConnections(Generic[C]):
    """Open connections by server, counted; O(1) for any number of them.

    The newest is reused first, so that surplus connections expire and are dropped.

    Attributes:
        stale: Connections that were dropped and still have to be closed.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open = 0
        self._idle: dict[Hashable, deque[C]] = {}
        self.stale: list[C] = []

    def take(self, key: Hashable) -> C | None:
        """Return an idle connection, or None after making room for a new one and counting it."""
        idle = self._idle.get(key)
        while idle:
            connection = idle.pop()
            if not connection.has_expired():  # the server closes idle ones after 5 s
                return connection
            self._drop(connection)
        if self._open >= self._limit:
            self._evict()
        self._open += 1
        return None

    def put(self, key: Hashable, connection: C) -> None:
        """Take back an idle connection, and drop the oldest one if it has expired."""
        idle = self._idle.setdefault(key, deque())
        # One at a time is enough: each call that gives back looks at the oldest.
        if idle and idle[0].has_expired():
            self._drop(idle.popleft())
        idle.append(connection)

    def forget(self) -> None:
        """Stop counting a connection that was handed out and will not come back."""
        self._open -= 1

    def clear(self) -> list[C]:
        """Drop all connections and return those to close."""
        closing = [*self.stale, *(c for idle in self._idle.values() for c in idle)]
        self._open -= len(closing) - len(self.stale)
        self._idle.clear()
        self.stale = []
        return closing

    def _drop(self, connection: C) -> None:
        self._open -= 1
        self.stale.append(connection)

    def _evict(self) -> None:
        """Drop the oldest idle connection of another server."""
        # The slots limit the calls under way, so that at the limit some connection is idle.
        for idle in self._idle.values():
            if idle:
                self._drop(idle.popleft())
                return
