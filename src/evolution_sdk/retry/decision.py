"""The decision of one call: a generator that says what to do next and hears how it went.

No sleeping, no awaiting, no logging: time and chance are arguments, so that the same outcomes
always lead to the same steps, in both colours.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator
from dataclasses import dataclass
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

from evolution_sdk._base.effect import Effect
from evolution_sdk.errors import (
    EvolutionError,
    RateLimitError,
    SendOutcomeUnknownError,
    ServerError,
)

from .budget import RetryBudget
from .policy import RetryPolicy
from .safety import Action, OnUnknown, StopReason, mark, note, verdict
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
    "Unsettled",
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
    """Find out if the send of attempt ``number`` happened; answer how that went."""

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


@dataclass(frozen=True, slots=True)
class Unsettled:
    """The resolver neither found the message nor can call it absent: a repeat could be a double.

    Attributes:
        checked: What was looked at, and why it proves nothing, in words.
    """

    checked: str


Step: TypeAlias = Attempt | Sleep | Resolve | Return | GiveUp
Outcome: TypeAlias = Value | Failed | Found[Any] | Absent | Unsettled
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
        budget: What all retries together are taken from; None for no bound.
    """

    policy: RetryPolicy
    operation: str
    effect: Effect | None = None
    on_unknown: OnUnknown = "reconcile"
    instance: str | None = None
    allows: Callable[[Exception], bool] | None = None
    retried_inside: Collection[BaseException] = ()
    budget: RetryBudget | None = None


_WHY: Final[dict[StopReason, str]] = {
    StopReason.EXHAUSTED: "no attempts left",
    StopReason.DEADLINE: "the next wait would cross max_elapsed_ms",
    StopReason.RETRY_AFTER: f"asked to wait for more than {RETRY_AFTER_LIMIT} times max_delay_ms",
    StopReason.NOT_SAFE: "the cause may pass, but repeating could act twice",
    StopReason.NOT_RETRYABLE: "the same call would fail again",
    StopReason.OUTCOME_UNKNOWN: "it may have been sent",
    StopReason.BUDGET: "too many calls are being retried already",
    StopReason.CIRCUIT_OPEN: "the circuit breaker is open",
    StopReason.RETRIED_INSIDE: "it had been retried inside the function already",
}


def decide(
    situation: Situation,
    clock: Callable[[], float],
    draw: Draw,
    started: float | None = None,
) -> Steps:
    """Say step by step what one call is to do.

    The first step is always ``Attempt(1)``, and a Value ends every call: drivers may rely on it.

    Args:
        situation: What is known about the call.
        clock: Seconds, never going back.
        draw: Chance, from 0 to 1.
        started: When the call began, by the clock. Default: now.

    Yields:
        Attempt, Sleep and Resolve in turn, and at last one Return or GiveUp. Answer an Attempt
        with Value or Failed, a Resolve with Found, Absent, Unsettled, Failed, or None when nothing
        can be looked up, and a Sleep with None.
    """
    started = clock() if started is None else started
    waits: Iterator[float] | None = None
    number = 0
    before: _Judged | None = None
    while True:
        number += 1
        outcome = yield Attempt(number)
        if isinstance(outcome, Value):
            yield _returned(situation, outcome.value, number)
            return
        judged = _judge(_raised(outcome), situation)
        if judged.action is Action.RESOLVE and isinstance(judged.error, EvolutionError):
            answer = yield Resolve(judged.error, number)
            if isinstance(answer, Found):
                yield _returned(situation, answer.value, number, found=True)
                return
            judged = _looked_up(answer, judged.error, situation)
        elif judged.reason is StopReason.OUTCOME_UNKNOWN:
            judged = judged._replace(unknown="not looked for, as on_unknown='raise' asks")
        reason, nap = judged.reason, 0.0
        if reason is None:
            waits = waits or waits_ms(situation.policy, draw)
            nap = obey(next(waits), _asked_ms(judged.error), situation.policy, draw)
            reason = _limit(situation, number, (clock() - started) * 1_000, nap)
        if reason is not None:
            if reason is StopReason.CIRCUIT_OPEN and before is not None:
                number -= 1  # nothing was tried: what failed before is what the caller must see
                judged = before
            yield GiveUp(_final(judged, reason, number, situation), number, reason)
            return
        before = judged
        yield from _slept(Sleep(nap, number, judged.error), situation.budget)


