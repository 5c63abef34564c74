"""Which connections wait for the next call. No I/O: the adapters open and close them."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar

__all__ = ["IdleConnections", "Reusable"]


class Reusable(Protocol):
    """What is asked of a connection."""

    def has_expired(self) -> bool:
        """Whether it is past its keep-alive time, or the server has closed it."""
        ...

    def is_idle(self) -> bool:
        """Whether the last exchange ended cleanly."""
        ...


C = TypeVar("C", bound=Reusable)


class IdleConnections(Generic[C]):
    """Open connections by server, counted; O(1) however many there are.

    The newest is reused first, so that connections beyond the need grow old and are dropped.

    Attributes:
        stale: Connections that were dropped here and still have to be closed.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open = 0
        self._idle: dict[Hashable, deque[C]] = {}
        self.stale: list[C] = []

    def take(self, key: Hashable) -> C | None:
        """Hand out a usable connection, or make room for a new one, which counts from now on."""
        idle = self._idle.get(key)
        while idle:
            connection = idle.pop()
            if not connection.has_expired():
                return connection
            self._drop(connection)
        if self._open >= self._limit:
            self._evict()
        self._open += 1
        return None

    def put(self, key: Hashable, connection: C) -> None:
        """Take back a connection that is idle, and drop the oldest if its time is over."""
        idle = self._idle.setdefault(key, deque())
        if idle and idle[0].has_expired():
            self._drop(idle.popleft())
        idle.append(connection)

    def forget(self) -> None:
        """Note that a connection handed out will not come back."""
        self._open -= 1

    def clear(self) -> list[C]:
        """Drop all; returns those to close."""
        closing = [*self.stale, *(c for idle in self._idle.values() for c in idle)]
        self._open -= len(closing) - len(self.stale)
        self._idle.clear()
        self.stale = []
        return closing

    def _drop(self, connection: C) -> None:
        self._open -= 1
        self.stale.append(connection)

    def _evict(self) -> None:
        """At the limit the rest is idle at other servers: the callers are limited as well."""
        for idle in self._idle.values():
            if idle:
                self._drop(idle.popleft())
                return
