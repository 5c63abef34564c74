"""What the end of an attempt says about the server, and about the instance's connection."""

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
# What the transport raises from when all of its own connections stayed busy.
_BUSY_HERE = frozenset({"PoolTimeout", "NoSlotError"})


class CallOutcomes(NamedTuple):
    """What one attempt means for the two breakers it concerns."""

    server: CallOutcome
    instance: CallOutcome


SUCCEEDED = CallOutcomes(CallOutcome.SUCCESS, CallOutcome.SUCCESS)
_SERVER_FAILED = CallOutcomes(CallOutcome.FAILURE, CallOutcome.IGNORED)
_INSTANCE_FAILED = CallOutcomes(CallOutcome.SUCCESS, CallOutcome.FAILURE)
_INSTANCE_HANGS = CallOutcomes(CallOutcome.IGNORED, CallOutcome.FAILURE)
_REFUSED = CallOutcomes(CallOutcome.SUCCESS, CallOutcome.IGNORED)
_SILENT = CallOutcomes(CallOutcome.IGNORED, CallOutcome.IGNORED)


def judge(error: BaseException | None, *, by_session: bool, one_file: bool = False) -> CallOutcomes:
    """Say what the end of an attempt means.

    A refusal that is the caller's fault, or about one thing only, is an answer: it shows that the
    server lives. No answer in
    time, after the request had gone, is that instance's when WhatsApp has to be asked (up to 60 s
    per question, `facts/semantics.md` §6), and the server's otherwise.

    Args:
        error: What it raised, or None.
        by_session: Whether the operation goes through the instance's connection.
        one_file: Whether the time it takes is that of one file.

    Returns:
        A mark for each breaker.
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
            return _REFUSED  # it answered, about this one message, file, group or number
        case ServerError() | UnexpectedResponseError() if error.status >= _SERVER_ERRORS:
            return _SERVER_FAILED
        case ServerError() | UnexpectedResponseError():
            return _SILENT  # another service failed, or something else answered
        case EvolutionAPIError():
            return _REFUSED
        case _:
            return _SILENT


def cause_of(error: BaseException) -> str:
    """Name what failed: its class, and where; never its words, which may quote the server.

    Args:
        error: What an attempt raised.

    Returns:
        Such as ``ConnectionFailedError (request not sent)`` or ``ServerError (HTTP 502)``.
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
            return _SILENT  # a large or slow file says nothing about the others
        case EvolutionTimeoutError(phase=Phase.UNKNOWN) if by_session:
            return _INSTANCE_HANGS
        case TransportError(transient=False):
            return _SILENT  # a certificate, a key that no header can carry: wrong on our side
        case _ if type(error.__cause__).__name__ in _BUSY_HERE:
            return _SILENT
        case _:
            return _SERVER_FAILED
