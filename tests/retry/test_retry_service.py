from __future__ import annotations

import asyncio
import inspect
import traceback
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

import pytest
from retry_kit import FakeClock, Script, both, failure, service

from evolution_sdk._base.effect import Effect, Phase
from evolution_sdk.errors import (
    ConfigurationError,
    ConnectionFailedError,
    RecipientNotFoundError,
)
from evolution_sdk.retry import EvolutionRetryService, RetryPolicy
from evolution_sdk.retry.service import runner_of


@both
def test_the_documented_use(colour: Any) -> None:
    clock = FakeClock()
    retry = service(clock=clock)
    send = Script([OSError(), OSError(), "sent"])
    assert colour.execute(retry, send, "send") == "sent"
    assert send.calls == 3
    assert clock.naps == [1_000, 2_000]


@both
def test_every_setting_of_the_service_acts(colour: Any) -> None:
    clock = FakeClock()
    retry = EvolutionRetryService(
        6, 100, 3, 500, jitter="equal", max_elapsed_ms=1_100, clock=clock,
        sleep=clock.sleep, async_sleep=clock.async_sleep, random=lambda: 0.5,
    )  # fmt: skip
    send = Script([OSError()])
    with pytest.raises(OSError):
        colour.execute(retry, send)
    # 75 % of 100, 300, 500, 500: the fourth nap would cross 1,100 ms.
    assert clock.naps == [75, 225, 375, 375]
    assert send.calls == 5


@both
def test_the_original_exception_comes_out(colour: Any) -> None:
    errors = [ConnectionFailedError(str(n), phase=Phase.NOT_SENT) for n in range(3)]
    with pytest.raises(ConnectionFailedError) as caught:
        colour.execute(service(), Script(errors), "send")
    assert caught.value is errors[2]
    assert caught.value.attempts == 3
    assert caught.value.stopped_because == "exhausted"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    shown = "".join(traceback.format_exception(caught.value))
    assert "send: gave up after 3 attempts (exhausted: no attempts left)" in shown


@both
def test_a_foreign_exception_says_how_often_was_tried_and_why_no_more(colour: Any) -> None:
    error = ValueError("mine")
    with pytest.raises(ValueError) as caught:
        colour.execute(service(RetryPolicy(1)), Script([error]))
    assert caught.value is error
    assert vars(error) == {
        "attempts": 1,
        "stopped_because": "exhausted",
        "__notes__": ["op: gave up after 1 attempt (exhausted: no attempts left)"],
    }


@both
def test_attributes_of_its_own_are_left_to_a_foreign_exception(colour: Any) -> None:
    class TheirsError(Exception):
        attempts = "none of yours"

    class FullError(Exception):
        __slots__ = ()

        def __setattr__(self, *_: object) -> None:
            raise AttributeError

    for kind in (TheirsError, FullError):
        with pytest.raises(kind) as caught:
            colour.execute(service(RetryPolicy(1)), Script([kind()]))
        assert getattr(caught.value, "attempts", None) != 1


@both
def test_an_evolution_error_that_is_not_retryable_is_not_retried(colour: Any) -> None:
    for error in (RecipientNotFoundError(400), ConnectionFailedError("x", phase=Phase.UNKNOWN)):
        send = Script([error])
        with pytest.raises(type(error)) as caught:
            colour.execute(service(), send)
        assert send.calls == 1
        assert caught.value.stopped_because in ("not_retryable", "not_safe")


@both
@pytest.mark.parametrize("give", [(OSError,), OSError, lambda error: isinstance(error, OSError)])
def test_retry_on(colour: Any, give: Any) -> None:
    wanted, other = Script([OSError(), 1]), Script([ValueError(), 1])
    retry = service(retry_on=give)
    assert colour.execute(retry, wanted) == 1
    with pytest.raises(ValueError):
        colour.execute(retry, other)
    assert (wanted.calls, other.calls) == (2, 1)


@both
def test_retry_on_also_narrows_api_calls(colour: Any) -> None:
    attempt = Script([failure(Phase.NOT_SENT), 1])
    with pytest.raises(Exception, match="no answer"):
        colour.run(service(retry_on=KeyError), attempt)
    assert attempt.calls == 1


@both
@pytest.mark.parametrize(
    "kind", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError]
)
def test_what_is_no_exception_gets_out_at_once(colour: Any, kind: type[BaseException]) -> None:
    retry, send = service(), Script([])
    send.outcomes = [kind()]
    with pytest.raises(kind):
        colour.execute(retry, send)
    assert send.calls == 1
    metrics = retry.get_metrics()
    assert (metrics.total_operations, metrics.cancelled_operations) == (0, 1)
    assert retry.get_active_requests() == 0


