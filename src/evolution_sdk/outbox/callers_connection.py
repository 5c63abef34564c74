"""A connection of the caller's, in whose transaction messages are handed over."""

from __future__ import annotations

import sqlite3
from typing import Any

from evolution_sdk.errors import ConfigurationError

__all__ = ["check_transaction", "driver_connection", "plain_cursor"]

_IDLE = 0  # libpq's PQTRANS_IDLE

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
        if _of_psycopg(found) or isinstance(found, sqlite3.Connection):
            break
        inner = (getattr(found, name, None) for name in _WRAPPED_AS)
        found = next((one for one in inner if one is not None), None)
    else:
        found = None
    if found is None or _of_psycopg(found) is not postgres:
        wanted = (
            "psycopg 3 to the outbox's database" if postgres else "sqlite3 to the outbox's file"
        )
        raise ConfigurationError(
            f"connection: must be a connection of {wanted}, within a transaction; of SQLAlchemy "
            "session.connection(), of Django django.db.connection.",
            variable="connection",
        )
    return found


def _of_psycopg(connection: Any) -> bool:
    # By its class: wrappers, such as SQLAlchemy's, pass each attribute on.
    kinds = type(connection).__mro__
    return any(kind.__module__.partition(".")[0] == "psycopg" for kind in kinds) and hasattr(
        connection, "pgconn"
    )


def plain_cursor(connection: Any) -> Any:
    """Return a cursor whose rows are tuples, whatever rows the program wants.

    Args:
        connection: A connection of psycopg or :mod:`sqlite3`.
    """
    if isinstance(connection, sqlite3.Connection):
        cursor = connection.cursor()
        cursor.row_factory = None
        return cursor
    import psycopg
    from psycopg.rows import tuple_row

    # Not connection.cursor(): the program may have chosen cursors with other marks for values.
    blocking = isinstance(connection, psycopg.Connection)
    make: Any = psycopg.Cursor if blocking else psycopg.AsyncCursor
    return make(connection, row_factory=tuple_row)


def check_transaction(connection: Any) -> str | None:
    """See to it that statements on a connection do not commit by themselves.

    Args:
        connection: A connection of psycopg or :mod:`sqlite3`.

    Returns:
        The statement that must come first, because no transaction has begun yet; None for none.

    Raises:
        ConfigurationError: It is in autocommit mode, and in no transaction.
    """
    if isinstance(connection, sqlite3.Connection):
        if connection.in_transaction:
            return None
        modern = getattr(connection, "autocommit", -1) is True  # Python 3.12
        alone = modern or connection.isolation_level is None
        # At once, or another process may write between our reading and our writing. With the new
        # autocommit=False of sqlite3 a transaction is always open.
        first = "BEGIN IMMEDIATE"
    else:
        alone = connection.autocommit and connection.info.transaction_status == _IDLE
        first = None
    if alone:
        raise ConfigurationError(
            "connection: is in autocommit mode and in no transaction, so that the message would "
            "not vanish with your own rows. Begin one: with connection.transaction(): (psycopg), "
            "with transaction.atomic(): (Django), or execute BEGIN (sqlite3).",
            variable="connection",
        )
    return first
