"""Limits of several real processes: exact, and nothing stays locked where one is killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from effort import deep
from evolution_sdk import EvolutionConfig

from .conftest import KEY, URL, Kit, record
from .limit_places import SHARED, kept, limit_place

OFF = {"per_second": 0, "per_minute": 0, "recipient_gap_ms": 0, "jitter": 0}
TESTS = Path(__file__).parent.parent
SOURCE = TESTS.parent / "src"


@pytest.fixture(params=SHARED)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, Any]]:
    with limit_place(request.param, tmp_path) as place:
        yield place


class Workers:
    """Processes that send."""

    def __init__(self, store: dict[str, Any], daily_cap: int, tries: int) -> None:
        limits = json.dumps({"enabled": True, **OFF, **store, "daily_cap": daily_cap})
        path = os.pathsep.join((str(TESTS), str(SOURCE)))
        self.all = [
            subprocess.Popen(
                [sys.executable, "-m", "clients.limit_worker", colour, limits, str(tries)],
                env={**os.environ, "PYTHONPATH": path},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for colour in ("sync", "async", "sync", "async")
        ]

    def begin(self) -> None:
        """Let them begin at one moment."""
        for worker in self.all:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        for worker in self.all:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()

    def end(self) -> tuple[int, str]:
        """Wait for them: number of messages that went, and what was logged."""
        went, logged = 0, ""
        for worker in self.all:
            with worker:  # which closes its pipes
                assert worker.stdout is not None
                assert worker.stderr is not None
                went += worker.stdout.read().count("sent\n")
                logged += worker.stderr.read()
        return went, logged


def test_a_daily_cap_is_exact_over_processes(store: dict[str, Any]) -> None:
    workers = Workers(store, daily_cap=100, tries=100)
    workers.begin()
    assert workers.end() == (100, "")


@pytest.mark.parametrize("store", ["postgres", deep("redis"), deep("sqlite")], indirect=True)
async def test_who_is_killed_locks_nothing(
    store: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    kit = Kit("sync")
    went = killed = 0
    for _ in range(2):
        workers = Workers(store, daily_cap=1_000_000, tries=1_000_000)
        workers.begin()
        for worker in workers.all:
            assert worker.stdout is not None
            # Somewhere within the sends after these.
            for _ in range(5):
                assert worker.stdout.readline() == "sent\n"
                went += 1
        for worker in workers.all:
            worker.kill()
            killed += 1
        more, logged = workers.end()
        went += more
        assert logged == ""
    kit.stub.default = (201, record())
    limits = {"enabled": True, **OFF, **store, "daily_cap": 1_000_000}
    client = kit.client(config=EvolutionConfig(URL, KEY, rate_limit=limits))
    await kit.run(client.messages.send_text("5511987654321", "oi", retry=False))
    await kit.run(client.close())
    assert caplog.text == ""
    line = json.loads(next(value for key, value in kept(store).items() if "messages" in key))
    # Each that went is counted; of a killed process at most those that were on their way.
    assert went + 1 <= line[3] <= went + 1 + killed * 10
