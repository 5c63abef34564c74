"""What differs between the two colours, by one set of names. Written by hand in both trees."""

from __future__ import annotations

import asyncio
from asyncio import Event
from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

from evolution_sdk.transport import AsyncTransport as Transport
from evolution_sdk.transport import open_async_transport as open_transport

T = TypeVar("T")

Later: TypeAlias = Awaitable[T]
"""What calling a coroutine function gives: something to await."""

__all__ = ["Event", "Later", "Transport", "open_transport", "run_blocking", "sleep"]


async def sleep(seconds: float) -> None:
    """Wait; other tasks run meanwhile."""
    await asyncio.sleep(seconds)


async def run_blocking(work: Callable[[], T]) -> T:
    """Run slow work (reading a file, encoding it) without holding up the event loop."""
    return await asyncio.to_thread(work)
