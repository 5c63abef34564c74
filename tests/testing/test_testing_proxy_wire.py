"""FaultProxy without faults is not noticed: every kind of request and answer passes whole."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from proxy_target import BIG, Target, serving_target

from evolution_sdk import OPERATIONS
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.testing import FaultProxy
from evolution_sdk.testing.proxy.routes import operation_of

CERTIFICATE = Path(__file__).parents[1] / "transport" / "localhost.pem"


@pytest.fixture
def target() -> Iterator[Target]:
    with serving_target() as made:
        yield made


@pytest.fixture
def proxy(target: Target) -> Iterator[FaultProxy]:
    with FaultProxy(target.url) as made:
        yield made


@pytest.fixture
def http(proxy: FaultProxy) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=proxy.url, trust_env=False, timeout=30) as made:
        yield made


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_every_method_passes(http: httpx.Client, target: Target, method: str) -> None:
    answer = http.request(method, "/x", content=b"body")
    assert (answer.status_code, answer.content) == (200, b"body")
    assert (target.asked[0].method, target.asked[0].body) == (method, b"body")


def test_head_keeps_the_length_and_has_no_body(http: httpx.Client) -> None:
    answer = http.head("/x")
    assert (answer.content, answer.headers["content-length"]) == (b"", "5")
    assert http.get("/x").content == b"hello"  # on the same connection


def test_no_content_passes(http: httpx.Client) -> None:
    assert http.delete("/nothing").status_code == 204
    assert http.get("/x").status_code == 200


def test_a_redirect_is_passed_on_not_followed(http: httpx.Client, target: Target) -> None:
    assert http.get("/moved").status_code == 302
    assert len(target.asked) == 1


def test_the_target_arrives_byte_for_byte(http: httpx.Client, target: Target) -> None:
    raw = b"/message/sendText/s%C3%A9%20a%2Fb%23?where[a]=1&x=%7e+~&&y"
    http.request("GET", "/", extensions={"target": raw})
    assert target.asked[0].target.encode() == raw


def test_headers_pass_and_nothing_is_added(http: httpx.Client, target: Target) -> None:
    http.headers.clear()
    answer = http.get("/x", headers={"apikey": "s3cret", "X-Own": "é".encode(), "Accept": "a/b"})
    seen = target.asked[0].headers
    assert seen.pop("host") == target.url.removeprefix("http://")
    assert seen.pop("connection", "keep-alive") == "keep-alive"
    assert seen == {"apikey": "s3cret", "x-own": "Ã©", "accept": "a/b"}
    assert answer.headers.get_list("x-twice") == ["1", "2"]
    assert "content-length" in answer.headers


def test_chunked_answers_and_requests_pass(http: httpx.Client, target: Target) -> None:
    assert http.get("/chunked").content == b"one" + b"two" * 1_000
    assert http.post("/x", content=iter([b"a" * 70_000, b"b"])).content == b"a" * 70_000 + b"b"
    assert target.asked[1].headers["content-length"] == "70001"


def test_multipart_passes(http: httpx.Client, target: Target) -> None:
    http.post("/x", data={"number": "55"}, files={"file": ("a.bin", BIG, "application/x")})
    asked = target.asked[0]
    assert asked.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert BIG in asked.body


def test_big_bodies_pass_both_ways(http: httpx.Client, target: Target) -> None:
    assert http.post("/big", content=BIG * 4).content == BIG
    assert target.asked[0].body == BIG * 4


def test_a_big_answer_is_whole_where_the_client_closes_after_it(proxy: FaultProxy) -> None:
    address = ("127.0.0.1", httpx.URL(proxy.url).port or 0)
    with socket.create_connection(address, timeout=10) as wire:
        wire.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        received = b"".join(iter(lambda: wire.recv(1_000), b""))
    assert received.endswith(b"\r\n\r\n" + BIG)


def test_connections_are_kept_on_both_sides(
    http: httpx.Client, proxy: FaultProxy, target: Target
) -> None:
    for _ in range(20):
        http.get("/x")
    assert target.connections == 1
    assert len(proxy.seen) == 20


def test_a_client_that_waits_for_100_continue(proxy: FaultProxy) -> None:
    address = ("127.0.0.1", httpx.URL(proxy.url).port or 0)
    with socket.create_connection(address, timeout=10) as wire, wire.makefile("rb") as lines:
        wire.sendall(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
                     b"Expect: 100-continue\r\n\r\n")  # fmt: skip
        assert lines.readline().startswith(b"HTTP/1.1 100 ")
        assert lines.readline() == b"\r\n"
        wire.sendall(b"abc")
        assert lines.readline().startswith(b"HTTP/1.1 200 ")


def test_who_does_not_speak_http_is_cut(proxy: FaultProxy, http: httpx.Client) -> None:
    address = ("127.0.0.1", httpx.URL(proxy.url).port or 0)
    with socket.create_connection(address, timeout=10) as wire:
        wire.sendall(b"\x16\x03\x01 not http\r\n\r\n")
        assert wire.recv(100) == b""
    assert http.get("/x").status_code == 200


async def test_a_hundred_at_a_time(proxy: FaultProxy, target: Target) -> None:
    limits = httpx.Limits(max_connections=100)
    async with httpx.AsyncClient(base_url=proxy.url, limits=limits, timeout=60) as http:
        bodies = [b"%d" % i for i in range(200)]
        answers = await asyncio.gather(*(http.post("/x", content=body) for body in bodies))
    assert [answer.content for answer in answers] == bodies
    assert len(proxy.seen) == len(target.asked) == 200


def test_a_path_in_front_of_the_server_is_kept(target: Target) -> None:
    with FaultProxy(f"{target.url}/evo/") as proxy:
        httpx.get(f"{proxy.url}/instance/connectionState/sales?a=1")
        (seen,) = proxy.seen
    assert target.asked[0].target == "/evo/instance/connectionState/sales?a=1"
    assert (seen.operation, seen.instance) == ("instance.connection_state", "sales")
    assert (seen.status, seen.fault) == (200, None)


def test_tls_to_the_target() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    trusting = ssl.create_default_context(cafile=str(CERTIFICATE))
    trusting.check_hostname = False
    with serving_target(context) as target:
        for verify in (trusting, False):
            with FaultProxy(target.url, verify=verify) as proxy:
                assert httpx.get(f"{proxy.url}/x").content == b"hello"
        with FaultProxy(target.url) as proxy, pytest.raises(httpx.RemoteProtocolError):
            httpx.get(f"{proxy.url}/x")
    assert len(target.asked) == 2


def test_a_server_that_cuts_or_is_not_there_is_a_cut(http: httpx.Client) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        http.get("/cut")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and deaf
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with FaultProxy(url) as proxy, pytest.raises(httpx.RemoteProtocolError):
            httpx.get(f"{proxy.url}/x")
        (seen,) = proxy.seen
        assert (seen.status, seen.fault) == (None, None)


def test_the_key_is_in_no_log_and_no_repr(target: Target, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    url = target.url.replace("://", "://user:passw0rd@")
    with FaultProxy(url) as proxy:
        httpx.post(f"{proxy.url}/x", headers={"apikey": "s3cret"}, content=b"s3cret body")
        shown = f"{proxy!r} {proxy.seen!r} {proxy.faults!r} {caplog.text}"
    assert target.asked[0].headers["apikey"] == "s3cret"
    assert target.asked[0].headers["authorization"].startswith("Basic ")
    assert "s3cret" not in shown
    assert "passw0rd" not in shown


def test_it_stops_cleanly_with_requests_under_way(
    target: Target, caplog: pytest.LogCaptureFixture
) -> None:
    failed: list[Exception] = []

    async def forever(_: float) -> None:
        await asyncio.Event().wait()

    def ask(url: str) -> None:
        try:
            httpx.get(f"{url}/x", timeout=30)
        except httpx.HTTPError as error:
            failed.append(error)

    with FaultProxy(target.url, sleep=forever) as proxy:
        delayed = proxy.faults.add("*", "delay", delay_ms=1)
        asking = threading.Thread(target=ask, args=(proxy.url,))
        asking.start()
        waited = time.monotonic() + 10
        while not target.asked:
            assert time.monotonic() < waited
            time.sleep(0)
        address = ("127.0.0.1", httpx.URL(proxy.url).port or 0)
        idle = socket.create_connection(address, timeout=10)
    asking.join(10)
    assert len(failed) == delayed.hits == 1
    assert is_cut(idle)
    with pytest.raises(RuntimeError, match="does not run"):
        _ = proxy.url
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(address)
    assert not any(thread.name == "fault-proxy" for thread in threading.enumerate())
    assert [record for record in caplog.records if record.name == "asyncio"] == []


def is_cut(wire: socket.socket) -> bool:
    """Closed, or reset where it had not been accepted; a connection left open times out."""
    with wire:
        try:
            return wire.recv(1) == b""
        except ConnectionResetError:
            return True


@pytest.mark.parametrize("idle", [1, 3, 30])
def test_no_connection_outlives_it_however_new(target: Target, idle: int) -> None:
    for _ in range(10):
        with FaultProxy(target.url) as proxy:
            address = ("127.0.0.1", httpx.URL(proxy.url).port or 0)
            wires = [socket.create_connection(address, timeout=10) for _ in range(idle)]
        cut = [is_cut(wire) for wire in wires]
        assert all(cut)


def test_it_starts_again_and_not_twice(target: Target) -> None:
    proxy = FaultProxy(target.url)
    for _ in range(2):
        with proxy:
            assert httpx.get(f"{proxy.url}/x").status_code == 200
            with pytest.raises(RuntimeError, match="runs already"), proxy:
                pass
    assert len(proxy.seen) == 2


def test_a_chosen_port_and_a_taken_one(target: Target) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with FaultProxy(target.url, port=port) as proxy:
        assert proxy.url == f"http://127.0.0.1:{port}"
        with pytest.raises(OSError, match="in use"), FaultProxy(target.url, port=port):
            pass


@pytest.mark.parametrize("url", ["", "127.0.0.1:8080", "ftp://x", "http://"])
def test_a_target_that_is_no_url(url: str) -> None:
    with pytest.raises(ConfigurationError, match="base URL") as caught:
        FaultProxy(url)
    assert caught.value.variable == "target_url"


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_is_recognized(name: str) -> None:
    operation = OPERATIONS[name]
    path = operation.path.replace("{instance}", "sales%20x")
    for part in path.split("/"):
        path = path.replace(part, "some-id") if part.startswith("{") else path
    instance = "sales x" if "{instance}" in operation.path else None
    assert operation_of(operation.method, f"{path}?a=b") == (name, instance)


@pytest.mark.parametrize("target", ["/", "/nope", "/message/sendText/%ff", "*", "", "http://x/y"])
def test_other_routes_are_unknown(target: str) -> None:
    assert operation_of("OPTIONS", target) == (None, None)
    assert operation_of("POST", target) == (None, None)
