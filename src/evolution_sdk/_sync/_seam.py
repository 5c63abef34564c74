"""The differences between the two colours, under one set of names.

Written by hand in both trees; everything else of ``_sync`` is generated from ``_async``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from threading import BoundedSemaphore, Event, Thread
from typing import Annotated, Any, TypeAlias, TypeVar

from evolution_sdk.transport import SyncHttpxClient as HttpxClient
from evolution_sdk.transport import SyncTransport as Transport
from evolution_sdk.transport import TransportOptions
from evolution_sdk.transport import open_sync_transport as open_transport
from evolution_sdk.transport.fetching import Judge
from evolution_sdk.transport.fetching import SyncFetches as Fetcher

T = TypeVar("T")

Later: TypeAlias = Annotated[T, "at once"]
"""The result of calling a function: the value itself."""

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


def sleep(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)


def run_blocking(work: Callable[[], T]) -> T:
    """Run slow work; in this colour the caller waits anyway."""
    return work()


def run_to_the_end(work: Callable[[], T]) -> T:
    """Run slow work; in this colour nobody is cancelled."""
    return work()


class Slots:
    """A number of places; whoever finds none waits, but not for ever."""

    def __init__(self, places: int) -> None:
        self._free = BoundedSemaphore(places)

    def take(self, wait_ms: float) -> bool:
        """Take a place; False when none came free in time."""
        if wait_ms <= 0:
            return self._free.acquire(blocking=False)
        return self._free.acquire(timeout=wait_ms / 1_000)

    def give(self) -> None:
        """Give a place back; one that was taken before a fork was the parent's."""
        with suppress(ValueError):
            self._free.release()


def open_fetcher(options: TransportOptions, judge: Judge) -> Fetcher:
    """A fetcher of files from elsewhere; loaded when the first one is fetched."""
    from evolution_sdk.transport.fetch_sync import SyncFetcher

    return SyncFetcher(options, judge)


def _redis_classes() -> tuple[Any, Any]:
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.exceptions import ConnectionError as Refused
    from redis.retry import Retry

    # A connection that was cut off while it was idle is made again. What takes too long is not
    # tried again: newer versions of redis-py would do so ten times.
    return Redis, Retry(NoBackoff(), 1, supported_errors=(Refused,))


def open_redis(url: str, **options: Any) -> Any:
    """A client of Redis; it connects when it is first used."""
    from evolution_sdk.resilience.redis_limits import load_redis

    redis, retry = load_redis(_redis_classes)
    return redis.from_url(url, retry=retry, **options)


def close_redis(client: Any) -> None:
    """Close a client of Redis."""
    client.close()


class HandlerColour:
    """Marks bound events for type checkers: any function can handle these."""

    __slots__ = ()


class Signal:
    """Wakes one waiting thread."""

    def __init__(self) -> None:
        self._event = Event()

    @property
    def is_set(self) -> bool:
        """True once it was set."""
        return self._event.is_set()

    def set(self) -> None:
        """Wake it; a second time nothing happens."""
        self._event.set()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until it is set, at most some seconds."""
        self._event.wait(seconds)


class Background:
    """Work beside the caller: a daemon thread, in the caller's context.

    Args:
        work: A function that never raises.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        context = copy_context()
        thread = Thread(target=context.run, args=(work,), name="evolution-presence", daemon=True)
        thread.start()

    def end(self) -> None:
        """Leave it: its call cannot be broken off, and it ends by itself after that."""
