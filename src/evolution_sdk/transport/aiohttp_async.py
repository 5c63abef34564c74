"""The fast async transport, over aiohttp (extra ``aiohttp``)."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from evolution_sdk._base.forking import abandon, check, in_child
from evolution_sdk._base.network import check_host
from evolution_sdk._base.request import Request, Response, Timeouts, basic_auth
from evolution_sdk.errors import ConfigurationError

from ._aiohttp_direct import exchange, is_possible, make_template
from ._answer import ResponseReader, header_map
from ._body import ChunkedBody, Chunks, read_piece
from ._deadline import OverdueError
from ._options import TransportOptions
from ._prepare import LoopGuard, Prepared, RequestState, check_open, failure_of, prepare, seconds
from ._slots import ConnectionSlots
from ._tls import tls_context
from ._url import Origin, credentials_of, proxy_for

__all__ = ["AiohttpAsyncTransport", "LostAnswerError", "SlowWriteError"]


class SlowWriteError(TimeoutError):
    """A piece of the body could not be written in time."""


class LostAnswerError(Exception):
    """The connection broke before the response arrived."""


class _PiecesPayload(aiohttp.Payload):
    """Large or multipart body, written piece by piece with a time limit on each.

    aiohttp itself has no time limit on writing, and warns of large bodies given as bytes.
    """

    def __init__(self, body: ChunkedBody, timeout_s: float | None) -> None:
        super().__init__(body)
        self._body = body
        self._timeout_s = timeout_s
        self._size = body.length

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return b"".join(Chunks(self._body)).decode(encoding, errors)

    async def write(self, writer: Any) -> None:
        for piece in self._body.pieces():
            data = await read_piece(*piece)
            try:
                async with asyncio.timeout(self._timeout_s):
                    await writer.write(data)
            except TimeoutError:
                raise SlowWriteError from None


class _Answer(aiohttp.ClientResponse):
    """Response class that keeps aiohttp from repeating GET, PUT and DELETE after a lost connection.

    Only the retry service may repeat a call: a lost DELETE may have been done.
    """

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        try:
            return await super().start(connection)
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
            raise LostAnswerError from error


class AiohttpAsyncTransport:
    """Async transport over aiohttp; bound to one event loop at a time."""

    def __init__(self, options: TransportOptions) -> None:
        self._options = options
        self._guard = LoopGuard()
        self._closed = False
        self._session: aiohttp.ClientSession | None = None
        self._routes: dict[Origin, _Route] = {}
        self._slots = ConnectionSlots(options.max_connections)
        in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        """Drop the parent's connections after a fork; they belong to a loop of the parent."""
        if self._session is not None:
            abandon(self._session, self._routes, self._slots)
        self._guard = LoopGuard()
        self._session = None
        self._routes = {}

    async def send(self, request: Request) -> Response:
        """Send a request and read the whole response; see ``AsyncTransport.send``."""
        check()
        prepared = prepare(request, closed=self._closed)
        origin, state = prepared.origin, RequestState(request)
        state.sent = False  # until aiohttp reports a connection, see ``_tracing``
        try:
            if self._guard.entered_new_loop() or self._session is None:
                self._session = self._open()
            # In locals: a new event loop replaces both while this call waits.
            session, slots = self._session, self._slots
            await slots.acquire(state.deadline.left_s(seconds(request.timeouts.pool_ms)))
            try:
                check_open(closed=self._closed)
                return await self._bounded(session, request, prepared, state)
            finally:
                slots.release()
        except Exception as error:
            raise failure_of(error, origin, sent=state.sent) from error

    async def close(self) -> None:
        """Close all connections."""
        self._closed = True
        session, self._session = self._session, None
        if session is not None and self._guard.is_current():
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        """Make a session for the running loop, and drop the one of a closed loop."""
        # Detached, not closed: its connections belong to a loop that runs no more.
        if self._session is not None:
            self._session.detach()
        self._slots = ConnectionSlots(self._options.max_connections)
        self._routes.clear()
        connector = aiohttp.TCPConnector(
            # The slots limit the connections, with a time limit of their own.
            limit=0,
            keepalive_timeout=self._options.keepalive_expiry_ms / 1000,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),  # no call depends on an earlier response
            response_class=_Answer,
            auto_decompress=False,  # done here, with a bound on what comes out
            trace_configs=[_tracing()],
        )

    async def _bounded(
        self,
        session: aiohttp.ClientSession,
        request: Request,
        prepared: Prepared,
        state: RequestState,
    ) -> Response:
        """Make one exchange that ends with the attempt."""
        timer = asyncio.timeout(state.deadline.left_s())
        try:
            async with timer:
                return await self._exchange(session, request, prepared, state)
        except TimeoutError as error:
            if timer.expired():
                raise OverdueError from error
            raise

    async def _exchange(
        self,
        session: aiohttp.ClientSession,
        request: Request,
        prepared: Prepared,
        state: RequestState,
    ) -> Response:
        origin, body = prepared.origin, prepared.body
        route = self._routes.get(origin)
        if route is None:
            route = self._routes[origin] = _route(self._options, origin)
        check_host(origin.host, proxied="proxy" in route.arguments)
        limits = _client_timeout(request.timeouts)
        connector, template = session.connector, route.template
        # The short way, for small bodies to a server that is reached directly.
        if connector is not None and template is not None and not isinstance(body, ChunkedBody):
            return await exchange(connector, template, request.method, prepared, limits, state)
        headers = {**prepared.headers, **route.headers} if route.headers else prepared.headers
        data: Any = body
        if isinstance(body, ChunkedBody):
            data = _PiecesPayload(body, seconds(request.timeouts.write_ms))
        answer = await session.request(
            request.method,
            URL(f"{origin}{prepared.target}", encoded=True),  # yarl would encode it once more
            data=data,
            headers=headers,
            timeout=limits,
            allow_redirects=False,
            trace_request_ctx=state,
            **route.arguments,
        )
        try:
            reader = ResponseReader(answer.status, header_map(answer.raw_headers), state.most_bytes)
            content, whole = answer.content, True
            while whole and not content.at_eof():
                whole = reader.feed(await content.readany())
            return reader.response()
        finally:
            # A complete response has given its connection back by now; any other must not.
            answer.close()


