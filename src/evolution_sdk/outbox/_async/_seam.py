"""Differences between the colours of the outbox. Written by hand in both trees."""

from __future__ import annotations

import asyncio
import inspect
import sqlite3
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from evolution_sdk._async._seam import run_blocking
from evolution_sdk._base.effects import drive_async as drive
from evolution_sdk._sql.dialect import POSTGRES, SQLITE
from evolution_sdk.outbox.callers_connection import plain_cursor
from evolution_sdk.outbox.store import Turn
from evolution_sdk.outbox.workers import Worker

__all__ = ["AWAITS", "Bell", "Crew", "Desk", "drive", "run_statement"]


AWAITS = True


class Bell:
    """Wakes all who wait for it, also from another thread."""

    def __init__(self) -> None:
        self._event: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def ring(self) -> None:
        """Wake them."""
        loop, event = self._loop, self._event
        if loop is None or event is None:
            return
        # The loop may be closed by now; then nobody waits any more.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(event.set)

    async def wait(self, milliseconds: float) -> None:
        """Wait until it rings, for some time at most."""
        loop = asyncio.get_running_loop()
        if self._event is None or self._loop is not loop:
            self._loop, self._event = loop, asyncio.Event()
        event = self._event
        with suppress(TimeoutError):
            async with asyncio.timeout(milliseconds / 1_000):
                await event.wait()
        event.clear()


class Crew:
    """Some tasks that do the same work until they are told to end."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self, many: int, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin.

        Args:
            many: Number of tasks.
            work: What each does; it never raises.
        """
        self._tasks = [
            asyncio.create_task(work(), name=f"evolution-outbox-{number}") for number in range(many)
        ]

    async def join(self, milliseconds: float) -> bool:
        """Wait until all have ended, for some time at most; tells if they have."""
        if not self._tasks:
            return True
        _, pending = await asyncio.wait(self._tasks, timeout=milliseconds / 1_000)
        self._tasks = list(pending)
        return not pending


class Desk:
    """Makes the visits of all tasks that come just now at once, by one thread.

    Args:
        serve: Makes some visits, blocking; returns the worker that made them.
    """

    def __init__(self, serve: Callable[[Sequence[Turn]], Worker]) -> None:
        self._serve = serve
        self._waiting: list[tuple[Turn, asyncio.Future[Worker]]] = []
        self._task: asyncio.Task[None] | None = None

    async def visit(self, turn: Turn) -> Worker:
        """Make a visit.

        Args:
            turn: What is wanted.

        Returns:
            The worker that made it.

        Raises:
            OutboxStoreError: Nothing was written or claimed.
        """
        # One of its own: it is there for others, too, when the first that came is cancelled.
        answer: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
        self._waiting.append((turn, answer))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work(), name="evolution-outbox-desk")
        return await answer

    async def _work(self) -> None:
        while self._waiting:
            some, self._waiting = self._waiting, []
            try:
                worker = await run_blocking(partial(self._serve, [turn for turn, _ in some]))
            except Exception as error:  # noqa: BLE001 - told to each who waits
                for _, answer in some:
                    if not answer.done():
                        answer.set_exception(error)
                continue
            except BaseException:
                for _, answer in [*some, *self._waiting]:
                    answer.cancel()
                raise
            for turn, answer in some:
                if answer.done():
                    continue
                if turn.error is not None:
                    answer.set_exception(turn.error)
                else:
                    answer.set_result(worker)


async def run_statement(connection: Any, sql: str, values: Any) -> list[Any]:
    """Run a statement on a connection of the caller's, in the caller's transaction.

    Args:
        connection: An async connection of psycopg, a blocking one, or one of :mod:`sqlite3`.
        sql: The statement.
        values: Its values.
    """
    cursor = plain_cursor(connection)
    if isinstance(cursor, sqlite3.Cursor):
        return cursor.execute(SQLITE.sql(sql), values).fetchall()
    asked = cursor.execute(POSTGRES.sql(sql), values)
    awaits = inspect.isawaitable(asked)
    if awaits:
        await asked
    if cursor.description is None:
        return []
    asked = cursor.fetchall()
    rows: list[Any] = await asked if awaits else asked
    return rows
