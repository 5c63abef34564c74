"""Many callers at once: deliver() from anywhere, cancellations, forks, and the end of it all."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import outbox_drill as drill
import pytest

from evolution_sdk import AsyncEvolutionClient, EvolutionClient, EvolutionConfig
from evolution_sdk.outbox import AsyncOutbox, Outbox, OutboxState
from evolution_sdk.testing import FakeEvolution

CHAT = "5511987654321"


def config(fake: FakeEvolution, **more: Any) -> EvolutionConfig:
    return EvolutionConfig(
        base_url=fake.url, api_key="k", instance="sales", **{**drill.SETTINGS, **more}
    )


@contextmanager
def opened(place: str, fake: FakeEvolution, **more: Any) -> Iterator[Outbox]:
    options: dict[str, Any] = {"poll_ms": 20, "workers": 3, **more}
    with EvolutionClient(config=config(fake)) as client:
        outbox = Outbox(place, client=client, **options)
        outbox.migrate()
        try:
            yield outbox
        finally:
            outbox.close()


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with drill.place(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def fake() -> Iterator[FakeEvolution]:
    with drill.server() as made:
        yield made


def test_deliver_from_everywhere_sends_each_once_and_in_order(
    place: str, fake: FakeEvolution
) -> None:
    fake.faults.add(drill.SEND, "delay", delay_ms=5)
    with opened(place, fake) as one, opened(place, fake) as two:
        rows = [one.messages.send_text(CHAT, f"n {number}").id for number in range(12)]
        rows += [one.messages.send_text("5511900000001", "apart").id]
        with ThreadPoolExecutor(6) as pool:
            for outbox in (one, two, one):
                pool.map(outbox.deliver, rows)
                pool.map(outbox.deliver, reversed(rows))
        ends = time.monotonic() + 20
        while one.counts() != {"sent": 13} and time.monotonic() < ends:
            for row in one.recover():
                two.deliver(row)
        assert [sent.text for sent in fake.sent_to(CHAT)] == [f"n {number}" for number in range(12)]
        assert len(fake.sent) == 13
        assert one.deliver(rows[0]) is None


def test_two_outboxes_of_one_process_share_a_file(place: str, fake: FakeEvolution) -> None:
    with opened(place, fake) as one, opened(place, fake) as two, one, two:
        for number in range(30):
            (one, two)[number % 2].messages.send_text(CHAT, f"n {number}", key=f"k{number}")
        drill.work_until_done(one)
        assert [sent.text for sent in fake.sent] == [f"n {number}" for number in range(30)]


def test_a_pause_and_a_stop_during_a_send_leave_it_whole(place: str, fake: FakeEvolution) -> None:
    fake.faults.add(drill.SEND, "delay", delay_ms=200)
    with opened(place, fake) as outbox:
        for number in range(3):
            outbox.messages.send_text(CHAT, f"n {number}", key=f"k{number}")
        outbox.start()
        while not fake.requests:
            time.sleep(0.005)
        outbox.pause("sales")
        time.sleep(0.4)
        assert outbox.counts() == {"sent": 1, "queued": 2}
        outbox.resume("sales")
        while len(fake.sent) < 2:
            time.sleep(0.005)
        assert outbox.close()
        assert outbox.counts() == {"sent": 2, "queued": 1}
        with outbox:
            drill.work_until_done(outbox)
        assert len(fake.sent) == 3


def test_a_stop_without_patience_leaves_the_rest_to_the_next(
    place: str, fake: FakeEvolution
) -> None:
    fake.faults.add(drill.SEND, "delay", delay_ms=300, count=1)
    with opened(place, fake) as outbox:
        outbox.messages.send_text(CHAT, "oi", key="k")
        outbox.start()
        while not fake.requests:
            time.sleep(0.005)
        assert not outbox.close(timeout_ms=1)
        with opened(place, fake) as other, other:
            drill.work_until_done(other)
        assert len(fake.sent) == 1


def test_a_task_that_is_cancelled_leaves_nothing_stuck(place: str, fake: FakeEvolution) -> None:
    fake.faults.add(drill.SEND, "delay", delay_ms=20)
    # The server is known to store messages.
    fake.receive_text("sales", from_="5511900000001", text="olá")

    async def main() -> None:
        async with AsyncEvolutionClient(config=config(fake)) as client:
            outbox = AsyncOutbox(place, client=client, poll_ms=20)
            await outbox.migrate()
            made = [await outbox.messages.send_text(CHAT, f"n {n}", key=f"k{n}") for n in range(6)]
            for step in range(25):
                # At another point each time: before, during and after claim, call and commit.
                task = asyncio.create_task(outbox.deliver(made[-1].id))
                await asyncio.sleep(0.003 * step)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            async with asyncio.timeout(30):
                while await outbox.counts() != {"sent": 6}:
                    for row in await outbox.recover():
                        await outbox.deliver(row)
                    await asyncio.sleep(0.02)
            await outbox.close()

    asyncio.run(main())
    assert [sent.text for sent in fake.sent] == [f"n {number}" for number in range(6)]


def test_a_loop_that_ends_without_close_leaves_nothing_stuck(
    place: str, fake: FakeEvolution
) -> None:
    fake.faults.add(drill.SEND, "delay", delay_ms=100)
    kept: list[Any] = []  # the process lives on, and so does what it holds

    async def main() -> None:
        client = AsyncEvolutionClient(config=config(fake))
        outbox = AsyncOutbox(place, client=client, poll_ms=20, lease_ms=1_000)
        kept.extend([client, outbox])
        await outbox.migrate()
        for number in range(4):
            await outbox.messages.send_text(f"55119000000{number:02}", f"n {number}")
        await outbox.start()
        while not fake.requests:  # noqa: ASYNC110 - the fake is in another thread
            await asyncio.sleep(0.005)

    asyncio.run(main())
    with opened(place, fake) as other, other:
        drill.work_until_done(other)
        assert other.counts() == {"sent": 4}
    assert len(fake.sent) == 4
    kept[1]._runner._heart_ends.set()
    kept[1]._runner._heart.join()
    kept[1]._store.close()


def test_a_fork_while_workers_run_works_on_its_own(place: str, fake: FakeEvolution) -> None:
    fake.faults.add(drill.SEND, "delay", delay_ms=3)
    with opened(place, fake) as outbox:
        for number in range(60):
            outbox.messages.send_text(f"55119000000{number % 6:02}", f"n {number}")
        with outbox:
            while len(fake.sent) < 6:
                time.sleep(0.002)
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    outbox.start()
                    code = 0 if outbox.close(timeout_ms=20_000) else 2
                finally:
                    os._exit(code)
            ends = time.monotonic() + 30
            while (told := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < ends:
                time.sleep(0.02)
            if told == (0, 0):
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
            assert os.waitstatus_to_exitcode(told[1]) == 0
            drill.work_until_done(outbox)
        assert outbox.counts() == {"sent": 60}
        assert len(fake.sent) == 60
        for number in range(6):
            texts = [sent.text for sent in fake.sent_to(f"55119000000{number:02}")]
            assert texts == [f"n {n}" for n in range(60) if n % 6 == number]


def test_nothing_is_left_behind_after_close(place: str, fake: FakeEvolution) -> None:
    before = set(threading.enumerate())
    with opened(place, fake) as outbox:
        outbox.messages.send_text(CHAT, "oi")
        with outbox:
            drill.work_until_done(outbox)
        gone = weakref.ref(outbox._store)
    left = [one.name for one in threading.enumerate() if one not in before]
    assert not [name for name in left if "evolution-outbox" in name]
    del outbox
    gc.collect()
    assert gone() is None


def test_the_two_names_of_one_person_do_not_take_each_others_message(
    place: str, fake: FakeEvolution
) -> None:
    lid = "123456789012345@lid"
    fake.set_lid(CHAT, lid)
    fake.faults.add(drill.SEND, "answer_then_drop", count=2)
    with opened(place, fake) as outbox:
        for number in range(3):
            # One is answered, so that the server is known to store messages.
            outbox.messages.send_text("5511900000001", f"before {number}")
        outbox.messages.send_text(CHAT, "igual", key="phone")
        outbox.messages.send_text(lid, "igual", key="lid")
        with outbox:
            drill.work_until_done(outbox)
        states = {one.state for one in (outbox.get("phone"), outbox.get("lid")) if one}
        sent = [one for one in fake.sent if one.text == "igual"]
        assert len(sent) <= 2
        assert states <= {OutboxState.SENT, OutboxState.UNKNOWN}
        if states == {OutboxState.SENT}:
            assert len(sent) == 2


def test_a_message_of_another_row_is_not_taken_for_a_lost_one(
    place: str, fake: FakeEvolution
) -> None:
    with opened(place, fake) as outbox, outbox:
        outbox.messages.send_text(CHAT, "igual", key="k0")
        outbox.wait("k0", timeout_ms=20_000)
        # The second one, equal and within the same second, never reaches the server at first.
        fake.faults.add(drill.SEND, "drop", count=1)
        outbox.messages.send_text(CHAT, "igual", key="k1")
        second = outbox.wait("k1", timeout_ms=30_000)
        first = outbox.get("k0")
        assert first is not None
        assert second.message_id != first.message_id
        assert len(fake.sent) == 2
