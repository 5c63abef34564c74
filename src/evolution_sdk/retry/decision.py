"""Decision of one call: a generator that yields the next step and is sent its outcome.

It neither sleeps nor awaits nor logs; clock and random numbers are arguments. The same outcomes
therefore always lead to the same steps, in blocking and in async calls.
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
from .safety import Action, OnUnknown, StopReason, add_note_once, judge, mark_error
from .waits import RETRY_AFTER_LIMIT, Draw, honor_retry_after, waits_ms

__all__ = [
    "Attempt",
    "AttemptOutcome",
    "CallSpec",
    "Decision",
    "Failed",
    "GiveUp",
    "Resolve",
    "RetryEnd",
    "RetryStep",
    "Return",
    "SendAbsent",
    "SendFound",
    "SendUnsettled",
    "Sleep",
    "Value",
    "decide",
]

T = TypeVar("T")


class Attempt(NamedTuple):
    """Step: try once. Its outcome is Value or Failed."""

    number: int


class Sleep(NamedTuple):
    """Step: wait ``ms`` milliseconds, because attempt ``number`` failed with ``error``."""

    ms: float
    number: int
    error: Exception


class Resolve(NamedTuple):
    """Step: find out if the send of attempt ``number`` happened."""

    error: EvolutionError
    number: int


class Return(NamedTuple):
    """End: return ``value``; ``found`` when the resolver, not the attempt, delivered it."""

    value: Any
    attempts: int
    found: bool = False


class GiveUp(NamedTuple):
    """End: raise ``error`` as it is."""

    error: Exception
    attempts: int
    reason: StopReason


class Value(NamedTuple):
    """Outcome: the attempt returned this."""

    value: Any


class Failed(NamedTuple):
    """Outcome: the attempt, or the resolver, raised this."""

    error: Exception


@dataclass(frozen=True, slots=True)
class SendFound(Generic[T]):
    """Outcome of a look-up: the send happened, and this is its result."""

    value: T


@dataclass(frozen=True, slots=True)
class SendAbsent:
    """Outcome of a look-up: the message was surely looked for and is not there.

    Attributes:
        checked: Places that were looked at, in words, for the reader of the error.
    """

    checked: str


@dataclass(frozen=True, slots=True)
class SendUnsettled:
    """Outcome of a look-up: the message was not found, but a repeat could still be a double.

    Attributes:
        checked: Places that were looked at, and why they prove nothing, in words.
    """

    checked: str


RetryStep: TypeAlias = Attempt | Sleep | Resolve
AttemptOutcome: TypeAlias = Value | Failed | SendFound[Any] | SendAbsent | SendUnsettled
RetryEnd: TypeAlias = Return | GiveUp
Decision: TypeAlias = Generator[RetryStep, AttemptOutcome | None, RetryEnd]


class CallSpec(NamedTuple):
    """Facts about a call that are known before it begins.

    Attributes:
        policy: Number of attempts and the waits between them.
        operation: Name of the operation.
        effect: Effect of the operation; None for a function of the user's.
        on_unknown: Policy for a send that may or may not have happened.
        instance: Instance it goes through, for the error.
        allows: Predicate that restricts what is retried; None for no restriction.
        retried_inside: Errors that an inner retry service gave up on after retrying.
        budget: Budget that all retries share; None for no bound.
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
    call: CallSpec,
    clock: Callable[[], float],
    draw: Draw,
    *,
    started: float | None = None,
    first: Failed | None = None,
) -> Decision:
    """Decide step by step what one call does.

    Args:
        call: Facts about the call.
        clock: Seconds that never go back.
        draw: Source of random numbers.
        started: Time at which the call began, by the clock. Default: now.
        first: Outcome of the first attempt, when it has been made already. Default: the first
            step is ``Attempt(1)``.

    Yields:
        Attempt, Sleep and Resolve in turn. Send Value or Failed after an Attempt; SendFound,
        SendAbsent, SendUnsettled, Failed, or None when nothing can be looked up, after a Resolve;
        and None after a Sleep.

    Returns:
        Return or GiveUp.
    """
    started = clock() if started is None else started
    waits: Iterator[float] | None = None
    number = 1
    before: _FailedAttempt | None = None
    outcome: AttemptOutcome | None = first if first is not None else (yield Attempt(1))
    while not isinstance(outcome, Value):
        failed = _judge(_error_of(outcome), call)
        if failed.action is Action.RESOLVE and isinstance(failed.error, EvolutionError):
            # The send may have happened. A look-up is no retry: it is made even when no attempt
            # is left, and it decides whether another attempt is safe at all.
            answer = yield Resolve(failed.error, number)
            if isinstance(answer, SendFound):
                return _returned(call, answer.value, number, found=True)
            failed = _not_found(answer, failed.error, call)
        elif failed.reason is StopReason.OUTCOME_UNKNOWN:
            failed = failed._replace(unknown="not looked for, as on_unknown='raise' asks")
        reason, wait_ms = failed.reason, 0.0
        if reason is None:
            # Safe to repeat; now the policy, the server and the budget have their say.
            # The waits are made with the first failure and go on from attempt to attempt.
            waits = waits or waits_ms(call.policy, draw)
            asked_ms = _retry_after_ms(failed.error)
            wait_ms = honor_retry_after(next(waits), asked_ms, call.policy, draw)
            reason = _limit(call, number, (clock() - started) * 1_000, wait_ms)
        if reason is not None:
            if reason is StopReason.CIRCUIT_OPEN and before is not None:
                # An open breaker made no attempt. The caller must see the failure before it,
                # above all when that left a send in doubt.
                number -= 1
                failed = before
            return GiveUp(_final_error(failed, reason, number, call), number, reason)
        before = failed
        yield from _wait(Sleep(wait_ms, number, failed.error), call.budget)
        number += 1
        outcome = yield Attempt(number)
    return _returned(call, outcome.value, number)


