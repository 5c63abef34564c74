"""No repr, error text or log shows a whole phone number unless it was asked for."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from clients.conftest import KEY, URL, Kit
from evolution_sdk import EvolutionConfig, Jid, PhoneNumber, show_phone_numbers
from evolution_sdk.errors import ConnectionFailedError, RecipientNotFoundError
from evolution_sdk.events import parse_event
from evolution_sdk.models import NumberCheck, SentMessage

NUMBER = "5511987654321"
JID = f"{NUMBER}@s.whatsapp.net"
KEY_OF = {"id": "A", "remoteJid": JID, "fromMe": False, "participant": JID}
MESSAGE = {
    "key": KEY_OF,
    "pushName": "Ana",
    "message": {"conversation": f"call {NUMBER}"},
    "messageType": "conversation",
    "messageTimestamp": 1_795_447_889,
}
EVENT = {"event": "messages.upsert", "instance": "sales", "sender": JID, "data": MESSAGE}


@pytest.fixture(autouse=True)
def _masked_again() -> Iterator[None]:
    yield
    show_phone_numbers(False)


def _things() -> dict[str, Any]:
    event = parse_event(EVENT)
    return {
        "jid": Jid.parse(JID),
        "jid of a device": Jid(NUMBER, "s.whatsapp.net", 3),
        "hidden id": Jid("12345678901234", "lid"),
        "number": PhoneNumber(NUMBER),
        "event": event,
        "data of an event": event.data,
        "key": event.data.key,
        "sent message": SentMessage.from_wire(MESSAGE),
        "check": NumberCheck.from_wire({"number": NUMBER, "jid": JID, "exists": True}),
        "presence": parse_event(
            {"event": "presence.update", "instance": "sales", "data": {"id": JID, "presences": {}}}
        ),
        "settings": EvolutionConfig(URL, KEY, monitoring={"alerts": {"number": NUMBER}}),
        "error": RecipientNotFoundError(400, [f"{NUMBER} is not there"], number=NUMBER),
        "list of things": [Jid.parse(JID), PhoneNumber(NUMBER)],
    }


@pytest.mark.parametrize("name", _things())
def test_reprs_are_masked(name: str) -> None:
    thing = _things()[name]
    assert NUMBER not in repr(thing)
    assert NUMBER not in f"{thing!r}"
    assert "12345678901234" not in repr(thing)


@pytest.mark.parametrize("name", ["jid", "number", "key", "sent message", "settings", "error"])
def test_reprs_are_whole_when_asked_for(name: str) -> None:
    show_phone_numbers()
    assert NUMBER in repr(_things()[name])


def test_texts_and_fields_are_always_whole() -> None:
    assert str(PhoneNumber(NUMBER)) == PhoneNumber(NUMBER).e164 == f"+{NUMBER}"
    assert str(Jid.parse(JID)) == JID
    event = parse_event(EVENT)
    assert event.data.key.remote_jid == JID
    error = RecipientNotFoundError(400, [f"{NUMBER} is not there"], number=NUMBER)
    assert error.number == NUMBER
    assert error.messages == (f"{NUMBER} is not there",)


def test_error_texts_are_masked_and_stay_useful() -> None:
    error = RecipientNotFoundError(400, [f"{NUMBER} is not there"], number=NUMBER)
    assert "5511*****4321 is not there" in str(error)
    assert NUMBER not in str(ConnectionFailedError(f"no way to http://x/connect?number={NUMBER}"))


def test_names_of_groups_and_instances_stay() -> None:
    group = Jid.parse("120363000000000001@g.us")
    assert "120363000000000001" in repr(group)
    event = parse_event({**EVENT, "instance": NUMBER})
    assert f"instance={NUMBER!r}" in repr(event)


@pytest.mark.parametrize("colour", ["sync", "async"])
async def test_logs_show_no_number(colour: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    kit = Kit(colour)
    kit.stub.default = (201, {**MESSAGE, "status": 5})
    await kit.run(kit.client().messages.send_text(NUMBER, "oi"))
    assert caplog.text
    assert NUMBER not in caplog.text
