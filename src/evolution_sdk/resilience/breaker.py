"""One circuit breaker: closed, open, half-open. Pure except for its lock; time is an argument."""

from __future__ import annotations

import threading
from collections import deque
from enum import StrEnum
from typing import NamedTuple

from evolution_sdk._base.forking import free_in_child
from evolution_sdk._base.sliding_window import SlidingWindow
from evolution_sdk.config import BreakerConfig

__all__ = ["BreakerSnapshot", "BreakerState", "CallOutcome", "CircuitBreaker", "Permit", "Refusal"]

# The window is counted in parts, so that it costs the same for any number of calls.
_PARTS = 10
# A wait to suggest while the probes run; it is unknown when they will end.
_PROBES_UNDER_WAY_MS = 1_000.0


class BreakerState(StrEnum):
    """State of a breaker, which decides about the next call."""

    CLOSED = "closed"
    """Lets all calls through."""
    OPEN = "open"
    """Lets no call through."""
    HALF_OPEN = "half_open"
    """Lets a few trial calls (probes) through, to see if the failures are over."""


class CallOutcome(StrEnum):
    """Outcome of one attempt, as a breaker counts it."""

    SUCCESS = "success"
    FAILURE = "failure"
    IGNORED = "ignored"
    """Cancelled, or not about this server or instance: does not count."""


class BreakerSnapshot(NamedTuple):
    """State and counters of a breaker at one moment.

    Attributes:
        state: The state.
        failure_rate: Share of failed attempts in the window, 0 to 1; 0 without attempts.
        calls: Attempts in the window.
        opened_for_ms: Time since it opened, in milliseconds; 0 while closed.
        reason: Why it opened, in words; empty while closed.
    """

    state: BreakerState
    failure_rate: float
    calls: int
    opened_for_ms: float
    reason: str = ""


class Refusal(NamedTuple):
    """Refusal of a call, with the time to wait before the next try.

    Attributes:
        retry_after_ms: The wait in milliseconds.
    """

    retry_after_ms: float


Permit = int
"""Generation of the breaker that an attempt began in. Its outcome is not counted in a later one."""


def _no_calls() -> list[int]:
    """Make a part of the window: calls, and the failed ones among them."""
    return [0, 0]


