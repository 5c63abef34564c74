"""Fetching foreign files: the address connected to is the one judged; all reading is bounded."""

from __future__ import annotations

import asyncio
import gzip
import ipaddress
import itertools
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpcore
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evolution_sdk._core.effect import Phase
from evolution_sdk.errors import (
    ConnectionFailedError,
    EvolutionTimeoutError,
    RequestValidationError,
    TransportError,
)
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


@pytest.fixture(params=["sync", "async"])
def fetching(request: pytest.FixtureRequest) -> Fetching:
    return Fetching(request.param)


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


# Addresses


SPELLINGS = (
    "127.0.0.1", "127.1", "127.0.1", "0x7f.0.0.1", "0x7f000001", "2130706433", "0177.0.0.1",
    "017700000001", "127.0.0.1.", "0", "0.0.0.0", "[::1]", "[0:0:0:0:0:0:0:1]", "[::]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]", "10.0.0.1", "172.16.0.1", "192.168.0.1", "0xc0a80001", "3232235521",
    "169.254.169.254", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376", "169.254.43518",
    "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[fd00:ec2::254]", "[fe80::1]",
    "100.100.100.200", "168.63.129.16", "224.0.0.1", "[ff02::1]", "255.255.255.255", "240.0.0.1",
    "198.18.0.1", "192.0.2.1", "localhost", "LOCALHOST", "%31%32%37.0.0.1", "127。0。0。1",
    "①②⑦.0.0.1",
)  # fmt: skip


@pytest.mark.parametrize("host", SPELLINGS)
def test_no_spelling_of_a_special_address_is_connected_to(fetching: Fetching, host: str) -> None:
    network = Connections()
    with pytest.raises((RequestValidationError, TransportError)) as caught:
        fetching.get(f"http://{host}:8080/", network)
    assert network.made == []
    if isinstance(caught.value, TransportError):
        assert caught.value.phase is Phase.NOT_SENT
    elif "%" not in host:
        assert "EVOLUTION_MEDIA_FETCH_HOSTS" in str(caught.value)


def numbered(address: ipaddress.IPv4Address) -> st.SearchStrategy[str]:
    """The ways in which resolvers read an IPv4 address."""
    number = int(address)
    a, b, c, d = address.packed
    return st.sampled_from(
        (str(address), str(number), hex(number), f"0{number:o}", f"{a}.{number & 0xFFFFFF}",
         f"{a}.{b}.{number & 0xFFFF}", f"0x{a:x}.0{b:o}.{c}.{d:#x}", f"0{a:o}.{b}.{c}.{d}",
         f"[::ffff:{address}]", f"[::ffff:{number >> 16:x}:{number & 0xFFFF:x}]",
         f"[64:ff9b::{address}]")
    )  # fmt: skip


PRIVATE = st.sampled_from(
    ["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
     "172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4"]
).map(ipaddress.IPv4Network).flatmap(
    lambda net: st.integers(0, net.num_addresses - 1).map(lambda at: net[at])
)  # fmt: skip


@given(PRIVATE.flatmap(numbered))
@settings(deadline=None, max_examples=150)
def test_every_special_address_in_every_spelling_is_refused(host: str) -> None:
    network = Connections()
    with pytest.raises((RequestValidationError, TransportError)):
        Fetching("sync").get(f"http://{host}/", network)
    assert network.made == []


def test_a_name_is_looked_up_once_and_the_judged_address_connected_to(fetching: Fetching) -> None:
    """A second look-up would give the attacker's server the last word (DNS rebinding)."""
    asked: list[str] = []

    def rebinding(host: str) -> list[Any]:
        asked.append(host)
        return rows(PEER) if len(asked) == 1 else rows("127.0.0.1")

    with serving(answering(ok(b"file", b"content-type: image/png"))) as (network, heads):
        answer = fetching.get("http://files.example/a.png?x=1", network, answers=rebinding)
    assert (answer.status, answer.body, answer.headers["content-type"]) == (
        200,
        b"file",
        "image/png",
    )
    assert (asked, network.made) == (["files.example"], [PEER])
    assert heads[0].startswith(b"GET /a.png?x=1 HTTP/1.1\r\nhost: files.example\r\n")
    assert not {b"apikey", b"authorization", b"cookie", b"referer"} & {
        line.partition(b":")[0].lower() for line in heads[0].splitlines()
    }


