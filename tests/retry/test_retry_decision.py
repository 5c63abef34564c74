"""The decision alone: steps out, outcomes in, nothing slept and nothing awaited."""

from __future__ import annotations

from typing import Any

import pytest
from retry_kit import FakeClock, failure

from evolution_sdk._base.effect import Effect, Phase
from evolution_sdk.errors import RateLimitError, SendOutcomeUnknownError, UnexpectedResponseError
from evolution_sdk.retry import OnUnknown, RetryPolicy, StopReason
from evolution_sdk.retry.decision import (
    Attempt,
    AttemptOutcome,
    CallSpec,
    Failed,
    GiveUp,
    Resolve,
    RetryEnd,
    RetryStep,
    Return,
    SendAbsent,
    SendFound,
    Sleep,
    Value,
    decide,
)

POLICY = RetryPolicy(jitter="none")


def play(
    outcomes: list[AttemptOutcome | None],
    policy: RetryPolicy = POLICY,
    *,
    attempt_ms: float = 0,
    effect: Effect | None = Effect.READ,
    first: Failed | None = None,
    **spec: Any,
) -> list[RetryStep | RetryEnd]:
    """Answer attempts and look-ups from a list; sleeping moves the clock. The end comes last."""
    clock = FakeClock()
    decision = decide(CallSpec(policy, "op", effect, **spec), clock, lambda: 0.5, first=first)
    seen: list[RetryStep | RetryEnd] = []
    answers = iter(outcomes)
    answer: AttemptOutcome | None = None
    while True:
        try:
            step = decision.send(answer)
        except StopIteration as done:
            return [*seen, done.value]
        seen.append(step)
        if isinstance(step, Sleep):
            clock.sleep(step.ms / 1_000)
            answer = None
        else:
            clock.now += attempt_ms / 1_000
            answer = next(answers)


def failed(phase: Phase = Phase.NOT_SENT, *, transient: bool = True) -> Failed:
    return Failed(failure(phase, transient=transient))


def test_success_at_once() -> None:
    assert play([Value(7)]) == [Attempt(1), Return(7, 1)]


def test_success_after_two_failures() -> None:
    first, second = failed(), failed(Phase.UNKNOWN)
    assert play([first, second, Value(7)]) == [
        Attempt(1),
        Sleep(1_000, 1, first.error),
        Attempt(2),
        Sleep(2_000, 2, second.error),
        Attempt(3),
        Return(7, 3),
    ]


def test_exhausted_gives_the_last_error_itself() -> None:
    errors = [failed(), failed(), failed()]
    end = play([*errors])[-1]
    assert end == GiveUp(errors[2].error, 3, StopReason.EXHAUSTED)
    last = errors[2].error
    assert (last.attempts, last.stopped_because, last.effect) == (3, "exhausted", Effect.READ)
    assert last.__notes__ == ["op: gave up after 3 attempts (exhausted: no attempts left)"]


def test_no_sleep_is_begun_that_would_cross_the_deadline() -> None:
    # 100 ms per attempt: 100 + 1000 fits, 1200 + 2000 does not.
    policy = POLICY.with_(max_attempts=9, max_elapsed_ms=3_199)
    steps = play([failed() for _ in range(9)], policy, attempt_ms=100)
    assert [type(step) for step in steps] == [Attempt, Sleep, Attempt, GiveUp]
    assert isinstance(steps[-1], GiveUp)
    assert steps[-1].reason is StopReason.DEADLINE
    longer = play([failed() for _ in range(9)], policy.with_(max_elapsed_ms=3_201), attempt_ms=100)
    assert len(longer) > len(steps)


def test_a_wait_that_ends_exactly_at_the_deadline_is_made() -> None:
    # Attempts take no time here: 1000 and 2000 ms of waiting end at 3000, not after it.
    steps = play([failed(), failed(), Value(1)], POLICY.with_(max_elapsed_ms=3_000))
    assert [step.ms for step in steps if isinstance(step, Sleep)] == [1_000, 2_000]
    assert steps[-1] == Return(1, 3)


def rate_limited(retry_after_ms: int | None) -> Failed:
    return Failed(RateLimitError(429, retry_after_ms=retry_after_ms))


def test_retry_after_is_obeyed_up_to_ten_times_the_cap() -> None:
    policy = POLICY.with_(max_delay_ms=2_000)
    steps = play([rate_limited(20_000), Value(1)], policy, effect=Effect.SEND)
    assert isinstance(steps[1], Sleep)
    assert steps[1].ms == 20_000
    stopped = play([rate_limited(20_001)], policy, effect=Effect.SEND)[-1]
    assert isinstance(stopped, GiveUp)
    assert stopped.reason is StopReason.RETRY_AFTER
    without = play([rate_limited(None), Value(1)], policy, effect=Effect.SEND)
    assert isinstance(without[1], Sleep)
    assert without[1].ms == 1_000


UNKNOWN = Phase.UNKNOWN


@pytest.mark.parametrize("transient", [True, False])
def test_raise_asks_nobody(transient: bool) -> None:
    cause = failed(UNKNOWN, transient=transient)
    steps = play([cause], effect=Effect.SEND, on_unknown="raise", instance="sales")
    end = steps[-1]
    assert [type(step) for step in steps] == [Attempt, GiveUp]
    assert isinstance(end, GiveUp)
    error = end.error
    assert isinstance(error, SendOutcomeUnknownError)
    assert error.__cause__ is cause.error
    assert (error.operation, error.instance) == ("op", "sales")
    assert "on_unknown='raise'" in error.checked
    assert (error.attempts, error.stopped_because) == (1, "outcome_unknown")
    assert error.effect is Effect.SEND
    assert not error.retryable


