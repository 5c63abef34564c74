from __future__ import annotations

import asyncio
import base64
import gc
import warnings
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from transport_adapters import ASYNC, EVERY, OWN, READY_ASYNC, READY_SYNC, make_request
from transport_servers import (
    ScriptedServer,
    Wire,
    scripted,
    serve,
    serve_once_then_close,
    silence,
    swallow,
)

from evolution_sdk._core.request import FilePart, Request, Timeouts
from evolution_sdk.errors import (
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    RequestValidationError,
)
from evolution_sdk.transport import TransportOptions, open_async_transport
from evolution_sdk.transport._body import CHUNK_SIZE, encode_body


def head_of(request: bytes) -> tuple[str, dict[str, str]]:
    line, _, rest = request.partition(b"\r\n\r\n")[0].decode("latin-1").partition("\r\n")
    pairs = (item.partition(":") for item in rest.split("\r\n"))
    return line, {name.lower(): value.strip() for name, _, value in pairs}


@pytest.mark.parametrize("kind", EVERY)
async def test_what_the_server_sees_of_a_json_call(kind, opened):
    with scripted(serve) as server:
        request = make_request(server.url + "/sub", exact=False)
        response = await opened(kind).send(request)
    line, headers = head_of(server.requests[0])
    assert line == "POST /sub/message/sendText/bot HTTP/1.1"
    assert headers["apikey"] == "s3cret-key"
    assert headers["content-type"] == "application/json"
    assert headers["content-length"] == str(len(request.content or b""))
    assert headers["host"] == f"127.0.0.1:{server.port}"
    assert "transfer-encoding" not in headers
    assert server.requests[0].endswith(request.content or b"")
    assert (response.status, response.body) == (200, b"{}")


@pytest.mark.parametrize("kind", EVERY)
async def test_path_and_query_travel_as_they_were_encoded(kind, opened):
    with scripted(serve) as server:
        url = f"{server.url}/chat/a%2Fb%20c?x=%C3%A9&y=1#fragment"
        await opened(kind).send(make_request(url, exact=True, method="GET", content=None))
    line, headers = head_of(server.requests[0])
    assert line == "GET /chat/a%2Fb%20c?x=%C3%A9&y=1 HTTP/1.1"
    assert "content-length" not in headers


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize(("suffix", "target"), [("", "/"), ("?a=1", "/?a=1"), ("?a=/b", "/?a=/b")])
async def test_a_url_without_a_path(kind, suffix, target, opened):
    with scripted(serve) as server:
        await opened(kind).send(make_request(server.url + suffix, exact=True, method="GET"))
    assert head_of(server.requests[0])[0] == f"GET {target} HTTP/1.1"


@pytest.mark.parametrize("kind", EVERY)
async def test_a_post_without_a_body_says_so(kind, opened):
    with scripted(serve) as server:
        await opened(kind).send(make_request(server.url, content=None))
    assert head_of(server.requests[0])[1]["content-length"] == "0"


@pytest.mark.parametrize("kind", OWN)
async def test_our_user_agent_unless_the_request_has_its_own(kind, opened):
    with scripted(serve) as server:
        adapter = opened(kind)
        await adapter.send(make_request(server.url))
        await adapter.send(make_request(server.url, headers={"User-Agent": "mine"}))
    agents = [head_of(request)[1]["user-agent"] for request in server.requests]
    assert agents[0].startswith("evolution-sdk/")
    assert agents[1] == "mine"


@pytest.mark.parametrize("kind", EVERY)
async def test_credentials_in_the_url_become_a_header(kind, opened):
    with scripted(serve) as server:
        url = server.url.replace("//", "//ann:p%40ss@")
        await opened(kind).send(make_request(url))
    line, headers = head_of(server.requests[0])
    assert headers["authorization"] == "Basic " + base64.b64encode(b"ann:p@ss").decode()
    assert "ann" not in line + headers["host"]


@pytest.mark.parametrize("kind", EVERY)
async def test_redirects_are_returned_not_followed(kind, opened):
    def redirect(server: ScriptedServer, wire: Wire) -> None:
        server.note(wire.read_request())
        wire.answer(b"", "Location: /elsewhere", status="302 Found")

    willing = {"follow_redirects": True} if kind.startswith("ready") else {}
    with scripted(redirect) as server:
        response = await opened(kind, **willing).send(make_request(server.url))
        assert len(server.requests) == 1
    assert (response.status, response.headers["location"]) == (302, "/elsewhere")


