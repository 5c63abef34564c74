"""Most calls in flight: of the client, and of each instance."""

from __future__ import annotations

import threading
from collections.abc import Callable

from evolution_sdk._base.forking import free_in_child, in_child
from evolution_sdk.config import BulkheadConfig
from evolution_sdk.errors import BulkheadFullError

from ._seam import Slots


class _Shared:
    """The places of one instance, and how many calls know of them."""

    __slots__ = ("slots", "users")

    def __init__(self, places: int) -> None:
        self.slots = Slots(places)
        self.users = 0


class Bulkhead:
    """Keeps one slow instance, or a slow server, from taking everything else down with it."""

    def __init__(self, config: BulkheadConfig, clock: Callable[[], float]) -> None:
        self._config = config
        self._clock = clock
        self._guard = free_in_child(threading.Lock())
        self._begin()
        in_child(self._begin)

    def _begin(self) -> None:
        self._all = Slots(self._config.max_in_flight)
        self._own: dict[str, _Shared] = {}

    async def enter(self, instance: str | None) -> None:
        """Take a place; :meth:`leave` must follow.

        The instance's own place comes first: waiting for it must not hold one of the common ones.

        Args:
            instance: For which instance.

        Raises:
            BulkheadFullError: None came free in time.
        """
        wait_ms = self._config.max_wait_ms
        begun = self._clock()
        if self._config.max_per_instance and instance is not None:
            await self._enter_own(instance, wait_ms)
        taken = False
        try:
            taken = await self._all.take(wait_ms - (self._clock() - begun) * 1_000)
        finally:
            if not taken:
                self._leave_own(instance)
        if not taken:
            raise BulkheadFullError("max_in_flight")

    def leave(self, instance: str | None) -> None:
        """Give the place back."""
        self._all.give()
        self._leave_own(instance)

    async def _enter_own(self, instance: str, wait_ms: float) -> None:
        with self._guard:
            own = self._own.get(instance)
            if own is None:
                own = self._own[instance] = _Shared(self._config.max_per_instance)
            own.users += 1
        taken = False
        try:
            taken = await own.slots.take(wait_ms)
        finally:
            if not taken:
                self._forget(instance, own)
        if not taken:
            raise BulkheadFullError("max_per_instance")

    def _leave_own(self, instance: str | None) -> None:
        if self._config.max_per_instance and instance is not None:
            own = self._own.get(instance)
            if own is not None:  # else taken before a fork
                own.slots.give()
                self._forget(instance, own)

    def _forget(self, instance: str, own: _Shared) -> None:
        with self._guard:
            own.users -= 1
            if not own.users and self._own.get(instance) is own:
                del self._own[instance]
