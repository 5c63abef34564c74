"""The inbox behind a lock of its own, and what it could not be told yet."""

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

from .inbox import Added, Entry, Inbox

_log = logging.getLogger("evolution_sdk.webhooks")
_T = TypeVar("_T")

_MOST_WAIT_S = 30.0
_STILL_S = 5.0


class Marks:
    """Events that are over while the inbox could not be told, and when to try again. Pure.

    Args:
        clock: Seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left: dict[int, tuple[Entry, bool]] = {}
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

    def add(self, entry: Entry, *, dead: bool) -> None:
        """Keep one for later.

        Args:
            entry: The event.
            dead: Whether it is a dead letter, and not done.
        """
        self._left[entry.id] = (entry, dead)

    def write(self, done: Callable[[Entry], None], bury: Callable[[Entry], None]) -> None:
        """Tell the inbox of all; the first failure ends the round.

        Args:
            done: Tells of one that was handled.
            bury: Tells of a dead letter.

        Raises:
            Exception: Whatever the inbox raised.
        """
        for number, (entry, dead) in list(self._left.items()):
            try:
                (bury if dead else done)(entry)
            except Exception:
                self._wait()
                raise
            del self._left[number]
        self._failures = 0

    def _wait(self) -> None:
        self._due = self._clock() + min(2.0**self._failures, _MOST_WAIT_S)
        self._failures += 1


class Keeper:
    """The inbox, used by one thread at a time, while nothing else waits for its file.

    Its lock is taken before the desk's, never the other way round: so no event loop, which takes
    the desk's, waits for a disk or for a lock of another process.

    Args:
        inbox: Where the events are.
        clock: Seconds that only go forward.

    Attributes:
        lock: Held while the inbox works.
        is_open: Whether it is.
        dead: Dead letters when they were counted last.
    """

    def __init__(self, inbox: Inbox, clock: Callable[[], float] = time.monotonic) -> None:
        self.lock: threading.RLock = free_in_child(threading.RLock())
        self._inbox = inbox
        self._clock = clock
        self._trouble = QuietLog(_log, clock)
        self._begin()
        around_fork(self._still, self._go_on)
        in_child(self._begin)

    def _begin(self) -> None:
        """Closed, with nothing to tell: what a parent accepted is handled by the parent."""
        self.is_open: bool = False
        self.dead: int = 0
        self._marks = Marks(self._clock)

    def _still(self) -> bool:
        """No process inherits a file of the inbox in the middle of its work."""
        if not self.lock.acquire(timeout=_STILL_S):
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
        """Events that are over while the inbox does not know it."""
        return len(self._marks)

    @property
    def retry_in_s(self) -> float | None:
        """Seconds until it is to be told again; None when it knows everything."""
        return self._marks.due_in_s if self.is_open else None

    def open(self) -> list[Entry]:
        """Open the inbox.

        Returns:
            What was left unfinished; without what this process finished and could not say.

        Raises:
            ConfigurationError: The inbox cannot be used.
        """
        left = [entry for entry in self._inbox.open() if entry.id not in self._marks]
        self.is_open = True
        self._write()
        self._count()
        return left

    def close(self) -> None:
        """Tell the inbox what it does not know, and close it."""
        self._write()
        if self._marks:
            _log.error(
                "the inbox was closed without being told that %d events are over: those that it "
                "has not noted beside its file are handled again after a restart",
                len(self._marks),
            )
        self.is_open = False
        self._inbox.close()

    def add(self, entry: Entry, now: float) -> Added:
        """Keep an event.

        Args:
            entry: The event.
            now: Seconds since 1970.

        Raises:
            Exception: It is not stored.
        """
        added = self._inbox.add(entry, now)
        if self._marks:  # it works again
            self._write()
        return added

    def end(self, entry: Entry, *, dead: bool) -> None:
        """Tell the inbox that an event is over, now or later; never raises.

        Args:
            entry: The event.
            dead: Whether it becomes a dead letter.
        """
        with self.lock:
            begun = bool(self._marks)
            self._marks.add(entry, dead=dead)
            # While the inbox fails, every event would wait for it in turn.
            if self.is_open and not begun:
                self._write()
            if dead:
                self._count()

    def retry(self) -> None:
        """Tell the inbox what it does not know, if it is time to."""
        with self.lock:
            if self.is_open and self._marks.due_in_s == 0:
                self._write()
                self._count()

    def ask(self, what: Callable[[Inbox], _T]) -> _T:
        """Have the inbox do something else.

        Args:
            what: Uses it.

        Returns:
            What it returned.

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
            may_wait: Whether the caller may wait for the file; else it is told the last count.

        Returns:
            The number.
        """
        if self.lock.acquire(blocking=may_wait):
            try:
                if may_wait or not self.blocks:
                    self._count()
            finally:
                self.lock.release()
        return self.dead if self.is_open else 0

    def revive(self, ids: Iterable[int] | None) -> list[Entry]:
        """Take dead letters back among those that wait.

        Args:
            ids: Which; None for all.

        Returns:
            The events.

        Raises:
            ConfigurationError: The file cannot be used now.
        """
        return self.ask(lambda inbox: inbox.revive(ids))

    def _write(self) -> None:
        if not self._marks:
            return
        try:
            self._marks.write(self._inbox.done, self._inbox.bury)
        except Exception as error:  # noqa: BLE001 - an inbox of the user's may raise anything
            # The class alone: what an error says may hold what people wrote.
            self._trouble.trouble(
                "",
                "the inbox cannot be told that %d events are over (%s); it is tried again",
                len(self._marks),
                type(error).__qualname__,
            )
        else:
            self._trouble.over("", "the inbox has been told of all events that are over")

    def _count(self) -> None:
        if self.is_open:
            with suppress(Exception):  # a number for people; the last one serves
                self.dead = self._inbox.count_dead()
