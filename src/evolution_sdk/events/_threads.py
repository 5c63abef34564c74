"""Running a blocking handler without holding up the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


async def in_thread(function: Callable[..., Any], *args: Any, **names: Any) -> Any:
    """Run a blocking function in a thread, with the caller's context variables.

    Args:
        function: What to run.
        *args: Its arguments.
        **names: Its arguments by name.

    Returns:
        What it returned.
    """
    return await asyncio.to_thread(function, *args, **names)
