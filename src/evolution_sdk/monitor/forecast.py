"""Which limits will soon be crossed, for rules on forecasts; looked at once per window."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from .history import SampleHistory
from .report import trends
from .sample import METRICS
from .thresholds import Thresholds
from .trend import Forecast, Trend

__all__ = ["Forecaster", "forecast_words"]

_LOOK_BACK_S: Final = 3_600.0
_FIRM: Final = 0.001
_FEWEST_POINTS: Final = 15
_MINUTE_S: Final = 60


class Forecaster:
    """Forecasts from the samples in memory, of firm trends only.

    Args:
        ring: The samples.
        limits: What is forecast.
        window_ms: The time that each sample already stands for, in milliseconds.
    """

    def __init__(self, ring: SampleHistory, limits: Thresholds, window_ms: float) -> None:
        self._ring = ring
        self._limits = limits
        self._window = window_ms
        self._at = float("-inf")
        self._found: dict[str, Forecast] = {}

    def forecasts(self, metrics: Iterable[str], now: float, at: float) -> dict[str, Forecast]:
        """When limits will be crossed, by metric; nothing where no firm trend leads there.

        Args:
            metrics: Names of the metrics that matter.
            now: Seconds that never go back.
            at: Unix seconds.
        """
        if now - self._at >= self._window / 1_000:
            self._at = now
            samples = self._ring.since(at - _LOOK_BACK_S)
            found = trends(samples, self._limits, self._window, metrics)
            span = (samples[-1].at - samples[0].at) / _MINUTE_S if samples else 0.0
            self._found = {
                name: trend.forecast
                for name, trend in found.items()
                if trend.forecast is not None and _firm(trend, trend.forecast, span)
            }
        return self._found


def _firm(trend: Trend, forecast: Forecast, span_minutes: float) -> bool:
    """Hardly chance, long enough, and not looking further ahead than back."""
    return (
        trend.p_value < _FIRM
        and trend.points >= _FEWEST_POINTS
        and forecast.in_minutes <= span_minutes
    )


def forecast_words(metric: str, forecast: Forecast) -> str:
    """What a forecast says, for people.

    Args:
        metric: Name of the metric.
        forecast: When which limit will be crossed.
    """
    known = METRICS[metric]
    limit = f"{forecast.threshold:g} ({known.unit})"
    minutes = f"{forecast.in_minutes:.0f}" if forecast.in_minutes >= 1 else "less than 1"
    return f"{known.label} reaches {limit}, {forecast.status}, in about {minutes} min at this rate"
