"""Recipes of the cookbook do what their pages say, against the fake server."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from evolution_sdk import EvolutionClient
from evolution_sdk.events import EventRouter, parse_event
from evolution_sdk.outbox import Outbox
from evolution_sdk.testing import FakeEvolution

ROOT = Path(__file__).parents[2]
RECIPES = sorted((ROOT / "examples/cookbook").glob("*.py"))
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

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fake = FakeEvolution(api_key="key")
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


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.client.close()


def test_the_support_bot_answers_hands_over_and_comes_back(stage: Stage) -> None:
    bot = recipe("support_bot")
    now = [datetime(2027, 1, 15, 10)]  # a Friday
    router = bot.make_router(lambda: now[0])
    stage.write(router, "oi")
    stage.write(router, "2")
    stage.write(router, "3")
    stage.write(router, "are you there?")
    assert stage.said == [bot.MENU, bot.ANSWERS["2"], bot.HANDED_OVER]
    stage.write(router, "#bot", from_me=True)
    stage.write(router, "1")
    now[0] = datetime(2027, 1, 16, 10)
    stage.write(router, "2")
    assert stage.said[3:] == [bot.ANSWERS["1"], bot.CLOSED]


@pytest.mark.parametrize("word", ["SAIR", " parar ", "Stop"])
def test_who_opts_out_gets_nothing_more_until_they_come_back(stage: Stage, word: str) -> None:
    program = recipe("opt_out")
    outbox = Outbox(stage.folder / "outbox.db", client=stage.client)
    router = program.make_router(outbox)
    stage.write(router, word)
    assert program.campaign(outbox, [ANA, BOB], "Hi", "jan") == [ANA]
    stage.write(router, "voltar")
    stage.write(router, "voltar")
    assert program.campaign(outbox, [ANA, BOB], "Hi again", "feb") == []
    assert stage.said[1:] == ["Welcome back."]
    assert outbox.counts() == {"queued": 3}
    outbox.close()


def test_reminders_are_handed_over_once_and_wait_for_their_time(stage: Stage) -> None:
    program = recipe("reminders")
    soon = datetime.now(program.ZONE).replace(second=0, microsecond=0, tzinfo=None)
    at = soon + timedelta(days=3)
    lines = [f"7,{ANA},Ana,{at:%Y-%m-%dT%H:%M}", f"8,{BOB},Bob,{at:%Y-%m-%dT%H:%M}"]
    outbox = Outbox(stage.folder / "outbox.db", client=stage.client)
    for _ in range(2):
        assert program.remind(outbox, program.read(lines)) == 2
    rows = outbox.find()
    assert len(rows) == 2
    for row in rows:
        assert row.not_before is not None
        assert row.expires_at is not None
        assert row.expires_at - row.not_before == timedelta(hours=22)
        assert outbox.deliver(row.id) == "waiting"
    assert stage.said == []
    outbox.close()


def test_the_group_bot_answers_only_who_addresses_it(stage: Stage) -> None:
    program = recipe("group_bot")
    router = program.make_router()
    group = stage.client.groups.create("team", [ANA, BOB])
    seen = len(stage.fake.sent)
    person = f"{ANA}@s.whatsapp.net"
    stage.write(router, "help", from_=str(group.id), participant=person)
    assert len(stage.fake.sent) == seen
    own = stage.client.instances.fetch("sales")[0].owner_jid
    words = f"@{str(own).partition('@')[0]} meeting"
    stage.write(router, words, from_=str(group.id), participant=person, mentions=[str(own)])
    assert stage.said[seen:] == ["Friday at 10."]


def test_how_far_a_message_came_is_told(stage: Stage) -> None:
    program = recipe("until_read")
    assert program.send_and_wait(stage.client, ANA, "Hi", 0) == "sent, not delivered yet"
    stage.fake.refuse_delivery("sales", ANA, code=463)
    assert program.send_and_wait(stage.client, ANA, "Hi", 0).startswith(("refused", "sent"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
@pytest.mark.parametrize("language", ["en", "pt"])
def test_each_recipe_has_its_page_and_the_page_its_code(path: Path, language: str) -> None:
    page = (ROOT / f"docs/{language}/cookbook/{path.stem}.md").read_text("utf-8")
    blocks = re.findall(r"^```\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert blocks
    source = path.read_text("utf-8")
    for block in blocks:
        assert block.strip() in source
    assert f"examples/cookbook/{path.name}" in page


def test_no_page_is_without_its_recipe() -> None:
    names = {path.stem for path in RECIPES} | {"index"}
    for language in ("en", "pt"):
        assert {path.stem for path in (ROOT / f"docs/{language}/cookbook").glob("*.md")} == names
