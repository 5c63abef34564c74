"""One breaker: every setting has its effect, a model agrees, chance does not open it."""

from __future__ import annotations

import random
import threading
from collections import deque
from math import comb
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from effort import examples
from evolution_sdk.config import BreakerConfig
from evolution_sdk.resilience import BreakerState
from evolution_sdk.resilience.breaker import CallOutcome, CircuitBreaker, Refusal

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
START = 1_000.0


def breaker(**changes: Any) -> CircuitBreaker:
    return CircuitBreaker(BreakerConfig(**changes), START)


def let(target: CircuitBreaker, outcome: CallOutcome, now: float = START, times: int = 1) -> None:
    for _ in range(times):
        permit = target.acquire(now)
        assert not isinstance(permit, Refusal)
        target.record(permit, outcome, now)


def fail(target: CircuitBreaker, now: float = START, times: int = 1) -> None:
    let(target, CallOutcome.FAILURE, now, times)


def test_a_dead_server_opens_it_after_twenty_failures_however_slow() -> None:
    target = breaker()
    for number in range(19):
        fail(target, START + number * 60)
    assert target.state is CLOSED
    fail(target, START + 19 * 60)
    assert target.state is OPEN


@pytest.mark.parametrize("count", [2, 7])
def test_consecutive_failures_is_heeded(count: int) -> None:
    target = breaker(consecutive_failures=count)
    fail(target, times=count - 1)
    let(target, CallOutcome.SUCCESS)
    fail(target, times=count - 1)
    assert target.state is CLOSED
    fail(target)
    assert target.state is OPEN


@pytest.mark.parametrize(("rate", "opens"), [(0.5, True), (0.51, False)])
def test_the_failure_rate_is_heeded(rate: float, opens: bool) -> None:
    target = breaker(failure_rate=rate, minimum_calls=4)
    for outcome in (
        CallOutcome.SUCCESS,
        CallOutcome.FAILURE,
        CallOutcome.SUCCESS,
        CallOutcome.FAILURE,
    ):
        let(target, outcome)
    assert (target.state is OPEN) is opens


@pytest.mark.parametrize(("least", "opens"), [(4, True), (5, False)])
def test_minimum_calls_is_heeded(least: int, opens: bool) -> None:
    target = breaker(failure_rate=0.5, minimum_calls=least)
    let(target, CallOutcome.SUCCESS)
    fail(target, times=3)
    assert (target.state is OPEN) is opens


@pytest.mark.parametrize(("window_ms", "opens"), [(30_000, True), (5_000, False)])
def test_only_the_window_counts(window_ms: int, opens: bool) -> None:
    target = breaker(failure_rate=0.6, minimum_calls=5, window_ms=window_ms)
    fail(target, times=3)
    let(target, CallOutcome.SUCCESS, START + 10)
    assert target.state is CLOSED
    fail(target, START + 10)
    assert (target.state is OPEN) is opens


@pytest.mark.parametrize("open_ms", [1_000, 15_000])
def test_it_stays_open_for_open_ms(open_ms: int) -> None:
    target = breaker(open_ms=open_ms, consecutive_failures=1)
    fail(target)
    soon = START + open_ms / 1_000 - 0.25
    assert target.acquire(soon) == Refusal(250.0)
    assert target.refuses(soon) == Refusal(250.0)
    assert target.state is OPEN
    assert target.refuses(soon + 0.25) is None
    assert target.acquire(soon + 0.25) == 2
    assert target.state is HALF_OPEN


@pytest.mark.parametrize("probes", [1, 3])
def test_so_many_probes_go_through_and_close_it(probes: int) -> None:
    target = breaker(probes=probes, consecutive_failures=1)
    fail(target)
    later = START + 60
    permits = [target.acquire(later) for _ in range(probes)]
    assert isinstance(target.acquire(later), Refusal)
    for permit in permits:
        assert target.state is HALF_OPEN
        assert isinstance(permit, int)
        target.record(permit, CallOutcome.SUCCESS, later)
    assert target.state is CLOSED
    assert target.snapshot(later) == (CLOSED, 0.0, 0, 0.0, "")


def test_a_probe_that_has_proved_itself_keeps_its_place() -> None:
    """Else each success would let one more through than was configured."""
    target = breaker(probes=2, consecutive_failures=1)
    fail(target)
    later = START + 60
    let(target, CallOutcome.SUCCESS, later)
    assert not isinstance(target.acquire(later), Refusal)
    assert isinstance(target.acquire(later), Refusal)


