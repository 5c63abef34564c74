"""A database of PostgreSQL, by psycopg 3 and its pool (extra ``postgres``)."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from evolution_sdk._base.forking import abandon, free_in_child, in_child
from evolution_sdk.errors import ConfigurationError

from .database import Row
from .dialect import POSTGRES, Dialect
from .troubles import DatabaseError, of_postgres

__all__ = ["PostgresDatabase", "PostgresSession", "load_psycopg"]

_MOST_CONNECTIONS = 8
_CONNECT_S = 5
_POOL_WAIT_MS = 10_000
# A process that is frozen, or cut off, in the middle of a transaction must not hold rows for ever.
_HELD_MS = 30_000
_KEEPALIVES = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


def load_psycopg() -> tuple[Any, Any]:
    """Return the modules psycopg and psycopg_pool.

    Raises:
        ConfigurationError: They are not installed.
    """
    try:
        import psycopg
        import psycopg_pool
    except ImportError:
        raise ConfigurationError(
            "Storing in PostgreSQL needs psycopg: pip install 'evolutionapi-sdk[postgres]'.",
            variable="evolutionapi-sdk[postgres]",
        ) from None
    return psycopg, psycopg_pool


class PostgresSession:
    """A connection of psycopg, in a transaction of its own or of a caller.

    Args:
        connection: The connection.
    """

    dialect: Dialect = POSTGRES

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.changed: int = 0

    def run(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Run a statement; see :class:`Session`."""
        try:
            cursor = self._connection.execute(POSTGRES.sql(sql), values)
            rows: list[Row] = cursor.fetchall() if cursor.description is not None else []
        except _errors() as error:
            raise of_postgres(error, broken=self._connection.broken) from error
        self.changed = cursor.rowcount
        return rows

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        """Run a statement for each of some rows; see :class:`Session`."""
        try:
            with self._connection.cursor() as cursor:
                cursor.executemany(POSTGRES.sql(sql), rows)
                self.changed = cursor.rowcount
        except _errors() as error:
            raise of_postgres(error, broken=self._connection.broken) from error
        return self.changed


class PostgresDatabase:
    """A database over a pool of connections.

    Args:
        url: Its address, ``postgresql://user:password@host:5432/name``.
        max_connections: Most connections at once.
        lock_timeout_ms: Longest wait for a row that somebody else holds, in milliseconds.
        patience_ms: Longest wait for a connection, in milliseconds.
        held_ms: Longest time that a transaction may hold rows while nobody works on it, as that of
            a process that is frozen or cut off, in milliseconds.

    Raises:
        ConfigurationError: psycopg is not installed, or the address cannot be read.
    """

    dialect: Dialect = POSTGRES

    def __init__(
        self,
        url: str,
        *,
        max_connections: int = _MOST_CONNECTIONS,
        lock_timeout_ms: float = 5_000,
        patience_ms: float = _POOL_WAIT_MS,
        held_ms: float = _HELD_MS,
    ) -> None:
        psycopg, self._pools = load_psycopg()
        try:
            psycopg.conninfo.conninfo_to_dict(url)
        except psycopg.Error:
            raise ConfigurationError(
                "The address of the database cannot be read. Give it as "
                "postgresql://user:password@host:5432/name.",
                variable="url",
            ) from None
        self._url = url
        self._most = max_connections
        self._lock_timeout_ms = round(lock_timeout_ms)
        self._patience_s = patience_ms / 1_000
        self._held_ms = round(held_ms)
        self._pool: Any = None
        self._lock = free_in_child(threading.Lock())
        in_child(self._begin_anew)

    @contextmanager
    def writing(self) -> Generator[PostgresSession]:
        """Begin a transaction that may write; see :class:`Database`."""
        with self._connected() as connection:
            session = PostgresSession(connection)
            session.run("BEGIN")
            try:
                yield session
                session.run("COMMIT")
            except BaseException:
                with suppress(Exception):
                    connection.rollback()
                raise

    @contextmanager
    def reading(self) -> Generator[PostgresSession]:
        """Begin to read; see :class:`Database`."""
        with self._connected() as connection:
            yield PostgresSession(connection)

    def close(self) -> None:
        """Close the connections; see :class:`Database`."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    @contextmanager
    def _connected(self) -> Generator[Any]:
        pool = self._opened()
        try:
            connection = pool.getconn()
        except _errors() as error:
            raise of_postgres(error, broken=False) from error
        try:
            yield connection
        finally:
            # A broken one is thrown away by the pool, which opens another.
            pool.putconn(connection)

    def _opened(self) -> Any:
        with self._lock:
            if self._pool is None:
                self._pool = self._pools.ConnectionPool(
                    self._url,
                    min_size=0,
                    max_size=self._most,
                    timeout=self._patience_s,
                    reconnect_timeout=0,
                    max_idle=60.0,
                    open=True,
                    configure=self._configure,
                    # After a restart of the server idle connections are dead: found out here, where
                    # nothing has been done yet.
                    check=self._pools.ConnectionPool.check_connection,
                    kwargs={"autocommit": True, "connect_timeout": _CONNECT_S, **_KEEPALIVES},
                    name="evolution-sdk",
                )
            return self._pool

    def _configure(self, connection: Any) -> None:
        connection.execute(
            "SELECT set_config('lock_timeout', %s, false), "
            "set_config('statement_timeout', %s, false), "
            "set_config('idle_in_transaction_session_timeout', %s, false), "
            "set_config('default_transaction_isolation', 'read committed', false)",
            (str(self._lock_timeout_ms), str(_HELD_MS), str(self._held_ms)),
        )

    def _begin_anew(self) -> None:
        abandon(self._pool)
        self._pool = None

    def __repr__(self) -> str:
        # Without the address, which may hold a password.
        return f"{type(self).__name__}()"


def _errors() -> tuple[type[Exception], ...]:
    """The errors of psycopg and of its pool."""
    psycopg, pools = load_psycopg()
    # UnicodeError: a lone surrogate has no UTF-8.
    return psycopg.Error, pools.PoolTimeout, pools.PoolClosed, UnicodeError, DatabaseError
