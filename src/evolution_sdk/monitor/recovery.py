"""Whether to restart an instance that does not come back by itself: a policy without I/O."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from evolution_sdk._common.arguments import checked
from evolution_sdk.errors import ConfigurationError

from .alert import Alert, Pairing
from .probe import InstanceReading, ProbeRequest, ProbeResult

__all__ = ["RecoveryAction", "RecoveryPlanner", "RecoveryPolicy"]

NoticeKind: TypeAlias = Literal["pairing_needed", "recovery_exhausted", "recovery_impossible"]


@checked()
@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryPolicy:
    """How the monitor brings instances back.

    A closed instance is connected and a dead socket restarted at once; one that stays
    ``connecting`` is restarted after some checks. Never does it restart for a refused key or an
    instance that does not exist: these raise an alert at once.

    Attributes:
        failed_checks: Checks in ``connecting`` before a restart.
        max_restarts: Most restarts and connects within ``budget_window_ms``, per instance.
        budget_window_ms: See ``max_restarts``, in milliseconds.
        cooldown_ms: Shortest time between two of them, in milliseconds.

    Raises:
        ConfigurationError: A value is out of range; ``variable`` names it.
    """

    failed_checks: int = 3
    max_restarts: int = 3
    budget_window_ms: float = 3_600_000
    cooldown_ms: float = 60_000

    def __post_init__(self) -> None:
        for name in ("failed_checks", "max_restarts", "budget_window_ms", "cooldown_ms"):
            if not getattr(self, name) > 0:
                raise ConfigurationError(f"{name} must be above 0.", variable=name)


@dataclass(frozen=True, slots=True)
class RecoveryAction:
    """What to do about an instance: ask the server for something, or tell somebody.

    Attributes:
        instance: The instance.
        ask: What to ask, or None.
        notice: The alert to raise, or None.
        settled: Whether it is well again, so that its notices are over.
    """

    instance: str
    ask: ProbeRequest | None = None
    notice: Alert | None = None
    settled: bool = False


@dataclass(slots=True)
class _State:
    connecting: int = 0
    acted: deque[float] = field(default_factory=deque[float])
    code_shown: bool = False
    pairing: bool = False
    noticed: set[str] = field(default_factory=set[str])


class RecoveryPlanner:
    """Decides after every check, per instance.

    Args:
        policy: How.
    """

    def __init__(self, policy: RecoveryPolicy) -> None:
        self._policy = policy
        self._states: dict[str, _State] = {}

    def step(
        self, reading: InstanceReading, dead: bool, now: float, at: float
    ) -> RecoveryAction | None:
        """Decide what to do about an instance.

        Args:
            reading: What the server says.
            dead: Whether its socket is known to be dead.
            now: Seconds that never go back.
            at: Now, in unix seconds.

        Returns:
            What to do, or None.
        """
        name = reading.name
        state = self._states.setdefault(name, _State())
        if reading.problem in ("missing", "unauthorized"):
            words = "does not exist" if reading.problem == "missing" else "refuses our API key"
            text = f"instance {name} {words}: no restart can help"
            return self._once(state, name, "recovery_impossible", text, at)
        if reading.problem is not None or reading.state is None:
            return None
        if reading.state == "open" and not dead:
            return self._well(state, name)
        state.connecting = state.connecting + 1 if reading.state == "connecting" else 0
        if state.pairing:
            return None
        if state.code_shown and reading.state != "open":
            # The follow-up: a code was shown and the phone has not come back by itself.
            return RecoveryAction(name, ProbeRequest("connect", name))
        if reading.state == "connecting" and state.connecting < self._policy.failed_checks:
            return None
        return self._act(state, reading, now, at)

    def heard(
        self, ask: ProbeRequest, answer: ProbeResult, now: float, at: float
    ) -> RecoveryAction | None:
        """Take what a restart or connect answered.

        Returns:
            The alert to raise, or None.
        """
        name = ask.instance or ""
        state = self._states.setdefault(name, _State())
        if answer.error is not None:
            state.code_shown = False  # the next attempt is one of the budget again
            return None
        shown = _pairing(answer.value)
        if shown is None:
            state.code_shown = False
            return None
        if not state.code_shown:
            state.code_shown = True  # it may be an old one: the next check tells
            return None
        state.pairing, state.code_shown = True, False
        words = f"instance {name} must be paired with its phone again"
        alert = Alert("pairing_needed", "critical", words, at, name, pairing=shown)
        return RecoveryAction(name, notice=alert)

    def forget(self, instance: str) -> None:
        """Forget an instance that is no longer watched."""
        self._states.pop(instance, None)

    def _well(self, state: _State, name: str) -> RecoveryAction | None:
        troubled = bool(state.noticed) or state.pairing
        state.connecting, state.code_shown, state.pairing = 0, False, False
        state.noticed.clear()
        return RecoveryAction(name, settled=True) if troubled else None

    def _act(
        self, state: _State, reading: InstanceReading, now: float, at: float
    ) -> RecoveryAction | None:
        policy, name = self._policy, reading.name
        while state.acted and now - state.acted[0] > policy.budget_window_ms / 1_000:
            state.acted.popleft()
        if state.acted and now - state.acted[-1] < policy.cooldown_ms / 1_000:
            return None
        if len(state.acted) >= policy.max_restarts:
            text = f"instance {name} did not come back after {policy.max_restarts} restarts"
            return self._once(state, name, "recovery_exhausted", text, at)
        state.acted.append(now)
        state.connecting = 0
        # A restart of a closed instance answers 200 with an error; connect opens it.
        return RecoveryAction(
            name, ProbeRequest("connect" if reading.state == "close" else "restart", name)
        )

    def _once(
        self, state: _State, name: str, kind: NoticeKind, words: str, at: float
    ) -> RecoveryAction | None:
        if kind in state.noticed:
            return None
        state.noticed.add(kind)
        return RecoveryAction(name, notice=Alert(kind, "critical", words, at, name))


def _pairing(value: Any) -> Pairing | None:
    code, image = getattr(value, "code", None), getattr(value, "base64", None)
    pairing_code = getattr(value, "pairing_code", None)
    if not (code or image or pairing_code):
        return None
    return Pairing(code, image, pairing_code)