def test_a_failed_probe_opens_it_again_for_the_whole_time() -> None:
    target = breaker(consecutive_failures=1)
    fail(target)
    let(target, CallOutcome.SUCCESS, START + 15)
    fail(target, START + 16)
    assert target.acquire(START + 30.5) == Refusal(500.0)
    assert target.acquire(START + 31) is not None
    assert target.state is HALF_OPEN


def test_a_cancelled_probe_gives_its_place_back() -> None:
    target = breaker(consecutive_failures=1, probes=1)
    fail(target)
    for _ in range(5):
        let(target, CallOutcome.IGNORED, START + 15)
        assert target.state is HALF_OPEN
    let(target, CallOutcome.SUCCESS, START + 15)
    assert target.state is CLOSED


def test_what_counts_neither_way_counts_neither_way() -> None:
    target = breaker(consecutive_failures=2, minimum_calls=2, failure_rate=0.1)
    let(target, CallOutcome.IGNORED, times=100)
    assert target.snapshot(START) == (CLOSED, 0.0, 0, 0.0, "")


def test_an_outcome_of_an_earlier_life_is_not_heard() -> None:
    target = breaker(consecutive_failures=1, probes=1)
    late = [target.acquire(START) for _ in range(3)]
    fail(target)
    probe = target.acquire(START + 15)
    assert isinstance(probe, int)
    for permit, outcome in zip(
        late, (CallOutcome.SUCCESS, CallOutcome.FAILURE, CallOutcome.IGNORED), strict=True
    ):
        assert isinstance(permit, int)
        assert not target.record(permit, outcome, START + 15)
    assert target.state is HALF_OPEN
    assert target.record(probe, CallOutcome.SUCCESS, START + 15)


def test_a_snapshot_tells_how_it_stands() -> None:
    target = breaker(consecutive_failures=3)
    let(target, CallOutcome.SUCCESS)
    fail(target, times=3)
    reason = "3 failures in a row"
    assert target.snapshot(START + 2) == (OPEN, 0.75, 4, 2_000.0, reason)
    assert target.snapshot(START + 40) == (OPEN, 0.0, 0, 40_000.0, reason)


def test_chance_does_not_open_it() -> None:
    """35 % of attempts failing at random: computed for one attempt, and tried 200,000 times."""
    config = BreakerConfig()
    least = config.minimum_calls
    share = sum(
        comb(least, k) * 0.35**k * 0.65 ** (least - k)
        for k in range(int(config.failure_rate * least), least + 1)
    )
    assert share < 1e-9
    assert 0.35**config.consecutive_failures < 1e-9
    draw = random.Random(4)
    target = breaker()
    now = START
    for _ in range(200_000):
        now += draw.choice((0.0, 0.01, 1.0, 3.0))
        let(target, CallOutcome.FAILURE if draw.random() < 0.35 else CallOutcome.SUCCESS, now)
    assert target.state is CLOSED


def test_no_count_is_lost_between_threads() -> None:
    target = breaker(consecutive_failures=10**6, minimum_calls=10**6)

    def work() -> None:
        for number in range(2_000):
            let(target, CallOutcome.FAILURE if number % 4 == 0 else CallOutcome.SUCCESS)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert target.snapshot(START) == (CLOSED, 0.25, 16_000, 0.0, "")


def test_threads_never_get_more_places_than_probes() -> None:
    target = breaker(consecutive_failures=1, probes=3)
    fail(target)
    barrier = threading.Barrier(8)
    through: list[int] = []

    def work() -> None:
        barrier.wait()
        for _ in range(50):
            permit = target.acquire(START + 15)
            if not isinstance(permit, Refusal):
                through.append(permit)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(through) == 3


