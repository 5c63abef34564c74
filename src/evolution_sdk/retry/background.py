"""Async event handlers, run in the background of a running event loop."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

__all__ = ["NoEventLoopError", "spawn"]


class NoEventLoopError(RuntimeError):
    """An async handler was called where no event loop runs; it has not been run.

    Attributes:
        place: Name, file and line of the handler, as far as they are known.
    """

    def __init__(self, awaitable: Awaitable[object]) -> None:
        code = getattr(awaitable, "cr_code", None)
        self.place: str
        if code is None:
            self.place = type(awaitable).__qualname__
        else:
            self.place = f"{code.co_qualname} at {code.co_filename}:{code.co_firstlineno}"
        super().__init__(f"no event loop runs in this thread, so {self.place} was not run")


def spawn(
    awaitable: Awaitable[object], failed: Callable[[BaseException], None], running: set[Any]
) -> None:
    """Run an awaitable in the background of the running event loop.

    Args:
        awaitable: The awaitable to run.
        failed: Called with the exception it ends with.
        running: Keeps the task alive until it is done; the loop itself does not.

    Raises:
        NoEventLoopError: No event loop runs in this thread; a coroutine is closed unstarted.
    """

    async def guarded() -> None:
        try:
            await awaitable
        except (KeyboardInterrupt, asyncio.CancelledError):
            raise
        except BaseException as error:  # noqa: BLE001 - see below
            failed(error)  # no code awaits this task, so that the error would get lost

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        if inspect.iscoroutine(awaitable):
            awaitable.close()  # or Python warns that it was never awaited
        raise NoEventLoopError(awaitable) from None
    task = loop.create_task(guarded())
    running.add(task)
    task.add_done_callback(running.discard)
    if inspect.iscoroutine(awaitable):
        # A loop that ends before the task's first step would leave it unstarted.
        task.add_done_callback(lambda _: awaitable.close())
