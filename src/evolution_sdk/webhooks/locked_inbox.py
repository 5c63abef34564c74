"""The inbox behind a lock, and the ends of events that it could not be told of yet."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from itertools import islice
from typing import TypeAlias, TypeVar, cast

from evolution_sdk._base.forking import around_fork, free_in_child, in_child
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk._sql.troubles import DatabaseError
from evolution_sdk.errors import ConfigurationError

from .inbox import Added, Inbox, InboxBatch, InboxEntry
from .shared_inbox import Adoption, SharedInbox

_log = logging.getLogger("evolution_sdk.webhooks")
_T = TypeVar("_T")

MOST_IN_BATCH = 128
"""Most changes of one transaction, so that its time is bounded, for other processes, too."""

WriteBatch: TypeAlias = Callable[[InboxBatch, float], Sequence[Added]]

_MAX_WAIT_S = 30.0

_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)

# A fork waits this long for the work of the moment; a disk that hangs must not hold it up for ever.
_FORK_WAIT_S = 5.0


class PendingUpdates:
    """Ends of events that the inbox could not be told of, and the time of the next try. Pure.

    Args:
        clock: Seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left: dict[int, tuple[InboxEntry, bool]] = {}
        self._failures = 0
        self._due = 0.0

    def __len__(self) -> int:
        return len(self._left)

    def __contains__(self, number: int) -> bool:
        return number in self._left

    @property
    def numbers(self) -> Collection[int]:
        """Numbers of the events."""
        return self._left.keys()

    @property
    def due_in_s(self) -> float | None:
        """Seconds until the next try; None when nothing is left."""
        return max(0.0, self._due - self._clock()) if self._left else None

    def add(self, entry: InboxEntry, *, dead: bool) -> None:
        """Keep the end of an event for the next try.

        Args:
            entry: The event.
            dead: True for a dead letter, False for an event that was handled.
        """
        self._left[entry.id] = (entry, dead)

    @property
    def is_failing(self) -> bool:
        """True if some are left since a try has failed."""
        return bool(self._left) and self._failures > 0

    def next_batch(self, most: int) -> InboxBatch:
        """Return the oldest of them; :meth:`written` or :meth:`failed` is to be called afterwards.

        Args:
            most: Most of them.
        """
        some = list(islice(self._left.values(), most))
        return InboxBatch(
            done=[one for one, dead in some if not dead], buried=[one for one, dead in some if dead]
        )

    def written(self, batch: InboxBatch) -> None:
        """Note that the inbox knows of these.

        Args:
            batch: What :meth:`next_batch` returned.
        """
        for entry in (*batch.done, *batch.buried):
            self._left.pop(entry.id, None)
        self._failures = 0

    def failed(self) -> None:
        """Note that a try has failed; the next one comes later each time."""
        # 1, 2, 4 … 30 s: a full disk stays full for minutes, a lock is free after moments.
        self._due = self._clock() + min(2.0**self._failures, _MAX_WAIT_S)
        self._failures += 1

    def write(self, done: Callable[[InboxEntry], None], bury: Callable[[InboxEntry], None]) -> None:
        """Tell the inbox of all of them; the first failure ends the round.

        Args:
            done: Tells the inbox of an event that was handled.
            bury: Tells the inbox of a dead letter.

        Raises:
            Exception: Any error of the inbox.
        """
        # The next one would fail, too, and wait for the same lock: so one failure is enough.
        for number, (entry, dead) in list(self._left.items()):
            try:
                (bury if dead else done)(entry)
            except Exception:
                self.failed()
                raise
            del self._left[number]
        self._failures = 0


