"""A database as its users see it: sessions in transactions, whatever stands behind them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from .dialect import Dialect, is_postgres

__all__ = ["Database", "Row", "Session", "open_database"]

Row: TypeAlias = tuple[Any, ...]


class Session(Protocol):
    """A connection within a transaction.

    Attributes:
        changed: Number of rows that the last statement changed.
    """

    changed: int

    @property
    def dialect(self) -> Dialect:
        """The database's dialect."""
        ...

    def run(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Run a statement.

        Args:
            sql: The statement, with ``?`` for values; see :class:`Dialect`.
            values: The values.

        Returns:
            Its rows; none for one that returns nothing.

        Raises:
            DatabaseError: It was not done.
        """
        ...

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        """Run a statement for each of some rows.

        Args:
            sql: The statement.
            rows: Values of each.

        Returns:
            Number of rows changed.

        Raises:
            DatabaseError: It was not done.
        """
        ...


class Database(Protocol):
    """A file of SQLite, or a database of PostgreSQL; safe to use from any thread.

    A forked process opens connections of its own.
    """

    @property
    def dialect(self) -> Dialect:
        """Its dialect."""
        ...

    def writing(self) -> AbstractContextManager[Session]:
        """Begin a transaction that may write: committed at the end, rolled back by an error.

        A thread has one at a time.

        Raises:
            DatabaseError: It could not be begun, done or committed.
        """
        ...

    def reading(self) -> AbstractContextManager[Session]:
        """Begin to read; nothing is to be written.

        Raises:
            DatabaseError: It cannot be read.
        """
        ...

    def close(self) -> None:
        """Close its connections; a later use opens new ones."""
        ...


def open_database(
    place: str | Path,
    *,
    full: bool = True,
    busy_timeout_ms: float = 5_000,
    answer_timeout_ms: float = 30_000,
) -> Database:
    """Return the database at a place; it connects when it is first used.

    Args:
        place: Path of a SQLite file, or a URL ``postgresql://…``.
        full: Whether a commit of SQLite is to survive a crash of the machine, too.
        busy_timeout_ms: Longest wait for a lock of somebody else, in milliseconds.
        answer_timeout_ms: Longest wait for an answer of PostgreSQL, in milliseconds.

    Raises:
        ConfigurationError: psycopg is not installed, or the URL cannot be read.
    """
    if is_postgres(place):
        from .postgres import PostgresDatabase

        return PostgresDatabase(
            str(place), lock_timeout_ms=busy_timeout_ms, answer_timeout_ms=answer_timeout_ms
        )
    from .sqlite import SqliteDatabase

    return SqliteDatabase(place, full=full, busy_timeout_ms=busy_timeout_ms)
