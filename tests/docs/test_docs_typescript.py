"""The names in the page for those who come from TypeScript exist."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass

import pytest
from docs_pages import ROOT

import evolution_sdk
from evolution_sdk import archive, events, monitor, outbox, retry, streams, webhooks

MODULES = (evolution_sdk, retry, monitor, events, webhooks, streams, archive, outbox)
PAGE = ROOT / "docs" / "en" / "from-typescript.md"
ROWS = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")][1:]
NAMES = sorted({n for row in ROWS for n in re.findall(r"`([A-Z][\w.]+)`", row.split("|")[2])})


def test_every_row_names_something() -> None:
    assert len(ROWS) > 15
    assert all(re.search(r"`[A-Z]", row.split("|")[2]) for row in ROWS)


@pytest.mark.parametrize("name", NAMES)
def test_what_the_page_names_exists(name: str) -> None:
    owner, _, attribute = name.partition(".")
    homes = [module for module in MODULES if owner in module.__all__]
    assert homes, f"{owner} is not public"
    found = getattr(homes[0], owner)
    if attribute:
        own = {field.name for field in fields(found)} if is_dataclass(found) else set()
        assert attribute in own or hasattr(found, attribute)