class AgainstAModel(RuleBasedStateMachine):
    """The breaker does what a list of all outcomes says."""

    @initialize(
        rate=st.sampled_from([0.5, 0.8, 1.0]),
        least=st.integers(1, 6),
        row=st.integers(1, 6),
        probes=st.integers(1, 3),
    )
    def begin(self, rate: float, least: int, row: int, probes: int) -> None:
        self.config = BreakerConfig(
            failure_rate=rate,
            minimum_calls=least,
            consecutive_failures=row,
            probes=probes,
            window_ms=10_000,
            open_ms=4_000,
        )
        self.now = START
        self.real = CircuitBreaker(self.config, self.now)
        self.state = CLOSED
        self.log: deque[tuple[float, bool]] = deque()
        self.row = 0
        self.opened = 0.0
        self.proved = 0
        self.permits: list[tuple[int, int]] = []
        self.generation = 0
        self.probing = 0

    def move(self, state: BreakerState) -> None:
        self.state, self.generation = state, self.generation + 1
        self.proved = self.probing = 0
        if state is OPEN:
            self.opened = self.now
        if state is not HALF_OPEN:
            self.log.clear()
            self.row = 0

    @rule(seconds=st.sampled_from([0.0, 0.5, 1.0, 3.0, 12.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def acquire(self) -> None:
        allowed = True
        if self.state is OPEN:
            allowed = self.now - self.opened >= 4.0
            if allowed:
                self.move(HALF_OPEN)
        if allowed and self.state is HALF_OPEN:
            allowed = self.probing + self.proved < self.config.probes
            self.probing += allowed
        permit = self.real.acquire(self.now)
        assert isinstance(permit, Refusal) is not allowed
        if isinstance(permit, Refusal):
            assert 0 < permit.retry_after_ms <= 4_000
        else:
            self.permits.append((permit, self.generation))

    @precondition(lambda self: self.permits)
    @rule(data=st.data(), outcome=st.sampled_from(CallOutcome))
    def record(self, data: st.DataObject, outcome: CallOutcome) -> None:
        permit, generation = self.permits.pop(data.draw(st.integers(0, len(self.permits) - 1)))
        before = self.state
        if generation == self.generation:
            self.heard(outcome)
        assert self.real.record(permit, outcome, self.now) is (self.state is not before)

    def heard(self, outcome: CallOutcome) -> None:
        if self.state is HALF_OPEN:
            self.probing -= 1
            if outcome is CallOutcome.FAILURE:
                self.move(OPEN)
            elif outcome is CallOutcome.SUCCESS:
                self.proved += 1
                if self.proved == self.config.probes:
                    self.move(CLOSED)
        elif self.state is CLOSED and outcome is not CallOutcome.IGNORED:
            self.log.append((self.now, outcome is CallOutcome.FAILURE))
            self.row = self.row + 1 if outcome is CallOutcome.FAILURE else 0
            # The window moves in steps of a tenth.
            first = self.now // 1.0 - 9
            seen = [failed for at, failed in self.log if at // 1.0 >= first]
            enough = len(seen) >= self.config.minimum_calls
            full = enough and sum(seen) / len(seen) >= self.config.failure_rate
            if outcome is CallOutcome.FAILURE and (
                self.row >= self.config.consecutive_failures or full
            ):
                self.move(OPEN)

    @invariant()
    def agrees(self) -> None:
        assert self.real.state is self.state


TestAgainstAModel = AgainstAModel.TestCase
TestAgainstAModel.settings = settings(max_examples=examples(80), stateful_step_count=40)


def test_a_hint_lets_the_usual_number_of_calls_try_at_once() -> None:
    target = breaker(consecutive_failures=1, probes=2)
    assert not target.try_early(), "it is closed"
    fail(target)
    assert isinstance(target.acquire(START + 1), Refusal)
    assert target.try_early()
    assert target.state is HALF_OPEN
    assert not target.try_early()
    permits = [target.acquire(START + 1) for _ in range(3)]
    assert [isinstance(permit, Refusal) for permit in permits] == [False, False, True]
    for permit in permits[:2]:
        assert isinstance(permit, int)
        target.record(permit, CallOutcome.SUCCESS, START + 1)
    assert target.state is CLOSED


def test_after_a_wrong_hint_it_stays_open_for_its_full_time() -> None:
    target = breaker(consecutive_failures=1, probes=1)
    fail(target)
    now = START + 1
    assert target.try_early()
    permit = target.acquire(now)
    assert isinstance(permit, int)
    target.record(permit, CallOutcome.FAILURE, now, "Boom")
    assert target.reason == "a trial call failed, last: Boom"
    assert not target.try_early(), "one hint a period"
    assert isinstance(target.acquire(now + 14.9), Refusal)
    permit = target.acquire(now + 15)
    assert isinstance(permit, int)
    target.record(permit, CallOutcome.FAILURE, now + 15)
    assert target.try_early(), "a full period has passed"


@pytest.mark.parametrize(
    ("options", "marks", "reason"),
    [
        ({"consecutive_failures": 3}, "fff", "3 failures in a row, last: Boom"),
        (
            {"minimum_calls": 4, "failure_rate": 0.5},
            "sfsf",
            "2 of 4 attempts failed, last: Boom",
        ),
    ],
)
def test_it_says_what_opened_it(options: dict[str, Any], marks: str, reason: str) -> None:
    target = breaker(**options)
    for mark in marks:
        permit = target.acquire(START)
        assert isinstance(permit, int)
        target.record(
            permit, CallOutcome.FAILURE if mark == "f" else CallOutcome.SUCCESS, START, "Boom"
        )
    assert target.snapshot(START).reason == reason
