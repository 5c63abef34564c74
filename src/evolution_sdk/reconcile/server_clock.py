"""The time of a send by the server's own clock, as far as anything proves it.

Proof is the ``messageTimestamp`` of an answered send: whole seconds (Baileys cuts, the other
channels round), read from the server's clock between our request and its answer. The ``Date``
header is none, because a proxy may have written it: it can only make more moments possible.

Pure and thread-safe: moments in, zones out.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from evolution_sdk._base.forking import free_in_child
from evolution_sdk.operations.answers import server_time

__all__ = ["FARTHEST_ZONE_S", "Moment", "Place", "ServerClock", "Window", "Zone", "zone_of"]

Place: TypeAlias = Literal["ours", "doubtful", "before"]
"""Place of a message: in the time of the send, where no clock tells, or surely before it."""

_KEPT = 8
_CUT_S = 1.0  # a time of whole seconds is up to a second older than what it was read from
_ROUNDED_S = 0.5  # or half a second younger
_DRIFT = 1e-4  # how fast two clocks may part
_GUARD_S = 5.0  # added where something is not proven
_LATE_S = 5.0  # the row of a send may be made a little after we gave it up
_DATE_CUT_S = 2.0  # Node renews its Date once a second
_DAY_S = 86_400.0
FARTHEST_ZONE_S = 15 * 3_600.0
"""A clock that runs in a wrong time zone is off by hours; one that is off by more than this is not
reckoned with by who asks for a send of an earlier run."""


class Moment(NamedTuple):
    """One moment on both of our clocks.

    Attributes:
        mono: Seconds that never go back, but may stand still while a computer sleeps.
        wall: Unix seconds, which somebody may set.
    """

    mono: float
    wall: float


class Window(NamedTuple):
    """From when until when, in unix seconds of the server's clock."""

    opens: float
    closes: float


class _Told(NamedTuple):
    """A time that the server made between two moments of ours."""

    seconds: float
    asked: Moment
    answered: Moment


class Zone(NamedTuple):
    """The time in which one send can have happened, in unix seconds of the server's clock.

    Attributes:
        windows: A message made in one of these is from its time.
        earliest: A message made before this is surely older; minus infinity when none is.
        proven: Whether the server itself told its clock; else the windows are guesses.
    """

    windows: tuple[Window, ...]
    earliest: float
    proven: bool

    @property
    def opens(self) -> float:
        """Beginning of the first window."""
        return min(window.opens for window in self.windows) - _CUT_S

    @property
    def since(self) -> float:
        """From when on a look goes through the store; where nothing is proven, the first guess."""
        return self.earliest if math.isfinite(self.earliest) else self.opens

    def bounded(self) -> Zone:
        """Reckon with clocks in wrong time zones where nothing is proven, and with no worse."""
        if self.proven or math.isfinite(self.earliest):
            return self
        return self._replace(earliest=self.opens - FARTHEST_ZONE_S)

    def place(self, told: float | None) -> Place:
        """Say where a message stands.

        Args:
            told: Its ``messageTimestamp``; None when it has none.
        """
        if told is None:
            return "doubtful"
        if any(_meets(told, window) for window in self.windows):
            return "ours"
        return "doubtful" if told + _CUT_S >= self.earliest else "before"


class ServerClock:
    """All that is known of the server's clock, against ours."""

    def __init__(self) -> None:
        self._told: deque[_Told] = deque(maxlen=_KEPT)
        self._dated: tuple[Mapping[str, str], Moment] | None = None
        self._lock = free_in_child(threading.Lock())

    def learn(self, seconds: float, asked: Moment, answered: Moment) -> None:
        """Take the ``messageTimestamp`` of an answered send.

        Args:
            seconds: The timestamp.
            asked: When the request was begun.
            answered: When its answer was there.
        """
        if math.isfinite(seconds) and 0 < seconds < 1e11:
            with self._lock:
                self._told.append(_Told(seconds, asked, answered))

    def dated(self, headers: Mapping[str, str], at: Moment) -> None:
        """Take the ``Date`` of any answer: it widens what is possible, and narrows nothing.

        Args:
            headers: The answer's, with lower-case names; read when they are needed.
            at: When it came.
        """
        self._dated = (headers, at)

    def zone(self, begun: Moment, until: Moment) -> Zone:
        """Say when a send can have happened.

        Args:
            begun: When it was begun.
            until: When it was over at the latest; now, while that is not known.
        """
        with self._lock:
            told = tuple(self._told)
        lasted = max(0.0, until.mono - begun.mono, until.wall - begun.wall) + _LATE_S
        dated = self._by_date(begun)
        if told:
            # By both clocks, as each can fail: one stands still in sleep, the other can be set.
            spans = _agreed([_by_mono(one, begun) for one in told])
            spans += _agreed([_by_wall(one, begun) for one in told])
            earliest = min(span.opens for span in spans) - _GUARD_S
            # Date may only widen the zone; one that is off by a day or more is not believed.
            if dated is not None and 0 < earliest - dated.opens < _DAY_S:
                earliest = dated.opens - _GUARD_S
            return Zone(_lasting(spans, lasted), earliest, proven=True)
        # No answered send yet: guess that the clocks agree, also if ours was set meanwhile.
        guesses = [begun.wall, until.wall - (until.mono - begun.mono)]
        spans = [Window(guess - _GUARD_S, guess + _GUARD_S) for guess in guesses]
        if dated is not None:
            spans.append(Window(dated.opens - _GUARD_S, dated.closes + _GUARD_S))
        return Zone(_lasting(spans, lasted), -math.inf, proven=False)

    def could_be(self, told: float | None, begun: Moment, until: Moment) -> bool:
        """Tell if a send between two moments can have made a message.

        Args:
            told: The message's ``messageTimestamp``.
            begun: When the send was begun.
            until: When it was over.
        """
        zone = self.zone(begun, until)
        return not zone.proven or (
            zone.place(told) != "before"
            and (told is None or any(told - _ROUNDED_S <= window.closes for window in zone.windows))
        )

    def _by_date(self, begun: Moment) -> Window | None:
        """Translate a moment by the last ``Date``."""
        if self._dated is None:
            return None
        headers, at = self._dated
        seconds = server_time(headers)
        if seconds is None:
            return None
        low = seconds + min(begun.mono - at.mono, begun.wall - at.wall)
        return Window(low - _CUT_S, low + _DATE_CUT_S)


