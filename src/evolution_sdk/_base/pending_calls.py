"""Coroutines that were made and never begun: forgotten awaits, seen at run time.

Python itself only warns when such a coroutine is collected. Here the async methods of clients note
their calls while a plain function is watched.
"""

from __future__ import annotations

import inspect
import threading
import weakref
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from types import MethodType
from typing import Any, TypeVar, cast

__all__ = ["TrackedMethod", "call_watched", "tracked_class", "tracked_method"]

C = TypeVar("C", bound=type[Any])
F = TypeVar("F", bound=Callable[..., Any])


class _Call:
    """One call of an async method.

    Attributes:
        name: Qualified name of the method.
        inner: The method's own coroutine.
        outer: The coroutine that the caller got, which begins the inner one.
        begun: True once somebody awaits it.
    """

    __slots__ = ("begun", "inner", "name", "outer")

    def __init__(self, name: str, inner: Coroutine[Any, Any, Any]) -> None:
        self.name = name
        self.inner = inner
        self.outer: weakref.ref[Coroutine[Any, Any, Any]] | None = None
        self.begun = False

    @property
    def dropped(self) -> bool:
        """True if nobody can await it any more.

        A coroutine that lives on counts as nobody's mistake: it may be the return value, or wait in
        an event loop.
        """
        return not self.begun and self.outer is not None and self.outer() is None


class _Watch(threading.local):
    """The calls of the plain function that this thread runs; None while it runs none.

    A plain function runs to its end before its thread does anything else, so that this is exact
    also in the thread of an event loop.
    """

    calls: list[_Call] | None = None


_watch = _Watch()


def call_watched(
    function: Callable[..., Any], places: tuple[Any, ...], names: Mapping[str, Any]
) -> tuple[Any, Sequence[str]]:
    """Call a plain function and watch the async methods that it calls.

    Args:
        function: The function.
        places: Its arguments.
        names: Its arguments by name.

    Returns:
        Its return value, and the names of the methods whose coroutine it dropped.

    Raises:
        BaseException: As raised by the function.
    """
    before, calls = _watch.calls, list[_Call]()
    _watch.calls = calls
    try:
        result = function(*places, **names)
    finally:
        _watch.calls = before
    # After the call: its local variables are gone, and with them a forgotten coroutine.
    return result, _dropped(calls) if calls else ()


def _dropped(calls: list[_Call]) -> list[str]:
    dropped = [call for call in calls if call.dropped]
    for call in dropped:
        # Python has warned of the outer coroutine; closed, the inner one adds no warning.
        call.inner.close()
    return [call.name for call in dropped]


async def _begin(call: _Call) -> Any:
    call.begun = True
    return await call.inner


class _NotedMethod(partial[Any]):
    """A bound coroutine function whose calls are noted; a partial, so that it still looks like one.

    ``inspect.iscoroutinefunction`` looks through a partial, by which parts of this package tell an
    async client from a sync one.
    """

    calls: list[_Call]

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        name: str = self.func.__qualname__
        call = _Call(name, self.func(*args, **kwargs))
        outer: Any = _begin(call)
        # Python's warning about a coroutine that nobody awaits names the method then.
        outer.__name__, outer.__qualname__ = self.func.__name__, name
        call.outer = weakref.ref(outer)
        self.calls.append(call)
        return outer


class TrackedMethod:
    """A coroutine function on a class, which notes its calls while a plain function is watched.

    Else it gives the bound method itself, at the price of one look.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.__wrapped__ = function
        self.__doc__ = function.__doc__

    def __get__(self, owner: object, kind: type[Any] | None = None) -> Any:
        if owner is None:
            return self.__wrapped__
        method = MethodType(self.__wrapped__, owner)
        calls = _watch.calls
        if calls is None:
            return method
        noted = _NotedMethod(method)
        noted.calls = calls
        return noted


def tracked_method(function: F) -> F:
    """Let a coroutine function of a class note its calls in plain functions.

    Args:
        function: The function; one that is no coroutine function comes back as it is.

    Returns:
        The attribute for the class.
    """
    if not inspect.iscoroutinefunction(function):
        return function
    return cast("F", TrackedMethod(function))


def tracked_class(cls: C) -> C:
    """Decorate a class: its public coroutine functions are tracked; see :func:`tracked_method`."""
    for name, member in list(vars(cls).items()):
        if not name.startswith("_") and inspect.isfunction(member):
            setattr(cls, name, tracked_method(member))
    return cls
