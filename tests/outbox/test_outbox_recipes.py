"""The recipes of docs/en/outbox-engines.md, as printed: real workers and RabbitMQ, killed once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from effort import deep
from evolution_sdk import EvolutionClient
from evolution_sdk.outbox import Outbox
from evolution_sdk.testing import FakeEvolution
from services import require_service

PAGE = Path(__file__).resolve().parents[2] / "docs" / "en" / "outbox-engines.md"
NEEDED = {"Celery": "celery", "Taskiq": "taskiq_aio_pika", "FastStream": "faststream.rabbit"}
BROKER = "amqp://guest:guest@127.0.0.1:5672//"
WORKERS = {
    "Celery": ["-m", "celery", "-A", "shop", "worker", "-B", "--pool", "solo", "-l", "WARNING"],
    "Taskiq": ["-m", "taskiq", "worker", "shop:broker", "--workers", "1", "--log-level", "WARNING"],
    "FastStream": ["-c", "import asyncio, shop; asyncio.run(shop.app.run())"],
}
HAND_OVER = """
import asyncio, inspect, shop

async def main():
    broker = getattr(shop, "broker", None)
    if broker is not None:
        await (broker.startup() if hasattr(broker, "startup") else broker.connect())
    for number in range(12):
        done = shop.remind(f"551198765000{number % 4}", f"text {number // 8}", f"k{number}")
        if inspect.isawaitable(done):
            await done
    if broker is not None:
        await (broker.shutdown() if hasattr(broker, "shutdown") else broker.stop())

asyncio.run(main())
"""
TEXTS = ["text 0", "text 0", "text 1"]


def recipe(name: str) -> str:
    """The code under a heading of the page."""
    _, _, rest = PAGE.read_text("utf-8").partition(f"### {name}\n")
    return rest.partition("```python\n")[2].partition("```")[0]


class Shop:
    """A program made of a recipe, beside a fake server."""

    def __init__(self, name: str, folder: Path, fake: FakeEvolution) -> None:
        self.name, self.folder, self.fake = name, folder, fake
        self.queue = f"test-{uuid.uuid4().hex}"
        (folder / "shop.py").write_text(recipe(name), "utf-8")
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("EVOLUTION_")},
            "EVOLUTION_API_URL": fake.url,
            "EVOLUTION_API_KEY": "k",
            "EVOLUTION_INSTANCE": "sales",
            "EVOLUTION_TIMEOUT_SEND_MS": "2000",
            "BROKER": BROKER,
            "QUEUE": self.queue,
            "PYTHONWARNINGS": "ignore",
        }
        self.running: list[subprocess.Popen[bytes]] = []

    def work(self) -> subprocess.Popen[bytes]:
        """Start a worker, as the page says."""
        with (self.folder / "log").open("ab") as log:
            one = subprocess.Popen(
                [sys.executable, *WORKERS[self.name]],
                cwd=self.folder,
                env=self.environment,
                start_new_session=True,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.running.append(one)
        return one

    def hand_over(self) -> None:
        """Hand over twelve messages, three in each of four chats, equal ones among them."""
        command = [sys.executable, "-c", HAND_OVER]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, timeout=60
        )
        assert done.returncode == 0, done.stderr.decode()

    def kill(self) -> None:
        """Kill all workers, with what they have started."""
        for one in self.running:
            with suppress(ProcessLookupError):
                os.killpg(one.pid, signal.SIGKILL)
            one.wait()
        self.running.clear()

    def until(self, true: Callable[[], Any]) -> None:
        """Wait for something."""
        ends = time.monotonic() + 60
        while not true():
            log = (self.folder / "log").read_text("utf-8", "replace")[-4_000:]
            assert time.monotonic() < ends, f"{len(self.fake.sent)} were sent\n{log}"
            time.sleep(0.05)


@pytest.fixture
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    require_service("RabbitMQ", 5672)
    pytest.importorskip(NEEDED[request.param])
    with FakeEvolution(version="2.3.7", api_key="k", real_delays=True).serve() as fake:
        fake.create_instance("sales")
        made = Shop(request.param, tmp_path, fake)
        try:
            yield made
        finally:
            made.kill()
            _remove_queue(made.queue)


def _remove_queue(name: str) -> None:
    from kombu import Connection

    with Connection(BROKER) as connection:
        for suffix in ("", ".delay", ".dead_letter", ".pidbox"):
            with suppress(Exception), connection.channel() as channel:
                channel.queue_delete(f"{name}{suffix}")


def _counts(shop: Shop) -> dict[str, int]:
    with EvolutionClient(shop.fake.url, "k", instance="sales") as client:
        outbox = Outbox(shop.folder / "outbox.db", client=client)
        try:
            return outbox.counts()
        finally:
            outbox.close()


@pytest.mark.parametrize("shop", ["Celery", "FastStream", deep("Taskiq")], indirect=True)
def test_a_killed_worker_of_a_recipe_loses_nothing_and_doubles_nothing(shop: Shop) -> None:
    shop.fake.faults.add("message.send_text", "delay", delay_ms=150)
    shop.hand_over()
    shop.work()
    shop.until(lambda: len(shop.fake.sent) >= 3)
    shop.kill()
    shop.work()
    shop.until(lambda: _counts(shop) == {"sent": 12})
    for chat in range(4):
        assert [one.text for one in shop.fake.sent_to(f"551198765000{chat}")] == TEXTS


@pytest.mark.parametrize("shop", ["Taskiq", deep("Celery"), deep("FastStream")], indirect=True)
def test_what_the_queue_has_lost_is_brought_back(shop: Shop) -> None:
    shop.hand_over()
    _purge(shop.queue)
    shop.work()
    shop.until(lambda: _counts(shop) == {"sent": 12})
    assert len(shop.fake.sent) == 12


def _purge(name: str) -> None:
    from amqp.exceptions import NotFound
    from kombu import Connection

    # Where only a worker makes the queue, the broker has dropped them already.
    with Connection(BROKER) as connection, connection.channel() as channel, suppress(NotFound):
        assert channel.queue_purge(name) == 12


def test_the_recipe_of_faststream_runs_under_its_own_test_broker(tmp_path: Path) -> None:
    pytest.importorskip("faststream.rabbit")
    with FakeEvolution(version="2.3.7", api_key="k").serve() as fake:
        fake.create_instance("sales")
        shop = Shop("FastStream", tmp_path, fake)
        script = (
            "import asyncio, shop\n"
            "from faststream.rabbit import TestRabbitBroker\n"
            "async def main():\n"
            "    async with TestRabbitBroker(shop.broker):\n"
            "        await shop.remind('5511987650001', 'text', 'key')\n"
            "asyncio.run(main())\n"
        )
        command = [sys.executable, "-c", script]
        done = subprocess.run(
            command, cwd=tmp_path, env=shop.environment, capture_output=True, timeout=60
        )
        assert done.returncode == 0, done.stderr.decode()
        assert [one.text for one in fake.sent_to("5511987650001")] == ["text"]