class CircuitBreaker:
    """Lets calls through or refuses them, depending on the outcomes of earlier calls.

    Args:
        config: Thresholds and times.
        now: The present, in seconds of a monotonic clock, as for all methods.

    Attributes:
        state: The state at the last call (read only). An open breaker lets probes through once its
            time is over.
        generation: Number of state changes so far, and the permit of calls begun while closed
            (read only).
        reason: Why it opened, in words; empty while closed (read only).
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
        "_probing",
        "_proved",
        "_window",
        "generation",
        "reason",
        "state",
    )

    def __init__(self, config: BreakerConfig, now: float) -> None:
        self._config = config
        self._lock = free_in_child(threading.Lock())
        self._window: SlidingWindow[list[int]] = SlidingWindow(
            now, config.window_ms / 1_000 / _PARTS, _PARTS, _no_calls, self._leave_window
        )
        self.state: BreakerState = BreakerState.CLOSED
        self.generation: Permit = 0
        self._moves: deque[tuple[BreakerState, BreakerState]] = deque()
        self._opened_at = 0.0
        self._early_used = False
        self.reason: str = ""
        self._forget()

    def _forget(self) -> None:
        self._window.clear()
        self._calls = self._failures = self._in_a_row = 0
        self._probing = self._proved = 0

    def refuses(self, now: float) -> Refusal | None:
        """Return the refusal that a call would get now, without counting a call.

        Args:
            now: The time, in seconds.

        Returns:
            The refusal, or None if the call would be let through.
        """
        if self.state is BreakerState.CLOSED:
            return None
        with self._lock:
            return self._refusal(now)

    def acquire(self, now: float) -> Permit | Refusal:
        """Ask for permission to make one call; a permit must be followed by :meth:`record`.

        Args:
            now: The time, in seconds.

        Returns:
            A permit, or the refusal.
        """
        # Read without the lock, so that a healthy server costs nothing. A breaker that opens at
        # this moment lets one more call through.
        if self.state is BreakerState.CLOSED:
            return self.generation
        with self._lock:
            refusal = self._refusal(now)
            if refusal is not None:
                return refusal
            if self.state is BreakerState.OPEN:
                self._early_used = False  # a full period has passed, so one early try is free again
                self._turn(BreakerState.HALF_OPEN)
            if self.state is BreakerState.HALF_OPEN:
                self._probing += 1
            return self.generation

    def try_early(self) -> bool:
        """Half-open an open breaker before its time, because the other side was seen to be well.

        This works once per period. If the probes fail nevertheless, the breaker stays open for a
        full period, so that repeated early tries cannot keep up the load on a failing server.

        Returns:
            True if the state has changed.
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
        """Record the outcome of an attempt.

        Args:
            permit: The result of :meth:`acquire` for it.
            outcome: The outcome; IGNORED gives the place of a probe back.
            now: The time, in seconds.
            cause: The failure in words, for :attr:`reason`.

        Returns:
            True if the state has changed.
        """
        with self._lock:
            # A slow call that began before the breaker opened must not close or reopen it.
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
        """Return the earliest change of state not fetched yet, as old and new state, or None."""
        try:
            return self._moves.popleft()  # atomic: each is fetched once
        except IndexError:
            return None

    def snapshot(self, now: float) -> BreakerSnapshot:
        """Return state and counters.

        Args:
            now: The time, in seconds.

        Returns:
            A snapshot, which does not change later.
        """
        with self._lock:
            self._window.at(now)
            opened = 0.0 if self.state is BreakerState.CLOSED else (now - self._opened_at) * 1_000
            return BreakerSnapshot(self.state, self._rate(), self._calls, opened, self.reason)

    def is_idle(self, now: float) -> bool:
        """Tell if a new breaker would do the same: closed, and no failure in the window.

        Args:
            now: The time, in seconds.
        """
        with self._lock:
            self._window.at(now)
            return self.state is BreakerState.CLOSED and not self._failures and not self._moves

    def succeeds(self, now: float) -> bool:
        """Tell if it is closed and the last attempt did not fail; see also :meth:`is_idle`."""
        with self._lock:
            self._window.at(now)
            return self.state is BreakerState.CLOSED and not self._in_a_row

    def _refusal(self, now: float) -> Refusal | None:
        if self.state is BreakerState.OPEN:
            left_ms = self._config.open_ms - (now - self._opened_at) * 1_000
            return Refusal(left_ms) if left_ms > 0 else None
        if self.state is BreakerState.HALF_OPEN:
            # A probe that succeeded keeps its place: only so many are made before a decision.
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
                self._window.at(now)

    def _count(self, outcome: CallOutcome, now: float, cause: str) -> None:
        part = self._window.at(now)
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

    def _leave_window(self, part: list[int]) -> None:
        self._calls -= part[0]
        self._failures -= part[1]

    def _rate(self) -> float:
        return self._failures / self._calls if self._calls else 0.0

    def _open(self, now: float, what: str, cause: str) -> None:
        self._turn(BreakerState.OPEN)
        self._opened_at = now
        self.reason = f"{what}, last: {cause}" if cause else what

    def _turn(self, state: BreakerState) -> None:
        """Change the state and begin a new generation, which ignores earlier attempts."""
        self._moves.append((self.state, state))
        self.state = state
        self.generation += 1
        self._in_a_row = self._probing = self._proved = 0
        # The counts that opened it stay visible in snapshots until they leave the window.
        if state is BreakerState.CLOSED:
            self._forget()
            self._early_used, self.reason = False, ""
