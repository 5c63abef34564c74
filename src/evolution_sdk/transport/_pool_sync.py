"""The blocking pool over httpcore or httpcore2: the fast lane, and the pool of the httpx client."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from evolution_sdk._base.forking import free_in_child, in_child
from evolution_sdk._base.request import Response

from ._answer import ResponseReader, header_map
from ._bounded import BoundedBackend
from ._engine import Engine
from ._httpcore import (
    WAITING,
    Call,
    extensions_of,
    is_reusable,
    origin_of,
    pool_arguments,
    pool_wait_s,
)
from ._idle import IdleConnections
from ._options import TransportOptions
from ._prepare import check_open
from ._stale import refuse_stale
from ._url import Origin

if TYPE_CHECKING:
    import httpcore

__all__ = ["HttpcoreSyncPool"]

_Target: TypeAlias = "httpcore.ConnectionPool | httpcore.ConnectionInterface"
_Idle: TypeAlias = "IdleConnections[httpcore.ConnectionInterface]"


class HttpcoreSyncPool:
    """Pool of httpcore connections, shared by threads.

    :meth:`exchange` is the fast lane. ``httpx.HTTPTransport`` calls :meth:`handle_request`, so that
    an httpx client uses the same connections.
    """

    renews_itself = True  # after a fork, so that _renew_pools leaves it alone

    def __init__(self, options: TransportOptions, engine: Engine) -> None:
        self._options = options
        self._engine = engine
        self._closed = False
        self._lock = free_in_child(threading.Lock())
        self._renew()
        in_child(self._begin_anew)

    def _renew(self) -> None:
        limit = self._options.max_connections
        self._pools: dict[Origin, httpcore.ConnectionPool] = {}
        self._proxied: set[Origin] = set()
        self._idle: _Idle = IdleConnections(limit)
        self._free = threading.Semaphore(limit)

    def _begin_anew(self) -> None:
        """Drop the parent's connections after a fork: close descriptors and write nothing."""
        theirs = self._idle.clear()
        for pool in self._pools.values():
            theirs += pool.connections
        self._renew()
        for connection in theirs:
            _close(connection)

    @property
    def closed(self) -> bool:
        """True once the pool takes no more calls."""
        return self._closed

    def exchange(self, call: Call) -> Response:
        """Make one call and read its response, on a connection chosen here."""
        pool = self._pool_for(call.origin)
        # httpcore's own pool knows proxies, and a mock of httpcore replaces its methods.
        if call.origin in self._proxied or self._engine.is_hooked():
            return _exchange(pool, call, call.watch(call.note, pooled=True))
        # Kept in locals: a fork replaces both, and what was taken from the old ones must go back
        # to the old ones.
        idle, free = self._idle, self._free
        if not free.acquire(timeout=call.pool_s):
            raise self._engine.core.PoolTimeout
        try:
            connection, fresh = self._take(idle, call.origin, pool, call.core.url.origin)
            good = False
            try:
                core = call.watch(call.note) if fresh else call.reuse()
                answer = _exchange(connection, call, core)
                good = True
                return answer
            finally:
                self._put(idle, call.origin, connection, good=good)
        finally:
            free.release()

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """Make one call for an httpx client, which closes the response."""
        check_open(closed=self._closed)
        origin = origin_of(request.url)
        pool = self._pool_for(origin)
        # As in ``exchange``.
        if origin in self._proxied or self._engine.is_hooked():
            return pool.handle_request(request)
        if (told := extensions_of(request).get("trace")) is not None:
            told(WAITING, {})
        idle, free = self._idle, self._free
        if not free.acquire(timeout=pool_wait_s(request)):
            raise self._engine.core.PoolTimeout
        # The slot is kept until httpx closes the response, because the connection is in use.
        try:
            connection, _ = self._take(idle, origin, pool, request.url.origin)
            try:
                response = connection.handle_request(request)
            except BaseException:
                self._put(idle, origin, connection, good=False)
                raise
        except BaseException:
            free.release()
            raise

        def give_back() -> None:
            try:
                self._put(idle, origin, connection, good=True)
            finally:
                free.release()

        lent: httpcore.Response = self._engine.core.Response(
            response.status,
            headers=response.headers,
            content=_LentStream(response.stream, give_back),
            extensions=extensions_of(response),
        )
        return lent

    def close(self) -> None:
        """Close the idle connections; connections in use close when their call ends."""
        # Closed outside the lock: closing writes to the network, and other threads give back.
        with self._lock:
            self._closed = True
            idle, pools = self._idle.clear(), list(self._pools.values())
            self._pools.clear()
        for connection in idle:
            _close(connection)
        for pool in pools:
            pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _pool_for(self, origin: Origin) -> httpcore.ConnectionPool:
        pool = self._pools.get(origin)  # without the lock in the usual case
        if pool is not None:
            return pool
        with self._lock:
            if origin not in self._pools:
                arguments = pool_arguments(self._engine.core, self._options, origin)
                if arguments["proxy"] is not None:
                    self._proxied.add(origin)
                self._pools[origin] = self._engine.core.ConnectionPool(
                    **arguments, network_backend=BoundedBackend(self._engine.core)
                )
            return self._pools[origin]

    def _take(
        self, idle: _Idle, origin: Origin, pool: httpcore.ConnectionPool, core: httpcore.Origin
    ) -> tuple[httpcore.ConnectionInterface, bool]:
        """Take an idle connection, or a new one made by httpcore's pool.

        Returns:
            The connection, and True if it is new.
        """
        # Once more after the wait for a slot: the pool may have been closed meanwhile.
        check_open(closed=self._closed)
        with self._lock:
            connection = idle.take(origin)
            stale, idle.stale = idle.stale, []
        # Closed outside the lock: that may take as long as the network does.
        try:
            for old in stale:
                _close(old)
            if connection is not None:
                return connection, False
            return pool.create_connection(core), True
        except BaseException:
            with self._lock:
                idle.forget()
            if connection is not None:
                _close(connection)
            raise

    def _put(
        self, idle: _Idle, origin: Origin, connection: httpcore.ConnectionInterface, *, good: bool
    ) -> None:
        with self._lock:
            # A call that failed may have left half a response on its connection.
            keep = good and is_reusable(connection) and not self._closed
            if keep:
                idle.put(origin, connection)
            else:
                idle.forget()
        if not keep:
            _close(connection)


class _LentStream:
    """Stream of a response; closing it gives the connection back, once."""

    def __init__(self, stream: Any, give_back: Callable[[], None]) -> None:
        self._stream = stream
        self._give_back: Callable[[], None] | None = give_back

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def close(self) -> None:
        give_back, self._give_back = self._give_back, None
        if give_back is None:
            return
        try:
            self._stream.close()
        finally:
            give_back()


def _close(connection: httpcore.ConnectionInterface) -> None:
    """Close a connection, and ignore what a broken one raises."""
    with suppress(Exception):
        connection.close()


def _exchange(target: _Target, call: Call, core: httpcore.Request) -> Response:
    response = target.handle_request(core)
    try:
        refuse_stale(response)
        reader = ResponseReader(response.status, header_map(response.headers), call.most_bytes)
        for piece in response.iter_stream():
            if not reader.feed(piece):
                break
        return reader.response()
    finally:
        response.close()
