"""A database of PostgreSQL, by psycopg 3 (extra ``postgres``)."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from evolution_sdk.errors import ConfigurationError

from .connections import Connections, answering_within
from .database import Row
from .dialect import POSTGRES, Dialect
from .troubles import DatabaseError, of_connecting, of_postgres

__all__ = ["CLOCK_MS", "KEEPALIVES", "PostgresDatabase", "PostgresSession", "load_psycopg"]

_MOST_CONNECTIONS = 8
_CONNECT_S = 5
_IN_ERROR = 3  # libpq's PQTRANS_INERROR
# A process that is frozen, or cut off, in the middle of a transaction must not hold rows for ever.
_HELD_MS = 30_000
KEEPALIVES = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
CLOCK_MS = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
# Ways that are switched off seem dear to the planner, which would compile the statement, too.
_BY_INDEX = "SELECT " + ", ".join(
    f"set_config('{way}', 'off', false)" for way in ("enable_seqscan", "enable_bitmapscan", "jit")
)


def load_psycopg() -> Any:
    """Return the module psycopg.

    Raises:
        ConfigurationError: It is not installed.
    """
    try:
        import psycopg
    except ImportError:
        raise ConfigurationError(
            "Storing in PostgreSQL needs psycopg: pip install 'evolutionapi-sdk[postgres]'.",
            variable="evolutionapi-sdk[postgres]",
        ) from None
    return psycopg


class PostgresSession:
    """A connection of psycopg, in a transaction of its own or of a caller.

    Args:
        connection: The connection.

    Attributes:
        begun_ms: Beginning of its transaction by the server's clock, in milliseconds since 1970;
            None where it was begun elsewhere.
    """

    dialect: Dialect = POSTGRES

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.changed: int = 0
        self.begun_ms: int | None = None

    def begin(self) -> None:
        """Begin a transaction, and read the server's clock on the same way."""
        try:
            # Two statements at once cannot be prepared.
            cursor = self._connection.execute(f"BEGIN; {CLOCK_MS}", prepare=False)
            cursor.nextset()
            (self.begun_ms,) = cursor.fetchone()
        except _errors() as error:
            raise of_postgres(error, broken=self._connection.broken) from None

    def run(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Run a statement; see :class:`Session`."""
        try:
            cursor = self._connection.execute(POSTGRES.sql(sql), values)
            rows: list[Row] = cursor.fetchall() if cursor.description is not None else []
        except _errors() as error:
            raise of_postgres(error, broken=self._connection.broken) from None
        self.changed = cursor.rowcount
        return rows

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        """Run a statement for each of some rows; see :class:`Session`."""
        try:
            with self._connection.cursor() as cursor:
                cursor.executemany(POSTGRES.sql(sql), rows)
                self.changed = cursor.rowcount
        except _errors() as error:
            raise of_postgres(error, broken=self._connection.broken) from None
        return self.changed


class PostgresDatabase:
    """A database over some connections.

    Args:
        url: Its address, ``postgresql://user:password@host:5432/name``.
        max_connections: Most connections at once.
        lock_timeout_ms: Longest wait for a row that somebody else holds, in milliseconds.
        answer_timeout_ms: Longest wait for an answer, or for a connection, in milliseconds.
        held_ms: Longest time that a transaction may hold rows while nobody works on it, as that of
            a process that is frozen or cut off, in milliseconds.
        by_index: Whether every statement is meant to go by an index, however
            little the server's statistics know of tables that have just grown.

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
        answer_timeout_ms: float = _HELD_MS,
        held_ms: float = _HELD_MS,
        by_index: bool = False,
    ) -> None:
        psycopg = load_psycopg()
        try:
            psycopg.conninfo.conninfo_to_dict(url)
        except (psycopg.Error, UnicodeError):
            raise ConfigurationError(
                "The address of the database cannot be read. Give it as "
                "postgresql://user:password@host:5432/name.",
                variable="url",
            ) from None
        self._url = url
        self._lock_timeout_ms = max(1, round(lock_timeout_ms))
        self._answer_ms = max(1, round(answer_timeout_ms))
        self._held_ms = max(1, round(held_ms))
        self._by_index = by_index
        self._connections = Connections(self._connected, max_connections)

    @property
    def max_connections(self) -> int:
        """Most connections at once."""
        return self._connections.most

    @contextmanager
    def writing(self) -> Generator[PostgresSession]:
        """Begin a transaction that may write; see :class:`Database`."""
        with self._connections.one() as connection:
            session = PostgresSession(connection)
            try:
                session.begin()
                yield session
                # PostgreSQL would roll back and say nothing.
                if connection.pgconn.transaction_status == _IN_ERROR:
                    raise DatabaseError("other", "a statement before had failed: all is undone")
                session.run("COMMIT")
            except BaseException:
                with suppress(Exception):
                    connection.rollback()
                raise

    @contextmanager
    def reading(self) -> Generator[PostgresSession]:
        """Begin to read; see :class:`Database`."""
        with self._connections.one() as connection:
            yield PostgresSession(connection)

    def close(self) -> None:
        """Close the connections; see :class:`Database`."""
        self._connections.close()

    def _connected(self) -> Any:
        psycopg = load_psycopg()
        # libpq knows no time below two seconds.
        patience_s = max(2, min(_CONNECT_S, math.ceil(self._answer_ms / 1_000)))
        try:
            connection = psycopg.connect(
                self._url, autocommit=True, connect_timeout=patience_s, **KEEPALIVES
            )
        except (psycopg.Error, UnicodeError) as error:
            raise of_connecting(error) from None
        try:
            answering_within(
                connection,
                # The server is to tell first.
                self._answer_ms / 1_000 + 1,
                lambda: psycopg.OperationalError("no answer in time"),
            )
            connection.execute(
                "SELECT set_config('lock_timeout', %s, false), "
                "set_config('statement_timeout', %s, false), "
                "set_config('idle_in_transaction_session_timeout', %s, false), "
                "set_config('default_transaction_isolation', 'read committed', false)",
                (str(self._lock_timeout_ms), str(self._answer_ms), str(self._held_ms)),
            )
            if self._by_index:
                # Queues grow from nothing to a million rows faster than statistics are gathered.
                connection.execute(_BY_INDEX)
        except BaseException as error:
            connection.close()
            if isinstance(error, psycopg.Error):
                raise of_postgres(error) from None
            raise
        return connection

    def __repr__(self) -> str:
        # Without the address, which may hold a password.
        return f"{type(self).__name__}()"


def _errors() -> tuple[type[Exception], ...]:
    """The errors of psycopg."""
    # UnicodeError: a lone surrogate has no UTF-8.
    return load_psycopg().Error, UnicodeError
