"""What the service takes from the environment, and its sums over groups of operations."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
from retry_kit import Script, both, service

from evolution_sdk import EvolutionClient, EvolutionConfig
from evolution_sdk._base.effect import Effect
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.retry import EvolutionRetryService, RetryBudget, RetryPolicy
from evolution_sdk.retry.service import runner_of
from evolution_sdk.testing import FakeEvolution

VARIABLES = {
    "EVOLUTION_RETRY_MAX_ATTEMPTS": ("7", "max_attempts", 7),
    "EVOLUTION_RETRY_DELAY_MS": ("250", "delay_ms", 250),
    "EVOLUTION_RETRY_BACKOFF_FACTOR": ("3", "backoff_factor", 3.0),
    "EVOLUTION_RETRY_MAX_DELAY_MS": ("4000", "max_delay_ms", 4_000),
    "EVOLUTION_RETRY_JITTER": ("none", "jitter", "none"),
    "EVOLUTION_RETRY_MAX_ELAPSED_MS": ("9000", "max_elapsed_ms", 9_000),
    "EVOLUTION_RETRY_ATTEMPT_TIMEOUT_MS": ("800", "attempt_timeout_ms", 800),
}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", VARIABLES)
def test_each_variable_sets_its_field_and_an_argument_wins(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, field, value = VARIABLES[name]
    assert getattr(EvolutionRetryService().policy, field) != value
    monkeypatch.setenv(name, text)
    expected: Any = RetryPolicy().with_(**{field: value})  # type: ignore[misc]
    assert EvolutionRetryService().policy == expected
    assert EvolutionRetryService.from_env().policy == expected
    other = {"jitter": "full"}.get(field, 5)
    arguments: Any = {field: other}
    assert getattr(EvolutionRetryService(**arguments).policy, field) == other
    assert EvolutionRetryService(policy=RetryPolicy()).policy == RetryPolicy()
    assert EvolutionRetryService.from_policy(RetryPolicy()).policy == RetryPolicy()


def test_no_url_and_no_key_are_needed_and_other_settings_may_be_wrong(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "EVOLUTION_RETRY_MAX_ATTEMPTS=4 # of all\n"
        "EVOLUTION_API_URL=ftp://nowhere\n"
        "EVOLUTION_WEBHOOK_GLOBAL_URL=${NOT_SET}/x\n"
        "EVOLUTION_WEBHOOK_EVENTS_CALL=perhaps\n"
    )
    assert EvolutionRetryService().policy.max_attempts == 4
    assert EvolutionRetryService.from_env(None).policy.max_attempts == 3
    assert EvolutionRetryService.from_env(None, environ={}).policy == RetryPolicy()


def test_a_wrong_value_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVOLUTION_RETRY_DELAY_MS", "soon")
    with pytest.raises(ConfigurationError, match="EVOLUTION_RETRY_DELAY_MS") as caught:
        EvolutionRetryService()
    assert caught.value.variable == "EVOLUTION_RETRY_DELAY_MS"


def test_a_misspelt_variable_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("EVOLUTION_RETRY_DELAYMS", "5")
    monkeypatch.setenv("EVOLUTION_BREAKER_WINDOWMS", "5")  # not this service's affair
    EvolutionRetryService()
    assert [record.getMessage() for record in caplog.records] == [
        "EVOLUTION_RETRY_DELAYMS is not a setting; did you mean EVOLUTION_RETRY_DELAY_MS?"
    ]


def test_the_settings_of_a_config() -> None:
    config = EvolutionConfig("http://localhost", "k", retry={"max_attempts": 6})
    assert EvolutionRetryService.from_config(config).policy.max_attempts == 6
    assert EvolutionRetryService.from_config(config.retry).policy.max_attempts == 6
    assert EvolutionRetryService.from_config(config).budget is None
    own = RetryBudget(3, 0.5)
    assert EvolutionRetryService.from_config(config, budget=own).budget is own


def test_a_budget_only_where_a_setting_speaks_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert EvolutionRetryService().budget is None
    monkeypatch.setenv("EVOLUTION_RETRY_BUDGET_CAPACITY", "7")
    budget = EvolutionRetryService().budget
    assert budget is not None
    assert budget.capacity == 7
    assert EvolutionRetryService(budget=None).budget is None
    assert EvolutionRetryService(policy=RetryPolicy()).budget is None
    monkeypatch.setenv("EVOLUTION_RETRY_BUDGET_ENABLED", "false")
    assert EvolutionRetryService().budget is None


def test_the_documented_order_of_arguments() -> None:
    assert EvolutionRetryService(3, 1_000, 2, 30_000).policy == RetryPolicy()
    names = list(inspect.signature(EvolutionRetryService).parameters)[:4]
    assert names == ["max_attempts", "delay_ms", "backoff_factor", "max_delay_ms"]


# The default wait


def test_the_default_wait_is_never_under_half_of_what_is_documented() -> None:
    for chance in (0.0, 0.2, 0.5, 0.999999):
        slept: list[float] = []
        retry = EvolutionRetryService(
            3, 1_000, 2, sleep=slept.append, random=lambda chance=chance: chance
        )
        with pytest.raises(OSError):
            retry.execute_with_retry_sync(Script([OSError()] * 3), "send")
        first, second = slept
        assert 0.5 <= first <= 1.0
        assert 1.0 <= second <= 2.0
        assert second >= first


# Groups


@both
def test_a_group_adds_up_its_operations(colour: Any) -> None:
    retry = service()
    calls = [
        ("message.send_text", Effect.SEND, 3),
        ("message.send_media", Effect.SEND, 2),
        ("chat.find_messages", Effect.READ, 4),
        ("message.react", Effect.IDEMPOTENT, 1),
    ]
    for operation, effect, times in calls:
        for _ in range(times):
            colour.run(retry, lambda *_: 1, operation, effect=effect)
    counted = {
        name: retry.get_metrics(name).successful_operations
        for name in ("send", "read", "idempotent", "message", "chat", "message.send_text", "x")
    }
    assert counted == {
        "send": 5, "read": 4, "idempotent": 1, "message": 6, "chat": 4,
        "message.send_text": 3, "x": 0,
    }  # fmt: skip
    assert retry.get_metrics("send").operation == "send"
    assert retry.get_metrics("send").attempts_histogram == {1: 5}
    assert retry.get_metrics("send", window_ms=60_000).total_operations == 5
    assert retry.operations() == tuple(sorted(operation for operation, _, _ in calls))
    retry.reset_metrics()
    assert retry.operations() == ()
    assert retry.get_metrics("send").total_operations == 0


def test_a_name_of_ones_own_is_counted_once_with_the_group() -> None:
    retry = service()
    retry.execute_with_retry_sync(lambda: 1, "send")
    runner_of(retry).run_sync(lambda _: 1, "message.send_text", effect=Effect.SEND)
    assert retry.get_metrics("send").total_operations == 2
    assert retry.get_metrics().total_operations == 2
    assert retry.operations() == ("message.send_text", "send")


def test_a_name_with_a_dot_of_ones_own_is_in_no_group() -> None:
    retry = service()
    retry.execute_with_retry_sync(lambda: 1, "message.mine")
    assert retry.get_metrics("message").total_operations == 0
    assert retry.get_metrics("message.mine").total_operations == 1


def test_calls_in_flight_of_a_group() -> None:
    retry = service()
    seen: list[int] = []

    def attempt(_: int) -> None:
        seen.append(retry.get_active_requests("send"))

    runner_of(retry).run_sync(attempt, "message.send_text", effect=Effect.SEND)
    assert (seen, retry.get_active_requests("send")) == ([1], 0)


def test_all_sends_of_a_client() -> None:
    fake = FakeEvolution(api_key="k")
    fake.create_instance("bot")
    with fake.http_client() as http:
        client = EvolutionClient("http://fake", "k", instance="bot", http_client=http)
        client.messages.send_text("5511999999999", "one")
        client.messages.send_text("5511999999999", "two")
        client.instances.connection_state("bot")
        assert client.retry.get_metrics("send").successful_operations == 2
        assert client.retry.get_metrics("read").successful_operations == 1
        assert "message.send_text" in client.retry.operations()


# The log of a handler


def test_a_typing_error_in_a_handler_is_told_with_its_place(
    caplog: pytest.LogCaptureFixture,
) -> None:
    retry = service()

    def helper() -> None:
        undefined_name  # type: ignore[name-defined]  # noqa: B018, F821

    def handler(_: object) -> None:
        helper()

    retry.on("success", handler)
    retry.execute_with_retry_sync(lambda: 1, "send")
    (record,) = [each for each in caplog.records if each.name == "evolution_sdk.retry"]
    text = record.getMessage()
    assert "raised NameError" in text
    assert f"{__file__}:{helper.__code__.co_firstlineno + 1}" in text
    assert f"{__file__}:{handler.__code__.co_firstlineno + 1}" in text
    assert "undefined_name" not in text, "the text of an error may quote a message"
