"""The ASGI and WSGI shells, and an example of each framework as a running server."""

from __future__ import annotations

import asyncio
import importlib.util
import io
import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import httpx
import pytest
import uvicorn

from evolution_sdk.events import Event
from evolution_sdk.testing import FakeEvolution
from evolution_sdk.webhooks import SqliteInbox, sign_token

from .conftest import Kit, posted

JWT_KEY = "the key of an example"
EXAMPLES = Path(__file__).parents[2] / "examples"


class Exchange:
    """One ASGI request: what the application is sent, and what it sends."""

    def __init__(self, *messages: dict[str, Any], hang: bool = False) -> None:
        self.messages = list(messages)
        self.hang = hang
        self.sent: list[Any] = []

    async def receive(self) -> dict[str, Any]:
        if self.messages:
            return self.messages.pop(0)
        if self.hang:
            import asyncio

            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[-2]["status"])


def scope(**more: Any) -> dict[str, Any]:
    return {"type": "http", "method": "POST", "path": "/", "headers": [], **more}


def part(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


async def ask(receiver: Any, exchange: Exchange, **more: Any) -> Exchange:
    await receiver.asgi(scope(**more), exchange.receive, exchange.send)
    return exchange


async def test_asgi_puts_chunks_together_and_reads_the_path(kit: Kit) -> None:
    receiver = kit.receiver()
    body = json.loads(posted())
    del body["event"]
    whole = json.dumps(body).encode()
    chunks = [part(whole[:9], more=True), part(whole[9:50], more=True), part(whole[50:])]
    done = await ask(
        receiver, Exchange(*chunks), raw_path=b"/ok", query_string=b"a=1/messages-upsert"
    )
    assert done.status == 200
    assert await receiver.drain_async()
    assert [event.event for event in kit.seen] == ["messages.upsert"]
    await receiver.close_async()


async def test_asgi_limits_size_and_time(kit: Kit) -> None:
    receiver = kit.receiver(max_body_bytes=100, body_timeout_ms=0)
    endless = Exchange(*[part(b"x" * 60, more=True)] * 99)
    assert (await ask(receiver, endless)).status == 413
    assert len(endless.messages) == 97, "it stops reading"
    assert (await ask(receiver, Exchange(part(b"x", more=True), hang=True))).status == 408
    gone = await ask(receiver, Exchange(part(b"x", more=True), {"type": "http.disconnect"}))
    assert gone.sent == []


async def test_asgi_sets_a_clock_only_for_a_body_that_is_not_here(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks: list[float] = []
    real = asyncio.timeout

    def noted(seconds: float) -> asyncio.Timeout:
        clocks.append(seconds)
        return real(seconds)

    monkeypatch.setattr(asyncio, "timeout", noted)
    receiver = kit.receiver()
    body = posted(1)
    assert (await ask(receiver, Exchange(part(body[:9], more=True), part(body[9:])))).status == 200
    assert clocks == []
    arriving = asyncio.Event()

    class Slow(Exchange):
        async def receive(self) -> dict[str, Any]:
            await arriving.wait()
            return await super().receive()

    late = asyncio.ensure_future(ask(receiver, Slow(part(posted(2)))))
    await asyncio.sleep(0)
    assert clocks == [20.0]
    arriving.set()
    assert (await late).status == 200
    gone = asyncio.ensure_future(ask(receiver, Exchange(hang=True)))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert receiver.budget.held == 0
    await receiver.close_async()


async def test_asgi_gives_each_answer_headers_of_its_own(kit: Kit) -> None:
    receiver = kit.receiver()
    first = await ask(receiver, Exchange(part(posted(1))))
    expected = list(first.sent[0]["headers"])
    first.sent[0]["headers"].append((b"x-more", b"of a middleware"))
    second = await ask(receiver, Exchange(part(posted(2))))
    assert second.sent[0]["headers"] == expected
    assert dict(expected)[b"content-length"] == b"%d" % len(second.sent[1]["body"])
    await receiver.close_async()


async def test_asgi_judges_the_head_before_it_reads(kit: Kit) -> None:
    receiver = kit.receiver(jwt_key="k" * 16, max_body_bytes=100)
    unread = Exchange(part(b"x"))
    assert (await ask(receiver, unread)).status == 412
    assert (await ask(receiver, unread, method="GET")).status == 405
    large = [(b"content-length", b"101")]
    assert (await ask(receiver, unread, headers=large)).status == 413
    assert len(unread.messages) == 1


async def test_asgi_large_bodies_and_slow_inboxes_leave_the_loop_alone(
    kit: Kit, tmp_path: Path
) -> None:
    threads: list[str] = []

    def spied(real: Any) -> Any:
        def spy(*args: Any) -> Any:
            threads.append(threading.current_thread().name)
            return real(*args)

        return spy

    slow = SqliteInbox(tmp_path / "i.db", synchronous="full")
    slow.write_batch = spied(slow.write_batch)  # type: ignore[method-assign]  # a spy
    receiver = kit.receiver(inbox=slow)
    assert (await ask(receiver, Exchange(part(posted())))).status == 200
    assert threads[0] != threading.current_thread().name
    assert await receiver.drain_async()
    assert len(kit.seen) == 1
    await receiver.close_async()
    threads.clear()
    memory = kit.receiver()
    judge = memory._admission.judge_body
    memory._admission.judge_body = spied(judge)  # type: ignore[method-assign]  # as above
    await ask(memory, Exchange(part(posted(2, pad="x" * 300_000))))
    await ask(memory, Exchange(part(posted(3))))
    assert threads[0] != threading.current_thread().name == threads[1]
    await memory.close_async()


async def test_asgi_lifespan_starts_and_ends_the_work(kit: Kit, tmp_path: Path) -> None:
    receiver = kit.receiver(inbox=tmp_path / "i.db")
    life = Exchange({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    await receiver.asgi({"type": "lifespan"}, life.receive, life.send)
    assert [one["type"] for one in life.sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    broken = kit.receiver(inbox=tmp_path / "none" / "i.db")
    failing = Exchange({"type": "lifespan.startup"})
    await broken.asgi({"type": "lifespan"}, failing.receive, failing.send)
    assert failing.sent[0]["type"] == "lifespan.startup.failed"
    socket = Exchange({"type": "websocket.connect"})
    await receiver.asgi({"type": "websocket"}, socket.receive, socket.send)
    assert socket.sent == [{"type": "websocket.close", "code": 1003}]


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({}, "200 OK"),
        ({"CONTENT_LENGTH": "", "wsgi.input_terminated": True}, "200 OK"),
        ({"CONTENT_LENGTH": "99999"}, "408 Request Timeout"),
        ({"CONTENT_LENGTH": "99999999999"}, f"413 {HTTPStatus(413).phrase}"),
        ({"CONTENT_LENGTH": ""}, "415 Unsupported Media Type"),
        ({"REQUEST_METHOD": "GET"}, "405 Method Not Allowed"),
        ({"HTTP_X_SECRET": "no"}, "412 Precondition Failed"),
    ],
)
def test_wsgi(kit: Kit, more: dict[str, Any], status: str) -> None:
    receiver = kit.receiver(secret_headers={"X-Secret": "yes"})
    body = posted()
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/messages-upsert",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_X_SECRET": "yes",
        "wsgi.input": io.BytesIO(body),
        **more,
    }
    told: list[Any] = []
    answer = receiver.wsgi(environ, lambda *given: told.append(given))
    assert told[0][0] == status
    assert json.loads(b"".join(answer))["status"]


async def test_the_line_for_fastapi_takes_every_path_below(kit: Kit) -> None:
    fastapi = pytest.importorskip("fastapi")
    routing = pytest.importorskip("starlette.routing")
    receiver = kit.receiver()
    app = fastapi.FastAPI(lifespan=receiver.running)
    app.routes.append(routing.Route("/evolution{rest:path}", endpoint=receiver.asgi))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test"
    ) as http:
        for path in ("/evolution", "/evolution/", "/evolution/messages-upsert"):
            assert (await http.post(path, content=posted())).status_code == 200
        assert (await http.get("/evolution")).status_code == 405
    await receiver.close_async()


class Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None: ...


@contextmanager
def serving(app: Any, *, asgi: bool) -> Iterator[str]:
    if not asgi:
        made = make_server("127.0.0.1", 0, app, WSGIServer, Quiet)
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{made.server_port}"
        made.shutdown()
        thread.join()
        made.server_close()
        return
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.005)  # a real server starts in its own time
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize("framework", ["fastapi", "starlette", "flask", "django"])
def test_the_examples_answer_a_message(
    framework: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip(framework)
    name = f"webhook_{framework}"
    with FakeEvolution(api_key="key").serve() as fake:
        fake.create_instance("sales")
        monkeypatch.setenv("EVOLUTION_API_URL", fake.url)
        monkeypatch.setenv("EVOLUTION_API_KEY", "key")
        monkeypatch.setenv("WEBHOOK_JWT_KEY", JWT_KEY)
        monkeypatch.setenv("INBOX_PATH", str(tmp_path / "inbox.db"))
        spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        done = threading.Event()
        module.router.add(lambda event: done.set(), Event, priority=-1)
        module.router.view().entries[0].passes_on = True
        body = json.loads(posted(1, chat="5511987654321@s.whatsapp.net"))
        body["data"]["message"]["conversation"] = "/ping"
        head = {"authorization": f"Bearer {sign_token(JWT_KEY, time.time())}"}
        asgi = framework in ("fastapi", "starlette")
        with serving(module.app, asgi=asgi) as url, httpx.Client(timeout=10) as http:
            for path in ("/evolution", "/evolution/messages-upsert"):
                answer = http.post(url + path, json=body, headers=head)
                assert answer.status_code == 200, answer.text
            assert http.post(url + "/evolution", json=body).status_code == 412
            assert done.wait(10)
        if not asgi:
            module.receiver.close()
            module.client.close()
        assert [sent.text for sent in fake.sent] == ["pong"]
        assert module.receiver.metrics().duplicates == 1
