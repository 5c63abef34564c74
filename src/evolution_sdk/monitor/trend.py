"""Trends of metrics: Theil-Sen slope, Mann-Kendall test, forecast; of bounded cost."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from statistics import fmean, median
from typing import Final, Literal, TypeAlias

__all__ = ["MOST_SAMPLES", "Direction", "Forecast", "Trend", "bucket_medians", "find_trend"]

Direction: TypeAlias = Literal["rising", "falling", "steady", "unknown"]

MOST_POINTS: Final = 200
MOST_SAMPLES: Final = 400
"""Samples that a trend is found from; of more, so many at even distances."""
_MOST_PAIRED: Final = 64
_FEWEST_POINTS: Final = 8
_SIGNIFICANCE: Final = 0.01
_LEAST_CHANGE: Final = 0.5  # of the spread around the line: less is not worth a word
_LEAST_SHARE: Final = 0.05  # of the level: less is not worth a word either
_CHANCE: Final = 1.645
_MOST_PERSISTENCE: Final = 0.5  # a bent rise leaves residuals alike, and is a rise nevertheless
# Multiple of the time looked back at beyond which no forecast is made.
_FURTHEST: Final = 10.0


@dataclass(frozen=True, slots=True)
class Forecast:
    """Forecast of the next limit that will be crossed, if the trend goes on.

    Attributes:
        threshold: The limit.
        status: State of health beyond it.
        in_minutes: Time until then, in minutes.
    """

    threshold: float
    status: str
    in_minutes: float


@dataclass(frozen=True, slots=True)
class Trend:
    """Trend of a metric.

    Attributes:
        metric: Its name.
        unit: Unit of ``slope_per_minute`` and ``change``; the slope is per minute.
        direction: ``rising``, ``falling``, ``steady``, or ``unknown`` with too few values. A change
            that chance explains, or too small to matter, is steady.
        slope_per_minute: The median of the slopes between all pairs of points; of more than 64
            points, neighbours are merged into medians for it.
        change: The slope times the length of the window.
        p_value: Chance of such an order of values without any trend.
        points: Number of points compared; neighbours are merged into medians.
        forecast: The next limit to be crossed; None when there is none ahead.
    """

    metric: str
    unit: str
    direction: Direction
    slope_per_minute: float
    change: float
    p_value: float
    points: int
    forecast: Forecast | None = None


def bucket_medians(
    points: Sequence[tuple[float, float]], least_width_s: float
) -> list[tuple[float, float]]:
    """Merge neighbours, so that few points remain and overlapping windows do not count twice.

    Args:
        points: Times in seconds, and values.
        least_width_s: Least time that one point stands for, in seconds.

    Returns:
        At most 200 points: the median time and value of each stretch of time.
    """
    if not points:
        return []
    return _merged(points, least_width_s, MOST_POINTS)


def _merged(
    points: Sequence[tuple[float, float]], least_width_s: float, most: int
) -> list[tuple[float, float]]:
    # The wall clock may have been set back.
    points = sorted(points)
    first, last = points[0][0], points[-1][0]
    width = max(least_width_s, (last - first) / (most - 1), 1e-9)
    merged: list[tuple[float, float]] = []
    bucket: list[tuple[float, float]] = []
    current = 0
    for point in points:
        index = int((point[0] - first) / width)
        if index != current:
            merged.append(_middle(bucket))
            bucket, current = [], index
        bucket.append(point)
    merged.append(_middle(bucket))
    return merged


def _middle(bucket: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the median time and value of some points, in the order of their times."""
    if len(bucket) == 1:
        return bucket[0]
    return median([at for at, _ in bucket]), median([value for _, value in bucket])


