"""Stores through which several processes share the state of the limiter."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

from evolution_sdk._base.forking import abandon, in_child
from evolution_sdk._sql.dialect import is_postgres
from evolution_sdk.resilience.redis_limits import SWAP, load_redis, lost_connections, swap_arguments
from evolution_sdk.resilience.states import Swap

from ._seam import close_redis, open_redis, run_to_the_end

__all__ = ["LimitStore", "RedisLimitStore", "SqlLimitStore", "limit_store_at"]

_REDIS = ("redis://", "rediss://", "unix://")
# A store that hangs must not hold a send for long.
_STORE_S = 2.0
_MOST_AT_ONCE = 32
# Each takes a thread of the event loop's few.
_MOST_IN_POSTGRES = 4


class LimitStore(Protocol):
    """A shared state: texts under keys, changed only by whoever knows what they were.

    Attributes:
        at_once: Most calls at one time.
        away: Errors that tell that it cannot be reached, or does not answer, whatever the keys.
    """

    at_once: int
    away: tuple[type[Exception], ...]

    async def read(self, keys: Sequence[str]) -> Sequence[str | None]:
        """Read the values of keys; None for those that are not there.

        Args:
            keys: The keys.
        """
        ...

    async def swap(self, swaps: Sequence[Swap], now: float) -> Sequence[str | None] | None:
        """Write new values, all or none: none if an old one has changed meanwhile.

        Args:
            swaps: Old and new value of each key.
            now: The present, in unix seconds.

        Returns:
            None once they are written, else the values as they are now.
        """
        ...

    async def close(self) -> None:
        """Close its connections."""
        ...


class RedisLimitStore:
    """A Redis.

    Args:
        url: Its URL.

    Raises:
        ConfigurationError: redis-py is not installed.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self.redis: Any = self._opened()
        self.away: tuple[type[Exception], ...] = load_redis(lost_connections)
        # So many find a connection in the pool.
        most = getattr(self.redis.connection_pool, "max_connections", _MOST_AT_ONCE)
        self.at_once: int = min(_MOST_AT_ONCE, most)
        in_child(self._begin_anew)

    def _opened(self) -> Any:
        return open_redis(
            self._url,
            decode_responses=True,
            socket_timeout=_STORE_S,
            socket_connect_timeout=_STORE_S,
        )

    def _begin_anew(self) -> None:
        abandon(self.redis)
        self.redis = self._opened()

    async def read(self, keys: Sequence[str]) -> Sequence[str | None]:
        """Read values; see :class:`LimitStore`."""
        found: list[str | None] = await self.redis.mget(keys)
        return found

    async def swap(self, swaps: Sequence[Swap], now: float) -> Sequence[str | None] | None:
        """Write values; see :class:`LimitStore`. Redis forgets them by its own clock."""
        del now
        keys = [swap.key for swap in swaps]
        old = await self.redis.eval(SWAP, len(keys), *keys, *swap_arguments(swaps))
        return [text or None for text in old] if old else None

    async def close(self) -> None:
        """Close the connections."""
        await close_redis(self.redis)


class SqlLimitStore:
    """A SQLite file, or a PostgreSQL; asked off the event loop.

    Args:
        place: Path of the file, or the URL.

    Raises:
        ConfigurationError: psycopg is not installed, or the URL cannot be read.
    """

    def __init__(self, place: str) -> None:
        from evolution_sdk._sql.schema import SchemaVersionError
        from evolution_sdk._sql.troubles import DatabaseError
        from evolution_sdk.resilience.sql_limits import SqlLimits

        self._limits = SqlLimits(place)
        self.away: tuple[type[Exception], ...] = (DatabaseError, SchemaVersionError)
        # A file has one connection.
        self.at_once: int = _MOST_IN_POSTGRES if is_postgres(place) else 1

    async def read(self, keys: Sequence[str]) -> Sequence[str | None]:
        """Read values; see :class:`LimitStore`."""
        return await run_to_the_end(partial(self._limits.read, keys))

    async def swap(self, swaps: Sequence[Swap], now: float) -> Sequence[str | None] | None:
        """Write values; see :class:`LimitStore`."""
        return await run_to_the_end(partial(self._limits.swap, swaps, now))

    async def close(self) -> None:
        """Close the database."""
        await run_to_the_end(self._limits.close)


def limit_store_at(place: str) -> LimitStore:
    """Open the store that a setting names; it connects when it is first used.

    Args:
        place: URL of a Redis or a PostgreSQL, or the path of a SQLite file.

    Raises:
        ConfigurationError: What it needs is not installed.
    """
    return RedisLimitStore(place) if place.startswith(_REDIS) else SqlLimitStore(place)
