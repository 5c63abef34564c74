"""Quiet hours of a client: messages wait for their end or are refused; everything else goes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from evolution_sdk import EvolutionConfig, RateLimitError, SendLimitError

from .conftest import KEY, URL, Kit, record, world_of

OFF = {"per_second": 0, "per_minute": 0, "recipient_gap_ms": 0, "jitter": 0}
NUMBER = "5511987654321"


def client_of(kit: Kit, time: str, **limits: Any) -> Any:
    kit.stub.default = (201, record())
    kit.time.now = datetime.fromisoformat(time).replace(tzinfo=UTC).timestamp()
    night = {"quiet_hours": "22:00-08:00", "quiet_time_zone": "America/Sao_Paulo"}  # UTC-3
    values = {"enabled": True, **OFF, **night, **limits}
    return kit.client(config=EvolutionConfig(URL, KEY, rate_limit=values))


async def send(kit: Kit, client: Any) -> None:
    await kit.run(client.messages.send_text(NUMBER, "oi", retry=False))


async def test_a_message_waits_for_the_morning(kit: Kit) -> None:
    client = client_of(kit, "2026-05-05 10:59:30")
    await send(kit, client)
    assert kit.time.naps == [30]
    await send(kit, client)
    assert kit.time.naps == [30]
    await kit.run(client.close())


async def test_too_long_a_night_refuses_at_once(kit: Kit) -> None:
    client = client_of(kit, "2026-05-05 01:00")
    with pytest.raises(SendLimitError, match="these are quiet_hours") as caught:
        await send(kit, client)
    assert (caught.value.limit, caught.value.resets_in_ms) == ("quiet_hours", 10 * 3_600_000)
    assert kit.stub.requests == []
    assert kit.time.naps == []
    kit.stub.answer((200, [{"exists": True, "jid": f"{NUMBER}@s.whatsapp.net", "number": NUMBER}]))
    await kit.run(client.chats.check_whatsapp_numbers([NUMBER]))
    assert len(kit.stub.requests) == 1
    await kit.run(client.close())


async def test_a_pause_that_ends_in_the_night_ends_with_it(kit: Kit) -> None:
    """It came while the message slept in a place of the evening."""
    client = client_of(
        kit, "2026-05-05 00:59", per_second=0.1, burst=1, cooldown_ms=120_000, max_wait_ms=10**8
    )
    await send(kit, client)
    world, sleep = world_of(client), world_of(client).sleeping

    def paused_meanwhile(seconds: float) -> Any:
        limiter = client._pipeline.parts.guards.limiter
        limiter._memory.pause("{sales}:messages", kit.time.now + 120)
        world.sleeping = sleep
        return sleep(seconds)

    world.sleeping = paused_meanwhile
    await send(kit, client)
    assert sum(kit.time.naps) == 10 * 3_600 + 60
    await kit.run(client.close())


async def test_a_told_pause_that_ends_in_the_night_names_the_night(kit: Kit) -> None:
    client = client_of(kit, "2026-05-05 00:59", cooldown_ms=120_000)
    kit.stub.answer((429, "slow down"))
    with pytest.raises(RateLimitError):
        await send(kit, client)
    with pytest.raises(SendLimitError) as caught:
        await send(kit, client)
    assert caught.value.limit == "quiet_hours"
    await kit.run(client.close())
