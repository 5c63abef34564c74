"""Stores for a :class:`LidMap`: a small SQLite file, PostgreSQL, or Redis."""

from __future__ import annotations

import threading
from collections.abc import Collection, Generator, Mapping
from contextlib import closing, contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evolution_sdk._base.forking import around_fork, free_in_child
from evolution_sdk._base.serial_worker import BUSY_TIMEOUT_MS
from evolution_sdk._common.arguments import checked
from evolution_sdk._sql.dialect import is_postgres
from evolution_sdk._sql.opening import open_database
from evolution_sdk._sql.schema import SchemaVersionError, Steps, migrate, version_of
from evolution_sdk._sql.troubles import DatabaseError
from evolution_sdk.errors import ConfigurationError, RequestValidationError

if TYPE_CHECKING:
    import sqlite3

__all__ = ["PostgresLidStore", "RedisLidStore", "SqliteLidStore", "lid_store_at"]

_REDIS = ("redis://", "rediss://", "unix://")
_REDIS_TIMEOUT_S = 2.0
_FORK_PATIENCE_S = 1.0
# Written anew a pair gets a new number, so that numbers tell age. Both sides are unique: a new pair
# replaces the older ones of its hidden id and of its phone.
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS lid "
    "(number INTEGER PRIMARY KEY, lid TEXT NOT NULL UNIQUE, phone TEXT NOT NULL UNIQUE)"
)


@checked()
class SqliteLidStore:
    """Keeps the pairs of a ``LidMap`` in a SQLite file, which several processes may share.

    A process reads the file when its map is made; what others learn afterwards it learns from its
    own events, or with its next start.

    Args:
        path: The file; made when it does not exist, readable by its owner only.
        max_pairs: Most pairs kept; the oldest go first.

    Raises:
        RequestValidationError: ``max_pairs`` is below 1.
    """

    def __init__(self, path: str | Path, *, max_pairs: int = 1_000_000) -> None:
        if max_pairs < 1:
            raise RequestValidationError("max_pairs", "must be at least 1")
        self._path = Path(path)
        self._max_pairs = max_pairs
        self._lock = free_in_child(threading.Lock())
        around_fork(self._rest, self._go_on)

    def load(self, most: int) -> list[tuple[str, str]]:
        """Read the newest pairs, the oldest of them first.

        Args:
            most: Most pairs.

        Returns:
            Hidden id and phone of each.

        Raises:
            ConfigurationError: The file cannot be used.
        """
        import sqlite3

        query = (
            "SELECT lid, phone FROM (SELECT * FROM lid ORDER BY number DESC LIMIT ?) "
            "ORDER BY number"
        )
        try:
            with self._opened() as db:
                return db.execute(query, (most,)).fetchall()
        except (sqlite3.Error, OSError) as error:
            raise ConfigurationError(
                f"The file of hidden ids {self._path} cannot be used: {error}. Name a file in a "
                "folder that exists, such as /var/lib/bot/lids.db.",
                variable="lids",
            ) from error

    def put(self, pairs: Mapping[str, str]) -> None:
        """Keep pairs, in one transaction.

        Args:
            pairs: Phone digits by hidden id.

        Raises:
            sqlite3.Error: The file cannot be written.
        """
        with self._opened() as db, db:
            db.executemany("INSERT OR REPLACE INTO lid (lid, phone) VALUES (?, ?)", pairs.items())
            db.execute(
                "DELETE FROM lid WHERE number <= (SELECT max(number) FROM lid) - ?",
                (self._max_pairs,),
            )

    def forget(self, lids: Collection[str]) -> None:
        """Drop pairs.

        Args:
            lids: The hidden ids.

        Raises:
            sqlite3.Error: The file cannot be written.
        """
        with self._opened() as db, db:
            db.executemany("DELETE FROM lid WHERE lid = ?", [(one,) for one in lids])

    def close(self) -> None:
        """Do nothing: the file is open only while it is read or written."""

    def _rest(self) -> bool:
        return self._lock.acquire(timeout=_FORK_PATIENCE_S)

    def _go_on(self) -> None:
        self._lock.release()

    @contextmanager
    def _opened(self) -> Generator[sqlite3.Connection]:
        """Open the file for one piece of work, so that no connection is carried over a fork."""
        import sqlite3

        from evolution_sdk._base.private_file import make_private
        from evolution_sdk._sql.write_ahead import use_write_ahead_log

        with self._lock:
            make_private(self._path)
            with closing(sqlite3.connect(self._path)) as db:
                use_write_ahead_log(db, BUSY_TIMEOUT_MS)
                db.execute("PRAGMA synchronous = NORMAL")
                db.execute(_SCHEMA)
                yield db

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._path)!r})"


