"""Percentiles, and the metrics of the last minutes."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from retry_kit import FakeClock, Script, service

from evolution_sdk._base.histogram import LatencyHistogram, bucket_of
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.retry import EvolutionRetryService, RetryMetrics
from evolution_sdk.retry.counters import Counters, OperationCounters

durations = st.floats(0, 1e9, allow_nan=False)


@given(st.lists(durations, min_size=1, max_size=60), st.sampled_from([0.0, 0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_near_the_true_one(times: list[float], fraction: float) -> None:
    latencies = LatencyHistogram()
    for time in times:
        latencies.add(time)
    rank = max(1, -(-round(fraction * len(times) * 100) // 100))
    true = sorted(times)[min(rank, len(times)) - 1]
    assert latencies.percentile_ms(fraction) == pytest.approx(true, rel=1 / 31, abs=0.002)


@given(durations, durations)
def test_greater_durations_never_have_smaller_buckets(one: float, other: float) -> None:
    assert bucket_of(min(one, other)) <= bucket_of(max(one, other))


@pytest.mark.parametrize("odd", [-1.0, 0.0, 1e300])
def test_odd_durations_have_a_bucket(odd: float) -> None:
    assert 0 <= bucket_of(odd) < 1_000


def test_there_is_no_percentile_of_nothing() -> None:
    assert LatencyHistogram().percentile_ms(0.5) == 0.0


def call(retry: EvolutionRetryService, clock: FakeClock, ms: float, *outcomes: Any) -> None:
    def pass_time() -> None:
        clock.now += ms / 1_000

    with contextlib.suppress(OSError):
        retry.execute_with_retry_sync(Script(outcomes or ["ok"], pass_time), "send")


def test_the_window_forgets_and_the_total_does_not() -> None:
    clock = FakeClock(1_000.0)
    retry = service(clock=clock)
    call(retry, clock, 100)
    clock.now = 1_100.0
    call(retry, clock, 300, OSError(), "ok")
    assert retry.get_metrics(window_ms=60_000).total_operations == 1
    assert retry.get_metrics(window_ms=60_000).successes_after_retry == 1
    assert retry.get_metrics("send", window_ms=200_000).total_operations == 2
    assert retry.get_metrics("other", window_ms=200_000).total_operations == 0
    clock.now = 1_250.0
    assert retry.get_metrics(window_ms=60_000).total_operations == 0
    assert retry.get_metrics(window_ms=300_000).total_operations == 2
    clock.now = 9_000.0
    call(retry, clock, 50)
    recent = retry.get_metrics(window_ms=300_000)
    assert (recent.total_operations, recent.window_ms) == (1, 300_000)
    assert recent.p95_time_to_success_ms == pytest.approx(50, rel=1 / 32)
    whole = retry.get_metrics()
    assert (whole.total_operations, whole.retries, whole.window_ms) == (3, 1, None)
    assert whole.attempts_histogram == {1: 2, 2: 1}
    assert whole.p50_time_to_success_ms == pytest.approx(100, rel=1 / 32)
    retry.reset_metrics()
    assert retry.get_metrics().total_operations == 0
    assert retry.get_metrics(window_ms=300_000).total_operations == 0


def test_a_failing_handler_and_a_cancelled_call_fall_into_the_window_too() -> None:
    clock = FakeClock(1_000.0)
    retry = service(clock=clock)

    def bad(_: object) -> None:
        raise ValueError

    retry.on("success", bad)
    call(retry, clock, 1)
    with pytest.raises(KeyboardInterrupt):
        retry.execute_with_retry_sync(Script([KeyboardInterrupt()]), "send")
    recent = retry.get_metrics(window_ms=10_000)
    assert (recent.handler_errors, recent.cancelled_operations) == (1, 1)
    clock.now = 2_000.0
    recent = retry.get_metrics(window_ms=10_000)
    assert (recent.handler_errors, recent.cancelled_operations) == (0, 0)
    assert retry.get_metrics().handler_errors == 1


@pytest.mark.parametrize("window_ms", [0, -1, 300_001, float("nan")])
def test_a_window_out_of_reach_is_refused(window_ms: float) -> None:
    with pytest.raises(ConfigurationError, match="window_ms"):
        service().get_metrics(window_ms=window_ms)


@given(st.lists(st.tuples(st.floats(0, 400), st.booleans()), max_size=60))
def test_total_and_window_add_up(gaps: list[tuple[float, bool]]) -> None:
    clock = FakeClock(1_000.0)
    retry = service(clock=clock)
    ends: list[float] = []
    for gap, good in gaps:
        clock.now += gap
        call(retry, clock, 0, *(["ok"] if good else [OSError(), "ok"]))
        ends.append(clock.now)
    assert retry.get_metrics().total_operations == len(gaps)
    recent = retry.get_metrics(window_ms=300_000).total_operations
    surely = sum(end > clock.now - 290 for end in ends)
    assert surely <= recent <= sum(end > clock.now - 300 - 1e-6 for end in ends)


def test_memory_stays_bounded_over_years_of_calls() -> None:
    counters = OperationCounters(0.0)
    for slot in range(100_000):
        counters.window.at(slot * 10.0).finish(1)
    held = sum(1 for _ in counters.window.recent(slot * 10.0))
    assert held <= 30
    assert len(counters.window._old) < 30
    assert sum(counters._before.attempts_histogram.values()) == 100_000 - 30
    total = Counters()
    counters.add_to(total, slot * 10.0)
    assert total.attempts == 100_000


def test_a_histogram_cannot_be_changed_but_copied_pickled_and_dumped() -> None:
    retry = service()
    retry.execute_with_retry_sync(lambda: 1, "send")
    histogram = retry.get_metrics().attempts_histogram
    for change in (
        lambda: histogram.__setitem__(1, 9),
        histogram.clear,
        lambda: histogram.update({1: 9}),
        lambda: histogram.pop(1),
    ):
        with pytest.raises(TypeError, match="cannot be changed"):
            change()
    assert copy.deepcopy(histogram) == pickle.loads(pickle.dumps(histogram)) == {1: 1}
    assert copy.copy(histogram) == {1: 1}
    assert json.loads(json.dumps(histogram)) == {"1": 1}


def test_exporters_find_every_number() -> None:
    metrics = service().get_metrics()
    names = list(RetryMetrics.names())
    assert {*dataclasses.asdict(metrics)} - {*names} == {"operation", "window_ms"}
