"""Webhooks of the fake: which events go where, how often, and when."""

from __future__ import annotations

import base64
import itertools
import json
from typing import Any

import httpx
import pytest
from delivery_stage import HOOK, PEER, Receiver, ask, hooked, raising, seconds, set_webhook

from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import EventRouter, MessagesUpsert
from evolution_sdk.testing import FakeClock, FakeEvolution, WebhookOptions
from evolution_sdk.testing.fake.delivery.rules import subscription
from evolution_sdk.webhooks import WebhookReceiver
from evolution_sdk.webhooks.verify import read_token


def test_nothing_moves_until_the_test_delivers() -> None:
    fake, receiver = hooked(), Receiver()
    fake.receive_text("sales", from_=PEER, text="oi")
    assert (fake.webhooks.waiting, fake.deliveries) == (3, [])
    made = fake.webhooks.deliver(receiver)
    assert receiver.events == ["messages.upsert", "contacts.upsert", "chats.upsert"]
    assert made == fake.deliveries
    assert [each.outcome for each in made] == ["delivered"] * 3
    assert fake.webhooks.waiting == 0
    assert fake.webhooks.deliver(receiver) == []


def test_only_subscribed_events_of_an_enabled_webhook_go_out() -> None:
    fake, receiver = hooked(events=["MESSAGES_UPSERT"]), Receiver()
    fake.receive_text("sales", from_=PEER, text="oi")
    fake.webhooks.deliver(receiver)
    assert receiver.events == ["messages.upsert"]
    set_webhook(fake, enabled=False)
    fake.receive_text("sales", from_=PEER, text="oi")
    assert fake.webhooks.waiting == 0


def test_an_instance_without_webhook_tells_nobody() -> None:
    fake = FakeEvolution(clock=FakeClock())
    fake.create_instance("sales")
    fake.receive_text("sales", from_=PEER, text="oi")
    assert fake.events
    assert fake.webhooks.waiting == 0


def test_a_webhook_given_at_create_gets_the_event_of_the_create() -> None:
    fake, receiver = FakeEvolution(clock=FakeClock()), Receiver()
    webhook = {"url": HOOK, "events": ["INSTANCE_CREATE"], "byEvents": True}
    body = {"instanceName": "new", "integration": "WHATSAPP-BAILEYS", "webhook": webhook}
    assert ask(fake, "POST", "/instance/create", body).status_code == 201
    fake.webhooks.deliver(receiver)
    assert receiver.events == ["instance.create"]
    assert str(receiver.seen[0].url) == f"{HOOK}/instance-create"
    # Recorded: the address without the suffix.
    assert receiver.bodies[0]["destination"] == HOOK


def test_changes_of_groups_reach_no_webhook_of_an_instance() -> None:
    """The subscription is called GROUP_UPDATE, the event maps to GROUPS_UPDATE."""
    assert subscription("groups.update") == "GROUPS_UPDATE"
    fake, receiver = hooked(), Receiver()
    fake.groups.add("120363000000000001@g.us", participants=[f"{PEER}@s.whatsapp.net"])
    server = fake.kernel.server
    with server.lock:
        server.emit(server.instances["sales"], "groups.update", [{"id": "120363000000000001@g.us"}])
    fake.webhooks.deliver(receiver)
    assert "groups.update" not in receiver.events


@pytest.mark.parametrize("status", [200, 201, 204])
def test_two_hundreds_end_a_delivery(status: int) -> None:
    fake = hooked(events=["MESSAGES_UPSERT"])
    fake.receive_text("sales", from_=PEER, text="oi")
    (made,) = fake.webhooks.deliver(Receiver(status), for_ms=3_600_000)
    assert (made.status, made.outcome, made.next_at) == (status, "delivered", None)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_some_statuses_lose_the_event_at_once(status: int) -> None:
    fake, receiver = hooked(events=["MESSAGES_UPSERT"]), Receiver(status)
    fake.receive_text("sales", from_=PEER, text="oi")
    (made,) = fake.webhooks.deliver(receiver, for_ms=3_600_000)
    assert (made.status, made.outcome, made.next_at) == (status, "given_up", None)
    assert len(receiver.seen) == 1


