"""Gaps between events: the usual rhythm of each instance, learned, and silences beyond it."""

from __future__ import annotations

import math
from threading import Lock
from typing import Final

from evolution_sdk.config._monitoring import Thresholds

from .watched import MOST_OTHERS, PerInstance

__all__ = ["EventGaps", "EventRhythm"]

_HOUR: Final = 3_600.0
_DAY_SLOTS: Final = 24
_KINDS: Final = 3  # working days, Saturdays, Sundays
_LEARNED_S: Final = 1_800.0
_FADE: Final = 0.5
_LONGEST_GAPS: Final = 3.0
_WEEK_DAYS: Final = 7
_SATURDAY: Final = 5
_EPOCH_WEEKDAY: Final = 3  # 1 January 1970 was a Thursday


class _Slot:
    """Events and gaps in one hour of one kind of day."""

    __slots__ = ("day", "events", "longest_gap", "seconds")

    def __init__(self) -> None:
        self.day = -1
        self.events = 0.0
        self.seconds = 0.0
        self.longest_gap = 0.0


_UNKNOWN: Final = _Slot()


class EventRhythm:
    """Usual rate of one instance's events by hour and kind of day (UTC).

    The time after the newest event is not learned from: a silence must not teach that silence is
    usual, unless events prove afterwards that it was one.
    """

    def __init__(self) -> None:
        # By hour and kind of day; an hour without events has none, which spares memory and time.
        self._slots: dict[int, _Slot] = {}
        self.last: float | None = None

    def event(self, wall: float) -> None:
        """Learn from an event.

        Args:
            wall: Time of its arrival, in unix seconds.
        """
        last = self.last
        if last is None or wall <= last:
            self.last = wall if last is None else last
            return
        gap = wall - last
        # Longer gaps are outages, ours or theirs, and teach nothing about the rhythm.
        if gap < _HOUR * _DAY_SLOTS:
            # A gap over several hours counts in each, for the part of it that lies there.
            at = last
            while at < wall:
                until = min(wall, (math.floor(at / _HOUR) + 1) * _HOUR)
                slot = self._open(at)
                slot.seconds += until - at
                slot.longest_gap = max(slot.longest_gap, gap)
                at = until
        self._open(wall).events += 1
        self.last = wall

    def expected_since(self, wall: float) -> float:
        """Count the events that should have come since the last one.

        Args:
            wall: Present time, in unix seconds.

        Returns:
            Their expected number; hours that are not learned yet add nothing.
        """
        if self.last is None:
            return 0.0
        # A day of silence says enough: the loop stays short however long ago the last event was.
        at, expected = max(self.last, wall - _HOUR * _DAY_SLOTS), 0.0
        while at < wall:
            until = min(wall, (math.floor(at / _HOUR) + 1) * _HOUR)
            expected += (until - at) * self._rate(at)
            at = until
        return expected

    def longest_gap(self, wall: float) -> float:
        """Return the longest usual silence about this time of day, in seconds."""
        return max(slot.longest_gap for slot in self._around(wall))

    def _rate(self, wall: float) -> float:
        """Return the usual events per second: the least of the hours around."""
        # Days are not alike to the minute: a quiet hour may begin earlier or end later.
        known = [slot for slot in self._around(wall) if slot.seconds >= _LEARNED_S]
        if self._slot(wall) not in known:
            return 0.0
        return min(slot.events / slot.seconds for slot in known)

    def _around(self, wall: float) -> list[_Slot]:
        return [self._slot(wall + shift * _HOUR) for shift in (-1, 0, 1)]

    def _slot(self, wall: float) -> _Slot:
        return self._slots.get(_index(wall), _UNKNOWN)

    def _open(self, wall: float) -> _Slot:
        slot = self._slots.get(index := _index(wall))
        if slot is None:
            slot = self._slots[index] = _Slot()
        day = int(wall / _HOUR / _DAY_SLOTS)
        # A new day fades what older ones taught, so that a changed rhythm is learned in days.
        if day != slot.day:
            slot.day = day
            slot.events *= _FADE
            slot.seconds *= _FADE
            slot.longest_gap *= _FADE
        return slot


def _index(wall: float) -> int:
    return _kind(wall) * _DAY_SLOTS + int(wall / _HOUR) % _DAY_SLOTS


def _kind(wall: float) -> int:
    weekday = (int(wall / _HOUR / _DAY_SLOTS) + _EPOCH_WEEKDAY) % _WEEK_DAYS
    return max(0, weekday - _SATURDAY + 1)


class EventGaps:
    """Event rhythms of all instances; safe to use from any thread.

    Args:
        thresholds: Number of missing events, and length of a silence, that mean something.
    """

    def __init__(self, thresholds: Thresholds) -> None:
        self._events = thresholds.silence_events
        self._shortest = thresholds.silence_ms / 1_000
        self._rhythms: PerInstance[EventRhythm] = PerInstance()
        self._lock = Lock()

    def watch(self, names: frozenset[str], most_others: int = MOST_OTHERS) -> None:
        """Say which instances are watched: none of them is forgotten.

        Args:
            names: Their names.
            most_others: Other instances to remember.
        """
        with self._lock:
            self._rhythms.watch(names, most_others)

    def event(self, instance: str, wall: float) -> None:
        """Learn from an event."""
        with self._lock:
            rhythm = self._rhythms.get(instance)
            if rhythm is None:
                rhythm = EventRhythm()
                self._rhythms.put(instance, rhythm)
            rhythm.event(wall)

    def age_s(self, instance: str, wall: float) -> float | None:
        """Return the age of the last event, in seconds; None when none ever came."""
        # Without the lock where nothing is known, as of most instances of a large server.
        if instance not in self._rhythms:
            return None
        with self._lock:
            rhythm = self._rhythms.get(instance)
            return None if rhythm is None or rhythm.last is None else max(0.0, wall - rhythm.last)

    def missing(self, instance: str, wall: float) -> float | None:
        """Count the missing events; None where they are too few to mean something."""
        if instance not in self._rhythms:
            return None
        with self._lock:
            rhythm = self._rhythms.get(instance)
            if rhythm is None or rhythm.last is None:
                return None
            age = wall - rhythm.last
            # Both must hold: a longer silence than ever seen, and enough events that are missing.
            if age < self._shortest or age < _LONGEST_GAPS * rhythm.longest_gap(rhythm.last):
                return None
            expected = rhythm.expected_since(wall)
            return expected if expected >= self._events else None
