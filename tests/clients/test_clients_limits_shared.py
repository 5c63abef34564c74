"""Limits shared through Redis: several clients count as one. Needs a Redis on 127.0.0.1:6379."""

from __future__ import annotations

import asyncio
import logging
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from evolution_sdk import ConfigurationError, EvolutionConfig, RateLimitError, SendLimitError
from services import require_service

from .conftest import KEY, URL, Kit, record

PORT = 6379
REDIS = f"redis://127.0.0.1:{PORT}/0"
NUMBER = "5511987654321"
OFF = {"per_second": 0, "per_minute": 0, "recipient_gap_ms": 0, "jitter": 0}


@pytest.fixture
def prefix() -> Iterator[str]:
    """A prefix of our own; its keys are removed at the end."""
    require_service("Redis", PORT)
    from redis import Redis

    name = f"evolution-sdk-test-{uuid.uuid4().hex}"
    yield name
    with Redis.from_url(REDIS) as redis:
        for key in redis.scan_iter(f"{name}:*"):
            redis.delete(key)


def client_of(kit: Kit, prefix: str, url: str = REDIS, **limits: Any) -> Any:
    kit.stub.default = (201, record())
    values = {"enabled": True, **OFF, "redis_url": url, "redis_prefix": prefix, **limits}
    return kit.client(config=EvolutionConfig(URL, KEY, rate_limit=values))


async def send(kit: Kit, client: Any, to: str = NUMBER) -> None:
    await kit.run(client.messages.send_text(to, "oi", retry=False))


async def test_two_clients_share_every_limit(kit: Kit, prefix: str) -> None:
    for number, (limits, wait_ms) in enumerate(
        (
            ({"per_second": 0.5, "burst": 1}, 2_000),
            ({"per_minute": 1}, 60_000),
            ({"recipient_gap_ms": 4_000}, 4_000),
        )
    ):
        one, two = (client_of(kit, f"{prefix}:{number}", **limits) for _ in range(2))
        kit.time.naps.clear()
        await send(kit, one)
        await send(kit, two)
        assert [round(nap * 1_000) for nap in kit.time.naps] == [wait_ms]
        await kit.run(one.close())
        await kit.run(two.close())
        assert kit.stub.closed


async def test_the_daily_cap_is_one_for_all(kit: Kit, prefix: str) -> None:
    one, two = (client_of(kit, prefix, daily_cap=3) for _ in range(2))
    for client in (one, two, one):
        await send(kit, client)
    for client in (one, two):
        with pytest.raises(SendLimitError, match="daily_cap"):
            await send(kit, client)
        await kit.run(client.close())


async def test_a_pause_is_for_all(kit: Kit, prefix: str) -> None:
    one, two = (client_of(kit, prefix, cooldown_ms=5_000) for _ in range(2))
    kit.stub.answer((429, "slow down"))
    with pytest.raises(RateLimitError):
        await send(kit, one)
    await send(kit, two)
    assert [round(nap * 1_000) for nap in kit.time.naps] == [5_000]
    await kit.run(one.close())
    await kit.run(two.close())


async def test_another_prefix_is_another_count(kit: Kit, prefix: str) -> None:
    for name in ("a", "b"):
        client = client_of(kit, f"{prefix}:{name}", daily_cap=1)
        await send(kit, client)
        await kit.run(client.close())


async def test_a_race_lets_no_more_through_than_allowed(kit: Kit, prefix: str) -> None:
    clients = [client_of(kit, prefix, daily_cap=10) for _ in range(4)]

    async def one(client: Any) -> bool:
        try:
            await send(kit, client)
        except SendLimitError:
            return False
        return True

    if kit.colour == "async":
        went = await asyncio.gather(*(one(client) for client in clients * 10))
    else:
        with ThreadPoolExecutor(4) as pool:
            went = list(pool.map(lambda client: asyncio.run(one(client)), clients * 10))
    assert sum(went) == 10
    for client in clients:
        await kit.run(client.close())


async def test_the_keys_show_no_number_and_end_by_themselves(kit: Kit, prefix: str) -> None:
    client = client_of(kit, prefix, recipient_gap_ms=4_000)
    await send(kit, client)
    await kit.run(client.close())
    from redis import Redis

    with Redis.from_url(REDIS, decode_responses=True) as redis:
        keys = list(redis.scan_iter(f"{prefix}:*"))
        assert len(keys) == 2
        for key in keys:
            assert NUMBER not in key
            assert NUMBER not in str(redis.get(key))
            assert int(redis.pttl(key)) > 0  # type: ignore[arg-type]  # redis-py types both colours at once


async def test_a_lost_store_stops_no_send(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    """Each client then counts for itself."""
    pytest.importorskip("redis")
    client = client_of(kit, "x", "redis://:s3cret@127.0.0.1:1/0", per_second=1, burst=1)
    with caplog.at_level(logging.WARNING, "evolution_sdk.resilience"):
        await send(kit, client)
        await send(kit, client)
        kit.stub.answer((429, "slow down"))
        with pytest.raises(RateLimitError):
            await send(kit, client)
    assert [round(nap * 1_000) for nap in kit.time.naps] == [1_000, 1_000]
    assert "goes by its own count" in caplog.text
    assert "s3cret" not in caplog.text
    await kit.run(client.close())


async def test_without_the_extra_it_says_what_to_install(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(ConfigurationError, match=r"evolutionapi-sdk\[redis\]"):
        client_of(kit, "x")
