"""Watches the steps of a call go by: counts them, logs them, tells the listeners."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from evolution_sdk._base.harmless import harmless, quiet_logger

from .book import MetricsBook, Record, Tally
from .decision import Absent, GiveUp, Outcome, Resolve, Return, Sleep, Steps
from .events import EventName, FailureEvent, RetryEvent, RetryEvents, SuccessEvent
from .labels import Labels, phase_of, status_of
from .safety import StopReason
from .switches import LOGS_QUIETLY

__all__ = ["MOST_REMEMBERED", "Listeners", "Recorder", "recorded", "recorded_at_once"]

_log: Final = quiet_logger("evolution_sdk.retry")
_log.logger.addHandler(logging.NullHandler())  # a library prints nothing unless asked to


MOST_REMEMBERED: Final = 64
"""Errors kept of a function that never ends, and whose calls fail all the time."""


class Listeners(Protocol):
    """Whom to tell."""

    def wants(self, event: EventName) -> bool:
        """Whether anybody listens to this event."""
        ...

    def notify(self, event: RetryEvents) -> None:
        """Hand it to them; never raises."""
        ...


class Recorder(NamedTuple):
    """Where calls are recorded.

    Attributes:
        book: Where they are counted.
        listeners: Who is told.
        clock: Seconds, never going back.
    """

    book: MetricsBook
    listeners: Listeners
    clock: Callable[[], float]


def recorded_at_once(labels: Labels, recorder: Recorder, record: Record, started: float) -> None:
    """Record a call whose first attempt returned; what :func:`recorded` does, without its steps."""
    now = recorder.clock()
    elapsed_ms = (now - started) * 1_000
    recorder.book.succeeded_at_once(record, now, elapsed_ms)
    if _log.isEnabledFor(logging.DEBUG):
        _log_success(logging.DEBUG, labels, 1, elapsed_ms, found=False)
    if recorder.listeners.wants("success"):
        recorder.listeners.notify(_success(labels, 1, elapsed_ms))


def recorded(
    steps: Steps,
    labels: Labels,
    recorder: Recorder,
    record: Record,
    started: float,
    outer: list[BaseException] | None = None,
) -> Steps:
    """Pass steps and outcomes through unchanged, and record them.

    Args:
        steps: The decision.
        labels: Names of the call.
        recorder: Where it is recorded.
        record: The record in which the call was begun.
        started: When it was begun, by the recorder's clock.
        outer: Errors that an enclosing retry service must not try again; added to.

    Yields:
        The steps of the decision.
    """
    tally = Tally()
    open_ = True
    outcome: Outcome | None = None
    looked_up = 0
    try:
        while True:
            step = steps.send(outcome)
            if isinstance(step, Return):
                open_ = False
                tally.found += step.found
                harmless(_succeeded, step, labels, recorder, record, tally, started)
            elif isinstance(step, GiveUp):
                open_ = False
                tally.unknown += (
                    step.reason is StopReason.OUTCOME_UNKNOWN and looked_up != step.attempts
                )
                if outer is not None and (
                    step.attempts > 1 or step.reason is StopReason.RETRIED_INSIDE
                ):
                    outer.append(step.error)
                    del outer[:-MOST_REMEMBERED]
                harmless(_failed, step, labels, recorder, record, tally, started)
            elif isinstance(step, Sleep):
                tally.waits += 1
                tally.wait_ms += step.ms
                harmless(_retrying, step, labels, recorder)
            elif isinstance(step, Resolve):
                looked_up = step.number
                tally.unknown += 1
                _log.info(
                    "outcome unknown: operation=%r instance=%r attempt=%d %s request_id=%s",
                    labels.operation, labels.shown_instance, step.number, _shown(step.error),
                    labels.request_id, extra=labels.fields(attempt=step.number, error=step.error),
                )  # fmt: skip
            outcome = yield step
            tally.absent += isinstance(outcome, Absent)
    finally:
        steps.close()
        if open_:
            recorder.book.cancelled(record, tally)


def _log_success(
    level: int, labels: Labels, attempts: int, elapsed_ms: float, *, found: bool
) -> None:
    if not _log.isEnabledFor(level):
        return
    _log.log(
        level,
        "succeeded: operation=%r instance=%r attempt=%d elapsed_ms=%.0f found=%s request_id=%s",
        labels.operation, labels.shown_instance, attempts, elapsed_ms, found, labels.request_id,
        extra=labels.fields(attempt=attempts, elapsed_ms=elapsed_ms),
    )  # fmt: skip


def _succeeded(
    step: Return, labels: Labels, recorder: Recorder, record: Record, tally: Tally, started: float
) -> None:
    now = recorder.clock()
    elapsed_ms = (now - started) * 1_000
    recorder.book.succeeded(record, now, step.attempts, elapsed_ms, tally)
    level = logging.INFO if step.attempts > 1 or step.found else logging.DEBUG
    _log_success(level, labels, step.attempts, elapsed_ms, found=step.found)
    if recorder.listeners.wants("success"):
        recorder.listeners.notify(_success(labels, step.attempts, elapsed_ms))


def _success(labels: Labels, attempts: int, elapsed_ms: float) -> SuccessEvent:
    return SuccessEvent(
        labels.operation,
        attempts,
        elapsed_ms,
        instance=labels.instance,
        request_id=labels.request_id,
    )


def _failed(
    step: GiveUp, labels: Labels, recorder: Recorder, record: Record, tally: Tally, started: float
) -> None:
    now = recorder.clock()
    elapsed_ms = (now - started) * 1_000
    recorder.book.failed(record, now, step.attempts, step.reason, tally)
    # A plain refusal is the caller's to report, who gets the error; the rest concerns operators.
    level = logging.INFO if step.reason is StopReason.NOT_RETRYABLE else logging.WARNING
    if LOGS_QUIETLY.get():
        level = logging.DEBUG
    if _log.isEnabledFor(level):
        fields = labels.fields(attempt=step.attempts, error=step.error, elapsed_ms=elapsed_ms)
        _log.log(
            level,
            "gave up: operation=%r instance=%r attempt=%d elapsed_ms=%.0f reason=%s %s "
            "request_id=%s",
            labels.operation, labels.shown_instance, step.attempts, elapsed_ms, step.reason,
            _shown(step.error), labels.request_id,
            extra={**fields, "reason": str(step.reason)},
        )  # fmt: skip
    if recorder.listeners.wants("failure"):
        recorder.listeners.notify(
            FailureEvent(
                labels.operation,
                step.attempts,
                elapsed_ms,
                step.error,
                step.reason,
                instance=labels.instance,
                request_id=labels.request_id,
            )
        )


def _retrying(step: Sleep, labels: Labels, recorder: Recorder) -> None:
    level = logging.DEBUG if LOGS_QUIETLY.get() else logging.INFO
    if _log.isEnabledFor(level):
        _log.log(
            level,
            "retrying: operation=%r instance=%r attempt=%d delay_ms=%.0f %s request_id=%s",
            labels.operation, labels.shown_instance, step.number, step.ms, _shown(step.error),
            labels.request_id,
            extra=labels.fields(attempt=step.number, error=step.error, delay_ms=step.ms),
        )  # fmt: skip
    if recorder.listeners.wants("retry"):
        recorder.listeners.notify(
            RetryEvent(
                labels.operation,
                step.number,
                step.ms,
                step.error,
                phase_of(step.error),
                instance=labels.instance,
                request_id=labels.request_id,
            )
        )


def _shown(error: BaseException) -> str:
    """Class, status and phase: an error's text may quote a message or a key, so it stays out."""
    cause = error.__cause__
    named = f" cause={type(cause).__name__}" if cause is not None else ""
    return f"error={type(error).__name__} phase={phase_of(error)} status={status_of(error)}{named}"
