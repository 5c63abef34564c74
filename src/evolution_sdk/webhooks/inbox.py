"""The inbox of accepted events: its protocol, and one in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from evolution_sdk._base.bounded_dict import BoundedDict
from evolution_sdk._base.forking import in_child
from evolution_sdk._common.arguments import checked
from evolution_sdk.events._recent_keys import RecentKeys

Added = Literal["new", "duplicate"]


@dataclass(slots=True)
class InboxEntry:
    """An accepted event, as an inbox keeps it.

    Attributes:
        key: Tells it apart from others; see ``event.delivery_key``.
        body: The JSON, as it came.
        source: Name of the transport.
        hint: The event's name in the path.
        received_at: Time of arrival, in seconds since 1970.
        id: Number that the inbox gives it.
        recovered: True if an earlier process had accepted it and did not finish it.
        finished: Handlers that finished it, with True for each that ended the turn.
        attempts: Number of times it was handed to the router.
        failed_at: Time of the last failure, in seconds since 1970; None unless it is a dead letter.
        error: Class of the last error.
        error_text: Text of that error; may quote people.
        chat: Key of its chat: events with the same one are handled in order.
        held: False if another receiver handles it, or this one after ``adopt`` has returned it.
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
    chat: str = field(default="", repr=False)
    held: bool = True


@dataclass(slots=True)
class InboxBatch:
    """Changes that are made together, or not at all.

    Attributes:
        added: Events to keep, as by ``add``.
        done: Events that were handled, as by ``done``.
        buried: Events that become dead letters, as by ``bury``.
    """

    added: Sequence[InboxEntry] = ()
    done: Sequence[InboxEntry] = ()
    buried: Sequence[InboxEntry] = ()


class Inbox(Protocol):
    """Keeps accepted events until they are handled, and remembers their keys.

    Every method is called with a lock held, and returns only when its effect is certain. After a
    fork the child opens the inbox again. Two methods are optional: ``rest()`` is called before a
    fork and closes the files that must not be inherited; ``write_batch(batch, now)`` makes the
    changes of an :class:`InboxBatch` in one transaction, so that many events share its cost, and
    returns the result of each addition. An inbox of several machines is a
    :class:`~evolution_sdk.webhooks.shared_inbox.SharedInbox`, too.

    Attributes:
        blocks: True if storing an event may take milliseconds, so that no event loop should wait.
    """

    blocks: bool

    def open(self) -> list[InboxEntry]:
        """Begin.

        Returns:
            The events that an earlier process left unfinished, in the order of acceptance.
        """
        ...

    def add(self, entry: InboxEntry, now: float) -> Added:
        """Keep an event, unless its key was seen before.

        Args:
            entry: The event; its ``id`` is set here.
            now: Seconds since 1970 by the machine's clock, which may have been put forward or back
                since the last event.

        Returns:
            ``new`` or ``duplicate``.
        """
        ...

    def done(self, entry: InboxEntry) -> None:
        """Delete an event that was handled; its key stays known.

        Args:
            entry: The event.
        """
        ...

    def bury(self, entry: InboxEntry) -> None:
        """Make an event that could not be handled a dead letter.

        Args:
            entry: The event.
        """
        ...

    def dead(self, limit: int) -> list[InboxEntry]:
        """Return the dead letters, the oldest first.

        Args:
            limit: Most of them.

        Returns:
            The events.
        """
        ...

    def revive(self, ids: Iterable[int] | None) -> list[InboxEntry]:
        """Move dead letters back to the events that wait.

        Args:
            ids: Their numbers; None for all.

        Returns:
            The events.
        """
        ...

    def discard(self, ids: Iterable[int] | None) -> int:
        """Delete dead letters.

        Args:
            ids: Their numbers; None for all.

        Returns:
            How many there were.
        """
        ...

    def count_dead(self) -> int:
        """Return the number of dead letters."""
        ...

    def close(self) -> None:
        """End; a durable inbox keeps the events that wait."""
        ...


@checked(but=("add", "bury", "done"))  # asked for every event
class MemoryInbox:
    """An inbox that ends with the process.

    Args:
        dedupe_ms: Time for which a key is remembered, in milliseconds. Default: a day.
        max_keys: Most keys remembered; the oldest go first.
        max_dead: Most dead letters kept; the oldest go first.
        clock: Seconds that only go forward, for the age of keys.
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
        """Begin empty; after a fork, the parent handles the events that it accepted."""
        self._known = RecentKeys(self._max_keys, keep_s=self._keep_s, clock=self._clock)
        self._waiting: dict[int, InboxEntry] = {}
        self._dead: BoundedDict[int, InboxEntry] = BoundedDict(self._max_dead)
        self._count = 0

    def open(self) -> list[InboxEntry]:
        """Begin; the events that a closed receiver left wait again."""
        # In a process that goes on, memory still holds them.
        return list(self._waiting.values())

    def add(self, entry: InboxEntry, now: float) -> Added:
        """Keep an event, unless its key was seen before."""
        # The keys' own clock counts and not ``now``: a wall clock that is put forward would make
        # every copy new.
        if self._known.seen(entry.key):
            return "duplicate"
        self._known.add(entry.key)
        self._count += 1
        entry.id = self._count
        self._waiting[entry.id] = entry
        return "new"

    def done(self, entry: InboxEntry) -> None:
        """Delete an event that was handled."""
        self._waiting.pop(entry.id, None)

    def bury(self, entry: InboxEntry) -> None:
        """Make an event a dead letter."""
        self._waiting.pop(entry.id, None)
        self._dead[entry.id] = entry

    def dead(self, limit: int) -> list[InboxEntry]:
        """Return the dead letters, the oldest first."""
        return list(self._dead.values())[:limit]

    def revive(self, ids: Iterable[int] | None) -> list[InboxEntry]:
        """Move dead letters back to the events that wait."""
        found = self._take(ids)
        self._waiting.update((one.id, one) for one in found)
        return found

    def discard(self, ids: Iterable[int] | None) -> int:
        """Delete dead letters."""
        return len(self._take(ids))

    def count_dead(self) -> int:
        """Return the number of dead letters."""
        return len(self._dead)

    def close(self) -> None:
        """End; memory needs no work."""

    def _take(self, ids: Iterable[int] | None) -> list[InboxEntry]:
        # An unknown number is left out: it may have been replayed or discarded meanwhile.
        wanted = list(self._dead) if ids is None else [one for one in ids if one in self._dead]
        return [self._dead.pop(one) for one in dict.fromkeys(wanted)]
