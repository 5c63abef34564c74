"""The async pool over httpcore or httpcore2: the fast lane, and the pool of the httpx client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from evolution_sdk._base.forking import abandon, in_child
from evolution_sdk._base.request import Response

from ._answer import ResponseReader, header_map
from ._deadline import OverdueError
from ._engine import Engine
from ._httpcore import (
    WAITING,
    Call,
    close_unfinished,
    extensions_of,
    is_reusable,
    origin_of,
    pool_arguments,
    pool_wait_s,
)  # fmt: skip
from ._idle import IdleConnections
from ._options import TransportOptions
from ._prepare import LoopGuard, check_open
from ._slots import ConnectionSlots, NoSlotError
from ._stale import refuse_stale
from ._url import Origin

if TYPE_CHECKING:
    import httpcore

__all__ = ["HttpcoreAsyncPool"]

_Target: TypeAlias = "httpcore.AsyncConnectionPool | httpcore.AsyncConnectionInterface"
_Idle: TypeAlias = "IdleConnections[httpcore.AsyncConnectionInterface]"


class HttpcoreAsyncPool:
    """Pool of httpcore connections, bound to one event loop at a time.

    :meth:`exchange` is the fast lane. ``httpx.AsyncHTTPTransport`` calls
    :meth:`handle_async_request`, so that an httpx client uses the same connections.
    """

    renews_itself = True  # after a fork, so that _renew_pools leaves it alone

    def __init__(self, options: TransportOptions, engine: Engine) -> None:
        self._options = options
        self._engine = engine
        self._guard = LoopGuard()
        self._closed = False
        self._renew()
        in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        """Drop the parent's connections after a fork; they belong to a loop of the parent."""
        if self._pools:
            abandon(self._pools, self._idle, self._slots)
        self._guard = LoopGuard()
        self._renew()

    def _renew(self) -> None:
        limit = self._options.max_connections
        self._pools: dict[Origin, httpcore.AsyncConnectionPool] = {}
        self._proxied: set[Origin] = set()
        self._idle: _Idle = IdleConnections(limit)
        self._slots = ConnectionSlots(limit)

    @property
    def closed(self) -> bool:
        """True once the pool takes no more calls."""
        return self._closed

    async def exchange(self, call: Call) -> Response:
        """Make one call and read its response, on a connection chosen here."""
        pool = self._pool_for(call.origin)
        # httpcore's own pool knows proxies, and a mock of httpcore replaces its methods.
        if call.origin in self._proxied or self._engine.is_hooked():
            return await _exchange(pool, call, call.watch(call.anote, pooled=True))
        # Kept in locals: a new event loop or a fork replaces both meanwhile, and what was taken
        # from the old ones must go back to the old ones.
        idle, slots = self._idle, self._slots
        await slots.acquire(call.pool_s)
        try:
            connection, fresh = await self._take(idle, call.origin, pool, call.core.url.origin)
            good = False
            try:
                core = call.watch(call.anote) if fresh else call.reuse()
                answer = await _exchange(connection, call, core)
                good = True
                return answer
            finally:
                await self._put(idle, call.origin, connection, good=good)
        finally:
            slots.release()

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Make one call for an httpx client, which closes the response."""
        check_open(closed=self._closed)
        origin = origin_of(request.url)
        pool = self._pool_for(origin)
        # As in ``exchange``.
        if origin in self._proxied or self._engine.is_hooked():
            return await pool.handle_async_request(request)
        if (told := extensions_of(request).get("trace")) is not None:
            await told(WAITING, {})
        idle, slots = self._idle, self._slots
        try:
            await slots.acquire(pool_wait_s(request))
        except NoSlotError as error:
            raise self._engine.core.PoolTimeout from error
        # The slot is kept until httpx closes the response, because the connection is in use.
        try:
            connection, _ = await self._take(idle, origin, pool, request.url.origin)
            try:
                response = await connection.handle_async_request(request)
            except BaseException:
                await self._put(idle, origin, connection, good=False)
                raise
        except BaseException:
            slots.release()
            raise

        async def give_back() -> None:
            try:
                await self._put(idle, origin, connection, good=True)
            finally:
                slots.release()

        lent: httpcore.Response = self._engine.core.Response(
            response.status,
            headers=response.headers,
            content=_LentStream(response.stream, give_back),
            extensions=extensions_of(response),
        )
        return lent

    async def aclose(self) -> None:
        """Close the idle connections; connections in use close when their call ends."""
        self._closed = True
        # Connections of another loop cannot be closed from this one.
        if self._guard.is_current():
            for connection in self._idle.clear():
                await _close(connection)
            for pool in self._pools.values():
                await pool.aclose()
        self._renew()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _pool_for(self, origin: Origin) -> httpcore.AsyncConnectionPool:
        if self._guard.entered_new_loop():
            self._renew()
        pool = self._pools.get(origin)
        if pool is None:
            arguments = pool_arguments(self._engine.core, self._options, origin)
            pool = self._pools[origin] = self._engine.core.AsyncConnectionPool(**arguments)
            if arguments["proxy"] is not None:
                self._proxied.add(origin)
        return pool

    async def _take(
        self, idle: _Idle, origin: Origin, pool: httpcore.AsyncConnectionPool, core: httpcore.Origin
    ) -> tuple[httpcore.AsyncConnectionInterface, bool]:
        """Take an idle connection, or a new one made by httpcore's pool.

        Returns:
            The connection, and True if it is new.
        """
        # Once more after the wait for a slot: the pool may have been closed meanwhile.
        check_open(closed=self._closed)
        connection = idle.take(origin)
        try:
            while idle.stale:
                await _close(idle.stale.pop())
        except BaseException:  # cancelled while closing: the place must not stay taken
            idle.forget()
            if connection is not None:
                await _close(connection)
            raise
        if connection is not None:
            return connection, False
        return pool.create_connection(core), True

    async def _put(
        self,
        idle: _Idle,
        origin: Origin,
        connection: httpcore.AsyncConnectionInterface,
        *,
        good: bool,
    ) -> None:
        # A call that failed may have left half a response on its connection.
        if good and is_reusable(connection) and not self._closed:
            idle.put(origin, connection)
        else:
            idle.forget()
            await _close(connection)


class _LentStream:
    """Stream of a response; closing it gives the connection back, once."""

    def __init__(self, stream: Any, give_back: Callable[[], Awaitable[None]]) -> None:
        self._stream = stream
        self._give_back: Callable[[], Awaitable[None]] | None = give_back

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)

    async def aclose(self) -> None:
        give_back, self._give_back = self._give_back, None
        if give_back is None:
            return
        try:
            await self._stream.aclose()
        finally:
            await give_back()


async def _close(connection: httpcore.AsyncConnectionInterface) -> None:
    """Close a connection, and ignore what a broken one raises."""
    with suppress(Exception):
        await connection.aclose()


async def _exchange(target: _Target, call: Call, core: httpcore.Request) -> Response:
    # httpcore's limits are per step; this timer ends the attempt as a whole.
    timer = asyncio.timeout(call.deadline.left_s())
    try:
        async with timer:
            return await _answered(target, call, core)
    except TimeoutError as error:
        if timer.expired():
            call.sent = bool(call.sent)  # None: it still waited for a connection
            raise OverdueError from error
        raise


async def _answered(target: _Target, call: Call, core: httpcore.Request) -> Response:
    try:
        response = await target.handle_async_request(core)
    except BaseException:
        await close_unfinished(call)
        raise
    try:
        refuse_stale(response)
        reader = ResponseReader(response.status, header_map(response.headers), call.most_bytes)
        stream: Any = response.stream
        pieces = aiter(stream)
        async for piece in pieces:
            if not reader.feed(piece):
                await pieces.aclose()  # too large: the rest is not read, and the connection closed
                break
        return reader.response()
    finally:
        await response.aclose()
