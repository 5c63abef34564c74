"""One circuit breaker: closed, open, half-open. Pure but for its lock: time is an argument."""

from __future__ import annotations

import threading
from collections import deque
from enum import StrEnum
from typing import NamedTuple

from evolution_sdk._base.forking import free_in_child
from evolution_sdk.config import BreakerConfig

__all__ = ["BreakerSnapshot", "BreakerState", "CallOutcome", "CircuitBreaker", "Permit", "Refusal"]

_PARTS = 10
# Nobody knows when a probe under way ends.
_PROBES_UNDER_WAY_MS = 1_000.0


class BreakerState(StrEnum):
    """What a breaker does with the next call."""

    CLOSED = "closed"
    """Lets all through."""
    OPEN = "open"
    """Lets none through."""
    HALF_OPEN = "half_open"
    """Lets a few through, to see whether it has passed."""


class CallOutcome(StrEnum):
    """What the end of one attempt says."""

    SUCCESS = "success"
    FAILURE = "failure"
    IGNORED = "ignored"
    """Cancelled, or somebody else's fault: counts neither way."""


class BreakerSnapshot(NamedTuple):
    """A breaker at one moment.

    Attributes:
        state: What it does with the next call.
        failure_rate: Share of failed attempts in the window, 0 to 1; 0 without any.
        calls: Attempts in the window.
        opened_for_ms: Time since it opened, in milliseconds; 0 while closed.
        reason: What opened it, in words; empty while closed.
    """

    state: BreakerState
    failure_rate: float
    calls: int
    opened_for_ms: float
    reason: str = ""


class Refusal(NamedTuple):
    """Why a call is not let through: come back in so many milliseconds."""

    retry_after_ms: float


Permit = int
"""Which life of the breaker an attempt began in: its outcome says nothing about a later one."""


