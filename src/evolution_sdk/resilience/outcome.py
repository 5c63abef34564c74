"""Judgement of an attempt: what its outcome says about the server and about the instance."""

from __future__ import annotations

from typing import NamedTuple

from evolution_sdk._base.effect import Phase
from evolution_sdk.errors import (
    EvolutionAPIError,
    EvolutionTimeoutError,
    InstanceNotConnectedError,
    LicenseRequiredError,
    RateLimitError,
    ServerError,
    TransportError,
    UnexpectedResponseError,
)

from .breaker import CallOutcome

__all__ = ["CallOutcomes", "cause_of", "judge"]

_SERVER_ERRORS = 500
# Causes of a transport error when all of our own connections stayed busy.
_BUSY_HERE = frozenset({"PoolTimeout", "NoSlotError"})


class CallOutcomes(NamedTuple):
    """Outcomes of one attempt for the two breakers that it concerns."""

    server: CallOutcome
    instance: CallOutcome


SUCCEEDED = CallOutcomes(CallOutcome.SUCCESS, CallOutcome.SUCCESS)
_SERVER_FAILED = CallOutcomes(CallOutcome.FAILURE, CallOutcome.IGNORED)
_INSTANCE_FAILED = CallOutcomes(CallOutcome.SUCCESS, CallOutcome.FAILURE)
_INSTANCE_HANGS = CallOutcomes(CallOutcome.IGNORED, CallOutcome.FAILURE)
_REFUSED = CallOutcomes(CallOutcome.SUCCESS, CallOutcome.IGNORED)
_SILENT = CallOutcomes(CallOutcome.IGNORED, CallOutcome.IGNORED)


def judge(error: BaseException | None, *, by_session: bool, one_file: bool = False) -> CallOutcomes:
    """Judge the outcome of an attempt.

    A refusal that is the caller's fault, or about one message or file, is an answer: it shows that
    the server works. A timeout after the request was sent counts against the instance if WhatsApp
    has to be asked (up to 60 s per question, `facts/semantics.md` §6), else against the server.

    Args:
        error: The exception of the attempt, or None.
        by_session: True if the operation uses the WhatsApp session of the instance.
        one_file: True if the operation carries a file, which decides how long it takes.

    Returns:
        The outcome for each breaker.
    """
    if isinstance(error, TransportError):
        return _unanswered(error, by_session, one_file)
    match error:
        case None:
            return SUCCEEDED
        case InstanceNotConnectedError() | ServerError(concerns="instance"):
            return _INSTANCE_FAILED
        case RateLimitError() | LicenseRequiredError():
            return _SILENT
        case ServerError(concerns="call", status=status) if status >= _SERVER_ERRORS:
            return _REFUSED  # an answer about this one message, file, group or number
        case ServerError() | UnexpectedResponseError() if error.status >= _SERVER_ERRORS:
            return _SERVER_FAILED
        case ServerError() | UnexpectedResponseError():
            return _SILENT  # below 500: another service failed, or something else answered
        case EvolutionAPIError():
            return _REFUSED
        case _:
            return _SILENT


def cause_of(error: BaseException) -> str:
    """Describe a failure by its class and phase, without its text, which may quote the server.

    Args:
        error: The exception of an attempt.

    Returns:
        A text such as ``ConnectionFailedError (request not sent)`` or ``ServerError (HTTP 502)``.
    """
    name = type(error).__name__
    if isinstance(error, EvolutionAPIError):
        return f"{name} (HTTP {error.status})"
    match getattr(error, "phase", None):
        case Phase.NOT_SENT:
            return f"{name} (request not sent)"
        case Phase.UNKNOWN:
            return f"{name} (no answer)"
        case _:
            return name


def _unanswered(error: TransportError, by_session: bool, one_file: bool) -> CallOutcomes:
    match error:
        case EvolutionTimeoutError(phase=Phase.UNKNOWN) if one_file:
            return _SILENT  # a large or slow file says nothing about other calls
        case EvolutionTimeoutError(phase=Phase.UNKNOWN) if by_session:
            return _INSTANCE_HANGS
        case TransportError(transient=False):
            return _SILENT  # wrong on our side: a certificate, a key that no header can carry
        case _ if type(error.__cause__).__name__ in _BUSY_HERE:
            return _SILENT  # too many calls at once in this process, whatever the server does
        case _:
            return _SERVER_FAILED
