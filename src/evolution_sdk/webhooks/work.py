"""The two shells that take work from the desk: threads, and tasks of an event loop."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from evolution_sdk._base.harmless import harmless
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk.events import Event, EventRouter, Progress
from evolution_sdk.events._feeding import Feed, feed_of
from evolution_sdk.retry import EvolutionRetryService

from .answers import Answer
from .desk import Delivery, Desk, Work, moment
from .lines import Lines

_log = logging.getLogger("evolution_sdk.webhooks")

OPERATION = "webhook.handle"


class Job:
    """How one event is handled, in either colour.

    Args:
        router: Who handles it.
        retry: How often it is tried; None means once.
        client: Attached to the event, or None.
        lines: Where the lines go.
        clock: Seconds since 1970.
        steady: Seconds that only go forward.
    """

    def __init__(
        self,
        router: EventRouter,
        retry: EvolutionRetryService | None,
        client: Any,
        lines: Lines,
        *,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lines: Lines = lines
        self.clock: Callable[[], float] = clock
        self.steady: Callable[[], float] = steady
        self.router: EventRouter = router
        self._retry = retry
        self._client = client
        self._trouble = QuietLog(_log)
        self._feed: Feed | None = feed_of(client)

    def told(self, answer: Answer, event: Event[Any], *, verified: bool = False) -> Answer:
        """Feed the client with an event that is news, for whoever waits for it; never raises.

        Args:
            answer: What became of it.
            event: The event.
            verified: Whether it is surely the server's, so that it proves something.

        Returns:
            The same answer.
        """
        # Before its turn: a handler of this chat may be waiting for this very event.
        if answer in (Answer.ACCEPTED, Answer.IGNORED) and self._feed is not None:
            with suppress(Exception):  # whatever happens here, the answer stands
                self._feed(event, verified)
        return answer

    async def run(self, desk: Desk, work: Work) -> None:
        """Handle an event and tell the desk how it went."""
        progress = Progress(work.entry.finished)
        turn = _Turn(self, desk, work)

        async def attempt() -> None:
            with turn:
                await self.router.dispatch(*self._bound(work), progress=progress, **_given(work))

        try:
            if self._retry is None:
                await attempt()
            else:
                await self._retry.execute_with_retry(attempt, OPERATION)
        except Exception as error:  # noqa: BLE001 - whatever a handler of the user's raises
            self._report(work, error)
            await desk.off_loop(partial(desk.failed, work, error, turn.took_ms))
        except BaseException:
            desk.release(work)
            raise
        else:
            await desk.off_loop(partial(desk.done, work, turn.end()))

    def run_sync(self, desk: Desk, work: Work) -> None:
        """Handle an event in this thread and tell the desk how it went."""
        progress = Progress(work.entry.finished)

        turn = _Turn(self, desk, work)

        def attempt() -> None:
            with turn:
                self.router.dispatch_sync(*self._bound(work), progress=progress, **_given(work))

        try:
            if self._retry is None:
                attempt()
            else:
                self._retry.execute_with_retry_sync(attempt, OPERATION)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as above; no handler ends a worker
            self._report(work, error)
            desk.failed(work, error, turn.took_ms)
        except BaseException:
            desk.release(work)
            raise
        else:
            desk.done(work, turn.end())

    def left(self, error: BaseException) -> None:
        """Say that an event was left unfinished."""
        name = type(error).__qualname__
        self._trouble.trouble(
            name, "a webhook event was left unfinished: %s", name, level=logging.ERROR
        )

    def _report(self, work: Work, error: BaseException) -> None:
        harmless(self.lines.dead, work.event, work.entry.id, work.entry.attempts, error)

    def _bound(self, work: Work) -> tuple[Any]:
        return (work.event if self._client is None else work.event.bind(self._client),)


class _Turn:
    """One event's time with its handlers, over all attempts, without the waits between them.

    Args:
        job: Gives clocks and lines.
        desk: Counts.
        work: The event.
    """

    __slots__ = ("_began", "_desk", "_failure", "_job", "_times", "_waited_ms", "_work", "took_ms")

    def __init__(self, job: Job, desk: Desk, work: Work) -> None:
        self._job = job
        self._desk = desk
        self._work = work
        self._times = 0
        self._failure = ""
        self.took_ms: float = 0.0
        self._waited_ms = max(0.0, (job.clock() - work.entry.received_at) * 1_000)

    def __enter__(self) -> None:
        self._times += 1
        if self._times > 1:
            self._desk.retried()
            number = self._work.entry.attempts + 1
            harmless(self._job.lines.retried, self._work.event, number, self._failure)
        self._began = self._job.steady()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.took_ms += (self._job.steady() - self._began) * 1_000
        self._failure = "" if kind is None else kind.__qualname__

    def end(self) -> float:
        """Tell that it is handled; gives the time that it took, in milliseconds."""
        event, attempts = self._work.event, self._work.entry.attempts
        harmless(self._job.lines.handled, event, attempts, self.took_ms, self._waited_ms)
        return self.took_ms


class ThreadWorkers:
    """Threads that take work until they are told to stop.

    Args:
        desk: Where the work is.
        job: How it is done.
        concurrency: How many threads.
    """

    def __init__(self, desk: Desk, job: Job, concurrency: int) -> None:
        job.router.check_sync()
        self._desk = desk
        self._job = job
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._work, name=f"evolution-webhook-{n}", daemon=True)
            for n in range(concurrency)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        """Whether they still can."""
        return not self._stopping

    def drain(self, timeout_s: float) -> bool:
        """Wait until nothing is left to do.

        Returns:
            Whether that was so in time.
        """
        with self._desk.lock:
            return self._desk.changed.wait_for(lambda: self._desk.idle, timeout_s)

    def stop(self, timeout_s: float) -> None:
        """Finish what is under way, take nothing more."""
        with self._desk.lock:
            self._stopping = True
            self._desk.changed.notify_all()
        end = time.monotonic() + timeout_s
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, end - time.monotonic()))

    def _work(self) -> None:
        desk = self._desk
        while True:
            with desk.lock:
                work = None if self._stopping else desk.take()
                while work is None and not self._stopping:
                    if not desk.changed.wait(desk.retry_in_s):
                        break  # nothing came, and the inbox is to be told something again
                    work = None if self._stopping else desk.take()
            if work is None:
                if self._stopping:
                    return
                desk.retry()
                continue
            try:
                self._job.run_sync(desk, work)
            except Exception as error:  # noqa: BLE001 - a full disk must not end the worker
                self._job.left(error)


class TaskWorkers:
    """Tasks of the running event loop, as many at once as allowed.

    Args:
        desk: Where the work is.
        job: How it is done.
        concurrency: How many at once.
    """

    def __init__(self, desk: Desk, job: Job, concurrency: int) -> None:
        self._desk = desk
        self._job = job
        self._concurrency = concurrency
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._retrying: asyncio.TimerHandle | asyncio.Task[None] | None = None
        self._stopping = False
        desk.wake = self._wake
        self._pump()

    @property
    def alive(self) -> bool:
        """Whether they still can."""
        return not self._stopping and not self._loop.is_closed()

    async def drain(self, timeout_s: float) -> bool:
        """Wait until nothing is left to do.

        Returns:
            Whether that was so in time.
        """
        self._pump()
        try:
            async with asyncio.timeout(timeout_s):
                while not self._desk.idle:
                    self._idle.clear()
                    await self._idle.wait()
        except TimeoutError:
            return False
        return True

    async def stop(self, timeout_s: float) -> None:
        """Finish what is under way, take nothing more; after the time-out, cancel it."""
        self._stopping = True
        self._desk.wake = _nobody
        if self._retrying is not None:
            self._retrying.cancel()
        tasks = set(self._tasks)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=timeout_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _wake(self) -> None:
        if threading.get_ident() == self._thread:
            self._pump()
        elif self.alive:
            self._loop.call_soon_threadsafe(self._pump)

    def _pump(self) -> None:
        while not self._stopping and len(self._tasks) < self._concurrency:
            work = self._desk.take()
            if work is None:
                break
            task = self._loop.create_task(self._job.run(self._desk, work))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._job.left(error)
        self._pump()
        self._plan_retry()
        if self._desk.idle:
            self._idle.set()

    def _plan_retry(self) -> None:
        """See to it that the inbox is told again what it could not be told."""
        wait_s = None if self._stopping or self._retrying is not None else self._desk.retry_in_s
        if wait_s is not None:
            self._retrying = self._loop.call_later(wait_s, self._retry)

    def _retry(self) -> None:
        self._retrying = task = self._loop.create_task(self._desk.off_loop(self._desk.retry))
        task.add_done_callback(self._retried)

    def _retried(self, _: asyncio.Task[None]) -> None:
        self._retrying = None
        self._plan_retry()


def _given(work: Work) -> dict[str, Any]:
    entry = work.entry
    entry.attempts += 1
    return {"delivery": Delivery(entry.attempts, entry.recovered, moment(entry.received_at))}


def _nobody() -> None:
    """Nobody is to be woken."""
