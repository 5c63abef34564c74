"""Runs checks: in a task, in a daemon thread, or in the caller. The only user of asyncio here."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from contextvars import copy_context
from threading import Event, Lock, Thread, current_thread
from typing import Any, Final, TypeVar

from evolution_sdk._base.forking import abandon, free_in_child, in_child
from evolution_sdk._base.serial_worker import on_event_loop
from evolution_sdk.errors import ConfigurationError, EvolutionError
from evolution_sdk.retry.background import spawn

from .schedule import CheckSchedule

__all__ = ["ASYNC_SLEEP", "CheckRunner", "ask_all_async", "spawn_or_run"]

Q = TypeVar("Q")
T = TypeVar("T")

ASYNC_SLEEP: Final[Callable[[float], Awaitable[object]]] = asyncio.sleep
# A sink that never ends must not hold up the delivery to the others for ever.
_LONGEST_SINK_S: Final = 300.0


class CheckRunner:
    """Runs checks on schedule, until it is stopped.

    Args:
        check: Makes a check, blocking; raises no ``Exception``. Takes the lag in milliseconds, and
            an event that is set when nobody waits for the check any more.
        check_async: The same on the running loop.
        is_async: Whether a check has to be awaited.
        clock: Seconds that never go back.
        sleep: Blocks for some seconds. None waits so that ``stop`` ends it at once.
        async_sleep: Awaits some seconds.
    """

    def __init__(
        self,
        check: Callable[[float | None, Event], None],
        check_async: Callable[[float | None], Awaitable[None]],
        *,
        is_async: bool,
        clock: Callable[[], float],
        sleep: Callable[[float], object] | None,
        async_sleep: Callable[[float], Awaitable[object]],
    ) -> None:
        self._check = check
        self._check_async = check_async
        self._is_async = is_async
        self._clock = clock
        self._sleep = sleep
        self._async_sleep = async_sleep
        # Any thread may start and stop.
        self._changing = free_in_child(Lock())
        self._idle()
        in_child(self._begin_anew)

    def _idle(self) -> None:
        self._stop: Event | None = None
        self._abandoned: Event | None = None
        self._task: asyncio.Task[None] | None = None
        self._thread: Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def _begin_anew(self) -> None:
        """Leave thread, task and loop to the parent; a forked process is started anew."""
        abandon(self._task, self._loop)
        self._idle()

    @property
    def running(self) -> bool:
        """True while it runs; false when its loop or thread has ended without it."""
        # A thread that runs a loop has a task as well: the thread outlives it.
        if self._thread is not None:
            return self._thread.is_alive()
        return self._task is not None and not self._task.done() and not self._loop_gone()

    @property
    def on_loop(self) -> bool:
        """True if a loop runs here, which must not be held up."""
        return on_event_loop()

    def start(self, interval_ms: float) -> None:
        """Begin: on the loop that runs here, else in a daemon thread."""
        with self._changing:
            if not self.running:
                self._begin(interval_ms)

    def _begin(self, interval_ms: float) -> None:
        self._stop, self._abandoned = Event(), Event()
        # Handed over as arguments: a later start must not let an old thread go on.
        stop, abandoned = self._stop, self._abandoned
        loop = _running_loop()
        if loop is not None:
            self._thread, self._loop = None, loop
            self._task = loop.create_task(self._run_async(interval_ms, stop))
            return
        # An async client without a loop gets one, in the thread of the checks.
        self._task = self._loop = None
        target = self._run_loop if self._is_async else self._run
        self._thread = Thread(
            target=target, args=(interval_ms, stop, abandoned), name="evolution-monitor",
            daemon=True,
        )  # fmt: skip
        self._thread.start()

    def stop(self, timeout_s: float = 0) -> None:
        """End. A check under way in a thread is waited for, unless this is it or a loop runs here.

        Args:
            timeout_s: Longest wait, in seconds. A check that is not over by then is abandoned: its
                thread ends with the question it waits for, whose answer counts no more.
        """
        with self._changing:
            if self._stop is not None:
                self._stop.set()
            task, loop, thread = self._task, self._loop, self._thread
            abandoned = self._abandoned
            self._task = self._thread = None
        if task is not None and loop is not None and not loop.is_closed():
            # A task may only be cancelled from its own loop.
            if _running_loop() is loop:
                task.cancel()
            else:
                # It may have been closed just now.
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(task.cancel)
        if thread is None or thread is current_thread():
            return
        # A loop must not be held up: there, the thread is abandoned at once.
        if not on_event_loop():
            thread.join(timeout_s)
        if abandoned is not None and thread.is_alive():
            abandoned.set()

    async def stop_here(self, timeout_s: float) -> None:
        """End; a check under way on this loop is cancelled, and waited for.

        Args:
            timeout_s: Longest wait, in seconds.
        """
        task = self._task if self._loop is _running_loop() else None
        self.stop()
        # A handler of the check itself may be what stops it.
        if task is not None and task is not asyncio.current_task():
            await asyncio.wait([task], timeout=timeout_s)

    def call(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run async work to its end from a thread without a running loop.

        Raises:
            ConfigurationError: A loop runs in this thread.
        """
        if on_event_loop():
            raise ConfigurationError(
                "An event loop runs in this thread: use 'await monitor.check_health()'.",
                variable="client",
            )
        # The connections of an async client belong to the loop that they were made on.
        loop = self._live_loop()
        if loop is not None:
            return asyncio.run_coroutine_threadsafe(work(), loop).result()
        return asyncio.run(work())

    async def call_async(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run async work on the monitor's own loop, or here."""
        loop = self._live_loop()
        # Handing work to the own loop and waiting for it would never end.
        if loop is None or loop is _running_loop():
            return await work()
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(), loop))

    def finish(self, awaitable: Awaitable[Any]) -> Any:
        """Run the awaitable of an async sink to its end, from a thread of the monitor.

        Raises:
            EvolutionError: It was broken off with the loop, or took too long: it may have acted.
        """
        loop = self._live_loop()
        if loop is not None:
            future = asyncio.run_coroutine_threadsafe(_awaited(awaitable), loop)
            try:
                return future.result(_LONGEST_SINK_S)
            except (concurrent.futures.CancelledError, TimeoutError) as error:
                # Raised by the sink itself, and not by the end of the loop or of our patience.
                if future.done() and not future.cancelled():
                    raise
                future.cancel()
                raise EvolutionError(
                    "the delivery was broken off; it may have been made"
                ) from error
        return asyncio.run(_awaited(awaitable))

    def _live_loop(self) -> asyncio.AbstractEventLoop | None:
        loop = self._loop
        return loop if loop is not None and loop.is_running() else None

    def _loop_gone(self) -> bool:
        return self._loop is None or self._loop.is_closed()

    def _run(self, interval_ms: float, stop: Event, abandoned: Event) -> None:
        schedule = CheckSchedule(interval_ms, self._clock)
        while not stop.is_set():
            self._check(None, abandoned)
            wait = schedule.wait_s()
            # Waiting for the stop itself ends the pause at once.
            if self._sleep is None:
                stop.wait(wait)
            elif not stop.is_set():
                self._sleep(wait)

    def _run_loop(self, interval_ms: float, stop: Event, _: Event) -> None:
        async def main() -> None:
            self._loop = asyncio.get_running_loop()
            self._task = asyncio.current_task()
            if not stop.is_set():
                await self._run_async(interval_ms, stop)

        try:
            asyncio.run(main())
        except asyncio.CancelledError:
            # Stopped from another thread, by cancelling the task.
            return

    async def _run_async(self, interval_ms: float, stop: Event) -> None:
        schedule = CheckSchedule(interval_ms, self._clock)
        lag: float | None = None
        while not stop.is_set():
            await self._check_async(lag)
            await self._async_sleep(schedule.wait_s())
            lag = schedule.lag_ms()


