"""Changes of status in the monitor's history file, so that uptime survives a restart."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, TypeAlias

from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk._base.serial_worker import SerialWorker
from evolution_sdk._sql.private_connect import connect_private
from evolution_sdk.monitor.sample import STATUSES, HealthStatus

from .strips import WEEK_S, StatusChange, Unknown

__all__ = ["StatusLog"]

_log = logging.getLogger("evolution_sdk.monitor")
_BUSY_S: Final = 0.5
_MOST_ROWS: Final = 200_000
_SCHEMA: Final = (
    (
        "CREATE TABLE IF NOT EXISTS status_changes "
        "(at REAL NOT NULL, name TEXT, status TEXT NOT NULL, reasons TEXT NOT NULL)"
    ),
    "CREATE INDEX IF NOT EXISTS status_changes_at ON status_changes (at)",
)
_INSERT: Final = "INSERT INTO status_changes VALUES (?, ?, ?, ?)"
_SELECT: Final = (
    "SELECT at, name, status, reasons FROM status_changes WHERE at >= ? ORDER BY at, rowid LIMIT ?"
)

Loaded: TypeAlias = dict[str, list[StatusChange | Unknown]]


class StatusLog:
    """Keeps changes of status in a SQLite file, written by a thread of its own.

    A row without a name says that checks were made up to its time, and not after it.

    Args:
        path: The file of the monitor's history.
        worker: Writes; a test may give one that works at once.
    """

    def __init__(self, path: str | Path, worker: SerialWorker | None = None) -> None:
        self._path = str(path)
        self._worker = worker or SerialWorker("evolution-console-history")
        self._trouble = QuietLog(_log, time.monotonic)

    def load(self, now: float) -> Loaded:
        """Read the last week, and note that nothing is known since the last check.

        Args:
            now: Unix seconds.

        Returns:
            By name, changes and the times after which nothing is known; empty while the file
            cannot be read.
        """
        if not Path(self._path).exists():
            return {}
        try:
            with closing(self._connect()) as connection, connection:
                rows = connection.execute(_SELECT, (now - WEEK_S, _MOST_ROWS)).fetchall()
                last = _last_sample(connection)
                if last is not None and rows:
                    connection.execute(_INSERT, (last, None, "", "[]"))
        except sqlite3.Error as error:
            self._failed(error)
            return {}
        found: Loaded = {}
        for at, name, status, reasons in rows:
            if name is None:
                for each in found.values():
                    each.append(Unknown(float(at)))
            elif status in STATUSES:
                each = found.setdefault(str(name), [])
                told = tuple(str(words) for words in json.loads(reasons))
                each.append(StatusChange(float(at), None, status, told))
        if last is not None:
            for each in found.values():
                each.append(Unknown(last))
        return {name: _with_before(changes) for name, changes in found.items()}

    def add(self, changes: Sequence[tuple[str, StatusChange]]) -> None:
        """Write changes down; returns at once.

        Args:
            changes: Each with its name.
        """
        rows = [
            (change.at, name, change.status, json.dumps(change.reasons)) for name, change in changes
        ]
        self._worker.submit(lambda: self._guarded(lambda: self._write(rows)))

    def close(self) -> None:
        """Write what waits, and end the thread."""
        self._worker.close()

    def _write(self, rows: Sequence[tuple[float, str, str, str]]) -> None:
        with closing(self._connect()) as connection, connection:
            connection.executemany(_INSERT, rows)
            oldest = rows[-1][0] - WEEK_S
            # The last one before it tells the status at the beginning of the week.
            connection.execute("DELETE FROM status_changes WHERE at < ?", (oldest - WEEK_S,))

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except sqlite3.Error as error:
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        self._trouble.trouble(
            "status", "uptime is not kept in the history file (%s)", type(error).__name__
        )

    def _connect(self) -> sqlite3.Connection:
        connection = connect_private(self._path, timeout=_BUSY_S)
        try:
            for statement in _SCHEMA:
                connection.execute(statement)
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def _last_sample(connection: sqlite3.Connection) -> float | None:
    try:
        (at,) = connection.execute("SELECT max(at) FROM samples").fetchone()
    except sqlite3.OperationalError:
        # The monitor has not written anything yet.
        return None
    return None if at is None else float(at)


def _with_before(changes: list[StatusChange | Unknown]) -> list[StatusChange | Unknown]:
    """Tell each change the status before it, where that was known."""
    before: HealthStatus | None = None
    found: list[StatusChange | Unknown] = []
    for each in changes:
        if isinstance(each, Unknown):
            before = None
            found.append(each)
        else:
            found.append(StatusChange(each.at, before, each.status, each.reasons))
            before = each.status
    return found
