"""Retries without delays."""

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
    """Context manager and decorator of :func:`no_retry_delays`."""

    def __init__(self) -> None:
        # A stack, because one object may be entered again inside itself.
        self._tokens: list[Token[bool]] = []

    def __enter__(self) -> Self:
        self._tokens.append(SKIP_RETRY_WAITS.set(True))
        return self

    def __exit__(self, *_: object) -> None:
        SKIP_RETRY_WAITS.reset(self._tokens.pop())

    def __call__(self, function: Callable[P, T]) -> Callable[P, T]:
        """Decorate a function, sync or async: no retry waits while it runs.

        Args:
            function: The function; generator functions, such as fixtures, are refused.

        Returns:
            The function, with the same signature and colour.

        Raises:
            TypeError: It is a generator function, whose body runs later: use ``with`` in it.
        """
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(
                "no_retry_delays() cannot decorate a generator function, whose body runs later. "
                "Use 'with no_retry_delays():' inside it."
            )
        if inspect.iscoroutinefunction(function):
            awaited = cast("Callable[P, Any]", function)

            # A new context per call: the decorated function may run in several threads or tasks at
            # once.
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
    """Take the delays out of retries and of the search for lost sends.

    ``with no_retry_delays(): ...``, or ``@no_retry_delays()`` on a test, sync or async; the
    pytest plugin has it as the fixture ``no_retry_delays``. Attempts, events and metrics stay as
    they are; other waits of a client end at once, too. It holds for the current context:
    its tasks and ``asyncio.to_thread`` follow; threads started in other ways do not, nor does
    code outside.

    Returns:
        A context manager and decorator.
    """
    return NoRetryDelays()
