"""Time limits, HTTP libraries, many calls at once, and mocking with respx."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
import respx

from evolution_sdk import (
    AsyncEvolutionClient,
    EvolutionClient,
    EvolutionConfig,
    EvolutionTimeoutError,
)
from evolution_sdk._base.effect import Phase
from evolution_sdk.errors import (
    BadRequestError,
    ConfigurationError,
    ConnectionFailedError,
    SendOutcomeUnknownError,
)
from evolution_sdk.testing import FakeEvolution
from evolution_sdk.transport import TransportOptions, open_async_transport, open_sync_transport

from .conftest import KEY, URL, Kit, record
from .fake_stage import EVOLUTION, NUMBER, Stage, spy_on

TIMES = {"connect_ms": 1_000, "read_ms": 2_000, "send_ms": 3_000, "media_ms": 4_000}
CONFIG = EvolutionConfig(URL, KEY, timeout=TIMES)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(640)
CONNECTING_MS = 15_000
"""What create, connect and restart are given on top: the server sleeps on purpose."""


# Time limits


@pytest.mark.parametrize(
    ("call", "wait_ms"),
    [
        (lambda c, o: c.server.info(**o), 2_000),
        (lambda c, o: c.chats.find_messages(**o), 2_000),
        (lambda c, o: c.messages.send_text(NUMBER, "oi", **o), 3_000),
        (lambda c, o: c.messages.send_text(NUMBER, "oi", delay_ms=9_000, **o), 12_000),
        (lambda c, o: c.messages.send_media(NUMBER, PNG, delay_ms=5_000, **o), 9_000),
        (lambda c, o: c.instances.connect(**o), 2_000 + CONNECTING_MS),
        (lambda c, o: c.instances.create("novo", qrcode=True, **o), 2_000 + CONNECTING_MS),
        (lambda c, o: c.instances.restart(**o), 2_000 + CONNECTING_MS),
    ],
    ids=["info", "find", "text", "delayed", "media", "connect", "create", "restart"],
)  # fmt: skip
async def test_each_kind_of_call_has_its_time(kit: Kit, call: Any, wait_ms: float) -> None:
    kit.stub.default = (201, record())
    await kit.run(call(kit.client(config=CONFIG), {}))
    (request,) = kit.stub.requests
    assert request.timeouts.connect_ms == 1_000
    assert request.timeouts.read_ms == wait_ms
    assert request.timeouts.write_ms == request.timeouts.read_ms


async def test_the_callers_limit_wins_over_the_clients_and_the_clients_over_the_settings(
    kit: Kit,
) -> None:
    kit.stub.default = (200, [])
    client = kit.client(config=CONFIG, timeout_ms=700)
    for options, expected in (({}, 700), ({"timeout_ms": 300}, 300)):
        await kit.run(client.chats.find(**options))
        assert kit.stub.last.timeouts.read_ms == expected
        await kit.run(client.instance("other").webhook.find(**options))
        assert kit.stub.last.timeouts.read_ms == expected


async def test_a_chosen_limit_still_covers_what_the_server_holds(kit: Kit) -> None:
    kit.stub.default = (201, record())
    client = kit.client(config=CONFIG)
    await kit.run(client.messages.send_text(NUMBER, "oi", delay_ms=8_000, timeout_ms=500))
    assert kit.stub.last.timeouts.read_ms >= 8_500


@pytest.mark.parametrize("prefer", ["base64", "multipart"])
async def test_a_large_upload_is_given_time_for_its_size(
    kit: Kit, tmp_path: Path, prefer: Any
) -> None:
    kit.stub.default = (201, record())
    size = 64_000 * 60  # one minute over the slowest link
    with (tmp_path / "livro.pdf").open("wb") as file:
        file.truncate(size if prefer == "multipart" else size * 3 // 4)
    messages = kit.client(config=CONFIG).messages
    await kit.run(messages.send_media(NUMBER, tmp_path / "livro.pdf", prefer=prefer))
    assert (kit.stub.last.file is not None) == (prefer == "multipart")
    assert kit.stub.last.timeouts.read_ms == 4_000 + 60_000
    assert kit.stub.last.timeouts.write_ms == 4_000 + 60_000


async def test_a_timeout_really_happens_and_the_message_is_found_later(stage: Stage) -> None:
    """The server holds the answer longer than we wait, and acts all the same."""
    stage.open_instance()
    stage.fake.faults.add("message.send_text", "delay", delay_ms=60_000, count=1)
    sent = await stage.kit.run(
        stage.client().messages.send_text(NUMBER, "demorou", timeout_ms=1_000)
    )
    assert sent.reconciled
    stage.fake.assert_sent_times(1)
    stage.fake.faults.add("chat.find_chats", "delay", delay_ms=60_000)
    with pytest.raises(EvolutionTimeoutError) as caught:
        await stage.kit.run(stage.client(timeout_ms=1_000).chats.find())
    assert (caught.value.phase, caught.value.attempts) == (Phase.UNKNOWN, 3)


# HTTP libraries


async def use_it(kit: Kit, client: Any, fake: FakeEvolution) -> None:
    """Some calls of each form, over real HTTP."""
    assert (await kit.run(client.server.info())).version == "2.3.7"
    sent = await kit.run(client.messages.send_text(NUMBER, "olá ✓"))
    await kit.run(client.messages.send_media(NUMBER, PNG, prefer="multipart"))
    seen = await kit.collect(client.chats.iter_messages(page_size=1))
    assert {message.id for message in seen} == {message.key_id for message in fake.sent}
    assert fake.assert_sent(NUMBER, text="olá ✓").key_id == sent.id


@pytest.mark.parametrize("from_settings", [False, True])
async def test_the_aiohttp_back_end(stage: Stage, from_settings: bool) -> None:
    if stage.kit.colour == "sync":
        for options in (
            {"http_backend": "aiohttp"},
            {"config": EvolutionConfig(URL, KEY, http={"backend": "aiohttp"})},
        ):
            with pytest.raises(ConfigurationError, match="AsyncEvolutionClient"):
                EvolutionClient(URL, KEY, **options)
        return
    stage.open_instance()
    with stage.fake.serve() as fake:
        config = EvolutionConfig(fake.url, KEY, http={"backend": "aiohttp"})
        options = {"config": config} if from_settings else {"http_backend": "aiohttp"}
        async with AsyncEvolutionClient(fake.url, KEY, instance="sales", **options) as client:
            assert "Aiohttp" in type(client._pipeline.parts.transport).__name__
            await use_it(stage.kit, client, stage.fake)


@pytest.mark.parametrize("from_settings", [False, True])
async def test_the_httpx2_back_end(stage: Stage, from_settings: bool) -> None:
    stage.open_instance()
    with stage.fake.serve() as fake:
        config = EvolutionConfig(fake.url, KEY, http={"backend": "httpx2"})
        options = {"config": config} if from_settings else {"http_backend": "httpx2"}
        colour = EvolutionClient if stage.kit.colour == "sync" else AsyncEvolutionClient
        client: Any = colour(fake.url, KEY, instance="sales", **options)
        ours = httpx2.Client if stage.kit.colour == "sync" else httpx2.AsyncClient
        assert type(client.http_client) is ours
        await use_it(stage.kit, client, stage.fake)
        await stage.kit.run(client.close())


async def test_the_argument_wins_over_the_settings_back_end() -> None:
    config = EvolutionConfig(URL, KEY, http={"backend": "aiohttp"})
    async with AsyncEvolutionClient(config=config, http_backend="httpx") as client:
        assert "Httpx" in type(client._pipeline.parts.transport).__name__


async def test_the_default_back_end(stage: Stage) -> None:
    stage.open_instance()
    async with stage.served() as client:
        await use_it(stage.kit, client, stage.fake)


@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_a_ready_made_client(stage: Stage, library: Any) -> None:
    stage.open_instance()
    own = {"headers": {"x-own": "mine"}}
    if stage.kit.colour == "async":
        async with library.AsyncClient(**own) as http:
            async with stage.served(http_client=http) as client:
                await use_it(stage.kit, client, stage.fake)
            assert not http.is_closed
    else:
        with library.Client(**own) as http:
            async with stage.served(http_client=http) as client:
                await use_it(stage.kit, client, stage.fake)
            assert not http.is_closed
    assert {seen.headers["x-own"] for seen in stage.arrived} == {"mine"}


@pytest.mark.parametrize(
    ("cls", "http"), [(EvolutionClient, httpx.AsyncClient), (AsyncEvolutionClient, httpx.Client)]
)
def test_a_ready_made_client_of_the_other_colour_is_refused(cls: Any, http: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        cls(URL, KEY, http_client=http())
    assert caught.value.variable == "http_client"


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_proxy_and_tls_settings_reach_the_transport(
    colour: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[TransportOptions] = []
    real: Any = open_async_transport if colour == "async" else open_sync_transport

    def opened(options: TransportOptions) -> Any:
        seen.append(options)
        return real(options)

    monkeypatch.setattr(f"evolution_sdk._{colour}.client.open_transport", opened)
    cls: Any = AsyncEvolutionClient if colour == "async" else EvolutionClient
    cls(URL, KEY)
    assert (seen[-1].proxy, seen[-1].verify, seen[-1].backend) == (None, True, "httpx")
    proxy = "http://ann:secret@proxy.example.com:3128"
    cls(config=EvolutionConfig(URL, KEY, http={"proxy": proxy, "tls_verify": False}))
    assert (seen[-1].proxy, seen[-1].verify) == (proxy, False)


@pytest.mark.evolution_network
async def test_a_proxy_that_is_not_there_is_noticed(kit: Kit) -> None:
    config = EvolutionConfig(URL, KEY, http={"proxy": "http://127.0.0.1:9"})
    client = kit.client(stub=False, config=config, retry=False)
    with pytest.raises(ConnectionFailedError) as caught:
        await kit.run(client.server.info())
    assert caught.value.phase is Phase.NOT_SENT
    await kit.run(client.close())


# Many calls at once


def two_instances(**options: Any) -> FakeEvolution:
    fake = FakeEvolution(api_key=KEY, **options)
    for name in ("sales", "support"):
        fake.create_instance(name, integration=EVOLUTION)
    return fake


async def test_500_tasks_share_one_client_and_each_gets_its_own_answer() -> None:
    fake = two_instances()
    client = AsyncEvolutionClient(
        config=EvolutionConfig(URL, KEY), http_client=fake.async_http_client()
    )

    async def one(i: int) -> tuple[str, str, str]:
        name = ("sales", "support")[i % 2]
        handle = client.instance(name)
        if i % 5 == 0:
            await handle.chats.find_contacts()
        sent = await handle.messages.send_text(f"55119{i:08}", f"mensagem {i}")
        return sent.remote_jid, sent.text or "", sent.id

    results = await asyncio.gather(*(one(i) for i in range(500)))
    assert [(jid, text) for jid, text, _ in results] == [
        (f"55119{i:08}", f"mensagem {i}") for i in range(500)
    ]
    by_id = {message.key_id: message for message in fake.sent}
    assert len(by_id) == 500
    for i, (_, text, key_id) in enumerate(results):
        assert (by_id[key_id].text, by_id[key_id].instance) == (text, ("sales", "support")[i % 2])
    metrics = client.retry.get_metrics("message.send_text")
    assert (metrics.total_operations, metrics.successful_operations) == (500, 500)
    assert client.retry.get_active_requests() in (0, [], ())
    await client.close()


@pytest.mark.parametrize("over_http", [False, True])
def test_8_threads_share_one_client_and_each_gets_its_own_answer(over_http: bool) -> None:
    fake = two_instances()
    gate = threading.Barrier(8)

    def work(client: EvolutionClient, worker: int) -> list[tuple[str, str]]:
        gate.wait(10)
        dice = random.Random(worker)
        results: list[tuple[str, str]] = []
        for i in range(20):
            text = f"de {worker}, número {i}"
            handle = client.instance(dice.choice(("sales", "support")))
            sent = handle.messages.send_text(NUMBER, text)
            assert sent.text == text
            results.append((text, sent.id))
        return results

    def run(client: EvolutionClient) -> list[tuple[str, str]]:
        with client, ThreadPoolExecutor(8) as pool:
            done = [pool.submit(work, client, worker) for worker in range(8)]
            return [result for future in done for result in future.result()]

    if over_http:
        with fake.serve():
            results = run(EvolutionClient(fake.url, KEY))
    else:
        results = run(EvolutionClient(URL, KEY, http_client=fake.http_client()))
    assert len(results) == 160
    assert Counter(results) == Counter((sent.text or "", sent.key_id) for sent in fake.sent)


# Mocking with respx, as an application's own tests do


def test_respx_success_and_error_sync(respx_router: respx.MockRouter) -> None:
    route = respx_router.post("/message/sendText/sales").respond(201, json=record())
    with EvolutionClient(URL, KEY, instance="sales") as client:
        assert client.messages.send_text(NUMBER, "Hello").id == "3868cd62"
    assert route.calls.last.request.headers["apikey"] == KEY
    refusal = {"status": 400, "error": "Bad Request", "response": {"message": ["no"]}}
    respx_router.post("/message/sendText/sales").respond(400, json=refusal)
    with (
        EvolutionClient(URL, KEY, instance="sales") as client,
        pytest.raises(BadRequestError, match="no"),
    ):
        client.messages.send_text(NUMBER, "Hello")


@pytest.fixture
def respx_router() -> Any:
    with respx.mock(base_url=URL) as router:
        yield router


async def test_respx_success_and_error(kit: Kit, respx_router: respx.MockRouter) -> None:
    client = kit.client(stub=False)
    respx_router.get("/chat/findChatByRemoteJid/sales").respond(200, content=b"null")
    assert await kit.run(client.chats.find_by_remote_jid("5511@s.whatsapp.net")) is None
    failing = respx_router.post("/chat/findChats/sales").respond(503)
    with pytest.raises(Exception, match="HTTP 503"):
        await kit.run(client.chats.find())
    assert failing.call_count == 3
    await kit.run(client.close())


@pytest.mark.parametrize(
    ("raised", "expected", "phase", "attempts"),
    [
        (httpx.ConnectError, ConnectionFailedError, Phase.NOT_SENT, 3),
        (httpx.ConnectTimeout, EvolutionTimeoutError, Phase.NOT_SENT, 3),
        (httpx.ReadTimeout, SendOutcomeUnknownError, Phase.UNKNOWN, 1),
        (httpx.ReadError, SendOutcomeUnknownError, Phase.UNKNOWN, 1),
    ],
)
async def test_respx_side_effects_of_a_send(
    kit: Kit, respx_router: respx.MockRouter, raised: Any, expected: Any, phase: Phase,
    attempts: int,
) -> None:  # fmt: skip
    client = kit.client(stub=False)
    route = respx_router.post("/message/sendText/sales").mock(side_effect=raised)
    with pytest.raises(expected) as caught:
        await kit.run(client.messages.send_text(NUMBER, "oi", on_unknown="raise"))
    assert (caught.value.phase, caught.value.attempts) == (phase, attempts)
    assert route.call_count == attempts
    if expected is SendOutcomeUnknownError:
        cause = EvolutionTimeoutError if raised is httpx.ReadTimeout else ConnectionFailedError
        assert isinstance(caught.value.__cause__, cause)
    await kit.run(client.close())


async def test_respx_a_lost_answer_is_looked_up(kit: Kit, respx_router: respx.MockRouter) -> None:
    client = kit.client(stub=False)
    spy = spy_on(client)
    respx_router.post("/message/sendText/sales").mock(side_effect=httpx.ReadTimeout)
    stored = record(id="cm1", messageTimestamp=int(kit.time.now), MessageUpdate=[])
    page = {"messages": {"total": 1, "pages": 1, "currentPage": 1, "records": [stored]}}
    respx_router.post("/chat/findMessages/sales").respond(200, json=page)
    sent = await kit.run(client.messages.send_text(NUMBER, "Hello"))
    assert (sent.id, sent.reconciled) == ("3868cd62", True)
    assert [request.url.rsplit("/", 2)[1] for request in spy.requests] == [
        "sendText", "findMessages"
    ]  # fmt: skip
    await kit.run(client.close())