def _tracing() -> aiohttp.TraceConfig:
    """Note when a call gets its connection, from which moment its request may be written."""

    async def connected(_session: Any, context: Any, _params: Any) -> None:
        state: RequestState = context.trace_request_ctx
        state.sent = True

    config = aiohttp.TraceConfig()
    config.on_connection_create_end.append(connected)
    config.on_connection_reuseconn.append(connected)
    return config


class _Route(NamedTuple):
    """Settings shared by all requests to one server."""

    arguments: dict[str, Any]
    headers: dict[str, str]
    template: aiohttp.ClientRequest | None
    """Used by the short way, for a server that is reached directly."""


def _route(options: TransportOptions, origin: Origin) -> _Route:
    """Find TLS settings and proxy for a server."""
    arguments: dict[str, Any] = {}
    headers: dict[str, str] = {}
    secure = origin.scheme == "https"
    context = tls_context(options.verify) if secure else None
    if context is not None:
        arguments["ssl"] = context
    url = proxy_for(options.proxy, origin)
    if url is None:
        template = make_template(origin, context) if is_possible() else None
    else:
        template = None
        parts = urlsplit(url)
        if parts.scheme.startswith("socks"):
            raise ConfigurationError(
                "aiohttp has no SOCKS proxies. Use an HTTP proxy, or http_backend='httpx'.",
                variable="proxy",
            )
        arguments["proxy"] = URL(url).with_user(None)
        login = credentials_of(parts)
        if login is not None:
            # aiohttp sends proxy_headers with CONNECT only; a plain request carries its own.
            target = arguments.setdefault("proxy_headers", {}) if secure else headers
            target["Proxy-Authorization"] = basic_auth(*login)
    return _Route(arguments, headers, template)


@lru_cache(maxsize=64)
def _client_timeout(timeouts: Timeouts) -> aiohttp.ClientTimeout:
    """Return the time limits in aiohttp's form."""
    # aiohttp's ``connect`` spans the look-up, TCP, the proxy and TLS.
    return aiohttp.ClientTimeout(
        total=None,
        connect=seconds(timeouts.connect_ms),
        sock_read=seconds(timeouts.read_ms),
    )
