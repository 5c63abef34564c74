"""Retry safety: one table of effect, phase and kind of error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import StrEnum
from typing import Any, Final, Literal, NamedTuple, cast, get_args

from evolution_sdk._base.effect import Effect, Phase
from evolution_sdk.errors import CircuitOpenError, ConfigurationError, EvolutionError

__all__ = [
    "SETTLING",
    "TABLE",
    "Action",
    "OnUnknown",
    "RetryOn",
    "RetryVerdict",
    "StopReason",
    "add_note_once",
    "as_predicate",
    "check_on_unknown",
    "judge",
    "mark_error",
]

OnUnknown = Literal["raise", "reconcile", "resend"]
"""Policy for a send that may or may not have happened."""

RetryOn = type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], bool]


class Action(StrEnum):
    """Next move after a failed attempt."""

    RETRY = "retry"
    RESOLVE = "resolve"
    """Find out whether the send happened, then decide."""
    GIVE_UP = "give_up"


class StopReason(StrEnum):
    """Reason why no further attempt was made; found in ``error.stopped_because``."""

    EXHAUSTED = "exhausted"
    """All attempts of the policy are used up."""
    DEADLINE = "deadline"
    """The next wait would end after ``max_elapsed_ms``."""
    RETRY_AFTER = "retry_after"
    """The server asked to wait longer than the policy's bound."""
    NOT_SAFE = "not_safe"
    """The cause may pass, but repeating the call could act twice."""
    NOT_RETRYABLE = "not_retryable"
    """The same call would fail again, or ``retry_on`` says no."""
    OUTCOME_UNKNOWN = "outcome_unknown"
    """A send may or may not have happened, and it could not be settled."""
    BUDGET = "budget"
    """The retries of all calls together are used up; see :class:`RetryBudget`."""
    CIRCUIT_OPEN = "circuit_open"
    """The circuit breaker lets no call through for now."""
    RETRIED_INSIDE = "retried_inside"
    """A retry service inside the function had used up its attempts already."""


class RetryVerdict(NamedTuple):
    """Judgement of one failed attempt: the next move, and the reason for giving up."""

    action: Action
    reason: StopReason | None = None


_RETRY = RetryVerdict(Action.RETRY)
_SETTLE = RetryVerdict(Action.RESOLVE)
_UNSAFE = RetryVerdict(Action.GIVE_UP, StopReason.NOT_SAFE)
_FINAL = RetryVerdict(Action.GIVE_UP, StopReason.NOT_RETRYABLE)
_OPEN = RetryVerdict(Action.GIVE_UP, StopReason.CIRCUIT_OPEN)

# The server has no idempotency key, and a failure after the message has left looks like one
# before it: only the phase of the failure makes a repeat safe (server semantics, section 7).
TABLE: Final[Mapping[tuple[Effect, Phase], tuple[RetryVerdict, RetryVerdict]]] = {
    # effect, phase                       the cause may pass | it stays
    # Reading twice, and setting the same value twice, does no harm: only the cause counts.
    (Effect.READ, Phase.NOT_SENT): (_RETRY, _FINAL),
    (Effect.READ, Phase.UNKNOWN): (_RETRY, _FINAL),
    (Effect.READ, Phase.ANSWERED): (_RETRY, _FINAL),
    (Effect.IDEMPOTENT, Phase.NOT_SENT): (_RETRY, _FINAL),
    (Effect.IDEMPOTENT, Phase.UNKNOWN): (_RETRY, _FINAL),
    (Effect.IDEMPOTENT, Phase.ANSWERED): (_RETRY, _FINAL),
    # A send is repeated only when it surely did not happen. UNKNOWN is for the look-up to settle,
    # whatever the cause; after an answer the server has acted, or has refused for good.
    (Effect.SEND, Phase.NOT_SENT): (_RETRY, _FINAL),
    (Effect.SEND, Phase.UNKNOWN): (_SETTLE, _SETTLE),
    (Effect.SEND, Phase.ANSWERED): (_UNSAFE, _FINAL),
    # Deleting or logging out twice may hit what was made in between, and nothing can be looked up.
    (Effect.DESTRUCTIVE, Phase.NOT_SENT): (_RETRY, _FINAL),
    (Effect.DESTRUCTIVE, Phase.UNKNOWN): (_UNSAFE, _FINAL),
    (Effect.DESTRUCTIVE, Phase.ANSWERED): (_UNSAFE, _FINAL),
}