def test_special_addresses_among_others_are_left_out(fetching: Fetching) -> None:
    with serving(answering(ok(b"x"))) as (network, _):
        mixed = rows("127.0.0.1", "10.0.0.1", PEER, "::1", "1.1.1.1")
        fetching.get("http://files.example/", network, answers=lambda _: mixed)
    assert network.made == [PEER]


def test_the_next_address_is_tried_when_one_does_not_answer(fetching: Fetching) -> None:
    network = Connections()
    with pytest.raises(ConnectionFailedError, match="could not be fetched from http://files"):
        fetching.get("http://files.example/", network, answers=lambda _: rows(PEER, "1.1.1.1"))
    assert network.made == [PEER, "1.1.1.1"]


def test_a_named_host_may_have_any_address(fetching: Fetching) -> None:
    with serving(answering(ok(b"x"))) as (network, _):
        fetching.get("http://minio/", network, answers=lambda _: rows("10.0.0.1"), trusted=True)
    assert network.made == ["10.0.0.1"]


@pytest.mark.parametrize("failure", [socket.gaierror(-2, "unknown"), UnicodeError("label"), None])
def test_a_host_that_is_not_found_sends_nothing(fetching: Fetching, failure: Any) -> None:
    def answers(_host: str) -> list[Any]:
        if failure is None:
            return []
        raise failure

    network = Connections()
    with pytest.raises((TransportError, RequestValidationError)) as caught:
        fetching.get("http://nowhere.example/", network, answers=answers)
    assert getattr(caught.value, "phase", Phase.NOT_SENT) is Phase.NOT_SENT
    assert network.made == []
    assert "EVOLUTION_API_URL" not in str(caught.value)


