"""Answers are bounded while they are read, as they come and unpacked."""

from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transport_adapters import EVERY, READY_ASYNC, READY_SYNC, Adapter, make_request
from transport_servers import ScriptedServer, Wire, head_of, scripted, serve

from effort import examples
from evolution_sdk._base.effect import Phase
from evolution_sdk._base.request import Response
from evolution_sdk.errors import ConnectionFailedError
from evolution_sdk.transport._answer import DamagedBodyError, ResponseReader

LIMIT = 1_000_000
BOMB_BYTES = 64_000_000
BOMB = gzip.compress(b"\0" * BOMB_BYTES)
DOUBLE_BOMB = gzip.compress(BOMB)
PLAIN = b"x" * 3_000_000
ANSWERS = {
    "gzip bomb": (b"Content-Encoding: gzip\r\nContent-Length: %d\r\n", BOMB),
    "gzip in gzip": (b"Content-Encoding: gzip, gzip\r\nContent-Length: %d\r\n", DOUBLE_BOMB),
    "deflate bomb": (
        b"Content-Encoding: deflate\r\nContent-Length: %d\r\n",
        zlib.compress(b"\0" * BOMB_BYTES),
    ),
    "plain, counted": (b"Content-Length: %d\r\n", PLAIN),
    "plain, to the end": (b"Connection: close\r\n", PLAIN),
    "plain, chunked": (
        b"Transfer-Encoding: chunked\r\n",
        b"".join(b"7d0\r\n" + PLAIN[:2_000] + b"\r\n" for _ in range(1_500)) + b"0\r\n\r\n",
    ),
}


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("which", ANSWERS)
async def test_an_answer_is_read_no_further_than_allowed(kind, which, opened):
    headers, body = ANSWERS[which]

    def burst(server: ScriptedServer, wire: Wire) -> None:
        if wire.number == 1:
            server.note(wire.read_request())
            head = headers % len(body) if b"%d" in headers else headers
            wire.sock.sendall(b"HTTP/1.1 201 Created\r\n" + head + b"\r\n" + body)
            if b"close" in headers:
                return
        serve(server, wire)

    with scripted(burst) as server:
        adapter = opened(kind)
        tracemalloc.start()
        try:
            response = await adapter.send(make_request(server.url, max_response_bytes=LIMIT))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        # Nothing of the rest is taken for the next answer.
        assert (await adapter.send(make_request(server.url))).body == b"{}"
    assert (response.status, response.oversized) == (201, True)
    assert len(response.body) <= 64 * 1024
    assert peak < 12 * LIMIT  # beside what a library reads ahead; the bomb is 64 times the limit


@pytest.mark.parametrize("kind", EVERY)
async def test_what_is_announced_too_large_is_not_waited_for(kind, opened):
    def announce(server: ScriptedServer, wire: Wire) -> None:
        server.note(wire.read_request())
        wire.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n{}")
        server.release.wait(10)

    with scripted(announce) as server:
        response = await opened(kind).send(make_request(server.url, max_response_bytes=LIMIT))
    assert (response.oversized, response.body) == (True, b"{}")


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "identity"])
async def test_exactly_the_limit_is_allowed(kind, encoding, opened):
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "identity": bytes}[encoding]

    def answer(server: ScriptedServer, wire: Wire) -> None:
        while request := wire.read_request():
            server.note(request)
            size = int(head_of(request)[1]["x-size"])
            wire.answer(pack(b"y" * size), f"Content-Encoding: {encoding}")

    with scripted(answer) as server:
        adapter = opened(kind)
        for size, over in ((5_000, False), (5_001, True)):
            request = make_request(
                server.url, headers={"x-size": str(size)}, max_response_bytes=5_000
            )
            response = await adapter.send(request)
            assert (response.oversized, len(response.body)) == (over, size if not over else 5_001)


@pytest.mark.parametrize("kind", [*READY_ASYNC, *READY_SYNC])
async def test_a_ready_made_client_asks_only_for_what_can_be_bounded(kind, opened):
    with scripted(serve) as server:
        await opened(kind, headers={"accept-encoding": "br;q=1, gzip;q=0.5, zstd"}).send(
            make_request(server.url)
        )
        await opened(kind, headers={"accept-encoding": "br"}).send(make_request(server.url))
    asked = [head_of(request)[1]["accept-encoding"] for request in server.requests]
    assert asked == ["gzip;q=0.5", "identity"]


