"""The life of a stream: connect, listen, wait, connect again, until it is stopped."""

from __future__ import annotations

import asyncio
import logging
import random
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar, Self, TypeAlias, TypedDict, Unpack

from evolution_sdk._base.forking import abandon, check, in_child
from evolution_sdk._base.handler_log import tell_handler_failure
from evolution_sdk._base.ports import SYSTEM_CLOCK, Clock
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk.errors import AuthenticationError, ConfigurationError, EvolutionError
from evolution_sdk.events import Event
from evolution_sdk.events._recent_keys import KeyMemory
from evolution_sdk.retry import RetryPolicy
from evolution_sdk.retry.waits import waits_ms

from ._consumer import EventConsumer, EventDispatcher, OnEvent
from ._states import State, StreamConnected, StreamDisconnected, StreamState

_log = logging.getLogger("evolution_sdk.streams")

OnState: TypeAlias = Callable[[StreamState], object]
"""Told of every change of a stream's state."""

OnFailure: TypeAlias = Callable[[Event[Any], Exception], object]
"""Told of an event whose handler raised, and of its error."""

RECONNECT = RetryPolicy(max_attempts=1, delay_ms=500, max_delay_ms=30_000, jitter="equal")
"""Waits between attempts to connect: half to all of 0.5 s, 1 s, 2 s … 30 s, without end."""


class StreamOptions(TypedDict, total=False):
    """Options that all streams take.

    Attributes:
        name: Name in states and logs.
        client: Attached to every event, so that handlers can answer, and fed with it.
        dedupe: Remembers the events that were handled, by ``delivery_key``: an object with
            ``seen(key)`` and ``add(key)``. Default: the latest 20,000 in memory.
        server_url: Required value of ``server_url`` in an event; others are left out. Default:
            ``EVOLUTION_SERVER_URL`` of the client's settings, else it is not looked at.
        on_state: Told of every :data:`StreamState`.
        on_failure: Told of every event whose handler raised.
        reconnect: Waits between attempts to connect. Only its waits count: there is no last
            attempt. Default: :data:`RECONNECT`.
        clock: Tells the time, for tests and simulations. Default: this machine's clocks.
        sleep: Waits for some seconds. Default: ``asyncio.sleep``.
        random: Gives numbers from 0 (included) to 1 (not included) for the jitter of waits.
    """

    name: str | None
    client: Any
    dedupe: KeyMemory | None
    server_url: str | None
    on_state: OnState | None
    on_failure: OnFailure | None
    reconnect: RetryPolicy
    clock: Clock
    sleep: Callable[[float], Awaitable[object]]
    random: Callable[[], float]


