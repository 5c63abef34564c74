"""Retries without their waits."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextvars import Token
from functools import wraps
from typing import Any, ParamSpec, Self, TypeVar, cast

from evolution_sdk._base.context import SKIP_RETRY_WAITS

P = ParamSpec("P")
T = TypeVar("T")


class NoRetryDelays:
    """A context in which nothing waits; made by :func:`no_retry_delays`."""

    def __init__(self) -> None:
        self._tokens: list[Token[bool]] = []

    def __enter__(self) -> Self:
        self._tokens.append(SKIP_RETRY_WAITS.set(True))
        return self

    def __exit__(self, *_: object) -> None:
        SKIP_RETRY_WAITS.reset(self._tokens.pop())

    def __call__(self, function: Callable[P, T]) -> Callable[P, T]:
        """Decorate a function, sync or async, so that nothing waits while it runs.

        Args:
            function: What to decorate; a generator function, such as a fixture, cannot be.

        Returns:
            The function, with the same signature and colour.

        Raises:
            TypeError: It is a generator function, whose body runs later: use ``with`` in it.
        """
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError("no_retry_delays cannot decorate a generator: use 'with' inside it")
        if inspect.iscoroutinefunction(function):
            awaited = cast("Callable[P, Any]", function)

            @wraps(function)
            async def call_async(*args: P.args, **kwargs: P.kwargs) -> Any:
                with NoRetryDelays():
                    return await awaited(*args, **kwargs)

            return cast("Callable[P, T]", call_async)

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            with NoRetryDelays():
                return function(*args, **kwargs)

        return call


def no_retry_delays() -> NoRetryDelays:
    """Let no retry service and no look for a lost send wait between attempts.

    ``with no_retry_delays(): ...``, or ``@no_retry_delays()`` on a test, sync or async; the
    pytest plugin has it as the fixture ``no_retry_delays``. Attempts, events and metrics stay as
    they are; the waits a client makes for other reasons end at once too. It holds for the
    current context: its tasks and ``asyncio.to_thread`` follow, threads begun otherwise do
    not, nor does code outside.

    Returns:
        A context manager and decorator.
    """
    return NoRetryDelays()