@pytest.mark.parametrize("status", [302, 408, 429, 500, 503])
def test_other_statuses_are_tried_ten_times(status: int) -> None:
    fake, receiver = hooked(events=["MESSAGES_UPSERT"]), Receiver(status)
    fake.receive_text("sales", from_=PEER, text="oi")
    made = fake.webhooks.deliver(receiver, for_ms=3_600_000)
    assert [each.attempt for each in made] == list(range(1, 11))
    assert [each.outcome for each in made] == ["retried"] * 9 + ["given_up"]
    assert fake.webhooks.waiting == 0
    gaps = [b.at - a.at for a, b in itertools.pairwise(made)]
    plain = [5, 10, 20, 40, 80, 160, 300, 300, 300]
    for gap, wait in zip(gaps, plain, strict=True):
        assert max(5_000, wait * 800) <= gap <= wait * 1_200


def test_every_attempt_is_the_same_byte_for_byte() -> None:
    """Also the token: made once per event, it has expired when the last attempts are made."""
    fake, receiver = (
        hooked(events=["MESSAGES_UPSERT"], headers={"jwt_key": "k" * 20}),
        Receiver(500),
    )
    fake.receive_text("sales", from_=PEER, text="não")
    made = fake.webhooks.deliver(receiver, for_ms=3_600_000)
    assert len({(r.content, r.headers["authorization"]) for r in receiver.seen}) == 1
    claims = read_token(receiver.seen[0].headers["authorization"][7:], (b"k" * 20,))
    assert claims is not None
    began = int(made[0].at / 1_000)
    assert claims == {
        "iat": began, "exp": began + 600, "app": "evolution", "action": "webhook"
    }  # fmt: skip
    assert made[-1].at / 1_000 > claims["exp"]


def test_retries_go_on_to_the_old_address_when_the_webhook_changes() -> None:
    fake, receiver = hooked(events=["MESSAGES_UPSERT"]), Receiver(500, 200)
    fake.receive_text("sales", from_=PEER, text="oi")
    fake.webhooks.deliver(receiver)
    set_webhook(fake, url="http://127.0.0.1:9/new")
    fake.webhooks.deliver(receiver, for_ms=6_000)
    assert [str(request.url) for request in receiver.seen] == [HOOK, HOOK]


def test_the_same_seed_repeats_the_schedule() -> None:
    def schedule(seed: int) -> list[float]:
        fake = FakeEvolution(clock=FakeClock(), seed=seed)
        fake.create_instance("sales")
        set_webhook(fake, events=["MESSAGES_UPSERT"])
        fake.receive_text("sales", from_=PEER, text="oi")
        return seconds(fake, (e.at for e in fake.webhooks.deliver(Receiver(500), for_ms=10**7)))

    assert schedule(3) == schedule(3) != schedule(4)


def test_a_time_out_counts_from_its_end() -> None:
    fake = hooked(events=["MESSAGES_UPSERT"], webhook=WebhookOptions(timeout_ms=4_000, jitter=0.0))
    fake.receive_text("sales", from_=PEER, text="oi")
    slow = raising(lambda: httpx.ReadTimeout("too slow"))
    made = fake.webhooks.deliver(slow, for_ms=9_000)
    # Recorded: 0 and 9.0 s, with a limit of 4 s.
    assert seconds(fake, (each.at for each in made)) == [0.0, 9.0]
    assert made[0].error == "ReadTimeout: too slow"


