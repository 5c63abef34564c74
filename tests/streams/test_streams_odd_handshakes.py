"""Whatever answers a socket's handshake: the key stays with its server, and the stream goes on."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_server import JOINED, OPEN, UPGRADES, Asked, Pieces, frame, http, odd_server, switched
from rabbit_stage import NOW, Watch, until

from effort import examples
from evolution_sdk.errors import AuthenticationError
from evolution_sdk.streams import SocketStream, StreamConnected, StreamDisconnected
from evolution_sdk.streams._authenticated_http import AuthenticatedHttp

KEY = "the-secret-key"
REFUSAL = b'{"code":4,"message":"Invalid global token"}'


def stream(url: str, watch: Watch | None = None, **more: Any) -> SocketStream:
    more.setdefault("reconnect", NOW)
    more.setdefault("connect_timeout_ms", 300)
    more.setdefault("namespace_poll_ms", 1)
    return SocketStream(more.pop("to", print), url, KEY, on_state=watch, **more)


# --- redirects ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("transports", [["polling"], ["websocket"], None])
@pytest.mark.parametrize("key_in", ["header", "query"])
async def test_a_redirect_is_not_followed_on_any_transport(
    status: int, transports: Any, key_in: Any
) -> None:
    watch = Watch()
    async with odd_server(lambda *_: [http(OPEN)]) as other:

        def led(_asked: Asked, _n: int) -> Pieces:
            head = f"HTTP/1.1 {status} Moved\r\nLocation: {other.url}/take?apikey={KEY}\r\n"
            return [head.encode() + b"Content-Length: 0\r\nConnection: close\r\n\r\n"]

        async with odd_server(led) as odd:
            # Not about time: a busy machine may take longer than the usual limit to connect.
            patient = {"connect_timeout_ms": 20_000}
            consumer = stream(odd.url, watch, transports=transports, key_in=key_in, **patient)
            async with consumer:
                await until(lambda: watch.count(StreamDisconnected) >= 2)
    assert other.asked == []
    assert len(odd.asked) >= 2
    told = [s.reason for s in watch.states if isinstance(s, StreamDisconnected)]
    assert f"redirects to {other.url};" in told[0]
    assert KEY not in "".join(told)


async def test_an_upgrade_that_redirects_gives_the_key_to_nobody_and_polling_goes_on() -> None:
    watch = Watch()
    async with odd_server(lambda *_: [http(OPEN)]) as other:

        def answer(asked: Asked, n: int) -> Pieces:
            if asked.upgrade:
                return [
                    f"HTTP/1.1 302 Found\r\nLocation: {other.url}\r\n".encode()
                    + b"Content-Length: 0\r\nConnection: close\r\n\r\n"
                ]
            if asked.poll:
                return [http(JOINED if n == 0 else b"6")]
            return [http(UPGRADES if asked.line.startswith("GET") else b"ok")]

        async with odd_server(answer) as odd, stream(odd.url, watch) as consumer:
            await until(lambda: consumer.connected)
    assert other.asked == []


async def test_polls_after_the_handshake_follow_no_redirect() -> None:
    watch = Watch()
    async with odd_server(lambda *_: [http(OPEN)]) as other:

        def answer(asked: Asked, n: int) -> Pieces:
            if asked.poll and n:
                head = f"HTTP/1.1 307 Moved\r\nLocation: {other.url}\r\nContent-Length: 0\r\n"
                return [head.encode() + b"Connection: close\r\n\r\n"]
            if asked.poll:
                return [http(JOINED)]
            return [http(OPEN if asked.line.startswith("GET") else b"ok")]

        async with odd_server(answer) as odd, stream(odd.url, watch):
            await until(lambda: watch.count(StreamConnected) >= 2)
    assert other.asked == []
    assert watch.count(StreamDisconnected) >= 1


# --- odd handshakes ----------------------------------------------------------------------------

PAGE = b"<html><body>Bad gateway</body></html>"
BODIES: dict[str, Pieces] = {
    "nothing at all": [b""],
    "not HTTP": [b"\x00\x01\x02garbage\r\n\r\n"],
    "half a status line": [b"HTTP/1.1 2"],
    "half a head": [b"HTTP/1.1 200 OK\r\nContent-Le"],
    "a 404 in two segments": [http(b"", "404 Not Found", "application/json", 9), b'{"a":"b"}'],
    "a 502 in two segments": [http(b"", "502 Bad Gateway", "text/html", len(PAGE)), PAGE],
    "a 502 of bad JSON": [http(b'{"a":', "502 Bad Gateway", "application/json")],
    "a 502 cut short": [http(PAGE, "502 Bad Gateway", "application/json", 50)],
    "a 500 of a list": [http(b'["Invalid global token"]', "500 No", "application/json")],
    "a 403 of a number": [http(b"7", "403 No", "application/json")],
    "a refusal by a proxy": [http(REFUSAL, "502 Bad Gateway", "application/json")],
    "a 200 page": [http(PAGE, kind="text/html")],
    "an empty 200": [http(b"")],
    "a 204": [b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"],
    "a cut 200": [http(OPEN[:30], cut=70)],
    "a cut packet": [http(OPEN[:30])],
    "no sid": [http(b'0{"upgrades":[],"pingInterval":1,"pingTimeout":1}')],
    "sid null": [http(OPEN.replace(b'"s1"', b"null"))],
    "upgrades null": [http(OPEN.replace(b"[]", b"null"))],
    "ping a word": [http(OPEN.replace(b"25000", b'"soon"'))],
    "ping infinite": [http(OPEN.replace(b"25000", b"1e999"))],
    "ping null": [http(OPEN.replace(b"20000", b"null"))],
    "ping enormous": [http(OPEN.replace(b"20000", b"9" * 400))],
    "open a list": [http(b"0[]")],
    "open a text": [http(b"0hello")],
    "open nothing": [http(b"0")],
    "another packet": [http(b"6")],
    "a form": [http(b"d=%30%7B%7D")],
    "an empty form": [http(b"d=")],
    "no UTF-8": [http(b"\xff\xfe0{}")],
    "separators": [http(b"\x1e\x1e\x1e")],
    "too many packets": [http(b"\x1e".join([OPEN] * 40))],
    "deep JSON": [http(b"0" + b"[" * 5_000)],
    "bad base64": [http(OPEN + b"\x1eb!!!")],
    "closed at once": [http(OPEN + b"\x1e1")],
    "wrong chunks": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nxx\r\n"],
    "no gzip": [http(b"no", "200 OK\r\nContent-Encoding: gzip")],
    "a gzip cut": [http(b"\x1f\x8b\x08", "200 OK\r\nContent-Encoding: gzip")],
    "a 101 unasked": [b"HTTP/1.1 101 Switching Protocols\r\n\r\n"],
    "a 101 to polling": [b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"],
}


def always(pieces: Pieces) -> Callable[[Asked, int], Pieces]:
    return lambda *_: pieces


async def lives(
    answer: Callable[[Asked, int], Pieces], watch: Watch, times: int = 2, **more: Any
) -> None:
    """Let a stream meet this server until it lost several connections; it must not end."""
    async with odd_server(answer) as odd:
        consumer = stream(odd.url, watch, **more)
        running = asyncio.ensure_future(consumer.run())
        try:
            await until(lambda: running.done() or watch.count(StreamDisconnected) >= times)
            assert not running.done(), running
        finally:
            consumer.stop()
            await running
    told = "".join(s.reason for s in watch.states if isinstance(s, StreamDisconnected))
    assert KEY not in told


@pytest.mark.parametrize("transport", ["polling", "websocket"])
@pytest.mark.parametrize("case", BODIES)
async def test_no_answer_to_the_handshake_ends_the_stream(case: str, transport: Any) -> None:
    watch = Watch()
    await lives(always(BODIES[case]), watch, transports=[transport])
    assert watch.count(StreamConnected) == 0


def upgraded(*frames: bytes, accept: str | None = None) -> Callable[[Asked, int], Pieces]:
    """A websocket without polling before it: what is told after the switch."""
    return lambda asked, _n: [switched(asked, accept), *frames]


FRAMES: dict[str, Callable[[Asked, int], Pieces]] = {
    "no key": upgraded(accept=""),
    "a wrong key": upgraded(accept="bm90IHRoZSBrZXk="),
    "closed": upgraded(frame(b"", 8)),
    "gone": upgraded(),
    "an empty text": upgraded(frame(b"")),
    "binary": upgraded(frame(b"\x00\x01", 2)),
    "a word": upgraded(frame(b"hello")),
    "open a list": upgraded(frame(b"0[]")),
    "no sid": upgraded(frame(b'0{"upgrades":[]}')),
    "no UTF-8": upgraded(frame(b"\xff\xfe")),
    "a reserved opcode": upgraded(frame(b"x", 3)),
    "masked": upgraded(bytes([0x81, 0x81]) + b"abcdx"),
    "cut": upgraded(bytes([0x81, 100]) + b"0{"),
    "open, then gone": upgraded(frame(OPEN)),
    "open, then garbage": upgraded(frame(OPEN), frame(b"\x00\x01\x02", 3)),
    "open, then closed": upgraded(frame(OPEN), frame(b"", 8)),
    "refused": upgraded(frame(OPEN), frame(b'44{"message":"no"}')),
    "refused by a number": upgraded(frame(OPEN), frame(b"447")),
}


@pytest.mark.parametrize("case", FRAMES)
async def test_no_garbage_on_the_websocket_ends_the_stream(case: str) -> None:
    watch = Watch()
    await lives(FRAMES[case], watch, transports=["websocket"])
    assert watch.count(StreamConnected) == 0


PACKETS: dict[str, bytes] = {
    "a 404": http(b"{}", "404 No", "application/json"),
    "cut": http(b"42[", cut=10),
    "an empty form": http(b"d="),
    "no UTF-8": http(b"\xff"),
    "deep JSON": http(b"4" + b"[" * 5_000),
    "an unknown packet": http(b"49"),
    "no packet": http(b"4x"),
    "an event that is none": http(b"42{}"),
    "an event without a name": http(b"42[]"),
    "an attachment missing": http(b'451-["a",{"_placeholder":true,"num":0}]\x1e42["b",{}]'),
    "an attachment too many": http(b"bAAEC"),
    "attachments without end": http(b'4599999-["a",{}]'),
    "left": http(b"41"),
    "refused afterwards": http(b'44{"message":"no"}'),
    "closed": http(b"1"),
}


@pytest.mark.parametrize("case", PACKETS)
async def test_no_packet_ends_the_stream_or_leaves_it_deaf(case: str) -> None:
    """Behind each of these nothing more would come: the stream says so and connects anew."""

    def answer(asked: Asked, n: int) -> Pieces:
        if asked.poll:
            return [http(JOINED) if n == 0 else PACKETS[case]]
        return [http(OPEN if asked.line.startswith("GET") else b"ok")]

    watch = Watch()
    await lives(answer, watch, transports=["polling"], connect_timeout_ms=5_000)
    assert watch.count(StreamConnected) >= 2


async def test_garbage_after_the_upgrade_is_an_end() -> None:
    for garbage in (frame(b"\x00", 3), frame(b"42{}"), frame(b"41"), frame(b"\x00", 2)):
        watch = Watch()
        answer = upgraded(frame(OPEN), frame(JOINED), garbage)
        await lives(answer, watch, transports=["websocket"], connect_timeout_ms=5_000)
        assert watch.count(StreamConnected) >= 2


@pytest.mark.parametrize("garbage", [frame(b""), frame(b"hi"), frame(b"", 8), frame(b"x", 2), b""])
async def test_a_probe_that_is_not_answered_does_no_harm(garbage: bytes) -> None:
    def answer(asked: Asked, n: int) -> Pieces:
        if asked.upgrade:
            return [switched(asked), garbage]
        if asked.poll:
            return [http(JOINED if n == 0 else b"1")]
        return [http(UPGRADES if asked.line.startswith("GET") else b"ok")]

    await lives(answer, Watch(), connect_timeout_ms=2_000)


@settings(max_examples=examples(12))
@given(
    st.lists(st.binary(max_size=60), min_size=1, max_size=3),
    st.sampled_from(["200 OK", "404 No", "502 No", "302 No"]),
    st.sampled_from(["application/json", "text/html"]),
)
def test_no_bytes_end_the_stream(pieces: list[bytes], status: str, kind: str) -> None:
    head = http(b"", status, kind, sum(map(len, pieces)))
    watch = Watch()
    asyncio.run(lives(always([head, *pieces]), watch, times=1, transports=["polling"]))


# --- what ends it, and what is left behind -----------------------------------------------------


async def test_a_refusal_in_two_segments_is_a_refusal() -> None:
    head = http(b"", "403 Forbidden", "application/json", len(REFUSAL))
    async with odd_server(always([head, REFUSAL[:7], REFUSAL[7:]])) as odd:
        with pytest.raises(AuthenticationError, match="Invalid global token"):
            await stream(odd.url).run()


async def test_cancelling_ends_it_in_the_middle_of_a_handshake() -> None:
    async with odd_server(lambda *_: [b""] * 200) as odd:
        running = asyncio.ensure_future(stream(odd.url, connect_timeout_ms=60_000).run())
        await until(lambda: odd.asked)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_failed_handshakes_leave_nothing_behind(recwarn: pytest.WarningsRecorder) -> None:
    clients = importlib.import_module("engineio.base_client").connected_clients
    before = list(clients)
    for case in ("upgrades null", "sid null", "a 502 in two segments"):
        await lives(always(BODIES[case]), Watch(), times=4)
    assert clients == before
    assert [w for w in recwarn if issubclass(w.category, ResourceWarning)] == []


async def test_an_answer_without_end_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AuthenticatedHttp.__init__, "__defaults__", (999,))
    watch = Watch()
    await lives(always([http(OPEN + b" " * 1_000)]), watch, transports=["polling"])
    assert watch.count(StreamConnected) == 0
