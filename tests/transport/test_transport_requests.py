from __future__ import annotations

import base64
from pathlib import Path

import pytest
from transport_adapters import EVERY, OWN, make_request
from transport_servers import (
    ScriptedServer,
    Wire,
    head_of,
    scripted,
    serve,
)

from evolution_sdk._base.request import FilePart, Request
from evolution_sdk.errors import (
    ConnectionFailedError,
    RequestValidationError,
)
from evolution_sdk.transport._body import CHUNK_SIZE, encode_body


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
