"""The decision of one call: a generator that says what to do next and hears how it went.

No sleeping, no awaiting, no logging: time and chance are arguments, so that the same outcomes
always lead to the same steps, in both colours.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator
from dataclasses import dataclass
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

from evolution_sdk._core.effect import Effect
from evolution_sdk.errors import EvolutionError, RateLimitError, SendOutcomeUnknownError

from .policy import RetryPolicy
from .safety import Action, OnUnknown, StopReason, Verdict, note, verdict
from .waits import RETRY_AFTER_LIMIT, Draw, obey, waits_ms

__all__ = [
    "Absent",
    "Attempt",
    "Failed",
    "Found",
    "GiveUp",
    "Outcome",
    "Resolve",
    "Return",
    "Situation",
    "Sleep",
    "Step",
    "Steps",
    "Value",
    "decide",
]

T = TypeVar("T")


class Attempt(NamedTuple):
    """Try once; answer with Value or Failed."""

    number: int


class Sleep(NamedTuple):
    """Wait ``ms`` milliseconds, because attempt ``number`` failed with ``error``."""

    ms: float
    number: int
    error: Exception


class Resolve(NamedTuple):
    """Find out if the send of attempt ``number`` happened; answer Found, Absent, Failed or None."""

    error: EvolutionError
    number: int


class Return(NamedTuple):
    """Finished: return ``value``; ``found`` when the resolver, not the attempt, delivered it."""

    value: Any
    attempts: int
    found: bool = False


class GiveUp(NamedTuple):
    """Finished: raise ``error`` as it is."""

    error: Exception
    attempts: int
    reason: StopReason


class Value(NamedTuple):
    """The attempt returned this."""

    value: Any


class Failed(NamedTuple):
    """The attempt, or the resolver, raised this."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """The resolver found the message: the send happened, and this is its result."""

    value: T


@dataclass(frozen=True, slots=True)
class Absent:
    """The resolver did not find the message.

    Attributes:
        checked: What was looked at, in words, for whoever reads the error.
    """

    checked: str


Step: TypeAlias = Attempt | Sleep | Resolve | Return | GiveUp
Outcome: TypeAlias = Value | Failed | Found[Any] | Absent
Steps: TypeAlias = Generator[Step, Outcome | None, None]


class Situation(NamedTuple):
    """What is known about a call before it begins.

    Attributes:
        policy: How often and how long apart.
        operation: The operation's name.
        effect: What the operation does; None for a function of which nothing is known.
        on_unknown: What is wanted when a send may or may not have happened.
        instance: The instance it goes through, for the error.
        allows: Restricts what is tried again; None for no restriction.
        retried_inside: Errors that an inner retry service gave up on after retrying.
    """

    policy: RetryPolicy
    operation: str
    effect: Effect | None = None
    on_unknown: OnUnknown = "reconcile"
    instance: str | None = None
    allows: Callable[[Exception], bool] | None = None
    retried_inside: Collection[BaseException] = ()


_WHY: Final[dict[StopReason, str]] = {
    StopReason.EXHAUSTED: "no attempts left",
    StopReason.DEADLINE: "the next wait would cross max_elapsed_ms",
    StopReason.RETRY_AFTER: f"asked to wait for more than {RETRY_AFTER_LIMIT} times max_delay_ms",
    StopReason.NOT_SAFE: "the cause may pass, but repeating could act twice",
    StopReason.NOT_RETRYABLE: "the same call would fail again",
    StopReason.OUTCOME_UNKNOWN: "it may have been sent",
    StopReason.RETRIED_INSIDE: "it had been retried inside the function already",
}


def decide(situation: Situation, clock: Callable[[], float], draw: Draw) -> Steps:
    """Say step by step what one call is to do.

    Args:
        situation: What is known about the call.
        clock: Seconds, never going back.
        draw: Chance, from 0 to 1.

    Yields:
        Attempt, Sleep and Resolve in turn, and at last one Return or GiveUp. Answer an Attempt
        with Value or Failed, a Resolve with Found, Absent, Failed, or None when nothing
        can be looked up, and a Sleep with None.
    """
    started = clock()
    waits: Iterator[float] | None = None
    number = 0
    while True:
        number += 1
        outcome = yield Attempt(number)
        if isinstance(outcome, Value):
            yield Return(outcome.value, number)
            return
        error = _raised(outcome)
        judged = _judge(error, situation)
        reason, unknown = judged.reason, None
        if judged.action is Action.RESOLVE and isinstance(error, EvolutionError):
            answer = yield Resolve(error, number)
            if isinstance(answer, Found):
                yield Return(answer.value, number, found=True)
                return
            unknown = _what_was_checked(answer)
            if not _may_resend(answer, error, situation):
                reason = StopReason.OUTCOME_UNKNOWN
        elif reason is StopReason.OUTCOME_UNKNOWN:
            unknown = "not looked for, as on_unknown='raise' asks"
        nap = 0.0
        if reason is None:
            waits = waits or waits_ms(situation.policy, draw)
            asked = error.retry_after_ms if isinstance(error, RateLimitError) else None
            nap = obey(next(waits), asked, situation.policy, draw)
            reason = _limit(situation.policy, number, (clock() - started) * 1_000, nap)
        if reason is not None:
            yield GiveUp(_final(error, unknown, number, reason, situation), number, reason)
            return
        yield Sleep(nap, number, error)


def _raised(outcome: Outcome | None) -> Exception:
    if not isinstance(outcome, Failed):
        raise TypeError(f"An attempt is answered with Value or Failed, not {outcome!r}.")
    return outcome.error


def _judge(error: Exception, situation: Situation) -> Verdict:
    # A copy: another thread of the function may be adding.
    if any(error is seen for seen in tuple(situation.retried_inside)):
        return Verdict(Action.GIVE_UP, StopReason.RETRIED_INSIDE)
    if isinstance(error, EvolutionError) and situation.effect is not None:
        error.effect = situation.effect
    judged = verdict(error, situation.effect, situation.on_unknown)
    if judged.action is Action.RETRY and not _allowed(error, situation):
        return Verdict(Action.GIVE_UP, StopReason.NOT_RETRYABLE)
    return judged


def _allowed(error: Exception, situation: Situation) -> bool:
    return situation.allows is None or situation.allows(error)


def _may_resend(answer: Outcome | None, error: EvolutionError, situation: Situation) -> bool:
    """Absence was seen, a repeat is wanted, and it may help."""
    asked_for = situation.on_unknown == "resend" and isinstance(answer, Absent)
    return asked_for and error.transient and _allowed(error, situation)


def _what_was_checked(answer: Outcome | None) -> str:
    match answer:
        case Absent(checked):
            return checked
        case Failed(error):
            return f"looking it up failed with {type(error).__name__}"
        case _:
            return "there was no way to look it up"


def _limit(policy: RetryPolicy, number: int, elapsed_ms: float, nap: float) -> StopReason | None:
    if number >= policy.max_attempts:
        return StopReason.EXHAUSTED
    if nap > policy.max_delay_ms * RETRY_AFTER_LIMIT:
        return StopReason.RETRY_AFTER
    if policy.max_elapsed_ms is not None and elapsed_ms + nap > policy.max_elapsed_ms:
        return StopReason.DEADLINE
    return None


def _final(
    error: Exception, unknown: str | None, number: int, reason: StopReason, situation: Situation
) -> Exception:
    """Write on the error what happened; a send that could not be settled gets an error of its own.

    An error that an inner service has written on keeps what that one wrote.
    """
    if unknown is not None:
        cause = error
        error = SendOutcomeUnknownError(situation.operation, situation.instance, unknown)
        error.effect = situation.effect
        error.__cause__ = cause
    if isinstance(error, EvolutionError) and reason is not StopReason.RETRIED_INSIDE:
        error.attempts = number
        error.stopped_because = reason.value
    times = "1 attempt" if number == 1 else f"{number} attempts"
    note(error, f"{situation.operation}: gave up after {times} ({reason.value}: {_WHY[reason]})")
    return error
