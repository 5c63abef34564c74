"""Forecasts of limits that will soon be crossed, for alert rules; made once per window."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from evolution_sdk.config._monitoring import Thresholds

from .history import SampleHistory
from .report import trends
from .sample import METRICS
from .trend import MOST_SAMPLES, Forecast, Trend

__all__ = ["LIMITED", "Forecaster", "forecast_words"]

LIMITED: Final = tuple(Thresholds().by_metric())
"""The metrics that have limits, and so forecasts."""

_LOOK_BACK_S: Final = 3_600.0
_FIRM: Final = 0.001
_FEWEST_POINTS: Final = 15
_MINUTE_S: Final = 60


class Forecaster:
    """Makes forecasts from the samples in memory, of firm trends only.

    Args:
        history: The samples.
        limits: Thresholds to forecast.
        window_ms: The time that each sample already stands for, in milliseconds.
    """

    def __init__(self, history: SampleHistory, limits: Thresholds, window_ms: float) -> None:
        self._history = history
        self._limits = limits
        self._window = window_ms
        self._at = float("-inf")
        self._found: dict[str, Forecast] = {}

    def forecasts(self, metrics: Iterable[str], now: float, at: float) -> dict[str, Forecast]:
        """Forecast by metric the next limit to be crossed; nothing where no firm trend leads there.

        Args:
            metrics: Names of the metrics that matter.
            now: Seconds that never go back.
            at: Unix seconds.

        Returns:
            The forecasts by metric.
        """
        # Between two windows there is no new value to judge by, and a trend costs a millisecond.
        if now - self._at >= self._window / 1_000:
            self._at = now
            samples = self._history.evenly(at - _LOOK_BACK_S, MOST_SAMPLES)
            found = trends(samples, self._limits, self._window, metrics)
            span = (samples[-1].at - samples[0].at) / _MINUTE_S if samples else 0.0
            self._found = {
                name: trend.forecast
                for name, trend in found.items()
                if trend.forecast is not None and _firm(trend, trend.forecast, span)
            }
        return self._found


def _firm(trend: Trend, forecast: Forecast, span_minutes: float) -> bool:
    """Tell if a trend is hardly chance, long enough, and looks no further ahead than back."""
    return (
        trend.p_value < _FIRM
        and trend.points >= _FEWEST_POINTS
        and forecast.in_minutes <= span_minutes
    )


def forecast_words(metric: str, forecast: Forecast) -> str:
    """Put a forecast into words.

    Args:
        metric: Name of the metric.
        forecast: The limit, and the time until it is crossed.

    Returns:
        One line for people.
    """
    known = METRICS[metric]
    limit = f"{forecast.threshold:g} ({known.unit})"
    minutes = f"{forecast.in_minutes:.0f}" if forecast.in_minutes >= 1 else "less than 1"
    return f"{known.label} reaches {limit}, {forecast.status}, in about {minutes} min at this rate"
