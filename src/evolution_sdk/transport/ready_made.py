"""Adapters for a client the user made: an httpx or httpx2 one, used as it is.

Its headers, authentication, cookies, proxies and event hooks stay in force. Redirects are not
followed, the limits of the call replace its timeouts, and it is never closed here.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping
from typing import Any, Protocol

from evolution_sdk._core.forking import check, in_child
from evolution_sdk._core.request import Request, Response, Timeouts
from evolution_sdk.errors import ClientClosedError, ConfigurationError

from ._body import DEFAULT_HEADERS, AsyncChunks, ChunkedBody, Chunks
from ._prepare import Prepared, failure_of, prepare, seconds
from ._ready_pools import renew_pools

__all__ = ["ReadyMadeAsyncTransport", "ReadyMadeSyncTransport", "check_client"]

_LIBRARIES = ("httpx", "httpx2")


class _Answer(Protocol):
    """What is read of the library's response."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes


def check_client(client: object, wanted: str) -> None:
    """Refuse a client of the wrong kind.

    Args:
        client: What the user passed as ``http_client``.
        wanted: ``AsyncClient`` or ``Client``.

    Raises:
        ConfigurationError: It is no such client of httpx or httpx2.
    """
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


class _ReadyMade:
    """What both share: building the library's request and reading its answer."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._closed = False
        self._shared = False
        in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        self._shared = not renew_pools(self._client)

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
        if self._client.is_closed:
            raise ClientClosedError(
                "The http_client passed in has been closed. Keep it open as long as this client."
            )
        # The client has its own defaults, credentials, and list of what it can decode.
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
    ) -> Any:
        limits: Timeouts = request.timeouts
        return self._client.build_request(
            request.method,
            request.url,
            headers=prepared.headers,
            content=content,
            timeout=tuple(
                map(
                    seconds,
                    (limits.connect_ms, limits.read_ms, limits.write_ms, limits.pool_ms),
                )
            ),
        )

    @staticmethod
    def _response(answer: _Answer) -> Response:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status_code, headers, answer.content)


class ReadyMadeAsyncTransport(_ReadyMade):
    """Async transport over the user's own ``AsyncClient``."""

    async def send(self, request: Request) -> Response:
        """Send and read to the end, or raise TransportError with its phase."""
        prepared = self._prepare(request)
        body = prepared.body
        content = AsyncChunks(body) if isinstance(body, ChunkedBody) else body
        try:
            built = self._build(request, prepared, content)
            return self._response(await self._client.send(built, follow_redirects=False))
        except Exception as error:
            raise failure_of(error, prepared.origin) from error

    async def close(self) -> None:
        """Stop using the client; it stays open."""
        self._closed = True


class ReadyMadeSyncTransport(_ReadyMade):
    """Blocking transport over the user's own ``Client``."""

    def send(self, request: Request) -> Response:
        """Send and read to the end, or raise TransportError with its phase."""
        prepared = self._prepare(request)
        body = prepared.body
        content = Chunks(body) if isinstance(body, ChunkedBody) else body
        try:
            built = self._build(request, prepared, content)
            return self._response(self._client.send(built, follow_redirects=False))
        except Exception as error:
            raise failure_of(error, prepared.origin) from error

    def close(self) -> None:
        """Stop using the client; it stays open."""
        self._closed = True
