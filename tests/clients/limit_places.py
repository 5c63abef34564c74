"""Where limits are counted: in memory, or in each of the shared stores."""

from __future__ import annotations

import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from databases import fresh_place
from evolution_sdk.resilience.sql_limits import SqlLimits
from services import require_service

SHARED: Final = ("redis", "sqlite", "postgres")
REDIS: Final = "redis://127.0.0.1:6379/0"


@contextmanager
def limit_place(kind: str, folder: Path) -> Generator[dict[str, Any]]:
    """The settings of a store of our own, which is gone at the end."""
    name = f"evolution-sdk-test-{uuid.uuid4().hex}"
    if kind == "memory":
        yield {}
        return
    if kind != "redis":
        with fresh_place(kind, folder) as place:
            yield {"store": place, "store_prefix": name}
        return
    require_service("Redis", 6379)
    from redis import Redis

    yield {"store": REDIS, "store_prefix": name}
    with Redis.from_url(REDIS) as redis:
        for key in redis.scan_iter(f"{name}:*", count=1_000):
            redis.delete(key)


def kept(store: dict[str, Any]) -> dict[str, str]:
    """Everything in a store, by key."""
    if store["store"] == REDIS:
        from redis import Redis

        with Redis.from_url(REDIS, decode_responses=True) as redis:
            keys = list(redis.scan_iter(f"{store['store_prefix']}:*", count=1_000))
            return {str(key): str(redis.get(key)) for key in keys}
    limits = SqlLimits(store["store"])
    try:
        with limits._database.reading() as session:
            return dict(session.run("SELECT key, value FROM evolution_rate_limit"))
    finally:
        limits.close()


def empty(store: dict[str, Any]) -> None:
    """Lose everything, as a flush does."""
    if store["store"] == REDIS:
        from redis import Redis

        with Redis.from_url(REDIS) as redis:
            for key in redis.scan_iter(f"{store['store_prefix']}:*"):
                redis.delete(key)
        return
    limits = SqlLimits(store["store"])
    with limits._database.writing() as session:
        session.run("DELETE FROM evolution_rate_limit")
    limits.close()
