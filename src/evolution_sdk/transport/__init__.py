"""The transport seam: the only package that imports an HTTP library.

``send(Request) -> Response``, or a :class:`~evolution_sdk.errors.TransportError` whose phase tells
whether the request may have reached the server. Everything above is plain data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from evolution_sdk._core.request import Request, Response

__all__ = ["AsyncTransport", "HttpBackend", "SyncTransport", "TransportOptions"]

HttpBackend = Literal["httpx", "aiohttp"]


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """How connections are made.

    Attributes:
        backend: ``httpx`` (default) or ``aiohttp`` (async only, extra ``aiohttp``).
        http_client: A ready-made ``httpx`` or ``httpx2`` client to use instead; it is not closed.
        proxy: URL of an HTTP proxy, or None.
        verify: Whether TLS certificates are verified, or a path to a CA bundle.
        max_connections: Most open connections, in all.
        keepalive_expiry_ms: Idle connections are dropped after this; under the server's 5 s.
    """

    backend: HttpBackend = "httpx"
    http_client: Any = None
    proxy: str | None = None
    verify: bool | str = True
    max_connections: int = 200
    keepalive_expiry_ms: int = 4_000


class AsyncTransport(Protocol):
    """One async connection pool."""

    async def send(self, request: Request) -> Response:
        """Send and read to the end, or raise TransportError with its phase."""
        ...

    async def close(self) -> None:
        """Close what this transport opened; a client passed in stays open."""
        ...


class SyncTransport(Protocol):
    """One blocking connection pool, safe for several threads."""

    def send(self, request: Request) -> Response:
        """Send and read to the end, or raise TransportError with its phase."""
        ...

    def close(self) -> None:
        """Close what this transport opened; a client passed in stays open."""
        ...
