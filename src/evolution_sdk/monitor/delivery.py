"""Delivers alerts to their sinks: in the background, again after an error, beside the checks."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Condition, Event, Lock, Thread, current_thread
from typing import Any, Final

from evolution_sdk._base.forking import in_child
from evolution_sdk.errors import EvolutionError, SendOutcomeUnknownError
from evolution_sdk.retry import RetryPolicy
from evolution_sdk.retry.waits import Draw, waits_ms

from .alert import Alert
from .sinks import Sink

__all__ = ["AlertDelivery"]

_MOST_WAITING: Final = 200


@dataclass(eq=False)
class _PendingAlert:
    sink: Sink
    alert: Alert
    waits: Iterator[float]
    attempts: int = 0
    due: float = float("-inf")


class AlertDelivery:
    """Delivers alerts from a bounded queue, in a daemon thread.

    Per sink the order is kept: an alert waits for those before it.

    Args:
        sinks: The sinks.
        policy: Attempts of a failing sink, and the waits between them.
        clock: Seconds that never go back.
        draw: Chance for the waits.
        run: Runs the awaitable of an async sink to its end.
        failed: Called with sink and error of an alert that was given up.
        threaded: Whether a thread works; without one, ``run_due`` does.
    """

    def __init__(
        self,
        sinks: Sequence[Sink],
        policy: RetryPolicy,
        *,
        clock: Callable[[], float],
        draw: Draw,
        run: Callable[[Awaitable[Any]], object],
        failed: Callable[[str, Exception], None],
        threaded: bool = True,
    ) -> None:
        self._sinks = tuple(sinks)
        self._policy = policy
        self._clock = clock
        self._draw = draw
        self._run = run
        self._failed = failed
        self._threaded = threaded
        self._begin()
        in_child(self._begin)

    def _begin(self) -> None:
        """Start empty: the alerts of a parent process are delivered there."""
        self._waiting: deque[_PendingAlert] = deque()
        self._wake = Condition()
        self._delivering = Lock()
        self._stop = Event()
        self._thread: Thread | None = None
        self.dropped: int = 0

    def post(self, alert: Alert) -> None:
        """Queue an alert for all sinks; returns at once.

        Args:
            alert: The alert. The oldest gives way when too many wait.
        """
        with self._wake:
            for sink in self._sinks:
                self._waiting.append(_PendingAlert(sink, alert, waits_ms(self._policy, self._draw)))
            while len(self._waiting) > _MOST_WAITING:
                self._waiting.popleft()
                self.dropped += 1
            if not self._waiting:
                return
            # The thread starts with the first alert, and anew after it was stopped.
            if self._threaded and (self._thread is None or not self._thread.is_alive()):
                self._stop = Event()
                self._thread = Thread(
                    target=self._work,
                    args=(self._stop,),
                    name="evolution-monitor-alerts",
                    daemon=True,
                )
                self._thread.start()
            self._wake.notify()

    def run_due(self) -> None:
        """Deliver the alerts that are due now."""
        blocked: set[int] = set()
        with self._delivering:
            for pending in self._snapshot():
                # An alert that waits holds up those behind it, so that "resolved" comes last.
                if id(pending.sink) in blocked:
                    continue
                if pending.due > self._clock() or not self._deliver(pending):
                    blocked.add(id(pending.sink))

    @property
    def next_due(self) -> float | None:
        """Time of the next delivery, by the clock; None when nothing waits."""
        first: dict[int, float] = {}
        with self._wake:
            for pending in self._waiting:
                first.setdefault(id(pending.sink), pending.due)
        return min(first.values(), default=None)

    def close(self, *, wait_ms: float) -> None:
        """Try the alerts that are due once more, and stop the thread.

        Args:
            wait_ms: Longest wait for its end, in milliseconds.
        """
        with self._wake:
            self._stop.set()
            thread, self._thread = self._thread, None
            self._wake.notify_all()
        # A sink may close the monitor: its own thread cannot wait for itself.
        if thread is not None and wait_ms > 0 and thread is not current_thread():
            thread.join(wait_ms / 1_000)

    def _snapshot(self) -> tuple[_PendingAlert, ...]:
        with self._wake:
            return tuple(self._waiting)

    def _deliver(self, pending: _PendingAlert) -> bool:
        """Try one delivery; tells if the alert is done with, delivered or given up."""
        pending.attempts += 1
        try:
            result = pending.sink.deliver(pending.alert)
            if inspect.isawaitable(result):
                self._run(result)
        except Exception as error:  # noqa: BLE001 - a sink must never harm the monitor
            if pending.attempts < self._policy.max_attempts and not _final(error):
                pending.due = self._clock() + next(pending.waits) / 1_000
                return False
            self._failed(pending.sink.name, error)
        # It may have fallen out of the full queue meanwhile.
        with self._wake:
            if pending in self._waiting:
                self._waiting.remove(pending)
        return True

    def _work(self, stop: Event) -> None:
        while True:
            # Looked at before the work: an alert that comes during the last round is still tried.
            last = stop.is_set()
            self.run_due()
            if last:
                return
            with self._wake:
                due = self.next_due
                if stop.is_set():
                    continue
                if due is None:
                    self._wake.wait(60)
                elif (left := due - self._clock()) > 0:
                    self._wake.wait(min(left, 60))


def _final(error: Exception) -> bool:
    """Tell if another attempt cannot help, or might deliver the alert twice."""
    if isinstance(error, SendOutcomeUnknownError):
        return True
    return isinstance(error, EvolutionError) and not error.transient
