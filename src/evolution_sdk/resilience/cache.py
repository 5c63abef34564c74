"""Answers kept for a while: bounded, each with its own time to live."""

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

__all__ = ["MISSING", "AnswerCache", "Key", "anew"]

M = TypeVar("M", bound="Model | None")

Key = tuple[CacheKind, str | None, str]
"""Kind, instance, and what was asked for."""

MISSING: Final = object()


def anew(value: M) -> M:
    """A copy of an answer that shares nothing with it: its raw data can be changed by its owner."""
    if value is None:
        return value
    return cast("M", type(value).from_wire(deepcopy(value.raw)))


class AnswerCache:
    """Keeps answers; safe for threads.

    Args:
        config: How long and how many.
        clock: Seconds that never go back.

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
        # The library's own links may be half-way when the process forks: made anew, not cleared.
        self._kept = self._make()

    def get(self, key: Key) -> Any:
        """What is kept, as a copy, or :data:`MISSING`.

        Args:
            key: What is asked for.
        """
        with self._lock:
            item = self._kept.get(key)
        return MISSING if item is None else anew(item[0])

    def put(self, key: Key, value: Any, *, absent: bool) -> None:
        """Keep an answer.

        Args:
            key: What was asked for.
            value: The answer; a copy is kept.
            absent: Whether it says that there is nothing, which is kept for a shorter time.
        """
        ttl_ms = self._ttl_ms[key[0]]
        if absent:
            ttl_ms = min(ttl_ms, self._negative_ms)
        item = (anew(value), ttl_ms / 1_000)
        with self._lock:
            self._kept[key] = item

    def drop(self, key: Key) -> None:
        """Forget an answer."""
        with self._lock:
            self._kept.pop(key, None)

    def clear(self) -> None:
        """Forget all answers."""
        with self._lock:
            self._kept.clear()
