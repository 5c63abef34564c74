"""Workers that take events from the queue: threads, and tasks of an event loop."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from evolution_sdk._base.harmless import harmless
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk.events import Event, EventRouter
from evolution_sdk.events._dispatch_plan import DispatchProgress
from evolution_sdk.events._feeding import Consumption, Feed, feed_of
from evolution_sdk.retry import EvolutionRetryService

from .delivery_log import DeliveryLog
from .queue import Delivery, DeliveryQueue, utc_time
from .queued_delivery import QueuedDelivery

_log = logging.getLogger("evolution_sdk.webhooks")

# Those who observe events are told of each before its handlers, but cannot hold them up for ever.
_LONGEST_OFFER_S = 10.0

OPERATION = "webhook.handle"
"""Name of the operation in the metrics of ``retry=``."""


class DeliveryRunner:
    """Hands one event to the router, in either colour.

    Args:
        router: Handles the event.
        retry: Repeats failed attempts; None for a single one.
        client: Attached to the event and fed with it, or None.
        log: Log of deliveries.
        clock: Seconds since 1970.
        steady: Seconds that only go forward.
    """

    def __init__(
        self,
        router: EventRouter,
        retry: EvolutionRetryService | None,
        client: Any,
        log: DeliveryLog,
        *,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self.log: DeliveryLog = log
        self.clock: Callable[[], float] = clock
        self.steady: Callable[[], float] = steady
        self.router: EventRouter = router
        self._retry = retry
        self._client = client
        self._trouble = QuietLog(_log)
        self._feed: Feed | None = feed_of(client)
        self._consumption = Consumption(client)

    @property
    def feeds(self) -> bool:
        """True if there is a client to be fed."""
        return self._feed is not None

    def feed(self, event: Event[Any], *, verified: bool = False) -> None:
        """Feed the client with an event that is new, for those who wait for it; never raises.

        Args:
            event: The event.
            verified: True if it is surely the server's, so that it proves something.
        """
        if self._feed is not None:
            with suppress(Exception):  # the event is stored: the answer stands in any case
                self._feed(event, verified)

    async def run(self, queue: DeliveryQueue, item: QueuedDelivery) -> None:
        """Handle an event and tell the queue the result; one that a wait consumed is handled.

        Args:
            queue: The queue.
            item: The event, taken from it.
        """
        # Shared with the entry: a dead letter keeps the handlers that finished.
        progress = DispatchProgress(item.entry.finished)
        timer = _AttemptTimer(self, queue, item)

        async def attempt() -> None:
            with timer:
                await self.router.dispatch(self._bound(item), progress=progress, **_given(item))

        try:
            # Without a client nobody waits for an event.
            if self._client is not None and await self._is_consumed(item):
                pass
            elif self._retry is not None:
                await self._retry.execute_with_retry(attempt, OPERATION)
            else:
                await attempt()
        except Exception as error:  # noqa: BLE001 - a user's handler may raise anything
            self._log_dead(item, error)
            await queue.fail_async(item, error, timer.took_ms)
        except BaseException:
            # Cancelled: it is neither done nor failed, and waits for the next process.
            queue.release(item)
            raise
        else:
            await queue.finish_async(item, timer.end())

    def run_sync(self, queue: DeliveryQueue, item: QueuedDelivery) -> None:
        """Handle an event in this thread and tell the queue the result; as :meth:`run`.

        Args:
            queue: The queue.
            item: The event, taken from it.
        """
        progress = DispatchProgress(item.entry.finished)
        timer = _AttemptTimer(self, queue, item)

        def attempt() -> None:
            with timer:
                self.router.dispatch_sync(self._bound(item), progress=progress, **_given(item))

        try:
            if self._is_consumed_sync(item):
                pass
            elif self._retry is None:
                attempt()
            else:
                self._retry.execute_with_retry_sync(attempt, OPERATION)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as above; no handler ends a worker
            self._log_dead(item, error)
            queue.fail(item, error, timer.took_ms)
        except BaseException:
            queue.release(item)
            raise
        else:
            queue.finish(item, timer.end())

    async def _is_consumed(self, item: QueuedDelivery) -> bool:
        """Tell if a wait has consumed the event; asked once, not before each attempt."""
        offered = item.offered
        if offered is not None and not offered.is_set():
            await asyncio.to_thread(offered.wait, _LONGEST_OFFER_S)
        return await self._consumption.took(item.event)

    def _is_consumed_sync(self, item: QueuedDelivery) -> bool:
        if item.offered is not None:
            item.offered.wait(_LONGEST_OFFER_S)
        return self._consumption.took_sync(item.event)

    def log_unfinished(self, error: BaseException) -> None:
        """Log that an event was left unfinished.

        Args:
            error: The reason.
        """
        name = type(error).__qualname__
        self._trouble.trouble(
            name, "a webhook event was left unfinished: %s", name, level=logging.ERROR
        )

    def _log_dead(self, item: QueuedDelivery, error: BaseException) -> None:
        harmless(self.log.dead, item.event, item.entry.id, item.entry.attempts, error)

    def _bound(self, item: QueuedDelivery) -> Event[Any]:
        return item.event if self._client is None else item.event.bind(self._client)


class _AttemptTimer:
    """Times the handlers of one event over all attempts, without the waits between them.

    It is a context manager around each attempt.

    Args:
        runner: Gives clocks and log.
        queue: Counts.
        item: The event.

    Attributes:
        took_ms: Time of the handlers so far, in milliseconds.
    """

    __slots__ = (
        "_began",
        "_count",
        "_error",
        "_item",
        "_queue",
        "_runner",
        "_waited_ms",
        "took_ms",
    )

    def __init__(self, runner: DeliveryRunner, queue: DeliveryQueue, item: QueuedDelivery) -> None:
        self._runner = runner
        self._queue = queue
        self._item = item
        self._count = 0
        self._error = ""
        self.took_ms: float = 0.0
        self._waited_ms = max(0.0, (runner.clock() - item.entry.received_at) * 1_000)

    def __enter__(self) -> None:
        self._count += 1
        if self._count > 1:
            self._queue.count_retry()
            number = self._item.entry.attempts + 1
            harmless(self._runner.log.retried, self._item.event, number, self._error)
        self._began = self._runner.steady()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.took_ms += (self._runner.steady() - self._began) * 1_000
        self._error = "" if kind is None else kind.__qualname__

    def end(self) -> float:
        """Log that the event is handled.

        Returns:
            Time of the handlers, in milliseconds.
        """
        event, attempts = self._item.event, self._item.entry.attempts
        if _log.isEnabledFor(logging.DEBUG):
            harmless(self._runner.log.handled, event, attempts, self.took_ms, self._waited_ms)
        return self.took_ms


class ThreadWorkers:
    """Threads that take events until they are told to stop.

    Args:
        queue: The queue.
        runner: Handles an event.
        concurrency: Number of threads.
    """

    def __init__(self, queue: DeliveryQueue, runner: DeliveryRunner, concurrency: int) -> None:
        runner.router.check_sync()
        self._queue = queue
        self._runner = runner
        self._stopping = False
        # Daemons: a handler that hangs must not keep the interpreter from ending. Its event stays
        # in the inbox.
        self._threads = [
            threading.Thread(target=self._work, name=f"evolution-webhook-{n}", daemon=True)
            for n in range(concurrency)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        """True until they are told to stop."""
        return not self._stopping

    def drain(self, timeout_s: float) -> bool:
        """Wait until the queue is empty.

        Args:
            timeout_s: Longest wait, in seconds.

        Returns:
            True if it was empty in time.
        """
        with self._queue.lock:
            return self._queue.changed.wait_for(lambda: self._queue.idle, timeout_s)

    def stop(self, timeout_s: float) -> None:
        """Finish the events under way, take no more.

        Args:
            timeout_s: Longest wait for all of them together, in seconds.
        """
        with self._queue.lock:
            self._stopping = True
            self._queue.changed.notify_all()
        end = time.monotonic() + timeout_s
        for thread in self._threads:
            # A handler may close the receiver; its own thread cannot wait for itself.
            if thread is not threading.current_thread():
                thread.join(max(0.0, end - time.monotonic()))

    def _work(self) -> None:
        queue = self._queue
        while True:
            # Look and wait under one lock: no event can come unnoticed between the two.
            with queue.lock:
                item = None if self._stopping else queue.take()
                while item is None and not self._stopping:
                    if not queue.changed.wait(queue.retry_in_s):
                        break  # no event came, and the inbox is to be told again of ended ones
                    item = None if self._stopping else queue.take()
            if item is None:
                if self._stopping:
                    return
                queue.retry_inbox()
                continue
            try:
                self._runner.run_sync(queue, item)
            except Exception as error:  # noqa: BLE001 - a full disk must not end the worker
                self._runner.log_unfinished(error)


class TaskWorkers:
    """Tasks of the running event loop, one per event, up to a number at once.

    Args:
        queue: The queue.
        runner: Handles an event.
        concurrency: Most tasks at once.
    """

    def __init__(self, queue: DeliveryQueue, runner: DeliveryRunner, concurrency: int) -> None:
        self._queue = queue
        self._runner = runner
        self._concurrency = concurrency
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._retrying: asyncio.TimerHandle | asyncio.Task[None] | None = None
        self._stopping = False
        queue.wake = self._wake
        self._start_tasks()

    @property
    def alive(self) -> bool:
        """True until they are told to stop, or their loop is closed."""
        return not self._stopping and not self._loop.is_closed()

    async def drain(self, timeout_s: float) -> bool:
        """Wait until the queue is empty.

        Args:
            timeout_s: Longest wait, in seconds.

        Returns:
            True if it was empty in time.
        """
        self._start_tasks()
        try:
            async with asyncio.timeout(timeout_s):
                while not self._queue.idle:
                    self._idle.clear()
                    await self._idle.wait()
        except TimeoutError:
            return False
        return True

    async def stop(self, timeout_s: float) -> None:
        """Finish the events under way, take no more; cancel them after the time-out.

        Args:
            timeout_s: Longest wait for all of them together, in seconds.
        """
        self._stopping = True
        self._queue.wake = _no_wake
        if self._retrying is not None:
            self._retrying.cancel()
        tasks = set(self._tasks)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=timeout_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _wake(self) -> None:
        # A WSGI server's thread, or the thread of a blocking inbox, may have accepted the event.
        if threading.get_ident() == self._thread:
            self._start_tasks()
        elif self.alive:
            self._loop.call_soon_threadsafe(self._start_tasks)

    def _start_tasks(self) -> None:
        while not self._stopping and len(self._tasks) < self._concurrency:
            item = self._queue.take()
            if item is None:
                break
            task = self._loop.create_task(self._runner.run(self._queue, item))
            self._tasks.add(task)  # a loop holds its tasks weakly
            task.add_done_callback(self._task_ended)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._runner.log_unfinished(error)
        self._start_tasks()
        self._plan_retry()
        # It is unset while somebody waits for it.
        if not self._idle.is_set() and self._queue.idle:
            self._idle.set()

    def _plan_retry(self) -> None:
        """Plan the next try to tell the inbox of events that have ended."""
        wait_s = None if self._stopping or self._retrying is not None else self._queue.retry_in_s
        if wait_s is not None:
            self._retrying = self._loop.call_later(wait_s, self._retry)

    def _retry(self) -> None:
        work = self._queue.off_loop(self._queue.retry_inbox)
        self._retrying = task = self._loop.create_task(work)
        task.add_done_callback(self._retry_ended)

    def _retry_ended(self, _: asyncio.Task[None]) -> None:
        self._retrying = None
        self._plan_retry()


def _given(item: QueuedDelivery) -> dict[str, Any]:
    entry = item.entry
    entry.attempts += 1
    return {"delivery": Delivery(entry.attempts, entry.recovered, utc_time(entry.received_at))}


def _no_wake() -> None:
    """Do nothing: these workers take no more events."""
