"""The webhook: registered on create, and set, by the settings or by the caller."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest

from evolution_sdk import EvolutionConfig
from evolution_sdk.errors import BadRequestError, ConfigurationError, RequestValidationError

from .conftest import KEY, URL, Kit
from .fake_stage import EVOLUTION, Stage

HOOK = "https://hooks.example.com/evolution"


def config(**webhook: Any) -> EvolutionConfig:
    return EvolutionConfig(URL, KEY, webhook=webhook)


async def test_the_configured_webhook_is_registered_on_create(stage: Stage) -> None:
    client = stage.client(
        instance=None,
        config=config(
            enabled=True, base_url="https://hooks.example.com", events=["MESSAGES_UPSERT", "CALL"]
        ),
    )
    await stage.kit.run(client.instances.create("novo", integration=EVOLUTION))
    webhook = await stage.kit.run(client.instance("novo").webhook.find())
    assert (webhook.url, webhook.enabled) == (HOOK, True)
    assert set(webhook.events) == {"MESSAGES_UPSERT", "CALL"}


async def test_no_webhook_is_registered_when_the_setting_is_off(stage: Stage) -> None:
    client = stage.client(instance=None, config=config(enabled=False, global_url=HOOK))
    await stage.kit.run(client.instances.create("novo", integration=EVOLUTION))
    assert "webhook" not in stage.last.json
    assert await stage.kit.run(client.instance("novo").webhook.find()) is None


async def test_an_explicit_webhook_wins_over_the_configured_one(stage: Stage) -> None:
    other = "https://other.example.com/in"
    client = stage.client(instance=None, config=config(enabled=True, global_url=HOOK))
    await stage.kit.run(
        client.instances.create(
            "novo", integration=EVOLUTION, webhook={"url": other, "events": ["CALL"]}
        )
    )
    webhook = await stage.kit.run(client.instance("novo").webhook.find())
    assert (webhook.url, webhook.events) == (other, ("CALL",))


async def test_a_webhook_without_an_address_is_found_at_construction(stage: Stage) -> None:
    with pytest.raises(ConfigurationError) as caught:
        stage.client(config=config(enabled=True))
    assert caught.value.variable == "EVOLUTION_WEBHOOK_GLOBAL_URL"


async def test_webhook_set_takes_address_and_events_from_the_settings(stage: Stage) -> None:
    stage.open_instance(EVOLUTION)
    client = stage.client(config=config(enabled=False, global_url=HOOK, events=["CALL"]))
    webhook = await stage.kit.run(client.webhook.set(headers={"authorization": "x"}))
    assert (webhook.url, webhook.events, webhook.enabled) == (HOOK, ("CALL",), True)
    chosen = await stage.kit.run(
        client.webhook.set("https://other.example.com", events=["MESSAGES_UPSERT"])
    )
    assert (chosen.url, chosen.events) == ("https://other.example.com", ("MESSAGES_UPSERT",))
    assert chosen.headers == {"authorization": "x"}  # kept, as the server does
    everything = await stage.kit.run(client.webhook.set(events=[]))
    assert len(everything.events) > 20
    off = await stage.kit.run(client.webhook.set(enabled=False))
    assert (off.enabled, off.events) == (False, ())


async def test_webhook_set_without_any_address_is_refused_here(stage: Stage) -> None:
    stage.open_instance(EVOLUTION)
    with pytest.raises(RequestValidationError, match="url"):
        await stage.kit.run(stage.client().webhook.set())
    assert stage.arrived == []


NO_URL = (400, {"status": 400, "response": {"message": ['Invalid "url" property']}})
"""What 2.2.3 answers where the url is empty (`facts/versions/2.2.3/webhook.json`)."""
STORED = {"url": HOOK, "enabled": True, "events": ["CALL"]}


async def test_a_server_that_wants_the_url_to_switch_off_gets_the_stored_one(kit: Kit) -> None:
    kit.stub.answer(NO_URL, (200, STORED), (201, {**STORED, "enabled": False}))
    off = await kit.run(kit.client().webhook.set(enabled=False))
    assert not off.enabled
    first, _, last = (request.url.rpartition("/webhook/")[2] for request in kit.stub.requests)
    assert (first, last) == ("set/sales", "set/sales")
    body = json.loads(kit.stub.requests[-1].content or b"")
    assert body["webhook"] == {"enabled": False, "url": HOOK, "events": []}


@pytest.mark.parametrize("found", [None, {**STORED, "url": ""}])
async def test_without_a_stored_url_the_refusal_is_told(kit: Kit, found: Any) -> None:
    kit.stub.answer(NO_URL, (200, found))
    with pytest.raises(BadRequestError, match=r"webhook\.find"):
        await kit.run(kit.client().webhook.set(enabled=False))
    assert len(kit.stub.requests) == 2


async def test_a_refused_url_of_the_callers_is_told_at_once(kit: Kit) -> None:
    kit.stub.answer(NO_URL)
    with pytest.raises(BadRequestError):
        await kit.run(kit.client().webhook.set(HOOK))
    assert len(kit.stub.requests) == 1


def _refusing(*places: int) -> tuple[int, dict[str, Any]]:
    """What a server answers that does not know the events at these places."""
    words = [f"webhook.events[{place}] is not one of enum values: CALL,…" for place in places]
    return 400, {"status": 400, "response": {"message": [words]}}


async def test_events_that_the_server_does_not_know_are_left_out_of_a_sync(kit: Kit) -> None:
    """2.3.7 refuses the whole subscription (`facts/versions/2.3.7/new_routes.json`)."""
    names = ["CALL", "MESSAGING_HISTORY_SET", "LOGOUT_INSTANCE"]
    kit.stub.answer((200, None), _refusing(1), (201, {**STORED, "events": [names[0], names[2]]}))
    client = kit.client(server_version=None)
    with pytest.warns(UserWarning, match="does not know MESSAGING_HISTORY_SET: left out"):
        done = await kit.run(client.webhook.sync(names, url=HOOK))
    sent = [json.loads(request.content or b"") for request in kit.stub.requests[1:]]
    assert [body["webhook"]["events"] for body in sent] == [names, [names[0], names[2]]]
    assert done.webhook.events == (names[0], names[2])


async def test_events_that_the_version_lacks_never_leave(kit: Kit) -> None:
    names = ["CALL", "MESSAGING_HISTORY_SET", "STATUS_INSTANCE"]
    for version, left in {"2.2.3": names[:1], "2.3.7": names[::2], "2.4.0": names}.items():
        before = len(kit.stub.requests)
        kit.stub.answer((200, None), (201, {**STORED, "events": left}))
        client = kit.client(server_version=version)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            await kit.run(client.webhook.sync(names, url=HOOK))
        _, sent = kit.stub.requests[before:]
        assert json.loads(sent.content or b"")["webhook"]["events"] == left
        assert len(told) == (left != names)


@pytest.mark.parametrize(
    "answer",
    [
        _refusing(0, 1),  # none is left, and none would mean all
        (400, {"status": 400, "response": {"message": [["webhook.url is too long"]]}}),
        (400, {"status": 400, "response": {"message": [[*_refusing(0)[1]["response"]["message"][0],
                                                        "webhook.url is too long"]]}}),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:This version of the server")
async def test_any_other_refusal_of_a_sync_is_told(kit: Kit, answer: Any) -> None:
    kit.stub.answer((200, None), answer)
    with pytest.raises(BadRequestError):
        await kit.run(kit.client().webhook.sync(["CALL", "LOGOUT_INSTANCE"], url=HOOK))
    assert len(kit.stub.requests) == 2
