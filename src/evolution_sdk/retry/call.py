"""One call of the service: in flight from its beginning, a decision once it has failed."""

from __future__ import annotations

from collections import deque

from .book import Tally
from .decision import Attempt, Situation, Steps, decide
from .recording import Recorder, recorded, recorded_at_once
from .waits import Draw

__all__ = ["Call"]


class Call:
    """What is known of one call, and where it is recorded.

    The decision always begins with an attempt and ends when that returns. A call that succeeds at
    once, as nearly all do, therefore needs no decision, and none is made.

    Args:
        situation: What is known about it.
        recorder: Where it is recorded; it counts as in flight from now on.
        draw: Chance, from 0 to 1.
        outer: Errors that an enclosing retry service must not try again; added to.
    """

    __slots__ = ("_draw", "_outer", "_record", "_recorder", "_situation", "_started")

    def __init__(
        self,
        situation: Situation,
        recorder: Recorder,
        draw: Draw,
        outer: deque[BaseException] | None,
    ) -> None:
        self._situation = situation
        self._recorder = recorder
        self._draw = draw
        self._outer = outer
        self._record = recorder.book.begin(situation.operation)
        self._started = recorder.clock()

    def succeeded(self) -> None:
        """The first attempt returned."""
        if self._situation.budget is not None:
            self._situation.budget.succeeded()
        recorded_at_once(self._situation.operation, self._recorder, self._record, self._started)

    def broken_off(self) -> None:
        """The first attempt was cancelled."""
        self._recorder.book.cancelled(self._record, Tally())

    def decision(self) -> Steps:
        """Make the decision; its first step, the attempt that has failed, is taken already."""
        situation, recorder = self._situation, self._recorder
        steps = recorded(
            decide(situation, recorder.clock, self._draw, self._started),
            situation.operation,
            recorder,
            self._record,
            self._started,
            self._outer,
        )
        first = next(steps)
        if not isinstance(first, Attempt):
            raise TypeError(f"A decision begins with an attempt, not with {first!r}.")
        return steps
