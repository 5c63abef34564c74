"""Filters and what they are combined with; one object for sync and async predicates."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator, Mapping
from typing import Any, Generic, TypeAlias, TypeVar, overload

from evolution_sdk._base.json_types import is_object
from evolution_sdk.errors import ConfigurationError

E_contra = TypeVar("E_contra", contravariant=True)
E = TypeVar("E")

Found: TypeAlias = Mapping[str, Any]
"""What a filter that matched found; handlers receive it by name, such as ``match``."""

Verdict: TypeAlias = bool | Found | None
Predicate: TypeAlias = Callable[[E], Verdict | Awaitable[Verdict]]
Steps: TypeAlias = Generator[Awaitable[Any], Any, Found | None]

NOTHING: Found = {}


class Filter(Generic[E_contra]):
    """A question about an event; combine with ``&``, ``|`` and ``~``.

    It is generic in the event, so that a type checker refuses a filter that asks what an event
    does not have. ``repr`` reads like the expression that made it.
    """

    __slots__ = ("_is_async", "_name")

    def __init__(self, name: str, *, is_async: bool = False) -> None:
        self._name = name
        self._is_async = is_async

    @property
    def is_async(self) -> bool:
        """Whether it needs ``await``; such a filter cannot be used by a sync dispatch."""
        return self._is_async

    def steps(self, event: E_contra, /) -> Steps:
        """The decision: yields what must be awaited, returns what was found, or None.

        Args:
            event: The event.

        Returns:
            A generator; both dispatchers drive it.
        """
        raise NotImplementedError

    def find(self, event: E_contra, /) -> Found | None:
        """Ask, without awaiting.

        Args:
            event: The event.

        Returns:
            What was found (often empty); None when the filter does not match.

        Raises:
            ConfigurationError: The filter is async.
        """
        steps = self.steps(event)
        try:
            pending = next(steps)
        except StopIteration as done:
            found: Found | None = done.value
            return found
        if inspect.iscoroutine(pending):
            pending.close()
        steps.close()
        raise ConfigurationError(
            f"The filter {self!r} is async: use an async dispatch.", variable="filters"
        )

    async def find_async(self, event: E_contra, /) -> Found | None:
        """Ask, awaiting where it must.

        Args:
            event: The event.

        Returns:
            What was found (often empty); None when the filter does not match.
        """
        steps = self.steps(event)
        reply: Any = None
        while True:
            try:
                pending = steps.send(reply)
            except StopIteration as done:
                found: Found | None = done.value
                return found
            reply = await pending

    def check(self, event: E_contra, /) -> bool:
        """Whether it matches, without awaiting.

        Args:
            event: The event.

        Returns:
            True when it matches.

        Raises:
            ConfigurationError: The filter is async.
        """
        return self.find(event) is not None

    async def check_async(self, event: E_contra, /) -> bool:
        """Whether it matches, awaiting where it must.

        Args:
            event: The event.

        Returns:
            True when it matches.
        """
        return await self.find_async(event) is not None

    def __and__(self, other: Filter[E_contra]) -> Filter[E_contra]:
        return _Both(self, other) if _is_filter(other) else NotImplemented

    # Never reached; tells type checkers that the wider filter may stand on the left, too.
    def __rand__(self, other: Filter[E_contra]) -> Filter[E_contra]:
        return _Both(other, self) if _is_filter(other) else NotImplemented

    def __or__(self, other: Filter[E_contra]) -> Filter[E_contra]:
        return _Either(self, other) if _is_filter(other) else NotImplemented

    def __ror__(self, other: Filter[E_contra]) -> Filter[E_contra]:
        return _Either(other, self) if _is_filter(other) else NotImplemented

    def __invert__(self) -> Filter[E_contra]:
        return _Not(self)

    def __bool__(self) -> bool:
        raise TypeError("Combine filters with & | ~, not with 'and', 'or', 'not'.")

    def __repr__(self) -> str:
        return self._name


class _Both(Filter[Any]):
    __slots__ = ("_left", "_right")

    def __init__(self, left: Filter[Any], right: Filter[Any]) -> None:
        super().__init__(f"({left!r} & {right!r})", is_async=left.is_async or right.is_async)
        self._left = left
        self._right = right

    def steps(self, event: Any, /) -> Steps:
        left = yield from self._left.steps(event)
        if left is None:
            return None
        right = yield from self._right.steps(event)
        return None if right is None else {**left, **right}


class _Either(Filter[Any]):
    __slots__ = ("_left", "_right")

    def __init__(self, left: Filter[Any], right: Filter[Any]) -> None:
        super().__init__(f"({left!r} | {right!r})", is_async=left.is_async or right.is_async)
        self._left = left
        self._right = right

    def steps(self, event: Any, /) -> Steps:
        left = yield from self._left.steps(event)
        if left is not None:
            return left
        return (yield from self._right.steps(event))


class _Not(Filter[Any]):
    __slots__ = ("_inner",)

    def __init__(self, inner: Filter[Any]) -> None:
        super().__init__(f"~{inner!r}", is_async=inner.is_async)
        self._inner = inner

    def steps(self, event: Any, /) -> Steps:
        found = yield from self._inner.steps(event)
        return NOTHING if found is None else None


class Question(Filter[E_contra]):
    """A filter made of one function; see :func:`new`."""

    __slots__ = ("_ask",)

    def __init__(self, ask: Predicate[E_contra], name: str) -> None:
        super().__init__(name, is_async=is_async(ask))
        self._ask = ask

    def steps(self, event: E_contra, /) -> Steps:
        """The decision: one question.

        Args:
            event: The event.

        Returns:
            A generator.
        """
        verdict = self._ask(event)
        if inspect.isawaitable(verdict):
            verdict = yield verdict
        if is_object(verdict):
            return verdict
        return NOTHING if verdict else None


@overload
def new(func: Predicate[E], /, *, name: str | None = None) -> Filter[E]: ...
@overload
def new(*, name: str | None = None) -> Callable[[Predicate[E]], Filter[E]]: ...
def new(func: Predicate[Any] | None = None, /, *, name: str | None = None) -> Any:
    """Make a filter of a function; also a decorator.

    Args:
        func: Is given the event; returns (or, when async, gives) whether it matches. A mapping
            counts as a match, and its values are given to handlers by name.
        name: What ``repr`` shows; by default the function's name.

    Returns:
        The filter, or a decorator when no function is given.
    """

    def make(given: Predicate[Any]) -> Filter[Any]:
        return Question(given, name or str(getattr(given, "__name__", type(given).__name__)))

    return make if func is None else make(func)


def both(filters: tuple[Filter[Any], ...]) -> Filter[Any] | None:
    """All of them as one; None for none."""
    found: Filter[Any] | None = None
    for one in filters:
        if not _is_filter(one):
            raise ConfigurationError(
                f"{one!r} is not a filter: make one with filters.new(function).",
                variable="filters",
            )
        found = one if found is None else found & one
    return found


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling it gives a coroutine."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - an object whose call is async, not a check
    )


def _is_filter(value: object) -> bool:
    return isinstance(value, Filter)
