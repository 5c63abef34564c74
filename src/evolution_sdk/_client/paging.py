"""Going through stored messages without losing or repeating one. Pure.

The server pages by offset over a descending list that keeps growing, with times in whole seconds
and no order among equal ones (`facts/semantics.md` §8), so that its page numbers shift. The cursor
asks for "up to the oldest second seen" instead and leaves out what that second has shown already.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Generic, Protocol, TypeVar

_MOST_IDS = 4
"""A hidden id, and the forms of a phone number."""


class Dated(Protocol):
    """The part of a message that the cursor reads."""

    @property
    def row_id(self) -> str | None:
        """Its row in the store."""
        ...

    @property
    def id(self) -> str:
        """Its WhatsApp id."""
        ...

    @property
    def timestamp(self) -> datetime:
        """Its time, in whole seconds."""
        ...


D = TypeVar("D", bound=Dated)


class TimeCursor:
    """The position of an iteration over stored messages.

    Attributes:
        until: Upper end of the next question, inclusive.
        page_size: How many the next question asks for; more than wanted only while one single
            second holds more than a page.
        done: Whether everything has been seen.
    """

    def __init__(self, until: datetime, page_size: int) -> None:
        self.until = until
        self.page_size = page_size
        self.done = False
        self._wanted = page_size
        self._seen_in_second: set[str] = set()

    def accept(self, records: Sequence[D]) -> list[D]:
        """Take one answer and move on.

        Args:
            records: The first page of what was asked for, newest first.

        Returns:
            The messages of it that were not seen before.
        """
        fresh = [r for r in records if (r.row_id or r.id) not in self._seen_in_second]
        if len(records) < self.page_size:
            self.done = True
            return fresh
        oldest = records[-1].timestamp
        if oldest < self.until.replace(microsecond=0):
            self.until, self.page_size = oldest, self._wanted
            self._seen_in_second = {r.row_id or r.id for r in records if r.timestamp <= oldest}
        else:
            # A whole page within one second: a second page could shift, a larger one cannot.
            self.page_size *= 2
            self._seen_in_second.update(r.row_id or r.id for r in records)
        return fresh


class ChatCursor(Generic[D]):
    """The position in one chat of an iteration over several, and what was read ahead there.

    Attributes:
        chat: The JID that is asked for; None for every chat.
        position: What the next question asks for.
    """

    def __init__(self, chat: str | None, until: datetime, page_size: int) -> None:
        self.chat = chat
        self.position = TimeCursor(until, page_size)
        self.ahead: deque[D] = deque()

    def accept(self, records: Sequence[D]) -> None:
        """Take the answer to the question."""
        self.ahead.extend(self.position.accept(records))


class MergedCursor(Generic[D]):
    """An iteration over one person's messages, under all ids that the store keeps them by.

    The rows of a person may stand under the phone and under the hidden id
    (`facts/versions/baileys.md` "Stored rows against events").

    Args:
        chats: The JIDs; None alone for every chat.
        until: Upper end, inclusive.
        page_size: Messages of a page.
    """

    def __init__(self, chats: Iterable[str | None], until: datetime, page_size: int) -> None:
        self._until, self._page_size = until, page_size
        self._cursors: list[ChatCursor[D]] = []
        self._second: datetime | None = None
        self._given: set[str] = set()
        self.also(chats)

    def also(self, chats: Iterable[str | None]) -> None:
        """Ask under further ids, as long as no message was given; later it would break the order.

        Args:
            chats: The JIDs; known ones change nothing.
        """
        if self._second is not None:
            return
        for chat in chats:
            if len(self._cursors) < _MOST_IDS and all(chat != one.chat for one in self._cursors):
                self._cursors.append(ChatCursor(chat, self._until, self._page_size))

    def wanting(self) -> ChatCursor[D] | None:
        """Return the chat to ask next; None when everything has been read."""
        open_ones = (one for one in self._cursors if not one.ahead and not one.position.done)
        return next(open_ones, None)

    def ready(self) -> Iterator[D]:
        """Yield the messages whose turn it surely is, newest first, each row once."""
        while self.wanting() is None:
            held = [one for one in self._cursors if one.ahead]
            if not held:
                return
            message = max(held, key=lambda one: one.ahead[0].timestamp).ahead.popleft()
            if message.timestamp != self._second:
                self._second, self._given = message.timestamp, set()
            # A row that names both ids is found under each.
            row = message.row_id or message.id
            if row not in self._given:
                self._given.add(row)
                yield message
