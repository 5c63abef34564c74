"""The presence that renews itself: begun, renewed, ended; and harmless when it fails."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest

from evolution_sdk import EvolutionConfig
from evolution_sdk.errors import ConnectionFailedError, Phase, RequestValidationError
from evolution_sdk.events import parse_event
from evolution_sdk.testing import FakeEvolution

from .conftest import KEY, URL, Kit, record, until, world_of
from .test_clients_following import JID, inbound

TYPING = "/chat/sendPresence/sales"


def shown(kit: Kit) -> list[tuple[str, int]]:
    bodies = [
        json.loads(request.content or b"{}")
        for request in kit.stub.requests
        if request.url.endswith(TYPING)
    ]
    return [(body["presence"], body["delay"]) for body in bodies]


def gated(kit: Kit, client: Any, rounds: int) -> threading.Event:
    """Let so many renewals go by at once; the next wait lasts until the block is over."""
    over, left = threading.Event(), [rounds]

    def now(seconds: float) -> None:
        kit.time.now += seconds
        left[0] -= 1
        if left[0] < 0:
            over.wait(30)

    async def later(seconds: float) -> None:
        kit.time.now += seconds
        left[0] -= 1
        if left[0] < 0:
            await asyncio.sleep(3_600)

    world_of(client).sleeping = later if kit.colour == "async" else now
    return over


async def during(kit: Kit, presence: Any, so: Any) -> None:
    """Run a block until something is so."""
    await kit.enter(presence)
    await until(so)
    await kit.leave(presence)


@pytest.mark.parametrize("kind", ["typing", "recording"])
async def test_it_is_renewed_until_the_block_ends_and_then_paused(kit: Kit, kind: str) -> None:
    client = kit.client()
    over = gated(kit, client, 2)
    word = {"typing": "composing"}.get(kind, kind)
    event: Any = inbound("hi").bind(client)
    await during(kit, getattr(event, kind)(renew_ms=5_000), lambda: len(shown(kit)) == 3)
    over.set()
    assert shown(kit) == [(word, 5_000)] * 3 + [("paused", 0)]
    bodies = [request for request in kit.stub.requests if request.url.endswith(TYPING)]
    assert all(JID.encode() in (request.content or b"") for request in bodies)


async def test_failures_harm_nothing_and_are_not_repeated_for_ever(kit: Kit) -> None:
    client = kit.client()
    kit.stub.default = (400, {"status": 400, "response": {"message": ["[object Object]"]}})
    over = gated(kit, client, 20)
    await during(kit, client.chats.typing(JID), lambda: len(shown(kit)) == 3)
    over.set()
    assert [presence for presence, _ in shown(kit)] == ["composing"] * 3 + ["paused"]


async def test_it_takes_no_place_of_a_send(kit: Kit) -> None:
    """The server holds a presence for ten seconds: many of them would hold up every answer."""
    client = kit.client(
        config=EvolutionConfig(URL, KEY, bulkhead={"enabled": True, "max_in_flight": 1})
    )
    bulkhead, taken = client._pipeline.parts.guards.bulkhead, []
    enter = bulkhead.enter

    def watched(instance: Any) -> Any:
        taken.append(instance)
        return enter(instance)

    bulkhead.enter = watched
    over = gated(kit, client, 2)
    await during(kit, client.chats.typing(JID), lambda: len(shown(kit)) == 3)
    over.set()
    assert taken == []
    kit.stub.answer((201, record()))
    await kit.run(client.messages.send_text("5511987654321", "Hello"))
    assert taken == ["sales"], "what follows keeps to the guards"


async def test_its_failures_open_no_circuit(kit: Kit) -> None:
    client = kit.client(config=EvolutionConfig(URL, KEY, breaker={"consecutive_failures": 2}))
    kit.stub.default = ConnectionFailedError("refused", phase=Phase.NOT_SENT)
    over = gated(kit, client, 20)
    await during(kit, client.chats.typing(JID), lambda: len(shown(kit)) == 3)
    over.set()
    kit.stub.answer((201, record()))
    await kit.run(client.messages.send_text("5511987654321", "Hello"))


async def test_the_error_of_the_block_is_not_hidden(kit: Kit) -> None:
    client = kit.client()
    kit.stub.default = (500, {})
    over = gated(kit, client, 0)
    presence = client.chats.typing(JID)
    await kit.enter(presence)
    failure = KeyError("mine")
    leave = presence.__aexit__ if kit.colour == "async" else presence.__exit__
    assert not await kit.run(leave(KeyError, failure, None))
    over.set()
    assert not await kit.run(leave(None, None, None)), "a second end does nothing"


async def test_a_cancelled_block_makes_no_further_call(kit: Kit) -> None:
    client = kit.client()
    over = gated(kit, client, 0)
    presence = client.chats.typing(JID)
    await kit.enter(presence)
    await until(lambda: len(shown(kit)) == 1)
    leave = presence.__aexit__ if kit.colour == "async" else presence.__exit__
    await kit.run(leave(KeyboardInterrupt, KeyboardInterrupt(), None))
    over.set()
    assert [presence for presence, _ in shown(kit)] == ["composing"]


async def test_it_does_not_go_on_for_ever(kit: Kit) -> None:
    client = kit.client()
    over = gated(kit, client, 10_000)
    presence = client.chats.typing(JID)
    await kit.enter(presence)
    await until(lambda: len(shown(kit)) == 30)
    for _ in range(500):  # the chance to go on
        await asyncio.sleep(0)
    await kit.leave(presence)
    over.set()
    assert [presence for presence, _ in shown(kit)][30:] == ["paused"]


async def test_a_server_that_answers_at_once_is_not_asked_in_a_hurry() -> None:
    """The double holds no answer: without a wait a thread would ask it thousands of times."""
    fake = FakeEvolution(api_key="k")
    fake.create_instance("sales")
    from evolution_sdk import EvolutionClient

    with EvolutionClient("http://fake", "k", instance="sales", http_client=fake.http_client()) as c:
        with c.chats.typing("5511987654321"):
            threads = [t for t in threading.enumerate() if t.name == "evolution-presence"]
            assert threads
            assert all(thread.daemon for thread in threads)
            await until(lambda: bool(fake.requests))
        for thread in threads:
            thread.join(30)
        assert not any(thread.is_alive() for thread in threads)
    assert len(fake.requests) == 2


def test_a_time_too_short_is_refused(kit: Kit) -> None:
    with pytest.raises(RequestValidationError, match="renew_ms"):
        kit.client().chats.typing(JID, renew_ms=10)
    data = {"key": {"remoteJid": "status@broadcast", "id": "S", "fromMe": True}}
    own: Any = parse_event({"event": "messages.upsert", "instance": "sales", "data": data})
    with pytest.raises(RequestValidationError):
        own.bind(kit.client()).typing()
