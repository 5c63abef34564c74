"""Consequences of a call or a look: pure decisions, by what the server surely said."""

from __future__ import annotations

from dataclasses import dataclass

from evolution_sdk._base.effect import Phase
from evolution_sdk.errors import (
    AuthenticationError,
    BulkheadFullError,
    CircuitOpenError,
    ClientClosedError,
    ConfigurationError,
    EvolutionAPIError,
    EvolutionError,
    InstanceNotConnectedError,
    InstanceNotFoundError,
    LicenseRequiredError,
    MetaAPIError,
    NewContactsPausedError,
    PermissionDeniedError,
    RateLimitError,
    RouteNotFoundError,
    SendLimitError,
    ServerError,
    ServerVersionError,
    TransportError,
    UnexpectedResponseError,
)
from evolution_sdk.models.message import SentMessage
from evolution_sdk.models.sent_search import SentSearch

from .claims import ALL, Claim
from .records import OutboxFailure, OutboxState
from .settling import Done, Lost, Outcome, Pause, Postponed

__all__ = ["Rules", "after_call", "after_failure", "after_look", "after_look_failure", "failure_of"]

_FIRST_LOOK_MS = 250.0
_LONGEST_LOOK_MS = 15_000.0
_FIRST_RETRY_MS = 2_000.0
_LONGEST_RETRY_MS = 300_000.0
_CROWDED_MS = 500.0
_LONGEST_TEXT = 300
# A client that was closed by its program, whose outbox still runs.
_CLOSED_MS = 1_000.0
# Looks that must have been made in vain before nothing more is expected of another one.
_LEAST_LOOKS = 3
# Looks that may fail for a reason of the server's own before it counts as one that stays.
_MOST_FAILED_LOOKS = 20
# Refusals that come before the server looks at what is asked: nothing was sent.
_AT_THE_DOOR = (
    AuthenticationError,
    PermissionDeniedError,
    LicenseRequiredError,
    InstanceNotFoundError,
    RouteNotFoundError,
    ServerVersionError,
)


@dataclass(frozen=True, slots=True)
class Rules:
    """Choices about the outcome of calls.

    Attributes:
        max_failures: So often may the server itself refuse a message for a passing reason before
            it is given up.
    """

    max_failures: int = 10


def failure_of(error: BaseException) -> OutboxFailure:
    """Return an error as data.

    Args:
        error: The error.
    """
    if not isinstance(error, EvolutionError):
        # Its text may hold anything.
        return OutboxFailure(type(error).__name__)
    status = getattr(error, "status", None)
    code = getattr(error, "code", None)
    return OutboxFailure(
        type(error).__name__,
        str(error)[:_LONGEST_TEXT],
        status if isinstance(status, int) else None,
        code if isinstance(code, int) else None,
    )


def after_call(sent: SentMessage, *, found: bool = False) -> Outcome:
    """Say what an answered call, or a message that was found, means.

    Args:
        sent: The message.
        found: Whether a look found it.
    """
    if not sent.id:
        # Cut short, or of a proxy. Without its id an equal one could be taken for it, or it for
        # an equal one.
        return Lost(_FIRST_LOOK_MS, "answered without an id; it is looked for", answered=True)
    told = sent.sent_at
    return Done(
        OutboxState.SENT,
        message_id=sent.id,
        remote_jid=sent.remote_jid or None,
        server_time=None if told is None else round(told.timestamp() * 1_000),
        found=found,
    )


def after_failure(error: BaseException, claim: Claim, rules: Rules) -> Outcome:
    """Say what a failed call means.

    Args:
        error: What it raised.
        claim: The message.
        rules: What may be chosen.
    """
    failure = failure_of(error)
    lost = Lost(_FIRST_LOOK_MS, "no answer tells whether it was sent; it is looked for", failure)
    if not isinstance(error, EvolutionError) or error.phase is Phase.UNKNOWN:
        return lost
    if error.phase is Phase.ANSWERED and not isinstance(error, _AT_THE_DOOR):
        # It acted, or refused for good: only what it will refuse again is surely the latter.
        return lost if error.transient else _refused(failure)
    held = _held_back(error, failure)
    if held is not None:
        return held
    pause = _pause_for(error, claim.instance)
    if pause is not None:
        # An attempt is only what has reached the server.
        reached = isinstance(error, EvolutionAPIError)
        return Postponed(0, failure, pause.reason, called=reached, pause=pause)
    # A passing failure of this very message, in the server's own words: others are not held up.
    passing = error.transient or isinstance(error, ServerError)
    if passing and claim.failures + 1 < rules.max_failures:
        told = getattr(error, "retry_after_ms", None)
        wait_ms = min(_FIRST_RETRY_MS * 2.0 ** min(claim.failures, 20), _LONGEST_RETRY_MS)
        return Postponed(told or wait_ms, failure, "refused for now", counts=True)
    return _refused(failure)


