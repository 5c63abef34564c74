"""The keys of events that are known already, so that each event is handled once.

Webhooks and streams use the same memory; see ``Event.delivery_key``.
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
    """Remembers which events are known, by ``event.delivery_key``; it may be a database's."""

    def seen(self, key: str, /) -> bool:
        """Tell if an event is known; asking changes nothing."""
        ...

    def add(self, key: str, /) -> None:
        """Remember an event."""
        ...


@checked(but=("add", "seen"))  # asked for every event
class RecentKeys:
    """The keys of the latest events, in memory; it takes no lock.

    Args:
        max_keys: Number of keys to keep; the oldest go first.
        keep_s: Time for which a key is kept, in seconds. Default: until there is no more room.
        clock: Seconds that only go forward: a wall clock that is put forward would make every copy
            of an event new.

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
        """Tell if a key is among the kept ones.

        Args:
            key: The event's ``delivery_key``.

        Returns:
            True when it is; asking does not keep it for longer.
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
        # They stand in the order of their times, so that the first one that is young enough ends
        # the look.
        while self._keys and next(iter(self._keys.values())) <= now - self._keep_s:
            self._keys.popitem(last=False)

    def __len__(self) -> int:
        return len(self._keys)
