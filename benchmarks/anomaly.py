"""How good and how costly the anomaly detector is.

Prints the score on the labelled recordings in ``tests/data/anomaly``, the same score on made-up
kinds that are no servers', the share of made-up anomalies found with the false alarms that cost,
and the time per value as a ratio to the least a pure-Python detector can do, in the same run.

Usage: ``python benchmarks/anomaly.py [--quick]``. Exits with 1 when the score is below 70.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from anomaly_kinds import labelled
from anomaly_score import scored as judged
from anomaly_score import total
from anomaly_series import Series, series

from evolution_sdk.monitor import AnomalyDetector

SERIES = Path(__file__).resolve().parents[1] / "tests" / "data" / "anomaly"
TARGET = 70.0
PROBATION = 0.15


def recorded(factory: Callable[[], Any] = AnomalyDetector) -> dict[str, float]:
    """Return the score of the labelled recordings, with its threshold and the cost of a value."""
    spec = importlib.util.spec_from_file_location("anomaly_score", SERIES / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    windows = json.loads((SERIES / "windows.json").read_text())
    result: dict[str, float] = module.evaluate(factory, SERIES / "series", windows)
    return result


def outcome(one: Series, threshold: float) -> tuple[int, int, int]:
    """Anomalies found, false alarms, and values that counted, of one made-up series."""
    update = AnomalyDetector().update
    begin = int(PROBATION * len(one.values))
    found: set[int] = set()
    false = 0
    for i, (value, stamp) in enumerate(zip(one.values, one.stamps, strict=True)):
        if update(value, stamp) < threshold or i < begin:
            continue
        near = [e for e in one.events if abs(i - e) <= one.half_window]
        found.update(near[:1])
        false += not near
    return len(found), false, len(one.values) - begin


def made_up(threshold: float, seed: int) -> tuple[float, float]:
    """Share of anomalies found, and false alarms per 1,000 values."""
    found = false = values = events = 0
    for one in series(seed):
        a, b, c = outcome(one, threshold)
        found, false, values, events = found + a, false + b, values + c, events + len(one.events)
    return found / events, 1_000 * false / values


class Baseline:
    """A running mean and deviation: the least there can be."""

    def __init__(self) -> None:
        self.mean = self.deviation = 0.0

    def update(self, value: float, timestamp: float) -> float:
        off = value - self.mean
        size = abs(off)
        score = size / (size + 3 * self.deviation + 1e-9)
        self.mean += 0.01 * off
        self.deviation += 0.01 * (size - self.deviation)
        return score


def cost_us(make: Callable[[], Any], count: int, rounds: int) -> float:
    """Microseconds per value, the best of some rounds."""
    rng = random.Random(1)
    values = [rng.gauss(50, 5) for _ in range(count)]
    best = float("inf")
    for _ in range(rounds):
        update = make().update
        start = time.perf_counter()
        for i, value in enumerate(values):
            update(value, 1_700_000_000.0 + 60 * i)
        best = min(best, time.perf_counter() - start)
    return 1e6 * best / count


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one seed, fewer rounds")
    quick = parser.parse_args().quick
    scored = recorded()
    print(
        f"recorded series: score {scored['score']:.1f} (at least {TARGET:.0f}), "
        f"threshold {scored['threshold']:.2f}, {scored['us_per_value']:.1f} us a value"
    )
    for seed in (1,) if quick else (1, 2, 3):
        value, threshold = total(judged(AnomalyDetector, one) for one in labelled(seed))
        print(f"made-up kinds, seed {seed}: score {value:.1f}, threshold {threshold:.2f}")
    for seed in (1,) if quick else (1, 2, 3):
        for threshold in (0.4, 0.5):
            share, false = made_up(threshold, seed)
            print(
                f"made-up series, seed {seed}, threshold {threshold}: {share:.0%} found, "
                f"{false:.2f} false alarms per 1,000 values"
            )
    rounds = 3 if quick else 7
    ours, least = cost_us(AnomalyDetector, 20_000, rounds), cost_us(Baseline, 20_000, rounds)
    print(f"cost: {ours:.2f} us a value, {ours / least:.1f} times a running mean and deviation")
    return 1 if scored["score"] < TARGET else 0


if __name__ == "__main__":
    sys.exit(main())
