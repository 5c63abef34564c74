"""What a client does when it is closed, misused, refused, or surprised; and what it never shows."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk import (
    AsyncEvolutionClient,
    EvolutionClient,
    EvolutionConfig,
    Media,
    RetryPolicy,
)
from evolution_sdk._base.effect import Effect, Phase
from evolution_sdk.errors import (
    AuthenticationError,
    BadRequestError,
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    EvolutionAPIError,
    EvolutionTimeoutError,
    InstanceNotConnectedError,
    InstanceNotFoundError,
    MetaAPIError,
    RateLimitError,
    RecipientNotFoundError,
    RouteNotFoundError,
    SendOutcomeUnknownError,
    ServerError,
    UnexpectedResponseError,
)

from .conftest import KEY, URL, Kit, record
from .fake_stage import BUSINESS, EVOLUTION, NUMBER, Stage

CLIENTS = (EvolutionClient, AsyncEvolutionClient)


async def raised(kit: Kit, expected: type[BaseException], call: Callable[[], Any]) -> Any:
    with pytest.raises(expected) as caught:
        await kit.run(call())
    return caught.value


# Life of a client


async def test_a_closed_client_says_so(kit: Kit) -> None:
    client = kit.client()
    assert not client.closed
    await kit.run(client.close())
    await kit.run(client.close())
    assert client.closed
    assert kit.stub.closed
    sales = client.instance("sales")
    download = Media.from_url("http://localhost:9/a.png", fetch="local")
    for call in (
        lambda: client.server.info(),
        lambda: client.instances.wait_for_qr(),
        lambda: sales.messages.send_text(NUMBER, "oi"),
        lambda: sales.messages.send_media(NUMBER, download),
        lambda: kit.collect(sales.chats.iter_messages()),
    ):
        with pytest.raises(ClientClosedError, match="closed"):
            await kit.run(call())
    assert kit.stub.requests == []


async def test_a_context_closes_its_client_also_after_an_error(kit: Kit) -> None:
    client = kit.client()
    assert await kit.enter(client) is client
    await kit.leave(client)
    assert client.closed
    assert kit.stub.closed


async def test_with_statements_of_both_colours() -> None:
    with EvolutionClient(URL, KEY) as client:
        assert not client.closed
    assert client.closed
    with pytest.raises(ZeroDivisionError):
        async with AsyncEvolutionClient(URL, KEY) as other:
            _ = 1 / 0
    assert other.closed


async def test_a_ready_made_client_stays_open(stage: Stage) -> None:
    stage.open_instance()
    http = stage.http
    client = stage.client(http_client=http)
    await stage.kit.run(client.server.info())
    await stage.kit.run(client.close())
    assert not http.is_closed
    second = stage.client(http_client=http)
    await stage.kit.run(second.server.info())
    await stage.kit.run(http.aclose() if stage.kit.colour == "async" else http.close())
    with pytest.raises(ClientClosedError, match="http_client"):
        await stage.kit.run(second.server.info())


# Settings


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name in ("EVOLUTION_API_URL", "EVOLUTION_API_KEY", "EVOLUTION_INSTANCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return monkeypatch


@pytest.mark.parametrize("cls", CLIENTS)
@pytest.mark.parametrize(
    ("arguments", "variable"),
    [
        ({"api_key": KEY}, "EVOLUTION_API_URL"),
        ({"base_url": URL}, "EVOLUTION_API_KEY"),
        ({"base_url": "evolution.test", "api_key": KEY}, "EVOLUTION_API_URL"),
        ({"base_url": URL, "api_key": KEY, "http_backend": "curl"}, "http_backend"),
        ({"base_url": URL, "api_key": KEY, "http_client": object()}, "http_client"),
    ],
)
def test_a_wrong_setting_is_found_at_construction(
    cls: Any, arguments: dict[str, Any], variable: str, bare_environment: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        cls(**arguments)
    assert caught.value.variable == variable
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("cls", CLIENTS)
def test_the_environment_is_the_default_and_arguments_win(
    cls: Any, bare_environment: pytest.MonkeyPatch
) -> None:
    bare_environment.setenv("EVOLUTION_API_URL", "http://env.example.com")
    bare_environment.setenv("EVOLUTION_API_KEY", "env-key")
    bare_environment.setenv("EVOLUTION_INSTANCE", "env-instance")
    config = cls().config
    assert (config.base_url, config.instance) == ("http://env.example.com", "env-instance")
    config = cls(URL, KEY, instance="mine").config
    assert (config.base_url, config.instance) == (URL, "mine")
    assert config.api_key.get_secret_value() == KEY
    given = EvolutionConfig("http://config.example.com", "config-key", instance="given")
    config = cls(config=given, api_key=KEY).config
    assert config.base_url == "http://config.example.com"
    assert config.api_key.get_secret_value() == KEY
    assert (config.instance, given.api_key.get_secret_value()) == ("given", "config-key")


async def test_a_missing_instance_names_the_ways_to_give_one(kit: Kit) -> None:
    client = kit.client(instance=None)
    error = await raised(kit, ConfigurationError, lambda: client.messages.send_text(NUMBER, "oi"))
    for way in ("client.instance(", "instance=", "EVOLUTION_INSTANCE"):
        assert way in str(error)
    assert kit.stub.requests == []


# Options of a client and of a call


async def test_retry_false_means_one_attempt(stage: Stage) -> None:
    stage.open_instance()
    fault = stage.fake.faults.add("*", "refuse")
    client = stage.client(retry=False)
    assert client.retry.policy.max_attempts == 1
    error = await raised(stage.kit, ConnectionFailedError, lambda: client.server.info())
    assert (error.attempts, fault.hits) == (1, 1)
    error = await raised(
        stage.kit,
        ConnectionFailedError,
        lambda: stage.client().messages.send_text(NUMBER, "oi", retry=False),
    )
    assert (error.attempts, fault.hits) == (1, 2)


async def test_retry_policies_of_client_and_call(stage: Stage) -> None:
    stage.open_instance()
    fault = stage.fake.faults.add("message.send_text", "refuse")
    client = stage.client()
    error = await raised(
        stage.kit, ConnectionFailedError, lambda: client.messages.send_text(NUMBER, "oi")
    )
    assert (error.attempts, stage.kit.time.naps) == (3, [1.0, 2.0])

    stage.kit.time.naps.clear()
    own = RetryPolicy(max_attempts=5, delay_ms=100, backoff_factor=3, jitter="none")
    error = await raised(
        stage.kit, ConnectionFailedError, lambda: client.messages.send_text(NUMBER, "oi", retry=own)
    )
    assert (error.attempts, fault.hits) == (5, 8)
    assert stage.kit.time.naps == pytest.approx([0.1, 0.3, 0.9, 2.7])


@pytest.mark.parametrize("cls", CLIENTS)
def test_the_retry_settings_and_a_shared_service(cls: Any, kit: Kit) -> None:
    config = EvolutionConfig(
        URL, KEY,
        retry={
            "max_attempts": 7, "delay_ms": 5, "backoff_factor": 3, "max_delay_ms": 9,
            "jitter": "equal", "max_elapsed_ms": 11, "attempt_timeout_ms": 13,
            "budget_capacity": 17, "budget_earned": 0.5,
        },
    )  # fmt: skip
    given = cls(config=config).retry
    assert given.policy == RetryPolicy(7, 5, 3, 9, "equal", 11, 13)
    assert given.budget.take()
    given.budget.succeeded()
    assert (given.budget.capacity, given.budget.left) == (17, 16.5)
    own = cls(config=config, retry=RetryPolicy(max_attempts=2)).retry
    assert (own.policy.max_attempts, own.budget.capacity) == (2, 17)
    service = kit.retry_service()
    assert cls(config=config, retry=service).retry is service
    config = EvolutionConfig(URL, KEY, retry={"budget_enabled": False})
    assert cls(config=config).retry.budget is None
    assert cls(config=EvolutionConfig(URL, KEY)).retry.budget.capacity == 500


async def test_the_limit_of_an_attempt_bounds_the_answer_and_not_the_delay(kit: Kit) -> None:
    client = kit.client(retry=kit.retry_service(attempt_timeout_ms=20_000))
    kit.stub.default = (201, record())

    async def limit(**options: Any) -> float:
        await kit.run(client.messages.send_text(NUMBER, "oi", **options))
        return kit.stub.last.timeouts.read_ms

    assert await limit() == 20_000
    assert await limit(delay_ms=5_000) == 25_000
    assert await limit(timeout_ms=7_000) == 7_000
    assert await limit(timeout_ms=90_000) == 20_000
    assert await limit(retry=RetryPolicy(attempt_timeout_ms=1_000)) == 1_000
    assert await limit(retry=RetryPolicy()) == 90_000
    assert await limit(retry=False) == 90_000


async def test_on_unknown_raise_does_not_even_look(stage: Stage) -> None:
    stage.open_instance()
    stage.fake.faults.add("message.send_text", "answer_then_drop")
    error = await raised(
        stage.kit,
        SendOutcomeUnknownError,
        lambda: stage.client().messages.send_text(NUMBER, "oi", on_unknown="raise"),
    )
    assert (error.operation, error.instance) == ("message.send_text", "sales")
    assert (error.phase, error.effect, error.attempts) == (Phase.UNKNOWN, Effect.SEND, 1)
    assert isinstance(error.__cause__, ConnectionFailedError)
    assert [seen.path for seen in stage.arrived] == ["/message/sendText/sales"]


@pytest.mark.parametrize("options", [{}, {"on_unknown": "reconcile"}])
async def test_on_unknown_reconcile_finds_it_or_raises(stage: Stage, options: Any) -> None:
    stage.open_instance()
    client = stage.client()
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    sent = await stage.kit.run(client.messages.send_text(NUMBER, "chegou", **options))
    assert sent.reconciled
    assert sent.id == stage.fake.assert_sent(NUMBER, text="chegou").key_id
    stage.fake.faults.add("message.send_text", "drop", count=1)
    await raised(
        stage.kit,
        SendOutcomeUnknownError,
        lambda: client.messages.send_text(NUMBER, "perdida", **options),
    )
    stage.fake.assert_sent_times(0, text="perdida")


async def test_on_unknown_resend_looks_first(stage: Stage) -> None:
    stage.open_instance()
    client = stage.client()
    stage.fake.faults.add("message.send_text", "drop", count=1)
    sent = await stage.kit.run(client.messages.send_text(NUMBER, "oi", on_unknown="resend"))
    assert not sent.reconciled
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    found = await stage.kit.run(client.messages.send_text(NUMBER, "olá", on_unknown="resend"))
    assert found.reconciled
    assert [message.text for message in stage.fake.sent] == ["oi", "olá"]


async def test_a_wrong_on_unknown_is_refused_before_sending(stage: Stage) -> None:
    stage.open_instance()
    await raised(
        stage.kit,
        ConfigurationError,
        lambda: stage.client().messages.send_text(NUMBER, "oi", on_unknown="hope"),
    )
    assert stage.arrived == []


# What errors say


async def test_errors_carry_instance_and_operation(stage: Stage) -> None:
    stage.open_instance()
    stage.fake.create_instance("closed", state="close")
    stage.fake.create_instance("meta", integration=BUSINESS, number="123456789012345")
    stage.fake.not_on_whatsapp("5511900000009")
    stage.fake.meta.refuse(NUMBER, code=131_047)
    client = stage.client()
    cases: list[tuple[type[EvolutionAPIError], str, str, Callable[[], Any]]] = [
        (InstanceNotFoundError, "chat.find_chats", "nobody",
         lambda: client.instance("nobody").chats.find()),
        (AuthenticationError, "webhook.find_webhook", "sales",
         lambda: client.instance("sales", token="wrong").webhook.find()),
        (RecipientNotFoundError, "message.send_text", "sales",
         lambda: client.messages.send_text("5511900000009", "oi")),
        (InstanceNotConnectedError, "message.send_text", "closed",
         lambda: client.instance("closed").messages.send_text(NUMBER, "oi", retry=False)),
        (MetaAPIError, "message.send_text", "meta",
         lambda: client.instance("meta").messages.send_text(NUMBER, "oi")),
    ]  # fmt: skip
    for expected, operation, instance, call in cases:
        error = await raised(stage.kit, expected, call)
        assert (error.operation, error.instance) == (operation, instance)
        assert error.attempts == 1
        for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
            assert (str(twin), twin.instance) == (str(error), instance)
    stage.fake.assert_nothing_sent()


async def test_a_wrong_prefix_is_told_from_an_unknown_instance(stage: Stage) -> None:
    stage.open_instance()
    client = stage.client(config=EvolutionConfig(f"{URL}/prefix", KEY))
    error = await raised(
        stage.kit, RouteNotFoundError, lambda: client.messages.send_text(NUMBER, "oi")
    )
    assert "EVOLUTION_API_URL" in str(error)
    assert stage.last.target == "/prefix/message/sendText/sales"


async def test_a_web_page_is_not_the_api(kit: Kit) -> None:
    kit.stub.answer((200, b"<html>welcome</html>"))
    error = await raised(kit, UnexpectedResponseError, lambda: kit.client().server.info())
    assert "EVOLUTION_API_URL" in str(error)
    assert len(kit.stub.requests) == 1


async def test_reads_are_repeated_after_server_errors_and_refusals_are_not(stage: Stage) -> None:
    stage.open_instance()
    fault = stage.fake.faults.add("chat.find_chats", "status", status=503, body="", count=2)
    assert await stage.kit.run(stage.client().chats.find()) == []
    assert fault.hits == 2
    fault = stage.fake.faults.add("chat.find_chats", "status", status=503, body="")
    error = await raised(stage.kit, ServerError, lambda: stage.client().chats.find())
    assert (error.attempts, fault.hits, error.status) == (3, 3, 503)
    chats = stage.client().chats
    error = await raised(stage.kit, ServerError, lambda: chats.find(retry=False))
    assert error.attempts == 1
    five = RetryPolicy(max_attempts=5, jitter="none")
    error = await raised(stage.kit, ServerError, lambda: chats.find(retry=five))
    assert error.attempts == 5
    fault.remove()
    refusal = {"status": 400, "error": "Bad Request", "response": {"message": ["no"]}}
    fault = stage.fake.faults.add("chat.find_chats", "status", status=400, body=refusal)
    error = await raised(stage.kit, BadRequestError, lambda: stage.client().chats.find())
    assert (error.attempts, fault.hits, error.messages) == (1, 1, ("no",))


@pytest.mark.parametrize(
    ("header", "wait_ms"),
    [("7", 7_000), ("Mon, 23 Nov 2026 15:31:49 GMT", 20_000), ("soon", None), (None, None)],
)
async def test_retry_after_is_read_and_obeyed(
    stage: Stage, header: str | None, wait_ms: int | None
) -> None:
    assert stage.kit.time.now == 1_795_447_889  # 15:31:29 on that day
    stage.open_instance(EVOLUTION)
    headers = {} if header is None else {"Retry-After": header}
    stage.fake.faults.add(
        "message.send_text",
        "status",
        status=429,
        body={"message": "slow"},
        headers=headers,
        count=2,
    )
    error = await raised(
        stage.kit,
        RateLimitError,
        lambda: stage.client().messages.send_text(NUMBER, "oi", retry=False),
    )
    assert error.retry_after_ms == wait_ms
    assert stage.kit.time.naps == []
    await stage.kit.run(stage.client().messages.send_text(NUMBER, "oi"))
    assert stage.kit.time.naps == [1.0 if wait_ms is None else wait_ms / 1_000]
    stage.fake.assert_sent_times(1)


@pytest.mark.parametrize("phase", [Phase.NOT_SENT, Phase.UNKNOWN])
async def test_a_timeout_is_repeated_for_a_read_whatever_its_phase(kit: Kit, phase: Phase) -> None:
    kit.stub.answer(EvolutionTimeoutError("late", phase=phase), (200, []))
    assert await kit.run(kit.client().chats.find()) == []
    assert len(kit.stub.requests) == 2
