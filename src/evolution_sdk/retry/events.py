"""Events of the retry service."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Final, Literal, TypeAlias, get_args

from evolution_sdk._base.effect import Phase

from .safety import StopReason

__all__ = [
    "RETRY_EVENT_NAMES",
    "FailureEvent",
    "RetryEvent",
    "RetryEventName",
    "RetryServiceEvent",
    "SuccessEvent",
]

RetryEventName = Literal["success", "retry", "failure"]
RETRY_EVENT_NAMES: Final[tuple[str, ...]] = get_args(RetryEventName)


@dataclass(frozen=True, slots=True)
class _FinishedCall:
    """Facts about a call that is over.

    Attributes:
        operation: Its name.
        attempts: Number of attempts made.
        elapsed_ms: Time from its beginning to its end, waits included, in milliseconds.
        instance: The instance it went through; None for functions of your own.
        request_id: Id that its log lines have in common; see ``docs/en/retry.md``.
    """

    operation: str
    attempts: int
    elapsed_ms: float
    instance: str | None = field(default=None, kw_only=True)
    # Two events that tell the same are equal, although each call has an id of its own.
    request_id: str | None = field(default=None, kw_only=True, compare=False)


@dataclass(frozen=True, slots=True)
class SuccessEvent(_FinishedCall):
    """A call succeeded: ``operation``, ``attempts``, and ``elapsed_ms`` with all waits."""

    name: ClassVar[RetryEventName] = "success"


@dataclass(frozen=True, slots=True)
class RetryEvent:
    """An attempt failed and there will be another.

    Attributes:
        operation: Name of the call.
        attempt: Number of the attempt that failed; the first is 1.
        next_delay_ms: Wait until the next one, in milliseconds.
        error: The exception it raised; not in the repr, as foreign errors may quote secrets.
        phase: How far the attempt got; None for errors that do not say.
        instance: The instance it goes through; None for functions of your own.
        request_id: Id that the log lines of the call have in common; see ``docs/en/retry.md``.
    """

    name: ClassVar[RetryEventName] = "retry"
    operation: str
    attempt: int
    next_delay_ms: float
    error: Exception = field(repr=False)
    phase: Phase | None
    instance: str | None = field(default=None, kw_only=True)
    request_id: str | None = field(default=None, kw_only=True, compare=False)


@dataclass(frozen=True, slots=True)
class FailureEvent(_FinishedCall):
    """A call failed for good: ``operation``, ``attempts``, ``elapsed_ms`` with all waits.

    Attributes:
        error: The exception it raises; not in the repr, as foreign errors may quote secrets.
        reason: Reason why there was no further attempt.
    """

    name: ClassVar[RetryEventName] = "failure"
    error: Exception = field(repr=False)
    reason: StopReason


RetryServiceEvent: TypeAlias = SuccessEvent | RetryEvent | FailureEvent
