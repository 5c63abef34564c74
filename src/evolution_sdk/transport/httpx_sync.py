"""The blocking adapter: an httpx client over our pool, and a fast lane straight to the pool."""

from __future__ import annotations

import httpx

from evolution_sdk._base.forking import check
from evolution_sdk._base.request import Request, Response

from ._body import DEFAULT_HEADERS, Chunks
from ._hooks import Hooks
from ._httpcore import Call
from ._options import TransportOptions
from ._pool_sync import HttpcoreSyncPool
from ._prepare import failure_of
from .httpx_client import HttpxClientSyncTransport, no_cookies

__all__ = ["PooledHttpxSyncTransport"]


class PooledHttpxSyncTransport:
    """Blocking transport over httpx; threads share its connections.

    While nothing hooks into the client, its engine is driven directly: what httpx adds is then
    nothing but time. A mock, an instrumentation, an event hook and the like see every call.

    Attributes:
        http_client: The httpx client.
    """

    def __init__(self, options: TransportOptions) -> None:
        self._pool = HttpcoreSyncPool(options)
        self.http_client: httpx.Client = httpx.Client(
            transport=_PoolTransport(self._pool),
            headers=DEFAULT_HEADERS,
            cookies=no_cookies(),
            trust_env=False,  # proxies of the environment are the engine's affair
        )
        self._hooks = Hooks(self.http_client)
        self._by_client = HttpxClientSyncTransport(self.http_client, entry=self._hooks.entry)

    def send(self, request: Request) -> Response:
        """Send and read to the end, or raise TransportError with its phase."""
        if self._hooks.any():
            return self._by_client.send(request)
        check()
        call = Call(request, Chunks, closed=self._pool.closed)
        try:
            with call.deadline:
                return self._pool.exchange(call)
        except Exception as error:
            raise failure_of(error, call.origin, sent=call.sent) from error

    def close(self) -> None:
        """Close the idle connections; those in use close when their call ends."""
        self._by_client.close()
        self._pool.close()


class _PoolTransport(httpx.HTTPTransport):
    """httpx's own transport, with our pool in it."""

    def __init__(self, pool: HttpcoreSyncPool) -> None:
        # Not httpx's own: it loads the certificate authorities, for a pool of its own.
        self._pool = pool  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleVariableOverride,reportAttributeAccessIssue]