def test_the_server_can_be_told_other_rules() -> None:
    options = WebhookOptions(
        max_attempts=3, initial_delay_s=1.0, exponential=False, non_retryable=frozenset({500})
    )
    fake, receiver = hooked(events=["MESSAGES_UPSERT"], webhook=options), Receiver(404)
    fake.receive_text("sales", from_=PEER, text="oi")
    made = fake.webhooks.deliver(receiver, for_ms=60_000)
    assert seconds(fake, (each.at for each in made)) == [0.0, 1.0, 2.0]
    receiver.statuses = [500]
    fake.receive_text("sales", from_=PEER, text="oi")
    assert len(fake.webhooks.deliver(receiver, for_ms=60_000)) == 1


def test_events_overtake_one_another() -> None:
    """Recorded: with one 503 the first message arrived after the second."""
    fake, receiver = hooked(events=["MESSAGES_UPSERT"]), Receiver(503, 200)
    fake.receive_text("sales", from_=PEER, text="first")
    fake.receive_text("sales", from_=PEER, text="second")
    made = fake.webhooks.deliver(receiver, for_ms=60_000)
    arrived = [e.body["data"]["message"]["conversation"] for e in made if e.outcome == "delivered"]
    assert arrived == ["second", "first"]


def test_shuffle_promises_no_more_order_than_the_server() -> None:
    fake, receiver = hooked(events=["MESSAGES_UPSERT"]), Receiver()
    texts = [str(number) for number in range(20)]
    for text in texts:
        fake.receive_text("sales", from_=PEER, text=text)
    fake.webhooks.deliver(receiver, shuffle=True)
    arrived = [body["data"]["message"]["conversation"] for body in receiver.bodies]
    assert arrived != texts
    assert sorted(arrived, key=int) == texts


@pytest.mark.parametrize("url", ["", "ftp://127.0.0.1/x", "127.0.0.1:9/hook"])
def test_an_address_without_protocol_drops_events_in_silence(url: str) -> None:
    fake = hooked(events=["MESSAGES_UPSERT"], url=url)
    fake.receive_text("sales", from_=PEER, text="oi")
    assert fake.webhooks.waiting == 0
    (dropped,) = fake.deliveries
    assert (dropped.outcome, dropped.attempt) == ("dropped", 0)
    assert dropped.error == "the url does not begin with http:// or https://"


def test_2_2_3_tries_an_address_without_protocol_in_vain() -> None:
    """Its validator takes one, and the HTTP library then calls it an invalid URL."""
    fake, receiver = hooked(version="2.2.3", events=["MESSAGES_UPSERT"], url=HOOK), Receiver()
    row = fake.instances["sales"].webhook
    assert row is not None
    row["url"] = "127.0.0.1:9/hook"
    fake.receive_text("sales", from_=PEER, text="oi")
    (made,) = fake.webhooks.deliver(receiver)
    assert (made.outcome, made.status, receiver.seen) == ("retried", None, [])
    assert "Invalid URL" in str(made.error)


def test_an_empty_jwt_key_drops_events() -> None:
    """The library that signs throws, before anything is sent."""
    fake = hooked(events=["MESSAGES_UPSERT"], headers={"jwt_key": ""})
    fake.receive_text("sales", from_=PEER, text="oi")
    assert fake.webhooks.waiting == 0
    assert "jwt_key must be a text" in str(fake.deliveries[0].error)


def test_a_name_outside_latin_1_stops_every_webhook_of_2_4() -> None:
    for version, waits in (("2.3.7", False), ("2.4.0", True)):
        fake, receiver = FakeEvolution(clock=FakeClock(), version=version), Receiver()
        fake.create_instance("loja-日本")
        body = {"webhook": {"enabled": True, "url": HOOK, "events": ["MESSAGES_UPSERT"]}}
        path = "/webhook/set/loja-%E6%97%A5%E6%9C%AC"
        assert ask(fake, "POST", path, body).status_code == 201
        fake.receive_text("loja-日本", from_=PEER, text="oi")
        (made,) = fake.webhooks.deliver(receiver)
        assert bool(receiver.seen) is not waits
        assert (made.outcome == "retried") is waits
        if waits:
            assert "x-instance-name" in str(made.error)


