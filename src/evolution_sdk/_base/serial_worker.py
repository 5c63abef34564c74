"""Blocking work, such as SQLite's, in one thread of its own, so that no event loop waits for it."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")

BUSY_TIMEOUT_MS = 500
"""Longest wait of SQLite for a lock of another process, in milliseconds."""

DEFAULT_PATIENCE_MS = 5_000
_MOST_WAITING = 256


class WorkerBusyError(Exception):
    """Work was not begun: too much of it waits, or it waited for too long."""


class SerialWorker:
    """Does work in the order in which it comes, in one thread that starts with the first piece.

    A process made by ``fork`` gets a thread of its own with its first piece; what waited in the
    parent stays the parent's.

    Args:
        name: What the thread is called.
        most_waiting: Most pieces that wait; beyond them work that may be refused is refused.
        clock: Seconds that only go forward.
    """

    def __init__(
        self,
        name: str,
        *,
        most_waiting: int = _MOST_WAITING,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._most = most_waiting
        self._clock = clock
        self._crews: dict[int, _Crew] = {}

    @property
    def waiting(self) -> int:
        """Pieces that wait or are being done."""
        crew = self._crews.get(os.getpid())
        return 0 if crew is None else crew.waiting

    def submit(self, work: Callable[[], _T]) -> Future[_T]:
        """Take on a piece that must be done, whatever waits before it.

        Args:
            work: What is called in the thread.

        Returns:
            Its future.
        """
        return self._crew().submit(work)

    async def run(self, work: Callable[[], _T], *, patience_ms: float | None = None) -> _T:
        """Have a piece done and wait for it without blocking the loop.

        A caller that is cancelled does not undo it: what was taken on is done.

        Args:
            work: What is called in the thread.
            patience_ms: After waiting this long for its turn, in milliseconds, it is not begun any
                more, and refused at once while too many wait. Default: it is done in any case.

        Returns:
            What it returned.

        Raises:
            WorkerBusyError: It was not begun.
        """
        crew = self._crew()
        if patience_ms is None:
            return await asyncio.shield(asyncio.wrap_future(crew.submit(work)))
        if crew.waiting >= self._most:
            raise WorkerBusyError(f"{crew.waiting} pieces of work wait")
        until = self._clock() + patience_ms / 1_000

        def in_time() -> _T:
            if self._clock() > until:
                raise WorkerBusyError("the work waited too long for its turn")
            return work()

        return await asyncio.shield(asyncio.wrap_future(crew.submit(in_time)))

    def close(self) -> None:
        """Finish what was taken on and end the thread; a later piece starts another one."""
        crew = self._crews.pop(os.getpid(), None)
        if crew is not None:
            crew.close()

    def _crew(self) -> _Crew:
        pid = os.getpid()
        crew = self._crews.get(pid)
        # One step even if two threads come here at once.
        return crew or self._crews.setdefault(pid, _Crew(self._name))


class _Crew:
    """The thread of one process, and how much it has to do."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._lock = threading.Lock()
        self.waiting = 0

    def submit(self, work: Callable[[], _T]) -> Future[_T]:
        with self._lock:
            self.waiting += 1
        try:
            future = self._pool.submit(work)
        except RuntimeError:
            # The interpreter is going down and starts no thread any more: there is no loop to
            # be held up, and what must be done is done here.
            future = _done_here(work)
        future.add_done_callback(self._ended)
        return future

    def close(self) -> None:
        self._pool.shutdown(wait=True)

    def _ended(self, _: Future[_T]) -> None:
        with self._lock:
            self.waiting -= 1


def _done_here(work: Callable[[], _T]) -> Future[_T]:
    future: Future[_T] = Future()
    try:
        future.set_result(work())
    except Exception as error:  # noqa: BLE001 - it is the caller's, as a pool would hand it on
        future.set_exception(error)
    return future


def on_event_loop() -> bool:
    """Tell if a loop runs in this thread, which blocking work would hold up."""
    return asyncio._get_running_loop() is not None