class LockedInbox:
    """The inbox, used by one thread at a time.

    Its lock is taken before the queue's, never the other way round. An event loop takes the queue's
    lock alone, and so waits neither for a disk nor for a lock of another process.

    Args:
        inbox: Keeps the events.
        clock: Seconds that only go forward.

    Attributes:
        lock: Held while the inbox works.
        is_open: True while the inbox is open.
        dead: Number of dead letters at the last count.
    """

    def __init__(self, inbox: Inbox, clock: Callable[[], float] = time.monotonic) -> None:
        self.lock: threading.RLock = free_in_child(threading.RLock())
        self._inbox = inbox
        self._batch: WriteBatch | None = getattr(inbox, "write_batch", None)
        self._shared: SharedInbox | None = None
        if isinstance(getattr(inbox, "adopt_every_ms", None), int | float):
            self._shared = cast("SharedInbox", inbox)
        self._clock = clock
        self._trouble = QuietLog(_log, clock)
        self._begin_closed()
        around_fork(self._pause, self._go_on)
        in_child(self._begin_closed)

    def _begin_closed(self) -> None:
        """Begin closed; after a fork, the parent handles the events that it accepted."""
        self.is_open: bool = False
        self.dead: int = 0
        self._pending = PendingUpdates(self._clock)
        self._buried = False

    def _pause(self) -> bool:
        """Bring the inbox to rest, so that no process inherits its file in the middle of work."""
        if not self.lock.acquire(timeout=_FORK_WAIT_S):
            return False
        rest: Callable[[], None] | None = getattr(self._inbox, "rest", None)
        if rest is not None:
            rest()
        return True

    def _go_on(self) -> None:
        self.lock.release()

    @property
    def blocks(self) -> bool:
        """True if keeping an event may take milliseconds."""
        return self._inbox.blocks

    @property
    def adopt_every_s(self) -> float | None:
        """Seconds between two calls of :meth:`adopt`; None for an inbox of one machine."""
        return None if self._shared is None else self._shared.adopt_every_ms / 1_000

    def holds(self) -> bool:
        """Tell if the events that were handed out may be begun; nothing is waited for."""
        return self._shared is None or self._shared.holds()

    def adopt(self, held: Collection[int], room: int, room_bytes: int) -> Adoption:
        """Fetch events that others accepted for this receiver, or left; the lock is held.

        Args:
            held: Numbers of the events that the caller knows of.
            room: Most events.
            room_bytes: Most bytes of their bodies.

        Returns:
            The events; nothing for an inbox of one machine.
        """
        if self._shared is None or not self.is_open:
            return Adoption()
        return self._shared.adopt({*held, *self._pending.numbers}, room, room_bytes)

    @property
    def unmarked(self) -> int:
        """Number of events that have ended without the inbox knowing it."""
        return len(self._pending)

    @property
    def retry_in_s(self) -> float | None:
        """Seconds until the next try to tell it; None while it is up to date."""
        return self._pending.due_in_s if self.is_open else None

    def open(self) -> list[InboxEntry]:
        """Open the inbox.

        Returns:
            The events that were left unfinished. Those that this process finished without being
            able to say so are not among them.

        Raises:
            ConfigurationError: The inbox cannot be used.
        """
        # Events that this process finished, while the inbox failed, are not handled again.
        left = [entry for entry in self._inbox.open() if entry.id not in self._pending]
        self.is_open = True
        self._write()
        self._count()
        return left

    def close(self) -> None:
        """Tell the inbox of all ends that it does not know, and close it."""
        self._write()
        if self._pending:
            _log.error(
                "the inbox was closed without being told that %d events are over: those that it "
                "has not noted beside its file are handled again after a restart",
                len(self._pending),
            )
        self.is_open = False
        self._inbox.close()

    @property
    def most_in_group(self) -> int:
        """Most changes that are worth gathering: one, if the inbox makes them one by one."""
        return 1 if self._batch is None else MOST_IN_BATCH

    def write(self, entries: Sequence[InboxEntry], now: float) -> list[Added | Exception]:
        """Keep events, and tell the inbox of ends, all of them in one transaction if it can.

        The lock is held by the caller.

        Args:
            entries: The events.
            now: Seconds since 1970.

        Returns:
            For each event the result, or the error for which it is not stored.
        """
        ends = InboxBatch()
        # While the inbox fails, ends wait for their next try or for an event that it takes.
        if self._batch is not None and self.is_open and not self._pending.is_failing:
            ends = self._pending.next_batch(MOST_IN_BATCH)
        ended = bool(ends.done or ends.buried)
        found: list[Added | Exception] | None = None
        if self._batch is not None and (ended or len(entries) > 1):
            found = self._written_together(self._batch, entries, ends, now)
        if found is None:
            found = [self._add(entry, now) for entry in entries]
            if self._pending and self.is_open:
                works = any(not isinstance(one, Exception) for one in found)
                # The inbox works again, so that the rest can be told, too.
                if works or not self._pending.is_failing:
                    self._write()
        if self._buried:
            self._count()
        return found

    def add(self, entry: InboxEntry, now: float) -> Added | Exception:
        """Keep one event, as :meth:`write` does; the lock is held by the caller.

        Args:
            entry: The event.
            now: Seconds since 1970.

        Returns:
            The result, or the error for which it is not stored.
        """
        # Nearly always nothing else is to be told.
        return self.write((entry,), now)[0] if self._pending else self._add(entry, now)

    def end(self, entry: InboxEntry, *, dead: bool) -> None:
        """Tell the inbox that an event has ended, or keep it for the next try; lock as above.

        Args:
            entry: The event.
            dead: True to make it a dead letter.
        """
        if self._pending or dead or self._batch is not None or not self.is_open:
            self.note_end(entry, dead=dead)
            self.write((), 0.0)
            return
        try:
            self._inbox.done(entry)
        except Exception as error:  # noqa: BLE001 - an inbox of the user's may raise anything
            self._pending.add(entry, dead=False)
            self._pending.failed()
            self._tell(error)
        else:
            self._tell(None)

    def _written_together(
        self, batch: WriteBatch, entries: Sequence[InboxEntry], ends: InboxBatch, now: float
    ) -> list[Added | Exception] | None:
        """Make all changes in one transaction; None if each is to be tried by itself."""
        try:
            found = batch(InboxBatch(entries, ends.done, ends.buried), now)
        except Exception as error:  # noqa: BLE001 - an inbox of the user's may raise anything
            # One that cannot be stored must not keep the others from it. A lock, or a database that
            # cannot be reached, keeps all of them, and each would wait for it.
            if not _keeps_all(error):
                return None
            if ends.done or ends.buried:
                self._pending.failed()
                self._tell(error)
            return [error for _ in entries]
        if ends.done or ends.buried:
            self._pending.written(ends)
            self._tell(None)
        return list(found)

    def _add(self, entry: InboxEntry, now: float) -> Added | Exception:
        try:
            return self._inbox.add(entry, now)
        except Exception as error:  # noqa: BLE001 - as above
            return error

    def note_end(self, entry: InboxEntry, *, dead: bool) -> None:
        """Note that an event has ended; the inbox is told with the next :meth:`write`.

        Args:
            entry: The event.
            dead: True to make it a dead letter.
        """
        self._pending.add(entry, dead=dead)
        self._buried = self._buried or dead

    def retry(self) -> None:
        """Tell the inbox of all ends that it does not know, if a try is due."""
        with self.lock:
            if self.is_open and self._pending.due_in_s == 0:
                self._write()
                self._count()

    def ask(self, what: Callable[[Inbox], _T]) -> _T:
        """Use the inbox for something else.

        Args:
            what: Uses it.

        Returns:
            The result.

        Raises:
            ConfigurationError: The file cannot be used now.
        """
        with self.lock:
            try:
                found = what(self._inbox)
            except (sqlite3.Error, OSError, DatabaseError) as error:
                raise ConfigurationError(
                    f"The inbox cannot be used now ({type(error).__name__}: {error}); try again.",
                    variable="inbox",
                ) from error
            self._count()
            return found

    def count_dead(self, *, may_wait: bool) -> int:
        """Count the dead letters.

        Args:
            may_wait: True if the caller may wait for the file; else the last count is returned.

        Returns:
            The number.
        """
        # An event loop that asks for numbers must not wait behind a write.
        if self.lock.acquire(blocking=may_wait):
            try:
                if may_wait or not self.blocks:
                    self._count()
            finally:
                self.lock.release()
        return self.dead if self.is_open else 0

    def revive(self, ids: Iterable[int] | None) -> list[InboxEntry]:
        """Move dead letters back to the events that wait.

        Args:
            ids: Their numbers; None for all.

        Returns:
            The events.

        Raises:
            ConfigurationError: The file cannot be used now.
        """
        return self.ask(lambda inbox: inbox.revive(ids))

    def _write(self) -> None:
        if not self._pending:
            return
        try:
            while self._batch is not None and self._pending:
                ends = self._pending.next_batch(MOST_IN_BATCH)
                self._batch(ends, 0.0)
                self._pending.written(ends)
            self._pending.write(self._inbox.done, self._inbox.bury)
        except Exception as error:  # noqa: BLE001 - an inbox of the user's may raise anything
            if self._batch is not None:
                self._pending.failed()
            self._tell(error)
        else:
            self._tell(None)

    def _tell(self, error: Exception | None) -> None:
        if error is None:
            self._trouble.over("", "the inbox has been told of all events that are over")
            return
        # Only the class of the error is logged: its text may quote a message.
        self._trouble.trouble(
            "",
            "the inbox cannot be told that %d events are over (%s); it is tried again",
            len(self._pending),
            type(error).__qualname__,
        )

    def _count(self) -> None:
        self._buried = False
        if self.is_open:
            with suppress(Exception):  # a number for people; the last one serves
                self.dead = self._inbox.count_dead()


def _keeps_all(error: Exception) -> bool:
    if isinstance(error, sqlite3.OperationalError):
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in _LOCKED
    return getattr(error, "passing", False) is True