class CircuitBreaker:
    """Decides whether a call is worth trying, by how the ones before it went.

    Args:
        config: When it opens, and for how long.
        now: The time at its making, in seconds that never go back, as for all its methods.

    Attributes:
        state: What it did with the last call; an open one lets probes through when its time is up.
        generation: The permit of those who begin while it is closed.
        reason: What opened it, in words; empty while closed. For reading only, all three.
    """

    __slots__ = (
        "_calls",
        "_config",
        "_early_used",
        "_failures",
        "_in_a_row",
        "_lock",
        "_moves",
        "_opened_at",
        "_part",
        "_part_s",
        "_parts",
        "_probing",
        "_proved",
        "generation",
        "reason",
        "state",
    )

    def __init__(self, config: BreakerConfig, now: float) -> None:
        self._config = config
        self._lock = free_in_child(threading.Lock())
        self._part_s = config.window_ms / 1_000 / _PARTS
        self._part = int(now // self._part_s)
        self.state: BreakerState = BreakerState.CLOSED
        self.generation: Permit = 0
        self._moves: deque[tuple[BreakerState, BreakerState]] = deque()
        self._opened_at = 0.0
        self._early_used = False
        self.reason: str = ""
        self._forget()

    def _forget(self) -> None:
        self._parts: list[list[int]] = [[0, 0] for _ in range(_PARTS)]
        self._calls = self._failures = self._in_a_row = 0
        self._probing = self._proved = 0

    def refuses(self, now: float) -> Refusal | None:
        """Whether a call would be refused; takes no place.

        Args:
            now: The time, in seconds.

        Returns:
            None when it would be let through.
        """
        if self.state is BreakerState.CLOSED:
            return None
        with self._lock:
            return self._refusal(now)

    def acquire(self, now: float) -> Permit | Refusal:
        """Ask for leave to try; with a permit, :meth:`record` must follow.

        Args:
            now: The time, in seconds.

        Returns:
            A permit, or the refusal.
        """
        if self.state is BreakerState.CLOSED:  # read without the lock: late by one call at most
            return self.generation
        with self._lock:
            refusal = self._refusal(now)
            if refusal is not None:
                return refusal
            if self.state is BreakerState.OPEN:
                self._early_used = False  # a full period has passed
                self._turn(BreakerState.HALF_OPEN)
            if self.state is BreakerState.HALF_OPEN:
                self._probing += 1
            return self.generation

    def try_early(self) -> bool:
        """Half-open an open one before its time, since the other side was seen to be well.

        Once per period: when the calls let through fail all the same, it stays open for a full
        period, whatever else is seen, so that nobody can hammer through it.

        Returns:
            Whether the state has changed.
        """
        if self.state is not BreakerState.OPEN:
            return False
        with self._lock:
            if self.state is not BreakerState.OPEN or self._early_used:
                return False
            self._early_used = True
            self._turn(BreakerState.HALF_OPEN)
            return True

    def record(self, permit: Permit, outcome: CallOutcome, now: float, cause: str = "") -> bool:
        """Say how an attempt ended.

        Args:
            permit: What :meth:`acquire` gave for it.
            outcome: How it ended; IGNORED gives the place of a probe back.
            now: The time, in seconds.
            cause: What failed, in words, for :attr:`reason`.

        Returns:
            Whether the state has changed.
        """
        with self._lock:
            if permit != self.generation:
                return False
            before = self.state
            if before is BreakerState.CLOSED:
                if outcome is not CallOutcome.IGNORED:
                    self._count(outcome, now, cause)
            elif before is BreakerState.HALF_OPEN:
                self._probed(outcome, now, cause)
            return self.state is not before

    def next_move(self) -> tuple[BreakerState, BreakerState] | None:
        """The earliest change of state, old and new, that nobody has fetched; or None."""
        try:
            return self._moves.popleft()  # atomic: each is fetched once
        except IndexError:
            return None

    def snapshot(self, now: float) -> BreakerSnapshot:
        """How it stands.

        Args:
            now: The time, in seconds.

        Returns:
            A copy that stays as it is.
        """
        with self._lock:
            self._advance(now)
            opened = 0.0 if self.state is BreakerState.CLOSED else (now - self._opened_at) * 1_000
            return BreakerSnapshot(self.state, self._rate(), self._calls, opened, self.reason)

    def _refusal(self, now: float) -> Refusal | None:
        if self.state is BreakerState.OPEN:
            left_ms = self._config.open_ms - (now - self._opened_at) * 1_000
            return Refusal(left_ms) if left_ms > 0 else None
        if self.state is BreakerState.HALF_OPEN:
            taken = self._probing + self._proved >= self._config.probes
            return Refusal(_PROBES_UNDER_WAY_MS) if taken else None
        return None

    def _probed(self, outcome: CallOutcome, now: float, cause: str) -> None:
        self._probing -= 1
        if outcome is CallOutcome.FAILURE:
            self._open(now, "a trial call failed", cause)
        elif outcome is CallOutcome.SUCCESS:
            self._proved += 1
            if self._proved >= self._config.probes:
                self._turn(BreakerState.CLOSED)
                self._part = int(now // self._part_s)

    def _count(self, outcome: CallOutcome, now: float, cause: str) -> None:
        self._advance(now)
        part = self._parts[self._part % _PARTS]
        part[0] += 1
        self._calls += 1
        if outcome is CallOutcome.SUCCESS:
            self._in_a_row = 0
            return
        part[1] += 1
        self._failures += 1
        self._in_a_row += 1
        enough = self._calls >= self._config.minimum_calls
        if self._in_a_row >= self._config.consecutive_failures:
            self._open(now, f"{self._in_a_row} failures in a row", cause)
        elif enough and self._rate() >= self._config.failure_rate:
            self._open(now, f"{self._failures} of {self._calls} attempts failed", cause)

    def _advance(self, now: float) -> None:
        """Let go of what has left the window; a clock that goes back changes nothing."""
        part = int(now // self._part_s)
        if part <= self._part:
            return
        for number in range(max(self._part + 1, part - _PARTS + 1), part + 1):
            old = self._parts[number % _PARTS]
            self._calls -= old[0]
            self._failures -= old[1]
            old[0] = old[1] = 0
        self._part = part

    def _rate(self) -> float:
        return self._failures / self._calls if self._calls else 0.0

    def _open(self, now: float, what: str, cause: str) -> None:
        calls, failures, parts = self._calls, self._failures, self._parts
        self._turn(BreakerState.OPEN)
        # What opened it stays visible until it has left the window.
        self._calls, self._failures, self._parts = calls, failures, parts
        self._opened_at = now
        self.reason = f"{what}, last: {cause}" if cause else what

    def _turn(self, state: BreakerState) -> None:
        """Begin a new life: what began before is not heard any more."""
        self._moves.append((self.state, state))
        self.state = state
        self.generation += 1
        if state is BreakerState.HALF_OPEN:
            self._probing = self._proved = 0
        else:
            self._forget()
        if state is BreakerState.CLOSED:
            self._early_used, self.reason = False, ""
