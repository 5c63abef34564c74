"""Differences between the two colours, under one set of names. Written by hand in both trees."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, Self, TypeAlias, TypeVar

from evolution_sdk.transport import AsyncHttpxClient as HttpxClient
from evolution_sdk.transport import AsyncTransport as Transport
from evolution_sdk.transport import TransportOptions
from evolution_sdk.transport import open_async_transport as open_transport
from evolution_sdk.transport.fetching import AsyncFetches as Fetcher
from evolution_sdk.transport.fetching import Judge

T = TypeVar("T")

Later: TypeAlias = Awaitable[T]
"""The result of calling a coroutine function: an awaitable."""

__all__ = [
    "Background",
    "Fetcher",
    "HandlerColour",
    "HttpxClient",
    "Later",
    "Signal",
    "Slots",
    "Transport",
    "close_redis",
    "open_fetcher",
    "open_redis",
    "open_transport",
    "run_blocking",
    "run_to_the_end",
    "sleep",
]


async def sleep(seconds: float) -> None:
    """Wait; other tasks run meanwhile."""
    await asyncio.sleep(seconds)


async def run_blocking(work: Callable[[], T]) -> T:
    """Run slow work (reading a file, encoding it) without holding up the event loop."""
    return await asyncio.to_thread(work)


async def run_to_the_end(work: Callable[[], T]) -> T:
    """Run slow work off the event loop; who is cancelled waits until it is done.

    Afterwards everybody knows whether it was done, and nothing of it happens later.
    """
    task = asyncio.create_task(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # nobody asks for it any more
        raise


class Slots:
    """A number of places; whoever finds none waits, but not for ever."""

    def __init__(self, places: int) -> None:
        self._free = asyncio.BoundedSemaphore(places)

    async def take(self, wait_ms: float) -> bool:
        """Take a place; False when none came free in time."""
        # A timeout costs a timer of the loop: none is made where a place is free.
        if not self._free.locked():
            return await self._free.acquire()
        if wait_ms <= 0:
            return False
        try:
            async with asyncio.timeout(wait_ms / 1_000):
                return await self._free.acquire()
        except TimeoutError:
            return False

    def give(self) -> None:
        """Give a place back; one that was taken before a fork was the parent's."""
        with suppress(ValueError):
            self._free.release()


def open_fetcher(options: TransportOptions, judge: Judge) -> Fetcher:
    """A fetcher of files from elsewhere; loaded when the first one is fetched."""
    from evolution_sdk.transport.fetch_async import AsyncFetcher

    return AsyncFetcher(options, judge)


def _redis_classes() -> tuple[Any, Any]:
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import ConnectionError as Refused

    # A connection that was cut off while it was idle is made again. What takes too long is not
    # tried again: newer versions of redis-py would do so ten times.
    return Redis, Retry(NoBackoff(), 1, supported_errors=(Refused,))


def open_redis(url: str, **options: Any) -> Any:
    """A client of Redis; it connects when it is first used."""
    from evolution_sdk.resilience.redis_limits import load_redis

    redis, retry = load_redis(_redis_classes)
    return redis.from_url(url, retry=retry, **options)


async def close_redis(client: Any) -> None:
    """Close a client of Redis."""
    await client.aclose()


class HandlerColour:
    """Marks bound events for type checkers: only an ``async def`` can handle these."""

    __slots__ = ()

    @classmethod
    def awaited_kind(cls) -> type[Self]:
        """Return the class itself; see :class:`~evolution_sdk.events._binding.AwaitedKind`."""
        return cls


class Signal:
    """Wakes one waiting task, also from another thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()
        self.is_set: bool = False

    def set(self) -> None:
        """Wake it; a second time, and after its loop has closed, nothing happens."""
        self.is_set = True
        # The loop may be closed by now; then nobody waits any more.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self, seconds: float | None = None) -> None:
        """Wait until it is set, at most some seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._event.wait()


class Background:
    """Work beside the caller: a task.

    Args:
        work: A coroutine function that never raises.
    """

    def __init__(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._task = asyncio.create_task(work())

    async def end(self) -> None:
        """Cancel it, and wait until it is gone."""
        self._task.cancel()
        await asyncio.wait({self._task})
