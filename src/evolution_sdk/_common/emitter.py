"""An event emitter whose handlers cannot harm each other, nor whoever emits."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from threading import Lock
from typing import Any, TypeAlias, cast

from pyee import EventEmitter

from evolution_sdk._base.forking import abandon, free_in_child, in_child
from evolution_sdk._base.harmless import harmless
from evolution_sdk.errors import ConfigurationError

from .rules import shown_value

__all__ = ["Handler", "IsolatingEmitter", "Spawn", "Subscribers"]

Handler: TypeAlias = Callable[[Any], object]

Spawn: TypeAlias = Callable[[Awaitable[object], Callable[[BaseException], None], set[Any]], None]
"""Runs what an async handler returned: the awaitable, who hears its failure, what keeps it."""


class IsolatingEmitter(EventEmitter):
    """pyee's emitter, but one handler's failure stops neither the others nor the emitter.

    Args:
        failed: Hears of a handler's failure, with the event it was given.
        spawn: Runs what async handlers return.
        wanted: Tells if a handler gets an event of a name.
    """

    def __init__(
        self,
        failed: Callable[[Any, BaseException], None],
        spawn: Spawn,
        wanted: Callable[[str, Handler], bool] = lambda _name, _handler: True,
    ) -> None:
        super().__init__()
        self._wanted = wanted
        self._failed = failed
        self._spawn = spawn
        self._running: set[Any] = set()
        free_in_child(self._lock)
        in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        """Async handlers that run belong to a loop of the parent."""
        abandon(*self._running)
        self._running = set()

    def _emit_run(self, f: Handler, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        event = args[0] if args else None
        if not self._wanted(getattr(event, "name", ""), f):
            return

        def failed(error: BaseException) -> None:
            harmless(self._failed, event, error)

        try:
            result = f(*args, **kwargs)
            if inspect.isawaitable(result):
                self._spawn(cast("Awaitable[object]", result), failed, self._running)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a listener must never harm the emitter
            failed(error)


class Subscribers:
    """The handlers of a fixed set of events.

    Args:
        names: The events there are.
        failed: Hears of a handler's failure, with the event it was given.
        spawn: Runs what async handlers return.
    """

    def __init__(
        self, names: tuple[str, ...], failed: Callable[[Any, BaseException], None], spawn: Spawn
    ) -> None:
        self._names = names
        self._emitter = IsolatingEmitter(failed, spawn, self._take)
        self._once: dict[tuple[str, Handler], Lock] = {}
        self._lock = free_in_child(Lock())
        self._wanted: frozenset[str] = frozenset()

    def on(self, event: str, handler: Handler | None) -> Any:
        """Subscribe a handler; the same one is called once per event.

        Returns:
            The handler; without one, a decorator.

        Raises:
            ConfigurationError: There is no such event, or the handler cannot be called.
        """
        self._check_name(event)
        return partial(self._add, event) if handler is None else self._add(event, handler)

    def once(self, event: str, handler: Handler | None) -> Any:
        """Subscribe a handler for one event; one that is subscribed already stays as it is.

        Returns:
            The handler; without one, a decorator.

        Raises:
            ConfigurationError: There is no such event, or the handler cannot be called.
        """
        self._check_name(event)
        return partial(self._add_once, event) if handler is None else self._add_once(event, handler)

    def remove_listener(self, event: str, handler: Handler) -> bool:
        """Unsubscribe a handler; tells if it was subscribed.

        Raises:
            ConfigurationError: There is no such event.
        """
        self._check_name(event)
        return self._remove(event, handler)

    def listeners(self, event: str) -> list[Handler]:
        """List the handlers of an event, in the order in which they are called.

        Raises:
            ConfigurationError: There is no such event.
        """
        self._check_name(event)
        with self._lock:
            return self._known(event)

    def _check_name(self, event: str) -> None:
        if not isinstance(event, str) or event not in self._names:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(
                f"There is no event {shown_value(event)}; there are {', '.join(self._names)}.",
                variable="event",
            )

    def _add(self, event: str, handler: Handler) -> Handler:
        if not callable(handler):
            raise ConfigurationError(
                f"The handler of {event!r} must be callable.", variable="handler"
            )
        try:
            hash(handler)
        except TypeError:
            raise ConfigurationError(
                f"The handler of {event!r} must be hashable: pass a function or a method.",
                variable="handler",
            ) from None
        with self._lock:
            self._once.pop((event, handler), None)
            self._emitter.add_listener(event, handler)
            self._wanted = frozenset(self._emitter.event_names())
        return handler

    def _add_once(self, event: str, handler: Handler) -> Handler:
        if any(handler == known for known in self.listeners(event)):
            return handler  # subscribed for good already, or waiting for its one event
        self._add(event, handler)
        with self._lock:
            self._once[event, handler] = free_in_child(Lock())
        return handler

    def _take(self, event: str, handler: Handler) -> bool:
        """Tell if a handler gets this event; one that wanted a single one is gone then."""
        if not self._once:
            return True
        turn = self._once.get((event, handler))
        if turn is None:
            return handler in self._known(event)
        if not turn.acquire(blocking=False):  # another thread's event was the one
            return False
        self._remove(event, handler)
        return True

    def _remove(self, event: str, handler: Handler) -> bool:
        with self._lock:
            self._once.pop((event, handler), None)
            try:
                self._emitter.remove_listener(event, handler)  # pyright: ignore[reportUnknownMemberType] - pyee says only "Callable"
            except KeyError:
                return False
            self._wanted = frozenset(self._emitter.event_names())
            return True

    def _known(self, event: str) -> list[Handler]:
        emitter: Any = self._emitter  # pyee says only "Callable"
        return list(cast("list[Handler]", emitter.listeners(event)))

    def wants(self, event: str) -> bool:
        """Tell if an event has a handler."""
        return event in self._wanted

    def emit(self, name: str, event: object) -> None:
        """Hand an event to its listeners; lets nothing out but ``KeyboardInterrupt``."""
        self._emitter.emit(name, event)
