"""RetryBudget: a bound on all retries together, so that they do not multiply an outage."""

from __future__ import annotations

from threading import Lock

from evolution_sdk._base.forking import free_in_child, in_child
from evolution_sdk._common.arguments import checked, misconfigured
from evolution_sdk._common.rules import kind_of
from evolution_sdk.config._retry import BUDGET_CAPACITY, BUDGET_EARNED

__all__ = ["RetryBudget"]

# Far beyond any count, and well within what a float holds exactly.
_MOST_RETRIES = 1_000_000_000_000


@checked(but=("succeeded",))
class RetryBudget:
    """A bucket of retries that many calls share; thread-safe.

    Each retry takes one out. A call that succeeds puts back what it took and earns a little on
    top, so that single failures never run it dry; calls that fail for good leave it emptier.
    During an outage the retries therefore end, and every call is tried once until calls succeed
    again.

    Args:
        capacity: Most retries in it, and the number it begins with; at least 1. Default: 500.
        earned_per_success: Retries that a successful call earns; may be a fraction. Default: 0.1.

    Raises:
        ConfigurationError: A value is out of range; ``variable`` names it.
    """

    def __init__(
        self,
        capacity: float = BUDGET_CAPACITY.default,
        earned_per_success: float = BUDGET_EARNED.default,
    ) -> None:
        BUDGET_CAPACITY.check(capacity, "capacity")
        BUDGET_EARNED.check(earned_per_success, "earned_per_success")
        self._capacity = float(capacity)
        self._earned = float(earned_per_success)
        self._lock = free_in_child(Lock())
        self._left = self._capacity
        in_child(self._fill)

    def _fill(self) -> None:
        # A forked worker has made no retries yet: it has a full budget of its own.
        self._left = self._capacity

    @property
    def capacity(self) -> float:
        """Most retries in it."""
        return self._capacity

    @property
    def left(self) -> float:
        """Retries that are left now, from 0 to :attr:`capacity`."""
        return self._left

    @property
    def level(self) -> float:
        """Retries that are left, as a fraction from 0 (used up) to 1 (full)."""
        return self._left / self._capacity

    def take(self) -> bool:
        """Take one retry out.

        Returns:
            False when less than one is left; nothing is taken then.
        """
        with self._lock:
            if self._left < 1:
                return False
            self._left -= 1
            return True

    def put_back(self, retries: int = 1) -> None:
        """Put retries back that were taken and not made.

        Args:
            retries: Number of retries.
        """
        self._add(retries)

    def succeeded(self, retries: int = 0) -> None:
        """Note that a call succeeded.

        Args:
            retries: Number of retries it had taken. Default: 0.

        Raises:
            ConfigurationError: ``retries`` is no whole number, below 0 or beyond 1,000,000,000,000.
        """
        # Checked here and not by the decorator, which costs more than the rest of this method:
        # every call that succeeds comes by.
        if type(retries) is not int:
            raise misconfigured("retries", f"must be a whole number, not {kind_of(retries)}")
        if not 0 <= retries <= _MOST_RETRIES:
            raise misconfigured("retries", f"must be from 0 to {_MOST_RETRIES}")
        # Read without the lock: a full bucket stays full, and that is the ordinary case.
        if retries or self._left < self._capacity:
            self._add(retries + self._earned)

    def _add(self, retries: float) -> None:
        with self._lock:
            self._left = min(self._capacity, self._left + retries)

    def __repr__(self) -> str:
        return f"RetryBudget(left={self._left:.1f}, capacity={self._capacity:g})"
