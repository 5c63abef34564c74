"""What differs between the two colours, by one set of names. Written by hand in both trees."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio import Event
from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

from evolution_sdk.transport import AsyncTransport as Transport
from evolution_sdk.transport import open_async_transport as open_transport

T = TypeVar("T")

Later: TypeAlias = Awaitable[T]
"""What calling a coroutine function gives: something to await."""

__all__ = ["Event", "Later", "Signal", "Transport", "open_transport", "run_blocking", "sleep"]


class Signal:
    """Wakes one task, from any thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = Event()

    def set(self) -> None:
        """Wake it."""
        # A loop that has ended has nobody left to wake.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self, seconds: float) -> bool:
        """Wait; False when nobody woke it in time."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        return True


async def sleep(seconds: float) -> None:
    """Wait; other tasks run meanwhile."""
    await asyncio.sleep(seconds)


async def run_blocking(work: Callable[[], T]) -> T:
    """Run slow work (reading a file, encoding it) without holding up the event loop."""
    return await asyncio.to_thread(work)