_TABLE = (
    "CREATE TABLE evolution_lid "
    "(number [[number]], lid TEXT NOT NULL UNIQUE, phone TEXT NOT NULL UNIQUE)"
)
_PAIRS: Steps = ((_TABLE,),)
_PART = "map of hidden ids"
_LOCK = 0x6C696473


@checked()
class PostgresLidStore:
    """Keeps the pairs of a ``LidMap`` in PostgreSQL, for several machines (extra ``postgres``).

    Args:
        url: Its address, ``postgresql://user:password@host:5432/name``; the table is made where it
            is missing.
        max_pairs: Most pairs kept; the oldest go first.

    Raises:
        ConfigurationError: psycopg is not installed, or the address cannot be read.
        RequestValidationError: ``max_pairs`` is below 1.
    """

    def __init__(self, url: str, *, max_pairs: int = 1_000_000) -> None:
        if max_pairs < 1:
            raise RequestValidationError("max_pairs", "must be at least 1")
        if not is_postgres(url):
            raise ConfigurationError(
                "url: must begin with postgresql://, for example "
                "postgresql://user:password@host:5432/name.",
                variable="url",
            )
        self._database = open_database(url)
        self._max_pairs = max_pairs
        self._made = False

    def load(self, most: int) -> list[tuple[str, str]]:
        """Read the newest pairs, the oldest of them first.

        Args:
            most: Most pairs.

        Returns:
            Hidden id and phone of each.

        Raises:
            ConfigurationError: The database cannot be used.
        """
        query = (
            "SELECT lid, phone FROM (SELECT * FROM evolution_lid ORDER BY number DESC LIMIT ?) "
            "AS newest ORDER BY number"
        )
        try:
            self._make()
            with self._database.reading() as session:
                return [(lid, phone) for lid, phone in session.run(query, (most,))]
        except (DatabaseError, SchemaVersionError) as error:
            raise ConfigurationError(
                f"The database of hidden ids cannot be used: {error}", variable="lids"
            ) from error

    def put(self, pairs: Mapping[str, str]) -> None:
        """Keep pairs, in one transaction.

        Args:
            pairs: Phone digits by hidden id.

        Raises:
            DatabaseError: It cannot be written.
        """
        self._make()
        with self._database.writing() as session:
            # One at a time: two that tell the same pair in another order would wait in a circle.
            session.run("SELECT pg_advisory_xact_lock(?)", (_LOCK,))
            for lid, phone in pairs.items():
                # A new pair takes the place of older ones of its hidden id and of its phone.
                session.run("DELETE FROM evolution_lid WHERE lid = ? OR phone = ?", (lid, phone))
                session.run("INSERT INTO evolution_lid (lid, phone) VALUES (?, ?)", (lid, phone))
            session.run(
                "DELETE FROM evolution_lid "
                "WHERE number <= (SELECT max(number) FROM evolution_lid) - ?",
                (self._max_pairs,),
            )

    def forget(self, lids: Collection[str]) -> None:
        """Drop pairs.

        Args:
            lids: The hidden ids.

        Raises:
            DatabaseError: It cannot be written.
        """
        self._make()
        with self._database.writing() as session:
            session.run_many("DELETE FROM evolution_lid WHERE lid = ?", [(one,) for one in lids])

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def _make(self) -> None:
        if not self._made:
            if version_of(self._database, _PART) != len(_PAIRS):
                migrate(self._database, _PART, _PAIRS)
            self._made = True

    def __repr__(self) -> str:
        # Without the URL, which may hold a password.
        return f"{type(self).__name__}()"


