"""OpenTelemetry spans: one per finished call, with an event for each failed attempt."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Final
from urllib.parse import urlsplit

from evolution_sdk._client.observers import AttemptFinished, CallFinished, Fact
from evolution_sdk.monitor.clients import PROBING
from evolution_sdk.operations.routes import OPERATIONS

__all__ = ["Spans"]

_MOST_EVENTS: Final = 32
# Both times were added up from floats.
_CLOCK_STEPS_S: Final = 1e-6

# Facts are told in the task or thread of their call, so that its failed attempts wait here.
_failed: Final[ContextVar[tuple[AttemptFinished, ...]]] = ContextVar(
    "evolution_failed_attempts", default=()
)


class Spans:
    """Makes spans of facts, of nothing but names, numbers of attempts and classes of errors.

    Args:
        tracer: Of OpenTelemetry.
        trace: The module ``opentelemetry.trace``.
        base_url: URL of the server, for ``server.address`` and ``server.port``.
    """

    def __init__(self, tracer: Any, trace: Any, base_url: str) -> None:
        self._tracer = tracer
        self._kind = trace.SpanKind.CLIENT
        self._error = trace.StatusCode.ERROR
        parts = urlsplit(base_url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        self._server: dict[str, Any] = {
            "server.address": parts.hostname or "",
            "server.port": port,
            "url.scheme": parts.scheme,
        }

    def fact(self, fact: Fact) -> None:
        """Take in a fact of a client; the monitor's own probes make no spans."""
        if PROBING.get():
            return
        if isinstance(fact, CallFinished):
            self._call(fact, _take(fact))
        elif fact.error is not None:
            _failed.set((*_failed.get(), fact)[-_MOST_EVENTS:])

    def _call(self, fact: CallFinished, failed: tuple[AttemptFinished, ...]) -> None:
        span = self._tracer.start_span(
            fact.operation,
            kind=self._kind,
            attributes=self._attributes(fact),
            start_time=_ns(fact.started_at),
        )
        for attempt in failed:
            assert attempt.error is not None  # noqa: S101 - only such attempts are kept
            ended = _ns(attempt.started_at, attempt.response_ms)
            span.add_event("evolution.attempt_failed", _of_error(attempt.error), ended)
        if fact.error is not None:
            span.set_attributes(_of_error(fact.error))
            span.set_status(self._error, type(fact.error).__name__)
        span.end(end_time=_ns(fact.started_at, fact.elapsed_ms))

    def _attributes(self, fact: CallFinished) -> dict[str, Any]:
        attributes = {
            **self._server,
            "evolution.operation": fact.operation,
            "evolution.effect": fact.effect.value,
            "evolution.attempts": fact.attempts,
        }
        operation = OPERATIONS.get(fact.operation)
        if operation is not None:
            attributes["http.request.method"] = operation.method
            attributes["url.template"] = operation.path
        if fact.attempts > 1:
            attributes["http.request.resend_count"] = fact.attempts - 1
        if fact.instance is not None:
            attributes["evolution.instance"] = fact.instance
        return attributes


def _take(call: CallFinished) -> tuple[AttemptFinished, ...]:
    """Take the failed attempts of a call; those of a call around it stay, as in a look-up."""
    waiting = _failed.get()
    mine = tuple(each for each in waiting if _belongs(each, call))
    if mine:
        _failed.set(tuple(each for each in waiting if not _belongs(each, call)))
    return mine


def _belongs(attempt: AttemptFinished, call: CallFinished) -> bool:
    same = attempt.operation == call.operation and attempt.instance == call.instance
    return same and attempt.started_at >= call.started_at - _CLOCK_STEPS_S


def _of_error(error: BaseException) -> dict[str, Any]:
    found: dict[str, Any] = {"error.type": type(error).__name__}
    status = getattr(error, "status", None)
    if isinstance(status, int):
        found["http.response.status_code"] = status
    return found


def _ns(seconds: float, more_ms: float = 0.0) -> int:
    # As one float, today's time is only right to 256 ns.
    whole = int(seconds)
    return whole * 1_000_000_000 + round((seconds - whole) * 1e9 + more_ms * 1e6)
