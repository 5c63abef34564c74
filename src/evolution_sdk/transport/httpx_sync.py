"""The blocking adapter: httpx's engine, with our own choice of connection; safe for threads."""

from __future__ import annotations

import threading
from contextlib import suppress

import httpcore

from evolution_sdk._core.forking import check, free_in_child, in_child
from evolution_sdk._core.request import Request, Response

from ._answer import Intake, header_map
from ._body import Chunks
from ._bounded import BoundedBackend
from ._httpcore import Call, is_reusable, pool_arguments
from ._idle import IdleConnections
from ._options import TransportOptions
from ._prepare import check_open, failure_of
from ._stale import refuse_stale
from ._url import Origin

__all__ = ["HttpxSyncTransport"]

_Target = httpcore.ConnectionPool | httpcore.ConnectionInterface


class HttpxSyncTransport:
    """Blocking transport over httpcore; threads share its connections."""

    def __init__(self, options: TransportOptions) -> None:
        self._options = options
        self._closed = False
        self._lock = free_in_child(threading.Lock())
        self._renew()
        in_child(self._begin_anew)

    def _renew(self) -> None:
        limit = self._options.max_connections
        self._pools: dict[Origin, httpcore.ConnectionPool] = {}
        self._proxied: set[Origin] = set()
        self._idle = IdleConnections[httpcore.ConnectionInterface](limit)
        self._free = threading.Semaphore(limit)

    def _begin_anew(self) -> None:
        """Let go of the parent's connections: only descriptors are closed, nothing is written."""
        theirs = self._idle.clear()
        for pool in self._pools.values():
            theirs += pool.connections
        self._renew()
        for connection in theirs:
            _close(connection)

    def send(self, request: Request) -> Response:
        """Send and read to the end, or raise TransportError with its phase."""
        check()
        call = Call(request, Chunks, closed=self._closed)
        pool = self._pools.get(call.origin) or self._add_pool(call.origin)
        try:
            with call.deadline:
                if call.origin in self._proxied:
                    return _exchange(pool, call, call.watch(call.note, pooled=True))
                return self._direct(call, pool)
        except Exception as error:
            raise failure_of(error, call.origin, sent=call.sent) from error

    def close(self) -> None:
        """Close the idle connections; those in use close when their call ends."""
        with self._lock:
            self._closed = True
            idle, pools = self._idle.clear(), list(self._pools.values())
            self._pools.clear()
        for connection in idle:
            _close(connection)
        for pool in pools:
            pool.close()

    def _add_pool(self, origin: Origin) -> httpcore.ConnectionPool:
        with self._lock:
            if origin not in self._pools:
                arguments = pool_arguments(self._options, origin)
                if arguments["proxy"] is not None:
                    self._proxied.add(origin)
                self._pools[origin] = httpcore.ConnectionPool(
                    **arguments, network_backend=BoundedBackend()
                )
            return self._pools[origin]

    def _direct(self, call: Call, pool: httpcore.ConnectionPool) -> Response:
        """One exchange on a connection of our own choice; the pool only makes new ones."""
        idle, free = self._idle, self._free
        if not free.acquire(timeout=call.pool_s):
            raise httpcore.PoolTimeout
        try:
            check_open(closed=self._closed)
            with self._lock:
                connection = idle.take(call.origin)
                stale, idle.stale = idle.stale, []
            if connection is None:
                core = call.watch(call.note)
                connection = pool.create_connection(core.url.origin)
            else:
                core = call.reuse()
            try:
                for old in stale:
                    _close(old)
                answer = _exchange(connection, call, core)
            except BaseException:
                with self._lock:
                    idle.forget()
                _close(connection)
                raise
            with self._lock:
                reuse = is_reusable(connection) and not self._closed
                if reuse:
                    idle.put(call.origin, connection)
                else:
                    idle.forget()
            if not reuse:
                _close(connection)
            return answer
        finally:
            free.release()


def _close(connection: httpcore.ConnectionInterface) -> None:
    """Close a connection that is of no use any more; a broken one may object."""
    with suppress(Exception):
        connection.close()


def _exchange(target: _Target, call: Call, core: httpcore.Request) -> Response:
    response = target.handle_request(core)
    try:
        refuse_stale(response)
        intake = Intake(response.status, header_map(response.headers), call.most_bytes)
        for piece in response.iter_stream():
            if not intake.feed(piece):
                break
        return intake.response()
    finally:
        response.close()
