"""The scoring rules of the Numenta Anomaly Benchmark, standard profile, for series of any origin.

The first 15 % of a series (at most 750 values) are probation. One threshold for all series, the
best one, turns scores into detections. A labelled window earns up to 1 for its earliest detection,
falling to 0 at its right edge, and costs 1 without one; a detection outside costs up to 0.11, less
just behind a window. 0 is a detector that never fires, 100 a perfect one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

FALSE_POSITIVE = 0.11
PROBATION = 0.15


@dataclass(frozen=True)
class Labelled:
    """Values with their times; ``windows`` are first and last index of what is abnormal."""

    name: str
    stamps: Sequence[float]
    values: Sequence[float]
    windows: tuple[tuple[int, int], ...]


Row = tuple[float, float, str]
"""A score, what a detection there is worth, and the name of its window or nothing."""


def worth(place: float) -> float:
    """Worth of a detection: near 1 at the left edge (-1), 0 at the right edge, below 0 behind."""
    return -1.0 if place > 3 else 2 / (1 + math.exp(5 * place)) - 1


BEST = worth(-1)


def rows(one: Labelled, scores: Sequence[float]) -> list[Row]:
    """What each value that counts is worth.

    Args:
        one: The series.
        scores: What a detector made of each value.
    """
    begin = min(int(PROBATION * len(scores)), 750)
    found: list[Row] = []
    for i in range(begin, len(scores)):
        inside = next(((a, b) for a, b in one.windows if a <= i <= b), None)
        if inside:
            left, right = inside
            value = worth(-(right - i + 1) / (right - left + 1)) / BEST
            found.append((scores[i], value, f"{one.name}#{left}"))
            continue
        before = [(a, b) for a, b in one.windows if b < i]
        behind = math.inf
        if before:
            left, right = before[-1]
            behind = (i - right) / max(right - left, 1)
        found.append((scores[i], worth(behind) * FALSE_POSITIVE, ""))
    return found


def total(parts: Iterable[Sequence[Row]], threshold: float | None = None) -> tuple[float, float]:
    """The score of several series together, and the threshold it takes.

    Args:
        parts: The rows of each series.
        threshold: Which threshold to use; None for the best.
    """
    all_rows = sorted((row for part in parts for row in part), key=lambda row: -row[0])
    credit = {name: -1.0 for _, _, name in all_rows if name}
    number = len(credit)
    value = best = -float(number)
    at, current = 1.1, 1.1
    for score, gain, name in all_rows:
        if score != current:
            if threshold is not None and score < threshold:
                break
            if threshold is None and value > best:
                best, at = value, current
            current = score
        if not name:
            value += gain
        elif gain > credit[name]:
            value += gain - credit[name]
            credit[name] = gain
    if threshold is not None:
        best, at = value, threshold
    elif value > best:
        best, at = value, current
    return 100 * (best + number) / (2 * number), at


def scored(make: Callable[[], Any], one: Labelled) -> list[Row]:
    """Stream one series through a new detector.

    Args:
        make: Makes the detector.
        one: The series.
    """
    update = make().update
    return rows(one, [update(v, t) for v, t in zip(one.values, one.stamps, strict=True)])
