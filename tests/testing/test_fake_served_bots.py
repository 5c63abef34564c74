"""Bots end to end: a fake that is served, real HTTP and real sockets on this machine."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from evolution_sdk import EvolutionClient
from evolution_sdk.errors import AuthenticationError
from evolution_sdk.events import EventRouter, MessagesUpsert, filters
from evolution_sdk.retry import RetryPolicy
from evolution_sdk.streams import SocketStream, StreamDisconnected
from evolution_sdk.testing import FakeClock, FakeEvolution, SocketOptions, WebhookOptions
from evolution_sdk.testing.fake.serve import serving
from evolution_sdk.webhooks import WebhookReceiver
from waiting import until, until_async

PEER = "5511987654321"
KEY = "k" * 20
NOW = RetryPolicy(max_attempts=1, delay_ms=5, max_delay_ms=20)


def echo(client: EvolutionClient) -> EventRouter:
    """A bot that answers every text with its own words."""
    router = EventRouter()

    @router.on(MessagesUpsert, filters.text & ~filters.from_me)
    def answer(event: MessagesUpsert) -> None:
        client.messages.send_text(event.chat, f"You said: {event.text}")

    return router


@contextmanager
def webhook_bot(fake: FakeEvolution) -> Iterator[str]:
    with EvolutionClient(fake.url, fake.api_key, instance="sales") as client:
        receiver = WebhookReceiver(echo(client), jwt_key=KEY)
        with serving(receiver.asgi, 0) as url:
            client.webhook.set(url=url, events=["MESSAGES_UPSERT"], headers={"jwt_key": KEY})
            yield url


def test_a_text_reaches_the_handler_by_webhook_and_its_reply_is_sent() -> None:
    with FakeEvolution().serve() as fake:
        fake.create_instance("sales")
        with webhook_bot(fake) as url:
            fake.receive_text("sales", from_=PEER, text="Olá!", push_name="Ana")
            until(lambda: fake.sent)
        sent = fake.assert_sent(PEER, text="You said: Olá!")
        until(lambda: fake.webhooks.waiting == 0)
        (made,) = fake.deliveries
        assert (made.url, made.status, made.outcome) == (url, 200, "delivered")
        assert sent.instance == "sales"


def test_a_bot_that_comes_back_gets_what_it_missed() -> None:
    """In real time, with short waits: the fake tries again by itself."""
    with FakeEvolution(webhook=WebhookOptions(initial_delay_s=0.01, jitter=0.0)).serve() as fake:
        fake.create_instance("sales")
        with webhook_bot(fake) as url:
            pass  # it has gone
        fake.receive_text("sales", from_=PEER, text="late")
        until(lambda: [each for each in fake.deliveries if each.outcome == "retried"])
        with EvolutionClient(fake.url, fake.api_key, instance="sales") as client:
            receiver = WebhookReceiver(echo(client), jwt_key=KEY)
            with serving(receiver.asgi, int(url.rpartition(":")[2])):
                until(lambda: fake.sent)
        fake.assert_sent_times(1, PEER, text="You said: late")


def test_by_a_fake_clock_a_served_fake_delivers_when_told() -> None:
    with FakeEvolution(clock=FakeClock()).serve() as fake:
        fake.create_instance("sales")
        body = {"webhook": {"enabled": True, "url": "http://127.0.0.1:9/x", "events": []}}
        httpx.post(f"{fake.url}/webhook/set/sales", json=body, headers={"apikey": fake.api_key})
        fake.receive_text("sales", from_=PEER, text="oi")
        assert fake.deliveries == []
        made = fake.webhooks.deliver(lambda _: httpx.Response(200))
        assert len(made) == 3


def test_leaving_the_server_ends_its_deliveries() -> None:
    fake = FakeEvolution()
    with fake.serve():
        fake.create_instance("sales")
        body = {"webhook": {"enabled": True, "url": "http://127.0.0.1:9/x", "events": []}}
        httpx.post(f"{fake.url}/webhook/set/sales", json=body, headers={"apikey": fake.api_key})
        fake.receive_text("sales", from_=PEER, text="oi")
        until(lambda: len(fake.deliveries) >= 3)
        waiting = fake.webhooks.waiting
    assert waiting == 3
    assert not [each for each in threading.enumerate() if each.name == "fake-webhooks"]
    assert {each.outcome for each in fake.deliveries} == {"retried"}


# The socket.


def subscribe(fake: FakeEvolution, name: str = "sales", events: Any = ()) -> None:
    body = {"websocket": {"enabled": True, "events": list(events)}}
    with fake.http_client(headers={"apikey": fake.api_key}) as client:
        assert client.post(f"/websocket/set/{name}", json=body).status_code == 201


def stream(
    to: Any, fake: FakeEvolution, instance: str | None = "sales", **more: Any
) -> SocketStream:
    more.setdefault("namespace_poll_ms", 20)
    more.setdefault("reconnect", NOW)
    key = more.pop("key", fake.api_key)
    return SocketStream(to, fake.url, key, instance=instance, **more)


async def test_a_text_reaches_the_handler_by_socket_and_its_reply_is_sent() -> None:
    with FakeEvolution().serve() as fake:
        fake.create_instance("sales")
        subscribe(fake)
        fake.receive_text("sales", from_=PEER, text="the first, which makes the namespace")
        with EvolutionClient(fake.url, fake.api_key, instance="sales") as client:
            async with stream(echo(client), fake) as consumer:
                await until_async(lambda: consumer.connected)
                fake.receive_text("sales", from_=PEER, text="Olá!")
                await until_async(lambda: fake.sent)
        # Nobody replays what came before the connection.
        assert [each.text for each in fake.sent] == ["You said: Olá!"]


@pytest.mark.parametrize("transport", ["polling", "websocket"])
async def test_the_namespace_exists_from_the_first_event_on(transport: Any) -> None:
    got: list[Any] = []
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(seconds)

    with FakeEvolution().serve() as fake:
        fake.create_instance("sales")
        subscribe(fake, events=["MESSAGES_UPSERT"])
        async with stream(got.append, fake, transports=[transport], sleep=sleep) as consumer:
            # It has tried in vain three times, and waits to try again.
            await until_async(lambda: len(waits) > 2)
            assert not consumer.connected
            fake.receive_text("sales", from_=PEER, text="lost")
            await until_async(lambda: consumer.connected)
            fake.receive_text("sales", from_=PEER, text="heard")
            await until_async(lambda: got)
    # Neither the event before the connection, nor events that are not subscribed to.
    assert [(event.event, event.text) for event in got] == [("messages.upsert", "heard")]


def texts(got: list[Any]) -> list[str]:
    return [event.text for event in got if event.event == "messages.upsert"]


async def test_events_keep_their_order() -> None:
    got: list[Any] = []
    with FakeEvolution(websocket=SocketOptions(global_events=True)).serve() as fake:
        fake.create_instance("sales")
        async with stream(got.append, fake, None) as consumer:
            await until_async(lambda: consumer.connected)
            for number in range(50):
                fake.receive_text("sales", from_=PEER, text=str(number))
            await until_async(lambda: len(texts(got)) == 50)
    assert texts(got) == [str(number) for number in range(50)]


async def test_the_global_namespace_tells_everything_of_everybody() -> None:
    got: list[Any] = []
    with FakeEvolution(websocket=SocketOptions(global_events=True)).serve() as fake:
        fake.create_instance("sales")
        fake.create_instance("other")
        async with stream(got.append, fake, None) as consumer:
            await until_async(lambda: consumer.connected)
            fake.receive_text("sales", from_=PEER, text="1")
            fake.receive_text("other", from_=PEER, text="2")
            await until_async(lambda: len(got) == 6)
    assert {(event.instance, event.event) for event in got} >= {
        ("sales", "messages.upsert"), ("other", "chats.upsert")
    }  # fmt: skip


async def test_without_the_global_mode_the_root_namespace_is_silent() -> None:
    got: list[Any] = []
    with FakeEvolution().serve() as fake:
        fake.create_instance("sales")
        subscribe(fake, events=["MESSAGES_UPSERT"])
        fake.receive_text("sales", from_=PEER, text="0")
        async with stream(got.append, fake, None) as root:
            await until_async(lambda: root.connected)
            heard: list[Any] = []
            async with stream(heard.append, fake) as consumer:
                await until_async(lambda: consumer.connected)
                fake.receive_text("sales", from_=PEER, text="1")
                await until_async(lambda: heard)
    assert got == []


async def test_a_wrong_key_is_refused_at_the_handshake() -> None:
    with FakeEvolution().serve() as fake:
        with pytest.raises(AuthenticationError, match="Invalid global token"):
            await stream(print, fake, None, key="wrong").run()
        url = f"{fake.url}/socket.io/?EIO=4&transport=polling"
        refused = await asyncio.to_thread(httpx.get, url)
    assert (refused.status_code, refused.json()) == (
        403, {"code": 4, "message": "apiKey is required"}
    )  # fmt: skip


async def test_a_wrong_key_is_refused_by_websocket_alone_as_well() -> None:
    states: list[Any] = []
    with FakeEvolution().serve() as fake:
        consumer = stream(
            print, fake, None, key="wrong", transports=["websocket"], on_state=states.append
        )
        task = asyncio.create_task(consumer.run())
        await until_async(lambda: task.done() or states)
        task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
    assert "403" in str(outcome if isinstance(outcome, AuthenticationError) else states[0].reason)


async def test_the_token_of_any_instance_opens_any_namespace() -> None:
    with FakeEvolution().serve() as fake:
        fake.create_instance("sales")
        fake.create_instance("other", token="its-token")
        subscribe(fake)
        fake.receive_text("sales", from_=PEER, text="oi")
        async with stream(print, fake, key="its-token") as consumer:
            await until_async(lambda: consumer.connected)


async def test_a_server_that_ends_cuts_its_sockets() -> None:
    fake = FakeEvolution(websocket=SocketOptions(global_events=True))
    states: list[Any] = []
    with fake.serve():
        consumer = stream(print, fake, None, on_state=states.append)
        task = asyncio.create_task(consumer.run())
        await until_async(lambda: consumer.connected)
    await until_async(lambda: any(isinstance(each, StreamDisconnected) for each in states))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_where_sockets_are_off_the_path_is_unknown() -> None:
    with FakeEvolution(features=frozenset()).serve() as fake:
        answer = httpx.get(f"{fake.url}/socket.io/?EIO=4&transport=polling")
    assert answer.status_code == 404
    assert "Cannot GET /socket.io/" in answer.text


def test_without_the_library_the_path_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "socketio", None)
    with FakeEvolution().serve() as fake:
        answer = httpx.get(f"{fake.url}/socket.io/?EIO=4&transport=polling")
        assert httpx.get(fake.url).status_code == 200
    assert answer.status_code == 501
    assert "pip install 'evolutionapi-sdk[socketio]'" in answer.text