def _refused(failure: OutboxFailure) -> Done:
    return Done(OutboxState.FAILED, error=failure, reason="refused for good")


def _held_back(error: EvolutionError, failure: OutboxFailure) -> Postponed | None:
    """A call that this process did not make."""
    if isinstance(error, SendLimitError):
        if error.limit == "recipient_gap_ms":
            return Postponed(error.resets_in_ms, None, "keeps its distance in time", called=False)
        return None
    if isinstance(error, NewContactsPausedError):
        return Postponed(error.retry_after_ms, failure, "new chats are paused", called=False)
    if isinstance(error, BulkheadFullError):
        return Postponed(_CROWDED_MS, None, "too many calls in flight", called=False)
    if isinstance(error, ClientClosedError):
        return Postponed(_CLOSED_MS, None, "the client of its worker is closed", called=False)
    return None


def _pause_for(error: EvolutionError, instance: str) -> Pause | None:
    """The pause that a failure asks for which is not the message's own."""
    name = type(error).__name__
    if isinstance(error, SendLimitError):
        return Pause(instance, f"limit: {error.limit}", error.resets_in_ms, trouble=False)
    if isinstance(error, CircuitOpenError):
        place = instance if error.scope == "instance" else ALL
        return Pause(place, name, error.retry_after_ms)
    if isinstance(error, RateLimitError):
        return Pause(instance, name, error.retry_after_ms)
    if isinstance(error, InstanceNotConnectedError | InstanceNotFoundError):
        return Pause(instance, name)
    if isinstance(error, AuthenticationError | PermissionDeniedError):
        return Pause(instance, name)
    if isinstance(
        error,
        LicenseRequiredError
        | RouteNotFoundError
        | ServerVersionError
        | TransportError
        | UnexpectedResponseError
        | ConfigurationError,
    ):
        return Pause(ALL, name)
    if isinstance(error, ServerError) and not error.by_server:
        return Pause(ALL, name, getattr(error, "retry_after_ms", None))
    return None


def after_look(search: SentSearch, claim: Claim, left_ms: float) -> Outcome:
    """Say what a look for a message means.

    Args:
        search: What it found.
        claim: The message.
        left_ms: Time during which the server may still be at work on it, in milliseconds: until
            then that it is not there proves nothing.
    """
    if search.status == "found" and search.message is not None:
        return after_call(search.message, found=True)
    if claim.answered:
        # The server was done with it. Not to be found speaks against the answer, as far as it is
        # sure; else the answer counts.
        return _unproven(claim, search.reason, answered=search.status != "absent")
    if left_ms > 0:
        return Lost(min(left_ms, _look_ms(claim.looks)), search.reason, looked=True)
    if search.status == "absent":
        return Postponed(0, None, f"it surely was not sent: {search.reason}")
    return _unproven(claim, search.reason)


def after_look_failure(error: BaseException, claim: Claim, left_ms: float) -> Outcome:
    """Say what a look that failed means.

    Args:
        error: What it raised.
        claim: The message.
        left_ms: As of :func:`after_look`.
    """
    failure = failure_of(error)
    if isinstance(error, EvolutionError):
        pause = _pause_for(error, claim.instance)
        if pause is not None:
            return Lost(
                _look_ms(claim.looks), "the look failed; it is made again", failure, pause=pause
            )
        if isinstance(error, ClientClosedError):
            return Lost(_CLOSED_MS, "the client of its worker is closed")
    passing = getattr(error, "transient", False) and not isinstance(error, MetaAPIError)
    # A server may fail for a while, and tell afterwards; one that always fails tells nothing, and
    # neither does a fault of ours: its chat must not wait for ever.
    ours = not isinstance(error, EvolutionError)
    often = claim.looks + 1 >= _MOST_FAILED_LOOKS
    lasting = isinstance(error, EvolutionAPIError) and often
    if (left_ms > 0 and not claim.answered and not (ours and often)) or (passing and not lasting):
        return Lost(
            _look_ms(claim.looks), "the look failed; it is made again", failure, looked=True
        )
    words = f"it could not be looked for: {failure.text or failure.error}"
    return _unproven(claim, words, answered=claim.answered)


def _unproven(claim: Claim, reason: str, *, answered: bool = False) -> Outcome:
    if claim.looks + 1 < _LEAST_LOOKS:
        return Lost(_look_ms(claim.looks), reason, looked=True)
    if answered:
        return Done(OutboxState.SENT, reason=f"answered without an id, and not found: {reason}")
    if claim.on_unknown == "resend":
        return Postponed(0, None, f"sent again, as chosen, though nothing is proven: {reason}")
    return Done(OutboxState.UNKNOWN, reason=reason)


def _look_ms(looks: int) -> float:
    return min(_FIRST_LOOK_MS * 2.0 ** min(looks, 20), _LONGEST_LOOK_MS)
