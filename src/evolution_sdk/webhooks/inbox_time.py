"""The time of an inbox, by which keys grow old: no step of a clock makes an old event new. Pure."""

from __future__ import annotations

from typing import NamedTuple


class Reading(NamedTuple):
    """A reading of the clocks, of when the inbox last looked.

    Attributes:
        at: The inbox's own time, in seconds; it only goes forward.
        steady: Seconds of a clock that only goes forward; it may begin anew when the machine does.
        wall: Seconds since 1970, as the machine believed.
    """

    at: float
    steady: float
    wall: float


def later(last: Reading, steady: float, wall: float) -> Reading:
    """Read the inbox's time: it goes on by what both clocks agree has passed.

    A wall clock that is put forward or back changes nothing then, nor does a machine that starts
    again or a file that moves to another one. In doubt less has passed, and keys are remembered for
    longer.

    Args:
        last: The reading before, perhaps of another process.
        steady: As in :class:`Reading`, now.
        wall: As in :class:`Reading`, now.

    Returns:
        The reading now.
    """
    passed = min(steady - last.steady, wall - last.wall)
    return Reading(last.at + max(0.0, passed), steady, wall)


def worth_writing(last: Reading, now: Reading) -> bool:
    """Tell if a reading is to be kept in place of the one before.

    Args:
        last: The one that is kept.
        now: The latest.
    """
    stepped_back = now.steady < last.steady or now.wall < last.wall
    return stepped_back or now.at - last.at >= 1.0 or now.wall - last.wall >= 1.0