def zone_of(told: Sequence[tuple[float, Moment, Moment]], begun: Moment, until: Moment) -> Zone:
    """Say when a send of an earlier run can have happened, by what was written down then.

    Where the times contradict each other, a clock was set: each of them may be the one that holds,
    so that more of them never make a message older than it was.

    Args:
        told: Times that the server told, each with the moments before and after: of the clock that
            told ``begun``, so of the same computer. ``mono`` is ``nan`` where it cannot be compared
            with ``begun``'s, as after a restart of the computer.
        begun: When the send was begun.
        until: When it was over at the latest; now, while that is not known. ``mono`` is ``nan``
            where it cannot be compared; ``wall`` infinite where no clock compares, as when another
            computer asks: then all since the begin is from its time.

    Returns:
        The zone; not proven, and wide, where nothing was told.
    """
    steady_s = until.mono - begun.mono
    lasted_s = max(0.0, until.wall - begun.wall, steady_s if math.isfinite(steady_s) else 0.0)
    begins = [begun.wall]
    if steady_s >= 0 and math.isfinite(until.wall - steady_s):
        # Ours may have been set since.
        begins.append(until.wall - steady_s)
    kept = [one for one in (_Told(*each) for each in told) if _usable(one)]
    if not kept:
        spans = [Window(wall - _GUARD_S, wall + _GUARD_S) for wall in begins]
        return Zone(_lasting(spans, lasted_s + _LATE_S), -math.inf, proven=False).bounded()
    steady = [_by_mono(one, begun) for one in kept if math.isfinite(one.asked.mono - begun.mono)]
    by_wall = [[_by_set_wall(one, wall) for one in kept] for wall in begins]
    # What is surely before it must be so by each single time: what several agree on may be narrow
    # by chance, where one of the requests was slow and a clock was set a little.
    earliest = min(span.opens for spans in (steady, *by_wall) for span in spans) - _GUARD_S
    windows = [span for spans in (steady, *by_wall) if spans for span in _agreed(spans)]
    return Zone(_lasting(windows, lasted_s + _LATE_S), earliest, proven=True)


def _usable(one: _Told) -> bool:
    """Tell if a time that was read from a store can be reckoned with."""
    return math.isfinite(one.asked.wall + one.answered.wall) and 0 < one.seconds < 1e11


def _by_set_wall(one: _Told, begun: float) -> Window:
    """Bound the server's time by our wall clock, which may have been set during the request."""
    passed = one.answered.wall - one.asked.wall - (one.answered.mono - one.asked.mono)
    set_by = abs(passed) if math.isfinite(passed) else 0.0
    span = _span(one, begun - one.answered.wall, begun - one.asked.wall)
    return Window(span.opens - set_by, span.closes + set_by)


def _by_mono(one: _Told, begun: Moment) -> Window:
    return _span(one, begun.mono - one.answered.mono, begun.mono - one.asked.mono)


def _by_wall(one: _Told, begun: Moment) -> Window:
    return _span(one, begun.wall - one.answered.wall, begun.wall - one.asked.wall)


def _span(one: _Told, since_answer: float, since_asking: float) -> Window:
    """Bounds of the server's time at a moment so long after an answered send."""
    low, high = sorted((since_answer, since_asking))
    drift = _DRIFT * max(abs(low), abs(high))
    return Window(one.seconds - _ROUNDED_S + low - drift, one.seconds + _CUT_S + high + drift)


def _agreed(spans: list[Window]) -> list[Window]:
    """Keep what all agree on; each by itself when a clock was set, or two servers answer."""
    opens, closes = max(span.opens for span in spans), min(span.closes for span in spans)
    return [Window(opens, closes)] if opens <= closes else spans


def _lasting(spans: list[Window], seconds: float) -> tuple[Window, ...]:
    return tuple(dict.fromkeys(Window(span.opens, span.closes + seconds) for span in spans))


def _meets(told: float, window: Window) -> bool:
    return window.opens <= told + _CUT_S and told - _ROUNDED_S <= window.closes
