"""The default blocking transport: an httpx or httpx2 client over our pool, and a fast lane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evolution_sdk._base.forking import check
from evolution_sdk._base.request import Request, Response

from ._body import DEFAULT_HEADERS, Chunks
from ._engine import Engine
from ._hooks import Hooks
from ._httpcore import Call
from ._options import TransportOptions
from ._pool_sync import HttpcoreSyncPool
from ._prepare import failure_of
from .httpx_client import HttpxClientSyncTransport, no_cookies

if TYPE_CHECKING:
    import httpx

__all__ = ["PooledHttpxSyncTransport"]


class PooledHttpxSyncTransport:
    """Blocking transport over httpx or httpx2 with a connection pool of its own, shared by threads.

    Calls go straight to the pool while nothing hooks into the httpx client, which would then only
    add time. A mock, an instrumentation or an event hook on the client sees every call.

    Attributes:
        http_client: The client of the library.
    """

    def __init__(self, options: TransportOptions, engine: Engine) -> None:
        self._engine = engine
        self._pool = HttpcoreSyncPool(options, engine)
        self.http_client: httpx.Client = engine.http.Client(
            transport=engine.around("HTTPTransport", self._pool),
            headers=DEFAULT_HEADERS,
            cookies=no_cookies(),
            trust_env=False,  # our pool reads the proxy variables itself
        )
        self._hooks = Hooks(self.http_client, engine.name)
        self._by_client = HttpxClientSyncTransport(self.http_client, entry=self._hooks.entry)

    def send(self, request: Request) -> Response:
        """Send a request and read the whole response; see ``SyncTransport.send``."""
        # Asked for every call: a mock or an instrumentation may come and go at any time.
        if self._hooks.any():
            return self._by_client.send(request)
        check()
        call = Call(request, self._engine, Chunks, closed=self._pool.closed)
        try:
            with call.deadline:
                return self._pool.exchange(call)
        except Exception as error:
            raise failure_of(error, call.origin, sent=call.sent) from error

    def close(self) -> None:
        """Close the idle connections; connections in use close when their call ends."""
        self._by_client.close()
        self._pool.close()
