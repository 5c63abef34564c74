"""Messages that WhatsApp refused after the server had accepted them, by instance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from threading import Lock
from types import MappingProxyType
from typing import Final, NamedTuple

from evolution_sdk._base.bounded_dict import BoundedDict
from evolution_sdk._base.sliding_window import SlidingWindow
from evolution_sdk.models.refusals import Refusal

__all__ = ["NO_REFUSALS", "RefusalCount", "RefusalCounter"]

_SLOTS: Final = 12
_MOST_IDS: Final = 5_000
_IDS_PER_INSTANCE: Final = 5
_MOST_INSTANCES: Final = 1_000


class RefusalCount(NamedTuple):
    """The recent refusals of one instance.

    Attributes:
        messages: Refused messages.
        refusal: Reason of the newest one, as far as it was told; None without any.
    """

    messages: int = 0
    refusal: Refusal | None = None


NO_REFUSALS: Final = RefusalCount()


class RefusalCounter:
    """Counts refused messages of the last time; safe to use from any thread.

    Args:
        window_ms: Time for which a refusal counts, in milliseconds; a slot is a twelfth of it.
    """

    def __init__(self, window_ms: float) -> None:
        self._slot_s = max(window_ms, 1.0) / 1_000 / _SLOTS
        self._window: SlidingWindow[Counter[str]] | None = None
        self._newest: BoundedDict[str, Refusal] = BoundedDict(_MOST_INSTANCES)
        self._seen: BoundedDict[tuple[str, str], None] = BoundedDict(_MOST_IDS)
        self._lock = Lock()

    def watch(self, names: frozenset[str]) -> None:
        """Say which instances are watched: the bounds follow.

        Args:
            names: Their names.
        """
        with self._lock:
            self._newest.max_entries = max(_MOST_INSTANCES, 2 * len(names))
            self._seen.max_entries = max(_MOST_IDS, _IDS_PER_INSTANCE * len(names))

    def refused(self, instance: str, key_id: str, refusal: Refusal, now: float) -> None:
        """Count a refused message, once.

        Args:
            instance: The instance that sent it.
            key_id: WhatsApp's id of the message.
            refusal: The reason, as far as it was told.
            now: Seconds that never go back.
        """
        with self._lock:
            if (instance, key_id) in self._seen:
                return
            self._seen[instance, key_id] = None
            self._newest[instance] = refusal
            if self._window is None:
                self._window = SlidingWindow(now, self._slot_s, _SLOTS, Counter[str])
            self._window.at(now)[instance] += 1

    def counts(self, now: float) -> Mapping[str, RefusalCount]:
        """Count the recent refusals of each instance that has some.

        Args:
            now: Seconds that never go back.
        """
        with self._lock:
            if self._window is None:
                return MappingProxyType({})
            total = Counter[str]()
            for slot in self._window.recent(now):
                total.update(slot)
            return MappingProxyType(
                {name: RefusalCount(count, self._newest.get(name)) for name, count in total.items()}
            )
