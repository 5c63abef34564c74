"""Whatever a server, a proxy or a caller comes up with: only our errors, with a right phase."""

from __future__ import annotations

import gzip
import random
from typing import Any

import pytest
from transport_adapters import EVERY, OWN, READY_ASYNC, READY_SYNC, Adapter, make_request
from transport_servers import ScriptedServer, Wire, scripted, serve

from evolution_sdk._base.effect import Phase
from evolution_sdk._base.request import Response, Timeouts
from evolution_sdk.errors import ConnectionFailedError, TransportError

QUICK = Timeouts(5_000, 5_000, 5_000, 5_000, total_ms=3_000)
OK = b"HTTP/1.1 201 Created\r\n"
BODY = b'{"key":{"id":"3EB0"}}'
GOOD = OK + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
# What is sent in answer to one request; then the connection is closed.
HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "half a status line": b"HTTP/1.1 20",
    "no status": b"HTTP/1.1\r\n\r\n",
    "status of letters": b"HTTP/1.1 abc OK\r\n\r\n",
    "status of four digits": b"HTTP/1.1 2010 OK\r\nContent-Length: 0\r\n\r\n",
    "status 0": b"HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n",
    "http 0.9": b"<html>hello</html>",
    "http 3": b"HTTP/3.0 201 Created\r\nContent-Length: 0\r\n\r\n",
    "not http": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "tls": b"\x15\x03\x01\x00\x02\x02\x46",
    "zeros": b"\x00" * 5_000,
    "a zero in a header": OK + b"X-A: \x00\r\nContent-Length: 0\r\n\r\n",
    "high bytes in a header": OK + b"X-A: \xff\xfe\xc3\x28\r\nContent-Length: 0\r\n\r\n",
    "high bytes in the reason": b"HTTP/1.1 201 \xff\xfe\r\nContent-Length: 0\r\n\r\n",
    "a header without a name": OK + b": 1\r\nContent-Length: 0\r\n\r\n",
    "a header without a colon": OK + b"nonsense\r\nContent-Length: 0\r\n\r\n",
    "a folded header": OK + b"X-A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n",
    "blanks before a colon": OK + b"Content-Length : 2\r\n\r\n{}",
    "bare line feeds": b"HTTP/1.1 201 Created\nContent-Length: 2\n\n{}",
    "bare carriage returns": b"HTTP/1.1 201 Created\rContent-Length: 2\r\r{}",
    "a huge header": OK + b"X-A: " + b"a" * 300_000 + b"\r\nContent-Length: 0\r\n\r\n",
    "many headers": OK + b"".join(b"X-%d: 1\r\n" % i for i in range(9_000)) + b"\r\n",
    "an endless status line": b"HTTP/1.1 201 " + b"a" * 300_000,
    "a length too large": OK + b"Content-Length: 1000\r\n\r\n{}",
    "a length too small": OK + b"Content-Length: 5\r\n\r\n" + BODY,
    "a length that is none": OK + b"Content-Length: abc\r\n\r\n{}",
    "a length below zero": OK + b"Content-Length: -1\r\n\r\n{}",
    "a length of a million digits": OK + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n{}",
    "a length in other digits": OK + b"Content-Length: \xd9\xa3\r\n\r\n{}",
    "two lengths": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "length and chunks": OK
    + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "a chunk size of letters": CHUNKED + b"xyz\r\n{}\r\n0\r\n\r\n",
    "a chunk size below zero": CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n",
    "a chunk size beyond all": CHUNKED + b"f" * 40 + b"\r\n{}",
    "a chunk without its end": CHUNKED + b"2\r\n{}XX0\r\n\r\n",
    "chunks cut": CHUNKED + b"5\r\n{}",
    "an unknown transfer": OK + b"Transfer-Encoding: gzip, rot13\r\n\r\n{}",
    "bad gzip": OK + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    "bad deflate": OK + b"Content-Encoding: deflate\r\nContent-Length: 2\r\n\r\n{}",
    "bad br": OK + b"Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}",
    "bad zstd": OK + b"Content-Encoding: zstd\r\nContent-Length: 2\r\n\r\n{}",
    "an unknown encoding": OK + b"Content-Encoding: \xff\xfe\r\nContent-Length: 2\r\n\r\n{}",
    "gzip cut": OK
    + b"Content-Encoding: gzip\r\nContent-Length: 15\r\n\r\n"
    + gzip.compress(BODY, mtime=0)[:15],
    "announcements for ever": b"HTTP/1.1 102 Processing\r\n\r\n" * 3_000,
    "100 and no more": b"HTTP/1.1 100 Continue\r\n\r\n",
    "101": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nhello",
    "a bad place to go": b"HTTP/1.1 302 Found\r\nLocation: http://[:\r\nContent-Length: 0\r\n\r\n",
    "a bad cookie": OK + b"Set-Cookie: \x01=\xff;;;=\r\nContent-Length: 2\r\n\r\n{}",
    "a bad type": OK + b"Content-Type: \xff/\xfe; charset=\xfd\r\nContent-Length: 2\r\n\r\n{}",
    "two answers": GOOD + OK + b"Content-Length: 3\r\n\r\n666",
}


