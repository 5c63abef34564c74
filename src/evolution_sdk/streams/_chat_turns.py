"""Turns of tasks in the chat queue, for events that are acknowledged after they are handled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from evolution_sdk.events._chat_queue import ChatQueue

__all__ = ["ChatTurns"]


class ChatTurns:
    """Turns of an event loop's tasks: one at a time per key, in the order in which they came."""

    def __init__(self) -> None:
        self._queue: ChatQueue[asyncio.Future[None]] = ChatQueue()

    @property
    def idle(self) -> bool:
        """True if nobody has a turn or waits for one."""
        return self._queue.idle

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncGenerator[None]:
        """Wait for a turn and hold it.

        Args:
            key: As of :func:`order_key`.
        """
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.put(key, mine)
        self._grant()
        try:
            if not mine.done():  # nearly every chat is free, and needs no round of the loop
                await mine
            yield
        finally:
            # A task that is cancelled while it waits never had the turn. One that is cancelled in
            # the moment between getting it and going on had it, and gives it back here.
            if mine.done() and not mine.cancelled():
                self._queue.done(key)
                self._grant()

    def _grant(self) -> None:
        """Give every key that is free to the first who still waits for it."""
        while (taken := self._queue.take()) is not None:
            key, waiting = taken
            if waiting.cancelled():
                self._queue.done(key)
            else:
                waiting.set_result(None)
