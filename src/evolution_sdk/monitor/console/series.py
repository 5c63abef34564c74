"""Charts of the last hour and the last day, from samples, at even distances. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from evolution_sdk.monitor.sample import HealthStatus, Sample, worst

from .strips import LETTERS

__all__ = ["ChartPoints"]

_MEAN: Final = ("response_time_ms", "p50_response_time_ms", "error_rate", "messages_per_second")
# A mean of percentiles would hide the slow minute.
_MOST: Final = ("p95_response_time_ms",)
_SHOWN: Final = {
    "response_time_ms": "response_time_ms",
    "p50_ms": "p50_response_time_ms",
    "p95_ms": "p95_response_time_ms",
    "error_rate": "error_rate",
    "messages_per_second": "messages_per_second",
}
_DIGITS: Final = {"error_rate": 4, "messages_per_second": 2}


@dataclass(slots=True)
class _Point:
    sums: dict[str, float] = field(default_factory=dict[str, float])
    counts: dict[str, int] = field(default_factory=dict[str, int])
    most: dict[str, float] = field(default_factory=dict[str, float])
    status: HealthStatus = "healthy"

    def add(self, sample: Sample) -> None:
        self.status = worst(self.status, sample.status)
        for name in _MEAN:
            value = sample.value(name)
            if value is not None:
                self.sums[name] = self.sums.get(name, 0.0) + value
                self.counts[name] = self.counts.get(name, 0) + 1
        for name in _MOST:
            value = sample.value(name)
            if value is not None:
                self.most[name] = max(value, self.most.get(name, value))

    def value(self, name: str) -> float | None:
        if name in self.most:
            return self.most[name]
        count = self.counts.get(name)
        return self.sums[name] / count if count else None


class ChartPoints:
    """Points of some time: the mean of the checks in it; of 95th percentiles the maximum.

    Args:
        step_s: Time of a point, in seconds.
        size: Most points.
    """

    def __init__(self, step_s: int, size: int) -> None:
        self._step = step_s
        self._size = size
        self._points: OrderedDict[int, _Point] = OrderedDict()

    def add(self, sample: Sample) -> None:
        """Take in a check."""
        number = int(sample.at // self._step)
        point = self._points.get(number)
        if point is None:
            point = self._points[number] = _Point()
            while len(self._points) > self._size:
                self._points.popitem(last=False)
        point.add(sample)

    def to_dict(self, now: float) -> dict[str, Any]:
        """Return all points up to now as lists of equal length; None where nothing was measured.

        Args:
            now: Unix seconds.
        """
        last = int(now // self._step)
        numbers = range(last - self._size + 1, last + 1)
        found = [self._points.get(number) for number in numbers]
        shown: dict[str, Any] = {"begin_at": numbers[0] * self._step, "step_s": self._step}
        for name, metric in _SHOWN.items():
            digits = _DIGITS.get(name, 1)
            shown[name] = _column(found, lambda p, m=metric: p.value(m), digits)  # type: ignore[misc]
        shown["status"] = [None if point is None else LETTERS[point.status] for point in found]
        return shown


def _column(
    points: list[_Point | None], read: Callable[[_Point], float | None], digits: int
) -> list[float | None]:
    values = (None if point is None else read(point) for point in points)
    return [None if value is None else round(value, digits) for value in values]
