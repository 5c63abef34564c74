"""A receiver after a fork: what a process accepts it handles, and nothing of the parent's."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk.events import EventRouter, MessagesUpsert
from evolution_sdk.webhooks import WebhookReceiver

from .children import Child, in_child, quiet_forks

pytestmark = quiet_forks
JSON = {"Content-Type": "application/json"}


def posted(number: int) -> bytes:
    data = {
        "key": {
            "remoteJid": f"55119{number:08}@s.whatsapp.net",
            "fromMe": False,
            "id": f"ID{number}",
        },
        "message": {"conversation": "oi"},
        "messageType": "conversation",
        "messageTimestamp": 1_795_447_889,
    }
    return json.dumps({"event": "messages.upsert", "instance": "sales", "data": data}).encode()


class Kit:
    """A receiver whose handler writes down what it handled, and waits where it is told to."""

    def __init__(self, inbox: Path | None = None) -> None:
        self.seen: list[str] = []
        self.slow = threading.Event()
        self.slow.set()
        self.router = EventRouter()
        self.router.add(self._handle, MessagesUpsert, name="seen")
        self.receiver = WebhookReceiver(self.router, inbox=inbox, concurrency=4)

    def _handle(self, event: Any) -> None:
        self.slow.wait(30)
        self.seen.append(event.id)

    def post(self, number: int) -> int:
        return self.receiver.handle("POST", "/", JSON, posted(number))[0]

    def posted_and_handled(self, number: int) -> tuple[int, list[str], int]:
        status = self.post(number)
        assert self.receiver.drain(timeout_ms=10_000)
        return status, self.seen, self.receiver.metrics().accepted


@pytest.fixture
def made() -> Iterator[Callable[..., Kit]]:
    with ExitStack() as stack:

        def make(inbox: Path | None = None) -> Kit:
            kit = Kit(inbox)
            stack.callback(kit.receiver.close)
            stack.callback(kit.slow.set)
            return kit

        yield make


@pytest.fixture(params=["memory", "file"])
def inbox(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return tmp_path / "inbox.db" if request.param == "file" else None


def test_a_child_handles_what_it_accepts(made: Callable[..., Kit], inbox: Path | None) -> None:
    kit = made(inbox)
    kit.receiver.start()  # as an application that is loaded before its server forks
    assert in_child(lambda: kit.posted_and_handled(1)) == (200, ["ID1"], 1)
    assert in_child(lambda: kit.posted_and_handled(2)) == (200, ["ID2"], 1)
    assert kit.posted_and_handled(3) == (200, ["ID3"], 1)


def test_what_the_parent_accepted_stays_the_parents(
    made: Callable[..., Kit], inbox: Path | None
) -> None:
    kit = made(inbox)
    kit.slow.clear()
    assert [kit.post(number) for number in range(6)] == [200] * 6  # four are begun, two wait

    def child() -> Any:
        kit.slow = threading.Event()
        kit.slow.set()
        metrics = kit.receiver.metrics()
        return metrics.queue_depth, metrics.in_flight, kit.posted_and_handled(9)

    assert in_child(child) == (0, 0, (200, ["ID9"], 1))
    kit.slow.set()
    assert kit.receiver.drain(timeout_ms=10_000)
    assert sorted(kit.seen) == [f"ID{number}" for number in range(6)]


def test_a_copy_is_known_to_every_process_that_shares_the_file(
    made: Callable[..., Kit], tmp_path: Path
) -> None:
    kit = made(tmp_path / "inbox.db")
    assert kit.posted_and_handled(1)[1] == ["ID1"]
    assert in_child(lambda: kit.posted_and_handled(1)) == (200, ["ID1"], 0)


def test_nothing_accepted_is_lost_when_the_parent_ends_first(
    made: Callable[..., Kit], tmp_path: Path
) -> None:
    """Without a file that is closed before the fork, the child's second event is lost.

    SQLite keeps its locks per process: the parent, believing itself alone, would remove the log
    into which the child goes on writing.
    """
    path = tmp_path / "inbox.db"
    kit = made(path)
    assert kit.posted_and_handled(1)[1] == ["ID1"]
    heard, said = os.pipe(), os.pipe()

    def child() -> list[int]:
        kit.slow.clear()
        first = kit.post(2)
        os.write(said[1], b"1")
        os.read(heard[0], 1)  # the parent has closed its receiver
        return [first, kit.post(3)]  # and it dies with both unhandled

    one = Child(child)
    os.read(said[0], 1)
    kit.receiver.close()
    os.write(heard[1], b"1")
    assert one.result() == [200, 200]
    for end in (*heard, *said):
        os.close(end)
    after = made(path)
    after.receiver.start()
    assert after.receiver.drain(timeout_ms=10_000)
    assert sorted(after.seen) == ["ID2", "ID3"]


def test_tasks_of_the_parents_loop_are_not_taken_for_workers(
    made: Callable[..., Kit], inbox: Path | None
) -> None:
    kit = made(inbox)

    async def parent() -> Any:
        kit.receiver.start_tasks()
        told = await asyncio.to_thread(in_child, lambda: kit.posted_and_handled(1))
        kit.post(2)
        assert await kit.receiver.drain_async()
        await kit.receiver.close_async()
        return told

    assert asyncio.run(parent()) == (200, ["ID1"], 1)
    assert kit.seen == ["ID2"]


def test_the_first_requests_of_several_threads_begin_one_set_of_workers(
    made: Callable[..., Kit],
) -> None:
    kit = made()
    kit.receiver.start()

    def child() -> tuple[int, int]:
        threads = [threading.Thread(target=kit.post, args=(n,)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert kit.receiver.drain(timeout_ms=10_000)
        return len(set(kit.seen)), sum("webhook" in one.name for one in threading.enumerate())

    assert in_child(child) == (16, 4)


def test_a_child_of_a_closed_receiver_accepts_nothing(made: Callable[..., Kit]) -> None:
    kit = made()
    kit.receiver.start()
    kit.receiver.close()
    assert in_child(lambda: kit.post(1)) == 503
    kit.receiver.start()
    assert kit.post(1) == 200


def test_a_child_that_ends_closes_nothing_of_the_parents(
    made: Callable[..., Kit], inbox: Path | None
) -> None:
    kit = made(inbox)
    assert kit.post(1) == 200
    in_child(lambda: kit.receiver.close())
    assert kit.posted_and_handled(2)[0] == 200
    assert sorted(kit.seen) == ["ID1", "ID2"]
