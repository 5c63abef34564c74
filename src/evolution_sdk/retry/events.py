"""What the retry service tells its listeners, and how: typed facts through pyee."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any, ClassVar, Final, Literal, TypeAlias, TypeVar, cast, get_args, overload

from pyee import EventEmitter

from evolution_sdk._core.effect import Phase
from evolution_sdk.errors import ConfigurationError

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

_log = logging.getLogger("evolution_sdk.retry")

EventName = Literal["success", "retry", "failure"]


@dataclass(frozen=True, slots=True)
class _Finished:
    """A call is over.

    Attributes:
        operation: Its name.
        attempts: How many attempts were made.
        elapsed_ms: Time from its beginning to its end, waits included, in milliseconds.
    """

    operation: str
    attempts: int
    elapsed_ms: float


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
    """

    name: ClassVar[EventName] = "retry"
    operation: str
    attempt: int
    next_delay_ms: float
    error: Exception = field(repr=False)
    phase: Phase | None


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
_Handler = Callable[[Any], object]
_OnSuccess = TypeVar("_OnSuccess", bound=Callable[[SuccessEvent], object])
_OnRetry = TypeVar("_OnRetry", bound=Callable[[RetryEvent], object])
_OnFailure = TypeVar("_OnFailure", bound=Callable[[FailureEvent], object])
_NAMES: Final[tuple[str, ...]] = get_args(EventName)


class _IsolatingEmitter(EventEmitter):
    """pyee's emitter, but one handler's failure stops neither the others nor the call."""

    def __init__(self, failed: Callable[[str, Exception], None]) -> None:
        super().__init__()
        self._failed = failed
        self._running: set[Any] = set()

    def _emit_run(self, f: _Handler, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        operation: str = args[0].operation if args and isinstance(args[0], RetryEvents) else ""

        def failed(error: Exception) -> None:
            self._failed(operation, error)

        try:
            result = f(*args, **kwargs)
            if inspect.isawaitable(result):
                spawn(cast("Awaitable[object]", result), failed, self._running)
        except Exception as error:  # noqa: BLE001 - a listener must never harm a call
            failed(error)


class Notifier:
    """The subscribing half of the retry service.

    Args:
        count_handler_error: Hears the operation for which a handler failed.
    """

    def __init__(self, count_handler_error: Callable[[str], None]) -> None:
        self._count_handler_error = count_handler_error
        self._emitter = _IsolatingEmitter(self._handler_failed)
        self._subscribing = Lock()
        self._wanted: frozenset[str] = frozenset()

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
    def on(self, event: EventName, handler: _Handler | None = None) -> Any:
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
        _check_name(event)
        if handler is None:
            return partial(self._subscribe, event)
        return self._subscribe(event, handler)

    def off(self, event: EventName, handler: _Handler) -> None:
        """Unsubscribe a handler; one that is not subscribed is no error.

        Args:
            event: The event it was subscribed to.
            handler: What was given to :meth:`on`.

        Raises:
            ConfigurationError: There is no such event.
        """
        _check_name(event)
        with self._subscribing, suppress(KeyError):
            self._emitter.remove_listener(event, handler)  # pyright: ignore[reportUnknownMemberType] - pyee says only "Callable"
            self._wanted = frozenset(self._emitter.event_names())

    def wants(self, event: EventName) -> bool:
        """Tell whether anybody listens, so that no event is built for nobody.

        Args:
            event: Name of the event.

        Returns:
            True when a handler is registered.
        """
        return event in self._wanted

    def notify(self, event: RetryEvents) -> None:
        """Hand an event to its listeners.

        Args:
            event: The event.
        """
        self._emitter.emit(event.name, event)

    def _subscribe(self, event: EventName, handler: _Handler) -> _Handler:
        if not callable(handler):
            raise ConfigurationError(
                f"The handler of {event!r} must be callable.", variable="handler"
            )
        with self._subscribing:
            self._emitter.add_listener(event, handler)
            self._wanted = frozenset(self._emitter.event_names())
        return handler

    def _handler_failed(self, operation: str, error: Exception) -> None:
        """Log and count a handler's failure."""
        _log.error("event handler failed: operation=%r error=%s", operation, type(error).__name__)
        self._count_handler_error(operation)


def _check_name(event: str) -> None:
    if event not in _NAMES:
        raise ConfigurationError(
            f"There is no event {event!r}; there are {', '.join(_NAMES)}.", variable="event"
        )
