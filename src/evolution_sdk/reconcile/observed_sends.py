"""Sends that events told of: evidence for a lost send, beside the server's store."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from evolution_sdk._base.forking import free_in_child
from evolution_sdk._base.json_types import is_array, is_object
from evolution_sdk.models.wire import decode_long

from .fingerprint import Fingerprint

__all__ = [
    "Evidence",
    "ObservedSend",
    "ObservedSends",
    "event_of",
    "told_of",
]

Evidence: TypeAlias = Literal["store", "event"]
"""Place where a message was found: the server's store, or a ``send.message`` event."""

_MOST_OBSERVED = 2_000
_OBSERVED_LIFE_S = 600.0
_FAR_S = 10**11
_SEND_EVENTS: Final = frozenset({"send.message", "send-message"})


class ObservedSend(NamedTuple):
    """A message that an event told of.

    Attributes:
        instance: Through which instance it went.
        record: The message, without the file's bytes.
        at: When we heard of it, in unix seconds of our clock.
    """

    instance: str
    record: Mapping[str, Any]
    at: float


class ObservedSends:
    """The messages that events told of lately: bounded, forgotten in time, thread-safe."""

    def __init__(self, most: int = _MOST_OBSERVED, life_s: float = _OBSERVED_LIFE_S) -> None:
        self._kept: deque[ObservedSend] = deque(maxlen=most)
        self._life_s = life_s
        self._lock = free_in_child(threading.Lock())

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, witness: ObservedSend) -> None:
        """Keep one, and forget what is too old."""
        with self._lock:
            # Appended as they are heard: the oldest stand on the left.
            while self._kept and self._kept[0].at < witness.at - self._life_s:
                self._kept.popleft()
            self._kept.append(witness)

    def under(self, instance: str | None, message_id: str) -> tuple[Mapping[str, Any], ...]:
        """Records of an instance that have an id.

        Args:
            instance: The instance.
            message_id: The id.
        """
        return tuple(
            one.record for one in self._of(instance) if one.record["key"]["id"] == message_id
        )

    def matching(
        self, instance: str | None, wanted: Fingerprint, since: float
    ) -> tuple[Mapping[str, Any], ...]:
        """Records that fit a send, oldest first.

        Args:
            instance: Its instance.
            wanted: What the message must look like.
            since: When the send was begun, in unix seconds of the server's clock.
        """
        return tuple(
            one.record
            for one in self._of(instance)
            if _when(one) >= since and wanted.matches(one.record)
        )

    def _of(self, instance: str | None) -> list[ObservedSend]:
        with self._lock:
            # Copied under the lock and compared outside it: a comparison walks the whole content.
            kept = tuple(self._kept)
        return [one for one in kept if one.instance == instance]


def told_of(record: Mapping[str, Any]) -> float | None:
    """Moment when a message was made, by the server's clock; None when it does not tell."""
    seconds = decode_long(record.get("messageTimestamp"))
    return float(seconds) if seconds is not None and 0 < seconds < _FAR_S else None


def _when(witness: ObservedSend) -> float:
    told = told_of(witness.record)
    # The server's clock where the message tells it; else ours, when the event came.
    return witness.at if told is None else told


def event_of(envelope: Any, at: float) -> ObservedSend | None:
    """Read the envelope of a ``send.message`` event, as webhooks, socket and queues carry it.

    Args:
        envelope: ``{"event": …, "instance": …, "data": …}``.
        at: Now, in unix seconds.

    Returns:
        None for another event, and for anything odd.
    """
    if not is_object(envelope):
        return None
    name, instance, data = envelope.get("event"), envelope.get("instance"), envelope.get("data")
    if not isinstance(name, str) or name.lower().replace("_", ".") not in _SEND_EVENTS:
        return None
    record = data[0] if is_array(data) and len(data) == 1 else data
    if not isinstance(instance, str) or not is_object(record):
        return None
    key, content = record.get("key"), record.get("message")
    if not is_object(key) or not isinstance(key.get("id"), str) or not key["id"]:
        return None
    if is_object(content) and "base64" in content:  # a whole file, when the webhook asks for it
        record = {**record, "message": {k: v for k, v in content.items() if k != "base64"}}
    return ObservedSend(instance, record, at)
