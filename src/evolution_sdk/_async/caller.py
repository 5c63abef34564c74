"""One call, from left to right: request → retry(transport) → parse → observe."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from evolution_sdk._core.answers import downloaded, retry_after_ms, server_time
from evolution_sdk._core.hub import EventHub
from evolution_sdk._core.observe import Observers, Watch
from evolution_sdk._core.operation import Operation
from evolution_sdk._core.options import (
    CALL_KEYS,
    ONCE,
    CallOptions,
    check_options,
    check_timeout,
)
from evolution_sdk._core.outgoing import Outgoing
from evolution_sdk._core.past_gates import PAST_GATES
from evolution_sdk._core.quiet_log import QuietLog
from evolution_sdk._core.request import FilePart, Request, Response
from evolution_sdk._core.shapes import is_object
from evolution_sdk.config import EvolutionConfig
from evolution_sdk.errors import (
    ClientClosedError,
    EvolutionError,
    RateLimitError,
    ServerError,
)
from evolution_sdk.resilience.states import Ticket
from evolution_sdk.retry import EvolutionRetryService, OnUnknown, RetryPolicy
from evolution_sdk.retry.switches import WAITS_OFF

from ._seam import Signal, Transport, sleep
from .gates import Gates
from .reconciler import Lost, Reconciler
from .turns import Turns

T = TypeVar("T")

_log = logging.getLogger("evolution_sdk")


@dataclass(frozen=True, slots=True)
class Target:
    """Which instance a call is for.

    Attributes:
        instance: Its name, or None for calls about the server.
        token: Its own key, or None to use the client's.
    """

    instance: str | None = None
    token: str | None = None


class Caller:
    """Everything a resource needs to make calls; shared by all handles of one client."""

    def __init__(
        self,
        config: EvolutionConfig,
        transport: Transport,
        retry: EvolutionRetryService,
        *,
        timeout_ms: float | None = None,
        wall_clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.config = config
        self.retry = retry
        self.transport = transport
        self.wall_clock = wall_clock
        self.monotonic = monotonic
        self.closed: bool = False
        self.observers: Observers = Observers()
        self.reconciler: Reconciler = Reconciler(self)
        self.gates: Gates = Gates(self)
        self.hub: EventHub = EventHub()
        self._turns = Turns()
        if timeout_ms is not None:
            check_timeout(timeout_ms)
        self._timeout_ms = timeout_ms
        self._outgoing = Outgoing(config)
        self._odd = QuietLog(_log, lambda: self.monotonic())
        self._seen: tuple[Mapping[str, str], float] | None = None

    async def call(
        self,
        operation: Operation[T],
        target: Target,
        body: Mapping[str, Any] | None = None,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str | None] | None = None,
        headers: Mapping[str, str] | None = None,
        file: FilePart | None = None,
        hold_ms: float = 0,
        options: CallOptions | None = None,
        known_options: frozenset[str] = CALL_KEYS,
        direct: bool = False,
    ) -> T:
        """Make one call of the API, with retries.

        Args:
            operation: What to call.
            target: For which instance.
            body: JSON body, or the text fields next to ``file``.
            path: Values of the route's placeholders beside the instance.
            query: Query values by key.
            headers: Further headers, with lower-case names.
            file: The file part of a multipart request.
            hold_ms: How long the server will hold the answer on purpose, in milliseconds.
            options: The caller's options.
            known_options: The options that have an effect on this call.
            direct: Past breaker, limiter and bulkhead: for look-ups and probes, which must be
                able to find out whether the server is back.

        Returns:
            The typed result.

        Raises:
            EvolutionError: Any of the errors of :mod:`evolution_sdk.errors`.
        """
        if self.closed:
            raise ClientClosedError
        direct = direct or PAST_GATES.get()
        given: CallOptions = options or {}
        if given:
            check_options(given, known_options, operation.name)
        chosen_ms = given.get("timeout_ms", self._timeout_ms)
        most_ms = (_policy(given) or self.retry.policy).attempt_timeout_ms
        request = self._outgoing.request(
            operation, target.instance, target.token, body, path, query, headers, file,
            (hold_ms, chosen_ms, most_ms),
        )  # fmt: skip
        watch: Watch | None = None
        if self.observers:
            watch = Watch(
                self.observers, operation, target.instance, self.wall_clock(), self.monotonic
            )
        try:
            result = await self._run(
                operation, target, request, given, body or {}, hold_ms, watch, direct
            )
        except BaseException as error:
            if watch is not None:
                watch.finished(error, None)
            raise
        finally:
            if self.gates.cache is not None:
                self.gates.changed(operation, target, body, query)
        if watch is not None:
            watch.finished(None, result)
        return result

    async def _run(
        self,
        operation: Operation[T],
        target: Target,
        request: Request,
        options: CallOptions,
        body: Mapping[str, Any],
        hold_ms: float,
        watch: Watch | None,
        direct: bool,
    ) -> T:
        if self.reconciler.can_resolve(operation):
            return await self._send(operation, target, request, options, body, hold_ms, watch)

        async def attempt(_number: int) -> T:
            if self.gates.limiter is None or direct:
                return await self._exchange(operation, target, request, watch, direct)
            ticket = await self.gates.pace(operation, target.instance, body)
            try:
                return await self._exchange(operation, target, request, watch, ticket=ticket)
            except BaseException as error:
                await self.gates.unused(ticket, error)
                raise

        return await self.retry.run_async(
            attempt,
            operation.name,
            effect=operation.effect,
            policy=_policy(options),
            on_unknown=_on_unknown(options),
            instance=target.instance,
        )

    async def _send(
        self,
        operation: Operation[T],
        target: Target,
        request: Request,
        options: CallOptions,
        body: Mapping[str, Any],
        hold_ms: float,
        watch: Watch | None,
    ) -> T:
        """Send a message: claim what was sent, and look for it when no answer tells."""
        key = hash((target.instance, operation.name, request.content, request.fields))
        begun = self.wall_clock()

        async def attempt(_number: int) -> T:
            ticket: Ticket | None = None
            if self.gates.limiter is not None:
                ticket = await self.gates.pace(operation, target.instance, body)
            try:
                await self._turns.begin(key)
                try:
                    result = await self._exchange(operation, target, request, watch, ticket=ticket)
                    self.reconciler.answered(target, body, result)
                    return result
                finally:
                    self._turns.end(key)
            except BaseException as error:
                if ticket is not None:
                    await self.gates.unused(ticket, error)
                raise

        on_unknown = _on_unknown(options)

        async def resolve(error: EvolutionError) -> Any:
            resend = on_unknown == "resend"
            limit_ms = self._outgoing.patience_ms(operation)
            lost = Lost(operation, target, body, error, begun, hold_ms, limit_ms, resend)
            async with self._turns.looking(key):
                return await self.reconciler.resolve(lost)

        result: T = await self.retry.run_async(
            attempt,
            operation.name,
            effect=operation.effect,
            policy=_policy(options),
            on_unknown=on_unknown,
            resolve=resolve,
            instance=target.instance,
        )
        return result

    async def _exchange(
        self,
        operation: Operation[T],
        target: Target,
        request: Request,
        watch: Watch | None = None,
        direct: bool = False,
        ticket: Ticket | None = None,
    ) -> T:
        """One attempt: send, parse, name the call in errors, report drift without raising."""
        if watch is not None:
            watch.attempt_begins()
        try:
            if direct:
                result = self._understood(operation, await self.transport.send(request))
            else:
                result = await self._gated(operation, target.instance, request, ticket)
        except EvolutionError as error:
            error.operation, error.instance = operation.name, target.instance
            if watch is not None:
                watch.attempt_ends(error)
            raise
        if watch is not None:
            watch.attempt_ends(None)
        return result

    async def _gated(
        self,
        operation: Operation[T],
        instance: str | None,
        request: Request,
        ticket: Ticket | None,
    ) -> T:
        gates = self.gates
        if gates.bulkhead is not None:
            await gates.bulkhead.enter(instance)
        entry = gates.enter(operation, instance)
        if ticket is not None:
            ticket.handed_over = True
        try:
            result = self._understood(operation, await self.transport.send(request))
        except BaseException as error:
            await gates.failed(entry, operation, instance, error)
            raise
        gates.left(entry, instance)
        return result

    def _understood(self, operation: Operation[T], response: Response) -> T:
        self._seen = (response.headers, self.wall_clock())
        try:
            decoded = operation.decode(response.status, response.body)
        except (RateLimitError, ServerError) as error:
            error.retry_after_ms = retry_after_ms(response.headers, self.wall_clock())
            raise
        if decoded.drift:
            self._odd.trouble(
                (operation.name, decoded.drift),
                "%s answered HTTP %s with a shape this SDK does not know: %s. "
                "The result keeps the raw data.",
                operation.name,
                response.status,
                ", ".join(decoded.drift),
            )
        self.reconciler.observe(operation, decoded.value)
        return decoded.value

    def clock_skew(self) -> float | None:
        """Seconds that the server's clock is ahead of ours, by its last answer; None if unknown."""
        if self._seen is None:
            return None
        headers, seen_at = self._seen
        told = server_time(headers)
        return None if told is None else told - seen_at

    def server_clock(self) -> float:
        """Now by the server's clock, in unix seconds; by ours while its own is unknown."""
        return self.wall_clock() + (self.clock_skew() or 0.0)

    async def look_up(
        self,
        operation: Operation[T],
        target: Target,
        body: Mapping[str, Any] | None = None,
    ) -> T:
        """A read of the reconciler's: the one place through which it asks the server."""
        return await self.call(operation, target, body, direct=True)

    async def download(self, url: str, limit_bytes: int) -> tuple[bytes, str | None]:
        """Fetch a file that the server could not reach itself; without our key.

        Raises:
            RequestValidationError: It could not be fetched, or is larger than allowed.
            TransportError: No answer came.
        """
        if self.closed:
            raise ClientClosedError
        response = await self.transport.send(self._outgoing.download(url))
        return downloaded(response, limit_bytes)

    async def sleep(self, milliseconds: float) -> None:
        """Wait, by the client's own clock."""
        if not WAITS_OFF.get():
            await sleep(milliseconds / 1_000)

    async def rest(self, signal: Signal, milliseconds: float) -> None:
        """Wait until a signal is set, for some time at most."""
        if not WAITS_OFF.get():
            await signal.wait(milliseconds / 1_000)

    async def pause(self, signal: Signal, milliseconds: float) -> None:
        """Wait for something to happen, for some time at most; a wait that no switch leaves out."""
        await signal.wait(milliseconds / 1_000)

    def heard(self, event: object) -> None:
        """Take an event in, typed or as it came: for waits and for lost sends; never raises."""
        try:
            # Loaded with the first event: the typed events would slow down every start.
            from evolution_sdk.events import Event, parse_event

            typed: Any = event
            if not isinstance(event, Event):
                typed = parse_event(typed)
            self.reconciler.witness(typed.raw)
            if is_object(typed.raw):  # hidden ids are told by messages of others, too
                self.reconciler.lids.learn(typed.raw.get("data"))
            self.hub.feed(typed)
        except Exception as error:  # noqa: BLE001 - whoever receives events must not fail by it
            _log.debug("an event could not be taken in: %s", type(error).__name__)

    async def close(self) -> None:
        """Close the connections; calls afterwards raise ClientClosedError."""
        if not self.closed:
            self.closed = True
            await self.gates.close()
            await self.transport.close()


def _on_unknown(options: Mapping[str, Any]) -> OnUnknown:
    chosen: OnUnknown = options.get("on_unknown", "reconcile")
    return chosen


def _policy(options: CallOptions) -> RetryPolicy | None:
    policy = options.get("retry")
    return ONCE if policy is False else policy
