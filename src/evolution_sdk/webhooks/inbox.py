"""Where accepted events wait: what an inbox must do, and one in memory."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from evolution_sdk._base.forking import in_child
from evolution_sdk._common.arguments import checked

Added = Literal["new", "duplicate"]


@dataclass(slots=True)
class Entry:
    """An accepted event.

    Attributes:
        key: What tells it apart from others; see ``event.delivery_key``.
        body: The JSON, as it came.
        source: How it arrived.
        hint: The event's name in the path.
        received_at: Seconds since 1970.
        id: Given by the inbox.
        recovered: Whether an earlier process had accepted it and did not finish it.
        finished: Handlers that are done with it, and whether each ended its turn.
        attempts: How often it was handed to the router.
        failed_at: When it was given up, in seconds since 1970.
        error: The class of the error that it was given up for.
        error_text: What that error said; may hold what people wrote.
    """

    key: str
    body: bytes = field(repr=False)
    source: str = "webhook"
    hint: str | None = field(default=None, repr=False)
    received_at: float = 0.0
    id: int = 0
    recovered: bool = False
    finished: dict[str, bool] = field(default_factory=dict[str, bool])
    attempts: int = 0
    failed_at: float | None = None
    error: str = ""
    error_text: str = field(default="", repr=False)


class Inbox(Protocol):
    """Keeps accepted events until they are handled, and remembers their keys.

    Every method is called with a lock held, and does not return before what it says is true.
    After a fork the child opens it again. An inbox with files may have ``rest()``, which is called
    before a fork and closes what must not be inherited.

    Attributes:
        blocks: Whether keeping an event may take milliseconds, so that no event loop should wait.
    """

    blocks: bool

    def open(self) -> list[Entry]:
        """Begin.

        Returns:
            What an earlier process left unfinished, in the order of acceptance.
        """
        ...

    def add(self, entry: Entry, now: float) -> Added:
        """Keep an event, unless its key was seen before.

        Args:
            entry: The event; ``id`` is set.
            now: Seconds since 1970, as the machine believes; it may have been put forward or back
                since the last event.

        Returns:
            ``new`` or ``duplicate``.
        """
        ...

    def done(self, entry: Entry) -> None:
        """Forget an event that was handled; its key stays known.

        Args:
            entry: The event.
        """
        ...

    def bury(self, entry: Entry) -> None:
        """Put an event that could not be handled among the dead letters.

        Args:
            entry: The event.
        """
        ...

    def dead(self, limit: int) -> list[Entry]:
        """The dead letters, the oldest first.

        Args:
            limit: At most so many.

        Returns:
            The events.
        """
        ...

    def revive(self, ids: Iterable[int] | None) -> list[Entry]:
        """Take events from the dead letters back among those that wait.

        Args:
            ids: Which; None for all.

        Returns:
            The events.
        """
        ...

    def discard(self, ids: Iterable[int] | None) -> int:
        """Forget dead letters.

        Args:
            ids: Which; None for all.

        Returns:
            How many there were.
        """
        ...

    def count_dead(self) -> int:
        """How many dead letters there are."""
        ...

    def close(self) -> None:
        """End; what waits is kept where the inbox is durable."""
        ...


@checked()
class MemoryInbox:
    """An inbox that ends with the process.

    Args:
        dedupe_ms: How long a key is remembered, in milliseconds.
        max_keys: Most keys remembered; the oldest go first.
        max_dead: Most dead letters kept; the oldest go first.
        clock: Seconds that only go forward, by which keys grow old.
    """

    def __init__(
        self,
        *,
        dedupe_ms: float = 86_400_000,
        max_keys: int = 100_000,
        max_dead: int = 1_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.blocks: bool = False
        self._keep_s = dedupe_ms / 1_000
        self._max_keys = max_keys
        self._max_dead = max_dead
        self._clock = clock
        self._begin()
        in_child(self._begin)

    def _begin(self) -> None:
        """Empty; what a parent accepted is handled by the parent."""
        self._seen: OrderedDict[str, float] = OrderedDict()
        self._waiting: dict[int, Entry] = {}
        self._dead: dict[int, Entry] = {}
        self._count = 0

    def open(self) -> list[Entry]:
        """Begin; what was left by a receiver that was closed waits again."""
        return list(self._waiting.values())

    def add(self, entry: Entry, now: float) -> Added:
        """Keep an event, unless its key was seen before."""
        # Not by ``now``: a wall clock that is put forward would make every copy new.
        seen, at = self._seen, self._clock()
        while seen and (
            len(seen) > self._max_keys or next(iter(seen.values())) <= at - self._keep_s
        ):
            seen.popitem(last=False)
        if entry.key in seen:
            return "duplicate"
        seen[entry.key] = at
        self._count += 1
        entry.id = self._count
        self._waiting[entry.id] = entry
        return "new"

    def done(self, entry: Entry) -> None:
        """Forget an event that was handled."""
        self._waiting.pop(entry.id, None)

    def bury(self, entry: Entry) -> None:
        """Put an event among the dead letters."""
        self._waiting.pop(entry.id, None)
        self._dead[entry.id] = entry
        while len(self._dead) > self._max_dead:
            del self._dead[next(iter(self._dead))]

    def dead(self, limit: int) -> list[Entry]:
        """The dead letters, the oldest first."""
        return list(self._dead.values())[:limit]

    def revive(self, ids: Iterable[int] | None) -> list[Entry]:
        """Take events from the dead letters back among those that wait."""
        found = self._take(ids)
        self._waiting.update((one.id, one) for one in found)
        return found

    def discard(self, ids: Iterable[int] | None) -> int:
        """Forget dead letters."""
        return len(self._take(ids))

    def count_dead(self) -> int:
        """How many dead letters there are."""
        return len(self._dead)

    def close(self) -> None:
        """End; nothing is to be done."""

    def _take(self, ids: Iterable[int] | None) -> list[Entry]:
        wanted = list(self._dead) if ids is None else [one for one in ids if one in self._dead]
        return [self._dead.pop(one) for one in dict.fromkeys(wanted)]
