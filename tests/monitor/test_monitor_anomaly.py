"""What the detector finds, and what it leaves alone, on streams of every kind."""

from __future__ import annotations

import importlib.util
import json
import math
import random
from collections.abc import Callable
from typing import Any

import pytest

from evolution_sdk.monitor import AnomalyDetector
from facts import ANOMALY

DAY_S = 86_400.0


def calm(rng: random.Random, i: int) -> float:
    return rng.gauss(50, 2)


def daily(rng: random.Random, i: int) -> float:
    return 100 + 60 * math.sin(math.tau * i / 288) + rng.gauss(0, 4)


def counts(rng: random.Random, i: int) -> float:
    return float(round(max(0.0, rng.gauss(20, 4.5))))


def feed(
    detector: AnomalyDetector,
    make: Callable[[random.Random, int], float],
    count: int,
    seed: int = 1,
) -> list[float]:
    rng = random.Random(seed)
    return [detector.update(make(rng, i), 300.0 * i) for i in range(count)]


def found_within(
    detector: AnomalyDetector, values: list[float], start: int, kinds: set[str]
) -> int | None:
    """How many values it takes until one is anomalous and of that kind."""
    for i, value in enumerate(values):
        detector.update(value, 300.0 * (start + i))
        judged = detector.last
        assert judged is not None
        if judged.anomalous and judged.kind in kinds:
            return i
    return None


@pytest.mark.parametrize("seed", range(3))
def test_a_spike_is_found_at_once(seed: int) -> None:
    detector = AnomalyDetector()
    feed(detector, calm, 1_000, seed)
    assert found_within(detector, [90.0], 1_000, {"spike"}) == 0
    judged = detector.last
    assert judged is not None
    assert judged.expected_low is not None
    assert judged.expected_high is not None
    assert 35 < judged.expected_low < 50 < judged.expected_high < 65
    assert judged.words.startswith("The value 90 is unusual; usual is 4")


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("level", [35.0, 70.0])
def test_a_level_shift_is_found_within_a_dozen_values(seed: int, level: float) -> None:
    detector = AnomalyDetector()
    feed(detector, calm, 1_000, seed)
    rng = random.Random(seed)
    moved = [rng.gauss(level, 2) for _ in range(12)]
    assert found_within(detector, moved, 1_000, {"spike", "level"}) is not None


@pytest.mark.parametrize("seed", range(3))
def test_a_small_level_shift_is_named_a_level(seed: int) -> None:
    detector = AnomalyDetector(threshold=0.4, cooldown_values=0)
    feed(detector, calm, 1_500, seed)
    rng = random.Random(seed)
    moved = [rng.gauss(55, 2) for _ in range(20)]
    assert found_within(detector, moved, 1_500, {"level"}) is not None
    assert detector.last is not None
    assert detector.last.words.startswith("The level has moved to about 5")


def test_a_new_level_becomes_normal() -> None:
    detector = AnomalyDetector(memory_values=300)
    feed(detector, calm, 1_000)
    rng = random.Random(2)
    scores = [detector.update(rng.gauss(80, 2), 300.0 * (1_000 + i)) for i in range(1_500)]
    assert max(scores[:12]) >= 0.5
    assert max(scores[1_000:]) < 0.5


@pytest.mark.parametrize("seed", range(3))
def test_a_wider_spread_is_found(seed: int) -> None:
    detector = AnomalyDetector()
    feed(detector, calm, 1_000, seed)
    rng = random.Random(seed)
    wide = [rng.gauss(50, 8) for _ in range(40)]
    assert found_within(detector, wide, 1_000, {"spread", "spike"}) is not None


@pytest.mark.parametrize("seed", range(3))
def test_a_narrower_spread_is_found(seed: int) -> None:
    detector = AnomalyDetector(threshold=0.4)
    feed(detector, calm, 1_500, seed)
    rng = random.Random(seed)
    narrow = [rng.gauss(50, 0.02) for _ in range(40)]
    assert found_within(detector, narrow, 1_500, {"spread"}) is not None
    assert detector.last is not None
    assert detector.last.size < 0.6
    assert detector.last.words.startswith("Values vary less than usual")


def test_a_flat_line_is_found() -> None:
    detector = AnomalyDetector()
    feed(detector, calm, 1_000)
    found = found_within(detector, [50.0] * 40, 1_000, {"flat"})
    assert found is not None
    assert detector.last is not None
    assert f"came {found + 1} times in a row" in detector.last.words


