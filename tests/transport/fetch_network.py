"""Fetchers of both colours over a network that the test decides on, and raw servers in it."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpcore

from evolution_sdk.media.fetching import purpose_of
from evolution_sdk.transport import TransportOptions
from evolution_sdk.transport.fetch_async import AsyncFetcher
from evolution_sdk.transport.fetch_sync import SyncFetcher
from evolution_sdk.transport.fetching import Fetch

PEER = "93.184.215.14"  # public; where connections to it really go is up to each test


class Connections:
    """A network that notes every address connected to, and leads to one local port."""

    def __init__(self, port: int | None = None) -> None:
        self.port = port
        self.made: list[str] = []

    def real(self, host: str, port: int) -> tuple[str, int]:
        ipaddress.ip_address(host)  # never a name
        self.made.append(host)
        if self.port is None:
            raise httpcore.ConnectError("nobody there")
        return "127.0.0.1", self.port

    def sync(self) -> httpcore.NetworkBackend:
        outer, inner = self, httpcore.SyncBackend()

        class Backend(httpcore.NetworkBackend):
            def connect_tcp(self, host: str, port: int, *args: Any, **kw: Any) -> Any:
                return inner.connect_tcp(*outer.real(host, port), *args, **kw)

        return Backend()

    def asynchronous(self) -> httpcore.AsyncNetworkBackend:
        outer, inner = self, httpcore.AnyIOBackend()

        class Backend(httpcore.AsyncNetworkBackend):
            async def connect_tcp(self, host: str, port: int, *args: Any, **kw: Any) -> Any:
                return await inner.connect_tcp(*outer.real(host, port), *args, **kw)

        return Backend()


def rows(*addresses: str) -> list[Any]:
    return [(0, 0, 0, "", (address, 80)) for address in addresses]


class Fetching:
    """A fetcher of either colour over such a network."""

    def __init__(self, colour: str) -> None:
        self.colour = colour

    def get(
        self,
        url: str,
        network: Connections,
        *,
        answers: Callable[[str], list[Any]] | None = None,
        trusted: bool = False,
        limit: int = 1_000,
        total_ms: float = 5_000,
        options: TransportOptions | None = None,
        **more: Any,
    ) -> Any:
        options = options or TransportOptions()
        fetch = Fetch(url, trusted, limit, 1_000, total_ms)
        if self.colour == "sync":
            if answers is not None:
                more["resolve"] = lambda host, port: answers(host)
            return SyncFetcher(options, purpose_of, backend=network.sync(), **more).get(fetch)

        async def later(host: str, port: int) -> list[Any]:
            assert answers is not None
            return answers(host)

        if answers is not None:
            more["resolve"] = later
        made = AsyncFetcher(options, purpose_of, backend=network.asynchronous(), **more)
        return asyncio.run(made.get(fetch))


@contextmanager
def serving(
    handle: Callable[[socket.socket, bytes], None],
) -> Iterator[tuple[Connections, list[bytes]]]:
    """A raw server: what it reads is noted, what it answers is up to the test."""
    heads: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                with peer, suppress(OSError):
                    peer.settimeout(5)
                    head = b""
                    while b"\r\n\r\n" not in head and (part := peer.recv(65_536)):
                        head += part
                    heads.append(head)
                    handle(peer, head)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield Connections(listener.getsockname()[1]), heads
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def answering(*pieces: bytes) -> Callable[[socket.socket, bytes], None]:
    def handle(peer: socket.socket, _head: bytes) -> None:
        for piece in pieces:
            peer.sendall(piece)

    return handle


def ok(body: bytes, *lines: bytes) -> bytes:
    return b"\r\n".join(
        (b"HTTP/1.1 200 OK", b"content-length: %d" % len(body), *lines, b"", body)
    )  # fmt: skip
