"""One call, from left to right: request → retry(transport) → parse → observe."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic_core import to_json

from evolution_sdk._core.answers import downloaded, retry_after_ms, server_time
from evolution_sdk._core.build import Limits, form_fields, query_for, upload_ms, url_for
from evolution_sdk._core.hub import EventHub
from evolution_sdk._core.operation import Operation
from evolution_sdk._core.options import (
    CALL_KEYS,
    ONCE,
    CallOptions,
    check_options,
    check_timeout,
)
from evolution_sdk._core.request import FilePart, Request, Response, Timeouts
from evolution_sdk.config import EvolutionConfig
from evolution_sdk.errors import (
    ClientClosedError,
    EvolutionError,
    RateLimitError,
)
from evolution_sdk.retry import EvolutionRetryService, OnUnknown, RetryPolicy

from ._seam import Signal, Transport, sleep
from .reconciler import Reconciler
from .turns import Turns

T = TypeVar("T")

_log = logging.getLogger("evolution_sdk")
_MOST_URLS = 4_096


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
        self.reconciler: Reconciler = Reconciler(self)
        self.hub: EventHub = EventHub()
        self._turns = Turns()
        if timeout_ms is not None:
            check_timeout(timeout_ms)
        self._timeout_ms = timeout_ms
        times = config.timeout
        self._limits = Limits(times.connect_ms, times.read_ms, times.send_ms, times.media_ms)
        self._api_key = config.api_key.get_secret_value()
        self._server_key = config.server_key.get_secret_value()
        self._urls: dict[tuple[str, str | None], str] = {}
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

        Returns:
            The typed result.

        Raises:
            EvolutionError: Any of the errors of :mod:`evolution_sdk.errors`.
        """
        if self.closed:
            raise ClientClosedError
        given: CallOptions = options or {}
        if given:
            check_options(given, known_options, operation.name)
        request = self._request(operation, target, body, path, query, headers, file, hold_ms, given)
        if self.reconciler.can_resolve(operation):
            return await self._send(operation, target, request, given, body or {}, hold_ms)

        async def attempt(_number: int) -> T:
            return await self._exchange(operation, target, request)

        return await self.retry.run_async(
            attempt,
            operation.name,
            effect=operation.effect,
            policy=_policy(given),
            on_unknown=_on_unknown(given),
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
    ) -> T:
        """Send a message: claim what was sent, and look for it when no answer tells."""
        key = hash((target.instance, operation.name, request.content, request.fields))
        begun = self.wall_clock()

        async def attempt(_number: int) -> T:
            await self._turns.begin(key)
            try:
                result = await self._exchange(operation, target, request)
                self.reconciler.claim(result)
                return result
            finally:
                self._turns.end(key)

        async def resolve(error: EvolutionError) -> Any:
            async with self._turns.looking(key):
                return await self.reconciler.resolve(operation, target, body, error, begun, hold_ms)

        result: T = await self.retry.run_async(
            attempt,
            operation.name,
            effect=operation.effect,
            policy=_policy(options),
            on_unknown=_on_unknown(options),
            resolve=resolve,
            instance=target.instance,
        )
        return result

    async def _exchange(self, operation: Operation[T], target: Target, request: Request) -> T:
        """One attempt: send, parse, name the call in errors, report drift without raising."""
        try:
            response = await self.transport.send(request)
            return self._understood(operation, response)
        except EvolutionError as error:
            error.operation, error.instance = operation.name, target.instance
            raise

    def _understood(self, operation: Operation[T], response: Response) -> T:
        self._seen = (response.headers, self.wall_clock())
        try:
            decoded = operation.decode(response.status, response.body)
        except RateLimitError as error:
            error.retry_after_ms = retry_after_ms(response.headers, self.wall_clock())
            raise
        if decoded.drift:
            _log.warning(
                "%s answered HTTP %s with a shape this SDK does not know: %s. "
                "The result keeps the raw data.",
                operation.name,
                response.status,
                ", ".join(decoded.drift),
            )
        return decoded.value

    def _request(
        self,
        operation: Operation[Any],
        target: Target,
        body: Mapping[str, Any] | None,
        path: Mapping[str, str] | None,
        query: Mapping[str, str | None] | None,
        extra: Mapping[str, str] | None,
        file: FilePart | None,
        hold_ms: float,
        options: CallOptions,
    ) -> Request:
        if path is None:
            url = self._url(operation, target.instance)
        else:
            url = url_for(self.config.base_url, operation, target.instance, path)
        if query:
            url += query_for(operation, query)
        headers = {"accept": "application/json", **(extra or {})}
        key = self._key(operation, target)
        if key is not None:
            headers["apikey"] = key
        content: bytes | None = None
        fields: tuple[tuple[str, str], ...] = ()
        if file is not None:
            fields = form_fields(body or {})
        elif body is not None:
            content = to_json(body)
            headers["content-type"] = "application/json"
        chosen = options.get("timeout_ms", self._timeout_ms)
        timeouts = self._limits.for_call(operation, chosen, hold_ms + upload_ms(content, file))
        return Request(operation.method, url, headers, timeouts, content, fields, file)

    def _url(self, operation: Operation[Any], instance: str | None) -> str:
        cache_key = (operation.name, instance)
        url = self._urls.get(cache_key)
        if url is None:
            url = url_for(self.config.base_url, operation, instance)
            if len(self._urls) >= _MOST_URLS:
                self._urls.clear()
            self._urls[cache_key] = url
        return url

    def _key(self, operation: Operation[Any], target: Target) -> str | None:
        if operation.auth == "none":
            return None
        return self._server_key if operation.auth == "global" else target.token or self._api_key

    def clock_skew(self) -> float | None:
        """Seconds that the server's clock is ahead of ours, by its last answer; None if unknown."""
        if self._seen is None:
            return None
        headers, seen_at = self._seen
        told = server_time(headers)
        return None if told is None else told - seen_at

    async def download(self, url: str, limit_bytes: int) -> tuple[bytes, str | None]:
        """Fetch a file that the server could not reach itself; without our key.

        Raises:
            RequestValidationError: It could not be fetched, or is larger than allowed.
            TransportError: No answer came.
        """
        if self.closed:
            raise ClientClosedError
        media = self._limits.media_ms
        timeouts = Timeouts(self._limits.connect_ms, media, media, media)
        response = await self.transport.send(Request("GET", url, {}, timeouts))
        return downloaded(response, limit_bytes)

    async def sleep(self, milliseconds: float) -> None:
        """Wait, by the client's own clock."""
        await sleep(milliseconds / 1_000)

    async def pause(self, signal: Signal, milliseconds: float) -> None:
        """Wait, but not beyond a signal."""
        await signal.wait(milliseconds / 1_000)

    async def close(self) -> None:
        """Close the connections; calls afterwards raise ClientClosedError."""
        if not self.closed:
            self.closed = True
            await self.transport.close()


def _on_unknown(options: Mapping[str, Any]) -> OnUnknown:
    chosen: OnUnknown = options.get("on_unknown", "reconcile")
    return chosen


def _policy(options: CallOptions) -> RetryPolicy | None:
    policy = options.get("retry")
    return ONCE if policy is False else policy
