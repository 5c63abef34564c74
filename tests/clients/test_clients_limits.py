"""Pacing in a client: waits before sends, refusals, the pause after a RateLimitError."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from evolution_sdk import (
    OPERATIONS,
    CircuitOpenError,
    EvolutionConfig,
    RateLimitError,
    RetryPolicy,
    SendLimitError,
)
from evolution_sdk.errors import ConnectionFailedError, Phase

from .conftest import KEY, URL, Kit, record, world_of

NUMBER = "5511987654321"
OTHER = "5511987654322"
OFF = {"per_second": 0, "per_minute": 0, "recipient_gap_ms": 0, "jitter": 0}


def client_of(kit: Kit, **limits: Any) -> Any:
    kit.stub.default = (201, record())
    values = {"enabled": True, **OFF, **limits}
    client = kit.client(config=EvolutionConfig(URL, KEY, rate_limit=values))
    client._pipeline.parts.guards.limiter.chance = lambda: 1.0
    return client


async def send(kit: Kit, client: Any, times: int = 1, to: str = NUMBER, **options: Any) -> None:
    for number in range(times):
        await kit.run(client.messages.send_text(to, f"oi {number}", **options))


def naps(kit: Kit) -> list[float]:
    """Waits since last asked, in milliseconds."""
    taken = [round(seconds * 1_000, 1) for seconds in kit.time.naps]
    kit.time.naps.clear()
    return taken


async def test_it_is_off_by_default(kit: Kit) -> None:
    kit.stub.default = (201, record())
    client = kit.client()
    await send(kit, client, 100)
    assert naps(kit) == []
    assert client._pipeline.parts.guards.limiter is None


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"per_second": 2, "burst": 1}, [500, 500]),
        ({"per_second": 2, "burst": 2}, [500]),
        ({"per_second": 2, "burst": 1, "jitter": 0.5}, [750, 750]),
        ({"per_minute": 2}, [60_000]),
        ({"recipient_gap_ms": 3_000}, [3_000, 3_000]),
    ],
)
async def test_sends_wait_for_their_turn(
    kit: Kit, limits: dict[str, Any], expected: list[float]
) -> None:
    await send(kit, client_of(kit, **limits), 3)
    assert naps(kit) == expected
    assert len(kit.stub.requests) == 3


async def test_instances_do_not_wait_for_each_other(kit: Kit) -> None:
    client = client_of(kit, per_second=1, burst=1, recipient_gap_ms=1_000)
    await send(kit, client)
    await send(kit, client.instance("other"))
    assert naps(kit) == []


async def test_reads_and_look_ups_do_not_wait(kit: Kit) -> None:
    client = client_of(kit, per_second=0.001, burst=1)
    await send(kit, client)
    kit.stub.default = (200, [])
    await kit.run(client.chats.find())
    assert naps(kit) == []


async def test_a_retry_is_traffic(kit: Kit) -> None:
    client = client_of(kit, per_second=0.1, burst=1)
    closed = {"status": 400, "error": "x", "response": {"message": ["Error: Connection Closed"]}}
    kit.stub.answer((400, closed))
    await send(kit, client, retry=RetryPolicy(delay_ms=1_000, jitter="none"))
    assert naps(kit) == [1_000, 9_000]


@pytest.mark.parametrize(
    ("limits", "limit"),
    [
        ({"daily_cap": 2}, "daily_cap"),
        ({"warmup_start": 2}, "warmup_start"),
        ({"per_minute": 2, "max_wait_ms": 59_999}, "per_minute"),
        ({"per_second": 0.5, "burst": 2, "max_wait_ms": 1_999}, "per_second"),
    ],
)
async def test_a_wait_too_long_is_refused_before_sending(
    kit: Kit, limits: dict[str, Any], limit: str
) -> None:
    client = client_of(kit, **limits)
    await send(kit, client, 2)
    with pytest.raises(SendLimitError) as caught:
        await send(kit, client)
    error = caught.value
    assert (error.limit, error.phase, error.retryable) == (limit, Phase.NOT_SENT, False)
    assert (error.operation, error.instance, error.attempts) == ("message.send_text", "sales", 1)
    assert error.resets_in_ms > 0
    assert limit in str(error)
    assert len(kit.stub.requests) == 2
    assert naps(kit) == []


async def test_the_recipients_gap_can_be_too_long(kit: Kit) -> None:
    client = client_of(kit, recipient_gap_ms=5_000, max_wait_ms=4_999)
    await send(kit, client)
    await send(kit, client, to=OTHER)
    with pytest.raises(SendLimitError, match="recipient_gap_ms"):
        await send(kit, client)


@pytest.mark.parametrize("kind", ["told", "rate-overlimit"])
async def test_a_rate_limit_error_pauses_the_instance(kit: Kit, kind: str) -> None:
    client = client_of(kit, cooldown_ms=7_000)
    words = {"status": 500, "error": "x", "response": {"message": "rate-overlimit"}}
    told = (429, "slow down", {"retry-after": "3"})
    kit.stub.answer(told if kind == "told" else (500, words))
    with pytest.raises(RateLimitError):
        await send(kit, client, retry=False)
    await send(kit, client.instance("other"))
    assert naps(kit) == []
    await send(kit, client)
    assert naps(kit) == [3_000 if kind == "told" else 7_000]


async def test_a_pause_also_holds_those_who_have_their_place() -> None:
    kit = Kit("async")
    client = client_of(kit, per_second=0.5, burst=1, cooldown_ms=9_000)
    wakes: list[tuple[float, asyncio.Event]] = []

    async def sleep(seconds: float) -> None:
        event = asyncio.Event()
        wakes.append((seconds * 1_000, event))
        await event.wait()
        kit.time.now += seconds

    world_of(client).sleeping = sleep
    await send(kit, client)
    second = asyncio.create_task(send(kit, client))
    await asyncio.sleep(0)
    limiter = client._pipeline.parts.guards.limiter
    await limiter.heard(OPERATIONS["message.send_text"], "sales", RateLimitError(429))
    assert [wait for wait, _ in wakes] == [2_000]
    wakes[0][1].set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert round(wakes[1][0]) == 7_000
    assert len(kit.stub.requests) == 1
    wakes[1][1].set()
    await second
    assert len(kit.stub.requests) == 2


async def test_nobody_waits_in_vain_for_an_open_circuit(kit: Kit) -> None:
    kit.stub.default = ConnectionFailedError("refused", phase=Phase.NOT_SENT)
    config = EvolutionConfig(
        URL,
        KEY,
        breaker={"consecutive_failures": 1},
        rate_limit={"enabled": True, **OFF, "per_second": 0.1, "burst": 1},
    )
    client = kit.client(config=config)
    with pytest.raises(ConnectionFailedError):
        await send(kit, client, retry=False)
    with pytest.raises(CircuitOpenError) as caught:
        await send(kit, client, retry=False)
    assert caught.value.operation == "message.send_text"
    assert naps(kit) == []


async def test_number_checks_are_paced_by_the_number(kit: Kit) -> None:
    client = client_of(kit, checks_per_minute=60)
    kit.stub.default = (200, [])
    numbers = [f"55119876{i:05}" for i in range(100)]
    await kit.run(client.chats.check_whatsapp_numbers(numbers))
    assert naps(kit) == [50_000]
    free = client_of(kit, checks_per_minute=0)
    kit.stub.default = (200, [])
    await kit.run(free.chats.check_whatsapp_numbers(numbers))
    assert naps(kit) == []


async def test_the_warm_up_counts_from_the_given_day(kit: Kit) -> None:
    """The kit's clock stands at 2026-11-23."""
    limits = {"warmup_start": 1, "warmup_factor": 2, "warmup_since": "2026-11-22"}
    client = client_of(kit, **limits)
    await send(kit, client, 2)
    with pytest.raises(SendLimitError, match="warmup_start"):
        await send(kit, client)


