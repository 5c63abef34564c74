"""A queue that keeps the order within a chat and lets different chats run side by side.

Webhooks and streams share it: a receiver's workers take events from it, and the tasks of a stream
wait in it for their turns.
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
        Instance and chat. For an event without a chat, the instance and the part of the name before
        the dot, so that connection changes stay in order and do not wait for contacts.
    """
    chat = getattr(event, "chat", None)
    # Without the device: a chat with a person's phone and with their laptop is one chat.
    part = str(chat.bare) if isinstance(chat, Jid) else f"#{event.event.partition('.')[0]}"
    return f"{event.instance}/{part}"


class ChatQueue(Generic[T]):
    """A queue of queues, which releases an item only if no other one with its key is in progress.

    It does no I/O and takes no lock; a caller that shares it between threads must hold one.

    Attributes:
        depth: Number of waiting items, without those in progress.
    """

    __slots__ = ("_busy", "_ready", "_waiting", "depth")

    def __init__(self) -> None:
        self._waiting: dict[str, deque[T]] = {}
        # Keys with an item that may be taken now: each at most once, and never a busy one.
        self._ready: deque[str] = deque()
        self._busy: set[str] = set()
        self.depth: int = 0

    @property
    def busy(self) -> int:
        """Number of items in progress."""
        return len(self._busy)

    @property
    def idle(self) -> bool:
        """True if nothing is waiting or in progress."""
        return not self.depth and not self._busy

    def put(self, key: str, item: T) -> None:
        """Add an item behind the others with its key.

        Args:
            key: Key of the item, from :func:`order_key`.
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
            Key and item, or None when nothing can be taken now. The caller must call :meth:`done`
            afterwards.
        """
        if not self._ready:
            return None
        key = self._ready.popleft()
        row = self._waiting[key]
        item = row.popleft()
        self.depth -= 1
        if not row:
            # Empty rows are removed, or those of all chats ever seen would pile up.
            del self._waiting[key]
        self._busy.add(key)
        return key, item

    def done(self, key: str) -> None:
        """Free a key for its next item.

        Args:
            key: The key that :meth:`take` returned.
        """
        self._busy.discard(key)
        if key in self._waiting:
            # At the end, so that a busy chat does not get two turns before another gets one.
            self._ready.append(key)

    def drop(self) -> list[T]:
        """Remove all items that wait; those in progress stay.

        Returns:
            The items.
        """
        dropped = [item for row in self._waiting.values() for item in row]
        self._waiting.clear()
        self._ready.clear()
        self.depth = 0
        return dropped
