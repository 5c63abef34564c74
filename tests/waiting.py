"""Waiting for what other threads or processes do, of which nobody tells."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

PATIENCE_S = 20.0


def until(
    done: Callable[[], object], what: str = "it never came", patience_s: float = PATIENCE_S
) -> None:
    """Wait for something; a test that waits too long has failed.

    Args:
        done: Whether it has come.
        what: The words of the failure.
        patience_s: Longest wait, in seconds.
    """
    ends = time.monotonic() + patience_s
    while not done():
        assert time.monotonic() < ends, what
        time.sleep(0.01)


async def until_async(done: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    """Wait for something, and let the event loop run.

    Args:
        done: Whether it has come.
        patience_s: Longest wait, in seconds.
    """
    async with asyncio.timeout(patience_s):
        while not done():  # noqa: ASYNC110 - others do it, and do not tell
            await asyncio.sleep(0.01)
