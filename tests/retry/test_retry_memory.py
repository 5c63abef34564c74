"""Care with memory, chance and defaults."""

from __future__ import annotations

import contextlib
import contextvars
import gc
import random
import weakref
from typing import Any

import pytest
from retry_kit import COLOURS, FakeClock, Script, both, failure, service

from evolution_sdk._base.effect import Effect, Phase
from evolution_sdk.errors import (
    ConnectionFailedError,
    EvolutionError,
    SendOutcomeUnknownError,
)
from evolution_sdk.retry import EvolutionRetryService, RetryPolicy
from evolution_sdk.retry.decision import SendAbsent
from evolution_sdk.retry.runner import ENCLOSING_CALL
from evolution_sdk.retry.service import runner_of


def _call_sync(retry: EvolutionRetryService, fail: Any, way: str) -> None:
    if way == "execute":
        retry.execute_with_retry_sync(fail, "send")
    else:
        runner_of(retry).run_sync(
            fail, "send", effect=Effect.SEND, resolve=lambda _: SendAbsent("x")
        )


def _call_async(retry: EvolutionRetryService, fail: Any, way: str) -> None:
    async def attempt(*_: object) -> None:
        fail()

    async def resolve(_: object) -> SendAbsent:
        return SendAbsent("x")

    if way == "execute":
        call: Any = retry.execute_with_retry(attempt, "send")
    else:
        call = runner_of(retry).run_async(attempt, "send", effect=Effect.SEND, resolve=resolve)
    while True:  # without an event loop, whose task would hold the error
        call.send(None)


@both
@pytest.mark.parametrize("way", ["execute", "run", "unknown"])
def test_a_failed_call_leaves_no_cycle_behind(colour: Any, way: str) -> None:
    class PreciousError(ConnectionFailedError):
        pass

    def fail(*_: object) -> None:
        raise PreciousError("x", phase=Phase.UNKNOWN if way == "unknown" else Phase.NOT_SENT)

    retry = service(RetryPolicy(2))
    colour.execute(retry, lambda: 1)  # whatever is made once
    call = _call_sync if colour is COLOURS[0] else _call_async
    gc.collect()
    gc.disable()
    try:
        caught: Any = None
        try:
            call(retry, fail, way)
        except (PreciousError, SendOutcomeUnknownError) as error:
            precious = error.__cause__ if way == "unknown" else error
            caught = weakref.ref(precious)  # type: ignore[arg-type]
            del precious
        assert caught() is None
    finally:
        gc.enable()


def test_what_is_remembered_of_inner_failures_is_bounded_and_let_go() -> None:
    inner, outer = service(RetryPolicy(2)), service()
    contexts, counts = [], []

    def worker() -> None:
        for _ in range(200):
            with contextlib.suppress(EvolutionError):
                runner_of(inner).run_sync(
                    Script([failure(Phase.NOT_SENT)]), "send", effect=Effect.SEND
                )
        contexts.append(contextvars.copy_context())
        counts.append(len(contexts[0][ENCLOSING_CALL] or ()))

    outer.execute_with_retry_sync(worker, "worker")
    assert counts == [64]
    assert not contexts[0][ENCLOSING_CALL]  # as a task begun in the function would see it


def test_a_nested_failure_leaves_no_cycle_behind() -> None:
    inner, outer = service(RetryPolicy(2)), service(RetryPolicy(2))

    def fail(_: int) -> None:
        raise PreciousError("x", phase=Phase.NOT_SENT)

    class PreciousError(ConnectionFailedError):
        pass

    def call() -> None:
        runner_of(inner).run_sync(fail, "send", effect=Effect.SEND)

    gc.collect()
    gc.disable()
    try:
        caught: Any = None
        try:
            outer.execute_with_retry_sync(call, "outer")
        except PreciousError as error:
            caught = weakref.ref(error)
        assert caught() is None
    finally:
        gc.enable()


def test_random_is_an_object_or_a_function() -> None:
    naps = []
    for source in (random.Random(4), random.Random(4).random):
        clock = FakeClock()
        with pytest.raises(OSError):
            service(RetryPolicy(), clock, random=source).execute_with_retry_sync(
                Script([OSError()]), "x"
            )
        naps.append(clock.naps)
    assert naps[0] == naps[1]
    assert 0 < naps[0][0] < 1_000


async def test_the_default_sleeps_are_those_of_the_standard_library() -> None:
    retry = EvolutionRetryService(delay_ms=0)
    send = Script([OSError(), 1])
    assert retry.execute_with_retry_sync(send, "x") == 1

    async def asend() -> int:
        if (number := next(numbers)) < 2:
            raise OSError
        return number

    numbers = iter(range(5))
    assert await retry.execute_with_retry(asend, "x") == 2
