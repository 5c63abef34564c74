"""Group commits: all that waits for the inbox at one moment is written in one transaction.

Nobody waits for the sake of a group: whoever comes first writes at once, in an event loop with all
that it has ready, and those who come while he writes are written together next. Each hears of its
own result once the group is certain.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Literal

from evolution_sdk._base.forking import in_child
from evolution_sdk._base.serial_worker import DEFAULT_PATIENCE_MS, SerialWorker

from .queued_delivery import QueuedDelivery
from .responses import Answer

_MOST_BYTES = 8 * 1024 * 1024
_MOST_WAITING = 1_024


@dataclass(slots=True, eq=False)
class Change:
    """A change that waits for its group.

    Attributes:
        item: The event.
        kind: What happens to it.
        answer: The result of ``add``; None until it is certain. Of the other kinds ``ACCEPTED``,
            when the inbox has been told, or will be told again.
        offer: Offers an accepted event to those who wait for one; never raises.
        took_ms: Time of its handlers, in milliseconds.
        until: After this moment of the steady clock an addition is not begun any more.
        future: Resolved in its loop afterwards; None where a thread waits.
    """

    item: QueuedDelivery
    kind: Literal["add", "done", "dead"]
    answer: Answer | None = None
    offer: Callable[[], object] | None = None
    took_ms: float = 0.0
    until: float = float("inf")
    future: asyncio.Future[Answer] | None = None

    def call_offer(self) -> None:
        """Offer the event, if it was accepted, and let its workers go on."""
        if self.offer is not None and self.answer is Answer.ACCEPTED:
            self.offer()
        offered = self.item.offered
        if self.kind == "add" and offered is not None:
            offered.set()


class GroupCommit:
    """Gathers changes and has them written in groups, one group at a time; thread-safe.

    Args:
        lock: The inbox's lock, held while a group is written.
        write: Writes a group with the lock held and sets all answers; never raises.
        thread: Writes for event loops, which must not wait for a file.
        most: Most changes of a group.
        steady: Seconds that only go forward.
    """

    def __init__(
        self,
        lock: threading.RLock,
        write: Callable[[list[Change]], None],
        thread: SerialWorker,
        most: int,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lock = lock
        self._write = write
        self._thread = thread
        self._most = most
        self._steady = steady
        self._begin_empty()
        in_child(self._begin_empty)

    def _begin_empty(self) -> None:
        """Begin without changes; after a fork, those that waited are the parent's."""
        self._waiting: deque[Change] = deque()
        self._planned = False
        # A loop that ended before it got to the group holds nobody up: another one plans anew.
        self._gathering_in: asyncio.AbstractEventLoop | None = None

    def write(self, change: Change, patience_ms: float | None = None) -> Answer:
        """Have a change written, with whatever else waits, and wait for it in this thread.

        Args:
            change: The change.
            patience_ms: Longest wait for the inbox's lock, in milliseconds. Default: no limit.

        Returns:
            The answer; ``UNSTORED`` if the lock was not to be had in time.
        """
        self._waiting.append(change)
        if not self._lock.acquire(timeout=-1 if patience_ms is None else patience_ms / 1_000):
            # Another thread may have it in its group at this moment; then the copy is a duplicate.
            change.until = float("-inf")
            if change.item.offered is not None:
                change.item.offered.set()
            return Answer.UNSTORED
        try:
            while change.answer is None and self._write_group():
                pass
        finally:
            self._lock.release()
        change.call_offer()
        return change.answer or Answer.FAILED

    async def write_async(self, change: Change) -> Answer:
        """Have a change written in the thread; a caller that is cancelled does not undo it.

        Args:
            change: The change.

        Returns:
            The answer; ``UNSTORED`` for an addition while too many wait, or after too long a wait.
        """
        if change.kind == "add":
            if len(self._waiting) >= _MOST_WAITING:
                return Answer.UNSTORED
            change.until = self._steady() + DEFAULT_PATIENCE_MS / 1_000
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        change.future = future
        self._waiting.append(change)
        if not self._planned and self._gathering_in is not loop:
            # After what the loop has ready, without any wait: requests that arrived together are
            # written together.
            self._gathering_in = loop
            loop.call_soon(self._gathered)
        # A caller that is cancelled leaves its future, never the group.
        return await future

    def flush(self) -> None:
        """Write all that waits, with the inbox's lock held."""
        while self._write_group():
            pass

    def _gathered(self) -> None:
        self._gathering_in = None
        if self._waiting:
            self._plan()

    def _plan(self) -> None:
        if not self._planned:
            # Two threads that both come here have a second look done that finds nothing.
            self._planned = True
            self._thread.submit(self._work).add_done_callback(_heard)

    def _work(self) -> None:
        # Before the group is taken: whoever comes now plans the next one.
        self._planned = False
        with self._lock:
            self._write_group()
        if self._waiting:
            self._plan()

    def _write_group(self) -> bool:
        group = self._taken()
        if not group:
            return False
        late = [one for one in group if self._steady() > one.until]
        for one in late:
            one.answer = Answer.UNSTORED
        try:
            self._write([one for one in group if one.answer is None] if late else group)
        finally:
            for one in group:
                one.answer = one.answer or Answer.FAILED
            _resolve(group)
        return True

    def _taken(self) -> list[Change]:
        group: list[Change] = []
        size = 0
        while self._waiting and len(group) < self._most and size < _MOST_BYTES:
            change = self._waiting.popleft()
            size += len(change.item.entry.body)
            group.append(change)
        return group


def _heard(future: Future[None]) -> None:
    """Take an error that nobody asks for: all changes of its group have been answered."""
    future.exception()


def _resolve(group: list[Change]) -> None:
    """Tell the loops of a group, with one call into each."""
    loops: dict[asyncio.AbstractEventLoop, list[Change]] = {}
    for change in group:
        if change.future is not None:
            loops.setdefault(change.future.get_loop(), []).append(change)
    for loop, changes in loops.items():
        try:
            loop.call_soon_threadsafe(_tell, changes)
        except RuntimeError:  # the loop is closed; what is stored stays stored
            for change in changes:
                change.call_offer()


def _tell(changes: list[Change]) -> None:
    # All are offered before any handler begins: it may wait for a later event of the same group.
    for change in changes:
        change.call_offer()
    for change in changes:
        future = change.future
        if future is not None and not future.done():
            future.set_result(change.answer or Answer.FAILED)
