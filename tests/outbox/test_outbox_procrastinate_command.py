"""``outbox migrate`` and ``outbox run`` with Procrastinate, as processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from engine_stage import CHAT

from databases import fresh_postgres
from evolution_sdk import EvolutionClient
from evolution_sdk.outbox import Outbox, ProcrastinateEngine
from evolution_sdk.testing import FakeEvolution

COMMAND = [sys.executable, "-m", "evolution_sdk", "outbox"]


def test_the_command_makes_the_tables_sends_and_ends_by_a_signal() -> None:
    pytest.importorskip("procrastinate")
    with fresh_postgres() as url, FakeEvolution(version="2.3.7", api_key="k").serve() as fake:
        fake.create_instance("sales")
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("EVOLUTION_")},
            "EVOLUTION_API_URL": fake.url,
            "EVOLUTION_API_KEY": "k",
            "EVOLUTION_OUTBOX_STORE": url,
            "EVOLUTION_OUTBOX_POLL_MS": "50",
        }
        options = ["--engine", "procrastinate"]
        subprocess.run([*COMMAND, "migrate", *options], env=environment, check=True, timeout=60)
        with EvolutionClient(fake.url, "k", instance="sales") as client:
            outbox = Outbox(url, client=client, engine=ProcrastinateEngine())
            try:
                for number in range(3):
                    outbox.messages.send_text(CHAT, str(number), key=str(number))
                worker = subprocess.Popen(
                    [*COMMAND, "run", *options, "--workers", "2"],
                    env=environment,
                    stderr=subprocess.PIPE,
                    text=True,
                )
                try:
                    outbox.wait("2", "sent", timeout_ms=30_000)
                    worker.send_signal(signal.SIGTERM)
                    _, told = worker.communicate(timeout=60)
                finally:
                    worker.kill()
                assert worker.returncode == 0, told
                assert "finishing" in told
                assert [one.text for one in fake.sent] == ["0", "1", "2"]
            finally:
                outbox.close()
