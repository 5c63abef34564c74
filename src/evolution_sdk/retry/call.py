"""One call of the service: in flight from its beginning, a decision once it has failed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeAlias

from evolution_sdk._base.effect import Effect
from evolution_sdk._base.harmless import harmless

from .book import Tally
from .budget import RetryBudget
from .decision import Attempt, Situation, Steps, decide
from .labels import Labels
from .policy import RetryPolicy
from .recording import Recorder, recorded, recorded_at_once
from .safety import OnUnknown
from .waits import Draw

__all__ = ["Call", "Known"]

Known: TypeAlias = tuple[
    RetryPolicy,
    str,
    Effect | None,
    OnUnknown,
    str | None,
    Callable[[Exception], bool] | None,
    Collection[BaseException],
    RetryBudget | None,
]
"""The fields of a :class:`Situation`, in its order."""


class Call:
    """What is known of one call, and where it is recorded.

    The decision always begins with an attempt and ends when that returns. A call that succeeds at
    once, as nearly all do, therefore needs no decision, and none is made.

    Args:
        situation: The fields of its :class:`Situation`, in order; one is made when needed.
        recorder: Where it is recorded; it counts as in flight from now on.
        draw: Chance, from 0 to 1.
        outer: Errors that an enclosing retry service must not try again; added to.
    """

    __slots__ = ("_draw", "_known", "_labels", "_outer", "_record", "_recorder", "_started")

    def __init__(
        self,
        situation: Known,
        recorder: Recorder,
        draw: Draw,
        outer: list[BaseException] | None,
    ) -> None:
        self._known = situation
        self._recorder = recorder
        self._draw = draw
        self._outer = outer
        self._labels = Labels(situation[1], situation[4])
        self._record = recorder.book.begin(situation[1], situation[2])
        self._started = recorder.clock()

    def succeeded(self) -> None:
        """The first attempt returned; nothing that is told or counted now may change that."""
        harmless(self._succeeded)

    def _succeeded(self) -> None:
        budget = self._known[-1]
        if budget is not None:
            budget.succeeded()
        recorded_at_once(self._labels, self._recorder, self._record, self._started)

    def broken_off(self) -> None:
        """The first attempt was cancelled."""
        self._recorder.book.cancelled(self._record, Tally())

    def decision(self) -> Steps:
        """Make the decision; its first step, the attempt that has failed, is taken already."""
        situation, recorder = Situation(*self._known), self._recorder
        steps = recorded(
            decide(situation, recorder.clock, self._draw, self._started),
            self._labels,
            recorder,
            self._record,
            self._started,
            self._outer,
        )
        first = next(steps)
        if not isinstance(first, Attempt):
            raise TypeError(f"A decision begins with an attempt, not with {first!r}.")
        return steps
