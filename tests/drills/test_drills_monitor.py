"""The monitor beside a real server process: stopped, continued, killed, started again."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from effort import DEEP
from evolution_sdk import EvolutionClient, EvolutionConfig, EvolutionMonitorService
from evolution_sdk.monitor import ProbeOptions

pytestmark = DEEP  # takes half a minute
LONGEST_S = 20.0


class Server:
    """A fake server in a process of its own, always at the same port."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.port = taken.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "evolution_sdk", "fake-server", "--port", str(self.port),
                "--api-key", "k", "--instance", "sales",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        end = time.monotonic() + LONGEST_S
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("the server does not start")

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(LONGEST_S)
            self.process = None


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    made.start()
    yield made
    made.kill()


def test_a_process_that_stops_continues_dies_and_returns(server: Server) -> None:
    config = EvolutionConfig(
        f"http://127.0.0.1:{server.port}", "k", instance="sales", breaker={"open_ms": 60_000}
    )
    changes: list[tuple[str, tuple[str, ...]]] = []
    with EvolutionClient(config=config) as client:
        monitor = EvolutionMonitorService(
            client, probes=ProbeOptions(timeout_ms=500), window_ms=2_000, sinks=(), anomalies=False
        )
        monitor.on("healthStatusChanged", lambda e: changes.append((e.current, e.reasons)))
        monitor.start_monitoring(250)
        _until(lambda: len(changes) == 1)
        server.signal(signal.SIGSTOP)
        _until(lambda: len(changes) == 2)
        server.signal(signal.SIGCONT)
        _until(lambda: len(changes) == 3)
        server.kill()
        _until(lambda: len(changes) == 4)
        for _ in range(20):
            _try(client)
        assert client.breakers()["server"].state == "open"
        server.start()
        _until(lambda: len(changes) == 5)
        assert client.breakers()["server"].state == "half_open"
        for _ in range(3):
            client.chats.find()  # not refused for the rest of the minute
        monitor.close()
    assert [status for status, _ in changes] == [
        "healthy", "unhealthy", "healthy", "unhealthy", "healthy",
    ]  # fmt: skip
    assert changes[1][1] == ("the server does not answer (EvolutionTimeoutError)",)
    assert changes[3][1][0].startswith("the server does not answer (Connection")
    assert changes[4][1] == ()


def _try(client: Any) -> None:
    try:
        client.chats.find(retry=False)
    except Exception:
        return


def _until(so: Any) -> None:
    end = time.monotonic() + LONGEST_S
    while not so():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)
