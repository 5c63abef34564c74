"""A place that nothing was sent with is given back, in memory and in every store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk import (
    BulkheadFullError,
    CircuitOpenError,
    EvolutionConfig,
    InstanceNotConnectedError,
    RateLimitError,
    SendLimitError,
    SendOutcomeUnknownError,
)
from evolution_sdk.errors import ConnectionFailedError, EvolutionTimeoutError, Phase

from .conftest import KEY, URL, Kit, record, until, world_of
from .limit_places import SHARED, kept, limit_place

NUMBER = "5511987654321"
OFF = {"per_second": 0, "per_minute": 0, "recipient_gap_ms": 0, "jitter": 0}
REFUSED = ConnectionFailedError("refused", phase=Phase.NOT_SENT)
ONE_OF_EACH = [
    {"per_second": 0.1, "burst": 1},
    {"per_minute": 1},
    {"recipient_gap_ms": 9_000},
    {"daily_cap": 1},
    {"warmup_start": 1},
]


@pytest.fixture(params=["memory", *SHARED])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Where the limits are counted."""
    with limit_place(request.param, tmp_path) as place:
        yield place


def client_of(kit: Kit, store: dict[str, Any], limits: dict[str, Any], **config: Any) -> Any:
    kit.stub.default = (201, record())
    values = {"enabled": True, **OFF, **store, **limits}
    return kit.client(config=EvolutionConfig(URL, KEY, rate_limit=values, **config))


async def send(kit: Kit, client: Any, **options: Any) -> None:
    await kit.run(client.messages.send_text(NUMBER, "oi", retry=False, **options))


async def next_wait_ms(kit: Kit, client: Any) -> float:
    """How long the next send would wait, or does."""
    kit.time.naps.clear()
    kit.stub.script.clear()
    try:
        await send(kit, client)
    except SendLimitError as error:
        return round(error.resets_in_ms)
    return round(sum(kit.time.naps) * 1_000)


@pytest.mark.parametrize("limits", ONE_OF_EACH, ids=lambda limits: next(iter(limits)))
async def test_a_refused_connection_gives_its_place_back(
    kit: Kit, store: dict[str, Any], limits: dict[str, Any]
) -> None:
    client = client_of(kit, store, limits)
    timed_out = EvolutionTimeoutError("no connection in time", phase=Phase.NOT_SENT)
    for error in (REFUSED, timed_out, REFUSED):
        kit.stub.answer(error)
        with pytest.raises(type(error)):
            await send(kit, client)
    assert kit.time.naps == []
    assert await next_wait_ms(kit, client) == 0
    assert await next_wait_ms(kit, client) > 0
    await kit.run(client.close())


async def test_a_warm_up_does_not_begin_with_a_day_on_which_nothing_was_sent(
    kit: Kit, store: dict[str, Any]
) -> None:
    client = client_of(kit, store, {"warmup_start": 1, "warmup_factor": 10})
    kit.stub.answer(REFUSED)
    with pytest.raises(ConnectionFailedError):
        await send(kit, client)
    kit.time.now += 3 * 86_400
    assert await next_wait_ms(kit, client) == 0
    assert await next_wait_ms(kit, client) > 0
    await kit.run(client.close())


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((400, {"response": {"message": ["Error: Connection Closed"]}}), InstanceNotConnectedError),
        ((429, "slow down", {"retry-after": "0"}), RateLimitError),
        (ConnectionFailedError("cut off", phase=Phase.UNKNOWN), SendOutcomeUnknownError),
    ],
)
async def test_whatever_may_have_left_was_traffic(
    kit: Kit, store: dict[str, Any], answer: Any, error: type[Exception]
) -> None:
    client = client_of(kit, store, {"daily_cap": 1})
    kit.stub.answer(answer)
    with pytest.raises(error):
        await send(kit, client, on_unknown="raise")
    assert await next_wait_ms(kit, client) > 0
    await kit.run(client.close())


async def test_who_is_stopped_by_bulkhead_or_breaker_gives_back(
    kit: Kit, store: dict[str, Any]
) -> None:
    """Between the place and the network nothing keeps it."""
    client = client_of(kit, store, {"daily_cap": 1}, bulkhead={"enabled": True, "max_wait_ms": 0})
    bulkhead = client._pipeline.parts.guards.bulkhead
    enter, full = bulkhead.enter, BulkheadFullError("max_in_flight")

    def refuse(_: object) -> Any:
        raise full

    bulkhead.enter = refuse
    with pytest.raises(BulkheadFullError):
        await send(kit, client)
    bulkhead.enter = enter
    breakers = client._pipeline.parts.guards.breakers
    ask, opened = breakers.enter, CircuitOpenError("server")

    def open_now(*_: object) -> Any:
        raise opened

    breakers.enter = open_now
    with pytest.raises(CircuitOpenError):
        await send(kit, client)
    breakers.enter = ask
    assert await next_wait_ms(kit, client) == 0
    await kit.run(client.close())


