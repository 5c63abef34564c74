"""The clock of an inbox, for the age of keys: no step of a clock makes an old event new. Pure."""

from __future__ import annotations

from typing import NamedTuple


class ClockReading(NamedTuple):
    """A reading of all clocks at one moment.

    Attributes:
        at: Time of the inbox, in seconds; it only goes forward.
        steady: Seconds of a clock that only goes forward; it may begin anew with the machine.
        wall: Seconds since 1970 by the machine's clock.
    """

    at: float
    steady: float
    wall: float


def advance_clock(last: ClockReading, steady: float, wall: float) -> ClockReading:
    """Advance the time of the inbox by the time that both clocks agree has passed.

    A step of the wall clock then changes nothing, nor does a machine that starts again, or a file
    that moves to another machine. In doubt the time advances less, and keys are remembered for
    longer.

    Args:
        last: The reading before, perhaps of another process.
        steady: The steady clock now, in seconds.
        wall: The wall clock now, in seconds since 1970.

    Returns:
        The reading now.
    """
    passed = min(steady - last.steady, wall - last.wall)
    return ClockReading(last.at + max(0.0, passed), steady, wall)


def worth_writing(last: ClockReading, now: ClockReading) -> bool:
    """Tell if a reading is to be stored in place of the one before.

    Args:
        last: The stored one.
        now: The latest.

    Returns:
        True once a second, and after a step back.
    """
    # Once a second is often enough for keys that live a day, and spares a write per event.
    stepped_back = now.steady < last.steady or now.wall < last.wall
    return stepped_back or now.at - last.at >= 1.0 or now.wall - last.wall >= 1.0
