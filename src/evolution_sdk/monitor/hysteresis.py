"""Holds the state of health in force: not every wobble of the verdicts is a change."""

from __future__ import annotations

from collections import deque

from evolution_sdk.config._monitoring import Thresholds

from .health import HealthVerdict
from .sample import STATUSES, HealthStatus, worst

__all__ = ["Stabilizer"]


class Stabilizer:
    """The state in force of one thing, moved by verdicts.

    The first verdict counts at once, and so does a fact that is worse. A measurement that is worse
    counts when enough of the last checks agree. It gets better after good checks in a row, and
    while flapping only after a long time without trouble.

    Args:
        limits: Numbers of checks, and the limits of flapping.
    """

    def __init__(self, limits: Thresholds) -> None:
        self._limits = limits
        self.status: HealthStatus = "unknown"
        self._begun = False
        self._recent: deque[HealthStatus] = deque(
            maxlen=max(limits.worsen_of, limits.recover_checks, limits.recover_measured_checks)
        )
        self._changes: deque[float] = deque(maxlen=limits.flap_changes)
        self._trouble_at = float("-inf")
        self._by_fact = True
        self._because: tuple[str, ...] = ()

    def reasons(self, verdict: HealthVerdict, now: float) -> tuple[str, ...]:
        """Give the reasons for the state in force.

        Args:
            verdict: The verdict of the last check, which :meth:`step` has taken.
            now: Seconds that never go back.

        Returns:
            The reasons of the check; while an earlier state is held, those it was reached by.
        """
        found = verdict.reasons
        # The usual case, of thousands of instances at each check.
        if verdict.status == self.status and len(self._changes) < self._limits.flap_changes:
            return found
        if STATUSES.index(verdict.status) < STATUSES.index(self.status):
            was = f"; was: {'; '.join(self._because)}" if self._because else ""
            found = (*found, f"recovering: {self._progress(now)}{was}")
        if self.flapping(now):
            found = (*found, "it changes too often: held until it has been quiet for a while")
        return found

    def _progress(self, now: float) -> str:
        needed = self._needed
        good = 0
        for status in reversed(self._recent):
            if STATUSES.index(status) >= STATUSES.index(self.status):
                break
            good += 1
        if good >= needed and self.flapping(now):
            quiet, hold = now - self._trouble_at, self._limits.flap_hold_ms / 1_000
            return f"quiet for {quiet:.0f} of {hold:.0f} s"
        return f"{min(good, needed)} of {needed} good checks"

    @property
    def _needed(self) -> int:
        limits = self._limits
        return limits.recover_checks if self._by_fact else limits.recover_measured_checks

    def flapping(self, now: float) -> bool:
        """Tell if it has changed too often lately."""
        # As many changes as count, close together, and the last of them not long ago.
        full = len(self._changes) == self._limits.flap_changes
        return (
            full
            and now - self._changes[0]
            <= (self._limits.flap_window_ms + self._limits.flap_hold_ms) / 1_000
            and self._span_s() <= self._limits.flap_window_ms / 1_000
        )

    def step(self, verdict: HealthVerdict, now: float) -> bool:
        """Take the verdict of a check.

        Args:
            verdict: The verdict of the check.
            now: Seconds that never go back.

        Returns:
            Whether the state in force has changed.
        """
        self._recent.append(verdict.status)
        # Well as before, as nearly all of thousands are at each check: nothing moves.
        if verdict.status == "healthy" == self.status:
            self._begun, self._because = True, verdict.reasons
            return False
        # Every bad check counts, also one that changes nothing: flapping ends after quiet only.
        if verdict.status != "healthy":
            self._trouble_at = now
        target = self._target(verdict, now)
        # A state reached by a fact is left sooner than one reached by measurements.
        if verdict.status == target != "healthy":
            self._by_fact = verdict.hard
        if STATUSES.index(verdict.status) >= STATUSES.index(target):
            self._because = verdict.reasons
        if target == self.status:
            self._begun = True
            return False
        self.status = target
        # The first verdict is no change: nothing was known before.
        if self._begun:
            self._changes.append(now)
        self._begun = True
        return True

    def _target(self, verdict: HealthVerdict, now: float) -> HealthStatus:
        status = verdict.status
        if not self._begun:
            return status
        rank, current = STATUSES.index(status), STATUSES.index(self.status)
        if rank > current:
            return status if verdict.hard else self._agreed(current)
        if rank < current:
            return self._better(now)
        return self.status

    def _agreed(self, current: int) -> HealthStatus:
        """Return the best state that enough of the last checks are at least as bad as."""
        # With 2 of 3 checks, the second worst is the one that two of them reach.
        recent = list(self._recent)[-self._limits.worsen_of :]
        ranks = sorted((STATUSES.index(status) for status in recent), reverse=True)
        if len(ranks) < self._limits.worsen_checks:
            return self.status
        return STATUSES[max(current, ranks[self._limits.worsen_checks - 1])]

    def _better(self, now: float) -> HealthStatus:
        needed = self._needed
        last = list(self._recent)[-needed:]
        # The worst of the last good checks: recovery goes no further than all of them agree on.
        candidate = worst(*last)
        if len(last) < needed:
            return self.status
        if STATUSES.index(candidate) >= STATUSES.index(self.status):
            return self.status
        hold = self._limits.flap_hold_ms / 1_000
        if self.flapping(now) and now - self._trouble_at < hold:
            return self.status
        return candidate

    def _span_s(self) -> float:
        return self._changes[-1] - self._changes[0]
