"""What the async and the blocking httpx adapter share.

Both speak to httpcore, the engine of httpx, connection by connection. ``httpx.AsyncClient`` adds
cookies, redirects, authentication and hooks, which are not needed here, and httpcore's pool looks
at every connection for every call; together they cost several times what the exchange does.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any, TypedDict
from urllib.parse import urlsplit

import httpcore

from evolution_sdk._core.request import Request
from evolution_sdk.errors import ConfigurationError

from ._body import AsyncChunks, ChunkedBody, Chunks
from ._options import TransportOptions
from ._prepare import prepare, seconds
from ._tls import tls_context
from ._url import Origin, credentials_of, proxy_for

__all__ = ["Call", "Exchange", "PoolArguments", "pool_arguments"]

Exchange = tuple[int, list[tuple[bytes, bytes]], bytes]
"""Status, raw headers and body of an answer."""


class PoolArguments(TypedDict):
    """Arguments of an httpcore pool for one server; ``proxy`` is None for a direct connection."""

    ssl_context: Any
    max_connections: int
    max_keepalive_connections: int
    keepalive_expiry: float
    proxy: httpcore.Proxy | None


class Call:
    """One request in httpcore's form, and what is known of its way.

    Attributes:
        origin: The server.
        core: The request, without what httpx would add to it.
        pool_s: Longest wait for a connection, in seconds.
        sent: Whether writing of the request itself may have begun.
    """

    __slots__ = ("_extensions", "core", "origin", "pool_s", "sent")

    def __init__(
        self, request: Request, stream: type[Chunks | AsyncChunks], *, closed: bool
    ) -> None:
        self.origin, target, headers, body = prepare(request, closed=closed)
        limits = request.timeouts
        self.pool_s = seconds(limits.pool_ms)
        self.sent = True
        self._extensions: dict[str, Any] = {
            "timeout": {
                "connect": seconds(limits.connect_ms),
                "read": seconds(limits.read_ms),
                "write": seconds(limits.write_ms),
                "pool": self.pool_s,
            }
        }
        self.core = httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=self.origin.scheme.encode("ascii"),
                host=self.origin.host.encode("ascii"),
                port=self.origin.port,
                target=target.encode("ascii"),
            ),
            headers=list(headers.items()),
            content=stream(body) if isinstance(body, ChunkedBody) else body,
            extensions=self._extensions,
        )

    def watch(self, note: Callable[[str, dict[str, Any]], object]) -> httpcore.Request:
        """Follow the way through a proxy: a failing CONNECT sent nothing of the request.

        Args:
            note: ``self.note``, or ``self.anote`` for an async pool.
        """
        self.sent = False
        self._extensions["trace"] = note
        return self.core

    def note(self, event: str, info: dict[str, Any]) -> None:
        """Take one event of httpcore's ``trace`` extension."""
        if event.endswith("send_request_headers.started"):
            self.sent = info["request"].method != b"CONNECT"

    async def anote(self, event: str, info: dict[str, Any]) -> None:
        """The same, for an async pool."""
        self.note(event, info)


def pool_arguments(options: TransportOptions, origin: Origin) -> PoolArguments:
    """How to connect to one server: TLS, limits, and the proxy set or found.

    Raises:
        ConfigurationError: A SOCKS proxy is asked for without the package for it.
    """
    url = proxy_for(options.proxy, origin)
    return {
        # Loading the authorities takes some 20 ms, so only HTTPS does.
        "ssl_context": tls_context(options.verify) if origin.scheme == "https" else None,
        "max_connections": options.max_connections,
        "max_keepalive_connections": options.max_connections,
        "keepalive_expiry": options.keepalive_expiry_ms / 1000,
        "proxy": None if url is None else _proxy(url, options),
    }


def _proxy(url: str, options: TransportOptions) -> httpcore.Proxy:
    parts = urlsplit(url)
    if parts.scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
        raise ConfigurationError(
            "A SOCKS proxy needs one more package: pip install 'httpx[socks]'", variable="proxy"
        )
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = f":{parts.port}" if parts.port else ""
    return httpcore.Proxy(
        f"{parts.scheme}://{host}{port}/",
        auth=credentials_of(parts),
        ssl_context=tls_context(options.verify) if parts.scheme == "https" else None,
    )