async def test_a_pause_that_is_too_long_gives_the_place_back(
    kit: Kit, store: dict[str, Any]
) -> None:
    """It came while the send slept in its place."""
    client = client_of(kit, store, {"per_second": 1, "burst": 1, "daily_cap": 2})
    await send(kit, client)
    world, sleep = world_of(client), world_of(client).sleeping

    def paused_meanwhile(seconds: float) -> Any:
        limiter = client._pipeline.parts.guards.limiter
        limiter._memory.pause("{sales}:messages", kit.time.now + 100)
        return sleep(seconds)

    world.sleeping = paused_meanwhile
    with pytest.raises(SendLimitError, match="pause"):
        await send(kit, client)
    world.sleeping = sleep
    kit.time.now += 200
    assert await next_wait_ms(kit, client) == 0
    await kit.run(client.close())


async def test_number_checks_that_did_not_get_out_do_not_count(
    kit: Kit, store: dict[str, Any]
) -> None:
    client = client_of(kit, store, {"checks_per_minute": 60})
    numbers = [f"55119876{i:05}" for i in range(50)]
    for answer, waits in ((REFUSED, []), ((200, []), []), ((200, []), [50.0])):
        kit.stub.script[:] = [answer]
        try:
            await kit.run(client.chats.check_whatsapp_numbers(numbers, retry=False))
        except ConnectionFailedError:
            assert answer is REFUSED
        assert [round(nap) for nap in kit.time.naps] == waits
    await kit.run(client.close())


@pytest.mark.parametrize("store", ["redis"], indirect=True)
async def test_a_store_that_fails_harms_no_error_of_a_send(
    kit: Kit, store: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(kit, store, {"daily_cap": 1})
    limiter, send_it = client._pipeline.parts.guards.limiter, kit.stub.send

    def broken(request: Any) -> Any:
        monkeypatch.setattr(limiter._store, "redis", None.__class__)
        return send_it(request)

    kit.stub.send = broken  # type: ignore[method-assign]
    kit.stub.answer(REFUSED)
    redis = limiter._store.redis
    with pytest.raises(ConnectionFailedError):
        await send(kit, client)
    limiter._store.redis = redis
    await kit.run(client.close())


# Cancelled: the asynchronous colour alone can be.


class Waiting:
    """Holds up whoever waits until the test goes on."""

    def __init__(self) -> None:
        self.begun: list[asyncio.Event] = []

    async def __call__(self, *_: object) -> None:
        self.begun.append(asyncio.Event())
        await self.begun[-1].wait()


async def cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("limits", [{"per_second": 0.1, "burst": 1}, {"per_minute": 1}])
async def test_cancelled_waits_give_their_places_back(
    store: dict[str, Any], limits: dict[str, Any]
) -> None:
    """A service that shuts down cancels its sends in the order in which they began."""
    kit = Kit("async")
    client = client_of(kit, store, {**limits, "max_wait_ms": 3_600_000, "daily_cap": 100})
    await send(kit, client)
    world, sleep = world_of(client), world_of(client).sleeping
    world.sleeping = held = Waiting()
    tasks = [asyncio.create_task(send(kit, client)) for _ in range(5)]
    await until(lambda: len(held.begun) == 5)
    for task in tasks:
        await cancelled(task)
    world.sleeping = sleep
    expected = 10_000 if "per_second" in limits else 60_000
    assert await next_wait_ms(kit, client) == expected
    if store:
        line = json.loads(kept(store)[f"{store['store_prefix']}:{{sales}}:messages"])
        assert line[3] == 2
    assert client._pipeline.parts.guards.limiter._memory._lines["{sales}:messages"].today == 2
    await client.close()


@pytest.mark.parametrize("where", ["bulkhead", "turns"])
async def test_a_wait_that_is_cancelled_before_the_network_gives_back(
    store: dict[str, Any], where: str
) -> None:
    kit = Kit("async")
    client = client_of(kit, store, {"daily_cap": 1}, bulkhead={"enabled": True})
    caller = client._pipeline
    part, name = (
        (caller.parts.guards.bulkhead, "enter")
        if where == "bulkhead"
        else (caller.parts.send_lock, "begin")
    )
    before, held = getattr(part, name), Waiting()
    setattr(part, name, held)
    task = asyncio.create_task(send(kit, client))
    await until(lambda: len(held.begun) == 1)
    await cancelled(task)
    setattr(part, name, before)
    assert await next_wait_ms(kit, client) == 0
    await client.close()


async def test_what_is_cancelled_while_the_request_may_be_out_counts(
    store: dict[str, Any],
) -> None:
    kit = Kit("async")
    client = client_of(kit, store, {"daily_cap": 1})
    held, send_it = Waiting(), kit.stub.send
    kit.stub.send = held  # type: ignore[method-assign]
    task = asyncio.create_task(send(kit, client))
    await until(lambda: len(held.begun) == 1)
    await cancelled(task)
    kit.stub.send = send_it  # type: ignore[method-assign]
    assert await next_wait_ms(kit, client) > 0
    await client.close()
