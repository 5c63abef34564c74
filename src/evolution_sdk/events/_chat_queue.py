"""Events in order where it matters: those of one chat one by one, different chats side by side.

Webhooks and streams use the same queue: a receiver's workers take events from it, and the tasks of
a stream wait in it for their turns.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

from evolution_sdk.identity import Jid

from ._base import Event

__all__ = ["ChatQueue", "order_key"]

T = TypeVar("T")


def order_key(event: Event) -> str:
    """Return the key of an event's queue: events with the same key stay in order.

    Args:
        event: The event.

    Returns:
        Instance and chat. For events without a chat, the instance and the part of the name before
        the dot: connection changes stay in order and do not wait for contacts.
    """
    chat = getattr(event, "chat", None)
    # Without the device: a chat with somebody's phone and with their laptop is one chat.
    part = str(chat.bare) if isinstance(chat, Jid) else f"#{event.event.partition('.')[0]}"
    return f"{event.instance}/{part}"


class ChatQueue(Generic[T]):
    """A queue of queues: it gives an item only when no other one with its key is under way.

    It is pure and takes no lock; whoever shares it between threads holds one.

    Attributes:
        depth: Number of items that wait, without those under way.
    """

    __slots__ = ("_busy", "_ready", "_waiting", "depth")

    def __init__(self) -> None:
        self._waiting: dict[str, deque[T]] = {}
        # Keys with an item that may be taken now: each at most once, and none that is busy.
        self._ready: deque[str] = deque()
        self._busy: set[str] = set()
        self.depth: int = 0

    @property
    def busy(self) -> int:
        """Number of items under way."""
        return len(self._busy)

    @property
    def idle(self) -> bool:
        """True if nothing waits and nothing is under way."""
        return not self.depth and not self._busy

    def put(self, key: str, item: T) -> None:
        """Add an item behind the others with its key.

        Args:
            key: As of :func:`order_key`.
            item: The item.
        """
        row = self._waiting.get(key)
        if row is None:
            row = self._waiting[key] = deque()
            if key not in self._busy:
                self._ready.append(key)
        row.append(item)
        self.depth += 1

    def take(self) -> tuple[str, T] | None:
        """Take the next item whose key is free; keys take turns.

        Returns:
            Key and item, to be followed by :meth:`done`; None when nothing can be taken now.
        """
        if not self._ready:
            return None
        key = self._ready.popleft()
        row = self._waiting[key]
        item = row.popleft()
        self.depth -= 1
        if not row:
            # Kept empty, the rows of all chats ever seen would pile up.
            del self._waiting[key]
        self._busy.add(key)
        return key, item

    def done(self, key: str) -> None:
        """Free a key for its next item.

        Args:
            key: As :meth:`take` gave it.
        """
        self._busy.discard(key)
        if key in self._waiting:
            # At the end: a chat that writes a lot does not get two turns before another gets one.
            self._ready.append(key)
