"""Way of the last hour's messages: accepted, server, delivered, read. Pure."""

from __future__ import annotations

from collections import Counter, deque
from threading import Lock
from typing import Any, Final

from evolution_sdk._base.bounded_dict import BoundedDict
from evolution_sdk._base.forking import free_in_child
from evolution_sdk.models.message import MessageStatus
from evolution_sdk.models.refusals import Refusal
from evolution_sdk.monitor.words import words_of

from .strips import DAY_S

__all__ = ["DeliveryFunnel"]

_MOST_SENDS: Final = 20_000
_MOST_EARLY: Final = 2_000
_MOST_REFUSALS: Final = 1_000
_HOUR_S: Final = 3_600.0
# By rank, which Baileys and WhatsApp Business have in common; a later one proves the earlier.
_STAGES: Final = {
    MessageStatus.SERVER_ACK.rank: 1,
    MessageStatus.DELIVERY_ACK.rank: 2,
    MessageStatus.READ.rank: 3,
    MessageStatus.PLAYED.rank: 3,
}


class DeliveryFunnel:
    """Pairs accepted messages with the statuses that events tell; safe to use from any thread.

    Attributes:
        version: A number that changes with the counts.
    """

    def __init__(self) -> None:
        self.version: int = 0
        self._lock = free_in_child(Lock())
        self._sends: BoundedDict[tuple[str, str], list[float]] = BoundedDict(_MOST_SENDS)
        self._early: BoundedDict[tuple[str, str], int] = BoundedDict(_MOST_EARLY)
        self._refused: deque[tuple[float, Refusal]] = deque(maxlen=_MOST_REFUSALS)
        self._refused_ids: BoundedDict[tuple[str, str], None] = BoundedDict(_MOST_REFUSALS)

    def accepted(self, instance: str, key_id: str, at: float) -> None:
        """Take in a message that the server has accepted.

        Args:
            instance: The instance.
            key_id: WhatsApp's id of it.
            at: Unix seconds.
        """
        with self._lock:
            self.version += 1
            # Its status may have overtaken the answer.
            stage = self._early.pop((instance, key_id), 0)
            self._sends[instance, key_id] = [at, stage]

    def status(
        self, instance: str, key_id: str, status: str, refusal: Refusal | None, at: float
    ) -> None:
        """Take in the status of a message.

        Args:
            instance: The instance.
            key_id: WhatsApp's id of the message.
            status: The status, in capitals.
            refusal: Why WhatsApp refused it.
            at: Unix seconds.
        """
        key, stage = (instance, key_id), _STAGES.get(MessageStatus(status).rank)
        with self._lock:
            if refusal is not None and key not in self._refused_ids:
                self._refused_ids[key] = None
                self._refused.append((at, refusal))
                self.version += 1
            if stage is None:
                return
            send = self._sends.get(key)
            if send is None:
                self._early[key] = max(stage, self._early.get(key, 0))
            elif send[1] < stage:
                send[1] = stage
                self.version += 1

    def to_dict(self, at: float) -> dict[str, Any]:
        """Return the counts of the last hour, and the refusals of the last day by code.

        Args:
            at: Unix seconds.
        """
        with self._lock:
            since = at - _HOUR_S
            stages = Counter(int(stage) for sent, stage in self._sends.values() if sent > since)
            refused = [(when, refusal) for when, refusal in self._refused if when > at - DAY_S]
        read, delivered, server = stages[3], stages[2] + stages[3], sum(stages.values()) - stages[0]
        by_code: dict[int | None, list[Refusal]] = {}
        for _, refusal in refused:
            by_code.setdefault(refusal.code, []).append(refusal)
        return {
            "minutes": 60,
            "accepted": sum(stages.values()),
            "server": server,
            "delivered": delivered,
            "read": read,
            "refused": sum(when > at - _HOUR_S for when, _ in refused),
            "refusals": [
                {
                    "code": code,
                    "count": len(some),
                    "meaning": words_of(some[-1].meaning),
                    "advice": words_of(some[-1].advice),
                }
                for code, some in sorted(by_code.items(), key=lambda item: -len(item[1]))
            ],
        }
