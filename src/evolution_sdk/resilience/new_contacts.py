"""The pause of first messages after WhatsApp refused several. Pure: time is an argument."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Final, NamedTuple

from evolution_sdk._base.bounded_dict import BoundedDict
from evolution_sdk._base.forking import free_in_child
from evolution_sdk.config import RateLimitConfig

__all__ = ["NewContactPause", "Paused"]

_MOST_INSTANCES: Final = 4_096
_MOST_REFUSALS: Final = 1_000


class Paused(NamedTuple):
    """A pause that lasts.

    Attributes:
        until: Its end, in unix seconds.
        refusals: Refused messages that brought it about.
    """

    until: float
    refusals: int


@dataclass(slots=True)
class _InstanceRefusals:
    """The refusals of one instance."""

    times: deque[tuple[float, str]]
    until: float = float("-inf")
    refusals: int = 0


class NewContactPause:
    """Counts refused messages of each instance, and decides if new chats have to wait.

    Safe to use from any thread.

    Args:
        config: Says how many refusals begin a pause, and how long it lasts.
    """

    def __init__(self, config: RateLimitConfig) -> None:
        self._after = config.pause_after_refusals
        self._window_s = config.refusal_window_ms / 1_000
        self._pause_s = config.new_contacts_pause_ms / 1_000
        self._instances: BoundedDict[str, _InstanceRefusals] = BoundedDict(_MOST_INSTANCES)
        self._lock = free_in_child(threading.Lock())

    def refused(self, instance: str, now: float, chat: str = "") -> None:
        """Count a refused message; a pause begins, or begins anew, when they are too many.

        Args:
            instance: The instance that sent it.
            now: The present, in unix seconds.
            chat: A name of its chat, of which only the latest refusal counts: several are about
                that chat, not about the account. Empty if it is not known.
        """
        with self._lock:
            found = self._instances.get(instance)
            if found is None:
                # The count alone decides: more than it takes need not be remembered exactly.
                most = max(self._after, _MOST_REFUSALS)
                found = self._instances[instance] = _InstanceRefusals(deque(maxlen=most))
            # After a clock that ran ahead, some lie in the future: they are not of this time.
            kept = [
                (at, of)
                for at, of in found.times
                if now - self._window_s < at <= now and not (chat and of == chat)
            ]
            found.times = deque((*kept, (now, chat)), maxlen=found.times.maxlen)
            if len(found.times) >= self._after:
                found.until = max(found.until, now + self._pause_s)
                found.refusals = len(found.times)

    def paused(self, instance: str, now: float) -> Paused | None:
        """Return the pause of an instance; None while there is none.

        Args:
            instance: The instance.
            now: The present, in unix seconds.
        """
        with self._lock:
            found = self._instances.get(instance)
            if found is None or found.until <= now:
                return None
            # A clock that ran ahead and was set back must not make it last for years.
            found.until = min(found.until, now + self._pause_s)
            return Paused(found.until, found.refusals)

    def lift(self, instance: str) -> None:
        """End the pause of an instance, and forget its refusals."""
        with self._lock:
            self._instances.pop(instance, None)