def test_a_name_of_latin_1_travels_as_such() -> None:
    fake, receiver = FakeEvolution(clock=FakeClock(), version="2.4.0"), Receiver()
    fake.create_instance("são")
    body = {"webhook": {"enabled": True, "url": HOOK, "events": ["MESSAGES_UPSERT"]}}
    assert ask(fake, "POST", "/webhook/set/s%C3%A3o", body).status_code == 201
    fake.receive_text("são", from_=PEER, text="oi")
    fake.webhooks.deliver(receiver)
    raw = dict(receiver.seen[0].headers.raw)
    assert raw[b"x-instance-name"] == "são".encode("latin-1")


# The global webhook.


def test_the_global_webhook_gets_events_after_the_instances_own() -> None:
    options = WebhookOptions(global_url="http://127.0.0.1:9/global", global_by_events=True)
    fake, receiver = hooked(events=["MESSAGES_UPSERT"], webhook=options), Receiver()
    fake.webhooks.deliver(receiver)  # of the connection, before there was a webhook
    receiver.statuses = [500, 200]
    fake.receive_text("sales", from_=PEER, text="oi")
    urls = [each.url for each in fake.webhooks.deliver(receiver, for_ms=60_000)]
    # The server awaits the first, retries included, before it turns to the second.
    assert [each for each in urls if "messages-upsert" in each or each == HOOK] == [
        HOOK,
        HOOK,
        "http://127.0.0.1:9/global/messages-upsert",
    ]
    upserts = [b for b in receiver.bodies if b["event"] == "messages.upsert"]
    assert {body["destination"] for body in upserts} == {HOOK}
    # Not subscribed to by the instance: the global one gets it all the same.
    assert "http://127.0.0.1:9/global/contacts-upsert" in urls


def test_without_an_own_address_the_destination_names_the_event() -> None:
    options = WebhookOptions(global_url="http://127.0.0.1:9/g", global_events=frozenset({"CALL"}))
    fake, receiver = FakeEvolution(clock=FakeClock(), webhook=options), Receiver()
    fake.create_instance("sales")
    server = fake.kernel.server
    with server.lock:
        server.emit(server.instances["sales"], "call", {"id": "1"})
        server.emit(server.instances["sales"], "presence.update", {})
    fake.webhooks.deliver(receiver)
    assert [str(request.url) for request in receiver.seen] == ["http://127.0.0.1:9/g"]
    assert receiver.bodies[0]["destination"] == "http://127.0.0.1:9/g/call"


def test_the_global_webhook_has_no_variable_for_the_end_of_an_instance() -> None:
    """Recorded with it on: remove.instance went to the instance's own address only."""
    fake = hooked(webhook=WebhookOptions(global_url="http://127.0.0.1:9/global"))
    receiver = Receiver()
    ask(fake, "DELETE", "/instance/delete/sales")
    fake.webhooks.deliver(receiver)
    gone = [str(r.url) for r in receiver.seen if b'"remove.instance"' in r.content]
    assert gone == [HOOK]


# Deletion waits for its webhook.


def test_a_deletion_waits_until_its_webhook_is_over() -> None:
    """Recorded: with a receiver that answers 500 the instance is still there after 192 s."""
    fake, receiver = hooked(), Receiver(500)
    fake.webhooks.deliver(receiver)
    assert ask(fake, "DELETE", "/instance/delete/sales").status_code == 200
    fake.webhooks.deliver(receiver, for_ms=192_300)
    state = ask(fake, "GET", "/instance/connectionState/sales")
    assert (state.status_code, state.json()["instance"]["state"]) == (200, "close")
    again = {"instanceName": "sales", "integration": "WHATSAPP-BAILEYS"}
    assert ask(fake, "POST", "/instance/create", again).status_code == 403
    fake.webhooks.deliver(receiver, for_ms=1_500_000)
    assert ask(fake, "GET", "/instance/connectionState/sales").status_code == 404
    assert ask(fake, "POST", "/instance/create", again).status_code == 201


