"""The consumer: order per chat, copies, turns, waits of handlers; what fails."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from rabbit_stage import envelope, until

from evolution_sdk import AsyncEvolutionClient, EvolutionClient, EvolutionConfig
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import parse_event
from evolution_sdk.events._recent_keys import RecentKeys
from evolution_sdk.streams._consumer import EventConsumer
from evolution_sdk.streams._redelivery import FailureCounts, Redelivery, delivery_count
from evolution_sdk.testing import FakeEvolution


@asynccontextmanager
async def fake_client() -> AsyncIterator[AsyncEvolutionClient]:
    """A client in front of a fake server."""
    fake = FakeEvolution(api_key="k")
    fake.create_instance("sales")
    options = EvolutionConfig("http://fake", "k", instance="sales")
    async with AsyncEvolutionClient(config=options, http_client=fake.async_http_client()) as client:
        yield client


async def test_events_of_a_chat_wait_for_each_other_and_failures_do_not_block() -> None:
    log: list[str] = []

    async def handle(event: Any) -> None:
        log.append(f"begin {event.id}")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if event.id == "M1":
            raise ValueError
        log.append(f"end {event.id}")

    consumer = EventConsumer(handle)
    events = [parse_event(envelope("a", n, chat=n // 3)) for n in range(4)]
    done = await asyncio.gather(*map(consumer.handle, events), return_exceptions=True)
    assert [type(result) for result in done] == [bool, ValueError, bool, bool]
    own = [entry for entry in log if entry[-1] in "012"]
    assert own == ["begin M0", "end M0", "begin M1", "begin M2", "end M2"]
    assert log.index("begin M3") < log.index("end M0"), "another chat does not wait"
    assert consumer._turns.idle


async def test_a_copy_waits_for_the_first_and_counts_once_unless_that_failed() -> None:
    tries: list[str] = []

    async def handle(event: Any) -> None:
        tries.append(event.id)
        await asyncio.sleep(0)
        if len(tries) == 1:
            raise ValueError

    consumer = EventConsumer(handle)
    copies = [parse_event(envelope("a", 1), source=s) for s in ("socket", "queue", "webhook")]
    first, second, third = await asyncio.gather(
        *map(consumer.handle, copies), return_exceptions=True
    )
    assert isinstance(first, ValueError)
    assert (second, third) == (True, False)
    assert (consumer.handled, consumer.duplicates) == (1, 1)


async def test_a_plain_handler_runs_in_a_thread_and_a_router_is_asked_for_its_dispatch() -> None:
    threads: list[Any] = []
    consumer = EventConsumer(lambda _event: threads.append(threading.current_thread()))
    await consumer.handle(parse_event(envelope("a", 1)))
    assert threads != [threading.main_thread()]

    class Router:
        got: list[Any] = []

        async def dispatch(self, event: Any) -> None:
            self.got.append(event)

    await EventConsumer(Router()).handle(parse_event(envelope("a", 1)))
    assert len(Router.got) == 1
    with pytest.raises(ConfigurationError):
        EventConsumer("nothing callable")  # type: ignore[arg-type]  # wrong on purpose


async def test_a_client_is_attached_and_told() -> None:
    client = EvolutionClient("http://x", "k")
    heard: list[Any] = []
    client._pipeline.event_bus.listen(heard.append)
    consumer = EventConsumer(
        lambda event: event.is_bound or pytest.fail("no client"), client=client
    )
    event = consumer.read(envelope("a", 1))
    await consumer.handle(event)
    assert heard == [event]
    client.close()


async def test_a_handler_may_wait_for_the_next_event_of_its_own_chat() -> None:
    async with fake_client() as client:
        replies: list[str] = []

        async def handle(event: Any) -> None:
            if event.id == "M1":
                sent = await event.reply_text("Yes or no?")
                replies.append((await sent.wait_for_reply(timeout_ms=10_000)).text)

        consumer = EventConsumer(handle, client=client)
        first = asyncio.create_task(consumer.handle(consumer.read(envelope("sales", 1))))
        await until(lambda: client._pipeline.event_bus.listening)
        answer = envelope("sales", 2)
        answer["data"]["messageTimestamp"] = 4_000_000_000
        second = asyncio.create_task(consumer.handle(consumer.read(answer)))
        await asyncio.gather(first, second)
    assert replies == ["text 2"]


async def test_who_waits_for_its_chat_or_its_turn_is_heard_and_holds_up_no_other_chat() -> None:
    may_end, begun = asyncio.Event(), []
    client = EvolutionClient("http://x", "k")
    heard: list[Any] = []
    client._pipeline.event_bus.listen(lambda event: heard.append(event.id))

    async def handle(event: Any) -> None:
        begun.append(event.id)
        await may_end.wait()

    consumer, turns = EventConsumer(handle, client=client), asyncio.Semaphore(2)
    events = [consumer.read(envelope("a", n, chat=chat)) for n, chat in enumerate((0, 0, 0, 1, 2))]
    tasks = [asyncio.create_task(consumer.handle(event, turns=turns)) for event in events]
    await until(lambda: len(heard) == 5)
    assert begun == ["M0", "M3"], "two of one chat wait without a turn"
    may_end.set()
    await asyncio.gather(*tasks)
    assert sorted(begun) == ["M0", "M1", "M2", "M3", "M4"]
    client.close()


def test_recent_keys_are_bounded_and_asking_changes_nothing() -> None:
    keys = RecentKeys(2)
    assert not keys.seen("a")
    assert not keys.seen("a")
    for key in ("a", "b", "a", "c"):
        keys.add(key)
    assert [keys.seen(key) for key in "abc"] == [True, False, True]
    assert len(keys) == 2
    with pytest.raises(ConfigurationError):
        RecentKeys(0)


def test_a_failing_event_is_given_up_by_our_count_or_the_brokers() -> None:
    failures = FailureCounts(3)
    assert [failures.count("k", 0) for _ in range(3)] == [
        Redelivery(1, False), Redelivery(2, False), Redelivery(3, True),
    ]  # fmt: skip
    assert failures.count("k", 0) == Redelivery(1, False), "forgotten when given up"
    assert failures.count("other", 2) == Redelivery(3, True), "tried twice by other consumers"
    failures.forget("k")
    assert failures.count("k", 0).deliveries == 1
    counts = [None, {}, {"x-delivery-count": 2}, {"x-delivery-count": "2"}]
    assert [delivery_count(headers) for headers in counts] == [0, 0, 2, 0]


async def test_an_answer_that_a_wait_consumed_reaches_no_handler_and_counts_as_handled() -> None:
    async with fake_client() as client:
        seen: list[str] = []

        async def handle(event: Any) -> None:
            seen.append(event.id)
            if event.id == "M1":
                sent = await event.reply_text("Yes or no?")
                reply = await sent.wait_for_reply(timeout_ms=10_000, consume=True)
                seen.append(f"wait {reply.id}")

        consumer = EventConsumer(handle, client=client)
        first = asyncio.create_task(consumer.handle(consumer.read(envelope("sales", 1))))
        await until(lambda: client._pipeline.event_bus.listening)
        bodies = [envelope("sales", number) for number in (2, 3)]
        for body in bodies:
            body["data"]["messageTimestamp"] = 4_000_000_000
        # By two transports, as where a socket stands beside a queue.
        events = [consumer.read(body) for body in (*bodies, bodies[0])]
        assert await asyncio.gather(first, *map(consumer.handle, events)) == [
            True, False, True, False,
        ]  # fmt: skip
        assert consumer.has_handled(events[0].delivery_key)
    assert seen == ["M1", "wait M2", "M3"]
    assert (consumer.handled, consumer.consumed, consumer.duplicates) == (2, 1, 1)


async def test_an_answer_whose_wait_was_cancelled_reaches_its_handlers() -> None:
    async with fake_client() as client:
        seen: list[str] = []
        consumer = EventConsumer(lambda event: seen.append(event.id), client=client)
        sent = await client.messages.send_text("5511987654321", "Yes or no?")
        waiting = asyncio.create_task(sent.wait_for_reply(timeout_ms=10_000, consume=True))
        await until(lambda: client._pipeline.event_bus.listening)
        body = envelope("sales", 2)
        body["data"]["key"]["remoteJid"] = sent.remote_jid
        body["data"]["messageTimestamp"] = 4_000_000_000
        handling = asyncio.create_task(consumer.handle(consumer.read(body)))
        await until(lambda: client.claim_on(consumer.read(body)))
        waiting.cancel()
        assert await handling is True
    assert seen == ["M2"]
