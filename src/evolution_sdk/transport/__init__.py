"""The transport seam: the only package that imports an HTTP library.

``send(Request) -> Response``, or a :class:`~evolution_sdk.errors.TransportError` whose phase tells
whether the request may have reached the server. Everything above is plain data. A library is
loaded only when a transport over it is opened.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Protocol, TypeAlias

from evolution_sdk._base.public import publish
from evolution_sdk._base.request import FilePart, Request, Response, Timeouts
from evolution_sdk.errors import ConfigurationError

from ._options import HttpBackend, TransportOptions

if TYPE_CHECKING:
    import httpx

__all__ = [
    "AsyncTransport",
    "FilePart",
    "HttpBackend",
    "Request",
    "Response",
    "SyncTransport",
    "Timeouts",
    "TransportOptions",
    "open_async_transport",
    "open_sync_transport",
]

AsyncHttpxClient: TypeAlias = "httpx.AsyncClient"
SyncHttpxClient: TypeAlias = "httpx.Client"


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


def open_async_transport(options: TransportOptions | None = None) -> AsyncTransport:
    """Make an async transport; no event loop is needed yet, and nothing is connected.

    Args:
        options: How connections are made. Default: httpx's engine, direct, TLS verified.

    Returns:
        The transport. It serves one event loop at a time: once that loop is closed it may be used
        in another one; in two open loops it raises ConfigurationError.

    Raises:
        ConfigurationError: A setting is wrong, or a package is missing.
    """
    options = options or TransportOptions()
    options.check()
    if options.http_client is not None:
        from .ready_made import ReadyMadeAsyncTransport, check_client

        check_client(options.http_client, "AsyncClient")
        return ReadyMadeAsyncTransport(options.http_client)
    if options.backend == "aiohttp":
        if importlib.util.find_spec("aiohttp") is None:
            raise ConfigurationError(
                "http_backend='aiohttp' needs one more package: "
                "pip install 'evolutionapi-sdk[aiohttp]'",
                variable="http_backend",
            )
        from .aiohttp_async import AiohttpAsyncTransport

        return AiohttpAsyncTransport(options)
    from .httpx_async import HttpxAsyncTransport

    return HttpxAsyncTransport(options)


def open_sync_transport(options: TransportOptions | None = None) -> SyncTransport:
    """Make a blocking transport; nothing is connected yet.

    Args:
        options: How connections are made. Default: httpx's engine, direct, TLS verified.

    Returns:
        The transport; threads may share it.

    Raises:
        ConfigurationError: A setting is wrong, or asks for aiohttp, which is async only.
    """
    options = options or TransportOptions()
    options.check()
    if options.http_client is not None:
        from .ready_made import ReadyMadeSyncTransport, check_client

        check_client(options.http_client, "Client")
        return ReadyMadeSyncTransport(options.http_client)
    if options.backend == "aiohttp":
        raise ConfigurationError(
            "aiohttp is async only. Use AsyncEvolutionClient, or http_backend='httpx'.",
            variable="http_backend",
        )
    from .httpx_sync import HttpxSyncTransport

    return HttpxSyncTransport(options)


publish(__name__, __all__)
