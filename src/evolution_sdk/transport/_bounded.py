"""Blocking sockets that keep to the deadline of the attempt in their thread.

httpcore gives each read and each write the whole limit, so that a response that drips could block
a call forever. Here each step gets only the time that is left.
"""

from __future__ import annotations

import socket
import ssl
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from ._deadline import Deadline, current_left_s

__all__ = ["BoundedBackend", "BoundedStream", "bind_to_deadline"]


class BoundedStream:
    """Stream of httpcore (or httpcore2) whose steps end with the attempt."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        # Bound now, because ``bind_to_deadline`` replaces these methods on the stream.
        self._read, self._write, self._start_tls = inner.read, inner.write, inner.start_tls
        # httpcore or httpcore2, whichever made the stream: callers expect its own exceptions.
        self._errors: Any = sys.modules[type(inner).__module__.partition(".")[0]]
        # TLS within TLS has no socket of its own to write to.
        nested = isinstance(inner.get_extra_info("ssl_object"), ssl.SSLObject)
        self._socket: Any = None if nested else inner.get_extra_info("socket")

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read the bytes that are there, or wait for some."""
        data: bytes = self._read(max_bytes, self._left(timeout, "ReadTimeout"))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write the whole buffer."""
        if self._socket is None:
            self._write(buffer, self._left(timeout, "WriteTimeout"))
            return
        # httpcore's write gives each ``send`` the whole limit; one deadline for all of them here.
        own = Deadline(None if timeout is None else timeout * 1_000)
        view = memoryview(buffer)
        try:
            while view:
                self._socket.settimeout(self._left(own.left_s(), "WriteTimeout"))
                view = view[self._socket.send(view) :]
        except TimeoutError as error:
            raise self._errors.WriteTimeout(str(error)) from error
        except OSError as error:
            raise self._errors.WriteError(str(error)) from error

    def close(self) -> None:
        """Close the socket."""
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> BoundedStream:
        """Start TLS on the connection."""
        if isinstance(self._socket, ssl.SSLSocket):
            _bind_socket(self._socket)
        left = self._left(timeout, "ConnectTimeout")
        return BoundedStream(self._start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        """Return a detail of the stream underneath."""
        return self._inner.get_extra_info(info)

    def _left(self, timeout: float | None, error: str) -> float | None:
        left = current_left_s(timeout)
        if left is not None and left <= 0:  # a socket takes 0 for "non-blocking"
            raise getattr(self._errors, error)("the attempt as a whole took too long")
        return left


class BoundedBackend:
    """Opens connections within the deadline, and binds them to it.

    Args:
        core: The module ``httpcore`` or ``httpcore2``, whose pool it is for.
    """

    def __init__(self, core: Any) -> None:
        self._core = core
        self._inner = core.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> BoundedStream:
        """Connect to the first address that answers, within one limit for all of them.

        The look-up of the name cannot be interrupted: it takes as long as the system lets it.
        """
        # httpcore's own backend would give every address of the name the whole limit.
        limit = Deadline(None if timeout is None else timeout * 1_000)
        addresses = self._look_up(host, port)
        failure: Exception = self._core.ConnectError(f"{host} has no address")
        for number, address in enumerate(addresses):
            left = current_left_s(limit.left_s())
            if left is not None and left <= 0:
                raise self._core.ConnectTimeout from failure
            # An address that never answers leaves its share of the time to those after it.
            share = left if left is None else left / (len(addresses) - number)
            try:
                return BoundedStream(
                    self._inner.connect_tcp(address, port, share, local_address, socket_options)
                )
            except (self._core.ConnectError, self._core.ConnectTimeout) as error:
                failure = error
        raise failure

    def _look_up(self, host: str, port: int) -> list[str]:
        try:
            found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise self._core.ConnectError(str(error)) from error
        return [
            f"{address[0]}%{address[3]}" if len(address) > 3 and address[3] else str(address[0])
            for *_, address in found
        ]


def bind_to_deadline(stream: Any) -> None:
    """Make a stream of the user's client keep to the deadline of the calling thread.

    In a thread without a deadline, as in the user's own calls, the stream works as before.

    Args:
        stream: A stream of httpcore or httpcore2.
    """
    if isinstance(stream, BoundedStream):
        return
    bounded = BoundedStream(stream)
    with suppress(AttributeError):  # another kind of stream, whose methods cannot be replaced
        stream.read, stream.write, stream.start_tls = (
            bounded.read, bounded.write, bounded.start_tls,
        )  # fmt: skip


def _bind_socket(outer: Any) -> None:
    """Bind the outer socket of TLS within TLS, as to an HTTPS server through an HTTPS proxy."""
    # httpcore reads and writes record by record there, and gives each the whole limit.
    recv, sendall = outer.recv, outer.sendall

    def bounded_recv(size: int) -> bytes:
        _set_left(outer)
        data: bytes = recv(size)
        return data

    def bounded_sendall(data: bytes) -> None:
        _set_left(outer)
        sendall(data)

    outer.recv, outer.sendall = bounded_recv, bounded_sendall


def _set_left(outer: Any) -> None:
    left = current_left_s(outer.gettimeout())
    if left is not None and left <= 0:
        raise TimeoutError
    outer.settimeout(left)
