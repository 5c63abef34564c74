from __future__ import annotations

import asyncio
import base64
import gc
import warnings
from contextlib import suppress

import aiohttp
import httpx
import pytest
from transport_adapters import ASYNC, HTTPX, OWN, READY_ASYNC, READY_SYNC, make_request
from transport_servers import (
    ScriptedServer,
    Wire,
    head_of,
    scripted,
    serve,
    serve_once_then_close,
    silence,
    swallow,
)

from evolution_sdk._base.request import Timeouts
from evolution_sdk.errors import (
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
)
from evolution_sdk.transport import TransportOptions, open_async_transport
from evolution_sdk.transport._body import CHUNK_SIZE


@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize(("expiry_ms", "connections"), [(4_000, 1), (0, 3)])
async def test_idle_connections_expire(kind, expiry_ms, connections, opened):
    with scripted(serve) as server:
        adapter = opened(kind, keepalive_expiry_ms=expiry_ms)
        for _ in range(3):
            await adapter.send(make_request(server.url))
            await asyncio.sleep(0.002)  # past an expiry of zero; the other case is 4 s away
        assert server.connections == connections


def test_the_default_expiry_is_under_the_servers():
    # `facts/observed.md` "Errors" 9: ``Keep-Alive: timeout=5``
    assert TransportOptions().keepalive_expiry_ms < 5_000


@pytest.mark.parametrize("kind", OWN)
async def test_connection_close_is_obeyed(kind, opened):
    def close_each(server: ScriptedServer, wire: Wire) -> None:
        server.note(wire.read_request())
        wire.answer(b"{}", "Connection: close")
        wire.read_request()

    with scripted(close_each) as server:
        adapter = opened(kind)
        for _ in range(2):
            await adapter.send(make_request(server.url))
        assert server.connections == 2


@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize("script", [swallow, serve_once_then_close])
async def test_connections_that_are_gone_do_not_count(kind, script, opened):
    """Or those that still idle would be closed to make room."""
    with scripted(serve) as steady, scripted(script) as fickle:
        adapter = opened(kind, max_connections=2)
        await adapter.send(make_request(steady.url))
        for _ in range(3):
            fickle.closed.clear()
            with suppress(ConnectionFailedError):
                await adapter.send(make_request(fickle.url, headers={"connection": "close"}))
            await asyncio.to_thread(fickle.closed.wait, 5)
            for _ in range(50):  # the loop sees the end of the connection, too
                await asyncio.sleep(0)
        await adapter.send(make_request(steady.url))
        assert (steady.connections, fickle.connections) == (1, 3)


@pytest.mark.parametrize("kind", OWN)
async def test_max_connections_is_never_exceeded(kind, opened):
    with scripted(serve) as server:
        adapter = opened(kind, max_connections=3)
        answers = await asyncio.gather(*(adapter.send(make_request(server.url)) for _ in range(30)))
        assert all(answer.status == 200 for answer in answers)
        assert server.most_open <= 3
        assert server.connections == 3


@pytest.mark.parametrize("kind", HTTPX)
async def test_many_callers_share_the_connections(kind, opened):
    with scripted(serve) as server:
        adapter = opened(kind)
        for _ in range(3):
            await asyncio.gather(*(adapter.send(make_request(server.url)) for _ in range(20)))
        assert server.connections <= 20
        assert len(server.requests) == 60


@pytest.mark.parametrize("backend", ["httpx", "httpx2", "aiohttp"])
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_transport_survives_its_event_loop(backend):
    transport = open_async_transport(TransportOptions(backend))

    async def once(url: str, *, last: bool = False) -> int:
        try:
            return (await transport.send(make_request(url))).status
        finally:
            if last:
                await transport.close()

    with scripted(serve) as server:
        assert asyncio.run(once(server.url)) == 200
        assert asyncio.run(once(server.url, last=True)) == 200
        assert server.connections == 2
        gc.collect()  # what the closed loop left behind warns here and now


@pytest.mark.parametrize("backend", ["httpx", "httpx2", "aiohttp"])
@pytest.mark.parametrize("close_in_new_loop", [True, False])
def test_a_transport_unused_or_closed_elsewhere_is_quiet(backend, close_in_new_loop):
    transport = open_async_transport(TransportOptions(backend))
    if close_in_new_loop:
        asyncio.run(transport.close())
    del transport
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gc.collect()


