"""The default async adapter: httpx's engine, with our own choice of connection."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import httpcore

from evolution_sdk._core.forking import abandon, check, in_child
from evolution_sdk._core.request import Request, Response

from ._answer import Intake, header_map
from ._body import AsyncChunks
from ._deadline import OverdueError
from ._httpcore import Call, close_unfinished, is_reusable, pool_arguments
from ._idle import IdleConnections
from ._options import TransportOptions
from ._prepare import LoopGuard, check_open, failure_of
from ._slots import Slots
from ._stale import refuse_stale
from ._url import Origin

__all__ = ["HttpxAsyncTransport"]

_Target = httpcore.AsyncConnectionPool | httpcore.AsyncConnectionInterface


class HttpxAsyncTransport:
    """Async transport over httpcore; bound to one event loop at a time."""

    def __init__(self, options: TransportOptions) -> None:
        self._options = options
        self._guard = LoopGuard()
        self._closed = False
        self._renew()
        in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        """Let go of the parent's connections: they belong to a loop that runs there."""
        if self._pools:
            abandon(self._pools, self._idle, self._slots)
        self._guard = LoopGuard()
        self._renew()

    def _renew(self) -> None:
        limit = self._options.max_connections
        self._pools: dict[Origin, httpcore.AsyncConnectionPool] = {}
        self._proxied: set[Origin] = set()
        self._idle = IdleConnections[httpcore.AsyncConnectionInterface](limit)
        self._slots = Slots(limit)

    async def send(self, request: Request) -> Response:
        """Send and read to the end, or raise TransportError with its phase."""
        check()
        call = Call(request, AsyncChunks, closed=self._closed)
        if self._guard.entered_new_loop():
            self._renew()
        pool = self._pools.get(call.origin) or self._add_pool(call.origin)
        try:
            if call.origin in self._proxied:
                return await _exchange(pool, call, call.watch(call.anote, pooled=True))
            return await self._direct(call, pool)
        except Exception as error:
            raise failure_of(error, call.origin, sent=call.sent) from error

    async def close(self) -> None:
        """Close the idle connections; those in use close when their call ends."""
        self._closed = True
        if self._guard.is_current():
            for connection in self._idle.clear():
                await _close(connection)
            for pool in self._pools.values():
                await pool.aclose()
        self._renew()

    def _add_pool(self, origin: Origin) -> httpcore.AsyncConnectionPool:
        arguments = pool_arguments(self._options, origin)
        pool = self._pools[origin] = httpcore.AsyncConnectionPool(**arguments)
        if arguments["proxy"] is not None:
            self._proxied.add(origin)
        return pool

    async def _direct(self, call: Call, pool: httpcore.AsyncConnectionPool) -> Response:
        """One exchange on a connection of our own choice; the pool only makes new ones."""
        idle, slots = self._idle, self._slots
        await slots.acquire(call.pool_s)
        try:
            check_open(closed=self._closed)
            connection = idle.take(call.origin)
            if connection is None:
                core = call.watch(call.anote)
                connection = pool.create_connection(core.url.origin)
            else:
                core = call.reuse()
            try:
                while idle.stale:
                    await _close(idle.stale.pop())
                answer = await _exchange(connection, call, core)
            except BaseException:
                idle.forget()
                await _close(connection)
                raise
            if is_reusable(connection) and not self._closed:
                idle.put(call.origin, connection)
            else:
                idle.forget()
                await _close(connection)
            return answer
        finally:
            slots.release()


async def _close(connection: httpcore.AsyncConnectionInterface) -> None:
    """Close a connection that is of no use any more; a broken one may object."""
    with suppress(Exception):
        await connection.aclose()


async def _exchange(target: _Target, call: Call, core: httpcore.Request) -> Response:
    timer = asyncio.timeout(call.deadline.left_s())
    try:
        async with timer:
            return await _answered(target, call, core)
    except TimeoutError as error:
        if timer.expired():
            call.sent = bool(call.sent)  # nothing told: no connection had become free
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
        intake = Intake(response.status, header_map(response.headers), call.most_bytes)
        stream: Any = response.stream
        pieces = aiter(stream)
        async for piece in pieces:
            if not intake.feed(piece):
                await pieces.aclose()
                break
        return intake.response()
    finally:
        await response.aclose()
