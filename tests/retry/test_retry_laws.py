"""Laws that hold for every policy and every course of events, in both colours."""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from retry_kit import Async, FakeClock, Script, Sync, failure, service

from effort import examples
from evolution_sdk._base.effect import Effect, Phase
from evolution_sdk.errors import RateLimitError
from evolution_sdk.retry import RetryPolicy, StopReason
from evolution_sdk.retry.decision import SendAbsent, SendFound

ms = st.floats(0, 100_000)
policies = st.builds(
    RetryPolicy,
    max_attempts=st.integers(1, 6),
    delay_ms=ms,
    backoff_factor=st.floats(1, 10),
    max_delay_ms=ms,
    jitter=st.sampled_from(["none", "full", "equal", "decorrelated"]),
    max_elapsed_ms=st.none() | ms,
)
happenings = st.sampled_from(
    ["ok", "not_sent", "unknown", "answered", "refused", "strange", "limited", "foreign"]
)
courses = st.lists(happenings, min_size=1, max_size=8)
findings = st.lists(st.sampled_from(["found", "absent", "broken"]), min_size=1, max_size=8)
effects = st.sampled_from([*Effect])
modes = st.sampled_from(["raise", "reconcile", "resend"])


def made(happening: str) -> Any:
    match happening:
        case "ok":
            return "sent"
        case "refused":
            return failure(Phase.NOT_SENT, transient=False)
        case "strange":
            return failure(Phase.UNKNOWN, transient=False)
        case "limited":
            return RateLimitError(429, retry_after_ms=70_000)
        case "foreign":
            return ValueError("x")
        case _:
            return failure(Phase(happening))


def answered(finding: str) -> Any:
    answers = {"found": SendFound("sent"), "absent": SendAbsent("the store"), "broken": OSError()}
    return answers[finding]


class Case(NamedTuple):
    """One call: its policy, what happens to it, and how it is made."""

    policy: RetryPolicy
    course: list[str]
    found: list[str] = ["absent"]
    effect: Effect = Effect.SEND
    mode: str = "raise"
    seed: int = 0
    attempt_ms: float = 0.0


class Trace(NamedTuple):
    calls: list[int]
    naps: list[float]
    lookups: int
    result: str
    reason: str | None
    attempts: int
    elapsed_ms: float


def trace(colour: Any, case: Case) -> Trace:
    clock = FakeClock(0.0)
    retry = service(case.policy, clock, random=random.Random(case.seed))

    def take_time() -> None:
        clock.now += case.attempt_ms / 1_000

    attempt = Script(map(made, case.course), take_time)
    resolve = Script(map(answered, case.found))
    reason = None
    try:
        result = colour.run(
            retry, attempt, resolve=resolve, effect=case.effect, on_unknown=case.mode
        )
    except Exception as error:
        result = type(error).__name__
        reason = getattr(error, "stopped_because", None)
    attempts = retry.get_metrics().attempts
    elapsed = clock.now * 1_000
    return Trace(attempt.numbers, clock.naps, resolve.calls, result, reason, attempts, elapsed)


cases = st.builds(Case, policies, courses, findings, effects, modes, st.integers(0, 9), ms)
SLACK = 1e-6


@given(cases)
@settings(max_examples=examples(300))
def test_attempts_and_naps(case: Case) -> None:
    policy, seen = case.policy, trace(Sync, case)
    assert seen.calls == list(range(1, len(seen.calls) + 1))
    assert 1 <= len(seen.calls) <= policy.max_attempts
    assert seen.attempts == len(seen.calls)
    assert len(seen.naps) == len(seen.calls) - 1
    for nap, happening in zip(seen.naps, case.course, strict=False):
        cap = policy.max_delay_ms * (10 if happening == "limited" else 1)
        assert 0 <= nap <= cap * (1 + SLACK)
        if happening == "limited":
            assert nap >= 70_000 * (1 - SLACK)
    if policy.max_elapsed_ms is not None and seen.naps:
        assert seen.elapsed_ms - case.attempt_ms <= policy.max_elapsed_ms + SLACK


@given(cases)
@settings(max_examples=examples(300))
def test_safety(case: Case) -> None:
    seen, course = trace(Sync, case), case.course
    tried = course[: len(seen.calls)] + course[-1:] * (len(seen.calls) - len(course))
    unknown = [n for n, happening in enumerate(tried, 1) if happening in ("unknown", "strange")]
    again = [n for n in unknown if n < len(seen.calls)]
    found = [case.found[min(n, len(case.found) - 1)] for n in range(len(again))]
    if case.effect is Effect.SEND:
        assert set(found) <= ({"absent"} if case.mode == "resend" else set())
    if case.effect is Effect.DESTRUCTIVE:
        assert all(happening in ("not_sent", "limited") for happening in tried[:-1])
    looked_up = case.effect is Effect.SEND and case.mode != "raise"
    assert seen.lookups == (len(unknown) if looked_up else 0)
    if case.effect is Effect.SEND and len(seen.calls) in unknown:
        assert seen.result in ("SendOutcomeUnknownError", "sent")
    if seen.result not in ("sent", "ValueError"):
        assert seen.reason in [*StopReason]


@given(cases)
@settings(max_examples=examples(60))
def test_both_colours_and_the_same_seed_do_the_same(case: Case) -> None:
    assert trace(Sync, case) == trace(Async, case) == trace(Sync, case)


@given(policies)
@settings(max_examples=examples(100))
def test_without_jitter_the_naps_are_the_formula(policy: RetryPolicy) -> None:
    policy = policy.with_(jitter="none", max_elapsed_ms=None)
    formula = [
        min(policy.delay_ms * policy.backoff_factor**n, policy.max_delay_ms)
        for n in range(policy.max_attempts - 1)
    ]
    naps = trace(Sync, Case(policy, ["not_sent"])).naps
    assert naps == pytest.approx(formula, rel=1e-12)


def test_another_seed_naps_otherwise() -> None:
    traces = [trace(Sync, Case(RetryPolicy(), ["not_sent"], seed=seed)) for seed in range(5)]
    assert len({tuple(seen.naps) for seen in traces}) == 5
