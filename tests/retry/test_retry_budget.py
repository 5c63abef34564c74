"""The retries of all calls together come out of one bucket."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from retry_kit import FakeClock, Script, both, failure, service

from evolution_sdk._base.effect import Effect, Phase
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.retry import FailureEvent, RetryBudget, RetryPolicy
from evolution_sdk.retry.decision import SendFound
from evolution_sdk.retry.service import runner_of


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("capacity", 0),
        ("capacity", float("nan")),
        ("capacity", True),
        ("earned_per_success", -1),
        ("earned_per_success", float("inf")),
    ],
)
def test_a_bad_value_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ConfigurationError, match=name) as caught:
        RetryBudget(**{name: value})
    assert caught.value.variable == name


@pytest.mark.parametrize("retries", [-1, 10**400, 1.0, None, True])
def test_a_count_of_retries_that_cannot_be_is_refused(retries: Any) -> None:
    budget = RetryBudget(capacity=5)
    with pytest.raises(ConfigurationError) as caught:
        budget.succeeded(retries)
    assert caught.value.variable == "retries"
    assert "left=5.0" in repr(budget)


class Bucket(RuleBasedStateMachine):
    """Whatever calls do, what is left lies between nothing and the capacity, and adds up."""

    @initialize(capacity=st.integers(1, 20), earned=st.sampled_from([0.0, 0.25, 1.0]))
    def fill(self, capacity: int, earned: float) -> None:
        self.budget = RetryBudget(capacity, earned)
        self.left, self.capacity, self.earned = float(capacity), capacity, earned

    @rule()
    def take(self) -> None:
        given_ = self.budget.take()
        assert given_ == (self.left >= 1)
        self.left -= given_

    @rule(retries=st.integers(1, 5))
    def put_back(self, retries: int) -> None:
        self.budget.put_back(retries)
        self.left = min(self.capacity, self.left + retries)

    @rule(retries=st.integers(0, 5))
    def succeed(self, retries: int) -> None:
        self.budget.succeeded(retries)
        self.left = min(self.capacity, self.left + retries + self.earned)

    @invariant()
    def is_never_overdrawn(self) -> None:
        if hasattr(self, "budget"):
            assert self.budget.left == self.left
            assert 0 <= self.budget.left <= self.budget.capacity
            assert 0 <= self.budget.level <= 1


TestBucket = Bucket.TestCase


def test_what_is_left_of_a_retry_is_none() -> None:
    budget = RetryBudget(1, 0.5)
    assert budget.take()
    assert not budget.take()
    budget.succeeded()
    assert not budget.take()
    assert budget.left == 0.5
    budget.succeeded()
    assert budget.take()


@both
def test_calls_that_fail_for_good_use_it_up(colour: Any) -> None:
    retry = service(budget=RetryBudget(3, 0))
    heard: list[FailureEvent] = []
    retry.on("failure", heard.append)
    sends = [Script([failure(Phase.NOT_SENT)]) for _ in range(3)]
    for send in sends:
        with pytest.raises(Exception, match="no answer") as caught:
            colour.run(retry, send)
    assert [send.calls for send in sends] == [3, 2, 1]
    assert [event.reason for event in heard] == ["exhausted", "budget", "budget"]
    assert caught.value.stopped_because == "budget"  # type: ignore[attr-defined]
    assert "too many calls are being retried" in caught.value.__notes__[-1]
    assert retry.get_metrics().budget_refusals == 2
    assert retry.budget is not None
    assert retry.budget.left == 0


@both
def test_a_success_gives_back_what_it_took_and_earns_a_little(colour: Any) -> None:
    budget = RetryBudget(10, 0.5)
    retry = service(budget=budget)
    for _ in range(4):
        assert budget.take()
    send = Script([failure(Phase.NOT_SENT), failure(Phase.NOT_SENT), "ok"])
    assert colour.run(retry, send) == "ok"
    assert budget.left == 6.5
    assert colour.run(retry, Script(["ok"])) == "ok"
    assert budget.left == 7.0
    lost = Script([failure(Phase.UNKNOWN)])
    assert colour.run(retry, lost, resolve=lambda _: SendFound("ok")) == "ok"
    assert budget.left == 7.5


@both
def test_execute_with_retry_takes_from_it_too(colour: Any) -> None:
    retry = service(budget=RetryBudget(1, 0))
    send = Script([OSError()])
    with pytest.raises(OSError) as caught:
        colour.execute(retry, send)
    assert send.calls == 2
    assert caught.value.stopped_because == "budget"  # type: ignore[attr-defined]


async def test_a_retry_that_is_never_made_is_given_back() -> None:
    budget = RetryBudget(5)
    waiting = asyncio.Event()

    async def wait(_: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    async def fail() -> None:
        raise OSError

    clock = FakeClock()
    retry = service(clock=clock, budget=budget)
    runner_of(retry).async_sleep = wait
    task = asyncio.create_task(retry.execute_with_retry(fail, "send"))
    await waiting.wait()
    assert budget.left == 4
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert budget.left == 5


def test_threads_take_exactly_what_is_there() -> None:
    budget = RetryBudget(1_000)
    taken: list[bool] = []

    def take() -> None:
        taken.extend([budget.take() for _ in range(300)])

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 1_000
    assert budget.left == 0


@given(st.lists(st.sampled_from(["ok", "late", "bad"]), max_size=40), st.integers(1, 10))
def test_an_outage_is_not_multiplied(calls: list[str], capacity: int) -> None:
    """Whatever happens: attempts beyond the first, of calls that failed, never exceed the bucket
    and what was earned."""
    earned = 0.25
    retry = service(RetryPolicy(4, jitter="none"), budget=RetryBudget(capacity, earned))
    made = 0
    for call in calls:
        lost = failure(Phase.NOT_SENT)
        script = Script({"ok": ["ok"], "late": [lost, "ok"], "bad": [lost]}[call])
        try:
            runner_of(retry).run_sync(script, "op", effect=Effect.SEND)
        except Exception:
            made += script.calls - 1
    assert made <= capacity + earned * len(calls)