class _Judged(NamedTuple):
    """One failed attempt.

    Attributes:
        error: What it raised.
        action: What to do about it.
        reason: Why to give up; None to try again.
        unknown: What is known of a send that may have happened, in words.
    """

    error: Exception
    action: Action
    reason: StopReason | None = None
    unknown: str | None = None


def _returned(situation: Situation, value: Any, number: int, *, found: bool = False) -> Return:
    if situation.budget is not None:
        situation.budget.succeeded(number - 1)
    return Return(value, number, found)


def _slept(sleep: Sleep, budget: RetryBudget | None) -> Steps:
    """Wait; a retry that is never made, because the call is broken off, is given back."""
    try:
        yield sleep
    except GeneratorExit:
        if budget is not None:
            budget.put_back()
        raise


def _raised(outcome: Outcome | None) -> Exception:
    if not isinstance(outcome, Failed):
        raise TypeError(f"An attempt is answered with Value or Failed, not {outcome!r}.")
    return outcome.error


def _judge(error: Exception, situation: Situation) -> _Judged:
    # A copy: another thread of the function may be adding.
    if any(error is seen for seen in tuple(situation.retried_inside)):
        return _Judged(error, Action.GIVE_UP, StopReason.RETRIED_INSIDE)
    if isinstance(error, EvolutionError) and situation.effect is not None:
        error.effect = situation.effect
    judged = verdict(error, situation.effect, situation.on_unknown)
    if judged.action is Action.RETRY and not _allowed(error, situation):
        return _Judged(error, Action.GIVE_UP, StopReason.NOT_RETRYABLE)
    return _Judged(error, judged.action, judged.reason)


def _looked_up(answer: Outcome | None, error: EvolutionError, situation: Situation) -> _Judged:
    """A send that was looked for and not found: absence may be taken as leave to send again."""
    asked_for = situation.on_unknown == "resend" and isinstance(answer, Absent)
    again = asked_for and error.transient and _allowed(error, situation)
    reason = None if again else StopReason.OUTCOME_UNKNOWN
    return _Judged(error, Action.RESOLVE, reason, _what_was_checked(answer))


def _asked_ms(error: Exception) -> float | None:
    """How long the answer asked to wait, in milliseconds, when it did."""
    return error.retry_after_ms if isinstance(error, RateLimitError | ServerError) else None


def _allowed(error: Exception, situation: Situation) -> bool:
    return situation.allows is None or situation.allows(error)


def _what_was_checked(answer: Outcome | None) -> str:
    match answer:
        case Absent(checked) | Unsettled(checked):
            return checked
        case Failed(error):
            return f"looking it up failed with {type(error).__name__}"
        case _:
            return "there was no way to look it up"


def _limit(situation: Situation, number: int, elapsed_ms: float, nap: float) -> StopReason | None:
    policy = situation.policy
    if number >= policy.max_attempts:
        return StopReason.EXHAUSTED
    if nap > policy.max_delay_ms * RETRY_AFTER_LIMIT:
        return StopReason.RETRY_AFTER
    if policy.max_elapsed_ms is not None and elapsed_ms + nap > policy.max_elapsed_ms:
        return StopReason.DEADLINE
    if situation.budget is not None and not situation.budget.take():
        return StopReason.BUDGET
    return None


def _final(judged: _Judged, reason: StopReason, number: int, situation: Situation) -> Exception:
    """Write on the error what happened; a send that could not be settled gets an error of its own.

    An error that an inner service has written on keeps what that one wrote.
    """
    error = judged.error
    if judged.unknown is not None:
        error = SendOutcomeUnknownError(
            situation.operation, situation.instance, judged.unknown, str(judged.error)
        )
        error.effect = situation.effect
        error.__cause__ = judged.error
    if reason is not StopReason.RETRIED_INSIDE:
        mark(error, number, reason)
    times = "1 attempt" if number == 1 else f"{number} attempts"
    note(error, f"{situation.operation}: gave up after {times} ({reason.value}: {_WHY[reason]})")
    return error
