"""An inbox that fails after the handler: no worker ends, no chat waits for ever."""

from __future__ import annotations

import pytest

from evolution_sdk.events import Event, EventRouter
from evolution_sdk.webhooks import MemoryInbox
from evolution_sdk.webhooks.inbox import InboxEntry

from .conftest import Kit, posted


class FullDisk(MemoryInbox):
    """Keeps events, and cannot say that they are over."""

    def done(self, entry: InboxEntry) -> None:
        raise OSError("disk full")

    bury = done


class MuteError(Exception):
    """Cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("mute")


@pytest.mark.parametrize("fails", [False, True])
def test_threads_go_on_when_the_inbox_fails(kit: Kit, fails: bool) -> None:
    if fails:
        kit.router.add(refuse, Event)
    receiver = kit.receiver(inbox=FullDisk(), concurrency=1)
    assert [kit.post(receiver, posted(n)) for n in (1, 2)] == [200, 200]
    assert receiver.drain(timeout_ms=5_000)
    assert len(kit.seen) == 2


@pytest.mark.parametrize("fails", [False, True])
async def test_tasks_go_on_when_the_inbox_fails(kit: Kit, fails: bool) -> None:
    if fails:
        kit.router.add(refuse, Event)
    receiver = kit.receiver(inbox=FullDisk(), concurrency=1)
    assert [kit.post(receiver, posted(n)) for n in (1, 2)] == [200, 200]
    assert await receiver.drain_async(timeout_ms=5_000)
    assert len(kit.seen) == 2
    await receiver.close_async()


def test_an_error_without_words_becomes_a_dead_letter(kit: Kit) -> None:
    router = EventRouter()
    router.add(mute, Event)
    receiver = kit.receiver(router=router, concurrency=1)
    assert kit.post(receiver) == 200
    assert receiver.drain(timeout_ms=5_000)
    (letter,) = receiver.dead_letters()
    assert (letter.error, letter.error_text) == ("MuteError", "")


def refuse(event: Event[object]) -> None:
    raise ValueError("no")


def mute(event: Event[object]) -> None:
    raise MuteError
