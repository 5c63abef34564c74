"""Opening a database by its place."""

from __future__ import annotations

from pathlib import Path

from .database import Database
from .dialect import is_postgres

__all__ = ["open_database"]


def open_database(
    place: str | Path,
    *,
    full: bool = True,
    busy_timeout_ms: float = 5_000,
    answer_timeout_ms: float = 30_000,
    by_index: bool = False,
) -> Database:
    """Return the database at a place; it connects when it is first used.

    Args:
        place: Path of a SQLite file, or a URL ``postgresql://…``.
        full: Whether a commit of SQLite is to survive a crash of the machine, too.
        busy_timeout_ms: Longest wait for a lock of somebody else, in milliseconds.
        answer_timeout_ms: Longest wait for an answer of PostgreSQL, in milliseconds.
        by_index: As of :class:`~evolution_sdk._sql.postgres.PostgresDatabase`.

    Raises:
        ConfigurationError: psycopg is not installed, or the URL cannot be read.
    """
    if is_postgres(place):
        from .postgres import PostgresDatabase

        return PostgresDatabase(
            str(place),
            lock_timeout_ms=busy_timeout_ms,
            answer_timeout_ms=answer_timeout_ms,
            by_index=by_index,
        )
    from .sqlite import SqliteDatabase

    return SqliteDatabase(place, full=full, busy_timeout_ms=busy_timeout_ms)