class ConnectionLostError(Exception):
    """A connection ended or was not made, and another attempt makes sense.

    Args:
        reason: The reason in words; without secrets.
        wait_ms: Wait before the next attempt, in milliseconds. Default: by the policy.
        quiet: True for a normal state of a working server.
    """

    def __init__(self, reason: str, *, wait_ms: float | None = None, quiet: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait_ms = wait_ms
        self.quiet = quiet


class Stream(ABC):
    """A stream of events. Run it with :meth:`run`, or with ``async with`` in the background.

    Args:
        to: A router, or a function that takes an event. Or another stream: both then handle an
            event once, and those of a chat in order.
        **options: See :class:`StreamOptions`.

    Raises:
        ConfigurationError: A value is wrong.

    Attributes:
        name: Name in states and logs.
        failures: Number of times that a handler raised.
    """

    kind: ClassVar[str] = "stream"

    def __init__(self, to: StreamTarget, **options: Unpack[StreamOptions]) -> None:
        self.name: str = options.get("name") or self.kind
        self._consumer: EventConsumer = _consumer_of(to, options)
        self.failures: int = 0
        self._on_state = options.get("on_state")
        self._on_failure = options.get("on_failure")
        self._reconnect = options.get("reconnect", RECONNECT)
        self._clock: Clock = options.get("clock", SYSTEM_CLOCK)
        self._sleep: Callable[[float], Awaitable[object]] = options.get("sleep", asyncio.sleep)
        self._draw: Callable[[], float] = options.get("random", random.random)
        self._begin()
        in_child(self._begin_anew)

    def _begin(self) -> None:
        self._state: State = "new"
        self._told_quiet = False
        self._waits: Iterator[float] = iter(())
        self._alive_at: float | None = None
        self._alive_wall: float | None = None
        self._trouble = QuietLog(_log, self._clock.monotonic)
        self._stopping = asyncio.Event()
        self._running = False
        self._task: asyncio.Task[None] | None = None

    def _begin_anew(self) -> None:
        """Begin anew after a fork: the parent runs it, on the parent's connection."""
        if self._running:
            abandon(self._task, self._stopping)
        self.failures = 0
        self._begin()

    @property
    def handled(self) -> int:
        """Number of events whose handler returned, of all streams that share their handling."""
        return self._consumer.handled

    @property
    def duplicates(self) -> int:
        """Number of copies left out, of all streams that share their handling."""
        return self._consumer.duplicates

    @property
    def foreign(self) -> int:
        """Number of events of another server left out, of all streams that share their handling."""
        return self._consumer.foreign

    @property
    def consumed(self) -> int:
        """Number of events that a wait consumed, of all streams that share their handling."""
        return self._consumer.consumed

    def has_handled(self, key: str) -> bool:
        """Tell if an event was handled; for ``client.backfill(seen=stream.has_handled)``.

        Args:
            key: The event's ``delivery_key``.

        Returns:
            True when it was, as far as that is remembered.
        """
        return self._consumer.has_handled(key)

    async def handle(self, event: Event[Any]) -> bool:
        """Handle an event from elsewhere, such as a backfill, like one that arrived here.

        Args:
            event: The event.

        Returns:
            True if its handler ran; False for a copy, for an event of another server, and for one
            that a wait has consumed, which counts as handled.

        Raises:
            Exception: Any error of the handler.
        """
        return await self._consumer.handle(event)

    @property
    def state(self) -> State:
        """Present state."""
        return self._state

    @property
    def connected(self) -> bool:
        """True while events arrive."""
        return self._state == "connected"

    @property
    def age_ms(self) -> float | None:
        """Time since the last sign of life of the server, in milliseconds; None before any.

        Signs are events and, on the socket, the server's pings (every 25 s unless configured).
        """
        return (
            None if self._alive_at is None else (self._clock.monotonic() - self._alive_at) * 1_000
        )

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
        # The curve of waits begins anew with every connection that stands; see _up().
        self._waits = waits_ms(self._reconnect, self._draw)
        try:
            while not self._stopping.is_set():
                self._state = "connecting"
                await self._once()
        finally:
            # It may be run again: nothing of this run is left.
            self._state = "stopped"
            self._running = False
            self._stopping.clear()

    async def _once(self) -> None:
        """Make one connection, and wait after its end."""
        try:
            await self._session()
        except ConnectionLostError as lost:
            problem = lost
        except (AuthenticationError, ConfigurationError):
            raise  # another attempt would fail in the same way
        except asyncio.CancelledError:
            # Libraries cancel futures of their own when a connection breaks: no order to stop.
            if is_cancelled():
                raise
            problem = ConnectionLostError("the connection broke off")
        except Exception as error:  # noqa: BLE001  libraries raise anything when answers are odd
            # Only the class of the error: its text may hold the address with its key.
            problem = ConnectionLostError(f"the connection failed with {type(error).__name__}")
        else:
            problem = ConnectionLostError(
                "stopped" if self._stopping.is_set() else "closed by the server"
            )
        if self._stopping.is_set():
            self._tell(StreamDisconnected(self.name, self._now(), problem.reason, None))
            return
        wait_ms = next(self._waits) if problem.wait_ms is None else problem.wait_ms
        self._state = "waiting"
        line = ("%s: %s; next try in %.0f ms", self.name, problem.reason, wait_ms)
        # A normal state, asked about once a second: whoever waits for an event is told it once.
        if problem.quiet:
            _log.log(logging.DEBUG if self._told_quiet else logging.INFO, *line)
            self._told_quiet = True
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
        """Note and report that the connection stands; waits begin anew."""
        since = self._alive_wall
        if since is not None and self._alive_at is not None:
            # A wall clock that was put back meanwhile would hide the gap, and the steady clock may
            # stand still while the machine sleeps. The longer of both gaps is the safe one.
            passed = self._clock.monotonic() - self._alive_at
            since = min(since, self._clock.time() - passed)
        # Before the first sign of life is noted: _alive() counts only while connected.
        self._state = "connected"
        self._waits = waits_ms(self._reconnect, self._draw)
        self._alive()
        self._trouble.over("connection", "%s: connected again", self.name)
        missing = None if since is None else datetime.fromtimestamp(since, tz=UTC)
        self._tell(StreamConnected(self.name, self._now(), missing))

    def _alive(self) -> None:
        """Note a sign of life; those of an attempt that fails do not count."""
        # An attempt that fails brought no events; it must not make the gap look shorter.
        if not self.connected:
            return
        self._alive_at = self._clock.monotonic()
        self._alive_wall = self._clock.time()

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.time(), tz=UTC)

    async def _pause(self, wait_ms: float) -> None:
        """Wait, but not beyond :meth:`stop`."""
        nap = asyncio.ensure_future(self._sleep(wait_ms / 1_000))
        stop = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({nap, stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Waited for as well, so that no task outlives the stream.
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
        """Report a handler that raised; an error of the report ends nothing."""
        self.failures += 1
        self._raised(f"the handler of {event.event}", error)
        if self._on_failure is None:
            return
        try:
            self._on_failure(event, error)
        except Exception as problem:  # noqa: BLE001  must not end the stream
            # Without a traceback: it shows the handler's own error, whose text may quote a message.
            self._raised("on_failure", problem)

    def _raised(self, who: str, error: Exception) -> None:
        tell_handler_failure(self._trouble, f"{self.name}: {who}", error, stream=self.name)

    def stop(self) -> None:
        """Stop it: no further events are taken, those begun are finished. Call it in its loop."""
        self._stopping.set()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.run(), name=self.name)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop()
        # Waited for, so that its error (a refused key) reaches the caller.
        task, self._task = self._task, None
        if task is not None:
            await task

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self._state})"


