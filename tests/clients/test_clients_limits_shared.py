"""Limits shared through a store: several clients count as one."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from databases import NOBODY
from evolution_sdk import ConfigurationError, EvolutionConfig, RateLimitError, SendLimitError

from .conftest import KEY, URL, Kit, record
from .limit_places import REDIS, SHARED, kept, limit_place

NUMBER = "5511987654321"
OFF = {"per_second": 0, "per_minute": 0, "recipient_gap_ms": 0, "jitter": 0}


@pytest.fixture(params=SHARED)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, Any]]:
    with limit_place(request.param, tmp_path) as place:
        yield place


def client_of(kit: Kit, store: dict[str, Any], part: object = "", **limits: Any) -> Any:
    kit.stub.default = (201, record())
    prefix = f"{store['store_prefix']}:{part}"
    values = {"enabled": True, **OFF, **store, "store_prefix": prefix, **limits}
    return kit.client(config=EvolutionConfig(URL, KEY, rate_limit=values))


async def send(kit: Kit, client: Any, to: str = NUMBER) -> None:
    await kit.run(client.messages.send_text(to, "oi", retry=False))


async def test_two_clients_share_every_limit(kit: Kit, store: dict[str, Any]) -> None:
    for number, (limits, wait_ms) in enumerate(
        (
            ({"per_second": 0.5, "burst": 1}, 2_000),
            ({"per_minute": 1}, 60_000),
            ({"recipient_gap_ms": 4_000}, 4_000),
        )
    ):
        one, two = (client_of(kit, store, number, **limits) for _ in range(2))
        kit.time.naps.clear()
        await send(kit, one)
        await send(kit, two)
        assert [round(nap * 1_000) for nap in kit.time.naps] == [wait_ms]
        await kit.run(one.close())
        await kit.run(two.close())
        assert kit.stub.closed


async def test_the_daily_cap_is_one_for_all(kit: Kit, store: dict[str, Any]) -> None:
    one, two = (client_of(kit, store, daily_cap=3) for _ in range(2))
    for client in (one, two, one):
        await send(kit, client)
    for client in (one, two):
        with pytest.raises(SendLimitError, match="daily_cap"):
            await send(kit, client)
        await kit.run(client.close())


async def test_a_pause_is_for_all(kit: Kit, store: dict[str, Any]) -> None:
    one, two = (client_of(kit, store, cooldown_ms=5_000) for _ in range(2))
    kit.stub.answer((429, "slow down"))
    with pytest.raises(RateLimitError):
        await send(kit, one)
    await send(kit, two)
    assert [round(nap * 1_000) for nap in kit.time.naps] == [5_000]
    await kit.run(one.close())
    await kit.run(two.close())


async def test_another_prefix_is_another_count(kit: Kit, store: dict[str, Any]) -> None:
    for name in ("a", "b"):
        client = client_of(kit, store, name, daily_cap=1)
        await send(kit, client)
        await kit.run(client.close())


async def test_a_race_lets_no_more_through_than_allowed(kit: Kit, store: dict[str, Any]) -> None:
    clients = [client_of(kit, store, daily_cap=10) for _ in range(4)]

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


async def test_the_keys_show_no_number_and_end_by_themselves(
    kit: Kit, store: dict[str, Any]
) -> None:
    client = client_of(kit, store, recipient_gap_ms=4_000)
    await send(kit, client)
    found = kept(store)
    assert len(found) == 2
    assert NUMBER not in str(found)
    if store["store"] == REDIS:
        from redis import Redis

        with Redis.from_url(REDIS) as redis:
            for key in found:
                assert int(redis.pttl(key)) > 0  # type: ignore[arg-type]  # redis-py types both colours at once
    else:
        kit.time.now += 86_400
        await send(kit, client, "5511987654322")
        chats = [key for key in kept(store) if ":to:" in key]
        assert len(chats) == 1
        assert not set(chats) & set(found)
    await kit.run(client.close())


@pytest.mark.parametrize(
    "url", ["redis://:s3cret@127.0.0.1:1/0", NOBODY, "/nowhere/s3cret/limits.db"]
)
async def test_a_lost_store_stops_no_send(
    kit: Kit, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Each client then counts for itself."""
    pytest.importorskip("redis")
    pytest.importorskip("psycopg")
    store = {"store": url, "store_prefix": "x"}
    client = client_of(kit, store, per_second=1, burst=1)
    with caplog.at_level(logging.DEBUG):
        await send(kit, client)
        await send(kit, client)
        kit.stub.answer((429, "slow down"))
        with pytest.raises(RateLimitError):
            await send(kit, client)
    assert [round(nap * 1_000) for nap in kit.time.naps] == [1_000, 1_000]
    assert caplog.text.count("goes by its own count") == 1
    assert "s3cret" not in caplog.text
    assert "s3cret" not in repr(client)
    await kit.run(client.close())


@pytest.mark.parametrize(
    ("modules", "url", "extra"),
    [
        (("redis", "redis.asyncio"), "redis://127.0.0.1:1/0", "redis"),
        (("psycopg",), NOBODY, "postgres"),
    ],
)
async def test_without_the_extra_it_says_what_to_install(
    kit: Kit,
    monkeypatch: pytest.MonkeyPatch,
    modules: tuple[str, ...],
    url: str,
    extra: str,
) -> None:
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigurationError, match=rf"evolutionapi-sdk\[{extra}\]") as caught:
        client_of(kit, {"store": url, "store_prefix": "x"})
    assert "s3cret" not in str(caught.value)
