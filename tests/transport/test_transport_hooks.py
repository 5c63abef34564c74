"""Whatever hooks into httpx or httpx2 sees every call over it; nobody else pays for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpcore
import httpcore2
import httpx
import httpx2
import pytest
import respx
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pytest_httpx import HTTPXMock

from evolution_sdk import AsyncEvolutionClient, EvolutionClient
from evolution_sdk.errors import ClientClosedError, ConfigurationError, ConnectionFailedError
from evolution_sdk.testing import FakeEvolution
from evolution_sdk.transport import _pool_sync
from evolution_sdk.transport._engine import engine_for

URL = "http://evolution.test:8080"
NUMBER = "5511999999999"
SENT = {
    "key": {"id": "MOCKED", "remoteJid": f"{NUMBER}@s.whatsapp.net", "fromMe": True},
    "message": {"conversation": "oi"},
    "messageType": "conversation",
    "messageTimestamp": 1764240000,
    "status": "PENDING",
}
COLOURS = ("sync", "async")
VERB = ("post", "/message/sendText/bot")
LIBRARIES = [httpx, httpx2]
CORES = {httpx: httpcore, httpx2: httpcore2}
both = pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.__name__)


def send(
    colour: str,
    url: str = URL,
    *,
    prepare: Callable[[Any], object] | None = None,
    library: Any = httpx,
) -> str:
    """Send one text with a client over a library; returns the message's id."""
    # A known version, so that the body holds nothing of the client's own.
    options: Any = {
        "instance": "bot",
        "retry": False,
        "server_version": "2.3.7",
        "http_backend": library.__name__,
    }
    if colour == "sync":
        with EvolutionClient(url, "s3cret", **options) as client:
            if prepare is not None:
                prepare(client)
            return client.messages.send_text(NUMBER, "oi").id

    async def send_async() -> str:
        async with AsyncEvolutionClient(url, "s3cret", **options) as client:
            if prepare is not None:
                prepare(client)
            return (await client.messages.send_text(NUMBER, "oi")).id

    return asyncio.run(send_async())


@pytest.fixture
def fake() -> Any:
    with FakeEvolution(api_key="s3cret").serve() as fake:
        fake.create_instance("bot")
        yield fake


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("using", ["httpx", "httpcore"])
def test_respx_as_a_context(colour: str, using: str) -> None:
    with respx.mock(base_url=URL, using=using) as router:
        route = router.post(VERB[1]).respond(201, json=SENT)
        assert send(colour) == "MOCKED"
    assert route.calls.last.request.headers["apikey"] == "s3cret"
    assert route.calls.last.request.read() == b'{"number":"5511999999999","text":"oi"}'


@pytest.mark.parametrize("colour", COLOURS)
@respx.mock(base_url=URL, using="httpx")
def test_respx_as_a_decorator(colour: str, respx_mock: respx.MockRouter) -> None:
    respx_mock.post(VERB[1]).respond(201, json=SENT)
    assert send(colour) == "MOCKED"


@pytest.mark.respx(base_url=URL, using="httpx")
@pytest.mark.parametrize("colour", COLOURS)
def test_respx_as_a_fixture(colour: str, respx_mock: respx.MockRouter) -> None:
    respx_mock.post(VERB[1]).respond(201, json=SENT)
    assert send(colour) == "MOCKED"


@respx.mock(base_url=URL, using="httpx")
async def test_respx_around_an_async_test(respx_mock: respx.MockRouter) -> None:
    route = respx_mock.post(VERB[1]).respond(201, json=SENT)
    async with AsyncEvolutionClient(URL, "s3cret", instance="bot") as client:
        assert (await client.messages.send_text(NUMBER, "oi")).id == "MOCKED"
    assert route.call_count == 1


