"""A connection of the caller's, in whose transaction messages are handed over."""

from __future__ import annotations

import sqlite3
from typing import Any

from evolution_sdk.errors import ConfigurationError

__all__ = ["driver_connection", "plain_cursor"]

# SQLAlchemy: connection.connection.driver_connection; Django: django.db.connection.connection.
_WRAPPED_AS = ("driver_connection", "dbapi_connection", "sync_connection", "connection")


def driver_connection(given: Any, *, postgres: bool) -> Any:
    """Return the connection of psycopg or :mod:`sqlite3` within what a program has.

    Args:
        given: Such a connection, or one of SQLAlchemy or Django around it.
        postgres: Whether the outbox is kept in PostgreSQL.

    Raises:
        ConfigurationError: There is none in it, or it is one of the other database.
    """
    found = given
    for _ in range(4):
        is_postgres = hasattr(found, "pgconn")
        if is_postgres or isinstance(found, sqlite3.Connection):
            break
        inner = (getattr(found, name, None) for name in _WRAPPED_AS)
        found = next((one for one in inner if one is not None), None)
    else:
        found = None
    if found is None or hasattr(found, "pgconn") is not postgres:
        wanted = (
            "psycopg 3 to the outbox's database" if postgres else "sqlite3 to the outbox's file"
        )
        raise ConfigurationError(
            f"connection: must be a connection of {wanted}, within a transaction.",
            variable="connection",
        )
    return found


def plain_cursor(connection: Any) -> Any:
    """Return a cursor whose rows are tuples, whatever rows the program wants.

    Args:
        connection: A connection of psycopg or :mod:`sqlite3`.
    """
    if isinstance(connection, sqlite3.Connection):
        cursor = connection.cursor()
        cursor.row_factory = None
        return cursor
    from psycopg.rows import tuple_row

    return connection.cursor(row_factory=tuple_row)
