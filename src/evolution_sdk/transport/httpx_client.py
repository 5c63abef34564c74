"""Transports over a given httpx or httpx2 client: the user's, or our own.

The client's headers, authentication, cookies, proxies and event hooks stay in force. Redirects are
not followed, the limits of the call replace the client's timeouts, a response is read no further
than allowed, and the client is never closed here.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterable, Callable, Iterable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

from evolution_sdk._base.forking import check, in_child
from evolution_sdk._base.request import Request, Response, Timeouts
from evolution_sdk.errors import ClientClosedError, ConfigurationError

from ._answer import UNPACKABLE, ResponseReader
from ._body import DEFAULT_HEADERS, AsyncChunks, ChunkedBody, Chunks
from ._bounded import bind_to_deadline
from ._deadline import OverdueError
from ._httpcore import CONNECTED, close_unfinished, follow
from ._prepare import Prepared, RequestState, failure_of, prepare, seconds
from ._renew_pools import renew_pools
from ._stale import amark_reads, mark_reads, refuse_stale

__all__ = ["HttpxClientAsyncTransport", "HttpxClientSyncTransport", "check_client", "no_cookies"]

_LIBRARIES = ("httpx", "httpx2")


def check_client(client: object, wanted: str) -> None:
    """Refuse a client of the wrong kind.

    Args:
        client: The object passed as ``http_client``.
        wanted: ``AsyncClient`` or ``Client``.

    Raises:
        ConfigurationError: It is no such client of httpx or httpx2.
    """
    # By name, through all base classes: neither library has to be imported, subclasses count.
    names = {
        base.__name__
        for base in type(client).__mro__
        if base.__module__.split(".")[0] in _LIBRARIES
    }
    if wanted in names:
        return
    ours = "AsyncEvolutionClient" if wanted == "AsyncClient" else "EvolutionClient"
    given = type(client).__name__
    raise ConfigurationError(
        f"{ours} takes an httpx.{wanted} (or httpx2.{wanted}) as http_client, not {given!r}.",
        variable="http_client",
    )


class _KeepsNone(DefaultCookiePolicy):
    """Sends the cookies that were set by hand, and keeps none from responses."""

    def set_ok(self, cookie: object, request: object) -> bool:
        del cookie, request
        return False


def no_cookies() -> CookieJar:
    """Make a cookie jar that ignores responses, so that no call depends on an earlier one."""
    return CookieJar(_KeepsNone())


Entry = Callable[[str], str | None]
"""Returns the client method through which a call with an HTTP method must go; None for ``send``."""


class _HttpxClientTransport:
    """The part shared by both colours: build the library's request and read its response.

    Args:
        client: The client.
        entry: Names the client method for each call. Default: build a request, then ``send`` it.

    Attributes:
        http_client: The client.
    """

    def __init__(self, client: Any, *, entry: Entry = lambda _: None) -> None:
        self.http_client: Any = client
        self._entry = entry
        self._closed = False
        self._shared = False
        in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        # Refused at the first call and not here: the process may never use this client.
        self._shared = not renew_pools(self.http_client)

    def _prepare(self, request: Request) -> Prepared:
        check()
        prepared = prepare(request, closed=self._closed)
        if self._shared:
            raise ConfigurationError(
                "This process was forked, and the http_client has a transport whose connections "
                "cannot be made anew: answers of the other process would be taken for ours. Make "
                "the http_client and this client in the process that uses them.",
                variable="http_client",
            )
        if self.http_client.is_closed:
            raise ClientClosedError(
                "The http_client passed in has been closed. Keep it open as long as this client."
            )
        # The client has its own defaults and credentials, which must win over ours.
        given = {name.lower() for name in request.headers}
        for name in ("host", "authorization", *DEFAULT_HEADERS):
            if name not in given:
                prepared.headers.pop(name, None)
        return prepared

    def _build(
        self,
        request: Request,
        prepared: Prepared,
        content: bytes | Iterable[bytes] | AsyncIterable[bytes] | None,
        state: RequestState,
        trace: Any,
    ) -> Any:
        built = self.http_client.build_request(
            request.method,
            request.url,
            headers=prepared.headers,
            content=content,
            timeout=_limits(request, state),
            extensions={"trace": trace},
        )
        # Only these encodings can be decoded with a bound on the decoded size.
        asked = (name.strip() for name in built.headers.get("accept-encoding", "").split(","))
        kept = [name for name in asked if name.partition(";")[0].lower() in UNPACKABLE]
        built.headers["accept-encoding"] = ", ".join(kept) or "identity"
        return built

    def _begin(
        self,
        request: Request,
        prepared: Prepared,
        content: bytes | Iterable[bytes] | AsyncIterable[bytes] | None,
        state: RequestState,
        trace: Any,
    ) -> Any:
        """Call the replaced method of the client, which reads the response itself.

        Returns:
            The response or an awaitable of it; None if no method was replaced.
        """
        name = self._entry(request.method)
        if name is None:
            return None
        # ``httpx.get`` and others take no content at all, not even None.
        arguments: dict[str, Any] = {} if content is None else {"content": content}
        return getattr(self.http_client, name)(
            *((request.method,) if name == "request" else ()),
            request.url,
            headers=prepared.headers,
            timeout=_limits(request, state),
            follow_redirects=False,
            extensions={"trace": trace},
            **arguments,
        )


def _limits(request: Request, state: RequestState) -> tuple[float | None, ...]:
    limits: Timeouts = request.timeouts
    steps = (limits.connect_ms, limits.read_ms, limits.write_ms, limits.pool_ms)
    return tuple(state.deadline.left_s(seconds(step)) for step in steps)


class _Trace(RequestState):
    """Progress of one request, from the trace events of the library."""

    __slots__ = ()

    def note(self, event: str, info: dict[str, Any]) -> None:
        """Take one event of a blocking client, and bind its new connections to the deadline."""
        follow(self, event, info)
        if event.endswith(CONNECTED):
            bind_to_deadline(self.stream)
            mark_reads(self.stream)

    async def anote(self, event: str, info: dict[str, Any]) -> None:
        """Take one event of an async client."""
        follow(self, event, info)
        if event.endswith(CONNECTED):
            amark_reads(self.stream)


class HttpxClientAsyncTransport(_HttpxClientTransport):
    """Async transport over a given ``AsyncClient``."""

    async def send(self, request: Request) -> Response:
        """Send a request and read the whole response; see ``AsyncTransport.send``."""
        prepared = self._prepare(request)
        body = prepared.body
        content = AsyncChunks(body) if isinstance(body, ChunkedBody) else body
        state = _Trace(request)
        timer = asyncio.timeout(state.deadline.left_s())
        try:
            async with timer:
                begun = self._begin(request, prepared, content, state, state.anote)
                if begun is not None:
                    return _taken(await begun if inspect.isawaitable(begun) else begun, state)
                built = self._build(request, prepared, content, state, state.anote)
                return await self._exchange(built, state)
        except TimeoutError as error:
            # Our own timer means that the attempt is over; any other is the library's or a hook's.
            overdue = OverdueError() if timer.expired() else error
            raise failure_of(overdue, prepared.origin, sent=state.sent) from error
        except Exception as error:
            raise failure_of(error, prepared.origin, sent=state.sent) from error

    async def _exchange(self, built: Any, state: RequestState) -> Response:
        try:
            answer = await self.http_client.send(built, stream=True, follow_redirects=False)
        except BaseException:
            await close_unfinished(state)
            raise
        try:
            # The client's own pool may have kept a connection with a response too many.
            refuse_stale(answer)
            if answer.is_stream_consumed:  # an event hook read it, or a mock made it
                return _taken(answer, state)
            reader = ResponseReader(answer.status_code, _headers(answer), state.most_bytes)
            pieces = answer.aiter_raw()
            async for piece in pieces:
                if not reader.feed(piece):
                    await pieces.aclose()
                    break
            return reader.response()
        finally:
            await answer.aclose()

    async def close(self) -> None:
        """Stop using the client; it stays open."""
        self._closed = True


class HttpxClientSyncTransport(_HttpxClientTransport):
    """Blocking transport over a given ``Client``."""

    def send(self, request: Request) -> Response:
        """Send a request and read the whole response; see ``SyncTransport.send``."""
        prepared = self._prepare(request)
        body = prepared.body
        content = Chunks(body) if isinstance(body, ChunkedBody) else body
        state = _Trace(request)
        try:
            with state.deadline:
                begun = self._begin(request, prepared, content, state, state.note)
                if begun is not None:
                    return _taken(begun, state)
                built = self._build(request, prepared, content, state, state.note)
                return self._exchange(built, state)
        except Exception as error:
            raise failure_of(error, prepared.origin, sent=state.sent) from error

    def _exchange(self, built: Any, state: RequestState) -> Response:
        answer = self.http_client.send(built, stream=True, follow_redirects=False)
        try:
            refuse_stale(answer)
            if answer.is_stream_consumed:
                return _taken(answer, state)
            reader = ResponseReader(answer.status_code, _headers(answer), state.most_bytes)
            for piece in answer.iter_raw():
                if not reader.feed(piece):
                    break
                # For a client whose connections could not be bound to the deadline.
                if state.deadline.left_s() == 0:
                    raise OverdueError
            return reader.response()
        finally:
            answer.close()

    def close(self) -> None:
        """Stop using the client; it stays open."""
        self._closed = True


def _headers(answer: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items()}


def _taken(answer: Any, state: RequestState) -> Response:
    """Make the response from an answer that the library has read and decoded already."""
    headers = _headers(answer)
    headers.pop("content-encoding", None)  # or the decoded body would be decoded again
    reader = ResponseReader(answer.status_code, headers, state.most_bytes)
    reader.feed(answer.content)
    return reader.response()
