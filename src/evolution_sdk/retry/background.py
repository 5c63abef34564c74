"""Running an async handler in the background of the event loop that is at work."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

__all__ = ["spawn"]


def spawn(
    awaitable: Awaitable[object], failed: Callable[[BaseException], None], running: set[Any]
) -> None:
    """Run an awaitable in the background of the running event loop.

    Args:
        awaitable: What to run.
        failed: Hears of the exception it ends with.
        running: Keeps the task alive until it is done; the loop itself does not.

    Raises:
        RuntimeError: No event loop runs in this thread; a coroutine is closed unstarted.
    """

    async def guarded() -> None:
        try:
            await awaitable
        except (KeyboardInterrupt, asyncio.CancelledError):
            raise
        except BaseException as error:  # noqa: BLE001 - nobody awaits this task
            failed(error)

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        if inspect.iscoroutine(awaitable):
            awaitable.close()
        raise
    task = loop.create_task(guarded())
    running.add(task)
    task.add_done_callback(running.discard)
    if inspect.iscoroutine(awaitable):
        # A loop that ends before the task's first step would leave it unstarted.
        task.add_done_callback(lambda _: awaitable.close())
