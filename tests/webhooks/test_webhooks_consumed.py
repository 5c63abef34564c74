"""Answers that a wait consumed: no handler of the receiver sees them; nothing else is lost."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk import AsyncEvolutionClient, EvolutionClient, EvolutionConfig
from evolution_sdk.events import EventRouter, MessagesUpsert, parse_event
from evolution_sdk.testing import FakeEvolution
from evolution_sdk.tracking.consumption import Claims
from evolution_sdk.webhooks import MemoryInbox, SqliteInbox, WebhookReceiver
from evolution_sdk.webhooks.inbox import InboxEntry

from .conftest import JSON, NOW, Kit, posted

CHAT = "5511987654321@s.whatsapp.net"
LATER = 4_000_000_000  # after every send


def message(number: int, *, chat: str = CHAT) -> bytes:
    return posted(number, chat=chat).replace(str(int(NOW)).encode(), str(LATER).encode())


def fake() -> FakeEvolution:
    made = FakeEvolution(api_key="k")
    made.create_instance("sales")
    return made


@contextmanager
def sync_client() -> Iterator[EvolutionClient]:
    config = EvolutionConfig("http://fake", "k", instance="sales")
    with EvolutionClient(config=config, http_client=fake().http_client()) as client:
        yield client


@asynccontextmanager
async def async_client() -> AsyncIterator[AsyncEvolutionClient]:
    config = EvolutionConfig("http://fake", "k", instance="sales")
    async with AsyncEvolutionClient(
        config=config, http_client=fake().async_http_client()
    ) as client:
        yield client


def inbox_of(kind: str, folder: Path) -> Any:
    return MemoryInbox() if kind == "memory" else SqliteInbox(folder / "inbox.db")


INBOXES = pytest.mark.parametrize("inbox", ["memory", "sqlite"])


@INBOXES
def test_in_threads_a_consumed_answer_is_handled_by_its_wait_alone(
    kit: Kit, inbox: str, tmp_path: Path
) -> None:
    router, seen, waits = EventRouter(), list[str](), threading.Event()

    @router.on(MessagesUpsert)
    def handler(event: Any) -> None:
        seen.append(event.id)
        if event.id == "ID1":
            sent = event.reply_text("Your name?")
            waits.set()
            seen.append(f"wait {sent.wait_for_reply(timeout_ms=30_000, consume=True).id}")

    with sync_client() as client:
        receiver = kit.receiver(router=router, client=client, inbox=inbox_of(inbox, tmp_path))
        assert kit.post(receiver, message(1)) == 200
        assert waits.wait(30)
        assert kit.post(receiver, message(2, chat="5511000000000@s.whatsapp.net")) == 200
        assert kit.post(receiver, message(3)) == 200
        assert kit.post(receiver, message(4)) == 200
        assert receiver.drain()
        assert kit.post(receiver, message(3)) == 200
        assert receiver.drain()
        receiver.close()
    assert sorted(seen) == ["ID1", "ID2", "ID4", "wait ID3"]
    told = receiver.metrics()
    assert (told.handled, told.duplicates, told.dead) == (4, 1, 0)


@INBOXES
async def test_in_tasks_a_consumed_answer_is_handled_by_its_wait_alone(
    inbox: str, tmp_path: Path
) -> None:
    router, seen, waits = EventRouter(), list[str](), asyncio.Event()

    @router.on(MessagesUpsert)
    async def handler(event: Any) -> None:
        seen.append(event.id)
        if event.id == "ID1":
            sent = await event.reply_text("Your name?")
            waits.set()
            reply = await sent.wait_for_reply(timeout_ms=30_000, consume=True)
            seen.append(f"wait {reply.id}")

    async with async_client() as client:
        receiver = WebhookReceiver(router, client=client, inbox=inbox_of(inbox, tmp_path))
        await receiver.start_async()
        assert (await receiver.handle_async("POST", "/", JSON, message(1)))[0] == 200
        await asyncio.wait_for(waits.wait(), 30)
        for body in (message(2, chat="5511000000000@s.whatsapp.net"), message(3), message(4)):
            assert (await receiver.handle_async("POST", "/", JSON, body))[0] == 200
        assert await receiver.drain_async()
        await receiver.close_async()
    assert sorted(seen) == ["ID1", "ID2", "ID4", "wait ID3"]


def ids(kit: Kit) -> list[str]:
    return [event.id for event in kit.seen]  # type: ignore[attr-defined]  # messages only


class Claiming:
    """A client that is slow to be told of events, and lays claim to some of them."""

    def __init__(self) -> None:
        self.claims = Claims()
        self.told = threading.Event()
        self.laid: list[Any] = []

    def feed(self, event: Any) -> None:
        # Longer than a worker needs to take the event from the queue.
        self.told.wait(30)
        if event.id == "ID1":
            self.laid.append(self.claims.lay(event))

    def claim_on(self, event: Any) -> Any:
        return self.claims.on(event)

    def bind_event(self, event: Any) -> Any:
        return event


@pytest.mark.parametrize("kept", [True, False])
async def test_no_event_is_handled_before_it_was_offered_and_its_claim_settled(
    kit: Kit, kept: bool
) -> None:
    client = Claiming()
    receiver = kit.receiver(client=client, concurrency=2)
    bodies = (message(1), message(2, chat="5511000000000@s.whatsapp.net"))
    posts = [threading.Thread(target=kit.post, args=(receiver, body)) for body in bodies]
    for post in posts:
        post.start()
    async with asyncio.timeout(30):
        while receiver.metrics().in_flight < 2:  # noqa: ASYNC110 - threads, which tell no event
            await asyncio.sleep(0)
    client.told.set()
    for post in posts:
        post.join(30)
    assert "ID1" not in ids(kit), "its claim is not settled yet"
    (claim,) = client.laid
    claim.settle(kept=kept)
    assert receiver.drain()
    assert sorted(ids(kit)) == (["ID2"] if kept else ["ID1", "ID2"])


def test_an_event_of_an_earlier_process_is_handled(kit: Kit, tmp_path: Path) -> None:
    """Its wait is gone with that process."""
    left, body = SqliteInbox(tmp_path / "inbox.db"), message(9)
    left.open()
    left.add(InboxEntry(parse_event(body).delivery_key, body, "webhook", None, NOW), NOW)
    left.close()
    receiver = kit.receiver(client=Claiming(), inbox=SqliteInbox(tmp_path / "inbox.db"))
    receiver.start()
    assert receiver.drain()
    assert ids(kit) == ["ID9"]
