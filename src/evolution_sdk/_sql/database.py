"""A database as its users see it: sessions in transactions, whatever stands behind them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias

from .dialect import Dialect

__all__ = ["Database", "Row", "Session"]

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
