"""Blocking sockets that keep to the deadline of their thread's attempt.

httpcore gives each read and each write the whole limit anew, so that an answer that drips could
hold a call for ever. Here each gets what is left.
"""

from __future__ import annotations

import socket
import ssl
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import httpcore

from ._deadline import Deadline, current_left_s

__all__ = ["BoundedBackend", "BoundedStream", "bind_to_deadline"]


class BoundedStream(httpcore.NetworkStream):
    """A stream of httpcore (or httpcore2) whose steps end with the attempt."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        # Taken now: ``bind_to_deadline`` puts other ones in their place.
        self._read, self._write, self._start_tls = inner.read, inner.write, inner.start_tls
        self._errors: Any = sys.modules[type(inner).__module__.partition(".")[0]]
        # TLS within TLS has no socket of its own to write to.
        nested = isinstance(inner.get_extra_info("ssl_object"), ssl.SSLObject)
        self._socket: Any = None if nested else inner.get_extra_info("socket")

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what is there, or wait for it."""
        data: bytes = self._read(max_bytes, self._left(timeout, "ReadTimeout"))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of it."""
        if self._socket is None:
            self._write(buffer, self._left(timeout, "WriteTimeout"))
            return
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
    ) -> httpcore.NetworkStream:
        """Put TLS on top."""
        if isinstance(self._socket, ssl.SSLSocket):
            _bind_socket(self._socket)
        left = self._left(timeout, "ConnectTimeout")
        return BoundedStream(self._start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        """Tell what the stream is made of."""
        return self._inner.get_extra_info(info)

    def _left(self, timeout: float | None, error: str) -> float | None:
        left = current_left_s(timeout)
        if left is not None and left <= 0:  # a socket takes 0 for "do not wait at all"
            raise getattr(self._errors, error)("the attempt as a whole took too long")
        return left


class BoundedBackend(httpcore.NetworkBackend):
    """Makes connections that keep to the deadline, and keeps to it while making them."""

    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that answers; the limit is one for all of them.

        The look-up of the name cannot be interrupted: it takes as long as the system lets it.
        """
        limit = Deadline(None if timeout is None else timeout * 1_000)
        addresses = _look_up(host, port)
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for number, address in enumerate(addresses):
            left = current_left_s(limit.left_s())
            if left is not None and left <= 0:
                raise httpcore.ConnectTimeout from failure
            share = left if left is None else left / (len(addresses) - number)
            try:
                return BoundedStream(
                    self._inner.connect_tcp(address, port, share, local_address, socket_options)
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


def bind_to_deadline(stream: Any) -> None:
    """Make a stream of somebody else's client keep to the deadline of the calling thread.

    Without one, as in the owner's own calls, the stream does what it always did.

    Args:
        stream: A stream of httpcore or httpcore2.
    """
    if isinstance(stream, BoundedStream):
        return
    bounded = BoundedStream(stream)
    with suppress(AttributeError):  # a stream of another make that takes no attributes
        stream.read, stream.write, stream.start_tls = (
            bounded.read, bounded.write, bounded.start_tls,
        )  # fmt: skip


def _look_up(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(str(error)) from error
    return [
        f"{address[0]}%{address[3]}" if len(address) > 3 and address[3] else str(address[0])
        for *_, address in found
    ]


def _bind_socket(outer: Any) -> None:
    """TLS within TLS reads record by record from the outer socket, each with its whole limit."""
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
