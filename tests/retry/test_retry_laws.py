"""Laws that hold for every policy and every course of events, in both colours."""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from retry_kit import COLOURS, FakeClock, Script, failure, service

from evolution_sdk._core.effect import Effect, Phase
from evolution_sdk.errors import RateLimitError
from evolution_sdk.retry import Absent, Found, RetryPolicy, StopReason

ms = st.floats(0, 100_000)
policies = st.builds(
    RetryPolicy,
    max_attempts=st.integers(1, 6),
    delay_ms=ms,
    backoff_factor=st.floats(1, 10),
    max_delay_ms=ms,
    jitter=st.sampled_from(["none", "full", "equal"]),
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
    answers = {"found": Found("sent"), "absent": Absent("the store"), "broken": OSError()}
    return answers[finding]


class Trace(NamedTuple):
    calls: list[int]
    naps: list[float]
    lookups: int
    result: str
    reason: str | None
    attempts: int
    elapsed_ms: float


def trace(
    colour: Any,
    policy: RetryPolicy,
    course: list[str],
    found: list[str],
    effect: Effect,
    mode: str,
    seed: int,
    attempt_ms: float = 0.0,
) -> Trace:
    clock = FakeClock(0.0)
    retry = service(policy, clock, random=random.Random(seed))

    def take_time() -> None:
        clock.now += attempt_ms / 1_000

    attempt = Script(map(made, course), take_time)
    resolve = Script(map(answered, found))
    reason = None
    try:
        result = colour.run(retry, attempt, resolve=resolve, effect=effect, on_unknown=mode)
    except Exception as error:
        result = type(error).__name__
        reason = getattr(error, "stopped_because", None)
    attempts = retry.get_metrics().attempts
    elapsed = clock.now * 1_000
    return Trace(attempt.numbers, clock.naps, resolve.calls, result, reason, attempts, elapsed)


everything = given(policies, courses, findings, effects, modes, st.integers(0, 9), ms)


@everything
@settings(max_examples=300, deadline=None)
@pytest.mark.parametrize("colour", COLOURS[:1])
def test_laws(
    colour: Any,
    policy: RetryPolicy,
    course: list[str],
    found: list[str],
    effect: Effect,
    mode: str,
    seed: int,
    attempt_ms: float,
) -> None:
    seen = trace(colour, policy, course, found, effect, mode, seed, attempt_ms)
    slack = 1e-6

    assert seen.calls == list(range(1, len(seen.calls) + 1))
    assert 1 <= len(seen.calls) <= policy.max_attempts
    assert seen.attempts == len(seen.calls)
    assert len(seen.naps) == len(seen.calls) - 1

    for nap, happening in zip(seen.naps, course, strict=False):
        cap = policy.max_delay_ms * (10 if happening == "limited" else 1)
        assert 0 <= nap <= cap * (1 + slack)
        if happening == "limited":
            assert nap >= 70_000 * (1 - slack)
    if policy.max_elapsed_ms is not None and len(seen.calls) > 1:
        assert seen.elapsed_ms - attempt_ms <= policy.max_elapsed_ms + slack

    tried = course[: len(seen.calls)] + course[-1:] * (len(seen.calls) - len(course))
    unknown = [n for n, happening in enumerate(tried, 1) if happening in ("unknown", "strange")]
    again = [n for n in unknown if n < len(seen.calls)]
    if effect is Effect.SEND and mode != "resend":
        assert not again
    if effect is Effect.SEND and mode == "resend":
        assert all(found[min(i, len(found) - 1)] == "absent" for i in range(len(again)))
    if effect is Effect.DESTRUCTIVE:
        assert all(happening in ("not_sent", "limited") for happening in tried[:-1])
    if effect is not Effect.SEND or mode == "raise":
        assert seen.lookups == 0
    else:
        assert seen.lookups == len(unknown)
    if effect is Effect.SEND and unknown == [len(seen.calls)]:
        assert seen.result in ("SendOutcomeUnknownError", "sent")
    if seen.result != "sent" and "foreign" not in tried:
        assert seen.reason in [*StopReason]


@everything
@settings(max_examples=60, deadline=None)
def test_both_colours_and_the_same_seed_do_the_same(
    policy: RetryPolicy,
    course: list[str],
    found: list[str],
    effect: Effect,
    mode: str,
    seed: int,
    attempt_ms: float,
) -> None:
    traces = [
        trace(colour, policy, course, found, effect, mode, seed, attempt_ms)
        for colour in (*COLOURS, COLOURS[0])
    ]
    assert traces[0] == traces[1] == traces[2]


@given(policies, st.integers(0, 9))
@settings(max_examples=100, deadline=None)
def test_without_jitter_the_naps_are_the_formula(policy: RetryPolicy, seed: int) -> None:
    policy = policy.with_(jitter="none", max_elapsed_ms=None)
    seen = trace(COLOURS[0], policy, ["not_sent"], ["absent"], Effect.SEND, "raise", seed)
    formula = [
        min(policy.delay_ms * policy.backoff_factor**n, policy.max_delay_ms)
        for n in range(policy.max_attempts - 1)
    ]
    assert seen.naps == pytest.approx(formula, rel=1e-12)


def test_another_seed_naps_otherwise() -> None:
    naps = {
        tuple(
            trace(
                COLOURS[0], RetryPolicy(), ["not_sent"], ["absent"], Effect.READ, "raise", seed
            ).naps
        )
        for seed in range(5)
    }
    assert len(naps) == 5