@pytest.mark.parametrize("mode", ["reconcile", "resend"])
@pytest.mark.parametrize("max_attempts", [1, 3])
def test_found_is_success_even_without_attempts_left(mode: OnUnknown, max_attempts: int) -> None:
    lost = failed(UNKNOWN)
    steps = play(
        [lost, SendFound("sent")],
        POLICY.with_(max_attempts=max_attempts),
        effect=Effect.SEND,
        on_unknown=mode,
    )
    assert steps == [Attempt(1), Resolve(lost.error, 1), Return("sent", 1, found=True)]


def checked_after(
    answers: list[AttemptOutcome | None], **options: Any
) -> tuple[list[type], GiveUp, str]:
    steps = play(answers, effect=Effect.SEND, **options)
    end = steps[-1]
    assert isinstance(end, GiveUp)
    assert isinstance(end.error, SendOutcomeUnknownError)
    return [type(step) for step in steps], end, end.error.checked


def test_reconcile_raises_when_absent() -> None:
    kinds, end, checked = checked_after([failed(UNKNOWN), SendAbsent("the store")])
    assert kinds == [Attempt, Resolve, GiveUp]
    assert end.reason is StopReason.OUTCOME_UNKNOWN
    assert checked == "the store"


def test_resend_tries_again_only_when_absent() -> None:
    lost = failed(UNKNOWN)
    steps = play([lost, SendAbsent("x"), Value(1)], effect=Effect.SEND, on_unknown="resend")
    assert steps == [
        Attempt(1),
        Resolve(lost.error, 1),
        Sleep(1_000, 1, lost.error),
        Attempt(2),
        Return(1, 2),
    ]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Failed(ValueError("secret")), "looking it up failed with ValueError"),
        (None, "there was no way to look it up"),
    ],
)
def test_resend_does_not_resend_when_nothing_was_seen(
    answer: AttemptOutcome | None, said: str
) -> None:
    kinds, end, checked = checked_after([failed(UNKNOWN), answer], on_unknown="resend")
    assert kinds == [Attempt, Resolve, GiveUp]
    assert checked == said
    assert end.attempts == 1


def test_resend_does_not_repeat_what_would_fail_again() -> None:
    strange = Failed(UnexpectedResponseError(200, "op", "<html>", "hint"))
    kinds, _, _ = checked_after([strange, SendAbsent("x")], on_unknown="resend")
    assert kinds == [Attempt, Resolve, GiveUp]


def test_resend_obeys_retry_on() -> None:
    kinds, _, _ = checked_after(
        [failed(UNKNOWN), SendAbsent("x")], on_unknown="resend", allows=lambda _: False
    )
    assert kinds == [Attempt, Resolve, GiveUp]


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (POLICY.with_(max_attempts=2), StopReason.EXHAUSTED),
        (POLICY.with_(max_elapsed_ms=1_500), StopReason.DEADLINE),
    ],
)
def test_resend_at_its_end_still_says_that_the_outcome_is_unknown(
    policy: RetryPolicy, reason: StopReason
) -> None:
    answers: list[AttemptOutcome | None] = [
        failed(UNKNOWN),
        SendAbsent("a"),
        failed(UNKNOWN),
        SendAbsent("b"),
    ]
    _, end, checked = checked_after(answers, policy=policy, on_unknown="resend")
    assert (end.reason, end.attempts, checked) == (reason, 2, "b")
    assert isinstance(end.error, SendOutcomeUnknownError)
    assert end.error.stopped_because == reason


def test_resend_then_refused_raises_the_refusal() -> None:
    refused = failed(Phase.NOT_SENT, transient=False)
    steps = play(
        [failed(UNKNOWN), SendAbsent("x"), refused], effect=Effect.SEND, on_unknown="resend"
    )
    assert steps[-1] == GiveUp(refused.error, 2, StopReason.NOT_RETRYABLE)


def test_retry_on_narrows_and_never_widens() -> None:
    no = play([failed()], allows=lambda _: False)[-1]
    assert isinstance(no, GiveUp)
    assert no.reason is StopReason.NOT_RETRYABLE
    yes = play([failed(UNKNOWN)], effect=Effect.DESTRUCTIVE, allows=lambda _: True)[-1]
    assert isinstance(yes, GiveUp)
    assert yes.reason is StopReason.NOT_SAFE


def test_what_was_retried_inside_is_not_retried_outside_and_keeps_its_story() -> None:
    inner = failure(Phase.NOT_SENT)
    inner.attempts, inner.stopped_because = 3, "exhausted"
    steps = play([Failed(inner)], effect=None, retried_inside=[inner])
    assert steps == [Attempt(1), GiveUp(inner, 1, StopReason.RETRIED_INSIDE)]
    assert (inner.attempts, inner.stopped_because) == (3, "exhausted")
    assert (
        len(play([Failed(failure(Phase.NOT_SENT)), Value(1)], effect=None, retried_inside=[inner]))
        == 4
    )


def test_a_driver_that_errs_is_told() -> None:
    with pytest.raises(TypeError, match="Value or Failed"):
        play([SendAbsent("x")])


def test_a_decision_may_begin_after_the_first_attempt() -> None:
    lost = failed(UNKNOWN)
    for outcomes in ([SendAbsent("x"), Value(1)], [SendFound(7)], [None]):
        options: dict[str, Any] = {"effect": Effect.SEND, "on_unknown": "resend"}
        whole = play([lost, *outcomes], **options)
        assert whole[0] == Attempt(1)
        # Errors compare by identity; the story of one that stays in doubt is made anew.
        assert str(play(list(outcomes), first=lost, **options)) == str(whole[1:])
