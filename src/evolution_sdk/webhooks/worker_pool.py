"""The workers of this process: begun when they are needed, anew after a fork."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeAlias

from evolution_sdk._base.forking import abandon, check, free_in_child, in_child

from .queue import DeliveryQueue
from .workers import DeliveryRunner, TaskWorkers, ThreadWorkers

Workers: TypeAlias = ThreadWorkers | TaskWorkers


class WorkerPool:
    """The workers of one receiver, threads or tasks.

    Threads and loops do not survive a fork. Under a server that loads the application and forks
    afterwards, each process begins its own with the first event that it accepts.

    Args:
        queue: The queue.
        runner: Handles an event.
        concurrency: Most events at once.

    Attributes:
        workers: The workers; None before they are begun.
        closing: True once the receiver ends.
    """

    def __init__(self, queue: DeliveryQueue, runner: DeliveryRunner, concurrency: int) -> None:
        self._queue = queue
        self._runner = runner
        self._concurrency = concurrency
        self._beginning = free_in_child(threading.Lock())
        self.workers: Workers | None = None
        self.closing: bool = False
        in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        # Kept for ever and never touched: their locks and loop belong to the parent.
        abandon(self.workers)
        self.workers = None

    @property
    def alive(self) -> bool:
        """True if there are workers that take events."""
        check()
        return self.workers is not None and self.workers.alive

    def begin(self, make: Callable[[DeliveryQueue, DeliveryRunner, int], Workers]) -> None:
        """Open the inbox and begin the workers, unless there are some; callable from any thread.

        Args:
            make: ``ThreadWorkers`` or ``TaskWorkers``.

        Raises:
            ConfigurationError: The inbox cannot be used, or the router needs an event loop.
        """
        if self.alive:
            return
        with self._beginning:
            # Asked again: another thread may have begun them while this one waited.
            if self.alive:
                return
            self._queue.open()
            self.closing = False
            self.workers = make(self._queue, self._runner, self._concurrency)
