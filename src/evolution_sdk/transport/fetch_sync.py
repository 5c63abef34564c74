"""Fetching of media files, blocking; see ``_fetching``."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

import httpcore

from evolution_sdk._base.network import check_host
from evolution_sdk._base.request import Response

from ._bounded import BoundedStream
from ._deadline import Deadline
from ._fetching import FileIntake, explained, left_s, permitted, pool_for, request_for
from ._options import TransportOptions
from .fetching import Fetch, Judge, SyncSink

__all__ = ["SyncFetcher"]

Resolve = Callable[[str, int], Iterable[Sequence[Any]]]


def _look_up(host: str, port: int) -> Iterable[Sequence[Any]]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class SyncFetcher:
    """Fetches media files; keeps no connection, so that threads may share it.

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
        backend: httpcore.NetworkBackend | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self._judge = judge
        self._resolve = resolve
        self._backend = backend or httpcore.SyncBackend()
        # A backend passed in (by a test) is not the network of this machine.
        self._check_host = check_host if backend is None else _anywhere
        self._clock = clock

    def get(self, fetch: Fetch) -> Response:
        """Get one response; a redirect is not followed.

        Raises:
            RequestValidationError: The host is refused, or the file is larger than allowed.
            TransportError: No response arrived; phase NOT_SENT, because no message was sent yet.
        """
        try:
            return self._get(fetch, None)
        except Exception as error:
            raise explained(error, fetch.url) from error

    def stream(self, fetch: Fetch, sink: SyncSink) -> Response:
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

        def guarded(piece: bytes) -> None:
            try:
                sink(piece)
            except Exception as error:
                failed.append(error)
                raise

        try:
            return self._get(fetch, guarded)
        except Exception as error:
            # What the sink raises is the caller's own, such as a disk that is full.
            if error in failed:
                raise
            raise explained(error, fetch.url) from error

    def _get(self, fetch: Fetch, sink: SyncSink | None) -> Response:
        origin, request = request_for(fetch)
        judge = None if fetch.trusted else self._judge
        deadline = Deadline(fetch.total_ms, self._clock)
        backend = _CheckedBackend(self._backend, self._resolve, judge, deadline, self._check_host)
        pool = httpcore.ConnectionPool(
            network_backend=backend, **pool_for(self._options, origin, fetch)
        )
        try:
            with deadline:  # the streams of this thread keep to it
                answer = pool.handle_request(request)
                try:
                    reader = FileIntake(answer.status, answer.headers, fetch.limit_bytes)
                    if reader.wants_body:
                        for part in answer.iter_stream():
                            reader.take(part)
                            if sink is not None and (piece := reader.ready()):
                                sink(piece)
                        if sink is not None and (piece := reader.rest()):
                            sink(piece)
                finally:
                    answer.close()
        finally:
            # The outcome of the fetch is known; closing must not replace it.
            with suppress(Exception):
                pool.close()
        return reader.response()


def _anywhere(_: str) -> None:
    """Accept any host."""


class _CheckedBackend(httpcore.NetworkBackend):
    """Connects to addresses that were checked, never to a name."""

    def __init__(
        self,
        inner: httpcore.NetworkBackend,
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

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> Any:
        self._check_host(host)
        left_s(self._deadline)
        found = self._resolve(host, port)
        failure: Exception = httpcore.ConnectError(f"no address of {host}")
        # By address, never by name: httpcore would look the name up again.
        for address in permitted(found, self._judge):
            try:
                stream = self._inner.connect_tcp(
                    address, port, left_s(self._deadline, timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return BoundedStream(stream)
        raise failure

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Any = None
    ) -> httpcore.NetworkStream:
        raise httpcore.ConnectError("no files on this machine")

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