def find_trend(
    metric: str,
    unit: str,
    points: Sequence[tuple[float, float]],
    *,
    least_width_s: float = 0.0,
    least_change: float = 0.0,
    limits: Sequence[tuple[float, str]] = (),
) -> Trend:
    """Judge a series.

    Args:
        metric: Its name.
        unit: Its unit.
        points: Times in seconds, rising, and values.
        least_width_s: The span that each value already stands for, in seconds.
        least_change: A change over the whole time that is smaller is steady, in the unit; and so is
            one of less than 5 % of the median.
        limits: Limits that health is judged by, with the state beyond each.

    Returns:
        The trend.
    """
    merged = bucket_medians(points, least_width_s)
    if len(merged) < _FEWEST_POINTS:
        return Trend(metric, unit, "unknown", 0.0, 0.0, 1.0, len(merged))
    # The median over all pairs: outliers move it little, unlike a least-squares line. Pairs grow
    # with the square of the points, and a slope needs fewer of them than a test does.
    few = merged if len(merged) <= _MOST_PAIRED else _merged(merged, least_width_s, _MOST_PAIRED)
    slope = median(
        [(later - earlier) / (t2 - t1) for (t1, earlier), (t2, later) in combinations(few, 2)]
    )
    base = median([value - slope * at for at, value in merged])
    rest = [value - base - slope * at for at, value in merged]
    p_value = _mann_kendall([value for _, value in merged], _persistence(rest))
    # A change must be likely, and large beside noise, level and the metric's own least change.
    span = merged[-1][0] - merged[0][0]
    change = slope * span
    spread = median([abs(value) for value in rest])
    level = median([abs(value) for _, value in merged])
    matters = max(least_change, _LEAST_SHARE * level, _LEAST_CHANGE * spread)
    moving = p_value < _SIGNIFICANCE and abs(change) > matters and slope != 0
    direction: Direction = "steady" if not moving else "rising" if slope > 0 else "falling"
    forecast = None
    if moving:
        now = base + slope * merged[-1][0]
        forecast = _forecast(now, slope, span, limits)
    return Trend(metric, unit, direction, slope * 60, change, p_value, len(merged), forecast)


def _mann_kendall(values: Sequence[float], persistence: float) -> float:
    """Return the two-sided p of the Mann-Kendall test, corrected for ties and alike neighbours."""
    n = len(values)
    # Of all pairs: how often the later value is the larger one, less how often the smaller one.
    score, before = 0, list[float]()
    for value in values:
        smaller, larger = bisect_left(before, value), len(before) - bisect_right(before, value)
        score += smaller - larger
        before.insert(smaller, value)
    ties: dict[float, int] = {}
    for value in values:
        ties[value] = ties.get(value, 0) + 1
    tied = sum(t * (t - 1) * (2 * t + 5) for t in ties.values())
    variance = (n * (n - 1) * (2 * n + 5) - tied) / 18
    # Alike neighbours carry less information: fewer independent values, more variance.
    variance *= (1 + persistence) / (1 - persistence)
    if variance <= 0 or score == 0:
        return 1.0
    z = (abs(score) - 1) / math.sqrt(variance)
    return math.erfc(z / math.sqrt(2))


def _persistence(rest: Sequence[float]) -> float:
    """Measure the likeness of neighbours, from 0 to 0.5; 0 where it may be chance."""
    mean = fmean(rest)
    centred = [value - mean for value in rest]
    power = sum(value * value for value in centred)
    if power <= 0:
        return 0.0
    alike = sum(a * b for a, b in pairwise(centred)) / power
    if alike < _CHANCE / math.sqrt(len(rest)):
        return 0.0
    return min(_MOST_PERSISTENCE, alike)


def _forecast(
    now: float, slope: float, span: float, limits: Sequence[tuple[float, str]]
) -> Forecast | None:
    # Only limits in the direction of the trend, and not too far beyond the time looked at.
    ahead = [
        (seconds, limit, status)
        for limit, status in limits
        if 0 < (seconds := (limit - now) / slope) <= _FURTHEST * span
    ]
    if not ahead:
        return None
    seconds, limit, status = min(ahead)
    return Forecast(limit, status, seconds / 60)
