"""What tests of the cookbook share: a recipe as a module, a fake server, a phone that writes."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from docs_pages import ROOT

from evolution_sdk import EvolutionClient
from evolution_sdk.events import EventRouter, parse_event
from evolution_sdk.testing import FakeEvolution

PATIENCE_S = 20.0
ANA, BOB = "5511988880001", "5511988880002"


def recipe(name: str) -> ModuleType:
    """The program of a recipe, as a module."""
    path = ROOT / f"examples/cookbook/{name}.py"
    spec = importlib.util.spec_from_file_location(f"cookbook_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = made
    spec.loader.exec_module(made)
    return made


class Stage:
    """A fake server, a client, and a phone that writes."""

    def __init__(self, folder: Path, **server: Any) -> None:
        self.folder = folder
        self.fake = FakeEvolution(api_key="key", **server)
        self.fake.create_instance("sales", state="open")
        self.client = EvolutionClient(
            self.fake.url, "key", instance="sales", http_client=self.fake.http_client()
        )

    def write(self, router: EventRouter, text: str, **more: Any) -> None:
        """Somebody writes, and the event comes."""
        seen = len(self.fake.events)
        self.fake.receive_text("sales", **{"from_": ANA, **more}, text=text)
        for envelope in self.fake.events[seen:]:
            router.dispatch_sync(parse_event(envelope).bind(self.client))

    @property
    def said(self) -> list[str | None]:
        """The texts that were sent."""
        return [one.text for one in self.fake.sent]


def until(done: Callable[[], object]) -> None:
    """Wait for something that other threads do; a test that waits too long has failed."""
    end = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < end, "it never came"
        threading.Event().wait(0.01)


async def until_async(done: Callable[[], object]) -> None:
    """Wait likewise, and let the event loop run."""
    async with asyncio.timeout(PATIENCE_S):
        while not done():  # noqa: ASYNC110 - other threads do it
            await asyncio.sleep(0.01)
