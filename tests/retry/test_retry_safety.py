from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import pytest
from retry_kit import failure

from evolution_sdk import errors
from evolution_sdk._base.effect import Effect, Phase
from evolution_sdk.errors import ConfigurationError, EvolutionError
from evolution_sdk.retry import OnUnknown, StopReason
from evolution_sdk.retry.safety import (
    TABLE,
    Action,
    add_note_once,
    as_predicate,
    check_on_unknown,
    judge,
)

E, P = Effect, Phase
RETRY, RESOLVE = (Action.RETRY, None), (Action.RESOLVE, None)
NOT_SAFE = (Action.GIVE_UP, StopReason.NOT_SAFE)
FINAL = (Action.GIVE_UP, StopReason.NOT_RETRYABLE)
UNKNOWN = (Action.GIVE_UP, StopReason.OUTCOME_UNKNOWN)
ALL = [*product(E, P, [True, False])]
MODES: list[OnUnknown] = ["raise", "reconcile", "resend"]


def expected(effect: Effect, phase: Phase, transient: bool, mode: OnUnknown) -> object:
    """The rules in words, written a second time and in another way than the table."""
    if effect is E.SEND and phase is P.UNKNOWN:
        return UNKNOWN if mode == "raise" else RESOLVE
    if not transient:
        return FINAL
    if effect in (E.READ, E.IDEMPOTENT) or phase is P.NOT_SENT:
        return RETRY
    return NOT_SAFE


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("effect", "phase", "transient"), ALL)
def test_every_cell(effect: Effect, phase: Phase, transient: bool, mode: OnUnknown) -> None:
    judged = judge(failure(phase, transient=transient), effect, mode)
    assert judged == expected(effect, phase, transient, mode)


def test_the_table_is_complete() -> None:
    assert set(TABLE) == set(product(E, P))


@pytest.mark.parametrize(("effect", "phase", "transient"), ALL)
def test_the_table_retries_what_the_error_itself_calls_retryable(
    effect: Effect, phase: Phase, transient: bool
) -> None:
    error = failure(phase, transient=transient)
    error.effect = effect
    assert (judge(error, effect, "reconcile").action is Action.RETRY) == error.retryable


def all_errors() -> list[type[EvolutionError]]:
    return [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize("kind", all_errors())
@pytest.mark.parametrize("phase", list(P))
@pytest.mark.parametrize("mode", MODES)
def test_no_error_class_lets_a_send_be_repeated_unless_it_surely_never_arrived(
    kind: type[EvolutionError], phase: Phase, mode: OnUnknown
) -> None:
    error = kind.__new__(kind)
    error.phase = phase
    if judge(error, E.SEND, mode).action is Action.RETRY:
        assert phase is P.NOT_SENT
        assert error.transient


def test_a_foreign_error_is_retried_alone_but_not_in_an_api_call() -> None:
    assert judge(ValueError(), None, "reconcile") == RETRY
    for effect in E:
        assert judge(ValueError(), effect, "reconcile") == FINAL


@pytest.mark.parametrize(("phase", "transient"), [*product(P, [True, False])])
def test_without_an_effect_an_evolution_error_is_taken_at_its_word(
    phase: Phase, transient: bool
) -> None:
    for effect in (None, *E):
        error = failure(phase, transient=transient)
        error.effect = effect
        judged = judge(error, None, "resend")
        if error.retryable:
            assert judged == RETRY
        else:
            assert judged == (NOT_SAFE if transient else FINAL)


def test_on_unknown_is_checked() -> None:
    for mode in MODES:
        check_on_unknown(mode)
    with pytest.raises(ConfigurationError, match="rasie") as caught:
        check_on_unknown("rasie")  # type: ignore[arg-type]
    assert caught.value.variable == "on_unknown"


def test_retry_on_takes_a_class_a_tuple_or_a_predicate() -> None:
    for given in (OSError, (KeyError, OSError), lambda error: isinstance(error, OSError)):
        allows = as_predicate(given)
        assert allows is not None
        assert allows(ConnectionError())
        assert not allows(ValueError())
    assert as_predicate(None) is None


@pytest.mark.parametrize(
    "bad", [int, (OSError, 3), "OSError", 5, KeyboardInterrupt, (OSError, BaseException)]
)
def test_retry_on_refuses_anything_else(bad: object) -> None:
    with pytest.raises(ConfigurationError) as caught:
        as_predicate(bad)  # type: ignore[arg-type]
    assert caught.value.variable == "retry_on"


def test_a_predicate_that_fails_says_no_and_says_so() -> None:
    allows = as_predicate(lambda error: error.nope)  # type: ignore[attr-defined]
    error = ValueError()
    assert allows is not None
    assert not allows(error)
    assert "AttributeError" in error.__notes__[0]


def test_a_note_is_added_once_and_never_raises() -> None:
    @dataclass(frozen=True)
    class FrozenError(Exception):
        code: int = 0

    error = ValueError()
    add_note_once(error, "a")
    add_note_once(error, "a")
    add_note_once(error, "b")
    assert error.__notes__ == ["a", "b"]
    add_note_once(FrozenError(), "a")
