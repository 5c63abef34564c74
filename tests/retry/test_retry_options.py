"""What a single call can choose, the limit of an attempt, and an open circuit."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from retry_kit import FakeClock, Script, both, failure, service

from evolution_sdk._base.context import SKIP_RETRY_WAITS
from evolution_sdk._base.effect import Effect, Phase
from evolution_sdk.errors import (
    CircuitOpenError,
    ConfigurationError,
    RateLimitError,
    SendOutcomeUnknownError,
    ServerError,
)
from evolution_sdk.retry import FailureEvent, RetryPolicy
from evolution_sdk.retry.decision import SendAbsent
from evolution_sdk.retry.service import runner_of


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer instead of waiting for it."""

    def __init__(self) -> None:
        super().__init__(_Jumping(self))
        self.jumped = 0.0

    def time(self) -> float:
        return super().time() + self.jumped


class _Jumping(selectors.SelectSelector):
    def __init__(self, loop: JumpingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        if timeout:
            self._loop.jumped += timeout
        return super().select(0)


def jump(main: Coroutine[Any, Any, Any]) -> Any:
    loop = JumpingLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        loop.close()


# The limit of one attempt


def test_an_attempt_that_takes_too_long_is_cancelled_and_tried_again() -> None:
    retry = service(RetryPolicy(2, jitter="none", attempt_timeout_ms=500))
    cancelled: list[int] = []

    async def hang() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(1)
            raise
        return "never"

    with pytest.raises(TimeoutError) as caught:
        jump(retry.execute_with_retry(hang, "send"))
    assert len(cancelled) == 2
    assert caught.value.attempts == 2  # type: ignore[attr-defined]


def test_an_attempt_in_time_is_not_disturbed() -> None:
    retry = service(RetryPolicy(attempt_timeout_ms=500))

    async def slow() -> str:
        await asyncio.sleep(0.4)
        return "ok"

    assert jump(retry.execute_with_retry(slow, "send")) == "ok"
    assert jump(retry.execute_with_retry(lambda: "plain", "send")) == "plain"  # type: ignore[arg-type,return-value]


def test_the_limit_of_the_call_replaces_that_of_the_service() -> None:
    async def slow() -> str:
        await asyncio.sleep(0.4)
        return "ok"

    strict = RetryPolicy(1, attempt_timeout_ms=100)
    with pytest.raises(TimeoutError):
        jump(service().execute_with_retry(slow, "send", policy=strict))
    assert jump(service(strict).execute_with_retry(slow, "send", policy=RetryPolicy())) == "ok"


def test_a_blocking_function_cannot_be_cut_short_and_that_is_said_before() -> None:
    send = Script(["ok"])
    retry = service(RetryPolicy(attempt_timeout_ms=500))
    with pytest.raises(ConfigurationError, match="blocking") as caught:
        retry.execute_with_retry_sync(send, "send")
    assert (caught.value.variable, send.calls) == ("attempt_timeout_ms", 0)
    assert runner_of(retry).run_sync(Script(["ok"]), "op", effect=Effect.READ) == "ok"


# Choices of a single call


def ways(retry: Any, fn: Script, **options: Any) -> list[Callable[[], Any]]:
    async def awaited() -> Any:
        return fn()

    @retry.retryable("send", **options)
    def decorated() -> Any:
        return fn()

    @retry.retryable("send", **options)
    async def decorated_async() -> Any:
        return fn()

    return [
        lambda: retry.execute_with_retry_sync(fn, "send", **options),
        lambda: asyncio.run(retry.execute_with_retry(awaited, "send", **options)),
        decorated,
        lambda: asyncio.run(decorated_async()),
    ]


@pytest.mark.parametrize("way", range(4))
def test_a_policy_of_the_call(way: int) -> None:
    clock = FakeClock()
    send = Script([OSError()])
    policy = RetryPolicy(2, 7, jitter="none")
    with pytest.raises(OSError):
        ways(service(clock=clock), send, policy=policy)[way]()
    assert clock.naps == [7]


@pytest.mark.parametrize("way", range(4))
def test_what_a_call_tries_again(way: int) -> None:
    send = Script([OSError(), KeyError()])
    with pytest.raises(KeyError):
        ways(service(retry_on=KeyError), send, retry_on=OSError)[way]()
    assert send.calls == 2
    odd = Script(["ok"])
    with pytest.raises(ConfigurationError, match="retry_on"):
        ways(service(), odd, retry_on=7)[way]()
    assert odd.calls == 0


# Waiting as told


@both
def test_a_server_that_is_away_says_for_how_long(colour: Any) -> None:
    clock = FakeClock()
    away = ServerError(503, retry_after_ms=12_000)
    attempt = Script([away, "ok"])
    assert colour.run(service(clock=clock), attempt, effect=Effect.READ) == "ok"
    assert clock.naps == [12_000]


# An open circuit


@both
def test_an_open_circuit_ends_the_call_at_once(colour: Any) -> None:
    retry = service()
    heard: list[FailureEvent] = []
    retry.on("failure", heard.append)
    for fn in (colour.run, colour.execute):
        attempt = Script([CircuitOpenError("open")])
        with pytest.raises(CircuitOpenError) as caught:
            fn(retry, attempt)
        assert attempt.calls == 1
        assert caught.value.stopped_because == "circuit_open"
    assert [event.reason for event in heard] == ["circuit_open", "circuit_open"]
    assert retry.get_metrics().circuit_refusals == 2


@both
def test_the_failure_that_opened_it_is_what_comes_out(colour: Any) -> None:
    refused = failure(Phase.NOT_SENT)
    attempt = Script([refused, CircuitOpenError("open")])
    with pytest.raises(type(refused)) as caught:
        colour.run(service(), attempt)
    assert caught.value is refused
    assert (refused.attempts, refused.stopped_because) == (1, "circuit_open")
    assert "gave up after 1 attempt (circuit_open" in refused.__notes__[-1]


@both
def test_a_lost_send_stays_unknown_when_the_circuit_opens(colour: Any) -> None:
    attempt = Script([RateLimitError(429), failure(Phase.UNKNOWN), CircuitOpenError("open")])
    with pytest.raises(SendOutcomeUnknownError) as caught:
        colour.run(
            service(), attempt, on_unknown="resend", resolve=lambda _: SendAbsent("the store")
        )
    assert caught.value.checked == "the store"
    assert caught.value.stopped_because == "circuit_open"


# Waits switched off


@both
def test_waits_can_be_switched_off_by_context(colour: Any) -> None:
    clock = FakeClock()
    retry = service(clock=clock)
    token = SKIP_RETRY_WAITS.set(True)
    try:
        assert colour.run(retry, Script([failure(Phase.NOT_SENT), "ok"])) == "ok"
    finally:
        SKIP_RETRY_WAITS.reset(token)
    assert clock.naps == []
    assert retry.get_metrics().waits == 1
    colour.run(retry, Script([failure(Phase.NOT_SENT), "ok"]))
    assert clock.naps == [1_000]
