"""The queue of a receiver: events between their acceptance and their end, thread-safe.

The inbox keeps them, the chat queue puts them in order, and the workers take them from here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, TypeVar

from evolution_sdk._base.forking import free_in_child, in_child
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk._base.redact import mask_phone
from evolution_sdk._base.serial_worker import DEFAULT_PATIENCE_MS, SerialWorker, on_event_loop
from evolution_sdk.events import Event, parse_event
from evolution_sdk.events._chat_queue import ChatQueue, order_key

from .group_commit import Change, GroupCommit
from .inbox import Added, Inbox, InboxEntry
from .keeper import InboxKeeper
from .locked_inbox import LockedInbox
from .queued_delivery import QueuedDelivery
from .responses import Answer

_log = logging.getLogger("evolution_sdk.webhooks")
_T = TypeVar("_T")

# An exception may quote a whole message; this is enough to tell what went wrong.
_MAX_ERROR_TEXT = 2_000


@dataclass(frozen=True, slots=True)
class ReceiverMetrics:
    """Counts of a receiver since it was made; nothing of any content.

    Attributes:
        accepted: Events stored.
        duplicates: Copies of events that were accepted before.
        ignored: Events without a registered handler.
        rejected: Requests refused, by reason.
        handled: Events that all their handlers finished.
        failed: Events that became dead letters.
        recovered: Events that an earlier process had left.
        queue_depth: Events that wait.
        in_flight: Events being handled.
        queue_bytes: Size of all of these, in bytes.
        oldest_age_ms: Age of the oldest of these, in milliseconds.
        dead: Dead letters; inside an event loop with a SQLite inbox, the number at the last count.
        unmarked: Finished events that the inbox could not be told of yet.
        retried: Further attempts to handle an event.
        handling_ms: Time of all handlers together, in milliseconds.
    """

    accepted: int
    duplicates: int
    ignored: int
    rejected: Mapping[str, int]
    handled: int
    failed: int
    recovered: int
    queue_depth: int
    in_flight: int
    queue_bytes: int
    oldest_age_ms: float
    dead: int
    unmarked: int = 0
    retried: int = 0
    handling_ms: float = 0.0


@dataclass(frozen=True, slots=True, repr=False)
class DeadLetter:
    """An event that could not be handled. Its ``repr`` shows no text of people.

    Attributes:
        id: Number for ``replay`` and ``discard``.
        event: The event.
        error: Class of the error.
        error_text: Text of the error; may quote people.
        attempts: Number of attempts.
        received_at: Time of arrival (aware).
        failed_at: Time of the last failure (aware).
    """

    id: int
    event: Event[Any]
    error: str
    error_text: str
    attempts: int
    received_at: datetime
    failed_at: datetime

    def __repr__(self) -> str:
        # The class of an error and the id of an old group may hold a phone number.
        shown = f"{self.event!r}, error={self.error!r}, attempts={self.attempts}"
        times = f"received_at={self.received_at:%FT%TZ}, failed_at={self.failed_at:%FT%TZ}"
        return f"DeadLetter({self.id}, {mask_phone(shown)}, {times})"


@dataclass(frozen=True, slots=True)
class Delivery:
    """Circumstances of a delivery; handlers that name a parameter ``delivery`` receive it.

    Attributes:
        attempt: Number of the attempt, from 1.
        recovered: True if an earlier process had accepted the event, and may have handled it.
        received_at: Time of arrival (aware).
    """

    attempt: int
    recovered: bool
    received_at: datetime


def event_of(entry: InboxEntry) -> Event[Any]:
    """Parse the event of an entry.

    Args:
        entry: As the inbox keeps it.
    """
    return parse_event(
        entry.body,
        source=entry.source,  # type: ignore[arg-type]  # written by us, from an event
        received_at=utc_time(entry.received_at),
        event_hint=entry.hint,
    )


def letter_of(entry: InboxEntry) -> DeadLetter:
    """Return an entry whose handlers failed as it is shown.

    Args:
        entry: As the inbox keeps it.
    """
    return DeadLetter(
        entry.id,
        event_of(entry),
        entry.error,
        entry.error_text,
        entry.attempts,
        utc_time(entry.received_at),
        utc_time(entry.failed_at or 0.0),
    )


def utc_time(seconds: float) -> datetime:
    """Turn seconds since 1970 into an aware time."""
    return datetime.fromtimestamp(seconds, UTC)


class DeliveryQueue:
    """Events between acceptance and their end; thread-safe.

    Two locks guard it: the inbox's, held while a file may be waited for, and ``lock``, held for
    moments only. The inbox's is always taken first.

    Args:
        inbox: Keeps the events.
        clock: Seconds since 1970.
        max_queue: Most events.
        max_queue_bytes: Most bytes of bodies.
        steady: Seconds that only go forward.

    Attributes:
        lock: Held while anything here is read or changed.
        changed: Notified when an event can be taken, and when one has ended.
        wake: Called after an event was queued; the workers set it.
    """

    def __init__(
        self,
        inbox: Inbox,
        clock: Callable[[], float],
        max_queue: int,
        max_queue_bytes: int,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lock: threading.RLock = free_in_child(threading.RLock())
        self.changed: threading.Condition = free_in_child(threading.Condition(self.lock))
        self._inbox = LockedInbox(inbox, steady)
        self._trouble = QuietLog(_log, steady)
        # One thread: SQLite does one write at a time, whoever asks.
        self._file_thread = SerialWorker("evolution-inbox")
        self._commits = GroupCommit(
            self._inbox.lock, self._write, self._file_thread, self._inbox.most_in_group, steady
        )
        self._clock = clock
        self._max_queue = max_queue
        self._max_bytes = max_queue_bytes
        every_s = self._inbox.adopt_every_s
        self._keeper = None if every_s is None else InboxKeeper(self.adopt, every_s)
        self._begin_empty()
        in_child(self._begin_empty)

    def _begin_empty(self) -> None:
        """Begin without events; after a fork, the parent handles those it accepted."""
        self._chats: ChatQueue[QueuedDelivery] = ChatQueue()
        self._held: dict[int, InboxEntry] = {}
        self._bytes = 0
        self._answers: Counter[Answer] = Counter()
        self._counts: Counter[str] = Counter()
        self._handling_ms = 0.0
        self._open = False
        # Interrupted events, which wait for the next process; only while the inbox is open.
        self._left: set[int] = set()
        self._held_up = False
        self.wake: Callable[[], None] = _no_workers

    @property
    def blocks(self) -> bool:
        """True if storing an event may take milliseconds."""
        return self._inbox.blocks

    @property
    def retry_in_s(self) -> float | None:
        """Seconds until :meth:`retry_inbox` is due; None while the inbox is up to date."""
        return self._inbox.retry_in_s

    async def off_loop(self, work: Callable[[], _T]) -> _T:
        """Do work with the inbox in a thread, unless the inbox never blocks.

        Args:
            work: The work.

        Returns:
            The result of the work.
        """
        if not self.blocks:
            return work()
        return await self._file_thread.run(work)

    def open(self) -> None:
        """Open the inbox, once, and queue the events that an earlier process left."""
        with self._inbox.lock:
            if self._open:
                return
            left = self._inbox.open()
            with self.lock:
                self._open = True
                for entry in left:
                    entry.recovered = True
                    self._counts["recovered"] += 1
                    self._enqueue(QueuedDelivery(entry, event_of(entry)))
        if self._keeper is not None:
            self._keeper.start()

    def adopt(self) -> None:
        """Queue events that other receivers accepted for this one, or left behind.

        Raises:
            Exception: Any error of the inbox; the next try may go well.
        """
        with self._inbox.lock:
            if not self._open:
                return
            with self.lock:
                held = {*self._held, *self._left}
                room = self._max_queue - len(self._held)
                room_bytes = self._max_bytes - self._bytes
            try:
                found = self._inbox.adopt(held, room, room_bytes)
            finally:
                self._resume()
            items = [QueuedDelivery(entry, event_of(entry)) for entry in found.entries]
            with self.lock:
                if found.lost:
                    for item in self._chats.drop():
                        self._forget(item)
                    self.changed.notify_all()
                for item in items:
                    # One that is being handled here since before the lease was lost goes on.
                    if item.entry.id not in self._held:
                        self._counts["recovered"] += item.entry.recovered
                        self._enqueue(item)
        if items:
            self.wake()
        if found.more and self._keeper is not None:
            self._keeper.wake()

    def _resume(self) -> None:
        """Have workers look again that were refused events while the lease was in doubt."""
        with self.lock:
            resumes = self._held_up and self._inbox.holds()
            if resumes:
                self._held_up = False
                self.changed.notify_all()
        if resumes:
            self.wake()

    def close(self) -> None:
        """Close the inbox; waiting events stay in it."""
        if self._keeper is not None:
            self._keeper.stop()
        with self._inbox.lock:
            if not self._open:
                return
            with self.lock:
                self._open = False
            # What waits for the inbox is told: ends are noted, new events are posted again.
            self._commits.flush()
            with self.lock:
                self._chats = ChatQueue()
                self._held.clear()
                self._left.clear()
                self._bytes = 0
            self._inbox.close()

    def end_thread(self) -> None:
        """End the thread of :meth:`off_loop`; the next use starts another one."""
        self._file_thread.close()

    def accept(
        self, entry: InboxEntry, event: Event[Any], offer: Callable[[], object] | None = None
    ) -> Answer:
        """Store an event and queue it, unless it is known or there is no room.

        Args:
            entry: The entry to store.
            event: The same, parsed.
            offer: Offers an accepted event to those who wait for one; never raises.

        Returns:
            ``ACCEPTED``, ``DUPLICATE``, ``FULL``, ``UNSTORED`` or ``CLOSING``.
        """
        change = self._addition(entry, event, offer)
        answer = self._commits.write(change, DEFAULT_PATIENCE_MS)
        if answer is Answer.ACCEPTED:
            self.wake()
        return answer

    async def accept_async(
        self, entry: InboxEntry, event: Event[Any], offer: Callable[[], object] | None = None
    ) -> Answer:
        """Store an event as :meth:`accept` does, without making an event loop wait for a file.

        Args:
            entry: The entry to store.
            event: The same, parsed.
            offer: Offers an accepted event to those who wait for one; never raises.

        Returns:
            As :meth:`accept`.
        """
        change = self._addition(entry, event, offer)
        if self.blocks:
            answer = await self._commits.write_async(change)
        else:
            answer = self._write_alone(change)
        if answer is Answer.ACCEPTED:
            self.wake()
        return answer

    @staticmethod
    def _addition(
        entry: InboxEntry, event: Event[Any], offer: Callable[[], object] | None
    ) -> Change:
        # Offered after it is stored and not at its turn: a handler of the same chat may be waiting
        # for this event. Without a lock: whoever is offered it may take his time. Workers wait.
        offered = None if offer is None else threading.Event()
        entry.chat = order_key(event)
        return Change(QueuedDelivery(entry, event, offered=offered), "add", offer=offer)

    def _write(self, group: list[Change]) -> None:
        """Write a group of changes; the inbox's lock is held until their events are queued.

        So a chat's events are handled in the order in which they were accepted.
        """
        added: list[Change] = []
        ended: list[Change] = []
        for one in group:
            if one.kind == "add":
                added.append(one)
            else:
                ended.append(one)
                self._inbox.note_end(one.item.entry, dead=one.kind == "dead")
        if added:
            added = self._admitted(added)
        results = self._inbox.write([one.item.entry for one in added], self._clock())
        with self.lock:
            for one, result in zip(added, results, strict=True):
                self._added(one, result)
            for one in ended:
                self._ended(one)
        if results:
            self._tell_trouble(results)

    def _write_alone(self, change: Change) -> Answer:
        """Write a change to an inbox that never blocks, as a group of one in fewer steps."""
        entry = change.item.entry
        with self._inbox.lock:
            if change.kind != "add":
                self._inbox.end(entry, dead=change.kind == "dead")
                with self.lock:
                    self._ended(change)
            elif self._admitted([change]):
                result = self._inbox.add(entry, self._clock())
                with self.lock:
                    self._added(change, result)
                self._tell_trouble((result,))
        change.call_offer()
        return change.answer or Answer.FAILED

    def _added(self, change: Change, result: Added | Exception) -> None:
        if result == "new":
            change.answer = Answer.ACCEPTED
            if change.item.entry.held:
                self._enqueue(change.item)
            elif self._keeper is not None:
                self._keeper.wake()
        else:
            change.answer = Answer.DUPLICATE if result == "duplicate" else Answer.UNSTORED

    def _ended(self, change: Change) -> None:
        change.answer = Answer.ACCEPTED
        self._counts["failed" if change.kind == "dead" else "handled"] += 1
        self._handling_ms += change.took_ms
        self._leave(change.item)

    def _admitted(self, added: list[Change]) -> list[Change]:
        """Return the additions for which there is room; the others are answered."""
        fine: list[Change] = []
        with self.lock:
            count, size = len(self._held), self._bytes
            for one in added:
                more = len(one.item.entry.body)
                # An empty queue takes an event of any size, or it could never be accepted.
                if not self._open:
                    one.answer = Answer.CLOSING
                elif count >= self._max_queue or (count and size + more > self._max_bytes):
                    one.answer = Answer.FULL
                else:
                    count, size = count + 1, size + more
                    fine.append(one)
        return fine

    def _tell_trouble(self, results: Sequence[Added | Exception]) -> None:
        for result in results:
            # A full or locked disk; the server tries again. Only the class of the error is logged:
            # its text may quote a message.
            if isinstance(result, Exception):
                why = type(result).__qualname__
                self._trouble.trouble(
                    "", "the inbox cannot store an event: %s", why, level=logging.ERROR
                )
                return
        self._trouble.over("", "the inbox stores events again")

    def take(self) -> QueuedDelivery | None:
        """Take the next event whose chat is free; None when there is none."""
        with self.lock:
            if not self._inbox.holds():
                self._held_up = True
                return None
            taken = self._chats.take()
            return None if taken is None else taken[1]

    def count_retry(self) -> None:
        """Count a further attempt to handle an event."""
        with self.lock:
            self._counts["retried"] += 1

    def finish(self, item: QueuedDelivery, took_ms: float = 0.0) -> None:
        """End an event that all handlers finished; its chat is free even if the inbox fails.

        Args:
            item: The event.
            took_ms: Time of its handlers, in milliseconds.
        """
        self._commits.write(Change(item, "done", took_ms=took_ms))

    async def finish_async(self, item: QueuedDelivery, took_ms: float = 0.0) -> None:
        """End an event as :meth:`finish` does, without making an event loop wait for a file.

        Args:
            item: The event.
            took_ms: Time of its handlers, in milliseconds.
        """
        await self._end_async(Change(item, "done", took_ms=took_ms))

    def fail(self, item: QueuedDelivery, error: BaseException, took_ms: float = 0.0) -> None:
        """Make an event a dead letter; its chat is free even if the inbox fails.

        Args:
            item: The event.
            error: The last error of its handlers.
            took_ms: Time of its handlers, in milliseconds.
        """
        self._commits.write(self._failure(item, error, took_ms))

    async def fail_async(
        self, item: QueuedDelivery, error: BaseException, took_ms: float = 0.0
    ) -> None:
        """Make a dead letter as :meth:`fail` does, without making an event loop wait for a file.

        Args:
            item: The event.
            error: The last error of its handlers.
            took_ms: Time of its handlers, in milliseconds.
        """
        await self._end_async(self._failure(item, error, took_ms))

    async def _end_async(self, change: Change) -> None:
        # The chat is freed after the inbox was told: the next event of the chat must not overtake
        # the end of this one.
        if self.blocks:
            await self._commits.write_async(change)
        else:
            self._write_alone(change)

    def _failure(self, item: QueuedDelivery, error: BaseException, took_ms: float) -> Change:
        entry = item.entry
        entry.error = type(error).__qualname__
        try:
            entry.error_text = str(error)[:_MAX_ERROR_TEXT]
        except Exception:  # noqa: BLE001 - a user's exception may fail to describe itself
            entry.error_text = ""
        entry.failed_at = self._clock()
        return Change(item, "dead", took_ms=took_ms)

    def retry_inbox(self) -> None:
        """Tell the inbox of the events that have ended meanwhile, if a try is due."""
        self._inbox.retry()

    def release(self, item: QueuedDelivery) -> None:
        """Let an interrupted event go; it stays in the inbox for the next process."""
        with self.lock:
            self._left.add(item.entry.id)
            self._leave(item)

    @property
    def idle(self) -> bool:
        """True if nothing waits and nothing is being handled."""
        with self.lock:
            return not self._held

    def count_answer(self, answer: Answer) -> int:
        """Count an answer.

        Returns:
            Number of events that wait.
        """
        with self.lock:
            self._answers[answer] += 1
            return self._chats.depth

    def dead_letters(self, limit: int) -> list[DeadLetter]:
        """Return the dead letters, the oldest first.

        Args:
            limit: Most of them.
        """
        found = self._inbox.ask(lambda inbox: inbox.dead(limit))
        return [letter_of(one) for one in found]

    def replay(self, ids: Iterable[int] | None) -> int:
        """Queue dead letters again; handlers that had finished are not called again.

        Args:
            ids: Their numbers; None for all.

        Returns:
            How many were queued.
        """
        with self._inbox.lock:
            found = self._inbox.revive(ids)
            with self.lock:
                for entry in found:
                    entry.failed_at = None
                    if entry.held:
                        self._enqueue(QueuedDelivery(entry, event_of(entry)))
        self.wake()
        return len(found)

    def discard(self, ids: Iterable[int] | None) -> int:
        """Delete dead letters.

        Args:
            ids: Their numbers; None for all.

        Returns:
            How many there were.
        """
        return self._inbox.ask(lambda inbox: inbox.discard(ids))

    def metrics(self) -> ReceiverMetrics:
        """Return the counts, as a copy."""
        # Before the lock: the count of dead letters may wait for the file.
        dead = self._inbox.count_dead(may_wait=not on_event_loop())
        with self.lock:
            told = self._answers
            fine = (Answer.ACCEPTED, Answer.DUPLICATE, Answer.IGNORED)
            refused = {one.value: n for one, n in told.items() if one not in fine}
            oldest = next((one.received_at for one in self._held.values()), None)
            return ReceiverMetrics(
                accepted=told[Answer.ACCEPTED],
                duplicates=told[Answer.DUPLICATE],
                ignored=told[Answer.IGNORED],
                rejected=MappingProxyType(refused),
                handled=self._counts["handled"],
                failed=self._counts["failed"],
                recovered=self._counts["recovered"],
                queue_depth=self._chats.depth,
                in_flight=self._chats.busy,
                queue_bytes=self._bytes,
                oldest_age_ms=0.0 if oldest is None else (self._clock() - oldest) * 1_000,
                dead=dead,
                unmarked=self._inbox.unmarked,
                retried=self._counts["retried"],
                handling_ms=self._handling_ms,
            )

    def _enqueue(self, item: QueuedDelivery) -> None:
        item.key = item.entry.chat or order_key(item.event)
        self._held[item.entry.id] = item.entry
        self._bytes += len(item.entry.body)
        self._chats.put(item.key, item)
        self.changed.notify()

    def _leave(self, item: QueuedDelivery) -> None:
        self._forget(item)
        self._chats.done(item.key)
        # All of them: one waits for an event to take, others perhaps for the queue to be empty.
        self.changed.notify_all()

    def _forget(self, item: QueuedDelivery) -> None:
        # After a close it is not held any more, and its bytes are not counted.
        if self._held.pop(item.entry.id, None) is not None:
            self._bytes -= len(item.entry.body)


def _no_workers() -> None:
    """Do nothing: threads are woken by ``changed``, and without workers there is none to wake."""
