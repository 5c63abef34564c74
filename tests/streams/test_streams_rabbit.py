"""RabbitMQ against a real broker: names, acknowledging, giving back, dead letters."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aio_pika
import pytest
from rabbit_stage import (
    NOW,
    SOON,
    URI,
    Watch,
    envelope,
    fresh_instance,
    require_broker,
    server,
    stream,
    until,
)

from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import MessagesUpdate, MessagesUpsert
from evolution_sdk.streams import (
    RabbitStream,
    StreamConnected,
    StreamDisconnected,
    global_queue,
    instance_queue,
)
from evolution_sdk.streams._consumer import EventConsumer


@pytest.fixture(autouse=True)
def _broker() -> None:
    require_broker()


async def test_the_first_event_of_a_new_queue_is_not_lost() -> None:
    """The server publishes before its queue is there; ours is, with the very same arguments."""
    instance, got = fresh_instance(), []
    async with server(instance) as sender, stream(got.append, instance) as consumer:
        await until(lambda: consumer.connected)
        exchange = await sender.channel.get_exchange(instance)
        body = json.dumps(envelope(instance, 1)).encode()
        await exchange.publish(aio_pika.Message(body), "messages.upsert")
        await until(lambda: got)
        await sender.publish(envelope(instance, 2))  # declares them again: equal, or refused
        await until(lambda: len(got) == 2)
    assert [event.id for event in got] == ["M1", "M2"]
    assert {type(event) for event in got} == {MessagesUpsert}
    assert {event.source for event in got} == {"queue"}
    assert all(event.received_at is not None for event in got)


async def test_only_the_events_asked_for_are_taken() -> None:
    instance, got = fresh_instance(), []
    update = {
        **envelope(instance, 1, "messages.update"),
        "data": {"keyId": "M1", "remoteJid": "1@s.whatsapp.net", "status": "READ"},
    }
    async with server(instance) as sender:
        options = {"events": ["MESSAGES_UPDATE"]}
        async with stream(got.append, instance, **options) as consumer:
            await until(lambda: consumer.connected)
            await sender.publish(envelope(instance, 7), update)
            await until(lambda: got)
        assert await sender.left() == ["M7"]
    assert [type(event) for event in got] == [MessagesUpdate]


async def test_an_event_is_on_its_queue_until_its_handler_returned() -> None:
    instance, begun, may_end = fresh_instance(), asyncio.Event(), asyncio.Event()

    async def handle(_event: Any) -> None:
        begun.set()
        await may_end.wait()

    async with server(instance) as sender:
        async with stream(handle, instance) as consumer:
            await until(lambda: consumer.connected)
            await sender.publish(envelope(instance, 1))
            await begun.wait()
            consumer.stop()  # ends only once the handler has returned
            await asyncio.sleep(0)
            assert consumer.connected
            may_end.set()
        assert consumer.handled == 1
        assert await sender.left() == []


async def test_prefetch_bounds_what_a_consumer_holds() -> None:
    instance, holding, may_end = fresh_instance(), [], asyncio.Event()

    async def handle(event: Any) -> None:
        holding.append(event.id)
        await may_end.wait()

    async with server(instance) as sender, stream(handle, instance, prefetch=2) as consumer:
        await until(lambda: consumer.connected)
        await sender.publish(*(envelope(instance, n, chat=n) for n in range(5)))
        await until(lambda: len(holding) == 2)
        assert len(await sender.left()) == 3
        may_end.set()
        assert len(holding) == 2


async def test_events_of_one_chat_keep_their_order_and_others_do_not_wait() -> None:
    instance, done, slow = fresh_instance(), [], asyncio.Event()

    async def handle(event: Any) -> None:
        if event.id == "M0":
            await slow.wait()
        done.append(event.id)

    async with server(instance) as sender, stream(handle, instance) as consumer:
        await until(lambda: consumer.connected)
        await sender.publish(*(envelope(instance, n, chat=n % 2) for n in range(6)))
        await until(lambda: done == ["M1", "M3", "M5"])
        slow.set()
        await until(lambda: len(done) == 6)
    assert done[3:] == ["M0", "M2", "M4"]


async def test_a_failing_event_is_tried_again_then_becomes_a_dead_letter() -> None:
    instance, tries, failed = fresh_instance(), [], []
    dead = f"{instance}.dead"

    def handle(event: Any) -> None:
        tries.append(event.id)
        if event.id == "M2":
            raise ValueError("no")

    options: dict[str, Any] = {
        "dead_letter_queue": dead, "max_deliveries": 3, "on_failure": lambda *a: failed.append(a),
    }  # fmt: skip
    async with server(instance, dead) as sender:
        async with stream(handle, instance, **options) as consumer:
            await until(lambda: consumer.connected)
            await sender.publish(*(envelope(instance, n, chat=n) for n in (1, 2, 3)))
            await until(lambda: consumer.dead_letters)
        assert tries.count("M2") == 3
        assert tries.count("M1") == tries.count("M3") == 1
        assert [type(error) for _, error in failed] == [ValueError] * 3
        assert consumer.failures == 3
        assert await sender.left() == []
        queue = await sender.channel.declare_queue(dead, passive=True)
        letter = await queue.get()
        await letter.ack()
    assert json.loads(letter.body) == envelope(instance, 2, chat=2)
    assert letter.headers["x-queue"] == instance_queue(instance, "messages.upsert").queue
    assert letter.headers["x-deliveries"] == 3
    assert letter.headers["x-error"] == "ValueError"


async def test_a_dead_letter_queue_that_was_deleted_or_refuses_loses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instance, failed = fresh_instance(), []
    dead = f"{instance}.dead"

    def handle(_event: Any) -> None:
        raise ValueError

    options: dict[str, Any] = {
        "dead_letter_queue": dead, "max_deliveries": 1, "on_failure": lambda *a: failed.append(a),
    }  # fmt: skip
    async with server(instance, dead) as sender:
        async with stream(handle, instance, **options) as consumer:
            await until(lambda: consumer.connected)
            await sender.channel.queue_delete(dead)
            with monkeypatch.context() as patched:

                async def undeclared(_channel: Any) -> None:
                    """As when it is deleted at the last moment: the broker returns the letter."""

                patched.setattr(consumer, "_declare_dead", undeclared)
                await sender.publish(envelope(instance, 1))
                await until(lambda: len(failed) >= 2)
                assert consumer.dead_letters == 0
            await until(lambda: consumer.dead_letters)
        queue = await sender.channel.declare_queue(dead, passive=True)
        letter = await queue.get()
        await letter.ack()
        assert await sender.left() == []
    assert json.loads(letter.body) == envelope(instance, 1)


async def test_without_a_dead_letter_queue_it_is_rejected() -> None:
    instance = fresh_instance()

    def handle(_event: Any) -> None:
        raise ValueError

    async with server(instance) as sender:
        options = {"dead_letter_queue": None, "max_deliveries": 2}
        async with stream(handle, instance, **options) as consumer:
            await until(lambda: consumer.connected)
            await sender.publish(envelope(instance, 1))
            await until(lambda: consumer.dead_letters)
        assert consumer.failures == 2
        assert await sender.left() == []


async def test_an_event_that_was_handled_is_not_handled_again() -> None:
    instance, got = fresh_instance(), []
    intake = EventConsumer(got.append)
    async with server(instance) as sender, stream(intake, instance) as consumer:
        await until(lambda: consumer.connected)
        await sender.publish(envelope(instance, 1), envelope(instance, 1), envelope(instance, 2))
        await until(lambda: intake.handled == 2)
        await until(lambda: intake.duplicates == 1)
        assert await sender.left() == []
    assert [event.id for event in got] == ["M1", "M2"]


async def test_what_is_no_event_harms_nothing() -> None:
    instance, got = fresh_instance(), []
    async with server(instance) as sender, stream(got.append, instance) as consumer:
        await until(lambda: consumer.connected)
        exchange = await sender.channel.get_exchange(instance)
        await exchange.publish(aio_pika.Message(b"\xff not json"), "messages.upsert")
        await sender.publish(envelope(instance, 1))
        await until(lambda: len(got) == 2)
    assert {type(event).__name__ for event in got} == {"MalformedEvent", "MessagesUpsert"}


async def test_global_queues() -> None:
    """The server's global mode: one exchange, queues by prefix, every instance's events."""
    prefix, got = fresh_instance(), []
    place = global_queue("send.message", prefix, prefix)
    assert place.queue == f"{prefix}.send.message"
    consumer = RabbitStream(
        got.append, URI, events=["SEND_MESSAGE"], exchange=prefix, prefix=prefix, reconnect=SOON
    )
    async with await aio_pika.connect(URI) as connection:
        channel = await connection.channel()
        try:
            async with consumer:
                await until(lambda: consumer.connected)
                exchange = await channel.declare_exchange(
                    prefix, aio_pika.ExchangeType.TOPIC, durable=True
                )
                await channel.declare_queue(
                    place.queue, durable=True, arguments={"x-queue-type": "quorum"}
                )
                for name in ("a", "b"):
                    body = json.dumps(envelope(name, 1, "send.message")).encode()
                    await exchange.publish(aio_pika.Message(body), "send.message")
                await until(lambda: len(got) == 2)
        finally:
            await channel.queue_delete(place.queue)
            await channel.exchange_delete(prefix)
    assert sorted(event.instance for event in got) == ["a", "b"]


async def test_a_deleted_queue_is_declared_again() -> None:
    instance, got, watch = fresh_instance(), [], Watch()
    async with server(instance) as sender, stream(got.append, instance, watch) as consumer:
        await until(lambda: consumer.connected)
        await sender.channel.queue_delete(instance_queue(instance, "messages.upsert").queue)
        await until(lambda: watch.count(StreamConnected) == 2)
        await sender.publish(envelope(instance, 1))
        await until(lambda: got)


async def test_a_broker_that_is_not_there_is_tried_again_without_its_password() -> None:
    watch = Watch()
    uri = "amqp://me:hunter2@127.0.0.1:1/"
    consumer = RabbitStream(print, uri, instances=["x"], on_state=watch, reconnect=NOW)
    async with consumer:
        await until(lambda: watch.count(StreamDisconnected) >= 2)
        assert consumer.state != "connected"
    assert consumer.state == "stopped"
    assert "hunter2" not in f"{watch.states}{consumer!r}{vars(consumer)}"


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"events": ["NO_SUCH"]}, "events"),
        ({"events": []}, "events"),
        ({"instances": []}, "instances"),
        ({"prefetch": 0}, "prefetch"),
        ({"max_deliveries": 0}, "max_deliveries"),
    ],
)
def test_wrong_values_are_named(options: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        RabbitStream(print, URI, **options)
    assert caught.value.variable == named
