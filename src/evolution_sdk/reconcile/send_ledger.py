"""The ledger of sends that may own a message in the store without knowing which one.

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
        instance: The instance that sends.
        kind: The kind of send.
        body: Its body.
        key: A value that equal sends share.
        channels: The channels on which such a send is possible.
        operation: Key of the operation; empty where none is under way.
        message_id: The id that the client gave the message; None where it gave none.
        id_chosen: True if the caller chose that id, who may have used it before.
        place: Its number among the sends of this client, from 1; 0 before it is begun.
        begun: The time at which its first attempt was begun; None before.
        over: The latest time at which the server was done with it; None while that is not known.
        nameless: True if it was answered as sent, but the answer named no id.
        under_way: True while an attempt is being made.
    """

    instance: str | None
    kind: SentKind
    body: Mapping[str, Any]
    key: int
    channels: tuple[Channel, ...] = ALL_CHANNELS
    operation: str = ""
    message_id: str | None = None
    id_chosen: bool = False
    place: int = 0
    begun: Moment | None = None
    over: Moment | None = None
    nameless: bool = False
    under_way: bool = False

    def rivals(self, other: Send) -> bool:
        """Tell if a message that fits both sends must not be taken for this one's.

        Args:
            other: Another send.
        """
        # Equal sends of which no one knows that it was sent are exchangeable: a message that fits
        # one of them serves any. A send that was answered has a message of its own, though.
        if other is self or other.instance != self.instance or other.begun is None:
            return False
        return other.nameless or other.under_way or other.key != self.key


class Ledger:
    """Holds sends under way, and a bounded number of those that ended without a known message.

    Args:
        most: Greatest number of ended sends that are kept.
    """

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
            over: The latest time at which the server is done with it.
            nameless: True if it was answered as sent.
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
        """Return the sends of an instance that are being made right now."""
        with self._lock:
            sends = tuple(self._sends.values())
        return tuple(send for send in sends if send.under_way and send.instance == instance)

    def named(self, send: Send) -> Mapping[str, Send]:
        """Return the other sends of an instance by the ids that the client gave them.

        Args:
            send: The send that is not counted.
        """
        with self._lock:
            others = tuple(self._sends.values())
        return {
            other.message_id: other
            for other in others
            if other.message_id is not None
            and other is not send
            and other.instance == send.instance
        }

    def close(self, send: Send) -> None:
        """Drop the content of files when the call of a send is over."""
        if send.begun is not None:
            send.body = _slim(send.body)

    def rivals(self, send: Send) -> tuple[Send, ...]:
        """Return the other sends that may own a message which fits this one."""
        with self._lock:
            return tuple(other for other in self._sends.values() if send.rivals(other))


def _slim(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a body without the bytes of files; the rules compare what is left."""
    return {
        name: None if isinstance(value, str) and len(value) > _LONGEST_TEXT else value
        for name, value in body.items()
    }
