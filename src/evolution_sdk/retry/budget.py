"""RetryBudget: a bound on all retries together, so that an outage is not multiplied."""

from __future__ import annotations

from threading import Lock

from evolution_sdk._base.forking import free_in_child, in_child
from evolution_sdk._common.arguments import checked

from .policy import check_number

__all__ = ["RetryBudget"]


@checked()
class RetryBudget:
    """A bucket of retries that many calls share; thread-safe.

    Each retry takes one out. A call that succeeds puts back what it took and earns a little on
    top, so that single failures never run it dry; calls that fail for good leave it emptier.
    During an outage the retries therefore end, and every call is tried once until calls succeed
    again.

    Args:
        capacity: Most retries in it, and what it begins with; at least 1.
        earned_per_success: What a successful call earns, in retries; may be a fraction.

    Raises:
        ConfigurationError: A value is out of range; ``variable`` names it.
    """

    def __init__(self, capacity: float = 500, earned_per_success: float = 0.1) -> None:
        for name, value, least in (
            ("capacity", capacity, 1),
            ("earned_per_success", earned_per_success, 0),
        ):
            check_number(name, value, least)
        self._capacity = float(capacity)
        self._earned = float(earned_per_success)
        self._lock = free_in_child(Lock())
        self._left = self._capacity
        in_child(self._fill)

    def _fill(self) -> None:
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
        """What is left, as a fraction from 0 (used up) to 1 (full)."""
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
            retries: How many.
        """
        self._add(retries)

    def succeeded(self, retries: int = 0) -> None:
        """Note that a call succeeded.

        Args:
            retries: How many it had taken.
        """
        # Read without the lock: a full bucket stays full, and that is the ordinary case.
        if retries or self._left < self._capacity:
            self._add(retries + self._earned)

    def _add(self, retries: float) -> None:
        with self._lock:
            self._left = min(self._capacity, self._left + retries)

    def __repr__(self) -> str:
        return f"RetryBudget(left={self._left:.1f}, capacity={self._capacity:g})"
