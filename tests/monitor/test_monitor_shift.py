"""A response time that has become another one is told; a busier hour is not."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import pytest
from monitor_day import Day
from monitor_kit import told

from evolution_sdk.monitor import AlertRule, AnomalyOptions, Sample
from evolution_sdk.monitor.level_shift import LevelShift, LevelShiftDetector


@dataclass
class Server:
    """What checks measure: a window of one minute over probes and calls of some times."""

    seed: int = 1
    interval_s: float = 5.0
    spread: float = 0.3

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.shift = LevelShiftDetector(60.0, 15)
        self.now = self.fed = 0.0
        self.times: list[tuple[float, float]] = []

    def run(
        self, minutes: float, ms: float, *, calls: int = 0, call_ms: float = 40.0
    ) -> list[tuple[float, LevelShift]]:
        """Check for some minutes; when a shift was as improbable as must be, and what it said."""
        found: list[tuple[float, LevelShift]] = []
        begin = self.now
        while self.now < begin + 60 * minutes:
            self.now += self.interval_s
            probe = self.draw(ms)
            self.times += [(self.now, probe), (self.now, self.draw(ms))]
            self.times += [(self.now, self.draw(call_ms)) for _ in range(calls)]
            self.times = [each for each in self.times if each[0] > self.now - 60]
            mean = sum(each for _, each in self.times) / len(self.times)
            sample = Sample(
                self.now,
                response_time_ms=mean,
                probe_ms=probe,
                requests=round(calls * 60 / self.interval_s),
            )
            learn = self.now - self.fed >= 60
            self.fed = self.now if learn else self.fed
            shifted = self.shift.step(sample, self.now, learn=learn)
            if shifted is not None and shifted.evidence >= 8:
                found.append((self.now - begin, shifted))
        return found

    def draw(self, ms: float) -> float:
        return ms * self.dice.lognormvariate(0, self.spread)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("interval_s", [1.0, 5.0])
@pytest.mark.parametrize("spread", [0.2, 0.4])
def test_a_doubled_response_time_is_found_in_two_minutes(
    seed: int, interval_s: float, spread: float
) -> None:
    server = Server(seed, interval_s, spread)
    assert server.run(45, 40.0) == []
    found = server.run(5, 90.0)
    assert found
    seconds, shifted = found[0]
    assert 15 <= seconds <= 120
    assert shifted.low < 41 < shifted.high < 80
    assert shifted.words.startswith("The level has moved to about ")


def test_it_lasts_while_the_level_does_and_is_the_usual_one_after_an_hour() -> None:
    server = Server()
    server.run(45, 40.0)
    found = server.run(50, 90.0)
    assert found[-1][0] == pytest.approx(3_000, abs=6)
    assert server.run(60, 90.0)[-1][0] < 1_200
    assert server.run(60, 90.0) == []
    assert server.run(5, 250.0)


def test_it_ends_with_the_level() -> None:
    server = Server()
    server.run(45, 40.0)
    assert server.run(5, 90.0)
    assert all(seconds <= 60 for seconds, _ in server.run(30, 40.0))


def test_what_is_slow_for_one_window_is_no_level() -> None:
    server = Server()
    server.run(45, 40.0)
    for _ in range(10):
        assert server.run(0.2, 90.0) == []
        assert server.run(10, 40.0) == []


@pytest.mark.parametrize("ms", [55.0, 20.0])
def test_a_level_that_does_not_matter_is_not_told(ms: float) -> None:
    server = Server(spread=0.1)
    server.run(45, 40.0)
    assert server.run(20, ms) == []


def test_a_few_milliseconds_are_no_shift_however_many_times_they_are() -> None:
    server = Server(spread=0.1)
    server.run(45, 2.0)
    assert server.run(20, 6.0) == []


def test_slower_calls_that_come_with_the_day_are_no_slower_server() -> None:
    busy = Server()
    busy.run(45, 40.0)
    assert busy.run(20, 40.0, calls=6, call_ms=110.0) == []
    slower = Server()
    slower.run(45, 40.0)
    assert slower.run(5, 90.0, calls=6, call_ms=110.0)


def test_nothing_is_said_before_it_has_settled_nor_without_a_value() -> None:
    server = Server()
    server.run(5, 40.0)
    assert server.run(5, 90.0) == []
    shift = LevelShiftDetector(60.0, 0)
    for value in (None, 0.0, -1.0, 1e-300, 1e300, 40.0, math.inf, math.nan):
        sample = Sample(1.0, response_time_ms=value, probe_ms=value)
        assert shift.step(sample, 1.0, learn=True) is None


@pytest.mark.parametrize("minutes", [5, 20])
def test_the_monitor_tells_it_once_and_the_alert_lasts(minutes: int) -> None:
    rule = AlertRule(name="odd", metric="response_time_ms", anomaly=True)
    day = Day(3, 5, rules=[rule], anomalies=AnomalyOptions(cooldown_ms=120_000))
    day.run(1_800)
    seen: list[tuple[float, tuple[str, ...]]] = []
    begin = day.time.now
    for name in ("anomalyDetected", "alertRaised", "alertResolved"):
        day.monitor.on(name, lambda event: seen.append((day.time.now - begin, told(event))))  # type: ignore[call-overload]
    usual = random.Random.lognormvariate
    day.dice.lognormvariate = lambda mu, sigma: 2.25 * usual(day.dice, mu, sigma)  # type: ignore[method-assign]
    day.run(60 * minutes)
    day.dice.lognormvariate = lambda mu, sigma: usual(day.dice, mu, sigma)  # type: ignore[method-assign]
    day.run(600)
    ours = [(at, each) for at, each in seen if "send_time_ms" not in each]
    assert [each[0] for _, each in ours] == ["anomalyDetected", "alertRaised", "alertResolved"]
    assert 30 <= ours[0][0] <= 150
    assert 60 * minutes < ours[2][0] <= 60 * minutes + 300
