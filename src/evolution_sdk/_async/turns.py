"""Equal sends go one after the other."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from ._seam import Lock


class Turns:
    """Gives equal messages their turns, so that a lost answer is matched with its own message.

    Two equal texts to one chat look alike in the server's store. While one of them may still turn
    up there, the other must not start: else one message would stand for both.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[int, tuple[Lock, int]] = {}

    @asynccontextmanager
    async def turn(self, key: int) -> AsyncGenerator[None]:
        """Hold the turn of this key for the duration of the block.

        Args:
            key: Equal for equal messages; an accidental equality only costs time.
        """
        with self._guard:
            lock, waiting = self._locks.get(key) or (Lock(), 0)
            self._locks[key] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            with self._guard:
                lock, waiting = self._locks[key]
                if waiting == 1:
                    del self._locks[key]
                else:
                    self._locks[key] = (lock, waiting - 1)
