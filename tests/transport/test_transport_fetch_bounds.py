"""Fetching foreign files: size and time are bounded while reading."""

from __future__ import annotations

import gzip
import itertools
import socket
import tracemalloc
import zlib
from typing import Any

import httpcore
import pytest
from fetch_network import PEER, Connections, Fetching, answering, ok, rows, serving

from evolution_sdk._base.effect import Phase
from evolution_sdk.errors import (
    ConnectionFailedError,
    EvolutionTimeoutError,
    RequestValidationError,
)
from evolution_sdk.transport._fetching import FetchRefusedError, FileIntake


def test_an_announced_size_above_the_limit_is_not_read(fetching: Fetching) -> None:
    with (
        serving(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n")) as (network, _),
        pytest.raises(RequestValidationError, match="at most 1000 bytes are allowed"),
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
        (b"gzip", gzip.compress(b"file", mtime=0), None),
        (b"deflate", zlib.compress(b"file"), None),
        (b"gzip", gzip.compress(bytes(50_000_000), mtime=0), "at most"),
        (b"gzip", b"\x1f\x8b\x08 no", "damaged"),
        (b"gzip", gzip.compress(b"file", mtime=0)[:-9], "cut short"),
        (b"gzip", gzip.compress(b"fi", mtime=0) + gzip.compress(b"le", mtime=0), None),
        (b"br", b"file", "encoding 'br'"),
        (b"gzip, gzip", gzip.compress(b"file", mtime=0), "encoding"),
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


def test_a_bomb_is_not_unpacked_to_be_refused() -> None:
    packed = gzip.compress(bytes(50_000_000), mtime=0)
    intake = FileIntake(200, [(b"content-encoding", b"gzip")], 100_000)
    tracemalloc.start()
    try:
        with pytest.raises(FetchRefusedError, match="at most 100000"):
            intake.take(packed)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
