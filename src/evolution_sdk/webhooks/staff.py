"""The workers of this process: begun when they are needed, anew after a fork."""

from __future__ import annotations

import threading
from collections.abc import Callable

from evolution_sdk._base.forking import abandon, check, free_in_child, in_child

from .desk import Desk
from .work import Job, TaskWorkers, ThreadWorkers

Workers = ThreadWorkers | TaskWorkers


class Staff:
    """The workers of one receiver, threads or tasks.

    Threads and loops do not survive a fork. Under a server that loads the application and forks
    afterwards, each process begins its own with the first event that it accepts.

    Args:
        desk: Where the work is.
        job: How it is done.
        concurrency: How many events at once.
    """

    def __init__(self, desk: Desk, job: Job, concurrency: int) -> None:
        self._desk = desk
        self._job = job
        self._concurrency = concurrency
        self._beginning = free_in_child(threading.Lock())
        self.workers: Workers | None = None
        self.closing: bool = False
        in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        abandon(self.workers)
        self.workers = None

    @property
    def alive(self) -> bool:
        """Tell if there are workers who can."""
        check()
        return self.workers is not None and self.workers.alive

    def begin(self, make: Callable[[Desk, Job, int], Workers]) -> None:
        """Open the inbox and put workers to it, unless there are some; several threads may ask.

        Args:
            make: ``ThreadWorkers`` or ``TaskWorkers``.

        Raises:
            ConfigurationError: The inbox cannot be used, or the router needs an event loop.
        """
        if self.alive:
            return
        with self._beginning:
            if self.alive:
                return
            self._desk.open()
            self.closing = False
            self.workers = make(self._desk, self._job, self._concurrency)
