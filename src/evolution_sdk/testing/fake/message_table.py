"""Rows of stored messages with their indexes: drills store a hundred thousand, and look each up."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, overload

from .js import JsonObject


@dataclass(slots=True)
class MessageRow:
    """One stored message.

    Attributes:
        visible_at_ms: Time from which on it is stored; ahead while its ``delay`` is running.
        refused_code: Code with which WhatsApp refused it, which no version passes on.
        content_lost: Whether its author has deleted it, so that the column of its content is null.
        place: Its place among the rows, in the order in which they were stored.
        table: The table that it is in.
    """

    id: str
    key: JsonObject
    push_name: str | None
    message_type: str
    message: JsonObject
    timestamp: int
    source: str
    context_info: JsonObject | None = None
    status: str | None = None
    webhook_url: str | None = None
    participant: str | None = None
    visible_at_ms: float = 0.0
    refused_code: int | None = None
    updates: list[JsonObject] = field(default_factory=list[JsonObject])
    content_lost: bool = False
    place: int = field(default=0, repr=False, compare=False)
    table: MessageTable | None = field(default=None, repr=False, compare=False)

    def __setattr__(self, name: str, value: Any) -> None:
        """Change a column; the table's indexes follow, also when a test changes it."""
        table = getattr(self, "table", None) if name in _INDEXED else None
        if table is not None and name == "timestamp":
            table.retime(self, value)
        object.__setattr__(self, name, value)
        if table is not None and name == "visible_at_ms":
            table.hold(self)

    @property
    def content(self) -> JsonObject | None:
        """Its content, as the column has it."""
        return None if self.content_lost else self.message


_INDEXED = frozenset({"timestamp", "visible_at_ms"})

# Newest last; of the same second, the first one that was stored: backwards it is the order in
# which the server lists them. No two have the same place, so that rows are never compared.
Entry: TypeAlias = tuple[int, int, MessageRow]


def _time_of(entry: Entry) -> int:
    return entry[0]


def _entry(row: MessageRow) -> Entry:
    return row.timestamp, -row.place, row


def _take_out(times: list[Entry], row: MessageRow) -> None:
    del times[bisect_left(times, _entry(row))]


class NewestFirst(Sequence[Entry]):
    """A stretch of entries, seen from its end; nothing is copied but what is asked for."""

    def __init__(self, times: list[Entry], start: int, end: int) -> None:
        self._times = times
        self._places = range(end - 1, start - 1, -1)

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, at: int) -> Entry: ...
    @overload
    def __getitem__(self, at: slice) -> list[Entry]: ...
    def __getitem__(self, at: int | slice) -> Entry | list[Entry]:
        if isinstance(at, slice):
            return [self._times[place] for place in self._places[at]]
        return self._times[self._places[at]]


class MessageTable:
    """The stored messages of one instance.

    Attributes:
        rows: The messages in the order in which they were stored.
    """

    def __init__(self) -> None:
        self.rows: list[MessageRow] = []
        self._next = 1
        # Id and chat as they were when it was stored: a test may change the key of a row.
        self._filed: dict[int, tuple[object, str]] = {}
        self._by_key: dict[object, list[MessageRow]] = {}
        self._by_id: dict[object, MessageRow] = {}
        self._by_chat: dict[str, list[MessageRow]] = {}
        self._times: list[Entry] = []
        self._chat_times: dict[str, list[Entry]] = {}
        # What may not be visible yet, and what may not have had all of its statuses.
        self._held: dict[int, MessageRow] = {}
        self._moving: dict[int, MessageRow] = {}

    def add(self, row: MessageRow) -> None:
        """Store a message."""
        row.place, self._next = self._next, self._next + 1
        name, chat = self._filed[row.place] = (row.key["id"], row.key["remoteJid"])
        self.rows.append(row)
        # The server keeps doubles apart; a look-up by id finds the first.
        self._by_key.setdefault(name, []).append(row)
        self._by_id.setdefault(row.id, row)
        self._by_chat.setdefault(chat, []).append(row)
        insort(self._times, _entry(row))
        insort(self._chat_times.setdefault(chat, []), _entry(row))
        self._moving[row.place] = row
        row.table = self
        self.hold(row)

    def remove(self, row: MessageRow) -> None:
        """Delete a message."""
        place = row.place
        name, chat = self._filed.pop(place)
        for rows in (self.rows, self._by_key[name], self._by_chat[chat]):
            del rows[bisect_left(rows, place, key=lambda one: one.place)]
        for times in (self._times, self._chat_times[chat]):
            _take_out(times, row)
        if not self._by_chat[chat]:
            del self._by_chat[chat], self._chat_times[chat]
        if not self._by_key[name]:
            del self._by_key[name]
        if self._by_id.get(row.id) is row:
            del self._by_id[row.id]
        self._held.pop(place, None)
        self._moving.pop(place, None)
        row.table = None

    def retime(self, row: MessageRow, timestamp: int) -> None:
        """Move a message to where its new time belongs."""
        for times in (self._times, self._chat_times[self._filed[row.place][1]]):
            _take_out(times, row)
            insort(times, (timestamp, -row.place, row))

    def hold(self, row: MessageRow) -> None:
        """Note that a message may not be visible yet."""
        if row.visible_at_ms:
            self._held[row.place] = row

    def by_key(self, key_id: object) -> list[MessageRow]:
        """List the messages with a WhatsApp id."""
        return self._by_key.get(key_id, []) if isinstance(key_id, (str, int, float)) else []

    def by_id(self, row_id: object) -> MessageRow | None:
        """Find a message by the id of its row."""
        return self._by_id.get(row_id) if isinstance(row_id, str) else None

    def of_chat(self, chat: str) -> list[MessageRow]:
        """List the messages of a chat in the order in which they were stored."""
        return self._by_chat.get(chat, [])

    def chats(self) -> dict[str, list[Entry]]:
        """The messages of each chat, newest last."""
        return self._chat_times

    def all_visible(self, now_ms: float) -> bool:
        """Tell if all messages have been written by now."""
        for place, row in tuple(self._held.items()):
            if row.visible_at_ms <= now_ms:
                del self._held[place]
        return not self._held

    def newest_first(
        self, now_ms: float, chat: str | None, window: tuple[int, int] | None
    ) -> Sequence[Entry]:
        """List what has been written by now, of one chat or of all, between two times."""
        times = self._times if chat is None else self._chat_times.get(chat, [])
        start, end = 0, len(times)
        if window is not None:
            low, high = window
            # Both ends belong to it.
            start = bisect_left(times, low, key=_time_of)
            end = max(start, bisect_right(times, high, lo=start, key=_time_of))
        found = NewestFirst(times, start, end)
        if self.all_visible(now_ms):
            return found
        return [entry for entry in found if entry[2].visible_at_ms <= now_ms]

    def last(self, now_ms: float, chat: str, window: tuple[int, int] | None) -> MessageRow | None:
        """Find the last message of a chat; the later of two in the same second wins."""
        low, high = window or (float("-inf"), float("inf"))
        found: MessageRow | None = None
        for timestamp, _, row in reversed(self._chat_times.get(chat, [])):
            if timestamp < low or (found is not None and timestamp < found.timestamp):
                break
            if timestamp <= high and row.visible_at_ms <= now_ms:
                found = row
        return found

    def moving(self, finished: Callable[[MessageRow], bool]) -> Iterator[MessageRow]:
        """Visit the messages that may get a further status; those that will not are forgotten."""
        for place, row in tuple(self._moving.items()):
            if finished(row):
                self._moving.pop(place, None)
            else:
                yield row
