"""When an event that keeps failing is given up. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_MOST_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class Redelivery:
    """What to do with an event whose handler raised.

    Attributes:
        deliveries: How often it was tried, this time included.
        give_up: Whether that was the last time.
    """

    deliveries: int
    give_up: bool


class FailureCounts:
    """Counts how often each event failed here, since a broker need not count what is given back.

    Args:
        max_deliveries: How often an event is tried.
    """

    def __init__(self, max_deliveries: int) -> None:
        self._most = max_deliveries
        self._counts: OrderedDict[str, int] = OrderedDict()

    def verdict(self, key: str, delivered_before: int) -> Redelivery:
        """Count a failure.

        Args:
            key: The event's ``delivery_key``.
            delivered_before: Earlier deliveries that the broker knows of; they may have been to
                other consumers.

        Returns:
            What to do.
        """
        here = self._counts.pop(key, 0) + 1
        deliveries = max(here, delivered_before + 1)
        give_up = deliveries >= self._most
        if not give_up:
            self._counts[key] = here
            while len(self._counts) > _MOST_KEYS:
                self._counts.popitem(last=False)
        return Redelivery(deliveries, give_up)

    def forget(self, key: str) -> None:
        """It was handled after all."""
        self._counts.pop(key, None)


def delivery_count(headers: Mapping[str, Any] | None) -> int:
    """Earlier deliveries by the header of quorum queues (`facts/rabbitmq.json`); 0 without it."""
    count = (headers or {}).get("x-delivery-count")
    return count if isinstance(count, int) and count > 0 else 0
