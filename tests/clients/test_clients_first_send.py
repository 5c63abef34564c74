"""A program that sends loads what sends need, and nothing else; counted in a fresh process."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from evolution_sdk.testing import FakeEvolution

SYNC = """
from evolution_sdk import EvolutionClient
with EvolutionClient({url!r}, {key!r}, instance="sales") as client:
    client.messages.send_text("5511987654321", "oi")
"""
ASYNC = """
import asyncio
from evolution_sdk import AsyncEvolutionClient
async def main():
    async with AsyncEvolutionClient({url!r}, {key!r}, instance="sales") as client:
        await client.messages.send_text("5511987654321", "oi")
asyncio.run(main())
"""
TOLD = """
import json, sys
import pydantic
ours = sorted(name for name in sys.modules if name.startswith("evolution_sdk."))
def below(cls):
    for each in cls.__subclasses__():
        yield each
        yield from below(each)
models = {each for each in below(pydantic.BaseModel) if each.__module__.startswith("evolution")}
print(json.dumps([ours, len(models), sorted({name.partition(".")[0] for name in sys.modules})]))
"""
# Rooms that a plain send has no use for.
IDLE = (
    "archive", "events", "monitor", "services", "streams", "testing", "webhooks",
    "media.decryption", "models.chat", "models.group", "models.requests_message",
    "operations.routes.chat", "reconcile.albums", "tracking.backfill_plan",
    "tracking.expectations", "tracking.first_contacts", "tracking.polls",
)  # fmt: skip
IDLE_OF_COLOUR = ("bound", "event_actions", "find_sent", "message_tracker", "media_download")
EXTRAS = {"PIL", "aiohttp", "cryptography", "opentelemetry", "prometheus_client", "redis", "yaml"}


@pytest.mark.parametrize(("colour", "program"), [("sync", SYNC), ("async", ASYNC)])
def test_a_plain_send_loads_no_room_that_it_has_no_use_for(colour: str, program: str) -> None:
    with FakeEvolution().serve() as fake:
        fake.create_instance("sales", state="open")
        code = program.format(url=fake.url, key=fake.api_key) + TOLD
        run = [sys.executable, "-c", code]
        told = subprocess.run(run, check=True, capture_output=True, text=True).stdout
        assert len(fake.sent) == 1
    loaded, models, packages = json.loads(told)
    idle = {f"evolution_sdk.{name}" for name in IDLE}
    idle |= {f"evolution_sdk._{colour}.{name}" for name in IDLE_OF_COLOUR}
    idle.add("evolution_sdk._async" if colour == "sync" else "evolution_sdk._sync")
    inside = tuple(f"{name}." for name in idle)
    assert [name for name in loaded if name in idle or name.startswith(inside)] == []
    assert EXTRAS.isdisjoint(packages)
    # Each class of pydantic takes about a millisecond.
    assert models <= 42
    assert len(loaded) <= 190
