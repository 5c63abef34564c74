"""What the retry service tells its listeners, and how: typed facts through pyee."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, Final, Literal, TypeAlias, TypeVar, get_args, overload

from evolution_sdk._base.effect import Phase
from evolution_sdk._base.handler_log import tell_handler_failure
from evolution_sdk._base.harmless import quiet_logger
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk._common.arguments import checked
from evolution_sdk._common.emitter import Handler, Subscribers

from .background import spawn
from .safety import StopReason

__all__ = [
    "EventName",
    "FailureEvent",
    "Notifier",
    "RetryEvent",
    "RetryEvents",
    "SuccessEvent",
]

_log = quiet_logger("evolution_sdk.retry")

EventName = Literal["success", "retry", "failure"]


@dataclass(frozen=True, slots=True)
class _Finished:
    """A call is over.

    Attributes:
        operation: Its name.
        attempts: How many attempts were made.
        elapsed_ms: Time from its beginning to its end, waits included, in milliseconds.
        instance: The instance it went through; None for functions of your own.
        request_id: What its log lines have in common; see ``docs/retry.md``.
    """

    operation: str
    attempts: int
    elapsed_ms: float
    instance: str | None = field(default=None, kw_only=True)
    request_id: str | None = field(default=None, kw_only=True, compare=False)


@dataclass(frozen=True, slots=True)
class SuccessEvent(_Finished):
    """A call succeeded: ``operation``, ``attempts``, and ``elapsed_ms`` with all waits."""

    name: ClassVar[EventName] = "success"


@dataclass(frozen=True, slots=True)
class RetryEvent:
    """An attempt failed and there will be another.

    Attributes:
        operation: Name of the call.
        attempt: Number of the attempt that failed; the first is 1.
        next_delay_ms: Wait until the next one, in milliseconds.
        error: What it raised; not in the repr, as foreign errors may quote secrets.
        phase: How far it got; None for errors that do not say.
        instance: The instance it goes through; None for functions of your own.
        request_id: What the log lines of the call have in common; see ``docs/retry.md``.
    """

    name: ClassVar[EventName] = "retry"
    operation: str
    attempt: int
    next_delay_ms: float
    error: Exception = field(repr=False)
    phase: Phase | None
    instance: str | None = field(default=None, kw_only=True)
    request_id: str | None = field(default=None, kw_only=True, compare=False)


@dataclass(frozen=True, slots=True)
class FailureEvent(_Finished):
    """A call failed for good: ``operation``, ``attempts``, ``elapsed_ms`` with all waits, and why.

    Attributes:
        error: What it raises; not in the repr, as foreign errors may quote secrets.
        reason: Why there was no further attempt.
    """

    name: ClassVar[EventName] = "failure"
    error: Exception = field(repr=False)
    reason: StopReason


RetryEvents: TypeAlias = SuccessEvent | RetryEvent | FailureEvent
T = TypeVar("T")
_OnSuccess = TypeVar("_OnSuccess", bound=Callable[[SuccessEvent], object])
_OnRetry = TypeVar("_OnRetry", bound=Callable[[RetryEvent], object])
_OnFailure = TypeVar("_OnFailure", bound=Callable[[FailureEvent], object])
_NAMES: Final[tuple[str, ...]] = get_args(EventName)


@checked(but=("listeners", "notify", "on", "once", "remove_listener", "wants"))
class Notifier:
    """The subscribing half of the retry service.

    Args:
        count_handler_error: Hears the operation for which a handler failed.
    """

    def __init__(self, count_handler_error: Callable[[str], None]) -> None:
        self._count_handler_error = count_handler_error
        self._trouble = QuietLog(_log)
        self._subscribers = Subscribers(_NAMES, self._handler_failed, spawn)

    @overload
    def on(self, event: Literal["success"]) -> Callable[[_OnSuccess], _OnSuccess]: ...
    @overload
    def on(self, event: Literal["retry"]) -> Callable[[_OnRetry], _OnRetry]: ...
    @overload
    def on(self, event: Literal["failure"]) -> Callable[[_OnFailure], _OnFailure]: ...
    @overload
    def on(
        self, event: Literal["success"], handler: Callable[[SuccessEvent], T]
    ) -> Callable[[SuccessEvent], T]: ...
    @overload
    def on(
        self, event: Literal["retry"], handler: Callable[[RetryEvent], T]
    ) -> Callable[[RetryEvent], T]: ...
    @overload
    def on(
        self, event: Literal["failure"], handler: Callable[[FailureEvent], T]
    ) -> Callable[[FailureEvent], T]: ...
    def on(self, event: EventName, handler: Handler | None = None) -> Any:
        """Subscribe a handler; also usable as a decorator, ``@retry.on("retry")``.

        A handler is called in the thread of the call it hears of, before that call goes on. One
        that raises is logged, counted in ``handler_errors``, and harms nothing. An async
        handler is scheduled on the event loop that is running there; where none runs (a call
        of ``execute_with_retry_sync`` outside a loop) it cannot run and counts as an error.

        Args:
            event: ``success``, ``retry`` or ``failure``.
            handler: Takes the event, :class:`SuccessEvent`, :class:`RetryEvent` or
                :class:`FailureEvent`. The same handler is called once per event, however
                often it was subscribed.

        Returns:
            The handler; without one, a decorator.

        Raises:
            ConfigurationError: There is no such event, or the handler cannot be called.
        """
        self._subscribers.check_name(event)
        if handler is None:
            return partial(self._subscribers.add, event)
        return self._subscribers.add(event, handler)

    @overload
    def once(self, event: Literal["success"]) -> Callable[[_OnSuccess], _OnSuccess]: ...
    @overload
    def once(self, event: Literal["retry"]) -> Callable[[_OnRetry], _OnRetry]: ...
    @overload
    def once(self, event: Literal["failure"]) -> Callable[[_OnFailure], _OnFailure]: ...
    @overload
    def once(
        self, event: Literal["success"], handler: Callable[[SuccessEvent], T]
    ) -> Callable[[SuccessEvent], T]: ...
    @overload
    def once(
        self, event: Literal["retry"], handler: Callable[[RetryEvent], T]
    ) -> Callable[[RetryEvent], T]: ...
    @overload
    def once(
        self, event: Literal["failure"], handler: Callable[[FailureEvent], T]
    ) -> Callable[[FailureEvent], T]: ...
    def once(self, event: EventName, handler: Handler | None = None) -> Any:
        """Subscribe a handler for the next event only; as :meth:`on`.

        Args:
            event: ``success``, ``retry`` or ``failure``.
            handler: Takes the event. One that is subscribed already stays as it is.

        Returns:
            The handler; without one, a decorator.

        Raises:
            ConfigurationError: There is no such event, or the handler cannot be called.
        """
        self._subscribers.check_name(event)
        if handler is None:
            return partial(self._subscribers.add_once, event)
        return self._subscribers.add_once(event, handler)

    def remove_listener(self, event: EventName, handler: Handler) -> bool:
        """Unsubscribe a handler.

        Args:
            event: The event it was subscribed to.
            handler: What was given to :meth:`on` or :meth:`once`.

        Returns:
            Whether it was subscribed; one that was not is no error.

        Raises:
            ConfigurationError: There is no such event.
        """
        self._subscribers.check_name(event)
        return self._subscribers.remove(event, handler)

    def listeners(self, event: EventName) -> list[Handler]:
        """List the handlers of an event.

        Args:
            event: ``success``, ``retry`` or ``failure``.

        Returns:
            The handlers, in the order in which they are called.

        Raises:
            ConfigurationError: There is no such event.
        """
        self._subscribers.check_name(event)
        return self._subscribers.listeners(event)

    def wants(self, event: EventName) -> bool:
        """Tell whether anybody listens, so that no event is built for nobody.

        Args:
            event: Name of the event.

        Returns:
            True when a handler is registered.
        """
        return self._subscribers.wants(event)

    def notify(self, event: RetryEvents) -> None:
        """Hand an event to its listeners.

        Args:
            event: The event.
        """
        self._subscribers.emit(event.name, event)

    def _handler_failed(self, event: RetryEvents, error: BaseException) -> None:
        """Log and count a handler's failure."""
        tell_handler_failure(
            self._trouble,
            f"a listener of {event.name!r}",
            error,
            operation=event.operation,
            instance=event.instance,
        )
        self._count_handler_error(event.operation)
