"""RabbitMQ fault drills against a real broker: nothing is lost, whatever dies."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from rabbit_stage import (
    Watch,
    control,
    cut_connections,
    envelope,
    fresh_instance,
    require_broker,
    server,
    stream,
    until,
)

from evolution_sdk.streams import StreamConnected, StreamDisconnected

CONSUMER = Path(__file__).with_name("rabbit_consumer.py")
needs_control = pytest.mark.skipif(
    shutil.which("rabbitmqctl") is None, reason="no rabbitmqctl here to cut connections with"
)


@pytest.fixture(autouse=True)
def _broker() -> None:
    require_broker()


def lines(path: Path, word: str) -> list[str]:
    text = path.read_text() if path.exists() else ""
    return [line.split()[1] for line in text.splitlines() if line.startswith(word)]


def start(instance: str, path: Path, most: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(CONSUMER), instance, str(path), str(most)]
    return subprocess.Popen(command)


async def test_a_consumer_killed_in_the_middle_of_a_batch_loses_nothing(tmp_path: Path) -> None:
    instance, count = fresh_instance(), 60
    expected = {f"M{n}" for n in range(count)}
    first, second = tmp_path / "first", tmp_path / "second"
    async with server(instance) as sender:
        await sender.publish(*(envelope(instance, n, chat=n % 7) for n in range(count)))
        victim = start(instance, first, 10)
        try:
            await until(lambda: len(lines(first, "begun")) > len(lines(first, "done")) >= 10)
        finally:
            victim.send_signal(signal.SIGKILL)
            victim.wait()
        cut = set(lines(first, "begun")) - set(lines(first, "done"))
        assert cut, "it was not in the middle of anything"
        heir = start(instance, second, count)
        try:
            done = set(lines(first, "done"))
            await until(lambda: done | set(lines(second, "done")) >= expected)
        finally:
            heir.kill()
            heir.wait()
    again = Counter([*lines(first, "done"), *lines(second, "done")])
    assert set(again) == expected
    assert cut <= set(lines(second, "done")), "what was cut is handled by the other"
    # Twice at most, and only what the victim held when it died, finished but not yet told.
    assert max(again.values()) <= 2
    assert sum(n - 1 for n in again.values()) <= 10


@needs_control
async def test_cut_connections_lose_nothing_and_repeat_nothing() -> None:
    instance, count, watch, got = fresh_instance(), 80, Watch(), Counter[str]()

    async def handle(event: Any) -> None:
        await asyncio.sleep(0.005)
        got[event.id] += 1

    async with server(instance) as sender:
        async with stream(handle, instance, watch, name=instance, prefetch=8) as consumer:
            await until(lambda: consumer.connected)
            for begin in range(0, count, 20):
                await sender.publish(*(envelope(instance, n) for n in range(begin, begin + 20)))
                for _ in range(10):  # the broker may not list a new connection yet
                    cut = await asyncio.to_thread(cut_connections, f"evolution-sdk {instance}")
                    if cut:
                        break
                assert cut == 1
                before = watch.count(StreamDisconnected)
                await until(lambda: watch.count(StreamConnected) > before)  # noqa: B023
            await until(lambda: len(got) == count)
        assert await sender.left() == []
    assert watch.count(StreamConnected) >= 4
    reconnected = [s for s in watch.states if isinstance(s, StreamConnected)][1:]
    assert all(state.missing_since is not None for state in reconnected)
    assert set(got.values()) == {1}, "handled before the cut, told after it, and still once"


@needs_control
async def test_a_broker_that_restarts_loses_nothing() -> None:
    """The queues are replicated logs on disk, even though the server marks nothing persistent."""
    instance, count, watch, got = fresh_instance(), 40, Watch(), Counter[str]()
    down = asyncio.Event()

    async def handle(event: Any) -> None:
        if len(got) >= 3:
            await down.wait()
        got[event.id] += 1

    async with (
        server(instance) as sender,
        stream(handle, instance, watch, prefetch=4) as consumer,
    ):
        await until(lambda: consumer.connected)
        await sender.publish(*(envelope(instance, n, chat=n % 3) for n in range(count)))
        await until(lambda: len(got) >= 3)
        await asyncio.to_thread(control, "stop_app")
        try:
            await until(lambda: watch.count(StreamDisconnected) >= 1)
            assert len(got) < count
            down.set()  # what was held finishes now, and cannot be acknowledged any more
        finally:
            await asyncio.to_thread(control, "start_app")
        await until(lambda: len(got) == count)
    assert watch.count(StreamConnected) == 2
    assert set(got.values()) == {1}


async def test_several_consumers_share_the_work() -> None:
    instance, count, by = fresh_instance(), 90, [Counter[str]() for _ in range(3)]

    def worker(seen: Counter[str]) -> Any:
        async def handle(event: Any) -> None:
            await asyncio.sleep(0.005)
            seen[event.id] += 1

        return stream(handle, instance, prefetch=5)

    first, second, third = (worker(each) for each in by)
    async with server(instance) as sender, first, second, third:
        await until(lambda: all(each.connected for each in (first, second, third)))
        await sender.publish(*(envelope(instance, n, chat=n % 10) for n in range(count)))
        await until(lambda: sum(map(len, by)) == count)
    total = sum(by, Counter[str]())
    assert set(total) == {f"M{n}" for n in range(count)}
    assert set(total.values()) == {1}
    assert all(len(each) > count / 10 for each in by)
