"""One limit for a whole attempt: an answer that drips is cut off like one that does not come."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import threading
from pathlib import Path

import pytest
from transport_adapters import EVERY, OWN, make_request
from transport_servers import Script, ScriptedServer, Wire, deaf, scripted, serve, silence

from evolution_sdk._base.effect import Phase
from evolution_sdk._base.request import Timeouts
from evolution_sdk.errors import EvolutionTimeoutError
from evolution_sdk.transport._deadline import Deadline, current_left_s

CERTIFICATE = Path(__file__).parent / "localhost.pem"
TOTAL = Timeouts(5_000, 5_000, 5_000, 5_000, total_ms=50)
AMPLE = Timeouts(5_000, 5_000, 5_000, 5_000, total_ms=500)  # with room to connect on a busy machine
DRIP_S = 0.01  # far below every limit of a single step
HEAD = b"HTTP/1.1 201 Created\r\nContent-Length: 300\r\n"
FILL = b"x-" + b"fill" * 100 + b": 1\r\n"
# Each goes on for seconds, and would be an answer at its end.
DRIPS = {
    "head": (b"", HEAD + FILL + b"\r\n" + b" " * 300),
    "body": (HEAD + b"\r\n", b" " * 300),
    "chunk size": (
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"2;" + b"x" * 300 + b"\r\n{}\r\n0\r\n\r\n",
    ),
    "chunks": (
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"1\r\n \r\n" * 60 + b"0\r\n\r\n",
    ),
    "gzip": (
        b"HTTP/1.1 201 Created\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n",
        gzip.compress(bytes(range(256)) * 2, mtime=0),
    ),
    "announcements": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 12 + HEAD + b"\r\n" + b" " * 300),
}


def drip(server: ScriptedServer, wire: Wire, data: bytes) -> None:
    for place in range(len(data)):
        wire.sock.sendall(data[place : place + 1])
        if server.release.wait(DRIP_S):
            return


def dripping(at_once: bytes, slowly: bytes) -> Script:
    def script(server: ScriptedServer, wire: Wire) -> None:
        server.note(wire.read_request())
        wire.sock.sendall(at_once % len(slowly) if b"%d" in at_once else at_once)
        drip(server, wire, slowly)

    return script


def after_one(script: Script) -> Script:
    """Answer the first request well, so that a short limit does not go by with connecting."""

    def both(server: ScriptedServer, wire: Wire) -> None:
        if wire.number == 1:
            server.note(wire.read_request())
            wire.answer()
            script(server, wire)
        else:
            serve(server, wire)

    return both


@pytest.mark.parametrize("kind", EVERY)
async def test_an_answer_that_drips_is_cut_off(kind, opened):
    adapter = opened(kind)
    for at_once, slowly in DRIPS.values():
        with scripted(after_one(dripping(at_once, slowly))) as server:
            assert (await adapter.send(make_request(server.url))).status == 200
            with pytest.raises(EvolutionTimeoutError) as caught:
                await adapter.send(make_request(server.url, timeouts=TOTAL))
            # What was cut off is not told to the next one.
            assert (await adapter.send(make_request(server.url))).body == b"{}"
            assert server.connections == 2
        assert caught.value.phase is Phase.UNKNOWN
        assert caught.value.__cause__ is not None


@pytest.mark.parametrize("kind", EVERY)
async def test_on_a_new_connection_too(kind, opened):
    def dripping(server: ScriptedServer, wire: Wire) -> None:
        server.note(wire.read_request())
        drip(server, wire, HEAD + FILL + b"\r\n" + b" " * 300)

    with scripted(dripping) as server:
        with pytest.raises(EvolutionTimeoutError) as caught:
            await opened(kind).send(make_request(server.url, timeouts=AMPLE))
        assert len(server.requests) == 1
    assert caught.value.phase is Phase.UNKNOWN


@pytest.mark.parametrize("kind", EVERY)
async def test_silence_is_bounded_by_the_whole(kind, opened):
    with scripted(after_one(silence)) as server:
        adapter = opened(kind)
        await adapter.send(make_request(server.url))
        with pytest.raises(EvolutionTimeoutError) as caught:
            await adapter.send(make_request(server.url, timeouts=TOTAL))
    assert caught.value.phase is Phase.UNKNOWN


@pytest.mark.parametrize("kind", EVERY)
async def test_a_handshake_that_drips_was_not_sent(kind, opened):
    def dripping(server: ScriptedServer, wire: Wire) -> None:
        wire.sock.sendall(b"\x16\x03\x03\x20\x00")  # the head of a TLS record of 8 KiB
        drip(server, wire, b"\x02" * 300)

    with scripted(dripping) as server, pytest.raises(EvolutionTimeoutError) as caught:
        await opened(kind).send(make_request(server.url.replace("http:", "https:"), timeouts=TOTAL))
    assert caught.value.phase is Phase.NOT_SENT


@pytest.mark.parametrize("kind", OWN)
async def test_over_tls_too(kind, opened):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)

    def dripping(server: ScriptedServer, wire: Wire) -> None:
        server.note(wire.read_request())
        drip(server, wire, HEAD + FILL + b"\r\n" + b" " * 300)

    with scripted(after_one(dripping), context) as server:
        adapter = opened(kind, verify=str(CERTIFICATE))
        await adapter.send(make_request(server.url))
        with pytest.raises(EvolutionTimeoutError) as caught:
            await adapter.send(make_request(server.url, timeouts=TOTAL))
    assert caught.value.phase is Phase.UNKNOWN


@pytest.mark.parametrize("kind", OWN)
async def test_a_proxy_that_drips_was_not_sent(kind, opened):
    def dripping(server: ScriptedServer, wire: Wire) -> None:
        server.note(wire.read_request())
        drip(server, wire, b"HTTP/1.1 200 OK\r\n" + FILL + b"\r\n")

    with scripted(dripping) as proxy:
        with pytest.raises(EvolutionTimeoutError) as caught:
            await opened(kind, proxy=proxy.url).send(
                make_request("https://evolution.test", timeouts=AMPLE)
            )
        assert proxy.requests[0].startswith(b"CONNECT")
    assert caught.value.phase is Phase.NOT_SENT


@pytest.mark.parametrize("kind", ["httpx", "httpx-sync", "httpx2", "httpx2-sync"])
async def test_tls_within_tls_that_drips_was_not_sent(kind, opened):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)

    def tunnel(server: ScriptedServer, wire: Wire) -> None:
        server.note(wire.read_request())
        wire.sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        drip(server, wire, b"\x16\x03\x03\x20\x00" + b"\x02" * 300)

    with scripted(tunnel, context) as proxy:
        with pytest.raises(EvolutionTimeoutError) as caught:
            await opened(kind, proxy=proxy.url, verify=str(CERTIFICATE)).send(
                make_request("https://evolution.test", timeouts=AMPLE)
            )
        assert proxy.requests[0].startswith(b"CONNECT")
    assert caught.value.phase is Phase.NOT_SENT


@pytest.mark.parametrize("kind", OWN)
async def test_an_answer_that_drips_through_a_proxy_is_unknown(kind, opened):
    def dripping(server: ScriptedServer, wire: Wire) -> None:
        server.note(wire.read_request())
        drip(server, wire, HEAD + FILL + b"\r\n" + b" " * 300)

    with scripted(after_one(dripping)) as proxy:
        adapter = opened(kind, proxy=proxy.url)
        await adapter.send(make_request("http://evolution.test"))
        with pytest.raises(EvolutionTimeoutError) as caught:
            await adapter.send(make_request("http://evolution.test", timeouts=TOTAL))
    assert caught.value.phase is Phase.UNKNOWN


@pytest.mark.parametrize("kind", EVERY)
async def test_a_server_that_does_not_read_is_bounded_by_the_whole(kind, opened):
    with scripted(after_one(deaf)) as server:
        adapter = opened(kind)
        await adapter.send(make_request(server.url))
        with pytest.raises(EvolutionTimeoutError) as caught:
            await adapter.send(make_request(server.url, content=b"x" * 40_000_000, timeouts=TOTAL))
    assert caught.value.phase is Phase.UNKNOWN


@pytest.mark.parametrize("kind", EVERY)
async def test_a_server_that_reads_drop_by_drop_is_bounded_by_the_whole(kind, opened):
    def sip(server: ScriptedServer, wire: Wire) -> None:
        while not server.release.wait(DRIP_S) and wire.sock.recv(65_536):
            pass

    with scripted(after_one(sip)) as server:
        adapter = opened(kind)
        await adapter.send(make_request(server.url))
        with pytest.raises(EvolutionTimeoutError) as caught:
            await adapter.send(make_request(server.url, content=b"x" * 40_000_000, timeouts=TOTAL))
    assert caught.value.phase is Phase.UNKNOWN


@pytest.mark.parametrize("kind", OWN)
async def test_waiting_for_a_connection_counts_and_sent_nothing(kind, opened):
    with scripted(silence) as server:
        adapter = opened(kind, max_connections=1)
        first = asyncio.create_task(
            adapter.send(make_request(server.url, timeouts=Timeouts(total_ms=5_000)))
        )
        await server.first_request()
        with pytest.raises(EvolutionTimeoutError) as caught:
            await adapter.send(make_request(server.url, timeouts=TOTAL))
        assert len(server.requests) == 1
        first.cancel()
        server.release.set()
        await asyncio.gather(first, return_exceptions=True)
    assert caught.value.phase is Phase.NOT_SENT


async def test_the_addresses_of_a_host_share_the_limit(opened, monkeypatch):
    """Before, each had all of it; the first of two dead ones must leave time for the second."""
    import socket

    asked = []

    def connect(address, timeout, source_address=None):
        asked.append((address[0], timeout))
        if address[0] != "127.0.0.1":
            raise TimeoutError
        made = socket.socket()
        made.connect(("127.0.0.1", server.port))
        return made

    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 0))
        for host in ("192.0.2.1", "192.0.2.2", "127.0.0.1")
    ]
    with scripted(serve) as server:
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        monkeypatch.setattr(socket, "create_connection", connect)
        url = f"http://evolution.test:{server.port}"
        limits = Timeouts(3_000, 5_000, 5_000, 5_000, total_ms=4_000)
        assert (await opened("httpx-sync").send(make_request(url, timeouts=limits))).status == 200
    assert [host for host, _ in asked] == ["192.0.2.1", "192.0.2.2", "127.0.0.1"]
    shares = [round(timeout, 1) for _, timeout in asked]
    assert shares == [1.0, 1.5, 3.0]  # nothing was spent: a third, a half, all of what is left


def test_a_deadline_by_its_own_clock():
    now = [100.0]
    deadline = Deadline(2_000, clock=lambda: now[0])
    assert (deadline.left_s(), deadline.left_s(1), deadline.left_s(5)) == (2, 1, 2)
    now[0] = 101.5
    assert deadline.left_s(1) == 0.5
    now[0] = 200
    assert deadline.left_s(1) == 0
    assert Deadline(None).left_s() is None
    assert Deadline(None).left_s(3) == 3


def test_a_deadline_holds_for_its_thread_and_its_block():
    now = [0.0]
    outer = Deadline(4_000, clock=lambda: now[0])
    inner = Deadline(1_000, clock=lambda: now[0])
    elsewhere: list[float | None] = []
    with outer:
        with inner:
            assert current_left_s(None) == 1
        assert current_left_s(None) == 4
        thread = threading.Thread(target=lambda: elsewhere.append(current_left_s(None)))
        thread.start()
        thread.join()
    assert current_left_s(None) is None
    assert elsewhere == [None]
