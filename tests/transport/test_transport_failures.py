from __future__ import annotations

import asyncio
import gzip
import pickle
import socket
import ssl
import zlib
from pathlib import Path

import pytest
from transport_adapters import ASYNC, EVERY, OWN, make_request
from transport_servers import (
    ScriptedServer,
    Wire,
    deaf,
    garbage,
    half_an_answer,
    scripted,
    serve,
    serve_once_then_close,
    silence,
    swallow,
    swallow_and_reset,
)

from evolution_sdk._base.effect import Phase
from evolution_sdk._base.request import Timeouts
from evolution_sdk.errors import (
    ClientClosedError,
    ConnectionFailedError,
    EvolutionTimeoutError,
    TransportError,
)

CERTIFICATE = Path(__file__).parent / "localhost.pem"


def limits(**changes: float) -> Timeouts:
    return Timeouts(
        **{"connect_ms": 5_000, "read_ms": 5_000, "write_ms": 5_000, "pool_ms": 5_000, **changes}
    )


def assert_plain(error: TransportError, phase: Phase) -> None:
    """Phase, cause, and no secret, also after pickling."""
    assert error.phase is phase
    assert error.__cause__ is not None
    for text in (str(error), repr(error)):
        assert "s3cret" not in text
        assert "127.0.0.1" in text
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.phase) == (str(error), error.phase)


@pytest.mark.parametrize("kind", EVERY)
async def test_refused_port_was_not_sent(kind, opened):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, not listening
        with pytest.raises(ConnectionFailedError) as caught:
            await opened(kind).send(make_request(f"http://127.0.0.1:{held.getsockname()[1]}"))
    assert_plain(caught.value, Phase.NOT_SENT)
    assert caught.value.transient


@pytest.mark.parametrize("kind", EVERY)
async def test_unknown_host_was_not_sent(kind, opened, monkeypatch):
    def no_such_host(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_host)
    with pytest.raises(ConnectionFailedError) as caught:
        await opened(kind).send(make_request("http://evolution.invalid"))
    assert caught.value.phase is Phase.NOT_SENT
    assert "evolution.invalid" in str(caught.value)


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("script", [swallow, swallow_and_reset, half_an_answer, garbage])
async def test_a_lost_answer_is_unknown(kind, script, opened):
    with scripted(script) as server:
        with pytest.raises(ConnectionFailedError) as caught:
            await opened(kind).send(make_request(server.url))
        assert len(server.requests) == 1
    assert_plain(caught.value, Phase.UNKNOWN)
    assert caught.value.transient


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_no_library_repeats_a_call_by_itself(kind, method, opened):
    def answer_then_swallow(server: ScriptedServer, wire: Wire) -> None:
        server.note(wire.read_request())
        wire.answer()
        server.note(wire.read_request())

    with scripted(answer_then_swallow) as server:
        adapter = opened(kind)
        await adapter.send(make_request(server.url))
        with pytest.raises(ConnectionFailedError) as caught:
            await adapter.send(make_request(server.url, method=method, content=None))
        assert len(server.requests) == 2
        assert server.connections == 1
    assert_plain(caught.value, Phase.UNKNOWN)


@pytest.mark.parametrize("kind", EVERY)
async def test_silence_is_a_read_timeout_and_unknown(kind, opened):
    with scripted(silence) as server, pytest.raises(EvolutionTimeoutError) as caught:
        await opened(kind).send(make_request(server.url, timeouts=limits(read_ms=50)))
    assert_plain(caught.value, Phase.UNKNOWN)


@pytest.mark.parametrize("kind", EVERY)
async def test_a_server_that_does_not_read_is_a_write_timeout(kind, opened):
    with scripted(deaf) as server, pytest.raises(EvolutionTimeoutError) as caught:
        await opened(kind).send(
            make_request(server.url, content=b"x" * 40_000_000, timeouts=limits(write_ms=50))
        )
    assert_plain(caught.value, Phase.UNKNOWN)
    assert "too slowly" in str(caught.value)


@pytest.mark.parametrize("kind", EVERY)
async def test_a_handshake_that_never_ends_was_not_sent(kind, opened):
    with scripted(deaf) as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(EvolutionTimeoutError) as caught:
            await opened(kind).send(make_request(url, timeouts=limits(connect_ms=50)))
    assert_plain(caught.value, Phase.NOT_SENT)


@pytest.mark.parametrize("kind", EVERY)
async def test_tls_to_a_server_without_it_was_not_sent(kind, opened):
    def speak_first(server: ScriptedServer, wire: Wire) -> None:
        wire.sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        wire.sock.recv(65536)

    with scripted(speak_first) as server, pytest.raises(ConnectionFailedError) as caught:
        await opened(kind).send(make_request(server.url.replace("http:", "https:")))
    assert_plain(caught.value, Phase.NOT_SENT)


def tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


@pytest.mark.parametrize("kind", EVERY)
async def test_an_untrusted_certificate_is_not_transient(kind, opened):
    with scripted(serve, tls()) as server:
        with pytest.raises(ConnectionFailedError, match="certificate") as caught:
            await opened(kind).send(make_request(server.url))
        assert server.requests == []
    assert_plain(caught.value, Phase.NOT_SENT)
    assert not caught.value.transient