SETTLING: Final[Mapping[OnUnknown, RetryVerdict]] = {
    "raise": RetryVerdict(Action.GIVE_UP, StopReason.OUTCOME_UNKNOWN),
    "reconcile": _SETTLE,
    "resend": _SETTLE,
}
"""RetryVerdict of each ``on_unknown`` for a send of unknown outcome (RESOLVE in the table)."""


def judge(error: Exception, effect: Effect | None, on_unknown: OnUnknown) -> RetryVerdict:
    """Judge one failed attempt.

    Args:
        error: The exception it raised.
        effect: Effect of the operation; None for a function of the user's.
        on_unknown: Policy for a send that may or may not have happened.

    Returns:
        The entry of ``TABLE``; an open circuit breaker ends the call. Without an effect, an
        ``EvolutionError`` is retried when it is ``retryable``, any other exception always. With an
        effect, an exception that is not an ``EvolutionError`` is a programming error and is not
        retried.
    """
    if not isinstance(error, EvolutionError):
        # A function of the user's may fail in any way; the client's own attempts raise nothing
        # but EvolutionError, so that anything else there is a bug.
        return _RETRY if effect is None else _FINAL
    if isinstance(error, CircuitOpenError):
        return _OPEN
    if effect is None:
        # An error that came out of a client inside of the function knows its own effect.
        if error.retryable:
            return _RETRY
        return _UNSAFE if error.transient else _FINAL
    passing, staying = TABLE[effect, error.phase]
    found = passing if error.transient else staying
    return SETTLING[on_unknown] if found is _SETTLE else found


def check_on_unknown(value: OnUnknown) -> None:
    """Refuse a word that is not in :data:`OnUnknown`.

    Raises:
        ConfigurationError: The word is unknown.
    """
    if not isinstance(cast("object", value), str) or value not in SETTLING:
        raise ConfigurationError(
            f"on_unknown must be one of {', '.join(get_args(OnUnknown))}, not {value!r}.",
            variable="on_unknown",
        )


def as_predicate(retry_on: RetryOn | None) -> Callable[[Exception], bool] | None:
    """Turn ``retry_on`` into a predicate that never raises.

    Args:
        retry_on: A class, a tuple of classes, a predicate, or None for no restriction.

    Raises:
        ConfigurationError: ``retry_on`` is none of these.
    """
    if retry_on is None:
        return None
    if isinstance(retry_on, tuple | type):
        classes = cast("tuple[Any, ...]", retry_on if isinstance(retry_on, tuple) else (retry_on,))
        if all(isinstance(kind, type) and issubclass(kind, Exception) for kind in classes):
            return lambda error: isinstance(error, classes)
    if isinstance(retry_on, tuple | type) or not callable(retry_on):
        raise ConfigurationError(
            "retry_on must be exception classes or a function of the error.", variable="retry_on"
        )
    ask = retry_on  # narrowed to a function for type checkers

    def predicate(error: Exception) -> bool:
        try:
            return bool(ask(error))
        except Exception as wrong:  # noqa: BLE001 - the caller must see the error of its call
            add_note_once(error, f"retry_on itself failed with {type(wrong).__name__}: not retried")
            return False

    return predicate


def add_note_once(error: BaseException, text: str) -> None:
    """Add a line to the error's traceback, unless it is there already."""
    if text not in getattr(error, "__notes__", ()):
        with suppress(Exception):  # a frozen dataclass as exception refuses notes
            error.add_note(text)


def mark_error(error: Exception, attempts: int, reason: StopReason) -> None:
    """Set ``attempts`` and ``stopped_because`` on an error, where it has room for them.

    Args:
        error: Any exception; a foreign one with attributes of these names keeps its own.
        attempts: Number of attempts made.
        reason: Reason why there was no further one.
    """
    # A library may give its own meaning to the name.
    if not isinstance(error, EvolutionError) and hasattr(type(error), "attempts"):
        return
    with suppress(Exception):  # an exception with slots, or a frozen one, has no room
        error.attempts = attempts  # type: ignore[attr-defined]  # foreign errors may have none
        error.stopped_because = reason.value  # type: ignore[attr-defined]  # as above