class _FailedAttempt(NamedTuple):
    """Judgement of one failed attempt.

    Attributes:
        error: The exception it raised.
        action: Next move.
        reason: Reason to give up; None to try again.
        unknown: Facts about a send that may have happened, in words.
    """

    error: Exception
    action: Action
    reason: StopReason | None = None
    unknown: str | None = None


def _returned(call: CallSpec, value: Any, number: int, *, found: bool = False) -> Return:
    if call.budget is not None:
        call.budget.succeeded(number - 1)
    return Return(value, number, found)


def _wait(
    sleep: Sleep, budget: RetryBudget | None
) -> Generator[RetryStep, AttemptOutcome | None, None]:
    """Wait, and give the retry back to the budget when the call is broken off meanwhile."""
    try:
        yield sleep
    except GeneratorExit:  # the driver closes the decision, as after a cancellation
        if budget is not None:
            budget.put_back()
        raise


def _error_of(outcome: AttemptOutcome | None) -> Exception:
    if not isinstance(outcome, Failed):
        raise TypeError(f"The outcome of an attempt is Value or Failed, not {outcome!r}.")
    return outcome.error


def _judge(error: Exception, call: CallSpec) -> _FailedAttempt:
    # A copy: another thread of the function may be adding.
    if any(error is seen for seen in tuple(call.retried_inside)):
        return _FailedAttempt(error, Action.GIVE_UP, StopReason.RETRIED_INSIDE)
    # From now on the error can tell by itself whether a repeat is safe (``retryable``).
    if isinstance(error, EvolutionError) and call.effect is not None:
        error.effect = call.effect
    judged = judge(error, call.effect, call.on_unknown)
    # retry_on is asked last: it can only narrow, never allow what is not safe.
    if judged.action is Action.RETRY and not _allowed(error, call):
        return _FailedAttempt(error, Action.GIVE_UP, StopReason.NOT_RETRYABLE)
    return _FailedAttempt(error, judged.action, judged.reason)


def _not_found(
    answer: AttemptOutcome | None, error: EvolutionError, call: CallSpec
) -> _FailedAttempt:
    """Judge a send that the look-up did not find.

    It is sent again only where the caller asked for that, the message is surely absent, and the
    cause of the failure may have passed.
    """
    asked_for = call.on_unknown == "resend" and isinstance(answer, SendAbsent)
    again = asked_for and error.transient and _allowed(error, call)
    reason = None if again else StopReason.OUTCOME_UNKNOWN
    return _FailedAttempt(error, Action.RESOLVE, reason, _what_was_checked(answer))


def _retry_after_ms(error: Exception) -> float | None:
    """Read how long the server asked to wait, in milliseconds; None when it did not."""
    return error.retry_after_ms if isinstance(error, RateLimitError | ServerError) else None


def _allowed(error: Exception, call: CallSpec) -> bool:
    return call.allows is None or call.allows(error)


def _what_was_checked(answer: AttemptOutcome | None) -> str:
    match answer:
        case SendAbsent(checked) | SendUnsettled(checked):
            return checked
        case Failed(error):
            return f"looking it up failed with {type(error).__name__}"
        case _:
            return "there was no way to look it up"


def _limit(call: CallSpec, number: int, elapsed_ms: float, wait_ms: float) -> StopReason | None:
    policy = call.policy
    # The first limit that is reached gives the reason.
    if number >= policy.max_attempts:
        return StopReason.EXHAUSTED
    if wait_ms > policy.max_delay_ms * RETRY_AFTER_LIMIT:
        return StopReason.RETRY_AFTER
    if policy.max_elapsed_ms is not None and elapsed_ms + wait_ms > policy.max_elapsed_ms:
        return StopReason.DEADLINE
    # The budget comes last: what it gives must be used.
    if call.budget is not None and not call.budget.take():
        return StopReason.BUDGET
    return None


def _final_error(
    failed: _FailedAttempt, reason: StopReason, number: int, call: CallSpec
) -> Exception:
    """Note on the error what happened; a send that stays in doubt gets an error of its own.

    The marks that an inner retry service has left on an error are kept.
    """
    error = failed.error
    if failed.unknown is not None:
        # Whatever ended the call (no attempts left, the breaker, the budget), the caller must
        # learn first of all that the message may be on its way.
        error = SendOutcomeUnknownError(
            call.operation, call.instance, failed.unknown, str(failed.error)
        )
        error.effect = call.effect
        error.__cause__ = failed.error
    if reason is not StopReason.RETRIED_INSIDE:
        mark_error(error, number, reason)
    times = "1 attempt" if number == 1 else f"{number} attempts"
    add_note_once(
        error, f"{call.operation}: gave up after {times} ({reason.value}: {_WHY[reason]})"
    )
    return error
