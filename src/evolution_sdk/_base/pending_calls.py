"""Coroutines that were made and never begun: forgotten awaits, seen at run time.

Python itself only warns when such a coroutine is collected. Here the async methods of clients tell
whoever watches the calls of one plain function.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Coroutine
from contextvars import ContextVar, Token
from functools import partial
from types import CoroutineType, MethodType
from typing import Any, Self, TypeVar, cast

__all__ = ["PendingCalls", "TrackedMethod", "tracked_class", "tracked_method"]

C = TypeVar("C", bound=type[Any])
F = TypeVar("F", bound=Callable[..., Any])

_watching: ContextVar[PendingCalls | None] = ContextVar("evolution_sdk_pending_calls", default=None)


class _Call:
    """One call of an async method.

    Attributes:
        name: Qualified name of the method.
        coroutine: The coroutine, until it is begun.
        begun: True once somebody awaits it.
    """

    __slots__ = ("begun", "coroutine", "name")

    def __init__(self, name: str, coroutine: Coroutine[Any, Any, Any]) -> None:
        self.name = name
        self.coroutine = coroutine
        self.begun = False


class PendingCalls:
    """Watches the async methods that are called in this context; a context manager.

    A coroutine that is still referenced is not reported as forgotten: it may be the return value,
    or wait in an event loop.
    """

    def __init__(self) -> None:
        self._calls: list[tuple[weakref.ref[Coroutine[Any, Any, Any]], _Call]] = []
        self._over = False
        self._token: Token[PendingCalls | None] | None = None

    def __enter__(self) -> Self:
        self._token = _watching.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        # A task that was begun meanwhile keeps a copy of the context, and with it this object.
        self._over = True
        if self._token is not None:
            _watching.reset(self._token)

    @property
    def over(self) -> bool:
        """True once the watched function has returned."""
        return self._over

    def note(self, call: _Call, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Remember a call and its coroutine."""
        self._calls.append((weakref.ref(coroutine), call))

    def dropped(self) -> list[str]:
        """Return the names of the methods whose coroutine is gone and was never begun."""
        gone = [call for coroutine, call in self._calls if coroutine() is None and not call.begun]
        for call in gone:
            # Python has warned of the outer coroutine; closed, the inner one adds no warning.
            call.coroutine.close()
        return [call.name for call in gone]


async def _begin(call: _Call) -> Any:
    call.begun = True
    return await call.coroutine


class _NotedMethod(partial[Any]):
    """A bound coroutine function whose calls are noted; a partial, so that it still looks like one.

    ``inspect.iscoroutinefunction`` looks through a partial, by which parts of this package tell an
    async client from a sync one.
    """

    pending: PendingCalls

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        name: str = self.func.__qualname__
        call = _Call(name, self.func(*args, **kwargs))
        coroutine = cast("CoroutineType[Any, Any, Any]", _begin(call))
        # Python's warning about a coroutine that was never awaited names the method then.
        coroutine.__name__, coroutine.__qualname__ = self.func.__name__, name
        self.pending.note(call, coroutine)
        return coroutine


class TrackedMethod:
    """A coroutine function on a class; tells :class:`PendingCalls` when it is called.

    Outside of a watched function it gives the bound method itself, at the price of one look at a
    context variable.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.__wrapped__ = function
        self.__doc__ = function.__doc__

    def __get__(self, owner: object, kind: type[Any] | None = None) -> Any:
        if owner is None:
            return self.__wrapped__
        method = MethodType(self.__wrapped__, owner)
        pending = _watching.get()
        if pending is None or pending.over:
            return method
        noted = _NotedMethod(method)
        noted.pending = pending
        return noted


def tracked_method(function: F) -> F:
    """Let a coroutine function of a class tell when a plain handler forgets to await it.

    Args:
        function: The function; one that is no coroutine function comes back as it is.

    Returns:
        What to put on the class in its place.
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
