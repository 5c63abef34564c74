"""The sends of this client that may own a message in the store without saying which.

Every other message can be told apart by its id. Pure and thread-safe.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evolution_sdk._base.forking import free_in_child
from evolution_sdk.operations.operation import ALL_CHANNELS, Channel, SentKind

from .server_clock import Moment

__all__ = ["Ledger", "Send"]

_MOST_KEPT = 2_000
_LONGEST_TEXT = 4_096


@dataclass(slots=True, eq=False)
class Send:
    """One send of this client, from its first attempt on.

    Attributes:
        instance: Through which instance.
        kind: The kind of send.
        body: Its body.
        key: Equal for equal sends.
        channels: On which channels such a send is possible.
        place: The how-manieth of this client it is; 0 before it is begun.
        begun: When its first attempt was begun; None before.
        over: When the server was done with it at the latest; None while that is not known.
        nameless: It was answered as sent, but the answer named no id.
        under_way: An attempt is being made.
    """

    instance: str | None
    kind: SentKind
    body: Mapping[str, Any]
    key: int
    channels: tuple[Channel, ...] = ALL_CHANNELS
    place: int = 0
    begun: Moment | None = None
    over: Moment | None = None
    nameless: bool = False
    under_way: bool = False

    def rivals(self, other: Send) -> bool:
        """Tell if a message that fits both may be the other's, to this one's harm.

        Equal sends of which none has been told to be sent are exchangeable: a message that fits
        one of them serves any.
        """
        if other is self or other.instance != self.instance or other.begun is None:
            return False
        return other.nameless or other.under_way or other.key != self.key


class Ledger:
    """Sends under way, and those that ended without a message of their own: bounded."""

    def __init__(self, most: int = _MOST_KEPT) -> None:
        self._most = most
        self._begun = 0
        self._sends: OrderedDict[int, Send] = OrderedDict()
        self._lock = free_in_child(threading.Lock())

    def __len__(self) -> int:
        return len(self._sends)

    def begin(self, send: Send, now: Moment) -> None:
        """Note that an attempt is begun."""
        with self._lock:
            # A retry keeps the begin of the first attempt, which may be the one that was sent.
            if send.begun is None:
                self._begun += 1
                send.begun, send.place = now, self._begun
            send.under_way, send.over = True, None
            self._sends[id(send)] = send

    def settle(self, send: Send) -> None:
        """Forget a send that has a message of its own, or surely none."""
        with self._lock:
            send.under_way = False
            self._sends.pop(id(send), None)

    def leave(self, send: Send, over: Moment, *, nameless: bool = False) -> None:
        """Note that a send may have a message, but that no answer names it.

        Args:
            send: The send.
            over: When the server is done with it at the latest.
            nameless: Whether it was answered as sent.
        """
        with self._lock:
            send.under_way, send.over, send.nameless = False, over, nameless
            self._sends[id(send)] = send
            self._sends.move_to_end(id(send))
            # Only ended sends are dropped; one under way must stay a rival to the others.
            kept = [key for key, one in self._sends.items() if not one.under_way]
            for key in kept[: max(0, len(kept) - self._most)]:
                del self._sends[key]

    def under_way(self, instance: str | None) -> tuple[Send, ...]:
        """The sends of an instance that are being made right now."""
        with self._lock:
            sends = tuple(self._sends.values())
        return tuple(send for send in sends if send.under_way and send.instance == instance)

    def close(self, send: Send) -> None:
        """Drop the content of files when the call of a send is over."""
        if send.begun is not None:
            send.body = _slim(send.body)

    def rivals(self, send: Send) -> tuple[Send, ...]:
        """The others that a message fitting this send may belong to."""
        with self._lock:
            return tuple(other for other in self._sends.values() if send.rivals(other))


def _slim(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without the bytes of files: a rule that has none to compare lets them pass."""
    return {
        name: None if isinstance(value, str) and len(value) > _LONGEST_TEXT else value
        for name, value in body.items()
    }
