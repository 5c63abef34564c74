"""Runs of equal status over the last week: strips, uptime, and why the status changed. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from evolution_sdk.monitor.sample import STATUSES, UP, HealthStatus

__all__ = ["DAY_S", "LETTERS", "WEEK_S", "StatusChange", "StatusStrip", "Unknown"]

DAY_S: Final = 86_400.0
WEEK_S: Final = 7 * DAY_S
LETTERS: Final[dict[HealthStatus, str]] = {
    "healthy": "h",
    "degraded": "d",
    "unhealthy": "u",
    "unknown": "?",
}
"""A status in one letter, as strips and series name it."""

_MOST_RUNS: Final = 4_000
_MOST_CHANGES: Final = 20
# More runs than that cannot be told apart on a page.
_MOST_SHOWN: Final = 150
_PARTS: Final = 288


@dataclass(slots=True)
class _Run:
    begin: float
    end: float
    status: HealthStatus


@dataclass(frozen=True, slots=True)
class StatusChange:
    """Another status came into force.

    Attributes:
        at: When, in unix seconds.
        before: The status before; None at the beginning, and after a time of which nothing is
            known.
        status: The status since.
        reasons: Why, in words.
    """

    at: float
    before: HealthStatus | None
    status: HealthStatus
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing is known from here on: no checks were made.

    Attributes:
        at: Time of the last check, in unix seconds.
    """

    at: float


class StatusStrip:
    """The status of one instance, or of the whole, over the last week.

    Args:
        gap_s: Time without a check after which nothing is known, in seconds.
    """

    def __init__(self, gap_s: float) -> None:
        self._gap = gap_s
        self._runs: deque[_Run] = deque(maxlen=_MOST_RUNS)
        self.changes: deque[StatusChange] = deque(maxlen=_MOST_CHANGES)

    def saw(self, at: float, status: HealthStatus, reasons: tuple[str, ...]) -> StatusChange | None:
        """Take in the status at a check.

        Args:
            at: Time of the check, in unix seconds.
            status: The status in force.
            reasons: Why, in words.

        Returns:
            The change that it is; None where it goes on.
        """
        last = self._runs[-1] if self._runs else None
        known = last is not None and at - last.end <= self._gap
        if last is not None and known:
            last.end = max(last.end, at)
            if last.status == status:
                return None
        change = StatusChange(at, last.status if last and known else None, status, reasons)
        self._runs.append(_Run(at, at, status))
        self.changes.append(change)
        self._forget(at - WEEK_S)
        return change

    def load(self, changes: Iterable[StatusChange | Unknown]) -> None:
        """Take in what was written down before.

        Args:
            changes: Changes, the oldest first.
        """
        for each in changes:
            last = self._runs[-1] if self._runs else None
            if last is not None and last.end == last.begin:
                last.end = max(last.begin, each.at)
            if isinstance(each, Unknown):
                continue
            self._runs.append(_Run(each.at, each.at, each.status))
            self.changes.append(each)

    @property
    def since(self) -> float | None:
        """Time since which the status is in force, in unix seconds; None before the first check."""
        return self._runs[-1].begin if self._runs else None

    def uptime(self, now: float, span_s: float) -> float | None:
        """Return the share of the known time in which it was healthy or degraded.

        Args:
            now: Unix seconds.
            span_s: How far to look back, in seconds.

        Returns:
            From 0 to 1; None while nothing is known.
        """
        begin, up, known = now - span_s, 0.0, 0.0
        for run in reversed(self._runs):
            if run.end < begin:
                break
            if run.status == "unknown":
                continue
            lasted = run.end - max(run.begin, begin)
            known += lasted
            if run.status in UP:
                up += lasted
        return up / known if known else None

    def runs(self, now: float, span_s: float) -> list[list[float | str | None]]:
        """Return the runs of the last time, the oldest first: begin, end, and the status's letter.

        Args:
            now: Unix seconds.
            span_s: How far to look back, in seconds.

        Returns:
            The runs; the end of the one that goes on is None. Of very many, those that share a
            288th of the time become one, of the worst status.
        """
        begin = now - span_s
        found = [run for run in self._runs if run.end >= begin]
        if len(found) > _MOST_SHOWN:
            found = _coarse(found, begin, span_s / _PARTS)
        shown: list[list[float | str | None]] = [
            [round(max(run.begin, begin), 1), round(run.end, 1), LETTERS[run.status]]
            for run in found
        ]
        if shown and now - self._runs[-1].end <= self._gap:
            shown[-1][1] = None
        return shown

    def _forget(self, before: float) -> None:
        while self._runs and self._runs[0].end < before:
            self._runs.popleft()


def _coarse(runs: Sequence[_Run], begin: float, step_s: float) -> list[_Run]:
    """Join the runs that begin in the same part of the time; the worst status of a part counts."""
    joined: list[_Run] = []
    part = -1
    for run in runs:
        number = int((max(run.begin, begin) - begin) / step_s)
        last = joined[-1] if joined else None
        if last is not None and number == part:
            last.end = run.end
            if STATUSES.index(run.status) > STATUSES.index(last.status):
                last.status = run.status
        elif last is not None and last.status == run.status and run.begin - last.end <= step_s:
            last.end, part = run.end, number
        else:
            joined.append(_Run(run.begin, run.end, run.status))
            part = number
    return joined
