"""A receiver with a client: what it hears settles sends and wakes those who wait."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evolution_sdk import EvolutionClient, SendOutcomeUnknownError
from evolution_sdk.events import Event, EventRouter, SendMessage
from evolution_sdk.testing import FakeEvolution
from evolution_sdk.webhooks import WebhookReceiver
from evolution_sdk.webhooks.verify import sign_token

NUMBER = "5511987654321"


def post(receiver: WebhookReceiver, envelope: dict[str, Any]) -> int:
    body = json.dumps(envelope).encode()
    return receiver.handle("POST", "/", {"content-type": "application/json"}, body)[0]


def test_an_event_of_a_lost_send_settles_it() -> None:
    """The server stores nothing: only the event that arrives by webhook tells."""
    fake = FakeEvolution(api_key="k", store_messages=False)
    fake.create_instance("sales")
    fake.faults.add("message.send_text", "answer_then_drop", count=1)
    router = EventRouter()
    router.add(lambda event: None, Event)

    def sleep(seconds: float) -> None:
        # what the server posts while the client looks for the message
        sent = fake.sent[-1]
        record = {
            "key": {"id": sent.key_id, "remoteJid": f"{NUMBER}@s.whatsapp.net", "fromMe": True},
            "message": {"conversation": "oi"},
            "messageType": "conversation",
            "messageTimestamp": int(fake.clock.now_ms() / 1_000),
        }
        envelope = {"event": "send.message", "instance": "sales", "data": record}
        assert post(receiver, {**envelope, "apikey": "token"}) == 200

    engine = fake.http_client()
    with EvolutionClient(
        fake.url, "k", instance="sales", http_client=engine, sleep=sleep
    ) as client:
        receiver = WebhookReceiver(router, client=client, apikeys="token")
        found = client.messages.send_text(NUMBER, "oi")
        receiver.close()
    assert (found.evidence, found.id) == ("event", fake.sent[-1].key_id)


@pytest.mark.parametrize("fails", [False, True])
def test_a_client_is_fed_once_and_its_failure_harms_nothing(fails: bool) -> None:
    fed: list[Event[Any]] = []

    class Client:
        def feed(self, event: Event[Any]) -> None:
            fed.append(event)
            if fails:
                raise RuntimeError

        def bind_event(self, event: Event[Any]) -> Event[Any]:
            return event

    router = EventRouter()
    router.add(lambda event: None, SendMessage)
    receiver = WebhookReceiver(router, client=Client())
    envelope = {"event": "send.message", "instance": "sales", "data": {"key": {"id": "A"}}}
    assert [post(receiver, envelope) for _ in range(2)] == [200, 200]
    receiver.close()
    assert len(fed) == 1


def test_a_client_hears_of_kinds_that_no_handler_wants() -> None:
    """A wait or a lost send may want them."""
    fed: list[Event[Any]] = []

    class Client:
        def feed(self, event: Event[Any]) -> None:
            fed.append(event)

        def bind_event(self, event: Event[Any]) -> Event[Any]:
            return event

    receiver = WebhookReceiver(EventRouter(), client=Client())
    assert post(receiver, {"event": "messages.update", "instance": "sales", "data": {}}) == 200
    receiver.close()
    assert [event.event for event in fed] == ["messages.update"]
    assert receiver.metrics().accepted == 0


PROOFS: dict[str, tuple[dict[str, Any], dict[str, str], dict[str, Any]]] = {
    "apikey": ({"apikeys": "token"}, {}, {"apikey": "token"}),
    "header": ({"secret_headers": {"x-secret": "s3cret"}}, {"x-secret": "s3cret"}, {}),
    "token": (
        {"jwt_key": "a-key-of-more-than-sixteen-bytes"},
        {"authorization": f"Bearer {sign_token('a-key-of-more-than-sixteen-bytes', 1e9, 10**10)}"},
        {},
    ),
    "server_url": (
        {"server_url": "https://evo.example"},
        {},
        {"server_url": "https://evo.example"},
    ),
    "nothing": ({}, {}, {}),
}


@pytest.mark.parametrize("proof", PROOFS)
@pytest.mark.parametrize("wanted", [True, False])
def test_only_what_was_verified_is_handed_on_as_verified(proof: str, wanted: bool) -> None:
    """``server_url`` is no secret: the server writes it into every body."""
    options, headers, changes = PROOFS[proof]
    fed: list[bool] = []

    class Client:
        def feed(self, event: Event[Any], *, verified: bool = False) -> None:
            fed.append(verified)

        def bind_event(self, event: Event[Any]) -> Event[Any]:
            return event

    router = EventRouter()
    if wanted:
        router.add(lambda event: None, SendMessage)
    receiver = WebhookReceiver(router, client=Client(), **options)
    envelope = {"event": "send.message", "instance": "sales", "data": {"key": {"id": "A"}}}
    body = json.dumps({**envelope, **changes}).encode()
    assert receiver.handle("POST", "/", headers, body)[0] == 200
    receiver.close()
    assert fed == [proof in ("apikey", "header", "token")]


def test_a_posted_event_of_a_stranger_settles_no_send() -> None:
    fake = FakeEvolution(api_key="k", store_messages=False)
    fake.create_instance("sales")
    fake.faults.add("message.send_text", "drop", count=1)
    posted: list[float] = []

    def sleep(seconds: float) -> None:
        record = {
            "key": {"id": "FORGED", "remoteJid": f"{NUMBER}@s.whatsapp.net", "fromMe": True},
            "message": {"conversation": "oi"},
            "messageType": "conversation",
            "messageTimestamp": int(fake.clock.now_ms() / 1_000),
        }
        envelope = {"event": "send.message", "instance": "sales", "data": record}
        assert post(receiver, envelope) == 200
        posted.append(seconds)

    engine = fake.http_client()
    with EvolutionClient(
        fake.url, "k", instance="sales", http_client=engine, sleep=sleep
    ) as client:
        receiver = WebhookReceiver(EventRouter(), client=client)
        with pytest.raises(SendOutcomeUnknownError):
            client.messages.send_text(NUMBER, "oi")
        receiver.close()
    assert posted, "the event came while the client looked for the message"
