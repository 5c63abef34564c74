"""The life of a stream: connect, listen, wait, connect again, until it is stopped."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, Self

from evolution_sdk._base.forking import abandon, check, in_child
from evolution_sdk._base.handler_log import tell_handler_failure
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk.errors import AuthenticationError, ConfigurationError, EvolutionError
from evolution_sdk.events import Event
from evolution_sdk.retry import RetryPolicy
from evolution_sdk.retry.waits import waits_ms

from ._consumer import EventDispatcher, EventConsumer, OnEvent
from ._states import State, StreamConnected, StreamDisconnected, StreamState

_log = logging.getLogger("evolution_sdk.streams")

OnState = Callable[[StreamState], object]
OnFailure = Callable[[Event[Any], Exception], object]

RECONNECT = RetryPolicy(max_attempts=1, delay_ms=500, max_delay_ms=30_000, jitter="equal")
"""Waits between attempts to connect: half to all of 0.5 s, 1 s, 2 s … 30 s. There is no end."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Time, sleep and chance of a stream; tests give their own.

    Attributes:
        clock: Seconds that only go forward.
        wall_clock: Unix seconds.
        sleep: Waits for seconds.
        draw: A number from 0 (included) to 1 (not included).
    """

    clock: Callable[[], float] = time.monotonic
    wall_clock: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    draw: Callable[[], float] = field(default=random.random)


class ConnectionLostError(Exception):
    """A connection ended or was not made, and it is worth another attempt.

    Args:
        reason: Why, in words; without secrets.
        wait_ms: Wait this long instead of by the curve, in milliseconds.
        quiet: Whether it is a normal state of a working server.
    """

    def __init__(self, reason: str, *, wait_ms: float | None = None, quiet: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait_ms = wait_ms
        self.quiet = quiet


class Stream(ABC):
    """What both streams share. Run it with :meth:`run`, or with ``async with`` in the background.

    Attributes:
        name: What it is called in states and logs.
        intake: Where its events go; counts them.
        failures: Times that a handler raised.
    """

    kind: ClassVar[str] = "stream"

    def __init__(
        self,
        to: EventDispatcher | OnEvent | EventConsumer,
        *,
        name: str,
        on_state: OnState | None = None,
        on_failure: OnFailure | None = None,
        reconnect: RetryPolicy = RECONNECT,
        timing: Timing | None = None,
    ) -> None:
        self.name: str = name
        self.intake: EventConsumer = to if isinstance(to, EventConsumer) else EventConsumer(to)
        self.failures: int = 0
        self._on_state = on_state
        self._on_failure = on_failure
        self._reconnect = reconnect
        self._time = timing or Timing()
        self._begin()
        in_child(self._begin_anew)

    def _begin(self) -> None:
        self._state: State = "new"
        self._waits: Iterator[float] = iter(())
        self._alive_at: float | None = None
        self._alive_wall: float | None = None
        self._trouble = QuietLog(_log, self._time.clock)
        self._stopping = asyncio.Event()
        self._running = False
        self._task: asyncio.Task[None] | None = None

    def _begin_anew(self) -> None:
        """It runs in the parent, on the parent's connection; here it may be run anew."""
        if self._running:
            abandon(self._task, self._stopping)
        self.failures = 0
        self._begin()

    @property
    def state(self) -> State:
        """Where it stands now."""
        return self._state

    @property
    def connected(self) -> bool:
        """Whether events arrive."""
        return self._state == "connected"

    @property
    def age_ms(self) -> float | None:
        """Time since the last sign of life of the server, in milliseconds; None before any.

        Signs are events and, on the socket, the server's pings (every 25 s unless configured).
        """
        return None if self._alive_at is None else (self._time.clock() - self._alive_at) * 1_000

    async def run(self) -> None:
        """Connect and take events, again and again, until :meth:`stop`.

        Raises:
            ConfigurationError: The extra is not installed, or a setting cannot work.
            AuthenticationError: The server refused the key on the first attempt.
        """
        check()
        if self._running:
            raise ConfigurationError(f"the stream {self.name} is running already", variable="run")
        self._running = True
        self._waits = waits_ms(self._reconnect, self._time.draw)
        try:
            while not self._stopping.is_set():
                self._state = "connecting"
                await self._once()
        finally:
            self._state = "stopped"
            self._running = False
            self._stopping.clear()

    async def _once(self) -> None:
        """One connection, from attempt to end, and the wait after it."""
        try:
            await self._session()
        except ConnectionLostError as lost:
            problem = lost
        except (AuthenticationError, ConfigurationError):
            raise
        except asyncio.CancelledError:
            # Libraries cancel futures of their own when a connection breaks.
            if is_cancelled():
                raise
            problem = ConnectionLostError("the connection broke off")
        except Exception as error:  # noqa: BLE001  libraries raise anything when answers are odd
            # The class alone: what an error says may hold the address with its key.
            problem = ConnectionLostError(f"the connection failed with {type(error).__name__}")
        else:
            problem = ConnectionLostError("stopped" if self._stopping.is_set() else "closed by the server")
        if self._stopping.is_set():
            self._tell(StreamDisconnected(self.name, self._now(), problem.reason, None))
            return
        wait_ms = next(self._waits) if problem.wait_ms is None else problem.wait_ms
        self._state = "waiting"
        line = ("%s: %s; next try in %.0f ms", self.name, problem.reason, wait_ms)
        if problem.quiet:
            _log.debug(*line)
        else:
            self._trouble.trouble("connection", *line)
        self._tell(
            StreamDisconnected(self.name, self._now(), problem.reason, wait_ms, problem.quiet)
        )
        await self._pause(wait_ms)

    @abstractmethod
    async def _session(self) -> None:
        """Connect, call :meth:`_up`, and return or raise ConnectionLostError when it is over."""

    def _up(self) -> None:
        """Say that the connection stands; waits begin anew."""
        since = self._alive_wall
        if since is not None and self._alive_at is not None:
            # A wall clock that was put back meanwhile would hide the gap; one that only goes
            # forward may stand still while the machine sleeps. The longer gap is the safe one.
            passed = self._time.clock() - self._alive_at
            since = min(since, self._time.wall_clock() - passed)
        self._state = "connected"
        self._waits = waits_ms(self._reconnect, self._time.draw)
        self._alive()
        self._trouble.over("connection", "%s: connected again", self.name)
        missing = None if since is None else datetime.fromtimestamp(since, tz=UTC)
        self._tell(StreamConnected(self.name, self._now(), missing))

    def _alive(self) -> None:
        """Note a sign of life; those of attempts that come to nothing do not count."""
        if not self.connected:
            return
        self._alive_at = self._time.clock()
        self._alive_wall = self._time.wall_clock()

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._time.wall_clock(), tz=UTC)

    async def _pause(self, wait_ms: float) -> None:
        """Wait, but not beyond :meth:`stop`."""
        nap = asyncio.ensure_future(self._time.sleep(wait_ms / 1_000))
        stop = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({nap, stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            nap.cancel()
            stop.cancel()
            await asyncio.gather(nap, stop, return_exceptions=True)

    async def _until_over(self, gone: asyncio.Event) -> None:
        """Wait for the end of the connection, or for :meth:`stop`."""
        waits = [asyncio.ensure_future(each.wait()) for each in (gone, self._stopping)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    def _tell(self, state: StreamState) -> None:
        if self._on_state is None:
            return
        try:
            self._on_state(state)
        except Exception as error:  # noqa: BLE001  must not end the stream
            self._raised("on_state", error)

    def _failed(self, event: Event[Any], error: Exception) -> None:
        """Report a handler that raised; the report harms nothing."""
        self.failures += 1
        self._raised(f"the handler of {event.event}", error)
        if self._on_failure is None:
            return
        try:
            self._on_failure(event, error)
        except Exception as problem:  # noqa: BLE001  must not end the stream
            # No traceback: with it would come the handler's own error, which may quote a message.
            self._raised("on_failure", problem)

    def _raised(self, who: str, error: Exception) -> None:
        tell_handler_failure(self._trouble, f"{self.name}: {who}", error, stream=self.name)

    def stop(self) -> None:
        """End it: no further events are taken, those begun are finished. From its own loop."""
        self._stopping.set()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.run(), name=self.name)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop()
        task, self._task = self._task, None
        if task is not None:
            await task

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self._state})"


def is_cancelled() -> bool:
    """Tell if the running task was told to end, and not merely something that it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def missing_extra(extra: str, needs: str) -> EvolutionError:
    """The error for an extra that is not installed."""
    return ConfigurationError(
        f"This stream needs {needs}: pip install 'evolutionapi-sdk[{extra}]'.",
        variable=f"evolutionapi-sdk[{extra}]",
    )
