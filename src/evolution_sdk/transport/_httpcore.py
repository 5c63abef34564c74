"""Parts shared by the async and the blocking pool over httpcore (or httpcore2), httpx's engine.

Both pools drive httpcore connection by connection. An httpx client adds cookies, redirects,
authentication and hooks, which cost several times as much as the exchange itself and are skipped
while unused. httpcore's own pool checks every connection for every call.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypedDict, cast
from urllib.parse import urlsplit

from evolution_sdk._base import network
from evolution_sdk._base.request import Request
from evolution_sdk.errors import ConfigurationError

from ._body import AsyncChunks, ChunkedBody, Chunks
from ._engine import Engine
from ._options import TransportOptions
from ._prepare import RequestState, prepare, seconds
from ._stale import amark_reads, mark_reads
from ._tls import tls_context
from ._url import Origin, ascii_host, credentials_of, proxy_for, split_url

if TYPE_CHECKING:
    import httpcore

__all__ = [
    "CONNECTED",
    "WAITING",
    "Call",
    "PoolArguments",
    "close_unfinished",
    "extensions_of",
    "follow",
    "is_reusable",
    "origin_of",
    "pool_arguments",
    "pool_wait_s",
]

CONNECTED = ("connect_tcp.complete", "connect_unix_socket.complete", "start_tls.complete")
"""Events of httpcore's ``trace`` extension that carry a new stream as ``return_value``."""
WAITING = "evolution_sdk.wait.started"
"""Event of our own for the same listeners: the call waits for a connection."""
_CONNECTING = ("connect_tcp.started", "connect_unix_socket.started")


class PoolArguments(TypedDict):
    """Arguments of an httpcore pool for one server; ``proxy`` is None for a direct connection."""

    ssl_context: Any
    max_connections: int
    max_keepalive_connections: int
    keepalive_expiry: float
    proxy: httpcore.Proxy | None


class Call(RequestState):
    """One request in httpcore's form, and its progress.

    Args:
        request: The request.
        engine: The library to make it for.
        stream: Reads a body in chunks, in the colour of the pool.
        closed: True if the pool has been closed.

    Attributes:
        origin: The server.
        core: The request, without the parts that httpx would add.
        pool_s: Longest wait for a connection, in seconds.
    """

    __slots__ = ("_extensions", "_pooled", "core", "origin", "pool_s")

    def __init__(
        self,
        request: Request,
        engine: Engine,
        stream: type[Chunks | AsyncChunks],
        *,
        closed: bool,
    ) -> None:
        self.origin, target, headers, body = prepare(request, closed=closed)
        limits = request.timeouts
        super().__init__(request)
        self._pooled = False
        # No step may outlast the attempt: each limit is cut to the time that is left.
        left_s = self.deadline.left_s
        self.pool_s = left_s(seconds(limits.pool_ms))
        self._extensions: dict[str, Any] = {
            "timeout": {
                "connect": left_s(seconds(limits.connect_ms)),
                "read": left_s(seconds(limits.read_ms)),
                "write": left_s(seconds(limits.write_ms)),
                "pool": self.pool_s,
            }
        }
        self.core: httpcore.Request = engine.core.Request(
            method=request.method,
            url=engine.core.URL(
                scheme=self.origin.scheme.encode("ascii"),
                host=self.origin.host.encode("ascii"),
                port=self.origin.port,
                target=target.encode("ascii"),
            ),
            headers=list(headers.items()),
            content=stream(body) if isinstance(body, ChunkedBody) else body,
            extensions=self._extensions,
        )

    def reuse(self) -> httpcore.Request:
        """Return the request for an open connection."""
        # An open connection is written to at once, so from here on the outcome is unknown.
        self.sent = True
        return self.core

    def watch(
        self, note: Callable[[str, dict[str, Any]], object], *, pooled: bool = False
    ) -> httpcore.Request:
        """Return the request for a new connection or a proxy, traced until it is written.

        A failure before that, such as a refused connection, proves that nothing was sent.

        Args:
            note: ``self.note``, or ``self.anote`` for an async pool.
            pooled: True if httpcore's pool chooses the connection.
        """
        self._pooled = pooled
        self._extensions["trace"] = note
        return self.core

    def note(self, event: str, info: dict[str, Any]) -> None:
        """Take one event of httpcore's ``trace`` extension."""
        follow(self, event, info)
        if self._pooled and event.endswith(CONNECTED):
            mark_reads(self.stream)

    async def anote(self, event: str, info: dict[str, Any]) -> None:
        """Take one event of httpcore's ``trace`` extension, for an async pool."""
        follow(self, event, info)
        if self._pooled and event.endswith(CONNECTED):
            amark_reads(self.stream)


