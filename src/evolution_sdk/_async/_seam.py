"""What differs between the two colours, by one set of names. Written by hand in both trees."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeAlias, TypeVar

from evolution_sdk.transport import AsyncTransport as Transport
from evolution_sdk.transport import open_async_transport as open_transport

T = TypeVar("T")

Later: TypeAlias = Awaitable[T]
"""What calling a coroutine function gives: something to await."""

__all__ = ["Later", "Signal", "Transport", "open_transport", "run_blocking", "sleep"]


async def sleep(seconds: float) -> None:
    """Wait; other tasks run meanwhile."""
    await asyncio.sleep(seconds)


async def run_blocking(work: Callable[[], T]) -> T:
    """Run slow work (reading a file, encoding it) without holding up the event loop."""
    return await asyncio.to_thread(work)


class Signal:
    """Wakes one waiting task, also from another thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()
        self.is_set: bool = False

    def set(self) -> None:
        """Wake it; a second time, and after its loop has closed, nothing happens."""
        self.is_set = True
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self, seconds: float | None = None) -> None:
        """Wait until it is set, at most some seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._event.wait()