@pytest.mark.parametrize("colour", COLOURS)
def test_a_route_that_respx_does_not_know_fails_the_test_and_sends_nothing(
    colour: str, fake: FakeEvolution
) -> None:
    with respx.mock(using="httpx", assert_all_called=False) as router:
        router.post("http://elsewhere.test/").respond(201)
        with pytest.raises(AssertionError, match="not mocked"):
            send(colour, fake.url)
    assert fake.sent == []


@pytest.mark.parametrize("colour", COLOURS)
def test_a_client_that_is_older_than_the_mock(colour: str, fake: FakeEvolution) -> None:
    with EvolutionClient(fake.url, "s3cret", instance="bot") as client:
        assert client.messages.send_text(NUMBER, "oi").id != "MOCKED"
        with respx.mock(using="httpx") as router:
            router.post(f"{fake.url}{VERB[1]}").respond(201, json=SENT)
            assert client.messages.send_text(NUMBER, "oi").id == "MOCKED"
        assert client.messages.send_text(NUMBER, "oi").id != "MOCKED"
    assert len(fake.sent) == 2


@pytest.mark.parametrize("colour", COLOURS)
def test_pytest_httpx_sees_the_calls(colour: str, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(method="POST", url=f"{URL}{VERB[1]}", status_code=201, json=SENT)
    assert send(colour) == "MOCKED"
    assert httpx_mock.get_requests()[0].headers["apikey"] == "s3cret"


@pytest.mark.parametrize("colour", COLOURS)
def test_pytest_httpx2_sees_the_calls(colour: str, httpx2_mock: respx.Router) -> None:
    route = httpx2_mock.post(f"{URL}{VERB[1]}").respond(201, json=SENT)
    assert send(colour, library=httpx2) == "MOCKED"
    assert route.calls.last.request.headers["apikey"] == "s3cret"


@pytest.mark.parametrize("colour", COLOURS)
def test_failures_of_pytest_httpx_are_failures_of_the_network(
    colour: str, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_exception(httpx.ConnectError("refused"))
    with pytest.raises(ConnectionFailedError):
        send(colour)


@pytest.fixture
def spans() -> Any:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter, provider


@pytest.mark.parametrize("colour", COLOURS)
def test_opentelemetry_sees_the_calls_of_all_clients(
    colour: str, spans: Any, fake: FakeEvolution
) -> None:
    exporter, provider = spans
    HTTPXClientInstrumentor().instrument(tracer_provider=provider)
    try:
        with respx.mock(base_url=URL) as router:
            router.post(VERB[1]).respond(201, json=SENT)
            send(colour)
            assert router.calls.last.request.headers["traceparent"]
    finally:
        HTTPXClientInstrumentor().uninstrument()
    (span,) = exporter.get_finished_spans()
    assert span.attributes["http.status_code"] == 201
    send(colour, fake.url)
    assert len(exporter.get_finished_spans()) == 1, "and no more of them afterwards"


@pytest.mark.parametrize("colour", COLOURS)
def test_opentelemetry_sees_the_calls_of_one_client(
    colour: str, spans: Any, fake: FakeEvolution
) -> None:
    exporter, provider = spans

    def instrument(client: Any) -> None:
        HTTPXClientInstrumentor.instrument_client(client.http_client, tracer_provider=provider)

    send(colour, fake.url, prepare=instrument)
    send(colour, fake.url)
    assert len(exporter.get_finished_spans()) == 1


def _answering(colour: str, calls: list[Any], library: Any) -> Any:
    def answer(*arguments: Any, **named: Any) -> Any:
        calls.append((arguments, named))
        return library.Response(201, json=SENT)

    async def answer_async(*arguments: Any, **named: Any) -> Any:
        return answer(*arguments, **named)

    return answer if colour == "sync" else answer_async


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("method", ["post", "request", "send", "_send_single_request"])
@both
def test_a_method_of_the_library_that_a_test_replaces_is_called(
    colour: str, method: str, library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []
    kind = library.Client if colour == "sync" else library.AsyncClient
    replacement = _answering(colour, calls, library)
    if method == "_send_single_request":
        # httpx asks the answer for the request it belongs to
        inner = replacement

        def replacement(self: Any, request: Any) -> Any:
            if colour == "sync":
                return _bound(inner(request), request)

            async def later() -> Any:
                return _bound(await inner(request), request)

            return later()

    monkeypatch.setattr(kind, method, replacement)
    assert send(colour, library=library) == "MOCKED"
    assert len(calls) == 1


def _bound(answer: Any, request: Any) -> Any:
    answer.request = request
    return answer


@both
@pytest.mark.parametrize("colour", COLOURS)
def test_a_method_of_one_client_that_is_replaced_is_called(colour: str, library: Any) -> None:
    calls: list[Any] = []

    def replace(client: Any) -> None:
        client.http_client.post = _answering(colour, calls, library)

    assert send(colour, prepare=replace, library=library) == "MOCKED"
    ((arguments, named),) = calls
    assert arguments == (f"{URL}{VERB[1]}",)
    assert named["content"] == b'{"number":"5511999999999","text":"oi"}'


@both
@pytest.mark.parametrize("colour", COLOURS)
def test_another_transport_is_used(colour: str, library: Any) -> None:
    def replace(client: Any) -> None:
        client.http_client._transport = library.MockTransport(
            lambda _: library.Response(201, json=SENT)
        )

    assert send(colour, prepare=replace, library=library) == "MOCKED"


def _hook(colour: str, seen: list[str]) -> Any:
    def note(request: Any) -> None:
        seen.append(request.method)

    async def note_async(request: Any) -> None:
        note(request)

    return note if colour == "sync" else note_async


@both
@pytest.mark.parametrize("colour", COLOURS)
def test_what_is_set_on_the_client_takes_part(colour: str, library: Any) -> None:
    seen: list[str] = []

    def set_up(client: Any) -> None:
        http = client.http_client
        http.event_hooks["request"].append(_hook(colour, seen))
        http.headers["x-team"] = "billing"
        http.cookies.set("route", "a1")
        http.params = {"tenant": "7"}

    with respx.mock(base_url=URL, using=CORES[library].__name__) as router:
        router.post(VERB[1]).respond(201, json=SENT)
        send(colour, prepare=set_up, library=library)
        request = router.calls.last.request
    assert seen == ["POST"]
    assert request.headers["x-team"] == "billing"
    assert request.headers["cookie"] == "route=a1"
    assert request.url.query == b"tenant=7"


@pytest.mark.parametrize(
    "change",
    [
        lambda http: http.event_hooks["response"].append(print),
        lambda http: setattr(http, "auth", ("user", "password")),
        lambda http: http.cookies.set("a", "b"),
        lambda http: http.headers.update({"a": "b"}),
        lambda http: setattr(http, "headers", {}),
        lambda http: setattr(http, "params", {"a": "b"}),
        lambda http: http._mounts.update({"x": None}),
        lambda http: setattr(http._transport, "handle_request", print),
        lambda http: setattr(http._transport, "_pool", None),
        lambda http: setattr(http, "send", print),
    ],
)
@both
def test_each_kind_of_hook_is_noticed(change: Callable[[Any], object], library: Any) -> None:
    with EvolutionClient(URL, "s3cret", http_backend=library.__name__) as client:
        hooks = client._pipeline.parts.transport._hooks  # type: ignore[attr-defined]
        assert not hooks.any()
        transport = client.http_client._transport
        pool = transport._pool  # type: ignore[attr-defined]
        change(client.http_client)
        assert hooks.any()
        transport._pool = pool  # type: ignore[attr-defined]


@both
@pytest.mark.parametrize("colour", COLOURS)
def test_without_a_hook_calls_go_straight_to_the_pool(
    colour: str, library: Any, fake: FakeEvolution, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the whole way was taken")

    for name in ("HttpxClientSyncTransport", "HttpxClientAsyncTransport"):
        monkeypatch.setattr(f"evolution_sdk.transport.httpx_client.{name}.send", refuse)
    assert send(colour, fake.url, library=library)


@both
def test_a_client_that_somebody_subclassed_is_used(
    library: Any, fake: FakeEvolution, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Instrumentations of the older kind put a class of their own in the place of httpx's."""
    seen: list[str] = []

    class Instrumented(library.Client):  # type: ignore[misc,name-defined]
        def send(self, request: Any, **options: Any) -> Any:
            seen.append(request.method)
            return super().send(request, **options)

    monkeypatch.setattr(library, "Client", Instrumented)
    send("sync", fake.url, library=library)
    assert seen == ["POST"]


@both
@pytest.mark.parametrize("colour", COLOURS)
def test_a_hook_on_the_pool_of_the_engine_sees_the_calls(
    colour: str, library: Any, fake: FakeEvolution, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recorders such as vcrpy replace a method of httpcore's pool."""
    seen: list[Any] = []
    core = CORES[library]
    kind: Any = core.ConnectionPool if colour == "sync" else core.AsyncConnectionPool
    name = "handle_request" if colour == "sync" else "handle_async_request"
    original = getattr(kind, name)

    def record(self: Any, request: Any) -> Any:
        seen.append(request.url.target)
        return original(self, request)

    monkeypatch.setattr(kind, name, record)
    send(colour, fake.url, library=library)
    assert seen == [VERB[1].encode()]
    assert engine_for(library.__name__).is_hooked()


@both
def test_an_answer_of_the_http_client_gives_its_connection_back(
    library: Any, fake: FakeEvolution
) -> None:
    backend = library.__name__
    with EvolutionClient(fake.url, "s3cret", instance="bot", http_backend=backend) as client:
        http = client.http_client
        for _ in range(3):
            assert http.get(fake.url).status_code == 200
        client.messages.send_text(NUMBER, "oi")
        with http.stream("GET", fake.url) as answer:
            assert answer.status_code == 200  # left without being read
        pool: _pool_sync.HttpcoreSyncPool = http._transport._pool  # type: ignore[attr-defined,assignment]
        assert sum(map(len, pool._idle._idle.values())) <= 1
        client.messages.send_text(NUMBER, "oi")
    assert len(fake.sent) == 2


def test_the_http_client_ends_with_the_client(fake: FakeEvolution) -> None:
    client = EvolutionClient(fake.url, "s3cret", instance="bot")
    http = client.http_client
    client.close()
    with pytest.raises(ClientClosedError):
        http.get(fake.url)


def test_closing_the_http_client_ends_the_client(fake: FakeEvolution) -> None:
    client = EvolutionClient(fake.url, "s3cret", instance="bot", retry=False)
    client.http_client.close()
    with pytest.raises(ClientClosedError):
        client.messages.send_text(NUMBER, "oi")
    client.close()


async def test_aiohttp_has_no_httpx_client() -> None:
    async with AsyncEvolutionClient(URL, "s3cret", http_backend="aiohttp") as client:
        with pytest.raises(ConfigurationError, match="http_backend='httpx'"):
            _ = client.http_client


def test_a_ready_made_client_is_the_http_client() -> None:
    with httpx.Client() as http, EvolutionClient(URL, "s3cret", http_client=http) as client:
        assert client.http_client is http


@both
@pytest.mark.parametrize("colour", COLOURS)
def test_no_cookie_is_taken_from_an_answer(colour: str, library: Any) -> None:
    seen: list[Any] = []

    def replace(client: Any) -> None:
        def answer(request: Any) -> Any:
            seen.append(request.headers.get("cookie"))
            return library.Response(201, json=SENT, headers={"set-cookie": "a=b; Path=/"})

        client.http_client._transport = library.MockTransport(answer)
        client.http_client.cookies.set("mine", "1")
        seen.append(client.http_client)

    send(colour, prepare=replace, library=library)
    http, cookie = seen
    assert cookie == "mine=1"
    assert dict(http.cookies) == {"mine": "1"}
