"""The breaker of a client, in both colours: it spares a dead server, and no one else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from evolution_sdk import CircuitOpenError, EvolutionConfig, RetryPolicy
from evolution_sdk.errors import ConnectionFailedError, InstanceNotConnectedError, Phase
from evolution_sdk.operations.routes.chat import FIND_MESSAGES
from evolution_sdk.resilience import BreakerChange
from evolution_sdk.testing import FakeEvolution

from .conftest import KEY, URL, Kit, record, world_of

NUMBER = "5511987654321"
DEAD = ConnectionFailedError("refused", phase=Phase.NOT_SENT)
CLOSED_SOCKET = (
    400,
    {"status": 400, "error": "Bad Request", "response": {"message": ["Connection Closed"]}},
)


def client_of(kit: Kit, **breaker: Any) -> Any:
    values = {"consecutive_failures": 3, "probes": 1, "open_ms": 15_000, **breaker}
    kit.stub.default = (201, record())
    return kit.client(config=EvolutionConfig(URL, KEY, breaker=values))


async def fail(kit: Kit, client: Any, times: int) -> None:
    for _ in range(times):
        kit.stub.answer(DEAD)
        with pytest.raises(ConnectionFailedError):
            await kit.run(client.chats.find(retry=False))


async def test_a_dead_server_is_left_alone_and_tried_again_later(kit: Kit) -> None:
    client = client_of(kit)
    changes: list[BreakerChange] = []
    client.on_breaker_change(changes.append)
    await fail(kit, client, 3)
    asked = len(kit.stub.requests)
    with pytest.raises(CircuitOpenError) as caught:
        await kit.run(client.messages.send_text(NUMBER, "oi", retry=False))
    assert len(kit.stub.requests) == asked
    assert (caught.value.operation, caught.value.phase) == ("message.send_text", Phase.NOT_SENT)
    assert caught.value.retry_after_ms == 15_000
    assert client.breakers()["server"].state == "open"
    kit.time.now += 15
    await kit.run(client.messages.send_text(NUMBER, "oi"))
    assert client.breakers()["server"].state == "closed"
    assert [change.new.value for change in changes] == ["open", "half_open", "closed"]


async def test_a_listener_can_be_taken_back(kit: Kit) -> None:
    client = client_of(kit)
    changes: list[BreakerChange] = []
    client.on_breaker_change(changes.append)()
    await fail(kit, client, 3)
    assert changes == []


async def test_it_is_asked_before_each_attempt(kit: Kit) -> None:
    client = client_of(kit, open_ms=10**9)
    kit.stub.default = DEAD
    with pytest.raises((ConnectionFailedError, CircuitOpenError)):
        await kit.run(client.chats.find(retry=RetryPolicy(max_attempts=9, jitter="none")))
    assert len(kit.stub.requests) == 3


async def test_it_can_be_switched_off(kit: Kit) -> None:
    client = client_of(kit, enabled=False)
    await fail(kit, client, 50)
    assert client.breakers() == {}
    client.on_breaker_change(print)()


async def test_a_dead_connection_spares_others_and_its_repair(kit: Kit) -> None:
    client = client_of(kit)
    for _ in range(3):
        kit.stub.answer(CLOSED_SOCKET)
        with pytest.raises(InstanceNotConnectedError):
            await kit.run(client.messages.send_text(NUMBER, "oi", retry=False))
    with pytest.raises(CircuitOpenError) as caught:
        await kit.run(client.messages.send_text(NUMBER, "oi", retry=False))
    assert (caught.value.scope, caught.value.instance) == ("instance", "sales")
    await kit.run(client.instance("other").messages.send_text(NUMBER, "oi"))
    kit.stub.default = (200, {"instance": {"instanceName": "sales", "state": "close"}})
    await kit.run(client.instances.connection_state("sales"))
    await kit.run(client.instances.connect("sales"))
    await kit.run(client.instances.restart("sales"))
    assert client.breakers()["instance:sales"].state == "open"


async def test_a_look_up_goes_past_an_open_circuit(kit: Kit) -> None:
    client = client_of(kit)
    await fail(kit, client, 3)
    page = {"total": 0, "pages": 0, "currentPage": 1, "records": []}
    kit.stub.default = (200, {"messages": page})
    caller = client._pipeline
    found = await kit.run(caller.call(FIND_MESSAGES, client._target, {"where": {}}, direct=True))
    assert found.records == ()
    assert client.breakers()["server"].state == "open"


async def test_a_lost_answer_is_looked_for_while_the_circuit_is_open(kit: Kit) -> None:
    client = client_of(kit, consecutive_failures=1)
    stored = record(messageTimestamp=int(kit.time.now), message={"conversation": "oi"})
    pages = {"messages": {"total": 1, "pages": 1, "currentPage": 1, "records": [stored]}}
    kit.stub.answer(ConnectionFailedError("reset", phase=Phase.UNKNOWN), (200, pages))
    sent = await kit.run(client.messages.send_text(NUMBER, "oi"))
    assert sent.reconciled
    assert client.breakers()["server"].state == "open"


async def test_a_cancelled_probe_gives_its_place_back() -> None:
    kit = Kit("async")
    client = client_of(kit)
    await fail(kit, client, 3)
    kit.time.now += 15
    hanging = asyncio.Event()

    async def never(_: Any) -> Any:
        hanging.set()
        await asyncio.Event().wait()

    kit.stub.send, send = never, kit.stub.send  # type: ignore[method-assign]
    task = asyncio.create_task(client.chats.find())
    await hanging.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert client.breakers()["server"].state == "half_open"
    kit.stub.send = send  # type: ignore[method-assign]
    kit.stub.default = (200, [])
    await client.chats.find()
    assert client.breakers()["server"].state == "closed"


async def test_user_errors_never_open_it(kit: Kit) -> None:
    client = client_of(kit, minimum_calls=1, failure_rate=0.1)
    for status in (400, 401, 403, 404):
        kit.stub.default = (status, {"status": status, "error": "x", "response": {"message": "no"}})
        for _ in range(5):
            with pytest.raises(Exception, match="no"):
                await kit.run(client.chats.find(retry=False))
    shot = client.breakers()["server"]
    assert (shot.state, shot.failure_rate, shot.calls) == ("closed", 0.0, 20)


def faulty(**chances: float) -> FakeEvolution:
    fake = FakeEvolution(api_key=KEY, seed=7)
    fake.create_instance("sales", integration="WHATSAPP-BAILEYS", state="open")
    for kind, chance in chances.items():
        more: dict[str, Any] = {}
        if kind == "status":
            more = {"status": 500, "body": {"status": 500, "response": {"message": "boom"}}}
        fake.faults.add("message.send_text", kind, probability=chance, **more)
    return fake


def client_before(kit: Kit, fake: FakeEvolution, **options: Any) -> Any:
    """A client with the default breaker."""
    http = fake.async_http_client() if kit.colour == "async" else fake.http_client()
    client = kit.client(stub=False, http_client=http, **options)
    world_of(client).wall = lambda: fake.clock.now_ms() / 1_000
    return client


async def test_a_bad_day_of_the_network_opens_nothing(kit: Kit) -> None:
    fake = faulty(answer_then_drop=0.2, refuse=0.1, status=0.05)
    client = client_before(kit, fake, retry=kit.retry_service(max_attempts=12, delay_ms=1))
    changes: list[BreakerChange] = []
    client.on_breaker_change(changes.append)
    for number in range(150):
        await kit.run(client.messages.send_text(NUMBER, f"oi {number}", on_unknown="resend"))
    assert changes == []
    assert len(fake.sent) == 150
    shot = client.breakers()["server"]
    assert shot.calls > 0
    assert 0.2 < shot.failure_rate < 0.5


async def test_a_dead_server_opens_it_within_twenty_calls(kit: Kit) -> None:
    client = client_before(kit, faulty(refuse=1.0))
    for _ in range(20):
        with pytest.raises(ConnectionFailedError):
            await kit.run(client.messages.send_text(NUMBER, "oi", retry=False))
    with pytest.raises(CircuitOpenError):
        await kit.run(client.messages.send_text(NUMBER, "oi", retry=False))
