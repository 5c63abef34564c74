"""A Redis that dies, comes back empty or is emptied: what each process sent still counts."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk import EvolutionConfig, RateLimitError, SendLimitError
from services import reachable, require_service

from .conftest import KEY, URL, Kit, record

PORT = 6379
NUMBER = "5511987654321"
OFF = {"per_second": 0, "per_minute": 0, "recipient_gap_ms": 0, "jitter": 0}


class PrivateRedis:
    """A Redis of our own, which may be killed and begun again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def begin(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self._folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        for _ in range(500):
            if reachable("127.0.0.1", self.port):
                return
            time.sleep(0.01)
        pytest.fail("redis-server does not listen")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[PrivateRedis]:
    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server in the PATH")
    server = PrivateRedis(tmp_path)
    server.begin()
    yield server
    server.kill()


@pytest.fixture
def prefix() -> Iterator[str]:
    """A prefix in the common Redis; its keys are removed at the end."""
    require_service("Redis", PORT)
    name = f"evolution-sdk-test-{uuid.uuid4().hex}"
    yield name
    empty(name)


def empty(prefix: str) -> None:
    """Lose everything under a prefix, as a flush or a failover to an empty replica does."""
    from redis import Redis

    with Redis.from_url(f"redis://127.0.0.1:{PORT}/0") as redis:
        for key in redis.scan_iter(f"{prefix}:*"):
            redis.delete(key)


def client_of(kit: Kit, url: str, prefix: str = "x", **limits: Any) -> Any:
    kit.stub.default = (201, record())
    values = {"enabled": True, **OFF, "store": url, "store_prefix": prefix, **limits}
    return kit.client(config=EvolutionConfig(URL, KEY, rate_limit=values))


async def send(kit: Kit, client: Any, times: int = 1) -> int:
    """How many of some sends get through."""
    went = 0
    for _ in range(times):
        with suppress(SendLimitError):
            await kit.run(client.messages.send_text(NUMBER, "oi", retry=False))
            went += 1
    return went


async def test_a_flush_loses_nothing_that_a_living_process_sent(kit: Kit, prefix: str) -> None:
    url = f"redis://127.0.0.1:{PORT}/0"
    one, two = (client_of(kit, url, prefix, daily_cap=8) for _ in range(2))
    assert (await send(kit, one, 3), await send(kit, two, 2)) == (3, 2)
    empty(prefix)
    assert await send(kit, one) == 1
    assert await send(kit, two) == 1
    assert (await send(kit, one, 5), await send(kit, two, 5)) == (1, 0)
    for client in (one, two):
        await kit.run(client.close())


async def test_who_may_send_no_more_tells_the_emptied_store(kit: Kit, prefix: str) -> None:
    url = f"redis://127.0.0.1:{PORT}/0"
    one, two = (client_of(kit, url, prefix, daily_cap=3) for _ in range(2))
    assert await send(kit, one, 4) == 3
    empty(prefix)
    assert await send(kit, one) == 0
    assert await send(kit, two) == 0
    for client in (one, two):
        await kit.run(client.close())


@pytest.mark.parametrize(
    ("limits", "wait_ms"),
    [
        ({"per_second": 0.5, "burst": 1}, 2_000),
        ({"per_second": 0.005, "burst": 1, "max_wait_ms": 900_000}, 200_000),
        ({"per_minute": 1}, 60_000),
        ({"recipient_gap_ms": 4_000}, 4_000),
    ],
)
async def test_a_flush_loses_no_wait(
    kit: Kit, prefix: str, limits: dict[str, Any], wait_ms: int
) -> None:
    client = client_of(kit, f"redis://127.0.0.1:{PORT}/0", prefix, **limits)
    await send(kit, client)
    empty(prefix)
    await send(kit, client)
    assert [round(nap * 1_000) for nap in kit.time.naps] == [wait_ms]
    await kit.run(client.close())


async def test_a_flush_ends_no_pause(kit: Kit, prefix: str) -> None:
    client = client_of(kit, f"redis://127.0.0.1:{PORT}/0", prefix, cooldown_ms=5_000)
    kit.stub.answer((429, "slow down"))
    with pytest.raises(RateLimitError):
        await send(kit, client)
    empty(prefix)
    await send(kit, client)
    assert [round(nap * 1_000) for nap in kit.time.naps] == [5_000]
    await kit.run(client.close())


async def test_a_flush_does_not_begin_the_warm_up_again(kit: Kit, prefix: str) -> None:
    limits = {"warmup_start": 1, "warmup_factor": 3}
    client = client_of(kit, f"redis://127.0.0.1:{PORT}/0", prefix, **limits)
    assert await send(kit, client) == 1
    kit.time.now += 86_400
    empty(prefix)
    assert await send(kit, client, 4) == 3
    await kit.run(client.close())


async def test_a_dead_store_forgets_nothing_and_is_told_when_it_is_back(
    kit: Kit, redis: PrivateRedis
) -> None:
    """It comes back empty: what was sent before, meanwhile and by others alive counts."""
    one, two = (client_of(kit, redis.url, daily_cap=10) for _ in range(2))
    assert (await send(kit, one, 3), await send(kit, two, 2)) == (3, 2)
    redis.kill()
    assert (await send(kit, one), await send(kit, two)) == (1, 1)
    redis.begin()
    assert (await send(kit, one), await send(kit, two)) == (1, 1)
    assert (await send(kit, one, 3), await send(kit, two, 3)) == (1, 0)
    for client in (one, two):
        await kit.run(client.close())


async def test_a_dead_store_leaves_what_was_last_known_of_all(
    kit: Kit, redis: PrivateRedis
) -> None:
    """Others' sends count as far as they were told: no cap begins anew for each process."""
    one, two = (client_of(kit, redis.url, daily_cap=5) for _ in range(2))
    assert (await send(kit, one, 3), await send(kit, two)) == (3, 1)
    redis.kill()
    assert await send(kit, two, 3) == 1
    for client in (one, two):
        await kit.run(client.close())


async def test_a_store_that_stays_away_fills_no_log(
    kit: Kit, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A line at once, one a minute with a count, and one when it is over."""
    client = client_of(kit, f"redis://127.0.0.1:{PORT}/0", prefix, daily_cap=1_000)
    limiter = client._pipeline.parts.guards.limiter
    redis, limiter._store.redis = limiter._store.redis, None.__class__
    for _ in range(30):
        await send(kit, client)
        kit.time.now += 5
    limiter._store.redis = redis
    await send(kit, client, 2)
    failed = "the shared store of the rate limits failed (AttributeError); this client goes by "
    failed += "its own count"
    assert [record.getMessage() for record in caplog.records] == [
        failed,
        f"{failed} (11 more times since the last line)",
        f"{failed} (11 more times since the last line)",
        "the shared store of the rate limits answers again (failures: 30)",
    ]
    await kit.run(client.close())


async def test_sends_while_the_store_was_away_are_added_to_what_it_kept(
    kit: Kit, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = (
        client_of(kit, f"redis://127.0.0.1:{PORT}/0", prefix, daily_cap=9) for _ in range(2)
    )
    assert (await send(kit, one, 2), await send(kit, two, 2)) == (2, 2)
    limiter = one._pipeline.parts.guards.limiter
    redis = limiter._store.redis
    limiter._store.redis = None.__class__  # it has no mget
    assert await send(kit, one, 3) == 3
    limiter._store.redis = redis
    assert await send(kit, one) == 1
    assert await send(kit, two, 5) == 1
    for client in (one, two):
        await kit.run(client.close())