@pytest.mark.parametrize("where", ["attempt", "sleep", "resolve"])
async def test_a_cancelled_task_stops_where_it_is(where: str) -> None:
    reached, forever = asyncio.Event(), asyncio.Event()

    async def hang(*_: object) -> Any:
        reached.set()
        await forever.wait()

    async def fail(_: int) -> int:
        raise failure(Phase.UNKNOWN if where == "resolve" else Phase.NOT_SENT)

    retry = EvolutionRetryService(async_sleep=hang if where == "sleep" else asyncio.sleep)
    task = asyncio.create_task(
        runner_of(retry).run_async(
            hang if where == "attempt" else fail, "send", effect=Effect.SEND, resolve=hang
        )
    )
    await reached.wait()
    assert retry.get_active_requests() == retry.get_active_requests("send") == 1
    assert retry.get_active_requests("other") == 0
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert retry.get_active_requests() == 0
    assert retry.get_metrics().cancelled_operations == 1
    assert retry.get_metrics().unknown_outcomes == (where == "resolve")


@both
def test_a_sleep_that_fails_is_not_retried(colour: Any) -> None:
    class Broken(FakeClock):
        def sleep(self, seconds: float) -> None:
            raise OSError("no sleep")

    send = Script([ValueError()])
    with pytest.raises(OSError, match="no sleep"):
        colour.execute(service(clock=Broken()), send)
    assert send.calls == 1


@both
def test_even_stop_iteration_is_an_outcome(colour: Any) -> None:
    send = Script([StopAsyncIteration(), 1])
    assert colour.execute(service(), send) == 1


# Decorator and misuse


def test_the_decorator_keeps_signature_and_colour() -> None:
    retry = service()
    failures = iter([OSError(), OSError(), OSError()])

    @retry.retryable("send")
    def blocking(number: str, *, text: str = "oi") -> str:
        """Send it."""
        if (error := next(failures)) and number == "fail":
            raise error
        return f"{number}:{text}"

    assert blocking("55", text="olá") == "55:olá"
    assert (blocking.__name__, blocking.__doc__) == ("blocking", "Send it.")
    assert list(inspect.signature(blocking).parameters) == ["number", "text"]
    assert not inspect.iscoroutinefunction(blocking)
    assert retry.get_metrics("send").total_operations == 1


async def test_the_decorator_on_async_functions_methods_and_objects() -> None:
    retry = service()

    class Sender:
        def __init__(self) -> None:
            self.calls = 0

        @retry.retryable("method")
        async def send(self, text: str) -> str:
            self.calls += 1
            if self.calls < 3:
                raise OSError
            return text

        async def __call__(self, text: str) -> str:
            return await self.send(text)

    sender = Sender()
    assert inspect.iscoroutinefunction(sender.send)
    assert await sender.send("oi") == "oi"
    assert sender.calls == 3
    sender.calls = 2
    assert await retry.retryable("object")(partial(Sender.send, sender))("a") == "a"


async def test_the_decorator_knows_async_callables() -> None:
    retry = service()

    class Call:
        calls = 0
        __name__ = "call"

        async def __call__(self) -> int:
            self.calls += 1
            if self.calls < 2:
                raise OSError
            return self.calls

    assert await retry.retryable("object")(Call())() == 2


def generator() -> Iterator[int]:
    yield 1


async def async_generator() -> AsyncIterator[int]:
    yield 1


@pytest.mark.parametrize("fn", [generator, async_generator])
def test_a_generator_function_is_refused(fn: Any) -> None:
    with pytest.raises(ConfigurationError, match="generator"):
        service().retryable("x")(fn)


def test_the_decorator_without_a_name_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="name"):

        @service().retryable  # type: ignore[arg-type]
        def send() -> None: ...


def test_an_async_function_in_the_sync_call_is_refused_at_once() -> None:
    async def send() -> None: ...

    retry = service()
    with pytest.raises(ConfigurationError, match="async"):
        retry.execute_with_retry_sync(send, "send")
    assert retry.get_metrics().attempts == 1


async def test_a_plain_value_is_accepted_where_an_awaitable_is_expected() -> None:
    assert await service().execute_with_retry(lambda: 5, "send") == 5  # type: ignore[arg-type,return-value]
