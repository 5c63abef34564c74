"""A plain handler that forgets to await: the event does not count as handled."""

from __future__ import annotations

import asyncio
import inspect
import json
import warnings
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from evolution_sdk import AsyncEvolutionClient, EvolutionConfig
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import Event, EventRouter, parse_event
from evolution_sdk.streams._consumer import EventConsumer
from evolution_sdk.testing import FakeEvolution
from evolution_sdk.webhooks import WebhookReceiver

NUMBER = "5511987654321"
BODY = {
    "event": "messages.upsert",
    "instance": "sales",
    "data": {
        "key": {"id": "M1", "remoteJid": f"{NUMBER}@s.whatsapp.net", "fromMe": False},
        "message": {"conversation": "oi"},
        "messageType": "conversation",
    },
}
pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")


class Stage:
    """An async client in front of a fake server, and an event with the client attached."""

    def __init__(self) -> None:
        self.fake = FakeEvolution(api_key="k")
        self.fake.create_instance("sales")
        self.client = AsyncEvolutionClient(
            config=EvolutionConfig("http://fake", "k", instance="sales"),
            http_client=self.fake.async_http_client(),
        )
        self.event: Event[Any] = parse_event(BODY).bind(self.client)

    def forget_reply(self, event: Any) -> None:
        event.reply_text("hello")

    def forget_send(self, event: Any) -> None:
        self.client.messages.send_text(NUMBER, "hello")

    def forget_all(self, event: Any) -> None:
        self.forget_reply(event)
        self.forget_send(event)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    stage = Stage()
    async with stage.client:
        yield stage


FORGOTTEN = {
    "forget_reply": ["AsyncBoundEvent.reply_text"],
    "forget_send": ["AsyncMessagesApi.send_text"],
    "forget_all": ["AsyncBoundEvent.reply_text", "AsyncMessagesApi.send_text"],
}


@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize("name", FORGOTTEN)
async def test_a_dropped_coroutine_is_the_handlers_error(
    stage: Stage, name: str, colour: str
) -> None:
    router = EventRouter()
    router.add(getattr(stage, name), Event)

    async def dispatch(event: Event[Any]) -> None:
        if colour == "sync":
            router.dispatch_sync(event)
        else:
            await router.dispatch(event)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(ConfigurationError, match="without await") as failed:
            await dispatch(stage.event)
    for method in FORGOTTEN[name]:
        assert method in str(failed.value)
    told = [str(each.message) for each in caught if each.category is RuntimeWarning]
    assert len(told) == len(FORGOTTEN[name]), "Python's own warning, once for each"
    assert stage.fake.sent == []


async def test_an_error_handler_that_forgets_is_an_error_too(stage: Stage) -> None:
    router = EventRouter()

    @router.on(Event)
    def fail(event: Event[Any]) -> None:
        raise ValueError

    router.on_error()(lambda error, event: stage.forget_reply(event))
    with pytest.raises(ConfigurationError, match="without await"):
        await router.dispatch(stage.event)


async def test_a_coroutine_that_is_returned_is_awaited_or_refused(stage: Stage) -> None:
    router = EventRouter()
    router.add(lambda event: event.reply_text("hello"), Event)
    await router.dispatch(stage.event)
    assert [sent.text for sent in stage.fake.sent] == ["hello"]
    with pytest.raises(ConfigurationError, match="returned a coroutine"):
        router.dispatch_sync(stage.event)
    assert len(stage.fake.sent) == 1


@pytest.mark.parametrize("awaitable", [asyncio.Future, lambda: Awaitable()])
async def test_no_awaitable_is_taken_for_a_result_without_a_loop(
    awaitable: Callable[[], Any],
) -> None:
    router = EventRouter()
    router.add(lambda event: awaitable(), Event)
    with pytest.raises(ConfigurationError, match="returned an awaitable"):
        router.dispatch_sync(parse_event(BODY))


class Awaitable:
    def __await__(self) -> Any:
        yield


async def test_a_coroutine_that_somebody_awaits_is_fine(stage: Stage) -> None:
    loop, running = asyncio.get_running_loop(), []

    def handle(event: Any) -> None:
        assert inspect.iscoroutinefunction(stage.client.messages.send_text)
        assert inspect.iscoroutinefunction(stage.client.close)
        coroutine = event.reply_text("in the client's loop")
        running.append(asyncio.run_coroutine_threadsafe(coroutine, loop))

    router = EventRouter()
    router.add(handle, Event)
    await router.dispatch(stage.event)
    sent = await asyncio.wrap_future(running[0])
    assert sent.id == stage.fake.sent[0].key_id


async def test_a_loop_of_the_handlers_own_is_fine(stage: Stage) -> None:
    def handle(event: Any) -> None:
        async def work() -> None:
            fake = stage.fake.async_http_client()
            config = stage.client.config
            async with AsyncEvolutionClient(config=config, http_client=fake) as client:
                await client.messages.send_text(NUMBER, "hello")

        asyncio.run(work())

    router = EventRouter()
    router.add(handle, Event)
    await router.dispatch(stage.event)
    assert len(stage.fake.sent) == 1


async def test_a_receiver_keeps_the_event_as_a_dead_letter(stage: Stage) -> None:
    router = EventRouter()
    router.add(stage.forget_reply, Event)
    receiver = WebhookReceiver(router, client=stage.client)
    async with receiver.running():
        body = json.dumps(BODY).encode()
        status, _, _ = await receiver.handle_async("POST", "/", {}, body)
        assert status == 200
        assert await receiver.drain_async()
        numbers = receiver.metrics()
        (letter,) = receiver.dead_letters()
    assert (numbers.handled, numbers.failed) == (0, 1)
    assert "AsyncBoundEvent.reply_text without await" in letter.error_text


async def test_a_stream_hands_the_error_on(stage: Stage) -> None:
    consumer = EventConsumer(stage.forget_reply, client=stage.client)
    with pytest.raises(ConfigurationError, match="without await"):
        await consumer.handle(consumer.read(BODY))
    assert consumer.handled == 0