def follow(state: RequestState, event: str, info: dict[str, Any]) -> None:
    """Update the progress of a request from one event of httpcore's ``trace`` extension.

    Args:
        state: Its ``sent`` becomes True when writing of the request itself starts, and False when
            a connection is being made.
        event: Name of the event.
        info: Its details.
    """
    if event.endswith("send_request_headers.started"):
        # CONNECT goes to the proxy and opens the tunnel; our request follows it.
        if info["request"].method != b"CONNECT":
            state.sent = True
    elif event == WAITING:
        state.sent = False
    elif event.endswith(_CONNECTING):
        state.sent = False
        # A test run may have limited the hosts that may be reached; behind a proxy both count.
        if network.current() is not None:
            next_host = str(info.get("host") or "localhost")
            network.check_host(next_host)
            if next_host != state.host:  # a proxy's
                network.check_host(state.host, proxied=True)
    elif event.endswith(CONNECTED):
        state.stream = info["return_value"]


def origin_of(url: httpcore.URL) -> Origin:
    """Return the origin of a URL in httpcore's form."""
    scheme, host = url.scheme.decode("ascii"), url.host.decode("ascii")
    shown = f"[{host}]" if ":" in host else host
    return split_url(
        f"{scheme}://{shown}" if url.port is None else f"{scheme}://{shown}:{url.port}"
    )[0]


def pool_wait_s(request: httpcore.Request) -> float | None:
    """Return the longest wait for a connection, in seconds; None for no limit."""
    wait_s: float | None = extensions_of(request).get("timeout", {}).get("pool")
    return wait_s


def extensions_of(message: httpcore.Request | httpcore.Response) -> dict[str, Any]:
    """Return the extensions of a request or a response, which httpcore leaves untyped."""
    held: Any = message.extensions  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return cast("dict[str, Any]", held)


async def close_unfinished(state: RequestState) -> None:
    """Close a connection that was still being made.

    httpcore drops such a connection without closing it when it is cancelled during TLS.
    """
    stream, state.stream = state.stream, None
    if stream is not None and state.sent is False:
        with suppress(Exception):
            await stream.aclose()


def is_reusable(
    connection: httpcore.ConnectionInterface | httpcore.AsyncConnectionInterface,
) -> bool:
    """Return True if the next call may use the connection.

    A connection with bytes left over after the response is not reusable: httpcore would read them
    as the response to the next request, and one call would get the data of another.
    """
    if not connection.is_idle():
        return False
    inner: Any = connection
    state = getattr(getattr(inner, "_connection", None), "_h11_state", None)
    return state is None or not state.trailing_data[0]


def pool_arguments(core: Any, options: TransportOptions, origin: Origin) -> PoolArguments:
    """Return the settings for connections to one server: TLS, limits, proxy.

    Args:
        core: The module ``httpcore`` or ``httpcore2``, whose pool takes them.
        options: The settings of the transport.
        origin: The server.

    Returns:
        The arguments.

    Raises:
        ConfigurationError: A SOCKS proxy is set and its package is not installed.
    """
    url = proxy_for(options.proxy, origin)
    return {
        # Loading the certificate authorities takes some 20 ms; plain HTTP is spared it.
        "ssl_context": tls_context(options.verify) if origin.scheme == "https" else None,
        "max_connections": options.max_connections,
        "max_keepalive_connections": options.max_connections,
        "keepalive_expiry": options.keepalive_expiry_ms / 1000,
        "proxy": None if url is None else _proxy(core, url, options),
    }


def _proxy(core: Any, url: str, options: TransportOptions) -> httpcore.Proxy:
    parts = urlsplit(url)
    if parts.scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
        raise ConfigurationError(
            f"A SOCKS proxy needs one more package: pip install '{core.__name__}[socks]'",
            variable="proxy",
        )
    host, login = ascii_host(parts.hostname or ""), credentials_of(parts)
    host = f"[{host}]" if ":" in host else host
    port = f":{parts.port}" if parts.port else ""
    proxy: httpcore.Proxy = core.Proxy(
        f"{parts.scheme}://{host}{port}/",
        auth=None if login is None else (login[0].encode(), login[1].encode()),
        ssl_context=tls_context(options.verify) if parts.scheme == "https" else None,
    )
    return proxy
