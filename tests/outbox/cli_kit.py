"""A store with messages in several states, and the command over it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.command_kit import KEY, NUMBER, Answer, Evolution
from evolution_sdk import EvolutionClient
from evolution_sdk.outbox import Outbox
from evolution_sdk.testing import FakeEvolution

SRC = Path(__file__).parents[2] / "src"
MASKED = "5511*****0001"


class Command:
    """The command over one store, in this process."""

    def __init__(self, store: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.store = store
        self._evolution = Evolution(capsys)

    def __call__(self, *arguments: str, store: str | None = None) -> Answer:
        return self._evolution("outbox", *arguments, "--store", store or self.store)


def environment(url: str | None = None) -> dict[str, str]:
    """The environment of a command in a process of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("EVOLUTION_")}
    made = {**kept, "PYTHONPATH": str(SRC), "PYTHONIOENCODING": "utf-8"}
    if url is not None:
        made |= {"EVOLUTION_API_URL": url, "EVOLUTION_API_KEY": KEY}
    return made


def started(*arguments: str, url: str, folder: Path, **environ: str) -> subprocess.Popen[str]:
    """Begin ``outbox`` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "evolution_sdk", "outbox", *arguments],
        env={**environment(url), **environ},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def fill(store: str) -> None:
    """Hand over one message for each of some states."""
    fake = FakeEvolution(api_key=KEY)
    fake.create_instance("sales")
    with EvolutionClient(
        "http://fake", KEY, instance="sales", http_client=fake.http_client()
    ) as client:
        outbox = Outbox(store, client=client)
        outbox.migrate()
        for key in ("queued", "failed", "unknown", "expired"):
            outbox.messages.send_text(NUMBER, f"text of {key}", key=key, metadata={"who": "Ana"})
        outbox.messages.send_text("5511999990002", "oi", key="sent", instance="support")
        with outbox._store.writing() as (session, now):
            for state in ("failed", "unknown", "expired", "sent"):
                session.run(
                    "UPDATE evolution_outbox SET state = ?, lined_up = 1, reason = ? WHERE key = ?",
                    (state, f"it is {state}", state),
                )
            session.run(
                "UPDATE evolution_outbox SET sent_at = ?, message_id = 'ID1' WHERE key = 'sent'",
                (now.wall,),
            )
        outbox.close()
