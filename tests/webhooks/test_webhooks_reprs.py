"""No repr of a receiver's or a stream's shows a body, a key, or a whole phone number."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from evolution_sdk.events import Event, MalformedEvent, parse_event
from evolution_sdk.streams import RabbitStream, SocketStream
from evolution_sdk.streams._authenticated_http import CompleteAnswer
from evolution_sdk.webhooks import DeadLetter
from evolution_sdk.webhooks.admission import AdmissionControl, AdmittedRequest
from evolution_sdk.webhooks.inbox import InboxEntry
from evolution_sdk.webhooks.queued_delivery import QueuedDelivery
from evolution_sdk.webhooks.responses import Answer
from evolution_sdk.webhooks.verify import Verification

from .conftest import NOW, Kit, posted

SECRETS = ("sesame", "broker-word", "tok", "what people wrote", "5511988887777", "988887777")
BODY = json.dumps(
    {
        "event": "messages.upsert",
        "instance": "sales",
        "apikey": "tok",
        "data": {
            "key": {"remoteJid": "5511988887777@s.whatsapp.net", "fromMe": False, "id": "ID1"},
            "pushName": "what people wrote",
            "message": {"conversation": "what people wrote"},
            "messageType": "conversation",
        },
    }
).encode()
GROUP = json.dumps(
    {
        "event": "group-participants.update",
        "instance": "sales",
        "data": {"id": "5511988887777-1600000000@g.us", "participants": [], "action": "add"},
    }
).encode()


def letter(body: bytes = BODY, error: str = "ValueError") -> DeadLetter:
    at = datetime.fromtimestamp(NOW, UTC)
    event = parse_event(body, source="webhook")
    return DeadLetter(7, event, error, "what people wrote to 5511988887777", 2, at, at)


def test_a_dead_letter_says_what_helps() -> None:
    assert repr(letter()) == (
        "DeadLetter(7, MessagesUpsert(instance='sales', id='ID1', kind='text', from_me=False), "
        "error='ValueError', attempts=2, received_at=2026-11-23T15:31:29Z, "
        "failed_at=2026-11-23T15:31:29Z)"
    )
    assert letter().error_text == "what people wrote to 5511988887777", "who asks is told"
    assert replace(letter(), attempts=3).attempts == 3
    assert "error_text" in {one.name for one in fields(DeadLetter)}


def shown() -> list[Any]:
    event = parse_event(BODY, source="webhook")
    entry = InboxEntry(
        event.delivery_key, BODY, hint="what people wrote", id=1, error="ValueError",
        error_text="what people wrote",
    )  # fmt: skip
    proofs = Verification.made(
        jwt_key="sesame-open-sesame", jwt_leeway_ms=1, secret_headers={"X": "sesame"},
        apikeys="tok", server_url=None,
    )  # fmt: skip
    gate = AdmissionControl(Verification(), 1_000, None, lambda: NOW)
    admitted = gate.judge_body("/", {}, BODY)
    assert isinstance(admitted, AdmittedRequest)
    return [
        letter(), letter(GROUP), letter(error="call 5511988887777"), event, entry,
        QueuedDelivery(entry, event, "chat"), proofs, gate, admitted, CompleteAnswer(200, BODY),
        Answer.APIKEY,
        SocketStream(print, "http://x", "sesame", key_in="query"),
        RabbitStream(print, "amqp://guest:broker-word@x/"),
        parse_event(b'"what people wrote"', source="webhook"),
    ]  # fmt: skip


@pytest.mark.parametrize("number", range(14))
def test_no_repr_shows_what_is_secret(number: int) -> None:
    told = f"{shown()[number]!r} {shown()[number]}"
    assert not [word for word in SECRETS if word in told]


def test_a_receivers_letters_and_itself_show_nothing(kit: Kit) -> None:
    def bad(event: Event[Any]) -> None:
        raise ValueError("what people wrote to 5511988887777")

    kit.router.add(bad, Event)
    receiver = kit.receiver(jwt_key=None, apikeys="tok")
    assert kit.post(receiver, BODY) == 200
    assert receiver.drain()
    told = f"{receiver.dead_letters()} {receiver!r} {vars(receiver)} {receiver.metrics()!r}"
    assert not [word for word in SECRETS if word in told]
    assert isinstance(parse_event(b"x", source="webhook"), MalformedEvent)
    assert kit.post(receiver, posted()) == 412
