"""Limit on the number of calls under way in one event loop."""

from __future__ import annotations

import asyncio

__all__ = ["ConnectionSlots", "NoSlotError"]


class NoSlotError(TimeoutError):
    """All connections stayed busy for as long as the call was willing to wait."""


class ConnectionSlots:
    """First come, first served limit, with a time limit on waiting."""

    def __init__(self, limit: int) -> None:
        self._free = asyncio.Semaphore(limit)

    async def acquire(self, timeout_s: float | None) -> None:
        """Take a slot.

        Args:
            timeout_s: Longest wait in seconds; None waits without limit.

        Raises:
            NoSlotError: No slot became free in time.
        """
        # A free slot is taken without setting up a timer.
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
