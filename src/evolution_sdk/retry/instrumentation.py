"""Instrumentation of calls: counts them, logs them, tells the listeners."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, NamedTuple

from evolution_sdk._base.context import QUIET_RETRY_LOG
from evolution_sdk._base.harmless import harmless, quiet_logger
from evolution_sdk._common.emitter import Subscribers

from .counters import CallCounters, MetricsRegistry
from .decision import (
    AttemptOutcome,
    CallSpec,
    Decision,
    Failed,
    GiveUp,
    Resolve,
    RetryEnd,
    RetryStep,
    SendAbsent,
    Sleep,
    decide,
)
from .events import FailureEvent, RetryEvent, RetryServiceEvent, SuccessEvent
from .labels import CallLabels, phase_of, status_of
from .safety import StopReason
from .waits import Draw

__all__ = ["MAX_REMEMBERED_ERRORS", "InFlightCall", "Instrumentation"]

_log: Final = quiet_logger("evolution_sdk.retry")
_logger: Final = _log.logger
_logger.addHandler(logging.NullHandler())  # a library prints nothing unless asked to

MAX_REMEMBERED_ERRORS: Final = 64
"""Number of errors kept for an enclosing service, whose function may run without end."""


class Instrumentation(NamedTuple):
    """Places where the calls of one service are recorded.

    Attributes:
        registry: Counters of all operations.
        subscribers: Listeners of the service.
        clock: Seconds that never go back.
    """

    registry: MetricsRegistry
    subscribers: Subscribers
    clock: Callable[[], float]


class InFlightCall:
    """One call, counted as in flight from its making to its end.

    Its end is recorded exactly once: by :meth:`succeeded`, by :meth:`cancelled`, or by the
    decision of :meth:`decide_after`. Nothing recorded here may change the outcome of the call: a
    listener, a log handler or a counter that fails is logged and otherwise ignored.

    Args:
        spec: Facts about the call.
        instrumentation: Places where it is recorded.
        draw: Source of random numbers, for the waits.
        enclosing: Errors that an enclosing retry service must not retry again; added to.
    """

    __slots__ = (
        "_counters",
        "_draw",
        "_enclosing",
        "_instrumentation",
        "_labels",
        "_spec",
        "_started",
    )

    def __init__(
        self,
        spec: CallSpec,
        instrumentation: Instrumentation,
        draw: Draw,
        enclosing: list[BaseException] | None,
    ) -> None:
        self._spec = spec
        self._instrumentation = instrumentation
        self._draw = draw
        self._enclosing = enclosing
        self._labels: CallLabels | None = None
        self._counters = instrumentation.registry.begin(spec.operation, spec.effect)
        self._started = instrumentation.clock()  # last: our own bookkeeping is not the call's time

    def succeeded(self) -> None:
        """Record that the first attempt returned. May raise: call it by ``harmless``."""
        budget = self._spec.budget
        if budget is not None:
            budget.succeeded()
        registry, subscribers, clock = self._instrumentation
        now = clock()
        elapsed_ms = (now - self._started) * 1_000
        registry.succeeded_at_once(self._counters, now, elapsed_ms)
        # Two questions that are nearly always answered with no; labels, line and event are made
        # only after a yes.
        if _logger.isEnabledFor(logging.DEBUG):
            self._log_success(logging.DEBUG, 1, elapsed_ms, found=False)
        if subscribers.wants("success"):
            self._emit_success(1, elapsed_ms)

    def cancelled(self) -> None:
        """Record that the first attempt was broken off."""
        self._instrumentation.registry.cancelled(self._counters, CallCounters())

    def decide_after(self, error: Exception) -> Decision:
        """Make the decision for a call whose first attempt has failed, and record its steps."""
        first = Failed(error)
        clock = self._instrumentation.clock
        return self._recorded(
            decide(self._spec, clock, self._draw, started=self._started, first=first)
        )

    @property
    def labels(self) -> CallLabels:
        """Names of the call; made when the first log line or event needs them."""
        if self._labels is None:
            self._labels = CallLabels(self._spec.operation, self._spec.instance)
        return self._labels

    def _recorded(self, decision: Decision) -> Decision:
        """Pass steps and outcomes through unchanged, and record them."""
        call = CallCounters()
        in_flight = True
        outcome: AttemptOutcome | None = None
        looked_up = 0
        try:
            while True:
                try:
                    step = decision.send(outcome)
                except StopIteration as done:
                    end: RetryEnd = done.value
                    break
                if isinstance(step, Resolve):
                    looked_up = step.number
                self._record_step(step, call)
                outcome = yield step
                call.absent += isinstance(outcome, SendAbsent)
            # From here on the call has ended, even when a listener interrupts the program.
            in_flight = False
            if isinstance(end, GiveUp):
                # A look-up has counted this attempt as unknown already.
                call.unknown += (
                    end.reason is StopReason.OUTCOME_UNKNOWN and looked_up != end.attempts
                )
                self._tell_enclosing(end)
                harmless(self._record_failure, end, call)
            else:
                call.found += end.found
                harmless(self._record_success, end.attempts, end.found, call)
            return end
        finally:
            # Closed from outside, the call was broken off: the budget gets its retry back.
            decision.close()
            if in_flight:
                self._instrumentation.registry.cancelled(self._counters, call)

    def _tell_enclosing(self, end: GiveUp) -> None:
        """Keep an enclosing service from multiplying the attempts that were made here."""
        retried = end.attempts > 1 or end.reason is StopReason.RETRIED_INSIDE
        if self._enclosing is not None and retried:
            self._enclosing.append(end.error)
            del self._enclosing[:-MAX_REMEMBERED_ERRORS]

    def _record_success(self, attempts: int, found: bool, call: CallCounters) -> None:
        now, elapsed_ms = self._elapsed()
        self._instrumentation.registry.succeeded(self._counters, now, attempts, elapsed_ms, call)
        # A retry that helped is news; a plain success is not.
        level = logging.INFO if attempts > 1 or found else logging.DEBUG
        self._log_success(level, attempts, elapsed_ms, found=found)
        if self._instrumentation.subscribers.wants("success"):
            self._emit_success(attempts, elapsed_ms)

    def _record_failure(self, end: GiveUp, call: CallCounters) -> None:
        now, elapsed_ms = self._elapsed()
        self._instrumentation.registry.failed(self._counters, now, end.attempts, end.reason, call)
        # A plain refusal is for the caller, who gets the error; the rest is for operators.
        level = logging.INFO if end.reason is StopReason.NOT_RETRYABLE else logging.WARNING
        if QUIET_RETRY_LOG.get():  # the monitor reports the failures of its own probes
            level = logging.DEBUG
        labels = self.labels
        if _log.isEnabledFor(level):
            fields = labels.fields(attempt=end.attempts, error=end.error, elapsed_ms=elapsed_ms)
            _log.log(
                level,
                "gave up: operation=%r instance=%r attempt=%d elapsed_ms=%.0f reason=%s %s "
                "request_id=%s",
                labels.operation,
                labels.shown_instance,
                end.attempts,
                elapsed_ms,
                end.reason,
                _shown(end.error),
                labels.request_id,
                extra={**fields, "reason": str(end.reason)},
            )
        if self._instrumentation.subscribers.wants("failure"):
            event = FailureEvent(
                labels.operation,
                end.attempts,
                elapsed_ms,
                end.error,
                end.reason,
                instance=labels.instance,
                request_id=labels.request_id,
            )
            self._emit(event)

    def _record_step(self, step: RetryStep, call: CallCounters) -> None:
        if isinstance(step, Sleep):
            call.waits += 1
            call.wait_ms += step.ms
            harmless(self._tell_retry, step)
        elif isinstance(step, Resolve):
            call.unknown += 1
            labels = self.labels
            _log.info(
                "outcome unknown: operation=%r instance=%r attempt=%d %s request_id=%s",
                labels.operation,
                labels.shown_instance,
                step.number,
                _shown(step.error),
                labels.request_id,
                extra=labels.fields(attempt=step.number, error=step.error),
            )

    def _tell_retry(self, step: Sleep) -> None:
        level = logging.DEBUG if QUIET_RETRY_LOG.get() else logging.INFO
        labels = self.labels
        if _log.isEnabledFor(level):
            _log.log(
                level,
                "retrying: operation=%r instance=%r attempt=%d delay_ms=%.0f %s request_id=%s",
                labels.operation,
                labels.shown_instance,
                step.number,
                step.ms,
                _shown(step.error),
                labels.request_id,
                extra=labels.fields(attempt=step.number, error=step.error, delay_ms=step.ms),
            )
        if self._instrumentation.subscribers.wants("retry"):
            event = RetryEvent(
                labels.operation,
                step.number,
                step.ms,
                step.error,
                phase_of(step.error),
                instance=labels.instance,
                request_id=labels.request_id,
            )
            self._emit(event)

    def _log_success(self, level: int, attempts: int, elapsed_ms: float, *, found: bool) -> None:
        if not _log.isEnabledFor(level):
            return
        labels = self.labels
        _log.log(
            level,
            "succeeded: operation=%r instance=%r attempt=%d elapsed_ms=%.0f found=%s request_id=%s",
            labels.operation,
            labels.shown_instance,
            attempts,
            elapsed_ms,
            found,
            labels.request_id,
            extra=labels.fields(attempt=attempts, elapsed_ms=elapsed_ms),
        )

    def _emit_success(self, attempts: int, elapsed_ms: float) -> None:
        labels = self.labels
        event = SuccessEvent(
            labels.operation,
            attempts,
            elapsed_ms,
            instance=labels.instance,
            request_id=labels.request_id,
        )
        self._emit(event)

    def _emit(self, event: RetryServiceEvent) -> None:
        self._instrumentation.subscribers.emit(event.name, event)

    def _elapsed(self) -> tuple[float, float]:
        """Read the clock: the present time in seconds, and the call's age in milliseconds."""
        now = self._instrumentation.clock()
        return now, (now - self._started) * 1_000


def _shown(error: BaseException) -> str:
    """Describe an error without its text, which may quote a message or a key."""
    cause = error.__cause__
    named = f" cause={type(cause).__name__}" if cause is not None else ""
    return f"error={type(error).__name__} phase={phase_of(error)} status={status_of(error)}{named}"
