"""Whether the detector's constants were chosen or fitted: cross-validation, and changes of all.

Candidates are the constants as they are, and seeded draws of all of them by up to 15 % up or down.
Each candidate scores every series once. Then, several times, the series are split into halves at
random: the candidate that is best on one half is judged on the other, beside the constants as they
are. What is good only at one point shows as a fall in the mean over the candidates.

The series are the recordings in ``tests/data/anomaly``, the made-up kinds and
the made-up pairs, each judged as the benchmark does, one threshold for all of a set.

Usage: ``python benchmarks/anomaly_choice.py [--candidates 24] [--splits 10] [--processes 2]``.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from multiprocessing import Pool
from pathlib import Path
from statistics import fmean, stdev

from anomaly_kinds import labelled, paired
from anomaly_score import Labelled, Row, scored, total

from evolution_sdk.monitor import AnomalyDetector

SERIES = Path(__file__).resolve().parents[1] / "tests" / "data" / "anomaly"
PACKAGE = "evolution_sdk.monitor.anomaly."
CONSTANTS = {
    "extreme_value": (
        "REACH", "PRIOR", "PRIOR_RATE", "PRIOR_EXCESS", "CLIP", "OUTLIER", "NEAR", "PEAK_MEMORY",
    ),
    "features": ("FORECAST", "RECENT", "RUN_FLOOR"),
    "detector": ("GROWTH", "GAP_FLOOR"),
    "rhythm": ("GAIN",),
}  # fmt: skip
FACTORS = ("NEAR", "GROWTH")
"""Constants that multiply: what is above 1 is drawn."""
SPREAD = 0.15

Candidate = Mapping[str, float]
Scored = dict[str, dict[str, list[Row]]]


def recorded() -> Iterator[Labelled]:
    """Yield the recorded series with their labelled windows."""
    for name, windows in json.loads((SERIES / "windows.json").read_text()).items():
        lines = (SERIES / "series" / name).read_text().splitlines()[1:]
        stamps = [_stamp(line.split(",")[0]) for line in lines]
        edges = tuple((stamps.index(_stamp(a)), stamps.index(_stamp(b))) for a, b in windows)
        yield Labelled(name, stamps, [float(line.split(",")[1]) for line in lines], edges)


def _stamp(text: str) -> float:
    return datetime.fromisoformat(text.split(".")[0]).replace(tzinfo=UTC).timestamp()


def sets() -> dict[str, list[Labelled]]:
    """Everything that is judged, by set."""
    found = {"recorded": list(recorded()), "kinds": list(labelled(1)), "pairs": list(paired(1))}
    return {name: series for name, series in found.items() if series}


def candidates(count: int) -> Iterator[Candidate]:
    """The constants as they are, and draws around them."""
    yield {}
    for seed in range(1, count):
        rng = random.Random(seed)
        drawn: dict[str, float] = {
            "memory_values": round(
                AnomalyDetector().to_dict()["options"]["memory_values"] * _factor(rng)
            )
        }
        for module, names in CONSTANTS.items():
            for name in names:
                now = getattr(importlib.import_module(PACKAGE + module), name)
                base = 1.0 if name in FACTORS else 0.0
                drawn[f"{module}.{name}"] = base + (now - base) * _factor(rng)
        yield drawn


def _factor(rng: random.Random) -> float:
    return math.exp(rng.uniform(-SPREAD, SPREAD))


def run(candidate: Candidate) -> Scored:
    """Score every series with a candidate; in a process of its own."""
    options = {}
    for name, value in candidate.items():
        module, _, constant = name.rpartition(".")
        if not module:
            options[name] = int(value)
            continue
        for each in CONSTANTS:  # a constant is known to those that import it, too
            found = importlib.import_module(PACKAGE + each)
            if hasattr(found, constant):
                setattr(found, constant, value)
    return {
        name: {one.name: scored(lambda: AnomalyDetector(**options), one) for one in series}
        for name, series in sets().items()
    }


def judged(result: Scored, kept: Mapping[str, set[str]]) -> float:
    """Mean score of the sets, of the series kept."""
    return fmean(
        total(rows for name, rows in series.items() if name in kept[each])[0]
        for each, series in result.items()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=24)
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    with Pool(options.processes, maxtasksperchild=1) as pool:
        results = pool.map(run, candidates(options.candidates), chunksize=1)
    for name in results[0]:
        scores = [total(result[name].values())[0] for result in results]
        print(
            f"{name}: {scores[0]:.1f}; all constants changed by up to {SPREAD:.0%}: "
            f"{fmean(scores[1:]):.1f} +- {stdev(scores[1:]):.1f}"
        )
    held_out("all sets", results, options.splits)
    for name in results[0]:
        held_out(name, [{name: result[name]} for result in results], options.splits)


def held_out(name: str, results: list[Scored], splits: int) -> None:
    """Choose on one half of the series, judge on the other; print mean and spread."""
    rng = random.Random(1)
    chosen, now = [], []
    for _ in range(splits):
        first: dict[str, set[str]] = {}
        second: dict[str, set[str]] = {}
        for each, series in results[0].items():
            names = sorted(series)
            rng.shuffle(names)
            first[each], second[each] = set(names[::2]), set(names[1::2])
        best = max(results, key=lambda result: judged(result, first))
        chosen.append(judged(best, second))
        now.append(judged(results[0], second))
    print(
        f"{name}, held-out half, {splits} splits: chosen on the other half {fmean(chosen):.1f} +- "
        f"{stdev(chosen):.1f}, as they are {fmean(now):.1f} +- {stdev(now):.1f}"
    )


if __name__ == "__main__":
    main()
