from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolution_sdk.retry.policy import Jitter, RetryPolicy
from evolution_sdk.retry.waits import RETRY_AFTER_LIMIT, honor_retry_after, waits_ms

delays = st.floats(0, 1e9)
policies = st.builds(
    RetryPolicy,
    delay_ms=delays,
    backoff_factor=st.floats(1, 1e6),
    max_delay_ms=delays,
    jitter=st.sampled_from(["none", "full", "equal", "decorrelated"]),
)
chances = st.floats(0, 1, exclude_max=True)


def take(policy: RetryPolicy, count: int, chance: float = 0.5) -> list[float]:
    return list(islice(waits_ms(policy, lambda: chance), count))


def test_the_documented_curve() -> None:
    assert take(RetryPolicy(jitter="none"), 7) == [1e3, 2e3, 4e3, 8e3, 16e3, 30e3, 30e3]


@pytest.mark.parametrize(
    ("jitter", "chance", "expected"),
    [
        ("none", 0.25, [1_000, 2_000]),
        ("full", 0.25, [250, 500]),
        ("full", 0.0, [0, 0]),
        ("equal", 0.25, [625, 1_250]),
        ("equal", 0.0, [500, 1_000]),
    ],
)
def test_jitter(jitter: Jitter, chance: float, expected: list[float]) -> None:
    assert take(RetryPolicy(jitter=jitter), 2, chance) == expected


@pytest.mark.parametrize("bad_chance", [-3.0, 1.0, 9.0])
def test_the_cap_is_applied_after_the_jitter(bad_chance: float) -> None:
    waits = take(RetryPolicy(jitter="full", max_delay_ms=5_000), 9, bad_chance)
    assert all(0 <= wait <= 5_000 for wait in waits)


@given(policies, st.integers(1, 40), chances)
def test_waits_stay_between_zero_and_cap(policy: RetryPolicy, count: int, chance: float) -> None:
    assert all(0 <= wait <= policy.max_delay_ms for wait in take(policy, count, chance))


@given(policies, st.integers(1, 12))
def test_without_jitter_the_formula_holds_exactly(policy: RetryPolicy, count: int) -> None:
    formula = [
        min(policy.delay_ms * policy.backoff_factor**n, policy.max_delay_ms) for n in range(count)
    ]
    assert take(policy.with_(jitter="none"), count) == formula


@pytest.mark.parametrize(("delay_ms", "late"), [(0, 0), (0.0, 0), (1e-300, 30_000), (1, 30_000)])
def test_thousands_of_waits_do_not_overflow(delay_ms: float, late: float) -> None:
    assert take(RetryPolicy(delay_ms=delay_ms, jitter="none"), 3_000)[-1] == late


def test_obeying_the_server_is_never_earlier_and_spreads_by_a_tenth() -> None:
    policy = RetryPolicy()
    assert honor_retry_after(200, 5_000, policy, lambda: 0.0) == 5_000
    assert honor_retry_after(200, 5_000, policy, lambda: 0.5) == 5_250
    assert honor_retry_after(9_000, 5_000, policy, lambda: 0.5) == 9_000
    assert honor_retry_after(200, 5_000, policy.with_(jitter="none"), lambda: 0.5) == 5_000


@pytest.mark.parametrize("nothing", [None, 0, -5])
def test_without_a_wish_of_the_server_the_curve_stays(nothing: float | None) -> None:
    assert honor_retry_after(200, nothing, RetryPolicy(), lambda: 0.5) == 200


@given(delays, delays, policies, chances)
def test_obeying_stays_within_what_is_asked_and_the_bound(
    wait: float, asked: float, policy: RetryPolicy, chance: float
) -> None:
    wait = min(wait, policy.max_delay_ms)
    nap = honor_retry_after(wait, asked, policy, lambda: chance)
    assert nap >= max(wait, asked)
    bound = policy.max_delay_ms * RETRY_AFTER_LIMIT
    assert nap <= bound or asked > bound


def test_decorrelated_waits_grow_from_the_one_before_and_stop_at_the_cap() -> None:
    policy = RetryPolicy(delay_ms=1_000, max_delay_ms=20_000, jitter="decorrelated")
    # drawn between 1,000 and three times the wait before; the first time, before is delay_ms
    assert take(policy, 4, 0.5) == [2_000, 3_500, 5_750, 9_125]
    assert take(policy, 3, 0.0) == [1_000, 1_000, 1_000]
    assert take(policy, 5, 0.999)[-1] == 20_000


@given(policies, st.integers(1, 40), chances)
def test_decorrelated_waits_never_fall_below_the_first(
    policy: RetryPolicy, count: int, chance: float
) -> None:
    policy = policy.with_(jitter="decorrelated")
    least = min(policy.delay_ms, policy.max_delay_ms)
    assert all(least <= wait <= policy.max_delay_ms for wait in take(policy, count, chance))
