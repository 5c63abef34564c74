"""Hours in which nothing is sent, as settings write them: ``sat,sun 00:00-24:00, 22:00-08:00``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, tzinfo
from typing import Final, NamedTuple

__all__ = ["QuietRange", "read_quiet_hours", "read_time_zone"]

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EVERY: Final = frozenset(range(7))
_DAY_MIN: Final = 1_440
_PIECE: Final = re.compile(
    r"(?:(?P<first>[a-z]{3})(?:-(?P<last>[a-z]{3}))?)?\s*"
    r"(?:(?P<begin>[0-9]{1,2}:[0-9]{2})\s*-\s*(?P<end>[0-9]{1,2}:[0-9]{2}))?"
)


class QuietRange(NamedTuple):
    """Some minutes of some days of the week.

    Attributes:
        days: Days on which it begins; 0 for Monday.
        begin: First minute of the day.
        end: Minute that is no longer quiet; one that is not after ``begin`` is of the next day.
    """

    days: frozenset[int]
    begin: int
    end: int


def read_quiet_hours(text: str) -> tuple[QuietRange, ...]:
    """Read the ranges.

    Args:
        text: Ranges with commas between them; days before a range are those on which it begins,
            all where none are named.

    Returns:
        The ranges; none for an empty text.

    Raises:
        ValueError: It cannot be read, or leaves no time to send.
    """
    ranges: list[QuietRange] = []
    named: set[int] = set()
    pieces = [piece.strip().lower() for piece in text.split(",") if piece.strip()]
    for piece in pieces:
        found = _PIECE.fullmatch(piece)
        if found is None:
            raise ValueError("ranges such as 22:00-08:00")
        if found["first"] is not None:
            named |= _days(found["first"], found["last"])
        if found["begin"] is not None:
            begin, end = _minute(found["begin"]), _minute(found["end"])
            if begin in (end, _DAY_MIN):
                raise ValueError("ranges that are not empty; a whole day is 00:00-24:00")
            ranges.append(QuietRange(frozenset(named) or _EVERY, begin, end))
            named = set()
    if named:
        raise ValueError("a range after the days, such as sat,sun 00:00-24:00")
    if _is_always(ranges):
        raise ValueError("ranges that leave some time to send")
    return tuple(ranges)


def read_time_zone(name: str) -> tzinfo:
    """Find a time zone.

    Args:
        name: Its name in the IANA database, such as ``America/Sao_Paulo``.

    Raises:
        ValueError: There is none of this name; with the reason.
    """
    if name.upper() == "UTC":
        return UTC  # needs no database
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        pass
    try:
        ZoneInfo("America/Sao_Paulo")
    except (KeyError, ValueError, OSError):
        # Windows has none, nor have many slim images.
        raise ValueError(
            "UTC, as this machine has no database of time zones: pip install tzdata"
        ) from None
    raise ValueError("the name of a time zone, as in the IANA database")


def _days(first: str, last: str | None) -> frozenset[int]:
    if first not in _DAYS or (last or first) not in _DAYS:
        raise ValueError(f"days among {', '.join(_DAYS)}")
    begin, end = _DAYS.index(first), _DAYS.index(last or first)
    return frozenset((begin + n) % 7 for n in range((end - begin) % 7 + 1))


def _minute(text: str) -> int:
    hours, minutes = map(int, text.split(":"))
    minute = hours * 60 + minutes
    if minutes > 59 or minute > _DAY_MIN:
        raise ValueError("times from 00:00 to 24:00")
    return minute


def _is_always(ranges: Sequence[QuietRange]) -> bool:
    week = bytearray(7 * _DAY_MIN)
    for days, begin, end in ranges:
        length = end - begin if end > begin else end - begin + _DAY_MIN
        for day in days:
            for minute in range(length):
                week[(day * _DAY_MIN + begin + minute) % len(week)] = 1
    return all(week)
