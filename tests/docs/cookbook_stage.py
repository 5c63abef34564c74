"""What tests of the cookbook share: a recipe as a module, a fake server, a phone that writes."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from docs_pages import ROOT

from evolution_sdk import EvolutionClient
from evolution_sdk.events import EventRouter, parse_event
from evolution_sdk.testing import FakeEvolution

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
