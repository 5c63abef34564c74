"""Three receivers share an inbox while some of them are killed or frozen: none is lost.

``EVOLUTION_DRILL_SENDS`` says how many events; see ``make drill``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import signal
import socket
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from .conftest import posted
from .drill_machine import CONCURRENCY
from .inbox_places import postgres_schema

EVENTS = int(os.environ.get("EVOLUTION_DRILL_SENDS", "300"))
CHATS = 24
KILLS, FREEZES = max(2, EVENTS // 500), max(1, EVENTS // 2_500)
LEASE_MS = 1_500
PATIENCE_S = 60 + EVENTS / 20
MACHINE = Path(__file__).with_name("drill_machine.py")
log = logging.getLogger("drill")


class Machine:
    """A receiver in a process, started anew after each kill."""

    def __init__(self, url: str, file: Path) -> None:
        self.url, self.file = url, file
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.pids: list[int] = []
        self.start()

    def start(self) -> None:
        command = [sys.executable, str(MACHINE), str(self.port), self.url, str(self.file)]
        path = os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(MACHINE.parents[2])])
        self.process = subprocess.Popen(
            [*command, str(LEASE_MS)], env={**os.environ, "PYTHONPATH": path}
        )
        self.pids.append(self.process.pid)

    def send(self, number: int) -> int:
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait()
        return self.process.pid

    @property
    def post_to(self) -> str:
        return f"http://127.0.0.1:{self.port}/messages-upsert"


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[list[Machine]]:
    with postgres_schema() as url:
        made = [Machine(url, tmp_path / "log") for _ in range(3)]
        (tmp_path / "log").touch()
        try:
            yield made
        finally:
            for machine in made:
                machine.process.kill()
                machine.process.wait()


async def deliver(http: aiohttp.ClientSession, machines: list[Machine], body: bytes) -> None:
    """Post to the balancer until somebody has taken it."""
    while True:
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with http.post(random.choice(machines).post_to, data=body) as answer:
                if answer.status == 200:
                    return
        await asyncio.sleep(0.05)


def body_of(number: int) -> bytes:
    return posted(number, chat=f"{number % CHATS}@g.us", date_time="2026-11-23T12:35:00.649Z")


def lines(machines: list[Machine]) -> list[tuple[str, int, int]]:
    told = (line.split() for line in machines[0].file.read_text("utf-8").splitlines())
    return [(what, int(event[2:]), int(pid)) for what, event, pid in told]


async def until(machines: list[Machine], goal: int) -> None:
    while len({event for what, event, _ in lines(machines) if what == "end"}) < goal:  # noqa: ASYNC110 - other processes are waited for
        await asyncio.sleep(0.05)


async def post_all(http: aiohttp.ClientSession, machines: list[Machine]) -> None:
    """Post the events, those of a chat one after the other, and copies of what was taken."""
    chance = random.Random(3)
    taken: list[int] = []

    async def chat(first: int) -> None:
        for number in range(first, EVENTS, CHATS):
            await deliver(http, machines, body_of(number))
            taken.append(number)
            if chance.random() < 0.3:
                await deliver(http, machines, body_of(chance.choice(taken)))

    await asyncio.gather(*(chat(first) for first in range(CHATS)))


async def strike(machines: list[Machine]) -> Counter[int]:
    """Kill some and freeze others while they work; returns whom, and how often."""
    chance = random.Random(11)
    struck: Counter[int] = Counter()
    acts = [signal.SIGKILL] * KILLS + [signal.SIGSTOP] * FREEZES
    chance.shuffle(acts)
    for number, act in enumerate(acts, 1):
        await until(machines, EVENTS * number // (len(acts) + 2))
        machine = chance.choice(machines)
        struck[machine.send(act)] += 1
        if act == signal.SIGKILL:
            machine.start()
        else:
            await asyncio.sleep(2 * LEASE_MS / 1_000)  # the database's clock goes on
            machine.send(signal.SIGCONT)
    return struck


async def test_no_event_is_lost_or_out_of_order_whoever_is_killed(machines: list[Machine]) -> None:
    limits = aiohttp.ClientTimeout(total=10)
    async with asyncio.timeout(PATIENCE_S), aiohttp.ClientSession(timeout=limits) as http:
        struck, _ = await asyncio.gather(strike(machines), post_all(http, machines))
        await until(machines, EVENTS)
        for number in range(0, EVENTS, 7):  # copies, once more
            await deliver(http, machines, body_of(number))

    told = lines(machines)
    begun: dict[int, list[int]] = defaultdict(list)
    by_chat: dict[int, list[tuple[str, int, int]]] = defaultdict(list)
    for what, event, pid in told:
        by_chat[event % CHATS].append((what, event, pid))
        if what == "begin":
            begun[event].append(pid)
    twice = {event for event, pids in begun.items() if len(pids) > 1}
    log.info("handled twice: %d of %d; struck: %d", len(twice), EVENTS, struck.total())
    assert set(begun) == set(range(EVENTS)), "every event is handled"
    for event in twice:
        # A handler that was about to begin when its receiver froze may begin after the heir's.
        assert set(begun[event]) & set(struck), "twice only where a receiver died or froze"
    more = sum(len(begun[event]) - 1 for event in twice)
    assert more <= CONCURRENCY * struck.total(), "and only what was under way"
    for rows in by_chat.values():
        assert_in_order(rows, set(struck))


def assert_in_order(rows: list[tuple[str, int, int]], gone: set[int]) -> None:
    """One event of a chat at a time, in order, but for handlers of those who died or froze."""
    begun = [event for what, event, _ in rows if what == "begin"]
    first = list(dict.fromkeys(begun))
    assert first == sorted(first)
    running: int | None = None
    for what, event, pid in rows:
        if pid in gone:
            continue
        if what == "begin":
            assert running is None
        running = event if what == "begin" else None