@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize("verify", [str(CERTIFICATE), False])
async def test_verify_chooses_whom_to_trust(kind, verify, opened):
    with scripted(serve, tls()) as server:
        response = await opened(kind, verify=verify).send(make_request(server.url))
    assert response.status == 200


@pytest.mark.parametrize("kind", OWN)
async def test_a_full_pool_is_a_timeout_and_was_not_sent(kind, opened):
    with scripted(silence) as server:
        adapter = opened(kind, max_connections=1)
        first = asyncio.create_task(adapter.send(make_request(server.url)))
        await server.first_request()
        with pytest.raises(EvolutionTimeoutError, match="max_connections") as caught:
            await adapter.send(make_request(server.url, timeouts=limits(pool_ms=50)))
        assert len(server.requests) == 1
        server.release.set()
        with pytest.raises(ConnectionFailedError):
            await first
    assert_plain(caught.value, Phase.NOT_SENT)


@pytest.mark.parametrize("kind", ASYNC)
async def test_cancellation_gets_out_and_the_connection_is_not_reused(kind, opened):
    def late(server: ScriptedServer, wire: Wire) -> None:
        if wire.number == 1:
            server.note(wire.read_request())
            server.release.wait(10)
            wire.answer(b'"late"')
        serve(server, wire)

    with scripted(late) as server:
        adapter = opened(kind)
        task = asyncio.create_task(adapter.send(make_request(server.url)))
        await server.first_request()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        server.release.set()
        assert (await adapter.send(make_request(server.url))).body == b"{}"
        assert server.connections == 2


@pytest.mark.parametrize("kind", OWN)
async def test_cancelled_and_failed_calls_give_their_place_back(kind, opened):
    def first_fails(server: ScriptedServer, wire: Wire) -> None:
        (swallow if wire.number == 1 else serve)(server, wire)

    with scripted(first_fails) as server:
        adapter = opened(kind, max_connections=1)
        with pytest.raises(ConnectionFailedError):
            await adapter.send(make_request(server.url))
        assert (await adapter.send(make_request(server.url))).status == 200


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_connection_closed_while_idle_is_not_used(kind, method, opened):
    with scripted(serve_once_then_close) as server:
        adapter = opened(kind)
        for _ in range(3):
            server.closed.clear()
            response = await adapter.send(make_request(server.url, method=method))
            assert response.status == 200
            await asyncio.to_thread(server.closed.wait, 5)
            await asyncio.sleep(0.01)  # lets an async library notice; no assertion rests on it
        assert server.connections == 3


@pytest.mark.parametrize("kind", EVERY)
async def test_compressed_answers_are_unpacked(kind, opened):
    bodies = {
        "gzip": gzip.compress(b'{"a":1}', mtime=0),
        "deflate": zlib.compress(b'{"a":1}'),
        "identity": b'{"a":1}',
    }

    def pack(server: ScriptedServer, wire: Wire) -> None:
        for name, body in bodies.items():
            server.note(wire.read_request())
            wire.answer(body, f"Content-Encoding: {name}")

    with scripted(pack) as server:
        adapter = opened(kind)
        for _ in bodies:
            assert (await adapter.send(make_request(server.url))).body == b'{"a":1}'
        assert b"gzip" in server.requests[0].lower()


@pytest.mark.parametrize("kind", EVERY)
async def test_a_damaged_compressed_answer_is_unknown(kind, opened):
    def pack(server: ScriptedServer, wire: Wire) -> None:
        server.note(wire.read_request())
        wire.answer(b"not gzip", "Content-Encoding: gzip")

    with scripted(pack) as server, pytest.raises(ConnectionFailedError) as caught:
        await opened(kind).send(make_request(server.url))
    assert_plain(caught.value, Phase.UNKNOWN)


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/x",
        "127.0.0.1/x",
        "http:///x",
        "http://user:s3cret@127.0.0.1:notaport",
        "http://127.0.0.1/ä b",
    ],
)
async def test_a_bad_url_was_not_sent_and_is_not_shown(kind, url, opened):
    with pytest.raises(ConnectionFailedError) as caught:
        await opened(kind).send(make_request(url, exact=True))
    assert caught.value.phase is Phase.NOT_SENT
    assert not caught.value.transient
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("value", ["s3cret\r\nx: y", "s3cret”", "s3cret\x00"])
async def test_a_bad_header_was_not_sent_and_is_not_shown(kind, value, opened):
    with scripted(serve) as server:
        with pytest.raises(ConnectionFailedError, match="apikey") as caught:
            await opened(kind).send(make_request(server.url, headers={"apikey": value}))
        assert server.requests == []
    assert caught.value.phase is Phase.NOT_SENT
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("kind", EVERY)
async def test_a_closed_transport_says_so(kind, opened):
    adapter = opened(kind)
    await adapter.close()
    with pytest.raises(ClientClosedError):
        await adapter.send(make_request("http://127.0.0.1"))


@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize("name", ["", "x y", "x:", "x\r\ny", "ü"])
async def test_a_bad_header_name_was_not_sent(kind, name, opened):
    with scripted(serve) as server:
        with pytest.raises(ConnectionFailedError, match="name of a header") as caught:
            await opened(kind).send(make_request(server.url, headers={name: "1"}))
        assert server.requests == []
    assert caught.value.phase is Phase.NOT_SENT
