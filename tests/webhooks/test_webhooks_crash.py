"""Kill -9 of a real receiver while 2,000 events arrive: none is lost."""

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
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import pytest

from evolution_sdk.webhooks import DROPPED_FOR_GOOD, sign_token

from .conftest import posted
from .drill_server import CONCURRENCY

EVENTS, CHATS, KILLS = 2_000, 40, 2
COMPRESSED = 0.02  # the server's 5 s are 100 ms here; a busy machine starts a process in 5 s
ATTEMPTS, FIRST_S, MOST_S, JITTER = 10, 5, 300, 0.2  # `facts/webhook_retries.json`
PATIENCE_S = 60
log = logging.getLogger("drill")
SERVER = Path(__file__).with_name("drill_server.py")


def wait_s(failed: int, chance: random.Random) -> float:
    """The server's wait after so many failed attempts (`facts/events.json`, webhook_delivery)."""
    plain = min(FIRST_S * 2 ** (failed - 1), MOST_S)
    return COMPRESSED * max(FIRST_S, plain * (1 + JITTER * chance.uniform(-1, 1)))


async def deliver(http: aiohttp.ClientSession, url: str, number: int, chance: random.Random) -> str:
    """Send one event as the server does: the same bytes and the same token every time."""
    body = posted(number, chat=f"{number % CHATS}@g.us", date_time="2026-11-23T12:35:00.649Z")
    head = {"authorization": f"Bearer {sign_token('the key of a drill', time.time())}"}
    for attempt in range(1, ATTEMPTS + 1):
        with contextlib.suppress(aiohttp.ClientError, OSError):
            async with http.post(url, data=body, headers=head) as answer:
                if answer.status // 100 == 2:
                    return "delivered"
                if answer.status in DROPPED_FOR_GOOD:
                    return f"dropped: {answer.status}"
        await asyncio.sleep(wait_s(attempt, chance))
    return "given up"


class Server:
    """The process, started anew after each kill."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "log"
        self.log.touch()
        self.inbox = folder / "inbox.db"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(SERVER), str(self.port), str(self.inbox), str(self.log)]
        root = str(SERVER.parents[2])
        path = os.pathsep.join([os.environ.get("PYTHONPATH", ""), root])
        return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path})

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        with self.log.open("ab") as file:
            file.write(b"killed - -\n")

    def lines(self) -> list[list[str]]:
        return [line.split() for line in self.log.read_text("utf-8").splitlines()]

    async def until(self, ready: Callable[[list[list[str]]], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not ready(self.lines()):  # noqa: ASYNC110 - another process is waited for
                await asyncio.sleep(0.01)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    made.process.kill()
    made.process.wait()


def ended(lines: list[list[str]]) -> set[str]:
    return {line[1] for line in lines if line[0] == "end"}


async def test_no_event_is_lost_when_the_receiver_is_killed(server: Server) -> None:
    chance = random.Random(7)
    limit = asyncio.Semaphore(200)
    url = f"http://127.0.0.1:{server.port}/messages-upsert"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64)) as http:

        async def one(number: int) -> str:
            async with limit:
                return await deliver(http, url, number, chance)

        sends = asyncio.gather(*(one(number) for number in range(EVENTS)))
        for kill in range(1, KILLS + 1):
            goal = EVENTS * kill // (KILLS + 2)
            await server.until(lambda lines, goal=goal: len(ended(lines)) >= goal)
            server.kill()
            server.process = server.start()
        told = Counter(await sends)
        await server.until(lambda lines: len(ended(lines)) == EVENTS)
    assert told == {"delivered": EVENTS}

    lives: list[list[list[str]]] = [[]]
    for line in server.lines():
        if line[0] == "killed":
            lives.append([])
        else:
            lives[-1].append(line)
    begun = [[line[1] for line in life if line[0] == "begin"] for life in lives]
    for life in begun:
        assert len(life) == len(set(life)), "within one life nothing is handled twice"
    again = [sum(line[-1] == "again" for line in life) for life in lives]
    times = Counter(one for life in begun for one in life)
    twice = {one for one, count in times.items() if count > 1}
    interrupted = {
        one for life, names in zip(lives, begun, strict=True) for one in set(names) - ended(life)
    }
    # Shown with --log-cli-level=INFO, and when the test fails.
    log.info("handled twice: %d; recovered in each life: %s", len(twice), again)
    assert len(times) == EVENTS
    assert interrupted <= twice, "whoever was at work is called again"
    assert len(twice) <= KILLS * CONCURRENCY, "and nobody else"
    assert again[0] == 0