@pytest.mark.parametrize("backend", ["httpx", "httpx2", "aiohttp"])
async def test_two_open_loops_are_refused(backend, opened):
    def elsewhere(url: str) -> None:
        asyncio.run(adapter.transport.send(make_request(url)))

    with scripted(serve) as server:
        adapter = opened(backend)
        await adapter.send(make_request(server.url))
        with pytest.raises(ConfigurationError, match="one client per event loop"):
            await asyncio.to_thread(elsewhere, server.url)
        assert (await adapter.send(make_request(server.url))).status == 200


@pytest.mark.parametrize("kind", HTTPX)
async def test_threads_share_the_blocking_transport(kind, opened):
    with scripted(serve) as server:
        adapter = opened(f"{kind}-sync", max_connections=4)
        answers = await asyncio.gather(*(adapter.send(make_request(server.url)) for _ in range(40)))
        assert {answer.status for answer in answers} == {200}
        assert server.connections <= 4
        assert len(server.requests) == 40


@pytest.mark.parametrize("kind", OWN)
async def test_a_call_still_waiting_when_the_client_closes_is_told_so(kind, opened):
    def answer_late(server: ScriptedServer, wire: Wire) -> None:
        server.note(wire.read_request())
        server.release.wait(10)
        wire.answer()

    with scripted(answer_late) as server:
        adapter = opened(kind, max_connections=1)
        first = asyncio.create_task(adapter.send(make_request(server.url)))
        await server.first_request()
        second = asyncio.create_task(adapter.send(make_request(server.url)))
        for _ in range(10):
            await asyncio.sleep(0)  # until it waits; a thread that starts later is refused as well
        await adapter.close()
        server.release.set()
        with pytest.raises(ClientClosedError):
            await second
        await asyncio.wait([first])
        assert len(server.requests) == 1
        assert first.exception() is None or isinstance(first.exception(), ConnectionFailedError)


@pytest.mark.parametrize("kind", OWN)
async def test_closing_closes_the_connections(kind, opened):
    with scripted(serve) as server:
        adapter = opened(kind)
        await adapter.send(make_request(server.url))
        await adapter.close()
        assert await asyncio.to_thread(server.closed.wait, 5)


# --- ready-made clients ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*READY_ASYNC, *READY_SYNC])
async def test_a_ready_made_client_keeps_its_settings_and_stays_open(kind, opened):
    with scripted(serve) as server:
        adapter = opened(
            kind,
            base_url="http://elsewhere.invalid",
            headers={"x-mine": "1", "user-agent": "mine"},
            auth=("ann", "pw"),
            cookies={"c": "d"},
            follow_redirects=True,
        )
        await adapter.send(make_request(server.url))
        headers = head_of(server.requests[0])[1]
        assert headers["x-mine"] == "1"
        assert headers["user-agent"] == "mine"
        assert headers["cookie"] == "c=d"
        assert headers["authorization"] == "Basic " + base64.b64encode(b"ann:pw").decode()
        result = adapter.transport.close()
        if asyncio.iscoroutine(result):
            await result
        assert not adapter.client.is_closed


async def test_the_hooks_of_a_ready_made_client_run():
    seen: list[str] = []

    async def note(request: httpx.Request) -> None:
        seen.append(request.headers["apikey"])

    with scripted(serve) as server:
        async with httpx.AsyncClient(event_hooks={"request": [note]}) as client:
            transport = open_async_transport(TransportOptions(http_client=client))
            await transport.send(make_request(server.url))
    assert seen == ["s3cret-key"]


@pytest.mark.parametrize("kind", ASYNC)
async def test_the_limits_of_the_call_count(kind, opened):
    """Also over a ready-made client, whose own limits would be 5 s."""
    with scripted(silence) as server, pytest.raises(Exception, match="in time"):
        await opened(kind).send(
            make_request(server.url, timeouts=Timeouts(5_000, 20, 5_000, 5_000))
        )


@pytest.mark.parametrize(
    ("size", "short"), [(10, True), (CHUNK_SIZE, True), (CHUNK_SIZE + 1, False)]
)
async def test_small_calls_go_the_short_way_through_aiohttp(size, short, opened, monkeypatch):
    used: list[str] = []
    request = aiohttp.ClientSession.request

    def note(self, method, *args, **kwargs):
        used.append(method)
        return request(self, method, *args, **kwargs)

    monkeypatch.setattr(aiohttp.ClientSession, "request", note)
    with scripted(serve) as server:
        await opened("aiohttp").send(make_request(server.url, content=b"x" * size))
    assert used == ([] if short else ["POST"])
