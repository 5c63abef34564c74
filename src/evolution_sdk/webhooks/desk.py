"""The core of a receiver: keeps, orders, counts. Both shells around it take work from here."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, TypeVar

from evolution_sdk._base.forking import free_in_child, in_child
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk._base.redact import mask_phone
from evolution_sdk._base.serial_worker import DEFAULT_PATIENCE_MS, SerialWorker, on_event_loop
from evolution_sdk.events import Event, Lanes, order_key, parse_event

from .answers import Answer
from .inbox import Entry, Inbox
from .keeping import Keeper

_log = logging.getLogger("evolution_sdk.webhooks")
_T = TypeVar("_T")

_MOST_ERROR_TEXT = 2_000


@dataclass(frozen=True, slots=True)
class ReceiverMetrics:
    """What a receiver has counted since it was made; nothing of any content.

    Attributes:
        accepted: Events stored.
        duplicates: Copies of events that were accepted before.
        ignored: Events that no handler is registered for.
        rejected: Requests refused, by reason.
        handled: Events that all their handlers are done with.
        failed: Events that became dead letters.
        recovered: Events that an earlier process had left.
        queue_depth: Events that wait.
        in_flight: Events being handled.
        queue_bytes: Size of all of these, in bytes.
        oldest_age_ms: How long the oldest of these has been here, in milliseconds.
        dead: Dead letters; inside an event loop with a SQLite inbox, when they were counted last.
        unmarked: Events that are over while the inbox could not be told so yet.
        retried: Times that an event was handed to its handlers again.
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
    """An event that could not be handled. Its ``repr`` shows nothing that people wrote.

    Attributes:
        id: For ``replay`` and ``discard``.
        event: The event.
        error: The class of the error.
        error_text: What it said; may hold what people wrote.
        attempts: How often it was tried.
        received_at: When it came (aware).
        failed_at: When it was given up (aware).
    """

    id: int
    event: Event[Any]
    error: str
    error_text: str
    attempts: int
    received_at: datetime
    failed_at: datetime

    def __repr__(self) -> str:
        # By name and masked: a text of the handler's, or an old group's id, may hold a number.
        shown = f"{self.event!r}, error={self.error!r}, attempts={self.attempts}"
        times = f"received_at={self.received_at:%FT%TZ}, failed_at={self.failed_at:%FT%TZ}"
        return f"DeadLetter({self.id}, {mask_phone(shown)}, {times})"


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an event comes to a handler; handlers receive it as ``delivery``.

    Attributes:
        attempt: Counts from 1.
        recovered: Whether an earlier process had begun or accepted it: it may have been handled.
        received_at: When it came (aware).
    """

    attempt: int
    recovered: bool
    received_at: datetime


@dataclass(slots=True)
class Work:
    """One event to be handled."""

    entry: Entry
    event: Event[Any]
    lane: str = ""


def read(entry: Entry) -> Event[Any]:
    """The event of an entry.

    Args:
        entry: What the inbox holds.
    """
    return parse_event(
        entry.body,
        source=entry.source,  # type: ignore[arg-type]  # written by us, from an event
        received_at=moment(entry.received_at),
        event_hint=entry.hint,
    )


def moment(seconds: float) -> datetime:
    """Seconds since 1970 as an aware time."""
    return datetime.fromtimestamp(seconds, UTC)


class Desk:
    """Events between acceptance and their end; thread-safe.

    Args:
        inbox: Keeps them.
        clock: Seconds since 1970.
        max_queue: Most events.
        max_queue_bytes: Most bytes of bodies.
        steady: Seconds that only go forward.
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
        self._keeper = Keeper(inbox, steady)
        self._trouble = QuietLog(_log, steady)
        self._worker = SerialWorker("evolution-inbox")
        self._clock = clock
        self._max_queue = max_queue
        self._max_bytes = max_queue_bytes
        self._begin()
        in_child(self._begin)

    def _begin(self) -> None:
        """Nothing is here; what a parent accepted is handled by the parent."""
        self._lanes: Lanes[Work] = Lanes()
        self._here: dict[int, Entry] = {}
        self._bytes = 0
        self._answers: Counter[Answer] = Counter()
        self._counts: Counter[str] = Counter()
        self._handling_ms = 0.0
        self._open = False
        self.wake: Callable[[], None] = _nothing

    @property
    def blocks(self) -> bool:
        """Whether keeping an event may take milliseconds."""
        return self._keeper.blocks

    @property
    def retry_in_s(self) -> float | None:
        """Seconds until :meth:`retry` is due; None while the inbox knows everything."""
        return self._keeper.retry_in_s

    async def off_loop(self, work: Callable[[], _T], *, patience_ms: float | None = None) -> _T:
        """Do what uses the inbox where no event loop waits for it.

        Args:
            work: What is done.
            patience_ms: As of ``SerialWorker.run``.

        Returns:
            What it returned.

        Raises:
            WorkerBusyError: It was not begun.
        """
        if not self.blocks:
            return work()
        return await self._worker.run(work, patience_ms=patience_ms)

    def open(self) -> None:
        """Open the inbox, once, and queue what an earlier process left."""
        with self._keeper.lock:
            if self._open:
                return
            left = self._keeper.open()
            with self.lock:
                self._open = True
                for entry in left:
                    entry.recovered = True
                    self._counts["recovered"] += 1
                    self._queue(Work(entry, read(entry)))

    def close(self) -> None:
        """Close the inbox; what waits stays in it."""
        with self._keeper.lock:
            if not self._open:
                return
            with self.lock:
                self._open = False
                self._lanes = Lanes()
                self._here.clear()
                self._bytes = 0
            self._keeper.close()

    def dismiss(self) -> None:
        """End the thread of :meth:`off_loop`; the next use starts another one."""
        self._worker.close()

    def accept(self, entry: Entry, event: Event[Any]) -> Answer:
        """Keep an event and queue it, unless it is known or there is no room.

        Args:
            entry: What to keep.
            event: The same, parsed.

        Returns:
            ``ACCEPTED``, ``DUPLICATE``, ``FULL``, ``UNSTORED`` or ``CLOSING``.
        """
        # Held until it is queued, so that a chat's events are handled in the order of acceptance.
        if not self._keeper.lock.acquire(timeout=DEFAULT_PATIENCE_MS / 1_000):
            return Answer.UNSTORED  # others wait for a locked file already
        try:
            answer = self._stored(entry, event)
        finally:
            self._keeper.lock.release()
        if answer is Answer.ACCEPTED:
            self.wake()
        return answer

    def _stored(self, entry: Entry, event: Event[Any]) -> Answer:
        with self.lock:
            if not self._open:
                return Answer.CLOSING
            full = len(self._here) >= self._max_queue
            if full or (self._here and self._bytes + len(entry.body) > self._max_bytes):
                return Answer.FULL
        try:
            added = self._keeper.add(entry, self._clock())
        except Exception as error:  # noqa: BLE001 - a full or locked disk; the server tries again
            # The class alone: what an error says may hold what people wrote.
            why = type(error).__qualname__
            self._trouble.trouble(
                "", "the inbox cannot store an event: %s", why, level=logging.ERROR
            )
            return Answer.UNSTORED
        self._trouble.over("", "the inbox stores events again")
        if added == "duplicate":
            return Answer.DUPLICATE
        with self.lock:
            self._queue(Work(entry, event))
        return Answer.ACCEPTED

    def take(self) -> Work | None:
        """The next event whose chat is free, or None."""
        with self.lock:
            taken = self._lanes.take()
            return None if taken is None else taken[1]

    def retried(self) -> None:
        """Count that an event is handed to its handlers again."""
        with self.lock:
            self._counts["retried"] += 1

    def done(self, work: Work, took_ms: float = 0.0) -> None:
        """Every handler is done with it; its chat is free even if the inbox fails."""
        self._keeper.end(work.entry, dead=False)
        with self.lock:
            self._counts["handled"] += 1
            self._handling_ms += took_ms
            self._leave(work)

    def failed(self, work: Work, error: BaseException, took_ms: float = 0.0) -> None:
        """A handler failed for good: make it a dead letter; its chat is free even if that fails."""
        entry = work.entry
        entry.error = type(error).__qualname__
        try:
            entry.error_text = str(error)[:_MOST_ERROR_TEXT]
        except Exception:  # noqa: BLE001 - an error of the user's that cannot say what it is
            entry.error_text = ""
        entry.failed_at = self._clock()
        self._keeper.end(entry, dead=True)
        with self.lock:
            self._counts["failed"] += 1
            self._handling_ms += took_ms
            self._leave(work)

    def retry(self) -> None:
        """Tell the inbox what it could not be told, if it is time to."""
        self._keeper.retry()

    def release(self, work: Work) -> None:
        """It was interrupted: it stays in the inbox, for the next process."""
        with self.lock:
            self._leave(work)

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is being handled."""
        with self.lock:
            return not self._here

    def answered(self, answer: Answer) -> int:
        """Count an answer; tells how many events wait."""
        with self.lock:
            self._answers[answer] += 1
            return self._lanes.depth

    def dead_letters(self, limit: int) -> list[DeadLetter]:
        """The dead letters, the oldest first."""
        found = self._keeper.ask(lambda inbox: inbox.dead(limit))
        return [
            DeadLetter(
                one.id,
                read(one),
                one.error,
                one.error_text,
                one.attempts,
                moment(one.received_at),
                moment(one.failed_at or 0.0),
            )
            for one in found
        ]

    def replay(self, ids: Iterable[int] | None) -> int:
        """Queue dead letters again; handlers that had finished are not called again."""
        with self._keeper.lock:
            found = self._keeper.revive(ids)
            with self.lock:
                for entry in found:
                    entry.failed_at = None
                    self._queue(Work(entry, read(entry)))
        self.wake()
        return len(found)

    def discard(self, ids: Iterable[int] | None) -> int:
        """Forget dead letters."""
        return self._keeper.ask(lambda inbox: inbox.discard(ids))

    def metrics(self) -> ReceiverMetrics:
        """What was counted, as a copy."""
        dead = self._keeper.count_dead(may_wait=not on_event_loop())
        with self.lock:
            told = self._answers
            fine = (Answer.ACCEPTED, Answer.DUPLICATE, Answer.IGNORED)
            refused = {one.value: n for one, n in told.items() if one not in fine}
            oldest = next((one.received_at for one in self._here.values()), None)
            return ReceiverMetrics(
                accepted=told[Answer.ACCEPTED],
                duplicates=told[Answer.DUPLICATE],
                ignored=told[Answer.IGNORED],
                rejected=MappingProxyType(refused),
                handled=self._counts["handled"],
                failed=self._counts["failed"],
                recovered=self._counts["recovered"],
                queue_depth=self._lanes.depth,
                in_flight=self._lanes.busy,
                queue_bytes=self._bytes,
                oldest_age_ms=0.0 if oldest is None else (self._clock() - oldest) * 1_000,
                dead=dead,
                unmarked=self._keeper.unmarked,
                retried=self._counts["retried"],
                handling_ms=self._handling_ms,
            )

    def _queue(self, work: Work) -> None:
        work.lane = order_key(work.event)
        self._here[work.entry.id] = work.entry
        self._bytes += len(work.entry.body)
        self._lanes.put(work.lane, work)
        self.changed.notify()

    def _leave(self, work: Work) -> None:
        if self._here.pop(work.entry.id, None) is not None:
            self._bytes -= len(work.entry.body)
        self._lanes.done(work.lane)
        self.changed.notify_all()


def _nothing() -> None:
    """Nobody is to be woken."""
