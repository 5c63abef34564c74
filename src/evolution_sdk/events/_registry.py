"""Registrations of handlers: the events that a handler gets, and its arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from evolution_sdk._base.coroutines import is_async
from evolution_sdk.errors import ConfigurationError

from ._base import Event
from .filters._algebra import Filter

Handler: TypeAlias = Callable[..., object]
Kinds: TypeAlias = tuple[type[Event], ...]

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class Registration:
    """One handler on one router; the same function may be registered any number of times.

    Attributes:
        handler: The function.
        kinds: The event classes it gets, without a client; subclasses match.
        promised: The classes as registered: ``AsyncMessagesUpsert`` promises an event with an
            async client.
        filter: A further condition, or None.
        priority: Higher comes first.
        name: Unique within its router and the same in every process; for logs and dead letters.
        passes_on: True if the next handler gets the event, too; None leaves it to the router.
        is_async: True if the handler must be awaited.
    """

    __slots__ = (
        "_drop",
        "_injects",
        "filter",
        "handler",
        "is_async",
        "kinds",
        "name",
        "passes_on",
        "priority",
        "promised",
    )

    handler: Handler
    kinds: Kinds
    promised: Kinds
    filter: Filter[Any] | None
    priority: float
    name: str
    passes_on: bool | None
    is_async: bool

    def __init__(
        self,
        handler: Handler,
        kinds: Kinds,
        condition: Filter[Any] | None,
        *,
        priority: float,
        name: str,
        passes_on: bool | None,
        drop: Callable[[Registration], None],
    ) -> None:
        self.handler = handler
        # An event is matched as it came: a receiver asks before it attaches its client.
        self.kinds = tuple(kind.plain() for kind in kinds)
        self.promised = kinds
        self.filter = condition
        self.priority = priority
        self.name = name
        self.passes_on = passes_on
        self.is_async = is_async(handler)
        self._injects = injected_names(handler)
        self._drop = drop

    def remove(self) -> None:
        """Remove the handler from its router; a second time nothing happens."""
        self._drop(self)

    def check_bound(self, event: Event) -> None:
        """Make sure that an event has the client that the handler was promised.

        Args:
            event: An event that matches.

        Raises:
            ConfigurationError: It has no client, or a sync one instead of an async one, or the
                reverse.
        """
        if not isinstance(event, self.promised):
            matching = (kind for kind in self.promised if isinstance(event, kind.plain()))
            next(matching).check_bound(event)

    def arguments(self, known: Mapping[str, object]) -> dict[str, object]:
        """Return the arguments that the handler is called with besides the event.

        Args:
            known: Everything that can be given by name.

        Raises:
            ConfigurationError: A required value is not provided.
        """
        return arguments(self.name, self._injects, known)

    def __repr__(self) -> str:
        kinds = " | ".join(kind.__name__ for kind in self.promised)
        condition = "" if self.filter is None else f", {self.filter!r}"
        return f"<{self.name} on {kinds}{condition}>"


class Injected:
    """A middleware or an error handler: a function with two parameters that are given by place.

    Args:
        function: The function.

    Attributes:
        function: The function.
        name: Its name, with its module.

    Raises:
        ConfigurationError: It is not callable, or does not take two parameters.
    """

    __slots__ = ("_injects", "function", "name")

    def __init__(self, function: Handler) -> None:
        self._injects = injected_names(function, 2)
        self.function = function
        self.name = callable_name(function)

    def arguments(self, known: Mapping[str, object]) -> dict[str, object]:
        """Return the arguments that it is called with besides those, like a handler's.

        Args:
            known: Everything that can be given by name.

        Raises:
            ConfigurationError: A required value is not provided.
        """
        return arguments(self.name, self._injects, known)


def injected_names(handler: Handler, given: int = 1) -> Mapping[str, bool]:
    """Return the parameters that are given by name, and True for each that is required.

    Args:
        handler: The function.
        given: Number of parameters that are given by place.

    Raises:
        ConfigurationError: It is not callable, or cannot be called with an event.
    """
    if not callable(handler):
        raise ConfigurationError(f"{handler!r} is not callable.", variable="handler")
    try:
        signature = inspect.signature(handler)
    except (TypeError, ValueError):
        # Some functions written in C have no signature: they get the event alone.
        return {}
    parameters = list(signature.parameters.values())
    places = [p for p in parameters if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    if len(places) < given and not any(p.kind is p.VAR_POSITIONAL for p in places):
        raise ConfigurationError(
            f"{callable_name(handler)} must take the event as its first parameter.",
            variable="handler",
        )
    # Whatever comes after the event is given by name, whether or not it could be given by place.
    taken = {p.name for p in places[:given]}
    return {
        p.name: p.default is p.empty for p in parameters if p.kind in _NAMED and p.name not in taken
    }


def arguments(
    name: str, injects: Mapping[str, bool], known: Mapping[str, object]
) -> dict[str, object]:
    """Pick the values that a handler names.

    Args:
        name: The handler's name, for the error.
        injects: Its parameters, and True for each that is required.
        known: Everything that can be given by name.

    Raises:
        ConfigurationError: A required value is not provided.
    """
    if not injects:
        return {}
    missing = [one for one, required in injects.items() if required and one not in known]
    if missing:
        raise ConfigurationError(
            f"{name} needs {', '.join(missing)}, which is not provided; "
            "use router.provide(name=value), or give the parameter a default.",
            variable=missing[0],
        )
    return {one: known[one] for one in injects if one in known}


def callable_name(function: Handler) -> str:
    """Return a function's name, with its module."""
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    return f"{getattr(function, '__module__', None) or type(function).__module__}.{name}"
