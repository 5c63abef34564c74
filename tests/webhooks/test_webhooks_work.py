"""After the answer: copies, order, limits, failures, replays; in threads and in tasks."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from evolution_sdk import EvolutionClient, SyncMessagesUpsert
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import Event, EventRouter, MessagesUpsert, parse_event
from evolution_sdk.retry import EvolutionRetryService
from evolution_sdk.webhooks import Answer, Delivery, MemoryInbox, WebhookReceiver

from .conftest import Kit, posted


def ids(events: list[Event[Any]]) -> list[str]:
    return [event.id for event in events]  # type: ignore[attr-defined]  # messages only


def test_copies_are_answered_and_not_handled_again(kit: Kit) -> None:
    receiver = kit.receiver()
    copies = [posted(), posted(date_time="other", destination="other", apikey="x"), posted()]
    assert [kit.post(receiver, body) for body in copies] == [200, 200, 200]
    socket = parse_event(posted(), source="socket")
    assert receiver.offer(socket, posted()) is Answer.DUPLICATE
    assert receiver.drain()
    assert ids(kit.seen) == ["ID1"]
    assert (receiver.metrics().accepted, receiver.metrics().duplicates) == (1, 2)


def test_copies_are_forgotten_after_a_while_and_beyond_a_number(kit: Kit) -> None:
    receiver = kit.receiver(inbox=MemoryInbox(dedupe_ms=10_000, max_keys=2, clock=kit.clock))
    kit.post(receiver)
    kit.clock.now += 10
    kit.post(receiver)
    assert receiver.drain()
    assert len(kit.seen) == 2
    for number in (2, 3, 4, 1):
        kit.post(receiver, posted(number))
    assert receiver.drain()
    assert len(kit.seen) == 6


def gate(kit: Kit) -> threading.Event:
    opened = threading.Event()
    kit.router.add(lambda event: opened.wait(10), Event, priority=9)
    return opened


def test_a_full_queue_sends_the_server_away_for_a_while(kit: Kit) -> None:
    opened = gate(kit)
    receiver = kit.receiver(max_queue=2)
    assert [kit.post(receiver, posted(n)) for n in (1, 2, 3)] == [200, 200, 503]
    _, headers, _ = receiver.handle("POST", "/", {}, posted(3))
    assert headers["retry-after"] == "5"
    kit.clock.now += 2
    told = receiver.metrics()
    assert (told.queue_depth + told.in_flight, told.oldest_age_ms) == (2, 2_000)
    assert told.rejected == {"full": 2}
    opened.set()
    assert receiver.drain()
    assert kit.post(receiver, posted(3)) == 200
    assert receiver.drain()
    assert sorted(ids(kit.seen)) == ["ID1", "ID2", "ID3"]
    assert receiver.metrics().queue_bytes == 0


def test_the_queue_is_limited_in_bytes_too(kit: Kit) -> None:
    opened = gate(kit)
    receiver = kit.receiver(max_queue_bytes=len(posted()) + 1)
    assert [kit.post(receiver, posted(n)) for n in (1, 2)] == [200, 503]
    opened.set()


def test_one_chat_stays_in_order_while_others_run(kit: Kit) -> None:
    meeting = threading.Barrier(2, timeout=10)
    router = EventRouter()

    @router.on(MessagesUpsert)
    def handler(event: MessagesUpsert) -> None:
        if event.id in ("ID1", "ID3"):  # of two chats: they can only meet when both run at once
            meeting.wait()
        kit.seen.append(event)

    receiver = kit.receiver(router=router, concurrency=3)
    for number, chat in ((1, "a@g.us"), (2, "a@g.us"), (3, "b@g.us")):
        kit.post(receiver, posted(number, chat=chat))
    assert receiver.drain()
    done = ids(kit.seen)
    assert done.index("ID1") < done.index("ID2")
    assert receiver.metrics().handled == 3


async def test_tasks_run_as_many_at_once_as_allowed_and_no_more(kit: Kit) -> None:
    import asyncio

    router = EventRouter()
    most = now = 0

    @router.on(MessagesUpsert)
    async def handler(event: MessagesUpsert) -> None:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1

    receiver = kit.receiver(router=router, concurrency=3)
    for number in range(9):
        assert kit.post(receiver, posted(number, chat=f"{number}@g.us")) == 200
    assert await receiver.drain_async()
    assert (most, receiver.metrics().handled) == (3, 9)
    await receiver.close_async()
    assert kit.post(receiver, posted(99)) == 503


def test_a_handler_that_fails_leaves_a_dead_letter_and_the_rest_goes_on(kit: Kit) -> None:
    broken = True
    deliveries: list[Delivery] = []

    def picky(event: MessagesUpsert, delivery: Delivery) -> None:
        deliveries.append(delivery)
        if broken and event.id == "ID1":
            raise KeyError("x")

    kit.router.add(picky, MessagesUpsert)
    receiver = kit.receiver()
    for number in (1, 2):
        kit.post(receiver, posted(number))
    assert receiver.drain()
    (letter,) = receiver.dead_letters()
    assert (letter.event.raw["data"]["key"]["id"], letter.error, letter.attempts) == (
        "ID1",
        "KeyError",
        1,
    )
    assert letter.failed_at.timestamp() == kit.clock.now
    assert (receiver.metrics().failed, receiver.metrics().dead) == (1, 1)
    broken = False
    assert receiver.replay([letter.id, 999]) == 1
    assert receiver.drain()
    assert receiver.dead_letters() == []
    assert ids(kit.seen) == ["ID1", "ID2"], "finished handlers are not called again"
    assert [one.attempt for one in deliveries if one] == [1, 1, 2]


def test_dead_letters_can_be_thrown_away_and_are_bounded(kit: Kit) -> None:
    kit.router.add(lambda event: {}["x"], Event)
    receiver = kit.receiver(inbox=MemoryInbox(max_dead=2))
    for number in (1, 2, 3):
        kit.post(receiver, posted(number))
    assert receiver.drain()
    assert [one.event.raw["data"]["key"]["id"] for one in receiver.dead_letters()] == ["ID2", "ID3"]
    assert receiver.discard([receiver.dead_letters()[0].id]) == 1
    assert receiver.discard() == 1
    assert receiver.dead_letters() == []


@pytest.mark.parametrize("colour", ["threads", "tasks"])
async def test_the_retry_service_decides_how_often_a_handler_is_tried(
    kit: Kit, colour: str
) -> None:
    naps: list[float] = []

    async def nap(seconds: float) -> None:
        naps.append(seconds)

    tries: list[int] = []

    def third(event: Event[Any], delivery: Delivery) -> None:
        tries.append(delivery.attempt)
        if len(tries) < 3:
            raise OSError("not yet")

    kit.router.add(third, Event)
    retry = EvolutionRetryService(3, 1_000, jitter="none", sleep=naps.append, async_sleep=nap)
    receiver = kit.receiver(retry=retry)
    if colour == "threads":
        receiver.start()
    else:
        receiver.start_tasks()
    kit.post(receiver)
    assert await receiver.drain_async()
    assert tries == [1, 2, 3]
    assert naps == [1, 2]
    assert (receiver.metrics().handled, len(kit.seen)) == (1, 1)
    assert retry.get_metrics("webhook.handle").retries == 2
    await receiver.close_async()


def test_a_client_is_attached(kit: Kit) -> None:
    with EvolutionClient("http://evolution.test", "key") as client:
        receiver = kit.receiver(client=client)
        kit.post(receiver)
        assert receiver.drain()
    assert kit.seen[0].is_bound
    assert isinstance(kit.seen[0], SyncMessagesUpsert)
    assert kit.seen[0].source == "webhook"
    assert kit.seen[0].received_at is not None


def test_threads_refuse_async_handlers_with_advice(
    kit: Kit, caplog: pytest.LogCaptureFixture
) -> None:
    async def later(event: Event[Any]) -> None: ...

    kit.router.add(later, Event)
    receiver: WebhookReceiver = kit.receiver()
    with pytest.raises(ConfigurationError, match=r"receiver\.asgi"):
        receiver.start()
    assert kit.post(receiver) == 500
    assert "receiver.asgi" in caplog.text