async def run_in_daemon_thread(work: Callable[[], T]) -> T:
    """Run blocking work without holding up the loop; its thread does not hold up the exit."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    # The thread sees the context variables of the caller, such as the marks of own calls.
    context = copy_context()

    def tell(setter: Callable[[Any], None], outcome: Any) -> None:
        # The caller may have been cancelled meanwhile.
        if not future.done():
            setter(outcome)

    def run() -> None:
        try:
            done: tuple[Callable[[Any], None], Any] = (future.set_result, context.run(work))
        except BaseException as error:  # noqa: BLE001 - raised where it is awaited
            done = (future.set_exception, error)
        # The loop may have been closed meanwhile: then nobody waits for the result.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(tell, *done)

    Thread(target=run, name="evolution-monitor-check", daemon=True).start()
    return await future


async def ask_all_async(questions: Sequence[Q], ask: Callable[[Q], Awaitable[T]]) -> tuple[T, ...]:
    """Ask several questions at once on the running loop.

    Args:
        questions: The questions; as many are asked at once.
        ask: Asks one; raises nothing that is an ``Exception``.

    Returns:
        The answers in the order of the questions.
    """
    # One alone needs no task, and so no turn of the loop.
    if len(questions) == 1:
        return (await ask(questions[0]),)
    return tuple(await asyncio.gather(*map(ask, questions)))


def _running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop that runs in this thread, or None."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def spawn_or_run(
    awaitable: Awaitable[object], failed: Callable[[BaseException], None], running: set[Any]
) -> None:
    """Run an async handler: in the background of a running loop, else here to its end."""
    if on_event_loop():
        spawn(awaitable, failed, running)
    else:
        asyncio.run(_awaited(awaitable))


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
