"""Topics of events: who waits for one message is not offered the events of all others. Pure.

A topic is a name of an event, with the id of the message or a name of the chat that it must be
about; None for any. Whoever listens to a topic still looks at the event itself: two events of one
topic need not mean the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, TypeAlias

from evolution_sdk.identity.chat_forms import LID
from evolution_sdk.identity.chat_names import Lids, Whom

__all__ = [
    "MESSAGE",
    "STATUS",
    "RememberedStatuses",
    "Topic",
    "chat_topics",
    "told_id",
    "topics_of",
]

Topic: TypeAlias = tuple[str, str | None]

STATUS = "messages.update"
MESSAGE = "messages.upsert"


def chat_topics(event: str, chat: Whom) -> frozenset[Topic]:
    """Return the topics of events of one chat.

    Args:
        event: The name of the events.
        chat: The chat.
    """
    names = chat.names
    # Whose hidden id it is may be told later, by a pair that names a phone: then any chat counts.
    if all(name.endswith(LID) for name in names):
        return frozenset({(event, None)})
    return frozenset((event, name) for name in names)


def topics_of(event: Any, lids: Lids | None) -> frozenset[Topic]:
    """Return the topics of an event.

    Args:
        event: The typed event.
        lids: Pairs of hidden id and phone.
    """
    name = event.event
    found: set[Topic] = {(name, None)}
    if name == STATUS:
        found.add((name, told_id(event)))
    elif name == MESSAGE:
        message = event.message
        names = Whom((message.remote_jid, message.chat, message.chat_alt), lids).names
        found.update((name, each) for each in names)
    return frozenset(found)


def told_id(event: Any) -> str | None:
    """Return the id of the message of which an event tells a status."""
    told: str | None = event.data.key_id or event.data.id  # v1 says "id"
    return told


class RememberedStatuses:
    """The latest statuses, found by the id of their message; the owner holds a lock.

    They are looked into when somebody asks: most clients only send.

    Args:
        most: Number of statuses to keep.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._fresh: deque[Any] = deque()
        self._known: deque[tuple[str | None, Any]] = deque()
        self._by_id: dict[str | None, deque[Any]] = {}

    def __iter__(self) -> Iterator[Any]:
        yield from (event for _, event in self._known)
        yield from self._fresh

    def __len__(self) -> int:
        return len(self._known) + len(self._fresh)

    def add(self, event: Any) -> None:
        """Remember a status, and forget the oldest for want of room."""
        self._fresh.append(event)
        if len(self) <= self._most:
            return
        if not self._known:
            self._fresh.popleft()
            return
        name, _ = self._known.popleft()
        same = self._by_id[name]
        same.popleft()
        if not same:
            del self._by_id[name]

    def of(self, message_id: str | None) -> tuple[Any, ...]:
        """Return the statuses of one message, oldest first."""
        while self._fresh:
            event = self._fresh.popleft()
            name = told_id(event)
            self._known.append((name, event))
            self._by_id.setdefault(name, deque()).append(event)
        return tuple(self._by_id.get(message_id, ()))
