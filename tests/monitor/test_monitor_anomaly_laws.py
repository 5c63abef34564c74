"""Laws of the detector: never raises, bounded state, repeatable, and every option counts."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.monitor import AnomalyDetector

ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True)
STAMPS = st.none() | ANY_FLOAT | st.floats(0, 1e9)


def noise(count: int, seed: int = 1) -> list[float]:
    rng = random.Random(seed)
    return [rng.gauss(50, 2) for _ in range(count)]


@settings(max_examples=examples(150))
@given(st.lists(st.tuples(ANY_FLOAT, STAMPS), max_size=120), st.booleans())
def test_any_stream_is_scored(stream: list[tuple[float, float | None]], settled: bool) -> None:
    detector = AnomalyDetector(warm_up_values=0)
    for i, value in enumerate(noise(60) if settled else []):
        detector.update(value, 60.0 * i)
    for value, stamp in stream:
        assert 0.0 <= detector.update(value, stamp) <= 1.0
        assert detector.last is not None
        assert detector.last.words
    state = json.loads(json.dumps(detector.to_dict(), allow_nan=False))
    again = AnomalyDetector.from_dict(state)
    assert again.update(1.0, 5.0) == detector.update(1.0, 5.0)


@pytest.mark.parametrize("value", [None, "x", object(), 10**400, True, 3])
def test_what_is_no_float_does_no_harm(value: Any) -> None:
    detector = AnomalyDetector()
    assert 0.0 <= detector.update(value, value) <= 1.0


def test_the_state_stays_bounded() -> None:
    detector = AnomalyDetector()
    sizes: list[int] = []
    for i, value in enumerate(noise(100_000)):
        detector.update(value, 60.0 * i)
        if i in (10_000, 99_999):
            sizes.append(leaves(detector.to_dict()))
    assert sizes[0] == sizes[1] < 400


def leaves(state: Any) -> int:
    if isinstance(state, dict):
        return sum(leaves(v) for v in state.values())
    return sum(leaves(v) for v in state) if isinstance(state, list) else 1


def test_same_values_same_scores_and_a_restored_detector_goes_on() -> None:
    values = noise(3_000)
    values[2_500] = 95.0
    one, two = AnomalyDetector(), AnomalyDetector()
    assert one.last is None
    for i, value in enumerate(values):
        if i == 2_000:
            two = AnomalyDetector.from_dict(json.loads(json.dumps(two.to_dict())))
        assert one.update(value, 300.0 * i) == two.update(value, 300.0 * i)
    assert one.to_dict() == two.to_dict()


@pytest.mark.parametrize(
    "damage",
    [
        {"version": 99},
        {"options": {"threshold": 7}},
        {"numbers": {}},
        {"gaps": [1.0]},
        {"gaps": None},
        {"views": {"numbers": {}, "tails": {}, "rhythm": None}},
    ],
)
def test_a_damaged_state_is_refused(damage: dict[str, Any]) -> None:
    state = AnomalyDetector().to_dict() | damage
    with pytest.raises(ConfigurationError, match="begin with a new detector"):
        AnomalyDetector.from_dict(state)


@pytest.mark.parametrize(
    "option",
    [
        {"threshold": 0.0},
        {"threshold": math.nan},
        {"memory_values": 5},
        {"cooldown_values": -1},
        {"warm_up_values": -1},
        {"period_s": 0.0},
        {"interval_s": -1.0},
    ],
)
def test_options_out_of_range_are_refused(option: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(option))):
        AnomalyDetector(**option)


def peak(detector: AnomalyDetector, values: list[float]) -> list[float]:
    return [detector.update(value, 300.0 * i) for i, value in enumerate(values)]


def test_the_threshold_decides_what_is_anomalous() -> None:
    judged = []
    for threshold in (0.2, 1.0):
        detector = AnomalyDetector(threshold=threshold)
        peak(detector, [*noise(500), 70.0])
        assert detector.last is not None
        judged.append(detector.last.anomalous)
    assert judged == [True, False]


def test_the_memory_decides_how_fast_a_level_becomes_usual() -> None:
    highs = []
    for memory in (200, 5_000):
        detector = AnomalyDetector(memory_values=memory)
        peak(detector, noise(2_000) + [v + 50 for v in noise(400)])
        assert detector.last is not None
        assert detector.last.expected_low is not None
        assert detector.last.expected_high is not None
        highs.append((detector.last.expected_low + detector.last.expected_high) / 2)
    assert highs[0] > highs[1] + 20


def test_the_cooldown_decides_when_the_same_is_reported_again() -> None:
    values = noise(1_000)
    values[900] = values[930] = 90.0
    assert peak(AnomalyDetector(cooldown_values=100), values)[930] <= 0.2
    assert peak(AnomalyDetector(cooldown_values=10), values)[930] > 0.4


def test_the_warm_up_is_silent() -> None:
    values = [*noise(40), 500.0]
    assert peak(AnomalyDetector(warm_up_values=30), values)[40] > 0.4
    assert peak(AnomalyDetector(warm_up_values=50), values)[40] == 0.0


def wave(count: int, period: int) -> list[float]:
    rng = random.Random(1)
    return [100 + 60 * math.sin(math.tau * i / period) + rng.gauss(0, 3) for i in range(count)]


def width(detector: AnomalyDetector) -> float:
    assert detector.last is not None
    assert detector.last.expected_low is not None
    assert detector.last.expected_high is not None
    return detector.last.expected_high - detector.last.expected_low


def test_the_period_narrows_what_is_expected() -> None:
    detectors = [AnomalyDetector(period_s=p) for p in (None, 86_400.0, 43_200.0)]
    for detector in detectors:
        peak(detector, wave(2_000, 144))
    assert width(detectors[0]) > 2 * width(detectors[2])
    unlike = AnomalyDetector(period_s=50_000.0)
    peak(unlike, wave(2_000, 144))
    assert width(unlike) == pytest.approx(width(detectors[0]), rel=0.2)


def test_the_interval_gives_a_stream_without_timestamps_its_rhythm() -> None:
    timeless, spaced = AnomalyDetector(), AnomalyDetector(interval_s=300.0)
    for value in wave(2_000, 288):
        timeless.update(value)
        spaced.update(value)
    assert width(timeless) > 2 * width(spaced)
