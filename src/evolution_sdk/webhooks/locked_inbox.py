"""The inbox behind a lock, and the ends of events that it could not be told of yet."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TypeVar

from evolution_sdk._base.forking import around_fork, free_in_child, in_child
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk.errors import ConfigurationError

from .inbox import Added, Inbox, InboxEntry

_log = logging.getLogger("evolution_sdk.webhooks")
_T = TypeVar("_T")

_MAX_WAIT_S = 30.0

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
                self._wait()
                raise
            del self._left[number]
        self._failures = 0

    def _wait(self) -> None:
        # 1, 2, 4 … 30 s: a full disk stays full for minutes, a lock is free after moments.
        self._due = self._clock() + min(2.0**self._failures, _MAX_WAIT_S)
        self._failures += 1


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

    def add(self, entry: InboxEntry, now: float) -> Added:
        """Keep an event.

        Args:
            entry: The event.
            now: Seconds since 1970.

        Raises:
            Exception: The event is not stored.
        """
        added = self._inbox.add(entry, now)
        if self._pending:  # the inbox works again, so that the rest can be told, too
            self._write()
        return added

    def end(self, entry: InboxEntry, *, dead: bool) -> None:
        """Tell the inbox that an event has ended, now or at the next try; never raises.

        Args:
            entry: The event.
            dead: True to make it a dead letter.
        """
        with self.lock:
            begun = bool(self._pending)
            self._pending.add(entry, dead=dead)
            # While the inbox fails, one event tries it at a time; else all would wait for it.
            if self.is_open and not begun:
                self._write()
            if dead:
                self._count()

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
            except (sqlite3.Error, OSError) as error:
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
            self._pending.write(self._inbox.done, self._inbox.bury)
        except Exception as error:  # noqa: BLE001 - an inbox of the user's may raise anything
            # Only the class of the error is logged: its text may quote a message.
            self._trouble.trouble(
                "",
                "the inbox cannot be told that %d events are over (%s); it is tried again",
                len(self._pending),
                type(error).__qualname__,
            )
        else:
            self._trouble.over("", "the inbox has been told of all events that are over")

    def _count(self) -> None:
        if self.is_open:
            with suppress(Exception):  # a number for people; the last one serves
                self.dead = self._inbox.count_dead()
