"""Plans restarts of instances that do not come back by themselves: a policy without I/O."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from evolution_sdk.config._monitoring import RecoveryPolicy

from .alert import Alert, PairingCode
from .probe import InstanceReading, ProbeRequest, ProbeResult

__all__ = ["RecoveryAction", "RecoveryPlanner"]

NoticeKind: TypeAlias = Literal["pairing_needed", "recovery_exhausted", "recovery_impossible"]


@dataclass(frozen=True, slots=True)
class RecoveryAction:
    """A step to bring an instance back: a question to the server, or an alert.

    Attributes:
        instance: The instance.
        request: The question, or None.
        notice: The alert to raise, or None.
        settled: Whether it is well again, so that its alerts are over.
    """

    instance: str
    request: ProbeRequest | None = None
    notice: Alert | None = None
    settled: bool = False


@dataclass(slots=True)
class _Progress:
    """The recovery of one instance so far."""

    connecting_checks: int = 0
    acted_at: deque[float] = field(default_factory=deque[float])
    code_shown: bool = False
    pairing: bool = False
    noticed: set[str] = field(default_factory=set[str])


class RecoveryPlanner:
    """Decides after every check, per instance.

    Args:
        policy: The rules of recovery.
    """

    def __init__(self, policy: RecoveryPolicy) -> None:
        self._policy = policy
        self._instances: dict[str, _Progress] = {}

    def step(
        self, reading: InstanceReading, dead: bool, now: float, at: float
    ) -> RecoveryAction | None:
        """Decide what to do about an instance.

        Args:
            reading: Its state as the server tells it.
            dead: Whether its socket is known to be dead.
            now: Seconds that never go back.
            at: Unix seconds.

        Returns:
            The next step, or None.
        """
        name = reading.name
        progress = self._instances.setdefault(name, _Progress())
        if reading.problem in ("missing", "unauthorized"):
            words = "does not exist" if reading.problem == "missing" else "refuses our API key"
            text = f"instance {name} {words}: no restart can help"
            return self._notice_once(progress, name, "recovery_impossible", text, at)
        # Without a state there is nothing to decide by: a restart could break what works.
        if reading.problem is not None or reading.state is None:
            return None
        if reading.state == "open" and not dead:
            return self._recovered(progress, name)
        connecting = reading.state == "connecting"
        progress.connecting_checks = progress.connecting_checks + 1 if connecting else 0
        # Somebody has to take the phone out; each restart would make the code invalid.
        if progress.pairing:
            return None
        if progress.code_shown and reading.state != "open":
            # The follow-up: a code was shown and the phone has not come back by itself.
            return RecoveryAction(name, ProbeRequest("connect", name))
        if connecting and progress.connecting_checks < self._policy.failed_checks:
            return None
        return self._act(progress, reading, now, at)

    def answered(
        self, request: ProbeRequest, result: ProbeResult, now: float, at: float
    ) -> RecoveryAction | None:
        """Take the answer to a restart or connect.

        Args:
            request: The question.
            result: Its answer.
            now: Seconds that never go back.
            at: Unix seconds.

        Returns:
            The alert to raise, or None.
        """
        name = request.instance or ""
        progress = self._instances.setdefault(name, _Progress())
        code = None if result.error is not None else _pairing_code(result.value)
        if code is None:
            # The next attempt is one of the budget again.
            progress.code_shown = False
            return None
        if not progress.code_shown:
            # The code may be left over from before: the next check tells if the phone came back.
            progress.code_shown = True
            return None
        progress.pairing, progress.code_shown = True, False
        words = f"instance {name} must be paired with its phone again"
        alert = Alert("pairing_needed", "critical", words, at, name, pairing=code)
        return RecoveryAction(name, notice=alert)

    def forget(self, instance: str) -> None:
        """Forget an instance that is no longer watched."""
        self._instances.pop(instance, None)

    def _recovered(self, progress: _Progress, name: str) -> RecoveryAction | None:
        troubled = bool(progress.noticed) or progress.pairing
        progress.connecting_checks = 0
        progress.code_shown = progress.pairing = False
        progress.noticed.clear()
        return RecoveryAction(name, settled=True) if troubled else None

    def _act(
        self, progress: _Progress, reading: InstanceReading, now: float, at: float
    ) -> RecoveryAction | None:
        policy, name, acted = self._policy, reading.name, progress.acted_at
        while acted and now - acted[0] > policy.budget_window_ms / 1_000:
            acted.popleft()
        # An instance needs time to connect; a second restart would only begin that anew.
        if acted and now - acted[-1] < policy.cooldown_ms / 1_000:
            return None
        if len(acted) >= policy.max_restarts:
            text = f"instance {name} did not come back after {policy.max_restarts} restarts"
            return self._notice_once(progress, name, "recovery_exhausted", text, at)
        acted.append(now)
        progress.connecting_checks = 0
        # A restart of a closed instance answers 200 with an error; connect opens it.
        kind: Literal["connect", "restart"] = "connect" if reading.state == "close" else "restart"
        return RecoveryAction(name, ProbeRequest(kind, name))

    def _notice_once(
        self, progress: _Progress, name: str, kind: NoticeKind, words: str, at: float
    ) -> RecoveryAction | None:
        if kind in progress.noticed:
            return None
        progress.noticed.add(kind)
        return RecoveryAction(name, notice=Alert(kind, "critical", words, at, name))


def _pairing_code(value: Any) -> PairingCode | None:
    """Read the code that a restart or connect answered with; None without one."""
    code, image = getattr(value, "code", None), getattr(value, "base64", None)
    typed = getattr(value, "pairing_code", None)
    return PairingCode(code, image, typed) if code or image or typed else None
