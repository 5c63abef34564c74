"""Differences between the colours of the outbox. Written by hand in both trees."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from evolution_sdk._base.effects import drive_sync as drive
from evolution_sdk._base.forking import free_in_child
from evolution_sdk._sql.dialect import POSTGRES, SQLITE
from evolution_sdk.outbox.callers_connection import plain_cursor
from evolution_sdk.outbox.store import Turn
from evolution_sdk.outbox.workers import Worker

__all__ = ["AWAITS", "Bell", "Crew", "Desk", "drive", "run_statement"]


AWAITS = False


class Bell:
    """Wakes all who wait for it, also from another thread."""

    def __init__(self) -> None:
        self._event = free_in_child(threading.Event())

    def ring(self) -> None:
        """Wake them."""
        self._event.set()

    def wait(self, milliseconds: float) -> None:
        """Wait until it rings, for some time at most."""
        self._event.wait(milliseconds / 1_000)
        self._event.clear()


class Crew:
    """Some threads that do the same work until they are told to end."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []

    def begin(self, many: int, work: Callable[[], None]) -> None:
        """Begin.

        Args:
            many: Number of threads.
            work: What each does; it never raises.
        """
        self._threads = [
            threading.Thread(target=work, name=f"evolution-outbox-{number}", daemon=True)
            for number in range(many)
        ]
        for thread in self._threads:
            thread.start()

    def join(self, milliseconds: float) -> bool:
        """Wait until all have ended, for some time at most; tells if they have."""
        ends = time.monotonic() + milliseconds / 1_000
        for thread in self._threads:
            thread.join(max(0.0, ends - time.monotonic()))
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        return not self._threads


class Desk:
    """Makes visits; threads that come at once are served together by the store.

    Args:
        serve: Makes some visits; returns the worker that made them.
    """

    def __init__(self, serve: Callable[[Sequence[Turn]], Worker]) -> None:
        self._serve = serve

    def visit(self, turn: Turn) -> Worker:
        """Make a visit.

        Args:
            turn: What is wanted.

        Returns:
            The worker that made it.

        Raises:
            OutboxStoreError: Nothing was written or claimed.
        """
        worker = self._serve([turn])
        if turn.error is not None:
            raise turn.error
        return worker


def run_statement(connection: Any, sql: str, values: Any) -> list[Any]:
    """Run a statement on a connection of the caller's, in the caller's transaction.

    Args:
        connection: A connection of psycopg, or one of :mod:`sqlite3`.
        sql: The statement.
        values: Its values.
    """
    cursor = plain_cursor(connection)
    if isinstance(cursor, sqlite3.Cursor):
        return cursor.execute(SQLITE.sql(sql), values).fetchall()
    cursor.execute(POSTGRES.sql(sql), values)
    return cursor.fetchall() if cursor.description is not None else []
