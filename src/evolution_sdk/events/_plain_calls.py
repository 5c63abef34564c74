"""Calls of handlers that are plain functions, with detection of forgotten awaits.

A plain function cannot await. If it calls a method of an async client and drops the coroutine, no
request is made, so the event must not count as handled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from evolution_sdk._base.pending_calls import call_watched
from evolution_sdk.errors import ConfigurationError

from ._registry import callable_name

__all__ = ["call_in_thread", "call_plain"]


def call_plain(
    function: Callable[..., object], places: tuple[object, ...], names: Mapping[str, object]
) -> object:
    """Call a plain function and make sure that it awaited what it began.

    Args:
        function: The function.
        places: Its positional arguments.
        names: Its keyword arguments.

    Returns:
        Its return value; it may be an awaitable.

    Raises:
        ConfigurationError: It called an async method of a client and dropped the coroutine.
        Exception: As raised by the function.
    """
    try:
        result, dropped = call_watched(function, places, names)
    except StopIteration as error:
        # StopIteration can leave neither a thread's future nor a coroutine.
        raise RuntimeError("a handler raised StopIteration") from error
    if dropped:
        raise ConfigurationError(
            f"{callable_name(function)} called {', '.join(dropped)} without await: no request was "
            "made. Write it as 'async def' and await the call, or use a sync client.",
            variable="handler",
        )
    return result


async def call_in_thread(
    function: Callable[..., object], places: tuple[object, ...], names: Mapping[str, object]
) -> object:
    """Call a plain function in a thread, with the caller's context, so that no loop waits for it.

    Args:
        function: The function.
        places: Its positional arguments.
        names: Its keyword arguments.

    Returns:
        Its return value; it may be an awaitable.

    Raises:
        ConfigurationError: As of :func:`call_plain`.
        Exception: As raised by the function.
    """
    return await asyncio.to_thread(call_plain, function, places, names)
