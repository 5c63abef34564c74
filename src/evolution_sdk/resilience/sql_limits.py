"""Shared state of the limiter in a table of SQLite or PostgreSQL."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import Final

from evolution_sdk._base.forking import free_in_child
from evolution_sdk._sql.database import Database, Session
from evolution_sdk._sql.opening import open_database
from evolution_sdk._sql.schema import Steps, migrate
from evolution_sdk._sql.troubles import DatabaseError

from .states import Swap

__all__ = ["SqlLimits"]

_PATIENCE_MS = 2_000  # a store that hangs must not hold a send for long
_PART: Final = "rate_limit"
_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS evolution_rate_limit "
    "(key TEXT PRIMARY KEY, value TEXT NOT NULL, expires_at [[real]] NOT NULL)"
)
_INDEX: Final = (
    "CREATE INDEX IF NOT EXISTS evolution_rate_limit_expires ON evolution_rate_limit (expires_at)"
)
_STEPS: Final[Steps] = ((_TABLE, _INDEX),)
# Whole steps, so that most changes of a row leave its index entry as it is; and clocks may differ.
_STEP_S: Final = 600
_MOST_DROPPED: Final = 8


class _ChangedError(Exception):
    """Another process was faster."""


class SqlLimits:
    """Keeps values under keys in a database; blocking, and safe for threads.

    The table is made with the first use. Rows that are out of date are deleted in passing.

    Args:
        place: Path of a SQLite file, or the URL of a PostgreSQL.

    Raises:
        ConfigurationError: psycopg is not installed, or the URL cannot be read.
    """

    def __init__(self, place: str) -> None:
        self._database: Database = open_database(
            place, full=False, busy_timeout_ms=_PATIENCE_MS, answer_timeout_ms=_PATIENCE_MS
        )
        self._lock = free_in_child(threading.Lock())
        self._is_ready = False

    def read(self, keys: Sequence[str]) -> list[str | None]:
        """Read values.

        Args:
            keys: Their keys.

        Returns:
            The value of each key, or None.

        Raises:
            DatabaseError: They cannot be read.
            SchemaVersionError: A newer SDK has made the table.
        """
        self._make_ready()
        try:
            with self._database.reading() as session:
                return _values(session, keys)
        except DatabaseError as error:
            self._forget(error)
            raise

    def swap(self, swaps: Sequence[Swap], now: float) -> list[str | None] | None:
        """Write new values unless an old one has changed meanwhile.

        Args:
            swaps: Old and new value of each key.
            now: The present, in unix seconds.

        Returns:
            None once they are written, else the values as they are now.

        Raises:
            DatabaseError: They cannot be written.
            SchemaVersionError: A newer SDK has made the table.
        """
        self._make_ready()
        try:
            try:
                with self._database.writing() as session:
                    for swap in swaps:
                        _write(session, swap, now)
                    if any(swap.old is None for swap in swaps):
                        _drop_old(session, now)
            except _ChangedError:
                with self._database.reading() as session:
                    return _values(session, [swap.key for swap in swaps])
        except DatabaseError as error:
            self._forget(error)
            raise
        return None

    def close(self) -> None:
        """Close the database; a later use opens it again."""
        self._database.close()

    def _make_ready(self) -> None:
        if self._is_ready:
            return
        with self._lock:
            if self._is_ready:
                return
            try:
                migrate(self._database, _PART, _STEPS)
            except DatabaseError as error:
                # A role that may not create tables: one that somebody else has made will do.
                if error.kind != "rights":
                    raise
            self._is_ready = True

    def _forget(self, error: DatabaseError) -> None:
        """Make the table again with the next use, if it is gone."""
        if error.kind in ("schema", "rights"):
            self._is_ready = False


def _values(session: Session, keys: Sequence[str]) -> list[str | None]:
    marks = ", ".join("?" * len(keys))
    sql = f"SELECT key, value FROM evolution_rate_limit WHERE key IN ({marks})"  # noqa: S608 - marks
    found: dict[str, str] = dict(session.run(sql, tuple(keys)))
    return [found.get(key) for key in keys]


def _write(session: Session, swap: Swap, now: float) -> None:
    expires_at = math.ceil((now + swap.kept_ms / 1_000) / _STEP_S + 1) * _STEP_S
    if swap.old is None:
        session.run(
            "INSERT INTO evolution_rate_limit (key, value, expires_at) VALUES (?, ?, ?) "
            "ON CONFLICT (key) DO NOTHING",
            (swap.key, swap.new, float(expires_at)),
        )
    else:
        session.run(
            "UPDATE evolution_rate_limit SET value = ?, expires_at = ? WHERE key = ? AND value = ?",
            (swap.new, float(expires_at), swap.key, swap.old),
        )
    if session.changed != 1:
        raise _ChangedError


def _drop_old(session: Session, now: float) -> None:
    session.run(
        "DELETE FROM evolution_rate_limit WHERE key IN (SELECT key FROM evolution_rate_limit "
        "WHERE expires_at < ? ORDER BY expires_at LIMIT ? [[skip]])",
        (now, _MOST_DROPPED),
    )
