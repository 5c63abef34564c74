"""Filters and their combinations; one class for sync and async predicates."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator, Mapping
from typing import Any, Generic, TypeAlias, TypeVar, overload

from evolution_sdk._base.coroutines import is_async
from evolution_sdk._base.effects import drive_async
from evolution_sdk._base.json_types import is_object
from evolution_sdk.errors import ConfigurationError

from ._needs import Needs, either, heavier

E_contra = TypeVar("E_contra", contravariant=True)
E = TypeVar("E")

Found: TypeAlias = Mapping[str, Any]
"""Findings of a filter that matched; handlers receive them by name, such as ``match``."""

FilterAnswer: TypeAlias = bool | Found | None
Predicate: TypeAlias = Callable[[E], FilterAnswer | Awaitable[FilterAnswer]]
Steps: TypeAlias = Generator[Awaitable[Any], Any, Found | None]

NO_FINDINGS: Found = {}
"""Answer of a filter that matched without findings."""


class Filter(Generic[E_contra]):
    """A condition on an event; combine filters with ``&``, ``|`` and ``~``.

    It is generic in the event, so that a type checker rejects a filter about a field that the event
    does not have. Its ``repr`` reads like the expression that built it.

    Args:
        name: Text for ``repr``.
        is_async: True if it needs ``await``.
    """

    __slots__ = ("_is_async", "_name")

    # Of a filter that somebody else wrote nothing is known: it is always asked, in its turn.
    _is_pure: bool = False
    _needs: Needs = None

    def __init__(self, name: str, *, is_async: bool = False) -> None:
        self._name = name
        self._is_async = is_async

    @property
    def is_async(self) -> bool:
        """True if it needs ``await``; a sync dispatch cannot use such a filter."""
        return self._is_async

    def steps(self, event: E_contra, /) -> Steps:
        """Decide, yielding every awaitable that the decision needs.

        Args:
            event: The event.

        Returns:
            A generator of awaitables. Its value is the findings, or None without a match.
        """
        raise NotImplementedError

    def find(self, event: E_contra, /) -> Found | None:
        """Decide without awaiting.

        Args:
            event: The event.

        Returns:
            The findings (often empty); None when the filter does not match.

        Raises:
            ConfigurationError: The filter is async.
        """
        steps = self.steps(event)
        try:
            pending = next(steps)
        except StopIteration as done:
            found: Found | None = done.value
            return found
        steps.close()
        raise self._refused(pending)

    def _refused(self, pending: object) -> ConfigurationError:
        if inspect.iscoroutine(pending):
            pending.close()  # or Python warns that it was never awaited
        return ConfigurationError(
            f"The filter {self!r} is async: use an async dispatch.", variable="filters"
        )

    async def find_async(self, event: E_contra, /) -> Found | None:
        """Decide, awaiting if it must.

        Args:
            event: The event.

        Returns:
            The findings (often empty); None when the filter does not match.
        """
        return await drive_async(self.steps(event), _awaited)

    def check(self, event: E_contra, /) -> bool:
        """Tell whether it matches, without awaiting.

        Args:
            event: The event.

        Returns:
            True when it matches.

        Raises:
            ConfigurationError: The filter is async.
        """
        return self.find(event) is not None

    async def check_async(self, event: E_contra, /) -> bool:
        """Tell whether it matches, awaiting if it must.

        Args:
            event: The event.

        Returns:
            True when it matches.
        """
        return await self.find_async(event) is not None

    def __and__(self, other: Filter[E_contra]) -> Filter[E_contra]:
        return _Both(self, other) if _is_filter(other) else NotImplemented

    # Never called. It tells type checkers that the wider filter may stand on the left, too.
    def __rand__(self, other: Filter[E_contra]) -> Filter[E_contra]:
        return _Both(other, self) if _is_filter(other) else NotImplemented

    def __or__(self, other: Filter[E_contra]) -> Filter[E_contra]:
        return _Either(self, other) if _is_filter(other) else NotImplemented

    def __ror__(self, other: Filter[E_contra]) -> Filter[E_contra]:
        return _Either(other, self) if _is_filter(other) else NotImplemented

    def __invert__(self) -> Filter[E_contra]:
        return _Not(self)

    def __bool__(self) -> bool:
        # "a and b" would silently drop a.
        raise TypeError("Combine filters with & | ~, not with 'and', 'or', 'not'.")

    def __repr__(self) -> str:
        return self._name


class _Both(Filter[Any]):
    __slots__ = ("_is_pure", "_left", "_needs", "_right")

    def __init__(self, left: Filter[Any], right: Filter[Any]) -> None:
        super().__init__(f"({left!r} & {right!r})", is_async=left.is_async or right.is_async)
        self._left = left
        self._right = right
        self._is_pure = is_pure(left) and is_pure(right)
        # What the right side needs says nothing where the left one must be asked in any case.
        self._needs = needs_of(left)
        if is_pure(left):
            self._needs = heavier(needs_of(left), needs_of(right))

    def find(self, event: Any, /) -> Found | None:
        if self._is_async:
            return super().find(event)
        left = self._left.find(event)
        if left is None:
            return None
        right = self._right.find(event)
        return None if right is None else {**left, **right}

    def steps(self, event: Any, /) -> Steps:
        # The right side is not asked in vain: it may be a question to a database.
        left = yield from self._left.steps(event)
        if left is None:
            return None
        right = yield from self._right.steps(event)
        return None if right is None else {**left, **right}


class _Either(Filter[Any]):
    __slots__ = ("_is_pure", "_left", "_needs", "_right")

    def __init__(self, left: Filter[Any], right: Filter[Any]) -> None:
        super().__init__(f"({left!r} | {right!r})", is_async=left.is_async or right.is_async)
        self._left = left
        self._right = right
        self._is_pure = is_pure(left) and is_pure(right)
        self._needs = either(needs_of(left), needs_of(right))

    def find(self, event: Any, /) -> Found | None:
        if self._is_async:
            return super().find(event)
        left = self._left.find(event)
        return self._right.find(event) if left is None else left

    def steps(self, event: Any, /) -> Steps:
        left = yield from self._left.steps(event)
        if left is not None:
            return left
        return (yield from self._right.steps(event))


class _Not(Filter[Any]):
    __slots__ = ("_inner", "_is_pure")

    def __init__(self, inner: Filter[Any]) -> None:
        super().__init__(f"~{inner!r}", is_async=inner.is_async)
        self._inner = inner
        self._is_pure = is_pure(inner)

    def find(self, event: Any, /) -> Found | None:
        if self._is_async:
            return super().find(event)
        return NO_FINDINGS if self._inner.find(event) is None else None

    def steps(self, event: Any, /) -> Steps:
        found = yield from self._inner.steps(event)
        return NO_FINDINGS if found is None else None


class FunctionFilter(Filter[E_contra]):
    """A filter made from a function; see :func:`new`.

    Args:
        ask: The function.
        name: Text for ``repr``.
        needs: Keys of which an event must have one for the function to match; None if unknown.
        is_pure: True if the function does nothing but look at the event, and never raises.
    """

    __slots__ = ("_ask", "_is_pure", "_needs")

    def __init__(
        self,
        ask: Predicate[E_contra],
        name: str,
        *,
        needs: Needs = None,
        is_pure: bool = False,
    ) -> None:
        super().__init__(name, is_async=is_async(ask))
        self._ask = ask
        self._needs = needs
        self._is_pure = is_pure

    def find(self, event: E_contra, /) -> Found | None:
        """Decide without awaiting, as :meth:`Filter.find`.

        Args:
            event: The event.

        Returns:
            The findings (often empty); None when the filter does not match.

        Raises:
            ConfigurationError: The filter is async.
        """
        if self._is_async:
            return super().find(event)
        answer = self._ask(event)
        # The usual answers need no closer look.
        if answer is True:
            return NO_FINDINGS
        if answer is False or answer is None:
            return None
        if inspect.isawaitable(answer):
            raise self._refused(answer)
        return answer if is_object(answer) else NO_FINDINGS if answer else None

    def steps(self, event: E_contra, /) -> Steps:
        """Decide by calling the function.

        Args:
            event: The event.

        Returns:
            As of :meth:`Filter.steps`.
        """
        answer = self._ask(event)
        if inspect.isawaitable(answer):
            answer = yield answer
        if is_object(answer):
            return answer  # even an empty mapping is a match
        return NO_FINDINGS if answer else None


@overload
def new(func: Predicate[E], /, *, name: str | None = None) -> Filter[E]: ...
@overload
def new(*, name: str | None = None) -> Callable[[Predicate[E]], Filter[E]]: ...
def new(func: Predicate[Any] | None = None, /, *, name: str | None = None) -> Any:
    """Make a filter from a function; also a decorator.

    Args:
        func: Takes the event and returns True for a match; it may be async. A mapping counts as a
            match, and its values are given to handlers by name.
        name: Text for ``repr``. Default: the function's name.

    Returns:
        The filter, or a decorator when no function is given.
    """

    def make(given: Predicate[Any]) -> Filter[Any]:
        return FunctionFilter(given, name or str(getattr(given, "__name__", type(given).__name__)))

    return make if func is None else make(func)


def both(filters: tuple[Filter[Any], ...]) -> Filter[Any] | None:
    """Combine filters into one that matches if all do; None for no filter."""
    found: Filter[Any] | None = None
    for one in filters:
        if not _is_filter(one):
            raise ConfigurationError(
                f"{one!r} is not a filter: make one with filters.new(function).",
                variable="filters",
            )
        found = one if found is None else found & one
    return found


def needs_of(condition: Filter[Any]) -> Needs:
    """Return what an event must have for the filter to match; without it, it need not be asked."""
    return condition._needs  # pyright: ignore[reportPrivateUsage]


def is_pure(condition: Filter[Any]) -> bool:
    """Tell if asking the filter has no effect and raises nothing."""
    return condition._is_pure  # pyright: ignore[reportPrivateUsage]


async def _awaited(pending: Awaitable[Any]) -> Any:
    return await pending


def _is_filter(value: object) -> bool:
    return isinstance(value, Filter)
