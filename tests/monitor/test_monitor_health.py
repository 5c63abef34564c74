"""The verdicts, and which state is in force."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolution_sdk.errors import ConfigurationError
from evolution_sdk.monitor import Thresholds
from evolution_sdk.monitor.ack_tracker import AckShare
from evolution_sdk.monitor.health import (
    HealthVerdict,
    InstanceFacts,
    ServerFacts,
    judge_instance,
    judge_server,
)
from evolution_sdk.monitor.hysteresis import Stabilizer
from evolution_sdk.monitor.probe import InstanceReading, ServerReading
from evolution_sdk.monitor.refusals import RefusalCount
from evolution_sdk.monitor.sample import STATUSES, HealthStatus
from evolution_sdk.monitor.window import CallWindow, WindowTotals

UP = ServerReading(True, 10.0)


def server(limits: Thresholds, reading: ServerReading = UP, **facts: Any) -> str:
    calls = facts.pop("calls", WindowTotals())
    return HealthVerdict.of(judge_server(ServerFacts(reading, calls, **facts), limits)).status


def instance(limits: Thresholds, **facts: Any) -> str:
    reading = facts.pop("reading", InstanceReading("sales", "open"))
    return HealthVerdict.of(judge_instance(InstanceFacts(reading, **facts), limits)).status


def timed(ms: float) -> WindowTotals:
    return answers(ms)


def answers(*times_ms: float) -> WindowTotals:
    window = CallWindow(60_000)
    for ms in times_ms:
        window.probe(1.0, ms)
    return window.totals(1.0, 60_000)[0]


def failed(errors: int, requests: int = 100) -> WindowTotals:
    return WindowTotals(requests=requests, errors=errors)


# field, value of it, facts, status with the value, status with the default
CASES: list[tuple[str, float, dict[str, Any], str, str]] = [
    ("degraded_response_ms", 100, {"calls": timed(200)}, "degraded", "healthy"),
    ("unhealthy_response_ms", 600, {"calls": timed(800)}, "unhealthy", "degraded"),
    ("degraded_error_rate", 0.05, {"calls": failed(10)}, "degraded", "healthy"),
    ("unhealthy_error_rate", 0.3, {"calls": failed(40)}, "unhealthy", "degraded"),
    ("min_requests", 200, {"calls": failed(60)}, "healthy", "unhealthy"),
    ("min_errors", 100, {"calls": failed(60)}, "healthy", "unhealthy"),
    ("degraded_retry_success_rate", 0.95, {"retried": 9, "retry_success_rate": 0.9}, "degraded",
     "healthy"),
    ("unhealthy_retry_success_rate", 0.7, {"retried": 9, "retry_success_rate": 0.6}, "unhealthy",
     "degraded"),
    ("min_retried", 20, {"retried": 9, "retry_success_rate": 0.1}, "healthy", "unhealthy"),
]  # fmt: skip
OF_INSTANCES: list[tuple[str, float, dict[str, Any], str, str]] = [
    ("degraded_unacked_share", 0.05, {"acks": AckShare(100, 10)}, "degraded", "healthy"),
    ("unhealthy_unacked_share", 0.25, {"acks": AckShare(100, 30)}, "unhealthy", "degraded"),
    ("min_sends", 200, {"acks": AckShare(100, 90)}, "healthy", "unhealthy"),
    ("min_unacked", 95, {"acks": AckShare(100, 90)}, "healthy", "unhealthy"),
    ("degraded_refusals", 2, {"refusals": RefusalCount(2)}, "degraded", "healthy"),
    ("not_connected_calls", 2, {"not_connected_calls": 2}, "unhealthy", "healthy"),
    ("connecting_ms", 10, {"reading": InstanceReading("x", "connecting"), "connecting_ms": 20},
     "unhealthy", "degraded"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value", "facts", "status", "default"), CASES)
def test_every_threshold_of_the_server_counts(
    field: str, value: float, facts: dict[str, Any], status: str, default: str
) -> None:
    changed: dict[str, Any] = {field: value}
    assert server(Thresholds(**changed), **facts) == status
    assert server(Thresholds(), **facts) == default


@pytest.mark.parametrize(("field", "value", "facts", "status", "default"), OF_INSTANCES)
def test_every_threshold_of_an_instance_counts(
    field: str, value: float, facts: dict[str, Any], status: str, default: str
) -> None:
    changed: dict[str, Any] = {field: value}
    assert instance(Thresholds(**changed), **facts) == status
    assert instance(Thresholds(), **facts) == default


@pytest.mark.parametrize(
    ("ms", "status"),
    [(500, "healthy"), (501, "degraded"), (1_000, "degraded"), (1_001, "unhealthy")],
)
def test_response_time_is_judged_above_its_limits(ms: float, status: str) -> None:
    assert server(Thresholds(), calls=timed(ms)) == status


@pytest.mark.parametrize(
    ("times_ms", "status"),
    [
        ([40] * 190 + [1_800] * 10, "healthy"),  # 5 %, not more
        ([40] * 180 + [1_800] * 20, "degraded"),  # 216 ms on average
        ([40] * 180 + [3_500] * 20, "unhealthy"),
        ([40] * 180 + [1_800] * 16 + [3_500] * 4, "degraded"),  # four of them prove nothing
        ([40] * 40 + [1_800] * 4, "healthy"),
        ([40] * 3 + [5_000], "healthy"),  # a single slow one in a quiet minute
        ([5_000], "unhealthy"),
        ([40, 5_000], "unhealthy"),
    ],
)
def test_stalls_are_judged_beside_the_mean(times_ms: list[float], status: str) -> None:
    assert server(Thresholds(), calls=answers(*times_ms)) == status


def test_the_percentile_follows_the_mean_unless_it_is_set() -> None:
    calls = answers(*[40] * 180, *[1_800] * 20)
    assert server(Thresholds(degraded_response_ms=700), calls=calls) == "healthy"
    assert server(Thresholds(degraded_p95_response_ms=2_000), calls=calls) == "healthy"
    assert server(Thresholds(unhealthy_p95_response_ms=1_600), calls=calls) == "unhealthy"
    assert server(Thresholds(min_slow=21), calls=calls) == "healthy"
    with pytest.raises(ConfigurationError, match="UNHEALTHY_P95_RESPONSE_MS"):
        Thresholds(degraded_p95_response_ms=4_000)


@pytest.mark.parametrize(
    ("errors", "status"),
    [(19, "healthy"), (20, "healthy"), (21, "degraded"), (50, "degraded"), (51, "unhealthy")],
)
def test_error_rate_is_judged_above_its_limits(errors: int, status: str) -> None:
    assert server(Thresholds(), calls=failed(errors)) == status


@pytest.mark.parametrize(
    ("reading", "status"),
    [
        (InstanceReading("x", "open"), "healthy"),
        (InstanceReading("x", "open", dead=True), "unhealthy"),
        (InstanceReading("x", "connecting"), "degraded"),
        (InstanceReading("x", "close"), "unhealthy"),
        (InstanceReading("x", None), "unknown"),
        (InstanceReading("x", "refused"), "unknown"),
        (InstanceReading("x", problem="missing"), "unhealthy"),
        (InstanceReading("x", problem="unauthorized"), "unhealthy"),
        (InstanceReading("x", problem="unanswered"), "unknown"),
        (None, "unknown"),
    ],
)
def test_what_an_instance_says(reading: InstanceReading | None, status: str) -> None:
    assert instance(Thresholds(), reading=reading) == status


def test_an_open_breaker_is_degraded() -> None:
    assert server(Thresholds(), breakers={"server": "open"}) == "degraded"
    assert server(Thresholds(), breakers={"server": "closed"}) == "healthy"


def test_silence_is_degraded() -> None:
    assert instance(Thresholds(), missing_events=30.0, event_age_s=900.0) == "degraded"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("degraded_response_ms", 0),
        ("degraded_error_rate", 1.5),
        ("degraded_response_ms", 2_000),
        ("unhealthy_retry_success_rate", 0.9),
        ("worsen_checks", 4),
        ("recover_checks", float("nan")),
    ],
)
def test_senseless_thresholds_are_refused(field: str, value: float) -> None:
    changed: dict[str, Any] = {field: value}
    with pytest.raises(ConfigurationError) as caught:
        Thresholds(**changed)
    assert caught.value.variable in (field, f"EVOLUTION_MONITORING_{field.upper()}")


def follow(limits: Thresholds, *verdicts: tuple[str, bool], step_s: float = 5.0) -> list[str]:
    state, now, states = Stabilizer(limits), 0.0, []
    for status, hard in verdicts:
        now += step_s
        state.step(HealthVerdict(status, (), hard), now)  # type: ignore[arg-type]  # a literal
        states.append(state.status)
    return states


GOOD, BAD, FACT = ("healthy", False), ("unhealthy", False), ("unhealthy", True)


def test_the_first_verdict_and_facts_count_at_once() -> None:
    assert follow(Thresholds(), BAD) == ["unhealthy"]
    assert follow(Thresholds(), GOOD, FACT) == ["healthy", "unhealthy"]


def test_measurements_need_several_checks() -> None:
    assert follow(Thresholds(), GOOD, BAD, GOOD, GOOD, BAD) == ["healthy"] * 5
    assert follow(Thresholds(), GOOD, BAD, GOOD, BAD)[-1] == "unhealthy"
    assert follow(Thresholds(worsen_checks=1), GOOD, BAD)[-1] == "unhealthy"
    assert follow(Thresholds(worsen_of=2), GOOD, BAD, GOOD, BAD)[-1] == "healthy"


def test_getting_better_takes_good_checks_in_a_row() -> None:
    assert follow(Thresholds(), FACT, GOOD)[-1] == "unhealthy"
    assert follow(Thresholds(), FACT, GOOD, GOOD)[-1] == "healthy"
    assert follow(Thresholds(recover_checks=1), FACT, GOOD)[-1] == "healthy"
    assert follow(Thresholds(), BAD, *[GOOD] * 5)[-1] == "unhealthy"
    assert follow(Thresholds(), BAD, *[GOOD] * 6)[-1] == "healthy"
    assert follow(Thresholds(recover_measured_checks=1), BAD, GOOD)[-1] == "healthy"


FLAPS = [FACT, GOOD, GOOD] * 12


def changes(states: list[str]) -> int:
    return sum(a != b for a, b in pairwise(states))


def test_flapping_is_held() -> None:
    assert changes(follow(Thresholds(), GOOD, *FLAPS)) <= 7
    assert changes(follow(Thresholds(flap_changes=100), GOOD, *FLAPS)) == 24
    assert changes(follow(Thresholds(flap_window_ms=10), GOOD, *FLAPS)) == 24
    assert changes(follow(Thresholds(flap_hold_ms=1), GOOD, *FLAPS)) == 24
    held = [*FLAPS, *[GOOD] * 70]
    assert follow(Thresholds(), GOOD, *held)[-1] == "healthy"


VERDICTS = st.lists(st.tuples(st.sampled_from(STATUSES), st.booleans()), max_size=80)


@given(VERDICTS)
def test_laws_of_the_state_in_force(verdicts: list[tuple[HealthStatus, bool]]) -> None:
    limits = Thresholds()
    state, now = Stabilizer(limits), 0.0
    history: list[HealthStatus] = []
    for status, hard in verdicts:
        now += 5.0
        before = state.status
        changed = state.step(HealthVerdict(status, (), hard), now)
        history.append(status)
        assert changed == (state.status != before)
        if changed and before != "unknown":
            # Never to a state that no recent check has seen.
            assert state.status in history[-limits.recover_measured_checks :]
        if hard and STATUSES.index(status) > STATUSES.index(before):
            assert state.status == status
    now += limits.flap_window_ms / 1_000 + limits.flap_hold_ms / 1_000
    for _ in range(limits.recover_measured_checks):
        now += 5.0
        state.step(HealthVerdict("healthy"), now)
    assert state.status == "healthy"


@given(VERDICTS, st.sampled_from(STATUSES))
def test_steady_verdicts_change_nothing_more_than_once(
    verdicts: list[tuple[HealthStatus, bool]], steady: HealthStatus
) -> None:
    state, now = Stabilizer(Thresholds()), 0.0
    for status, hard in verdicts:
        now += 5.0
        state.step(HealthVerdict(status, (), hard), now)
    count = sum(state.step(HealthVerdict(steady, ()), now + 5 * i) for i in range(1, 400))
    assert count <= 3  # through what is left of worse checks, then to the steady state
    assert state.status == steady