@pytest.mark.parametrize("kind", EVERY)
async def test_header_names_are_lower_case_and_errors_are_answers(kind, opened):
    def refuse(server: ScriptedServer, wire: Wire) -> None:
        server.note(wire.read_request())
        wire.answer(b'{"status":404}', "Retry-After: 7", status="404 Not Found")

    with scripted(refuse) as server:
        response = await opened(kind).send(make_request(server.url))
    assert (response.status, response.headers["retry-after"]) == (404, "7")


@pytest.mark.parametrize("kind", OWN)
async def test_an_announcement_before_the_answer_is_skipped(kind, opened):
    def announce(server: ScriptedServer, wire: Wire) -> None:
        while request := wire.read_request():
            server.note(request)
            wire.sock.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
            wire.answer(b'"after"')

    with scripted(announce) as server:
        adapter = opened(kind)
        for _ in range(2):
            response = await adapter.send(make_request(server.url))
            assert (response.status, response.body) == (200, b'"after"')


@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize("method", ["HEAD", "DELETE"])
async def test_answers_without_a_body_leave_the_connection_usable(kind, method, opened):
    def bodiless(server: ScriptedServer, wire: Wire) -> None:
        while request := wire.read_request():
            server.note(request)
            if request.startswith(b"HEAD"):
                wire.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
            else:
                wire.sock.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with scripted(bodiless) as server:
        adapter = opened(kind)
        for _ in range(2):
            request = make_request(server.url, method=method, content=None)
            assert (await adapter.send(request)).body == b""
        assert server.connections == 1


@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize("framing", ["chunked", "until-close", "large"])
async def test_every_way_to_end_a_body(kind, framing, opened):
    body = b"x" * 3_000_000

    def answer(server: ScriptedServer, wire: Wire) -> None:
        server.note(wire.read_request())
        if framing == "large":
            wire.answer(body)
        elif framing == "chunked":
            head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            wire.sock.sendall(head + b"2dc6c0\r\n" + body + b"\r\n0\r\n\r\n")
        else:
            wire.sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + body)

    with scripted(answer) as server:
        assert (await opened(kind).send(make_request(server.url))).body == body


# --- multipart ---------------------------------------------------------------------------------


