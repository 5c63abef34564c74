"""Alerts before it happens: firm trends toward a limit, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk.errors import ConfigurationError
from evolution_sdk.monitor import DEFAULT_RULES, METRICS, Alert, AlertRule, Sample, Thresholds
from evolution_sdk.monitor.alert import AlertTracker
from evolution_sdk.monitor.forecast import LIMITED, Forecaster
from evolution_sdk.monitor.history import SampleHistory
from evolution_sdk.monitor.process import container_memory, with_memory_limit

GB = 2.0**30


class Watched:
    """A book over a ring, a check a minute."""

    def __init__(self, *rules: AlertRule, limits: Thresholds | None = None) -> None:
        self.ring = SampleHistory(1_000)
        outlook = Forecaster(self.ring, limits or Thresholds(), 60_000)
        self.book = AlertTracker(rules or DEFAULT_RULES, outlook)
        self.dice = random.Random(1)
        self.now = 0.0

    def run(self, minutes: int, metric: str, value: Callable[[int], float]) -> list[Alert]:
        changed: list[Alert] = []
        for i in range(minutes):
            self.now += 60
            numbers: dict[str, Any] = {metric: value(i) * self.dice.uniform(0.97, 1.03)}
            sample = Sample(1e9 + self.now, **numbers)
            self.ring.add(sample)
            changed += self.book.step(sample, ("healthy", ()), {}, {}, self.now)
        return changed


@pytest.mark.parametrize(
    ("rule", "metric", "value", "words"),
    [
        ("slow_soon", "response_time_ms", lambda i: 100 + 5 * i, "500 (milliseconds), degraded"),
        ("failing_soon", "error_rate", lambda i: 0.01 + 0.003 * i, "0.2 (share), degraded"),
        ("memory_full_soon", "memory_bytes", lambda i: GB * (0.5 + 0.008 * i), "(bytes), full"),
    ],
)
def test_what_goes_toward_its_limit_is_told_before_it_is_there(
    rule: str, metric: str, value: Callable[[int], float], words: str
) -> None:
    watched = Watched(limits=Thresholds(memory_limit_bytes=GB))
    (alert,) = watched.run(58, metric, value)
    assert (alert.rule, alert.metric, alert.severity) == (rule, metric, "warning")
    assert alert.value is not None
    assert alert.value < 0.95 * Thresholds(memory_limit_bytes=GB).by_metric()[metric][0][0]
    assert words in alert.words
    assert "in about" in alert.words


def test_it_is_over_when_it_gets_better_and_is_not_told_at_each_wobble() -> None:
    watched = Watched()
    raised = watched.run(58, "response_time_ms", lambda i: 100 + 5 * i)
    assert len(raised) == 1
    over = watched.run(80, "response_time_ms", lambda _: 200)
    assert [(each.rule, each.resolved_at is not None) for each in over] == [("slow_soon", True)]


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("response_time_ms", lambda _: 300.0),
        ("response_time_ms", lambda i: 100 + 0.5 * i),  # in hours, if ever
        ("response_time_ms", lambda i: 490 - 2 * i),
        ("response_time_ms", lambda i: 300 + 0.003 * i),
        ("response_time_ms", lambda i: 300 + 150 * (i % 2)),
        ("memory_bytes", lambda i: GB * (0.5 + 0.008 * i)),  # no limit is known
    ],
)
def test_what_does_not_go_there_is_not_told(metric: str, value: Callable[[int], float]) -> None:
    assert Watched().run(120, metric, value) == []


def test_a_trend_of_a_few_windows_is_not_firm() -> None:
    assert Watched().run(13, "response_time_ms", lambda i: 100 + 25 * i) == []


def test_forecasts_are_made_once_per_window() -> None:
    ring = SampleHistory(100)
    outlook = Forecaster(ring, Thresholds(), 60_000)
    for i in range(40):
        ring.add(Sample(60.0 * i, response_time_ms=100 + 9.0 * i))
    first = outlook.forecasts(("response_time_ms",), 0.0, 2_400.0)
    assert first["response_time_ms"].threshold == 500
    ring.add(Sample(2_460.0, response_time_ms=1.0))
    assert outlook.forecasts(("response_time_ms",), 59.0, 2_460.0) is first
    assert outlook.forecasts(("response_time_ms",), 60.0, 2_460.0) is not first


@pytest.mark.parametrize(
    ("rule", "variable", "words"),
    [
        ({"metric": "cpu_percent", "within_minutes": 5}, "metric", "memory_bytes"),
        ({"metric": "error_rate", "within_minutes": 0}, "within_minutes", "above 0"),
        ({"metric": "error_rate", "within_minutes": float("nan")}, "within_minutes", "finite"),
        ({"metric": "error_rate", "within_minutes": 5, "above": 1}, "above", "exactly one"),
        ({"metric": "error_rate", "within_minutes": 5, "clears_at": 1}, "clears_at", "good side"),
        ({"within_minutes": 5}, "metric", "needs a metric"),
    ],
)
def test_senseless_forecasts_are_refused(rule: dict[str, Any], variable: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        AlertRule(name="r", **rule)
    assert caught.value.variable == variable


def test_every_limited_metric_is_one() -> None:
    assert set(LIMITED) <= set(METRICS)
    with pytest.raises(ConfigurationError):
        Thresholds(memory_limit_bytes=0)


def test_the_memory_limit_of_a_container(tmp_path: Path) -> None:
    file = tmp_path / "memory.max"
    assert container_memory([file]) is None
    for text, limit in (("max\n", None), (f"{2**63 - 4096}", None), ("1000\n", 1_000)):
        file.write_text(text)
        assert container_memory([tmp_path / "nothing", file]) == limit
    assert with_memory_limit(Thresholds(), [file]).memory_limit_bytes == 1_000
    given = Thresholds(memory_limit_bytes=7)
    assert with_memory_limit(given, [file]) is given
