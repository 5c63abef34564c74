"""The transport seam: the only package that imports an HTTP library.

A transport maps a ``Request`` to a ``Response``, or raises a
:class:`~evolution_sdk.errors.TransportError` whose phase says whether the request may have reached
the server. Everything above this package works on plain data. A library is imported only when a
transport over it is opened.
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
        """Send a request and read the whole response.

        Args:
            request: The request, with its time limits.

        Returns:
            The response, whatever its status.

        Raises:
            TransportError: No complete response arrived; ``phase`` says whether the request may
                have reached the server.
        """
        ...

    async def close(self) -> None:
        """Close what this transport opened; a client passed in stays open."""
        ...


class SyncTransport(Protocol):
    """One blocking connection pool, safe to share between threads."""

    def send(self, request: Request) -> Response:
        """Send a request and read the whole response.

        Args:
            request: The request, with its time limits.

        Returns:
            The response, whatever its status.

        Raises:
            TransportError: No complete response arrived; ``phase`` says whether the request may
                have reached the server.
        """
        ...

    def close(self) -> None:
        """Close what this transport opened; a client passed in stays open."""
        ...


def open_async_transport(options: TransportOptions | None = None) -> AsyncTransport:
    """Make an async transport. It needs no running event loop and connects to nothing yet.

    Args:
        options: Connection settings. Default: httpx, no proxy of its own, TLS verified.

    Returns:
        The transport. It serves one event loop at a time: once that loop is closed it may be used
        in another one; in a second open loop it raises ConfigurationError.

    Raises:
        ConfigurationError: A setting is wrong, or a package is missing.
    """
    options = options or TransportOptions()
    options.check()
    if options.http_client is not None:
        from .httpx_client import HttpxClientAsyncTransport, check_client

        check_client(options.http_client, "AsyncClient")
        return HttpxClientAsyncTransport(options.http_client)
    if options.backend == "aiohttp":
        # Looked up, not imported, so that a broken aiohttp raises its own ImportError below.
        if importlib.util.find_spec("aiohttp") is None:
            raise ConfigurationError(
                "http_backend='aiohttp' needs one more package: "
                "pip install 'evolutionapi-sdk[aiohttp]'",
                variable="http_backend",
            )
        from .aiohttp_async import AiohttpAsyncTransport

        return AiohttpAsyncTransport(options)
    from ._engine import engine_for
    from .httpx_async import PooledHttpxAsyncTransport

    return PooledHttpxAsyncTransport(options, engine_for(options.backend))


def open_sync_transport(options: TransportOptions | None = None) -> SyncTransport:
    """Make a blocking transport. It connects to nothing yet.

    Args:
        options: Connection settings. Default: httpx, no proxy of its own, TLS verified.

    Returns:
        The transport; threads may share it.

    Raises:
        ConfigurationError: A setting is wrong, a package is missing, or the backend is aiohttp,
            which is async only.
    """
    options = options or TransportOptions()
    options.check()
    if options.http_client is not None:
        from .httpx_client import HttpxClientSyncTransport, check_client

        check_client(options.http_client, "Client")
        return HttpxClientSyncTransport(options.http_client)
    if options.backend == "aiohttp":
        raise ConfigurationError(
            "aiohttp is async only. Use AsyncEvolutionClient, or http_backend='httpx'.",
            variable="http_backend",
        )
    from ._engine import engine_for
    from .httpx_sync import PooledHttpxSyncTransport

    return PooledHttpxSyncTransport(options, engine_for(options.backend))


publish(__name__, __all__)
