"""Fetching of media files, async; see ``_fetching``."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

import httpcore

from evolution_sdk._base.network import check_host
from evolution_sdk._base.request import Response

from ._deadline import Deadline
from ._fetching import FileIntake, explained, left_s, permitted, pool_for, request_for
from ._options import TransportOptions
from .fetching import AsyncSink, Fetch, Judge

__all__ = ["AsyncFetcher"]

Resolve = Callable[[str, int], Awaitable[Iterable[Sequence[Any]]]]


async def _look_up(host: str, port: int) -> Iterable[Sequence[Any]]:
    return await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)


class AsyncFetcher:
    """Fetches media files; keeps no connection.

    Args:
        options: TLS and proxy settings.
        judge: Checks the addresses of hosts that the user has not named.
        resolve: Looks names up. Default: ``getaddrinfo``.
        backend: Makes connections to addresses. Default: httpcore's.
        clock: Monotonic clock in seconds, for the limit of a whole fetch.
    """

    def __init__(
        self,
        options: TransportOptions,
        judge: Judge,
        *,
        resolve: Resolve = _look_up,
        backend: httpcore.AsyncNetworkBackend | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self._judge = judge
        self._resolve = resolve
        # httpcore declares its own backend with other types than its base class.
        self._backend: Any = backend or httpcore.AnyIOBackend()
        # A backend passed in (by a test) is not the network of this machine.
        self._check_host = check_host if backend is None else _anywhere
        self._clock = clock

    async def get(self, fetch: Fetch) -> Response:
        """Get one response; a redirect is not followed.

        Raises:
            RequestValidationError: The host is refused, or the file is larger than allowed.
            TransportError: No response arrived; phase NOT_SENT, because no message was sent yet.
        """
        try:
            return await self._get(fetch, None)
        except Exception as error:
            raise explained(error, fetch.url) from error

    async def stream(self, fetch: Fetch, sink: AsyncSink) -> Response:
        """Get one response, and hand the file over piece by piece.

        Args:
            fetch: The file.
            sink: Takes the pieces of a file; of a response that has none it is not called.

        Returns:
            The response, whose body was handed over if it is the file.

        Raises:
            RequestValidationError: The host is refused, or the file is larger than allowed.
            TransportError: No response arrived, or it broke off.
        """
        failed: list[Exception] = []

        async def guarded(piece: bytes) -> None:
            try:
                await sink(piece)
            except Exception as error:
                failed.append(error)
                raise

        try:
            return await self._get(fetch, guarded)
        except Exception as error:
            # What the sink raises is the caller's own, such as a disk that is full.
            if error in failed:
                raise
            raise explained(error, fetch.url) from error

    async def _get(self, fetch: Fetch, sink: AsyncSink | None) -> Response:
        origin, request = request_for(fetch)
        judge = None if fetch.trusted else self._judge
        deadline = Deadline(fetch.total_ms, self._clock)
        backend = _CheckedBackend(self._backend, self._resolve, judge, deadline, self._check_host)
        pool = httpcore.AsyncConnectionPool(
            network_backend=backend, **pool_for(self._options, origin, fetch)
        )
        try:
            answer = await pool.handle_async_request(request)
            try:
                reader = FileIntake(answer.status, answer.headers, fetch.limit_bytes)
                if reader.wants_body:
                    async for part in answer.aiter_stream():
                        reader.take(part)
                        if sink is not None and (piece := reader.ready()):
                            await sink(piece)
                    if sink is not None and (piece := reader.rest()):
                        await sink(piece)
            finally:
                await answer.aclose()
        finally:
            # The outcome of the fetch is known; closing must not replace it.
            with suppress(Exception):
                await pool.aclose()
        return reader.response()


def _anywhere(_: str) -> None:
    """Accept any host."""


class _CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were checked, never to a name."""

    def __init__(
        self,
        inner: httpcore.AsyncNetworkBackend,
        resolve: Resolve,
        judge: Judge | None,
        deadline: Deadline,
        check_host: Callable[[str], None],
    ) -> None:
        self._inner = inner
        self._check_host = check_host
        self._resolve = resolve
        self._judge = judge
        self._deadline = deadline

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's name
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.AsyncNetworkStream:
        self._check_host(host)
        async with asyncio.timeout(left_s(self._deadline, timeout)):
            found = await self._resolve(host, port)
        failure: Exception = httpcore.ConnectError(f"no address of {host}")
        # By address, never by name: httpcore would look the name up again.
        for address in permitted(found, self._judge):
            try:
                stream = await self._inner.connect_tcp(
                    address, port, left_s(self._deadline, timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _TimedStream(stream, self._deadline)
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109
        socket_options: Any = None,
    ) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError("no files on this machine")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _TimedStream(httpcore.AsyncNetworkStream):
    """Connection whose every step ends with the whole fetch."""

    def __init__(self, inner: httpcore.AsyncNetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        return await self._inner.read(max_bytes, left_s(self._deadline, timeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._inner.write(buffer, left_s(self._deadline, timeout))

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's name
    ) -> httpcore.AsyncNetworkStream:
        left = left_s(self._deadline, timeout)
        secured = await self._inner.start_tls(ssl_context, server_hostname, left)
        return _TimedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
