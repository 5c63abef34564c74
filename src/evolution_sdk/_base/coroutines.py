"""Functions that are to be awaited, told from plain ones."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

__all__ = ["is_async"]


def is_async(function: Callable[..., Any]) -> bool:
    """Tell if a call of the function returns a coroutine."""
    # Nearly all are functions whose code tells; this is asked for every event.
    if type(function) is FunctionType and function.__code__.co_flags & inspect.CO_COROUTINE:
        return True
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - an object whose call is async, not a check
    )
