"""The bulkhead: so many calls in flight, and no more."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from evolution_sdk import BulkheadFullError, EvolutionConfig
from evolution_sdk._base.request import Response
from evolution_sdk.operations.routes.chat import FIND_CHATS

from .conftest import KEY, URL, Kit, until, world_of

ANSWER = Response(200, {}, b"[]")


class Holding:
    """A transport that answers when it is told to."""

    def __init__(self, colour: str) -> None:
        self.colour = colour
        self.inside = 0
        self.most = 0
        self.open_async = asyncio.Event()
        self.open_sync = threading.Event()
        self.guard = threading.Lock()

    def send(self, _: Any) -> Any:
        return self._later() if self.colour == "async" else self._now()

    def _count(self, step: int) -> None:
        with self.guard:
            self.inside += step
            self.most = max(self.most, self.inside)

    def _now(self) -> Response:
        self._count(1)
        assert self.open_sync.wait(10)
        self._count(-1)
        return ANSWER

    async def _later(self) -> Response:
        self._count(1)
        try:
            await self.open_async.wait()
        finally:
            self._count(-1)
        return ANSWER

    def open(self) -> None:
        self.open_async.set()
        self.open_sync.set()


def stage(kit: Kit, **bulkhead: Any) -> tuple[Any, Holding]:
    values = {"enabled": True, "max_in_flight": 2, "max_wait_ms": 0, **bulkhead}
    client = kit.client(config=EvolutionConfig(URL, KEY, bulkhead=values))
    world_of(client).mono = lambda: 0.0
    held = world_of(client).transport = Holding(kit.colour)
    return client, held


async def begin(kit: Kit, held: Holding, count: int, call: Callable[[], Any]) -> list[Any]:
    """Begin calls that stay in flight until the transport opens."""
    wanted = held.inside + count
    tasks = [start(kit, call) for _ in range(count)]
    await until(lambda: held.inside >= wanted)
    return tasks


def start(kit: Kit, call: Callable[[], Any]) -> asyncio.Task[Any]:
    return asyncio.create_task(call() if kit.colour == "async" else asyncio.to_thread(call))


async def test_no_more_are_in_flight_than_allowed(kit: Kit) -> None:
    client, held = stage(kit)
    tasks = await begin(kit, held, 2, client.chats.find)
    with pytest.raises(BulkheadFullError) as caught:
        await kit.run(client.chats.find(retry=False))
    assert (caught.value.limit, caught.value.operation) == ("max_in_flight", "chat.find_chats")
    held.open()
    await asyncio.gather(*tasks)
    assert await kit.run(client.chats.find()) == []


async def test_an_instance_has_its_own_share(kit: Kit) -> None:
    client, held = stage(kit, max_per_instance=1)
    tasks = await begin(kit, held, 1, client.chats.find)
    with pytest.raises(BulkheadFullError, match="max_per_instance"):
        await kit.run(client.chats.find(retry=False))
    other = client.instance("other").chats
    tasks += await begin(kit, held, 1, other.find)
    held.open()
    await asyncio.gather(*tasks)
    assert client._pipeline.parts.guards.bulkhead._own == {}


async def test_a_look_up_needs_no_place(kit: Kit) -> None:
    client, held = stage(kit, max_in_flight=1)
    caller = client._pipeline

    def look_up() -> Any:
        return caller.call(FIND_CHATS, client._target, {}, direct=True)

    tasks = await begin(kit, held, 1, client.chats.find)
    tasks += await begin(kit, held, 1, look_up)
    held.open()
    await asyncio.gather(*tasks)


async def test_a_call_waits_for_a_place(kit: Kit) -> None:
    client, held = stage(kit, max_wait_ms=10_000)
    tasks = await begin(kit, held, 2, client.chats.find)
    tasks += [start(kit, client.chats.find) for _ in range(4)]
    held.open()
    await asyncio.gather(*tasks)
    assert held.most == 2


async def test_a_wait_ends_after_max_wait_ms(kit: Kit) -> None:
    client, held = stage(kit, max_wait_ms=1)
    tasks = await begin(kit, held, 2, client.chats.find)
    with pytest.raises(BulkheadFullError):
        await kit.run(client.chats.find(retry=False))
    held.open()
    await asyncio.gather(*tasks)


async def test_a_cancelled_call_leaves_its_place() -> None:
    kit = Kit("async")
    client, held = stage(kit, max_per_instance=2, max_wait_ms=10_000)
    tasks = await begin(kit, held, 2, client.chats.find)
    waiting = asyncio.create_task(client.chats.find())
    await asyncio.sleep(0)
    for task in (waiting, tasks[0]):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    held.open()
    await tasks[1]
    await asyncio.gather(*(client.chats.find() for _ in range(5)))
    assert client._pipeline.parts.guards.bulkhead._own == {}


async def test_it_is_off_by_default(kit: Kit) -> None:
    client = kit.client()
    assert client._pipeline.parts.guards.bulkhead is None
