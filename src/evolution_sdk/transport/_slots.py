"""How many calls of one event loop may be under way."""

from __future__ import annotations

import asyncio

__all__ = ["ConnectionSlots", "NoSlotError"]


class NoSlotError(TimeoutError):
    """All connections stayed busy for as long as the call would wait."""


class ConnectionSlots:
    """A first come, first served limit with a time limit on waiting."""

    def __init__(self, limit: int) -> None:
        self._free = asyncio.Semaphore(limit)

    async def acquire(self, timeout_s: float | None) -> None:
        """Take a slot.

        Args:
            timeout_s: Longest wait in seconds; None waits as long as it takes.

        Raises:
            NoSlotError: None became free in time.
        """
        if not self._free.locked():
            await self._free.acquire()
            return
        try:
            async with asyncio.timeout(timeout_s):
                await self._free.acquire()
        except TimeoutError:
            raise NoSlotError from None

    def release(self) -> None:
        """Give the slot back."""
        self._free.release()
