"""Slopes, directions and forecasts."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolution_sdk.monitor import METRICS, Sample, Thresholds, Trend
from evolution_sdk.monitor.report import trends
from evolution_sdk.monitor.trend import MOST_POINTS, bucket_medians, find_trend


def line(slope: float, noise: float, n: int = 60, seed: int = 1) -> list[tuple[float, float]]:
    dice = random.Random(seed)
    return [(i * 60.0, 100 + slope * i + dice.gauss(0, noise)) for i in range(n)]


def judge(points: list[tuple[float, float]], **options: object) -> Trend:
    return find_trend("m", "milliseconds", points, **options)  # type: ignore[arg-type]  # as given


@pytest.mark.parametrize(
    ("slope", "noise", "direction"),
    [(2, 5, "rising"), (-2, 5, "falling"), (0, 5, "steady"), (0, 0, "steady")],
)
def test_direction_and_slope(slope: float, noise: float, direction: str) -> None:
    trend = judge(line(slope, noise))
    assert trend.direction == direction
    assert trend.slope_per_minute == pytest.approx(slope, abs=0.2)
    assert trend.change == pytest.approx(59 * slope, abs=12)


def test_noise_is_seldom_called_a_trend() -> None:
    wrong = sum(judge(line(0, 5, seed=seed)).direction != "steady" for seed in range(300))
    assert wrong <= 9  # at a significance of 1 %


def test_outliers_do_not_bend_it() -> None:
    points = line(2, 1)
    for i in range(0, 60, 8):
        points[i] = (points[i][0], 9_999.0)
    assert judge(points).slope_per_minute == pytest.approx(2, abs=0.3)


def test_a_trend_too_small_to_matter_is_steady() -> None:
    points = [(i * 60.0, 100.0 + 10 * (i % 2) + 0.01 * i) for i in range(200)]
    assert judge(points).direction == "steady"


def test_few_values_say_nothing() -> None:
    assert judge(line(9, 0, n=7)).direction == "unknown"
    assert judge([]).points == 0


def test_the_forecast_says_when_the_next_limit_is_crossed() -> None:
    limits = ((500.0, "degraded"), (1_000.0, "unhealthy"))
    forecast = judge(line(5, 1), limits=limits).forecast
    assert forecast is not None
    assert (forecast.threshold, forecast.status) == (500, "degraded")
    assert forecast.in_minutes == pytest.approx((500 - 395) / 5, rel=0.05)
    assert judge(line(-5, 1), limits=limits).forecast is None
    assert judge(line(0, 1), limits=limits).forecast is None
    assert judge(line(0.2, 0.1), limits=((9_999.0, "degraded"),)).forecast is None  # too far off


def test_overlapping_values_do_not_count_twice() -> None:
    points = [(float(i), float(i // 60)) for i in range(600)]
    assert judge(points, least_width_s=60).points == 10
    assert judge(points).points == MOST_POINTS


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(-1e6, 1e6)), max_size=400))
def test_the_cost_is_bounded_and_laws_hold(points: list[tuple[float, float]]) -> None:
    points.sort()
    merged = bucket_medians(points, 0.0)
    assert len(merged) <= MOST_POINTS
    trend = judge(points)
    assert 0 <= trend.p_value <= 1
    if trend.direction == "rising":
        assert trend.slope_per_minute > 0
    mirrored = judge([(at, -value) for at, value in points])
    opposite = {"rising": "falling", "falling": "rising"}
    assert mirrored.direction == opposite.get(trend.direction, trend.direction)
    assert mirrored.slope_per_minute == pytest.approx(-trend.slope_per_minute)


def test_every_metric_with_values_gets_a_trend() -> None:
    samples = [
        Sample(60.0 * i, response_time_ms=50.0 + 5 * i, error_rate=0.01 * i, memory_bytes=7)
        for i in range(30)
    ]
    found = trends(samples, Thresholds(), 60_000)
    assert set(found) == {"response_time_ms", "error_rate", "memory_bytes", "requests"}
    assert found["response_time_ms"].unit == "milliseconds"
    forecast = found["response_time_ms"].forecast
    assert forecast is not None
    assert forecast.threshold == 500
    sooner = trends(samples, Thresholds(degraded_response_ms=300), 60_000)
    assert (first := sooner["response_time_ms"].forecast) is not None
    assert first.in_minutes < forecast.in_minutes
    assert trends(samples, Thresholds(), 120_000)["error_rate"].points == 15


def test_a_clock_that_was_set_back_changes_no_order() -> None:
    points = [(float(at), float(at)) for at in range(0, 6_000, 60)]
    moved = points[50:] + points[:50]
    assert bucket_medians(moved, 60) == bucket_medians(points, 60)
    assert find_trend("x", "u", moved).direction == "rising"


@pytest.mark.parametrize(
    ("metric", "small", "large"),
    [
        ("response_time_ms", 0.05, 0.5),
        ("error_rate", 0.0001, 0.001),
        ("memory_bytes", 50_000, 500_000),
        ("loop_lag_ms", 0.02, 0.2),
    ],
)
def test_each_metric_has_a_smallest_change_that_matters(
    metric: str, small: float, large: float
) -> None:
    base = {"memory_bytes": 30e6, "response_time_ms": 40.0}.get(metric, 0.001)

    def direction(slope: float) -> str:
        samples = [Sample(60.0 * i, **{metric: base + slope * i}) for i in range(60)]  # type: ignore[arg-type]
        return trends(samples, Thresholds(), 60_000)[metric].direction

    assert (direction(small), direction(large)) == ("steady", "rising")
    assert METRICS[metric].least_change > 0


def test_three_thousandths_of_a_millisecond_a_minute_are_steady() -> None:
    samples = [Sample(60.0 * i, response_time_ms=3 + 0.003 * i) for i in range(60)]
    trend = trends(samples, Thresholds(), 60_000)["response_time_ms"]
    assert trend.direction == "steady"
    assert trend.slope_per_minute == pytest.approx(0.003)
    assert trend.forecast is None


def test_a_change_of_a_few_percent_of_the_level_is_steady() -> None:
    assert judge([(60.0 * i, 1_000 + 0.5 * i) for i in range(60)]).direction == "steady"
    assert judge([(60.0 * i, 1_000 + 2.0 * i) for i in range(60)]).direction == "rising"
