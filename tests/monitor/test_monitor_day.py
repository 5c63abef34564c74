"""Normal traffic gives no event but the first, whole days long; an incident gives one."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from monitor_day import DAY_S, Day
from monitor_kit import ALL_EVENTS, HEALTHY, World, told

from effort import DEEP, deep
from evolution_sdk.monitor import AlertRule, AnomalyOptions, Thresholds


class Certain:
    """A detector that finds everything anomalous."""

    last = None

    def update(self, value: float, timestamp: float | None = None) -> float:
        return 1.0


class Doubtful(Certain):
    """A detector that finds everything half anomalous."""

    def update(self, value: float, timestamp: float | None = None) -> float:
        return 0.5


def watched(day: Day) -> list[tuple[str, ...]]:
    seen: list[tuple[str, ...]] = []
    on: Callable[..., Any] = day.monitor.on
    for name in ALL_EVENTS:
        if name not in ("metricsUpdated", "retryMetricsUpdated"):
            on(name, lambda event: seen.append(told(event)))
    return seen


# Whole days of checks every few seconds, and whole weeks, take a quarter of a minute each.


@pytest.mark.parametrize(("seed", "interval_s"), [deep(1, 5), (2, 30), deep(3, 30), deep(4, 30)])
def test_a_normal_day_is_quiet(seed: int, interval_s: float) -> None:
    day = Day(seed, interval_s)
    seen = watched(day)
    day.run(DAY_S)
    assert seen == [HEALTHY]
    trends = day.monitor.get_trends(minutes=60)
    assert "response_time_ms" in trends


@pytest.mark.parametrize(("seed", "interval_s"), [deep(1, 10), deep(2, 30), (3, 60)])
def test_a_day_with_single_slow_calls_changes_no_health(seed: int, interval_s: float) -> None:
    day = Day(seed, interval_s, slow=0.005, anomalies=False)
    seen = watched(day)
    day.run(DAY_S)
    assert seen == [HEALTHY]


@DEEP
def test_a_week_with_a_weekend_is_quiet() -> None:
    day = Day(7, 120)
    seen = watched(day)
    day.run(8 * DAY_S)
    assert seen == [HEALTHY]


def test_an_incident_is_told_once_per_metric() -> None:
    limits = Thresholds(degraded_response_ms=1e6, unhealthy_response_ms=1e6)
    day = Day(5, 15, thresholds=limits)
    day.run(DAY_S)
    seen = watched(day)
    usual = random.Random.lognormvariate

    def slow(mu: float, sigma: float) -> float:
        return 15 * usual(day.dice, mu, sigma)

    day.dice.lognormvariate = slow  # type: ignore[method-assign]  # everything takes longer
    day.run(1_800)
    assert seen.count(("anomalyDetected", "response_time_ms")) == 1
    assert {each[0] for each in seen} == {"anomalyDetected"}


@pytest.mark.parametrize(
    "options",
    [
        AnomalyOptions(detector=Doubtful, settle_values=1, score=0.6),
        AnomalyOptions(detector=Certain, settle_values=100_000),
        False,
    ],
)
def test_anomalies_can_be_silenced(options: AnomalyOptions | bool) -> None:
    day = Day(6, 60, anomalies=options)
    seen = watched(day)
    day.run(1_200)
    assert seen == [HEALTHY]


def test_the_score_decides_what_is_told() -> None:
    day = Day(6, 60, anomalies=AnomalyOptions(detector=Doubtful, settle_values=1, score=0.5))
    seen = watched(day)
    day.run(1_200)
    assert ("anomalyDetected", "response_time_ms") in seen


def test_one_incident_lasts_until_the_cooldown_is_over() -> None:
    def count(cooldown_ms: float) -> int:
        options = AnomalyOptions(detector=Certain, settle_values=1, cooldown_ms=cooldown_ms)
        day = Day(6, 60, anomalies=options)
        seen = watched(day)
        day.run(1_200)
        return seen.count(("anomalyDetected", "response_time_ms"))

    assert count(600_000) == 1
    assert count(1_000) > 10


class Once(Certain):
    """A detector that finds its second value anomalous."""

    seen = 0

    def update(self, value: float, timestamp: float | None = None) -> float:
        self.seen += 1
        return float(self.seen == 2)


@pytest.mark.parametrize(("for_ms", "raised"), [(0, 2), (60_000, 3), (600_000, None)])
async def test_an_alert_about_an_anomaly_lasts_as_long_as_the_incident(
    for_ms: float, raised: int | None
) -> None:
    rule = AlertRule(name="odd", metric="response_time_ms", anomaly=True, for_ms=for_ms)
    options = AnomalyOptions(detector=Once, settle_values=0, cooldown_ms=180_000)
    w = World(anomalies=options, rules=[rule])
    alerts: list[tuple[int, str]] = []
    for number in range(1, 9):
        await w.check(every_ms=60_000)
        alerts += [(number, each.name) for each in w.seen if "alert" in each.name]
        w.seen.clear()
    expected = [] if raised is None else [(raised, "alertRaised"), (6, "alertResolved")]
    assert alerts == expected
    w.monitor.close()