def upload(url: str, content: bytes | Path, filename: str = "Relatório “1”.pdf") -> Request:
    return make_request(
        url,
        headers={"apikey": "s3cret-key"},
        content=None,
        fields=(("number", "5511"), ("caption", "olá"), ("mentioned[]", "a"), ("mentioned[]", "b")),
        file=FilePart(filename, content, "application/pdf"),
    )


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("size", [0, 10, 3 * CHUNK_SIZE + 1])
@pytest.mark.parametrize("from_file", [True, False])
async def test_a_multipart_body_arrives_whole_and_in_order(kind, size, from_file, opened, tmp_path):
    data = bytes(range(256)) * (size // 256) + b"z" * (size % 256)
    content: bytes | Path = data
    if from_file:
        content = tmp_path / "file.pdf"
        content.write_bytes(data)
    with scripted(serve) as server:
        adapter = opened(kind)
        for _ in range(2):  # the same request twice, as a retry sends it
            assert (await adapter.send(request := upload(server.url, content))).status == 200
            assert request.file is not None
    for seen in server.requests:
        head = head_of(seen)[1]
        assert int(head["content-length"]) == len(seen.partition(b"\r\n\r\n")[2])
        assert "transfer-encoding" not in head
        names = [
            line.split(b'name="')[1].split(b'"')[0]
            for line in seen.split(b"\r\n")
            if line.startswith(b"Content-Disposition")
        ]
        assert names == [b"number", b"caption", b"mentioned[]", b"mentioned[]", b"file"]
        assert b"\r\n\r\nol\xc3\xa1\r\n" in seen
        start = seen.index(b"Content-Type: application/pdf\r\n\r\n") + 33
        assert seen[start : start + size] == data
        assert seen[start + size :].startswith(b"\r\n--")


def test_the_exact_bytes_of_a_multipart_body():
    headers: dict[str, str] = {}
    request = upload("http://x", b"%PDF")
    body = encode_body(request, headers, boundary="B")
    assert body is not None
    assert not isinstance(body, bytes)
    expected = (
        '--B\r\nContent-Disposition: form-data; name="number"\r\n\r\n5511\r\n'
        '--B\r\nContent-Disposition: form-data; name="caption"\r\n\r\nolá\r\n'
        '--B\r\nContent-Disposition: form-data; name="mentioned[]"\r\n\r\na\r\n'
        '--B\r\nContent-Disposition: form-data; name="mentioned[]"\r\n\r\nb\r\n'
        '--B\r\nContent-Disposition: form-data; name="file"; '
        'filename="Relatório “1”.pdf"; '
        "filename*=UTF-8''Relat%C3%B3rio%20%E2%80%9C1%E2%80%9D.pdf\r\n"
        "Content-Type: application/pdf\r\n\r\n%PDF\r\n--B--\r\n"
    ).encode()
    assert b"".join(part for part in body.parts if isinstance(part, bytes)) == expected
    assert headers == {
        "content-type": "multipart/form-data; boundary=B",
        "content-length": str(len(expected)),
    }


@pytest.mark.parametrize(("name", "shown"), [('a"b.txt', b"a%22b.txt"), ("a\r\nb", b"a%0D%0Ab")])
def test_a_filename_cannot_break_out_of_its_header(name, shown):
    body = encode_body(upload("http://x", b"", name), {}, boundary="B")
    assert body is not None
    assert not isinstance(body, bytes)
    assert b'; filename="' + shown + b'"\r\n' in b"".join(p for p in body.parts if type(p) is bytes)


def test_boundaries_differ():
    seen = set()
    for _ in range(20):
        encode_body(upload("http://x", b""), headers := {})
        seen.add(headers["content-type"])
    assert len(seen) == 20


@pytest.mark.parametrize("kind", EVERY)
async def test_a_missing_file_is_refused_before_sending(kind, opened, tmp_path):
    with scripted(serve) as server:
        with pytest.raises(RequestValidationError, match=r"gone\.pdf"):
            await opened(kind).send(upload(server.url, tmp_path / "gone.pdf"))
        assert server.connections == 0


@pytest.mark.parametrize("kind", EVERY)
async def test_a_file_that_shrinks_while_being_sent_fails(kind, opened, tmp_path, monkeypatch):
    path = tmp_path / "file.pdf"
    path.write_bytes(b"x" * 1000)
    monkeypatch.setattr("evolution_sdk.transport._body._size", lambda _: 2000)
    with scripted(serve) as server:
        with pytest.raises(ConnectionFailedError):
            await opened(kind).send(upload(server.url, path))
        assert server.requests == []


@pytest.mark.parametrize("kind", OWN)
async def test_a_large_json_body_arrives_whole(kind, opened):
    content = b'"' + b"x" * (5 * CHUNK_SIZE) + b'"'
    with scripted(serve) as server:
        await opened(kind).send(make_request(server.url, content=content))
    assert server.requests[0].endswith(b"\r\n\r\n" + content)


# --- connections -------------------------------------------------------------------------------


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
    # observed.md: ``Keep-Alive: timeout=5``
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


async def test_many_callers_share_the_connections_of_the_default(opened):
    with scripted(serve) as server:
        adapter = opened("httpx")
        for _ in range(3):
            await asyncio.gather(*(adapter.send(make_request(server.url)) for _ in range(20)))
        assert server.connections <= 20
        assert len(server.requests) == 60


@pytest.mark.parametrize("backend", ["httpx", "aiohttp"])
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


@pytest.mark.parametrize("backend", ["httpx", "aiohttp"])
@pytest.mark.parametrize("close_in_new_loop", [True, False])
def test_a_transport_unused_or_closed_elsewhere_is_quiet(backend, close_in_new_loop):
    transport = open_async_transport(TransportOptions(backend))
    if close_in_new_loop:
        asyncio.run(transport.close())
    del transport
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gc.collect()


@pytest.mark.parametrize("backend", ["httpx", "aiohttp"])
async def test_two_open_loops_are_refused(backend, opened):
    def elsewhere(url: str) -> None:
        asyncio.run(adapter.transport.send(make_request(url)))

    with scripted(serve) as server:
        adapter = opened(backend)
        await adapter.send(make_request(server.url))
        with pytest.raises(ConfigurationError, match="one client per event loop"):
            await asyncio.to_thread(elsewhere, server.url)
        assert (await adapter.send(make_request(server.url))).status == 200


async def test_threads_share_the_blocking_transport(opened):
    with scripted(serve) as server:
        adapter = opened("httpx-sync", max_connections=4)
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