def answering(data: bytes, pieces: int = 1) -> Any:
    def script(server: ScriptedServer, wire: Wire) -> None:
        if wire.number > 1:
            serve(server, wire)
        server.note(wire.read_request())
        size = max(1, -(-len(data) // pieces))
        for place in range(0, len(data), size):
            wire.sock.sendall(data[place : place + size])
            server.release.wait(0.002 if pieces > 1 else 0)

    return script


async def outcome(adapter: Adapter, url: str) -> Response | TransportError:
    try:
        return await adapter.send(make_request(url, timeouts=QUICK))
    except TransportError as error:
        return error


@pytest.mark.parametrize("kind", EVERY)
async def test_once_handed_over_it_is_an_answer_or_unknown(kind, opened):
    adapter, wrong = opened(kind), []
    for which, data in HOSTILE.items():
        with scripted(answering(data)) as server:
            got = await outcome(adapter, server.url)
            again = await outcome(adapter, server.url)  # the client goes on
        for one in (got, again):
            if isinstance(one, Response):
                fine = one.status >= 200 and one.body != b"666"
            else:
                fine = one.phase is Phase.UNKNOWN and one.__cause__ is not None
            if not fine:
                wrong.append((which, one))
    assert not wrong


@pytest.mark.parametrize("kind", EVERY)
async def test_in_two_segments_it_is_the_same(kind, opened):
    with scripted(answering(GOOD, 2)) as server:
        assert (await opened(kind).send(make_request(server.url))).body == BODY


@pytest.mark.parametrize("kind", EVERY)
async def test_answers_with_bytes_changed(kind, opened):
    """The same 40 damaged answers for each adapter."""
    chance = random.Random(5)
    damaged = []
    for _ in range(40):
        data = bytearray(chance.choice((GOOD, CHUNKED + b"15\r\n" + BODY + b"\r\n0\r\n\r\n")))
        for _ in range(chance.randrange(1, 4)):
            place = chance.randrange(len(data))
            match chance.randrange(3):
                case 0:
                    data[place] = chance.randrange(256)
                case 1:
                    del data[place : place + chance.randrange(1, 9)]
                case _:
                    data[place:place] = chance.randbytes(chance.randrange(1, 5))
        damaged.append(bytes(data))
    left = list(damaged)

    def script(server: ScriptedServer, wire: Wire) -> None:
        wire.read_request()
        wire.sock.sendall(left.pop())

    with scripted(script) as server:
        adapter = opened(kind, **({} if kind in OWN else {"headers": {"connection": "close"}}))
        for _ in damaged:
            got = await outcome(adapter, server.url)
            assert isinstance(got, Response) or got.phase is Phase.UNKNOWN


BAD_URLS = [
    "http://a..b/x",
    "http://.example/x",
    "http://" + "a" * 64 + ".example/x",
    "http://" + "a." * 130 + "x/x",
    "http://ü" + "a" * 70 + ".example/x",
    "http://a\x00b/x",
    "http://a b/x",
    "http://a%41/x",
    "http://\udcff/x",
    "http://u\udcff:s3cret@h/x",
    "http://h:0/x",
    "http://h:-1/x",
    "http://[::1%25\udcff]/x",
    "http://[v1.x]/x",
    "http://h/\udcff",
    "http://h/x?\ud800",
]


@pytest.mark.parametrize("kind", EVERY)
async def test_an_odd_address_was_not_sent(kind, opened):
    adapter = opened(kind)
    for url in BAD_URLS:
        with pytest.raises(ConnectionFailedError) as caught:
            await adapter.send(make_request(url, exact=True))
        assert caught.value.phase is Phase.NOT_SENT, url
        assert not caught.value.transient
        assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("kind", EVERY)
async def test_an_odd_header_was_not_sent(kind, opened):
    adapter = opened(kind)
    with scripted(serve) as server:
        for headers in ({"apikey": "\udcff"}, {"x\udcff": "1"}, {"": "1"}):
            with pytest.raises(ConnectionFailedError) as caught:
                await adapter.send(make_request(server.url, headers=headers))
            assert caught.value.phase is Phase.NOT_SENT
        assert server.requests == []


@pytest.mark.parametrize("kind", EVERY)
async def test_the_key_goes_to_no_other_origin(kind, opened):
    with scripted(serve) as other:
        statuses = iter((301, 302, 303, 307, 308))

        def redirect(server: ScriptedServer, wire: Wire) -> None:
            while request := wire.read_request():
                server.note(request)
                to = f"Location: {other.url}/steal"
                wire.answer(b"", to, status=f"{next(statuses)} Moved")

        willing = {} if kind in OWN else {"follow_redirects": True}
        with scripted(redirect) as server:
            adapter = opened(kind, **willing)
            told = [
                (await adapter.send(make_request(server.url, method=method))).status
                for method in ("GET", "POST", "POST", "POST", "DELETE")
            ]
        assert told == [301, 302, 303, 307, 308]
        assert other.connections == 0


def two_at_once(server: ScriptedServer, wire: Wire) -> None:
    server.note(wire.read_request())
    if wire.number == 1:
        wire.sock.sendall(GOOD + OK + b'Content-Length: 9\r\n\r\n"another"')
    else:
        wire.answer(b'"mine"')
    serve(server, wire)


@pytest.mark.parametrize("kind", OWN)
async def test_an_answer_nobody_asked_for_is_not_the_next_calls(kind, opened):
    with scripted(two_at_once) as server:
        adapter = opened(kind)
        assert (await adapter.send(make_request(server.url))).body == BODY
        assert (await adapter.send(make_request(server.url))).body == b'"mine"'


@pytest.mark.parametrize("kind", [*READY_ASYNC, *READY_SYNC])
async def test_in_a_pool_of_the_owners_neither(kind, opened):
    """The pool takes it for the answer; it is told by its having come before the question."""
    with scripted(two_at_once) as server:
        adapter = opened(kind)
        assert (await adapter.send(make_request(server.url))).body == BODY
        with pytest.raises(ConnectionFailedError, match="another request") as caught:
            await adapter.send(make_request(server.url))
        assert (await adapter.send(make_request(server.url))).body == b'"mine"'
    assert caught.value.phase is Phase.UNKNOWN


@pytest.mark.parametrize("kind", ["httpx", "httpx-sync", "httpx2", "httpx2-sync"])
async def test_through_a_proxy_neither(kind, opened):
    with scripted(two_at_once) as proxy:
        adapter = opened(kind, proxy=proxy.url)
        assert (await adapter.send(make_request("http://evolution.test"))).body == BODY
        with pytest.raises(ConnectionFailedError, match="another request") as caught:
            await adapter.send(make_request("http://evolution.test"))
        assert (await adapter.send(make_request("http://evolution.test"))).body == b'"mine"'
    assert caught.value.phase is Phase.UNKNOWN


@pytest.mark.parametrize("is_async", [True, False])
@pytest.mark.parametrize(("when", "phase"), [("request", None), ("response", Phase.UNKNOWN)])
async def test_what_a_hook_raises_is_ours_too(is_async, when, phase):
    async def araise(_: Any) -> None:
        raise KeyError("hook")

    def raising(_: Any) -> None:
        raise KeyError("hook")

    kind, hook = ("ready-httpx", araise) if is_async else ("ready-httpx-sync", raising)
    adapter = Adapter(kind, event_hooks={when: [hook]})
    try:
        with scripted(serve) as server, pytest.raises(ConnectionFailedError) as caught:
            await adapter.send(make_request(server.url))
    finally:
        await adapter.close()
    assert caught.value.phase is (phase or Phase.UNKNOWN)
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize("kind", [kind for kind in OWN if "-whole" not in kind])
async def test_a_librarys_own_bug_before_connecting_was_not_sent(kind, opened, monkeypatch):
    def broken(*_: Any, **__: Any) -> Any:
        raise UnicodeError("label empty or too long")

    monkeypatch.setattr("socket.getaddrinfo", broken)
    with pytest.raises(ConnectionFailedError) as caught:
        await opened(kind).send(make_request("http://evolution.test"))
    assert caught.value.phase is Phase.NOT_SENT
    assert caught.value.__cause__ is not None
