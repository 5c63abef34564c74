"""The decision about an event whose handler failed: another delivery, or a dead letter. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evolution_sdk._base.bounded_dict import BoundedDict

_MAX_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class Redelivery:
    """The decision about an event whose handler raised.

    Attributes:
        deliveries: Number of deliveries so far, this one included.
        give_up: True if this was the last one.
    """

    deliveries: int
    give_up: bool


class FailureCounts:
    """Counts the failures of each event here, since a broker need not count what is given back.

    Args:
        max_deliveries: Most deliveries of an event.
    """

    def __init__(self, max_deliveries: int) -> None:
        self._most = max_deliveries
        self._counts: BoundedDict[str, int] = BoundedDict(_MAX_KEYS)

    def count(self, key: str, delivered_before: int) -> Redelivery:
        """Count a failure.

        Args:
            key: The event's ``delivery_key``.
            delivered_before: Number of earlier deliveries by the broker's count; they may have been
                to other consumers.

        Returns:
            The decision.
        """
        here = self._counts.pop(key, 0) + 1
        # Both counts miss some: ours those of other consumers, the broker's those of a classic
        # queue. The larger one is closer to the truth.
        deliveries = max(here, delivered_before + 1)
        give_up = deliveries >= self._most
        if not give_up:
            self._counts[key] = here
        return Redelivery(deliveries, give_up)

    def forget(self, key: str) -> None:
        """Forget the failures of an event that was handled after all.

        Args:
            key: The event's ``delivery_key``.
        """
        self._counts.pop(key, None)


def delivery_count(headers: Mapping[str, Any] | None) -> int:
    """Read the number of earlier deliveries from a quorum queue's header; 0 without it.

    Source: `facts/rabbitmq.json`.
    """
    count = (headers or {}).get("x-delivery-count")
    return count if isinstance(count, int) and count > 0 else 0
