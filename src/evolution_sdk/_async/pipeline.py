"""One call, from left to right: request → retry(transport) → parse → observe."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from evolution_sdk._base.context import BYPASS_GUARDS, SKIP_RETRY_WAITS
from evolution_sdk._base.forking import check
from evolution_sdk._base.harmless import harmless, quiet_logger
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk._base.request import FilePart, Request, Response
from evolution_sdk._client.observers import Observers, Watch
from evolution_sdk._client.options import (
    CALL_KEYS,
    CallOptions,
    check_options,
    check_timeout,
    on_unknown_of,
    policy_of,
)
from evolution_sdk.config import EvolutionConfig
from evolution_sdk.config._switched_on import SwitchedOn
from evolution_sdk.errors import (
    AuthenticationError,
    ClientClosedError,
    EvolutionError,
    RateLimitError,
    ServerError,
)
from evolution_sdk.operations.answers import retry_after_ms
from evolution_sdk.operations.echo import hide_echo
from evolution_sdk.operations.operation import Operation, SentKind
from evolution_sdk.operations.oversized import refuse_oversized
from evolution_sdk.operations.request_builder import RequestBuilder
from evolution_sdk.reconcile.send_ledger import Send
from evolution_sdk.reconcile.server_clock import Moment
from evolution_sdk.resilience.states import Ticket
from evolution_sdk.retry import EvolutionRetryService
from evolution_sdk.retry.service import runner_of
from evolution_sdk.tracking.event_bus import EventBus
from evolution_sdk.tracking.hearing import Hearing

from ._seam import Signal, Transport, sleep
from .fetching import Fetching
from .guards import Gates
from .reconciler import Reconciler
from .send_lock import KeyedSendLock
from .send_search import Lost

T = TypeVar("T")

_log = quiet_logger("evolution_sdk")


@dataclass(frozen=True, slots=True)
class Target:
    """Which instance a call is for.

    Attributes:
        instance: Its name, or None for calls about the server.
        token: Its own key, or None to use the client's.
    """

    instance: str | None = None
    token: str | None = None


class Pipeline:
    """Everything a resource needs to make calls; shared by all handles of one client."""

    def __init__(
        self,
        config: EvolutionConfig,
        transport: Transport,
        retry: EvolutionRetryService,
        *,
        timeout_ms: float | None = None,
        key_source: str = "EVOLUTION_API_KEY",
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
        self.hub: EventBus = EventBus()
        self.hearing: Hearing = Hearing(self.reconciler.witness, self.reconciler.lids, self.hub)
        self.fetching: Fetching = Fetching(config, monotonic)
        self._turns = KeyedSendLock()
        if timeout_ms is not None:
            check_timeout(timeout_ms)
        self._timeout_ms = timeout_ms
        self._outgoing = RequestBuilder(config, key_source)
        switched_on = SwitchedOn(config, monotonic())
        self.switched_on: SwitchedOn | None = switched_on or None
        self._odd = QuietLog(_log, lambda: self.monotonic())

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
        check()
        if self.switched_on is not None and self.switched_on.look(self.monotonic()):
            self.switched_on = None
        direct = direct or BYPASS_GUARDS.get()
        given: CallOptions = options or {}
        if given:
            check_options(given, known_options, operation.name)
        chosen_ms = given.get("timeout_ms", self._timeout_ms)
        most_ms = (policy_of(given) or self.retry.policy).attempt_timeout_ms
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
                harmless(self.gates.changed, operation, target, body, query)
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
        if operation.recognised_as is not None:
            return await self._send(
                operation, operation.recognised_as, target, request, options, body, hold_ms, watch
            )

        async def attempt(_number: int) -> T:
            if self.gates.limiter is None or direct:
                return await self._exchange(operation, target, request, watch, direct)
            ticket = await self.gates.pace(operation, target.instance, body)
            try:
                return await self._exchange(operation, target, request, watch, ticket=ticket)
            except BaseException as error:
                await self.gates.unused(ticket, error)
                raise

        return await runner_of(self.retry).run_async(
            attempt,
            operation.name,
            effect=operation.effect,
            policy=policy_of(options),
            on_unknown=on_unknown_of(options),
            instance=target.instance,
        )

    async def _send(
        self,
        operation: Operation[T],
        kind: SentKind,
        target: Target,
        request: Request,
        options: CallOptions,
        body: Mapping[str, Any],
        hold_ms: float,
        watch: Watch | None,
    ) -> T:
        """Send a message: claim what was sent, and look for it when no answer tells."""
        key = hash((target.instance, operation.name, request.content, request.fields, request.file))
        send = Send(target.instance, kind, body, key, operation.channels)
        reconciler, limit_ms = self.reconciler, self._outgoing.patience_ms(operation)

        async def attempt(_number: int) -> T:
            ticket: Ticket | None = None
            if self.gates.limiter is not None:
                ticket = await self.gates.pace(operation, target.instance, body)
            try:
                await self._turns.begin(key)
                try:
                    asked = reconciler.begin(send)
                    try:
                        result = await self._exchange(
                            operation, target, request, watch, ticket=ticket
                        )
                    except BaseException as error:
                        harmless(reconciler.failed, send, error, hold_ms + limit_ms)
                        raise
                    harmless(reconciler.answered, send, result, asked)
                    return result
                finally:
                    self._turns.end(key)
            except BaseException as error:
                if ticket is not None:
                    await self.gates.unused(ticket, error)
                raise

        on_unknown = on_unknown_of(options)

        async def resolve(error: EvolutionError) -> Any:
            resend = on_unknown == "resend"
            lost = Lost(send, operation, target, error, hold_ms, limit_ms, resend)
            async with self._turns.looking(key):
                return await reconciler.resolve(lost)

        try:
            result: T = await runner_of(self.retry).run_async(
                attempt,
                operation.name,
                effect=operation.effect,
                policy=policy_of(options),
                on_unknown=on_unknown,
                resolve=resolve,
                instance=target.instance,
            )
        finally:
            harmless(reconciler.ledger.close, send)
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
            if isinstance(error, AuthenticationError):
                self._outgoing.name_key(error, operation, target.token)
            harmless(hide_echo, error, operation, request, self._outgoing.keys)
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
        harmless(self.reconciler.clock.dated, response.headers, self.moment())
        try:
            refuse_oversized(operation, response)
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
        harmless(self.reconciler.observe, operation, decoded.value)
        return decoded.value

    def moment(self) -> Moment:
        """Now, on both of our clocks."""
        return Moment(self.monotonic(), self.wall_clock())

    async def look_up(
        self,
        operation: Operation[T],
        target: Target,
        body: Mapping[str, Any] | None = None,
    ) -> T:
        """A read of the reconciler's: the one place through which it asks the server."""
        return await self.call(operation, target, body, direct=True)

    async def download(self, url: str, limit_bytes: int) -> tuple[bytes, str | None]:
        """Fetch a file from elsewhere; without our key, and not from inside our own network.

        Args:
            url: Where it is.
            limit_bytes: Most bytes of content.

        Raises:
            RequestValidationError: It could not be fetched, or is larger than allowed.
            TransportError: No answer came; no message had gone out.
        """
        if self.closed:
            raise ClientClosedError
        check()
        return await self.fetching.get(url, limit_bytes)

    async def sleep(self, milliseconds: float) -> None:
        """Wait, by the client's own clock."""
        if not SKIP_RETRY_WAITS.get():
            await sleep(milliseconds / 1_000)

    async def rest(self, signal: Signal, milliseconds: float) -> None:
        """Wait until a signal is set, for some time at most."""
        if not SKIP_RETRY_WAITS.get():
            await signal.wait(milliseconds / 1_000)

    async def pause(self, signal: Signal, milliseconds: float) -> None:
        """Wait for something to happen, for some time at most; a wait that no switch leaves out."""
        await signal.wait(milliseconds / 1_000)

    async def close(self) -> None:
        """Close the connections; calls afterwards raise ClientClosedError."""
        if not self.closed:
            self.closed = True
            if self.switched_on is not None:
                self.switched_on.tell()
            await self.gates.close()
            await self.transport.close()
