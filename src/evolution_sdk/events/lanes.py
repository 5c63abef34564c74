"""Order where it matters: one chat after another message by message, different chats at once."""

from __future__ import annotations

from collections import deque
from typing import Any, Generic, TypeVar

from evolution_sdk.identity import Jid

from ._base import Event

T = TypeVar("T")


def order_key(event: Event[Any]) -> str:
    """What must stay in order: events with the same key.

    Args:
        event: The event.

    Returns:
        Instance and chat; of events without a chat the instance and the part of the name before
        the dot, so that connection changes stay in order and do not wait for contacts.
    """
    chat = getattr(event, "chat", None)
    part = str(chat.bare) if isinstance(chat, Jid) else f"#{event.event.partition('.')[0]}"
    return f"{event.instance}/{part}"


class Lanes(Generic[T]):
    """A queue of queues: takes from a lane only when nothing of it is under way.

    Pure and not thread-safe; the shells around it lock, wait and wake.
    """

    __slots__ = ("_busy", "_ready", "_waiting", "depth")

    def __init__(self) -> None:
        self._waiting: dict[str, deque[T]] = {}
        self._ready: deque[str] = deque()
        self._busy: set[str] = set()
        self.depth: int = 0
        """How many wait, those under way not included."""

    @property
    def busy(self) -> int:
        """How many are under way."""
        return len(self._busy)

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is under way."""
        return not self.depth and not self._busy

    def put(self, key: str, item: T) -> None:
        """Add to the end of a lane.

        Args:
            key: The lane.
            item: What to do.
        """
        lane = self._waiting.get(key)
        if lane is None:
            lane = self._waiting[key] = deque()
            if key not in self._busy:
                self._ready.append(key)
        lane.append(item)
        self.depth += 1

    def take(self) -> tuple[str, T] | None:
        """Take the next one whose lane is free; lanes take turns.

        Returns:
            Lane and item, to be followed by :meth:`done`; None when nothing can be taken now.
        """
        if not self._ready:
            return None
        key = self._ready.popleft()
        lane = self._waiting[key]
        item = lane.popleft()
        self.depth -= 1
        if not lane:
            del self._waiting[key]
        self._busy.add(key)
        return key, item

    def done(self, key: str) -> None:
        """Free a lane.

        Args:
            key: As :meth:`take` gave it.
        """
        self._busy.discard(key)
        if key in self._waiting:
            self._ready.append(key)
