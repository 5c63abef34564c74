"""Cache of answers: bounded, with a time to live per kind of answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from copy import deepcopy
from typing import Any, Final, TypeVar, cast

from evolution_sdk._base.forking import free_in_child, in_child
from evolution_sdk.config import CacheConfig
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.models.base import Model
from evolution_sdk.operations.operation import CacheKind

__all__ = ["MISSING", "AnswerCache", "Key", "copy_of"]

M = TypeVar("M", bound="Model | None")

Key = tuple[CacheKind, str | None, str]
"""Kind of answer, instance, and the number, group or picture it is about."""

MISSING: Final = object()


def copy_of(value: M) -> M:
    """Copy an answer, so that a caller who changes its raw data does not change the cache."""
    if value is None:
        return value
    return cast("M", type(value).from_wire(deepcopy(value.raw)))


class AnswerCache:
    """Cache of answers; safe for threads.

    Args:
        config: Times to live and size.
        clock: Monotonic clock, in seconds.

    Raises:
        ConfigurationError: cachetools is not installed.
    """

    def __init__(self, config: CacheConfig, clock: Callable[[], float]) -> None:
        try:
            from cachetools import TLRUCache
        except ImportError:
            raise ConfigurationError(
                "The cache needs cachetools: pip install 'evolutionapi-sdk[cache]'.",
                variable="evolutionapi-sdk[cache]",
            ) from None
        self._ttl_ms: dict[CacheKind, int] = {
            "number": config.numbers_ttl_ms,
            "group": config.groups_ttl_ms,
            "picture": config.pictures_ttl_ms,
        }
        self._negative_ms = config.negative_ttl_ms
        self._lock = free_in_child(threading.Lock())
        self._make: Callable[[], TLRUCache[Key, tuple[Any, float]]] = lambda: TLRUCache(
            config.max_entries, lambda _key, item, now: now + item[1], timer=clock
        )
        self._begin()
        in_child(self._begin)

    def _begin(self) -> None:
        # A fork may catch the library's linked list half-way, so clearing it is not enough.
        self._kept = self._make()

    def get(self, key: Key) -> Any:
        """Return a copy of a cached answer.

        Args:
            key: Key of the answer.

        Returns:
            The answer, or :data:`MISSING`.
        """
        with self._lock:
            item = self._kept.get(key)
        return MISSING if item is None else copy_of(item[0])

    def put(self, key: Key, value: Any, *, absent: bool) -> None:
        """Store a copy of an answer.

        Args:
            key: Key of the answer.
            value: The answer.
            absent: True if it says that the thing does not exist, which is kept for less long.
        """
        ttl_ms = self._ttl_ms[key[0]]
        # A number may join WhatsApp at any time, and must not stay unknown for the full time.
        if absent:
            ttl_ms = min(ttl_ms, self._negative_ms)
        item = (copy_of(value), ttl_ms / 1_000)  # copied outside the lock
        with self._lock:
            self._kept[key] = item

    def drop(self, key: Key) -> None:
        """Remove an answer."""
        with self._lock:
            self._kept.pop(key, None)

    def clear(self) -> None:
        """Remove all answers."""
        with self._lock:
            self._kept.clear()
