"""Quiet hours of a time zone, right where its clocks are changed. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from evolution_sdk.config import RateLimitConfig
from evolution_sdk.config._quiet_hours import QuietRange, read_quiet_hours, read_time_zone

__all__ = ["QuietHours", "quiet_until"]

_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)
# Settings that leave no minute are refused; this only keeps a changed clock from more of a search.
_MOST_IN_A_ROW: Final = 100


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Hours by the clocks of a place.

    Attributes:
        ranges: The ranges.
        zone: The time zone.
    """

    ranges: tuple[QuietRange, ...]
    zone: tzinfo

    @classmethod
    def of(cls, config: RateLimitConfig) -> QuietHours | None:
        """Make them from the settings; None where there are none.

        Args:
            config: The settings.
        """
        ranges = read_quiet_hours(config.quiet_hours or "")
        return cls(ranges, read_time_zone(config.quiet_time_zone)) if ranges else None


def quiet_until(hours: QuietHours, now: float) -> float:
    """Find the end of the quiet hours.

    What the clocks skip begins and ends at the moment when they are put forward. Of what they show
    twice a range begins with the first time and ends with the second.

    Args:
        hours: The hours.
        now: The moment, in unix seconds.

    Returns:
        The first moment from then on that is not quiet, in unix seconds: ``now`` itself if it is
        not.
    """
    for _ in range(_MOST_IN_A_ROW):
        ends = [end for begin, end in _around(hours, now) if begin <= now < end]
        if not ends:
            break
        now = max(ends)
    return now


def _around(hours: QuietHours, now: float) -> Iterator[tuple[float, float]]:
    """Give the ranges that may hold a moment, from first to last second."""
    try:
        today = datetime.fromtimestamp(now, hours.zone).date()
        # A range begins at most a day and a change of the clocks before.
        days = [today + n * _DAY for n in range(-2, 2)]
    except (ValueError, OverflowError, OSError):
        return  # a clock that is beyond all years
    for day in days:
        for days_of, begin, end in hours.ranges:
            if day.weekday() in days_of:
                last = day if end > begin else day + _DAY
                yield (
                    _moment(hours.zone, day, begin, fold=0),
                    _moment(hours.zone, last, end, fold=1),
                )


def _moment(zone: tzinfo, day: date, minute: int, *, fold: int) -> float:
    """Tell when clocks show a time: the first or the second time, or when they skip it."""
    naive = datetime.combine(day, time()) + minute * _MINUTE
    shown = naive.replace(tzinfo=zone, fold=fold)
    moment = shown.timestamp()
    if datetime.fromtimestamp(moment, zone).replace(tzinfo=None) == naive:
        return moment
    # Skipped: with one fold it is before the change, with the other one after it.
    other = shown.replace(fold=1 - fold).timestamp()
    before, after = sorted((moment, other))
    while after - before > 1:
        middle = (before + after) // 2
        if datetime.fromtimestamp(middle, UTC).astimezone(zone).replace(tzinfo=None) < naive:
            before = middle
        else:
            after = middle
    return after