def test_a_deletion_goes_through_when_the_webhook_takes_it() -> None:
    fake = hooked()
    fake.webhooks.deliver(Receiver())
    ask(fake, "DELETE", "/instance/delete/sales")
    assert ask(fake, "GET", "/instance/connectionState/sales").status_code == 200
    fake.webhooks.deliver(Receiver(404))  # given up is over, too
    assert ask(fake, "GET", "/instance/connectionState/sales").status_code == 404


def test_a_fake_that_nobody_delivers_for_deletes_at_once() -> None:
    fake = hooked()
    ask(fake, "DELETE", "/instance/delete/sales")
    assert ask(fake, "GET", "/instance/connectionState/sales").status_code == 404


def test_reset_forgets_what_waits() -> None:
    fake = hooked()
    fake.receive_text("sales", from_=PEER, text="oi")
    fake.webhooks.deliver(Receiver(500))
    fake.reset()
    assert (fake.webhooks.waiting, fake.deliveries) == (0, [])


# Media in events.

PICTURE = b"\x89PNG picture"
IMAGE: dict[str, Any] = {"imageMessage": {"mimetype": "image/png"}}


def _received(fake: FakeEvolution) -> Any:
    key_id = fake.receive("sales", from_=PEER, message=IMAGE, kind="imageMessage", content=PICTURE)
    return next(e for e in fake.events if e["data"].get("key", {}).get("id") == key_id)["data"]


def test_base64_takes_effect_with_the_next_connect() -> None:
    """Recorded: the first image came without it, the one after a reconnect with it."""
    fake = hooked(base64=True)
    assert "base64" not in _received(fake)["message"]
    fake.set_state("sales", "open")
    inlined = _received(fake)["message"]["base64"]
    assert base64.b64decode(inlined) == PICTURE
    row = fake.instances["sales"].messages[-1].message
    assert "base64" not in row
    # Known to WhatsApp's servers: it can be downloaded as well.
    where = {"message": {"key": {"id": fake.instances["sales"].messages[-1].key["id"]}}}
    got = ask(fake, "POST", "/chat/getBase64FromMediaMessage/sales", where)
    assert base64.b64decode(got.json()["base64"]) == PICTURE


def test_sent_media_travel_in_the_event_and_in_the_answer() -> None:
    fake = hooked(base64=True)
    fake.set_state("sales", "open")
    body = {"number": PEER, "mediatype": "image", "media": base64.b64encode(PICTURE).decode()}
    answer = ask(fake, "POST", "/message/sendMedia/sales", body).json()
    assert base64.b64decode(answer["message"]["base64"]) == PICTURE
    event = next(e for e in reversed(fake.events) if e["event"] == "send.message")
    assert event["data"]["message"]["base64"] == answer["message"]["base64"]


@pytest.mark.parametrize(("version", "inlined"), [("2.3.6", True), ("2.3.7", False)])
def test_business_inlines_media_until_2_3_6_whatever_is_asked(version: str, inlined: bool) -> None:
    fake = hooked(version=version, integration="WHATSAPP-BUSINESS", base64=not inlined)
    assert ("base64" in _received(fake)["message"]) is inlined


# To applications, and to the network.


KEY = "k" * 20


def _bot(fake: FakeEvolution, heard: list[Any]) -> WebhookReceiver:
    router = EventRouter()

    @router.on(MessagesUpsert)
    def hear(event: MessagesUpsert) -> None:
        heard.append(event.text)

    # One clock for both: the receiver looks at the age of the token.
    return WebhookReceiver(router, jwt_key=KEY, clock=lambda: fake.clock.now_ms() / 1_000)


