"""Figures of the outbox and of the receiver, read aside from the event loop, and seldom."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from evolution_sdk.monitor.runner import run_in_daemon_thread

if TYPE_CHECKING:
    from evolution_sdk.outbox import OutboxMessage, OutboxStats
    from evolution_sdk.webhooks import DeadLetter, ReceiverMetrics

__all__ = [
    "ConsoleOutbox",
    "ConsoleReceiver",
    "Figures",
    "OutboxFigures",
    "ReceiverFigures",
    "run_call",
]

_EVERY_S: Final = 1.0
_READ_S: Final = 2.0
_MOST_UNKNOWN: Final = 50
_MOST_FAILED: Final = 50
_MOST_QUEUED: Final = 20
_MOST_DEAD: Final = 100
_FAILED: Final = ("failed", "refused", "expired")
_LOOK_BACK: Final = timedelta(days=1)


class ConsoleOutbox(Protocol):
    """An outbox that a console can show: ``Outbox`` and ``AsyncOutbox``."""

    def read_stats(self) -> OutboxStats:
        """Return its figures, blocking, from any thread."""
        ...

    def find(self, **which: Any) -> Any:
        """Return messages, or an awaitable of them."""
        ...

    def cancel(self, key: str) -> Any:
        """Take a message back."""
        ...

    def retry(self, key: str) -> Any:
        """Queue a message anew."""
        ...

    def resolve(self, key: str, *, sent: bool) -> Any:
        """Decide about a message that is unknown."""
        ...

    def pause(self, instance: str | None = None) -> Any:
        """Send nothing more through an instance."""
        ...

    def resume(self, instance: str | None = None) -> Any:
        """Go on with an instance."""
        ...


class ConsoleReceiver(Protocol):
    """A receiver that a console can show."""

    def metrics(self) -> Any:
        """Return the numbers of ``ReceiverMetrics``."""
        ...

    def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        """Return the events whose handlers failed."""
        ...

    def replay(self, ids: Any = None) -> int:
        """Queue dead letters again."""
        ...

    def discard(self, ids: Any = None) -> int:
        """Delete dead letters."""
        ...


@dataclass(frozen=True, slots=True)
class OutboxFigures:
    """The outbox at one moment.

    Attributes:
        stats: Counts, ages and pauses; None while they cannot be read.
        rows: Unknown messages, then failed ones, then the oldest that wait.
        error: Class of the error of the last reading; None after one that succeeded.
        at: Time of the reading, in unix seconds.
    """

    stats: OutboxStats | None
    rows: Sequence[OutboxMessage]
    error: str | None
    at: float


@dataclass(frozen=True, slots=True)
class ReceiverFigures:
    """The receiver at one moment.

    Attributes:
        metrics: Its counts; None while they cannot be read.
        dead: Its dead letters, the oldest first.
        error: Class of the error of the last reading; None after one that succeeded.
    """

    metrics: ReceiverMetrics | None
    dead: Sequence[DeadLetter]
    error: str | None = None


class Figures:
    """Reads both at most once per second, and only while somebody asks.

    Args:
        outbox: The outbox, or None.
        receiver: The receiver, or None.
        clock: Seconds that never go back.
        wall: Unix seconds.

    Attributes:
        outbox: Its last figures.
        receiver: Its last figures.
        version: A number that changes with each reading.
    """

    def __init__(
        self,
        outbox: ConsoleOutbox | None,
        receiver: ConsoleReceiver | None,
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._outbox = outbox
        self._receiver = receiver
        self._clock = clock
        self._wall = wall
        self._due = float("-inf")
        self._reading: asyncio.Task[None] | None = None
        self._again = False
        self.outbox: OutboxFigures | None = None
        self.receiver: ReceiverFigures | None = None
        self.version: int = 0

    def poll(self, *, at_once: bool = False) -> Awaitable[None] | None:
        """Begin to read where it is due; nobody has to wait for it.

        Args:
            at_once: Read although the last reading is young.

        Returns:
            The reading under way, or None.
        """
        if self._outbox is None and self._receiver is None:
            return None
        reading = self._reading
        loop = asyncio.get_running_loop()
        if reading is not None and not reading.done() and reading.get_loop() is loop:
            # What it has read already may be from before the change.
            self._again = self._again or at_once
            return reading
        if not at_once and self._clock() < self._due:
            return None
        self._reading = loop.create_task(self._read())
        return self._reading

    async def read_once(self) -> None:
        """Read what is due before a first state; a store that hangs is not waited for."""
        reading = self.poll()
        if reading is not None:
            await asyncio.wait({asyncio.ensure_future(reading)}, timeout=_READ_S)

    async def _read(self) -> None:
        try:
            self._again = True
            while self._again:
                self._again = False
                await asyncio.gather(self._read_outbox(), self._read_receiver())
        finally:
            self._due = self._clock() + _EVERY_S
            self.version += 1

    async def _read_outbox(self) -> None:
        outbox = self._outbox
        if outbox is None:
            return
        rows: list[OutboxMessage] = []
        try:
            stats = await run_in_daemon_thread(outbox.read_stats)
            states = {state for (_, state), many in stats.counts.items() if many}
            since = datetime.fromtimestamp(self._wall(), UTC) - _LOOK_BACK
            # Asked only for what there is: most of the time there are no such rows.
            if "unknown" in states:
                rows += await _done(outbox.find, state="unknown", limit=_MOST_UNKNOWN)
            if failed := [state for state in _FAILED if state in states]:
                rows += await _done(outbox.find, state=failed, since=since, limit=_MOST_FAILED)
            if "queued" in states:
                rows += await _done(outbox.find, state="queued", limit=_MOST_QUEUED)
        except Exception as error:  # noqa: BLE001 - shown, and tried again
            before = self.outbox
            kept = (None, ()) if before is None else (before.stats, before.rows)
            self.outbox = OutboxFigures(*kept, type(error).__name__, self._wall())
        else:
            self.outbox = OutboxFigures(stats, tuple(rows), None, self._wall())

    async def _read_receiver(self) -> None:
        receiver = self._receiver
        if receiver is None:
            return
        try:
            metrics = receiver.metrics()
            dead = self.receiver.dead if self.receiver is not None else ()
            # An inbox in a file is asked only when there is something in it.
            if metrics.dead or self.receiver is None or dead:
                dead = await run_in_daemon_thread(lambda: receiver.dead_letters(_MOST_DEAD))
        except Exception as error:  # noqa: BLE001 - shown, and tried again
            kept = self.receiver
            self.receiver = ReceiverFigures(
                None if kept is None else kept.metrics,
                () if kept is None else kept.dead,
                type(error).__name__,
            )
        else:
            self.receiver = ReceiverFigures(metrics, tuple(dead))


async def _done(find: Callable[..., Any], **which: Any) -> Any:
    return await run_call(lambda: find(**which), find)


async def run_call(work: Callable[[], Any], method: Callable[..., Any]) -> Any:
    """Call a method of either colour without holding up the loop.

    Args:
        work: Makes the call.
        method: The method, which tells its colour.
    """
    if inspect.iscoroutinefunction(inspect.unwrap(method)):
        return await work()
    found = await run_in_daemon_thread(work)
    return await found if inspect.isawaitable(found) else found