@pytest.mark.parametrize("kind", EVERY)
async def test_an_encoding_nobody_asked_for_is_damage(kind, opened):
    def answer(server: ScriptedServer, wire: Wire) -> None:
        server.note(wire.read_request())
        wire.answer(b"\x0b\x02\x80{}\x03", "Content-Encoding: br")

    with scripted(answer) as server, pytest.raises(ConnectionFailedError) as caught:
        await opened(kind).send(make_request(server.url))
    assert caught.value.phase is Phase.UNKNOWN


@pytest.mark.parametrize("is_async", [True, False])
async def test_what_a_hook_has_read_is_taken_as_it_is(is_async):
    """Unpacked already; and bounded as well, if late."""
    body = gzip.compress(b'{"a": 1}' + b" " * 5_000)

    def answer(server: ScriptedServer, wire: Wire) -> None:
        while request := wire.read_request():
            server.note(request)
            wire.answer(body, "Content-Encoding: gzip")

    async def aread(response: httpx.Response) -> None:
        await response.aread()

    def read(response: httpx.Response) -> None:
        response.read()

    kind, hook = ("ready-httpx", aread) if is_async else ("ready-httpx-sync", read)
    adapter = Adapter(kind, event_hooks={"response": [hook]})
    try:
        with scripted(answer) as server:
            response = await adapter.send(make_request(server.url))
            assert response.body.strip() == b'{"a": 1}'
            small = make_request(server.url, max_response_bytes=100)
            assert (await adapter.send(small)).oversized
    finally:
        await adapter.close()


def taken(headers: dict[str, str], pieces: list[bytes], limit: int = 10_000) -> Response:
    reader = ResponseReader(200, headers, limit)
    for piece in pieces:
        if not reader.feed(piece):
            break
    return reader.response()


def cut_up(data: bytes, seed: int) -> list[bytes]:
    chance = random.Random(seed)
    pieces = []
    while data:
        size = chance.choice((1, 2, 3, 17, 400))
        pieces.append(data[:size])
        data = data[size:]
    return pieces


@settings(max_examples=examples(60))
@given(st.binary(max_size=3_000), st.integers(0, 1_000), st.sampled_from(["z", "raw"]))
def test_however_it_is_cut_the_body_is_the_same(body, seed, form):
    packer = zlib.compressobj(wbits=15 if form == "z" else -15)
    deflated = packer.compress(body) + packer.flush()
    packed = gzip.compress(deflated)
    response = taken({"content-encoding": "deflate, gzip"}, cut_up(packed, seed))
    assert (response.body, response.oversized) == (body, False)


@settings(max_examples=examples(60))
@given(st.binary(min_size=1, max_size=300), st.integers(0, 1_000), st.integers(1, 200))
def test_a_cut_or_odd_body_is_damage_and_no_answer(body, seed, gone):
    packed = gzip.compress(body)
    with pytest.raises(DamagedBodyError):
        taken({"content-encoding": "gzip"}, cut_up(packed[: max(1, len(packed) - gone)], seed))
    with pytest.raises(DamagedBodyError):
        taken({"content-encoding": "gzip"}, cut_up(b"x" + packed, seed))


def test_what_follows_the_end_is_nobodys():
    packed = gzip.compress(b"{}")
    assert taken({"content-encoding": "gzip"}, [packed, b"more", packed]).body == b"{}"
    assert taken({"content-encoding": "gzip"}, [packed, b"x" * 20_000]).oversized


def test_layers_are_bounded():
    with pytest.raises(DamagedBodyError):
        ResponseReader(200, {"content-encoding": ", ".join(["gzip"] * 5)}, 1)
    with pytest.raises(DamagedBodyError):
        ResponseReader(200, {"content-encoding": "zstd"}, 1)
    assert taken({"content-encoding": "GZIP , identity"}, [gzip.compress(b"{}")]).body == b"{}"
    assert taken({"content-encoding": "gzip"}, []).body == b""  # as a 204 says


@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_gzip_in_several_members_is_one_body(step: int) -> None:
    packed = gzip.compress(b'{"a":') + gzip.compress(b"") + gzip.compress(b" 1}") + bytes(8)
    pieces = [packed[at : at + step] for at in range(0, len(packed), step)]
    assert taken({"content-encoding": "gzip"}, pieces).body == b'{"a": 1}'


def test_members_are_bounded_together() -> None:
    packed = gzip.compress(bytes(600)) * 3
    assert taken({"content-encoding": "gzip"}, [packed], 1_000).oversized