def test_a_wsgi_application_is_reached_without_a_socket() -> None:
    heard: list[Any] = []
    fake = hooked(headers={"jwt_key": KEY})
    receiver = _bot(fake, heard)
    fake.receive_text("sales", from_=PEER, text="oi")
    made = fake.webhooks.deliver(httpx.WSGITransport(receiver.wsgi))
    assert receiver.drain()
    receiver.close()
    assert heard == ["oi"]
    assert {each.status for each in made} == {200}
    assert fake.webhooks.waiting == 0


async def test_an_asgi_application_is_reached_without_a_socket() -> None:
    heard: list[Any] = []
    fake = hooked(headers={"jwt_key": KEY})
    receiver = _bot(fake, heard)
    fake.receive_text("sales", from_=PEER, text="oi")
    async with receiver.running():
        made = await fake.webhooks.deliver_async(receiver.asgi)
        assert await receiver.drain_async()
    assert heard == ["oi"]
    assert {each.status for each in made} == {200}


async def test_an_application_that_fails_answers_500_and_is_asked_again() -> None:
    asked: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope["path"])
        if len(asked) == 1:
            raise RuntimeError("a bug of the bot")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    fake = hooked(events=["MESSAGES_UPSERT"])
    fake.receive_text("sales", from_=PEER, text="oi")
    made = await fake.webhooks.deliver_async(app, for_ms=6_000)
    assert [each.status for each in made] == [500, 200]


def test_a_redirect_is_not_followed() -> None:
    fake = hooked(events=["MESSAGES_UPSERT"])
    asked: list[str] = []

    def away(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(307, headers={"location": "http://127.0.0.1:9/elsewhere"})

    fake.receive_text("sales", from_=PEER, text="oi")
    (made,) = fake.webhooks.deliver(away)
    assert (asked, made.outcome) == ([HOOK], "retried")


def test_no_answer_is_tried_again() -> None:
    fake = hooked(events=["MESSAGES_UPSERT"])
    fake.receive_text("sales", from_=PEER, text="oi")
    (made,) = fake.webhooks.deliver(raising(lambda: httpx.ConnectError("nobody")))
    assert (made.status, made.error, made.outcome) == (None, "ConnectError: nobody", "retried")


def test_an_error_of_the_test_itself_leaves_everything_waiting() -> None:
    fake, receiver = hooked(), Receiver()
    fake.receive_text("sales", from_=PEER, text="oi")
    with pytest.raises(ZeroDivisionError):
        fake.webhooks.deliver(raising(ZeroDivisionError))
    assert (fake.webhooks.waiting, fake.deliveries) == (3, [])
    assert len(fake.webhooks.deliver(receiver)) == 3


def test_a_test_run_reaches_this_machine_only() -> None:
    fake = hooked(events=["MESSAGES_UPSERT"], url="https://192.0.2.1/hook")
    fake.receive_text("sales", from_=PEER, text="oi")
    with pytest.raises(ConfigurationError, match=r"192\.0\.2\.1"):
        fake.webhooks.deliver()
    assert fake.deliveries[0].outcome == "given_up"


def test_the_body_is_what_node_writes() -> None:
    fake, receiver = hooked(events=["MESSAGES_UPSERT"]), Receiver()
    server = fake.kernel.server
    with server.lock:
        server.emit(server.instances["sales"], "messages.upsert", {"a": "é\ud83d", "b": [1.0]})
    fake.webhooks.deliver(receiver)
    assert b'"data":{"a":"\xc3\xa9\\ud83d","b":[1]}' in receiver.seen[0].content
    assert json.loads(receiver.seen[0].content)["data"]["a"] == "é\ud83d"


@pytest.mark.parametrize("drawn", [0.0, 0.5, 1.0])
def test_waits_have_bounds(drawn: float) -> None:
    options = WebhookOptions()
    waits = [options.wait_s(attempts, 500, drawn) for attempts in range(1, 11)]
    assert waits[-1] is None
    assert all(wait is not None and 5 <= wait <= 360 for wait in waits[:-1])
