"""What the tests of the retry package share: a clock nobody waits for, and both colours as one."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pytest

from evolution_sdk._base.effect import Effect, Phase
from evolution_sdk.errors import EvolutionAPIError, TransportError
from evolution_sdk.retry import EvolutionRetryService, RetryPolicy
from evolution_sdk.retry.service import runner_of


class FakeClock:
    """Seconds that only pass when somebody sleeps; remembers every nap in milliseconds."""

    def __init__(self, start: float = 1_000.0) -> None:
        self.now = start
        self.naps: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds * 1_000)
        self.now += seconds

    async def async_sleep(self, seconds: float) -> None:
        self.sleep(seconds)
        await asyncio.sleep(0)


def service(
    policy: RetryPolicy | None = None, clock: FakeClock | None = None, **options: Any
) -> EvolutionRetryService:
    """A service on a fake clock, without jitter unless the policy says otherwise."""
    clock = clock or FakeClock()
    options.setdefault("random", random.Random(1))
    return EvolutionRetryService.from_policy(
        policy or RetryPolicy(jitter="none"),
        clock=clock,
        sleep=clock.sleep,
        async_sleep=clock.async_sleep,
        **options,
    )


def failure(phase: Phase, *, transient: bool = True) -> EvolutionAPIError | TransportError:
    """A fresh error of that phase and kind."""
    if transient:
        return TransportError("no answer", phase=phase)
    error = EvolutionAPIError(400, ["no"])
    error.phase = phase
    return error


class Script:
    """An attempt that plays outcomes in turn: exceptions are raised, values returned."""

    def __init__(
        self, outcomes: Iterable[Any], before: Callable[[], object] = lambda: None
    ) -> None:
        self.outcomes = list(outcomes)
        self.numbers: list[int] = []
        self.before = before

    def __call__(self, number: int = 0) -> Any:
        self.numbers.append(number)
        self.before()
        outcome = self.outcomes[min(len(self.numbers), len(self.outcomes)) - 1]
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    @property
    def calls(self) -> int:
        return len(self.numbers)


class Sync:
    """Calls a service from a thread."""

    name = "sync"

    @staticmethod
    def execute(retry: EvolutionRetryService, fn: Callable[[], Any], operation: str = "op") -> Any:
        return retry.execute_with_retry_sync(fn, operation)

    @staticmethod
    def run(
        retry: EvolutionRetryService, attempt: Any, operation: str = "op", **options: Any
    ) -> Any:
        return runner_of(retry).run_sync(attempt, operation, **{"effect": Effect.SEND} | options)


class Async:
    """Calls the same service from an event loop."""

    name = "async"

    @staticmethod
    def execute(retry: EvolutionRetryService, fn: Callable[[], Any], operation: str = "op") -> Any:
        return asyncio.run(retry.execute_with_retry(_coloured(fn), operation))

    @staticmethod
    def run(
        retry: EvolutionRetryService, attempt: Any, operation: str = "op", **options: Any
    ) -> Any:
        if options.get("resolve"):
            options["resolve"] = _coloured(options["resolve"])
        call = runner_of(retry).run_async(
            _coloured(attempt), operation, **{"effect": Effect.SEND} | options
        )
        return asyncio.run(call)


def _coloured(fn: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    async def coloured(*args: Any) -> Any:
        await asyncio.sleep(0)
        return fn(*args)

    return coloured


COLOURS = [Sync, Async]
both = pytest.mark.parametrize("colour", COLOURS, ids=lambda colour: colour.name)
