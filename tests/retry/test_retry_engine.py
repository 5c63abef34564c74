"""The client's own entry, and retry services inside one another."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from retry_kit import FakeClock, Script, both, failure, service

from evolution_sdk._base.effect import Effect, Phase
from evolution_sdk.errors import (
    ConfigurationError,
    RateLimitError,
    SendOutcomeUnknownError,
)
from evolution_sdk.retry import RetryPolicy
from evolution_sdk.retry.decision import SendFound
from evolution_sdk.retry.service import runner_of


@both
def test_the_attempt_hears_its_number(colour: Any) -> None:
    attempt = Script([failure(Phase.NOT_SENT), failure(Phase.NOT_SENT), "ok"])
    assert colour.run(service(), attempt) == "ok"
    assert attempt.numbers == [1, 2, 3]


@both
def test_a_policy_of_the_call_replaces_that_of_the_service(colour: Any) -> None:
    clock = FakeClock()
    attempt = Script([failure(Phase.NOT_SENT)])
    policy = RetryPolicy(2, 7, jitter="none")
    with pytest.raises(Exception, match="no answer"):
        colour.run(service(clock=clock), attempt, policy=policy)
    assert clock.naps == [7]


@both
def test_an_unknown_send_is_looked_up_with_its_error(colour: Any) -> None:
    lost = failure(Phase.UNKNOWN)
    seen: list[Exception] = []

    def resolve(error: Exception) -> SendFound[str]:
        seen.append(error)
        return SendFound("it was sent")

    attempt = Script([lost])
    policy = RetryPolicy(max_attempts=1)
    assert colour.run(service(), attempt, resolve=resolve, policy=policy) == "it was sent"
    assert seen == [lost]
    assert attempt.calls == 1


@both
@pytest.mark.parametrize("mode", ["raise", "reconcile", "resend"])
def test_without_a_resolver_an_unknown_send_is_never_repeated(colour: Any, mode: str) -> None:
    attempt = Script([failure(Phase.UNKNOWN)])
    with pytest.raises(SendOutcomeUnknownError) as caught:
        colour.run(service(), attempt, "message.send_text", on_unknown=mode, instance="sales")
    assert attempt.calls == 1
    assert caught.value.__cause__ is not None
    assert (caught.value.operation, caught.value.instance) == ("message.send_text", "sales")


@both
def test_a_wrong_on_unknown_is_refused_before_anything_is_sent(colour: Any) -> None:
    attempt = Script([1])
    with pytest.raises(ConfigurationError, match="rasie"):
        colour.run(service(), attempt, on_unknown="rasie")
    assert attempt.calls == 0


@both
def test_a_programming_error_in_an_attempt_is_not_retried(colour: Any) -> None:
    attempt = Script([TypeError("bug")])
    with pytest.raises(TypeError, match="bug"):
        colour.run(service(), attempt, effect=Effect.READ)
    assert attempt.calls == 1


@both
def test_the_effect_is_written_on_the_error(colour: Any) -> None:
    error = failure(Phase.ANSWERED)
    with pytest.raises(type(error)):
        colour.run(service(), Script([error]), effect=Effect.DESTRUCTIVE)
    assert error.effect is Effect.DESTRUCTIVE


@both
def test_a_rate_limited_send_waits_as_told(colour: Any) -> None:
    clock = FakeClock()
    attempt = Script([RateLimitError(429, retry_after_ms=45_000), 1])
    assert colour.run(service(clock=clock), attempt) == 1
    assert clock.naps == [45_000]


# Retry inside retry


@both
def test_an_inner_service_is_not_multiplied(colour: Any) -> None:
    inner, outer = service(), service()
    attempt = Script([failure(Phase.NOT_SENT)])
    calls = 0

    def call() -> Any:
        nonlocal calls
        calls += 1
        return runner_of(inner).run_sync(attempt, "message.send_text", effect=Effect.SEND)

    with pytest.raises(Exception, match="no answer") as caught:
        colour.execute(outer, call, "outer")
    assert (attempt.calls, calls) == (3, 1)
    assert caught.value.attempts == 3  # type: ignore[attr-defined]


async def test_an_inner_service_is_noticed_through_tasks_and_threads_and_levels() -> None:
    attempt = Script([failure(Phase.NOT_SENT)])
    inner, middle, outer = service(), service(), service()

    def block() -> Any:
        return runner_of(inner).run_sync(attempt, "inner", effect=Effect.SEND)

    async def work() -> Any:
        return await asyncio.create_task(asyncio.to_thread(block))

    async def level() -> Any:
        return await middle.execute_with_retry(work, "middle")

    with pytest.raises(Exception, match="no answer"):
        await outer.execute_with_retry(level, "outer")
    assert attempt.calls == 3


@both
def test_an_inner_service_without_retries_leaves_them_to_the_outer(colour: Any) -> None:
    inner, outer = service(RetryPolicy(1)), service()
    attempt = Script([failure(Phase.NOT_SENT), failure(Phase.NOT_SENT), "ok"])

    def call() -> Any:
        return runner_of(inner).run_sync(attempt, "message.send_text", effect=Effect.SEND)

    assert colour.execute(outer, call) == "ok"


def test_an_error_object_used_twice_is_retried_twice() -> None:
    error = failure(Phase.NOT_SENT)
    for _ in range(2):
        send = Script([error])
        with pytest.raises(type(error)):
            service().execute_with_retry_sync(send, "send")
        assert send.calls == 3