def test_silence_is_found_while_it_lasts() -> None:
    detector = AnomalyDetector()
    feed(detector, calm, 1_000)
    quiet = [math.nan] * 2_000
    assert found_within(detector, quiet, 1_000, {"missing"}) is not None
    assert detector.last is not None
    assert detector.last.value is None
    assert detector.last.words.startswith("No value for about")


def test_a_gap_in_the_timestamps_is_found_when_it_ends() -> None:
    detector = AnomalyDetector()
    feed(detector, calm, 1_000)
    detector.update(50.0, 300.0 * 6_000)
    assert detector.last is not None
    assert detector.last.kind == "missing"
    assert detector.last.size == pytest.approx(5_001, rel=0.01)


@pytest.mark.parametrize("seed", range(3))
def test_a_morning_without_its_traffic_is_found(seed: int) -> None:
    """A value as of every night, which only the time of day makes unusual."""

    def office(rng: random.Random, i: int) -> float:
        return rng.gauss(100 if 96 <= i % 288 < 240 else 10, 3)

    detector = AnomalyDetector()
    feed(detector, office, 288 * 9 + 96)
    quiet = [random.Random(seed).gauss(10, 3)]
    assert found_within(detector, quiet, 288 * 9 + 96, {"spike"}) == 0


def test_a_day_without_its_peak_is_found() -> None:
    detector = AnomalyDetector()
    feed(detector, daily, 288 * 8)
    rng = random.Random(5)
    flat = [40 + rng.gauss(0, 4) for _ in range(200)]
    assert found_within(detector, flat, 288 * 8, {"spike"}) is not None


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("traffic", [calm, daily, counts])
def test_a_normal_day_raises_no_alarm(
    traffic: Callable[[random.Random, int], float], seed: int
) -> None:
    detector = AnomalyDetector()
    scores = feed(detector, traffic, 288 * 4, seed)
    assert max(scores[288 * 3 :]) < detector.threshold


def test_a_daily_job_stops_alarming() -> None:
    def job(rng: random.Random, i: int) -> float:
        return rng.gauss(1, 0.05) + (20 if i % 288 == 100 else 0)

    scores = feed(AnomalyDetector(), job, 288 * 10)
    assert scores[100] >= 0.5
    assert max(scores[288 * 4 :]) < 0.5


@pytest.mark.parametrize(
    ("second", "news"),
    [(80.0, False), (106.0, False), (116.0, True), (160.0, True)],
    ids=["the same", "1.15 times as surprising", "1.25 times", "twice the distance"],
)
def test_a_reported_anomaly_is_reported_again_when_it_has_grown(second: float, news: bool) -> None:
    detector = AnomalyDetector()
    feed(detector, calm, 1_000)
    assert detector.update(80.0, 300.0 * 1_000) > 0.5
    score = detector.update(second, 300.0 * 1_001)
    assert score > 0.5 if news else score == 0.2


@pytest.mark.parametrize("large", [1e3, 1e4, 1e300])
def test_one_absurd_value_does_not_blind(large: float) -> None:
    detector = AnomalyDetector()
    feed(detector, calm, 1_000)
    assert detector.update(large, 300_000.0) >= 0.5
    scores = [detector.update(v, 300_300.0 + 300 * i) for i, v in enumerate([50.0, 51.0] * 100)]
    assert max(scores[150:]) < 0.5
    assert detector.update(90.0, 360_300.0) >= 0.5


def test_it_comes_back_from_a_whole_spell_of_absurd_values() -> None:
    detector = AnomalyDetector()
    feed(detector, calm, 1_000)
    for i in range(200):
        detector.update((-1.0) ** i * 1e300, 300.0 * (1_000 + i))
    rng = random.Random(1)
    for i in range(500):
        detector.update(rng.gauss(50, 2), 300.0 * (1_200 + i))
    assert detector.update(90.0, 300.0 * 1_700) >= 0.5


def test_the_score_on_the_recorded_series() -> None:
    spec = importlib.util.spec_from_file_location("anomaly_score", ANOMALY / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    windows = json.loads((ANOMALY / "windows.json").read_text())
    assert module.evaluate(AnomalyDetector, ANOMALY / "series", windows)["score"] >= 70


@pytest.mark.parametrize("value", [0.0, 42.0, 1e-9, -1e12])
def test_what_never_changed_is_not_stuck(value: float) -> None:
    detector = AnomalyDetector()
    assert {detector.update(value, 1.7e9 + 60 * i) for i in range(3_000)} == {0.0}
    assert detector.update(value + 1 + abs(value), 1.7e9 + 60 * 3_000) > 0.5