class TestAWaitOfItsOwn:
    """Of one call: who keeps a queue puts a send back instead of holding a worker for it."""

    @staticmethod
    async def call(kit: Kit, client: Any, wait_ms: float | None, to: str = NUMBER) -> None:
        target, body = client.messages._target, {"number": to, "text": "oi"}
        operation = OPERATIONS["message.send_text"]
        sending = client._pipeline.call(operation, target, body, pace_wait_ms=wait_ms)
        await kit.run(sending)

    @pytest.mark.parametrize(
        ("limits", "limit", "wait_ms"),
        [
            ({"per_second": 2, "burst": 1}, "per_second", 500),
            ({"recipient_gap_ms": 3_000}, "recipient_gap_ms", 3_000),
        ],
    )
    async def test_of_none_is_a_refusal_that_tells_the_wait(
        self, kit: Kit, limits: dict[str, Any], limit: str, wait_ms: float
    ) -> None:
        client = client_of(kit, **limits)
        await self.call(kit, client, 0)
        with pytest.raises(SendLimitError) as caught:
            await self.call(kit, client, 0)
        assert (caught.value.limit, caught.value.resets_in_ms) == (limit, pytest.approx(wait_ms))
        assert (naps(kit), len(kit.stub.requests)) == ([], 1)
        # Nothing was taken by the refusal: when its time has come, it goes out at once.
        kit.time.now += wait_ms / 1_000
        await self.call(kit, client, 0)
        assert (naps(kit), len(kit.stub.requests)) == ([], 2)

    async def test_may_be_shorter_or_longer_than_the_settings(self, kit: Kit) -> None:
        client = client_of(kit, per_second=2, burst=1, max_wait_ms=100)
        await self.call(kit, client, None)
        with pytest.raises(SendLimitError):
            await self.call(kit, client, None)
        await self.call(kit, client, 600)
        assert naps(kit) == [500]
        with pytest.raises(SendLimitError):
            await self.call(kit, client, 499)
        assert len(kit.stub.requests) == 2
