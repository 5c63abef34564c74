"""What a person may do from the page."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from console_kit import BEARER, TOKEN, act, ask
from monitor_kit import KEY, NUMBER, envelope

from evolution_sdk import AsyncEvolutionClient, EvolutionClient, EvolutionConfig
from evolution_sdk.events import EventRouter, MessagesUpsert
from evolution_sdk.monitor import EvolutionConsole, EvolutionMonitorService
from evolution_sdk.outbox import AsyncOutbox, Outbox
from evolution_sdk.testing import FakeEvolution
from evolution_sdk.webhooks import WebhookReceiver

JSON = {"content-type": "application/json"}
# A key as programs make them: it must not show the number.
ORDER = f"order-{NUMBER}"


@pytest.fixture
def fake() -> FakeEvolution:
    made = FakeEvolution(api_key=KEY)
    made.create_instance("sales")
    return made


@pytest.fixture
def monitored(fake: FakeEvolution) -> Iterator[tuple[EvolutionMonitorService, EvolutionClient]]:
    config = EvolutionConfig(fake.url, KEY, instance="sales")
    with (
        EvolutionClient(config=config, http_client=fake.http_client()) as client,
        EvolutionMonitorService(client, sinks=(), anomalies=False) as monitor,
    ):
        monitor.check_health_sync()
        yield monitor, client


async def state_of(console: EvolutionConsole) -> Any:
    return (await ask(console, "GET", "/api/state", BEARER)).json


async def test_an_outbox_is_shown_and_settled(monitored: Any, tmp_path: Path) -> None:
    monitor, client = monitored
    outbox = Outbox(tmp_path / "outbox.db", client=client)
    for key in (ORDER, "order-2"):
        outbox.messages.send_text(NUMBER, "a secret", key=key)
    console = EvolutionConsole(monitor, outbox=outbox, token=TOKEN, actions=True)
    answer = await ask(console, "GET", "/api/state", BEARER)
    shown = answer.json["outbox"]
    assert (shown["depth"], shown["counts"], shown["readable"]) == (2, {"queued": 2}, True)
    assert b"a secret" not in answer.body
    assert NUMBER.encode() not in answer.body
    first, second = (row["id"] for row in shown["rows"])
    done = (await act(console, action="cancel", id=first)).json
    assert (done["ok"], done["done"]) == (True, 1)
    assert outbox.get(ORDER).state == "cancelled"  # type: ignore[union-attr]
    again = (await act(console, action="cancel", key=ORDER)).json
    assert (again["ok"], again["done"]) == (True, 0)
    assert (await act(console, action="retry", key=ORDER)).json["done"] == 1
    assert (await act(console, action="pause", instance="sales")).json["ok"]
    assert [pause.instance for pause in outbox.pauses()] == ["sales"]
    assert (await act(console, action="resume", instance="sales")).json["done"] == 1
    assert (await act(console, action="resolve", id=second, sent=True)).json["done"] == 0
    unknown = await act(console, action="resolve", id=999, sent=True)
    assert (unknown.status, unknown.json["error"]) == (404, "missing")
    console.close()
    outbox.close()


@pytest.fixture
async def async_outbox(fake: FakeEvolution, tmp_path: Path) -> AsyncIterator[AsyncOutbox]:
    config = EvolutionConfig(fake.url, KEY, instance="sales")
    async with AsyncEvolutionClient(config=config, http_client=fake.async_http_client()) as client:
        made = AsyncOutbox(tmp_path / "async.db", client=client)
        yield made
        await made.close()


async def test_an_async_outbox_is_settled_as_well(
    monitored: Any, async_outbox: AsyncOutbox
) -> None:
    await async_outbox.messages.send_text(NUMBER, "oi", key="order-1")
    console = EvolutionConsole(monitored[0], outbox=async_outbox, token=TOKEN, actions=True)
    (row,) = (await state_of(console))["outbox"]["rows"]
    assert (await act(console, action="cancel", id=row["id"])).json["done"] == 1
    found = await async_outbox.get("order-1")
    assert found is not None
    assert found.state == "cancelled"
    console.close()


async def test_dead_letters_are_replayed_and_discarded(monitored: Any, tmp_path: Path) -> None:
    monitor, _ = monitored
    router, fails = EventRouter(), [True]
    handled: list[str] = []

    @router.on(MessagesUpsert)
    def handle(event: MessagesUpsert) -> None:
        if fails[0]:
            raise ValueError("a secret")
        handled.append(event.instance)

    receiver = WebhookReceiver(router, inbox=tmp_path / "inbox.db").start()
    for number in range(2):
        key = {"id": f"M{number}", "fromMe": False, "remoteJid": f"{NUMBER}@s.whatsapp.net"}
        body = envelope("messages.upsert", "sales", {"key": key, "message": {"conversation": "x"}})
        receiver.handle("POST", "/", JSON, json.dumps(body).encode())
    assert receiver.drain()
    console = EvolutionConsole(monitor, receiver=receiver, token=TOKEN, actions=True)
    answer = await ask(console, "GET", "/api/state", BEARER)
    letters = answer.json["receiver"]["dead_letters"]
    assert [(each["kind"], each["instance"], each["error"]) for each in letters] == [
        ("messages.upsert", "sales", "ValueError")
    ] * 2
    assert b"a secret" not in answer.body
    assert NUMBER.encode() not in answer.body
    fails[0] = False
    assert (await act(console, action="replay", ids=[letters[0]["id"]])).json["done"] == 1
    assert receiver.drain()
    assert handled == ["sales"]
    assert (await act(console, action="discard", ids=None)).json["done"] == 1
    assert (await state_of(console))["receiver"]["dead"] == 0
    console.close()
    receiver.close()


async def test_a_code_is_fetched_and_goes_when_the_phone_is_linked(
    monitored: Any, fake: FakeEvolution
) -> None:
    monitor, _ = monitored
    console = EvolutionConsole(monitor, token=TOKEN, actions=True)
    fake.log_out("sales")
    monitor.check_health_sync()
    answer = (await act(console, action="connect", instance="sales")).json
    assert answer["pairing"]["image"].startswith("data:image/png;base64,")
    state = await state_of(console)
    assert state["pairing"] == {"sales": answer["pairing"]}
    assert state["instances"]["sales"]["needs_pairing"]
    fake.scan_qr("sales")
    monitor.check_health_sync()
    assert (await state_of(console))["pairing"] == {}
    console.close()


async def test_only_watched_instances_are_connected(monitored: Any, fake: FakeEvolution) -> None:
    fake.create_instance("another")
    console = EvolutionConsole(monitored[0], token=TOKEN, actions=True)
    assert (await act(console, action="connect", instance="another")).status == 404
    console.close()


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({}, "action"),
        ({"action": ["replay"]}, "action"),
        ({"action": "drop_all"}, "action"),
        ({"action": "connect"}, "value"),
        ({"action": "connect", "instance": None}, "value"),
        ({"action": "replay", "ids": [1]}, "missing"),
        ({"action": "cancel", "key": "x"}, "missing"),
    ],
)
async def test_what_is_wrong_is_told_as_data(
    monitored: Any, asked: dict[str, Any], error: str
) -> None:
    console = EvolutionConsole(monitored[0], token=TOKEN, actions=True)
    answer = await act(console, **asked)
    assert 400 <= answer.status < 500
    assert (answer.json["ok"], answer.json["error"]) == (False, error)
    assert set(answer.json["words"]) == {"en", "pt"}
    console.close()


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"null"])
async def test_a_body_that_is_no_object_is_refused(monitored: Any, body: bytes) -> None:
    console = EvolutionConsole(monitored[0], token=TOKEN, actions=True)
    named = {**BEARER, "x-evolution-console": "1"}
    assert (await ask(console, "POST", "/api/actions", named, body)).status == 400
    console.close()


@pytest.mark.parametrize("ids", [[], "all", [True], [1.5], ["1"], {"a": 1}, list(range(2_000))])
async def test_numbers_of_dead_letters_are_numbers(monitored: Any, ids: Any) -> None:
    receiver = WebhookReceiver(EventRouter())
    console = EvolutionConsole(monitored[0], receiver=receiver, token=TOKEN, actions=True)
    assert (await act(console, action="discard", ids=ids)).json["error"] == "value"
    console.close()


async def test_an_outbox_that_cannot_be_read_is_told(monitored: Any) -> None:
    class Broken:
        def read_stats(self) -> Any:
            raise OSError("a secret")

        def find(self, **which: Any) -> Any:
            raise AssertionError(which)

        cancel = retry = resolve = pause = resume = find

    console = EvolutionConsole(monitored[0], outbox=Broken(), token=TOKEN)
    shown = (await state_of(console))["outbox"]
    assert (shown["readable"], shown["error"]) == (False, "OSError")
    console.close()