def test_a_proxy_is_not_trusted_with_the_choice(
    fetching: Fetching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    network = Connections()
    for options in (TransportOptions(), TransportOptions(proxy="http://proxy.example:3128")):
        with pytest.raises(RequestValidationError, match=r"proxy.*EVOLUTION_MEDIA_FETCH_HOSTS"):
            fetching.get("http://files.example/", network, options=options)
    assert network.made == []
    with serving(answering(ok(b"x"))) as (network, heads):
        fetching.get(
            "http://files.example/", network, trusted=True, answers=lambda _: rows("10.0.0.9")
        )
    assert heads[0].startswith(b"GET http://files.example")


def test_tls_is_verified_for_the_name_not_the_address(fetching: Fetching) -> None:
    seen: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(__file__.replace("test_transport_fetch.py", "localhost.pem"))
    context.sni_callback = lambda _socket, name, _context: seen.append(name)

    def handshake(peer: socket.socket, _head: bytes) -> None:
        """Not reached: the server below speaks TLS from the first byte."""

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            peer, _ = listener.accept()
            with peer, suppress(OSError):
                context.wrap_socket(peer, server_side=True).close()

        thread = threading.Thread(target=run)
        thread.start()
        network = Connections(listener.getsockname()[1])
        with pytest.raises(ConnectionFailedError, match=r"certificate of https://files\.example"):
            fetching.get("https://files.example/", network, answers=lambda _: rows(PEER))
        thread.join()
    assert seen == ["files.example"]


# Bounds


def test_an_announced_size_above_the_limit_is_not_read(fetching: Fetching) -> None:
    with (
        serving(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n")) as (network, _),
        pytest.raises(RequestValidationError, match="at most 1000 are allowed"),
    ):
        fetching.get("http://f.example/", network, answers=lambda _: rows(PEER))


def test_reading_ends_at_the_limit_not_after_it(fetching: Fetching) -> None:
    sent: list[int] = []

    def endless(peer: socket.socket, _head: bytes) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while len(sent) < 2_000:
            peer.sendall(b"10000\r\n" + bytes(65_536) + b"\r\n")
            sent.append(65_536)

    with serving(endless) as (network, _), pytest.raises(RequestValidationError, match="at most"):
        fetching.get("http://f.example/", network, answers=lambda _: rows(PEER), limit=100_000)
    assert len(sent) < 2_000


@pytest.mark.parametrize(
    ("encoding", "packed", "words"),
    [
        (b"gzip", gzip.compress(b"file"), None),
        (b"deflate", zlib.compress(b"file"), None),
        (b"gzip", gzip.compress(bytes(50_000_000)), "at most"),
        (b"gzip", b"\x1f\x8b\x08 no", "damaged"),
        (b"gzip", gzip.compress(b"file")[:-9], "cut short"),
        (b"br", b"file", "encoding 'br'"),
        (b"gzip, gzip", gzip.compress(b"file"), "encoding"),
    ],
)
def test_what_is_unpacked_is_bounded_too(
    fetching: Fetching, encoding: bytes, packed: bytes, words: str | None
) -> None:
    page = ok(packed, b"content-encoding: " + encoding)
    with serving(answering(page)) as (network, heads):

        def call() -> Any:
            return fetching.get(
                "http://f.example/", network, answers=lambda _: rows(PEER), limit=100_000
            )

        if words is None:
            assert call().body == b"file"
        else:
            with pytest.raises(RequestValidationError, match=words):
                call()
    assert b"accept-encoding: identity" in heads[0]


class Dripping(Connections):
    """A network that gives one byte at a time."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.bytes = [bytes((one,)) for one in page]

    def sync(self) -> httpcore.NetworkBackend:
        return httpcore.MockBackend(self.bytes)

    def asynchronous(self) -> httpcore.AsyncNetworkBackend:
        return httpcore.AsyncMockBackend(self.bytes)


@pytest.mark.parametrize("steps_ms", [1_000, 10])
def test_a_dripping_answer_ends_with_the_whole_time(fetching: Fetching, steps_ms: int) -> None:
    """Each byte comes soon enough for the limit of one read."""
    clock = itertools.count(100.0, steps_ms / 1_000)  # every look at it takes a while
    dripping = Dripping(ok(bytes(200)))

    def call() -> Any:
        return fetching.get(
            "http://f.example/", dripping, answers=lambda _: rows(PEER), total_ms=30_000,
            clock=lambda: next(clock),
        )  # fmt: skip

    if steps_ms == 10:
        assert len(call().body) == 200
    else:
        with pytest.raises(EvolutionTimeoutError, match="in time") as caught:
            call()
        assert caught.value.phase is Phase.NOT_SENT


@pytest.mark.parametrize("status", [b"404 Not Found", b"302 Found", b"206 Partial Content"])
def test_a_body_that_is_not_the_file_is_not_read(fetching: Fetching, status: bytes) -> None:
    page = b"HTTP/1.1 " + status + b"\r\nlocation: /x\r\ncontent-length: 99999999\r\n\r\n"
    with serving(answering(page)) as (network, _):
        answer = fetching.get("http://f.example/", network, answers=lambda _: rows(PEER))
    assert (answer.status, answer.body) == (int(status[:3]), b"")
    assert answer.headers["location"] == "/x"


@pytest.mark.parametrize(
    "page", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", b"SSH-2.0-OpenSSH\r\n"]
)
def test_a_broken_answer_is_told_as_nothing_sent(fetching: Fetching, page: bytes) -> None:
    with serving(answering(page)) as (network, _), pytest.raises(ConnectionFailedError) as caught:
        fetching.get("http://f.example/secret?token=s3cret", network, answers=lambda _: rows(PEER))
    assert caught.value.phase is Phase.NOT_SENT
    assert "s3cret" not in str(caught.value)
