"""Memory of the keys of recent events, so that each event is handled once.

Webhooks and streams share this memory; see ``Event.delivery_key``.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Protocol

from evolution_sdk._base.bounded_dict import BoundedDict
from evolution_sdk._common.arguments import checked
from evolution_sdk.errors import ConfigurationError

__all__ = ["KeyMemory", "RecentKeys"]

_MAX_KEYS = 20_000


class KeyMemory(Protocol):
    """A memory of known events by ``event.delivery_key``; a database may implement it."""

    def seen(self, key: str, /) -> bool:
        """Tell whether an event is known, without changing anything."""
        ...

    def add(self, key: str, /) -> None:
        """Remember an event."""
        ...


@checked(but=("add", "seen"))  # asked for every event
class RecentKeys:
    """The keys of the latest events, kept in memory; it takes no lock.

    Args:
        max_keys: Number of keys to keep; the oldest are dropped first.
        keep_s: Time for which a key is kept, in seconds. Default: until it has to make room.
        clock: Monotonic time in seconds. A wall clock that jumps forward would make every copy of
            an event look new.

    Raises:
        ConfigurationError: ``max_keys`` is not positive.
    """

    def __init__(
        self,
        max_keys: int = _MAX_KEYS,
        *,
        keep_s: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if max_keys < 1:
            raise ConfigurationError("max_keys must be 1 or more", variable="max_keys")
        self._keys: BoundedDict[str, float] = BoundedDict(max_keys)
        self._keep_s = keep_s
        self._clock = clock

    def seen(self, key: str) -> bool:
        """Tell whether a key is known.

        Args:
            key: The event's ``delivery_key``.

        Returns:
            True if it is. Asking does not keep the key for longer.
        """
        at = self._keys.get(key)
        return at is not None and at > self._clock() - self._keep_s

    def add(self, key: str) -> None:
        """Remember a key, and forget the oldest ones beyond the limits.

        Args:
            key: The event's ``delivery_key``.
        """
        now = self._clock()
        self._keys[key] = now
        # The keys are in the order of their times, so the first one that is young enough ends the
        # search.
        while self._keys and next(iter(self._keys.values())) <= now - self._keep_s:
            self._keys.popitem(last=False)

    def __len__(self) -> int:
        return len(self._keys)