@checked()
class RedisLidStore:
    """Keeps the pairs of a ``LidMap`` in Redis, for several machines (extra ``redis``).

    The pairs are fields of one hash, which has no bound of its own; a counter beside it tells which
    of two pairs is the newer one.

    Args:
        server: The URL, such as ``redis://127.0.0.1:6379/0``, or a client of ``redis.Redis``,
            which is not closed.
        key: Name of the hash; that of the counter is ``key`` and ``:count``.

    Raises:
        ConfigurationError: redis-py is not installed, the URL is not one, or the client is one of
            ``redis.asyncio``.
    """

    def __init__(self, server: Any, *, key: str = "evolution-sdk:lids") -> None:
        self._key = key
        self._is_own = isinstance(server, str)
        self._client: Any = _connected(server) if isinstance(server, str) else server
        if type(server).__module__.startswith("redis.asyncio"):
            raise ConfigurationError(
                "server: must be a client of redis.Redis, or a URL, not one of redis.asyncio.",
                variable="server",
            )

    def load(self, most: int) -> list[tuple[str, str]]:
        """Read the newest pairs, the oldest of them first.

        A pair whose phone has a newer one, told by a process that had not heard of the older one,
        is removed.

        Args:
            most: Most pairs.

        Returns:
            Hidden id and phone of each.
        """
        found: Mapping[Any, Any] = self._client.hgetall(self._key)
        told = sorted((*_numbered(_text(value)), _text(lid)) for lid, value in found.items())
        newest = {phone: lid for _, phone, lid in told}
        former = [lid for _, phone, lid in told if newest[phone] != lid]
        if former:
            self.forget(former)
        return [(lid, phone) for _, phone, lid in told if newest[phone] == lid][-most:]

    def put(self, pairs: Mapping[str, str]) -> None:
        """Keep pairs.

        Args:
            pairs: Phone digits by hidden id.
        """
        # Redis keeps no order of fields: a number tells which of two pairs is the newer one.
        number = self._client.incr(f"{self._key}:count")
        numbered = {lid: f"{phone}:{number}" for lid, phone in pairs.items()}
        self._client.hset(self._key, mapping=numbered)

    def forget(self, lids: Collection[str]) -> None:
        """Drop pairs.

        Args:
            lids: The hidden ids.
        """
        self._client.hdel(self._key, *lids)

    def close(self) -> None:
        """Close the connections, unless the client was given."""
        if self._is_own:
            self._client.close()

    def __repr__(self) -> str:
        # Without the URL, which may hold a password.
        return f"{type(self).__name__}(key={self._key!r})"


def lid_store_at(place: str) -> SqliteLidStore | PostgresLidStore | RedisLidStore:
    """Return the store that a setting names.

    Args:
        place: A URL of Redis or PostgreSQL, or the path of a file.

    Raises:
        ConfigurationError: redis-py is not installed.
    """
    if is_postgres(place):
        return PostgresLidStore(place)
    return RedisLidStore(place) if place.startswith(_REDIS) else SqliteLidStore(place)


def _connected(url: str) -> Any:
    if not url.startswith(_REDIS):
        raise ConfigurationError(
            "server: must begin with redis:// or rediss://, for example redis://127.0.0.1:6379/0.",
            variable="server",
        )
    try:
        redis: Any = import_module("redis")
    except ImportError:
        raise ConfigurationError(
            "Storing hidden ids in Redis needs redis: pip install 'evolutionapi-sdk[redis]'.",
            variable="evolutionapi-sdk[redis]",
        ) from None
    return redis.Redis.from_url(
        url, socket_timeout=_REDIS_TIMEOUT_S, socket_connect_timeout=_REDIS_TIMEOUT_S
    )


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _numbered(text: str) -> tuple[int, str]:
    phone, _, number = text.partition(":")
    return (int(number) if number.isdecimal() else 0), phone