StreamTarget: TypeAlias = EventDispatcher | OnEvent | EventConsumer | Stream
"""Takes the events: a router, a function, or another stream, which shares its handling."""


def _consumer_of(to: StreamTarget, options: StreamOptions) -> EventConsumer:
    shared = to._consumer if isinstance(to, Stream) else to  # pyright: ignore[reportPrivateUsage] - of its own class
    given = [name for name in ("client", "dedupe", "server_url") if options.get(name) is not None]
    if not isinstance(shared, EventConsumer):
        return EventConsumer(
            shared,
            client=options.get("client"),
            dedupe=options.get("dedupe"),
            server_url=options.get("server_url"),
        )
    # Ignored in silence, a client would be missing in every handler.
    if given:
        raise ConfigurationError(
            f"{given[0]} belongs to the stream that this one shares its handling with",
            variable=given[0],
        )
    return shared


def is_cancelled() -> bool:
    """Tell if the running task was cancelled, and not only a future that it waits for."""
    # The count of cancel() calls tells an order to this task from a future that was cancelled.
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def missing_extra(extra: str, needs: str) -> EvolutionError:
    """Make the error for an extra that is not installed."""
    return ConfigurationError(
        f"This stream needs {needs}: pip install 'evolutionapi-sdk[{extra}]'.",
        variable=f"evolutionapi-sdk[{extra}]",
    )
