"""The recipes of the page about the outbox that need PostgreSQL: run as they are printed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from docs_pages import ROOT, steps

from databases import fresh_postgres
from evolution_sdk import EvolutionClient
from evolution_sdk.outbox import Outbox
from evolution_sdk.testing import FakeEvolution

PAGE = ROOT / "docs" / "en" / "outbox.md"
NUMBER = "5511999999999"
ADDRESS = "postgresql://user:password@db.internal/shop"


def recipes() -> list[str]:
    """The blocks that speak of a database elsewhere."""
    return [step.code for step in steps(PAGE) if "db.internal" in step.code]


def test_rows_of_the_program_and_messages_commit_together() -> None:
    psycopg = pytest.importorskip("psycopg")
    pytest.importorskip("sqlalchemy")
    assert len(recipes()) == 2
    with (
        fresh_postgres() as url,
        FakeEvolution(api_key="key").serve() as fake,
        EvolutionClient(fake.url, "key", instance="sales") as client,
    ):
        fake.create_instance("sales")
        with psycopg.connect(url) as db:
            db.execute("CREATE TABLE shop_order (article text)")
        migrated = Outbox(url, client=client)
        migrated.migrate()
        migrated.close()
        namespace: dict[str, Any] = {"client": client, "number": NUMBER}
        for code in recipes():
            code = code.replace(ADDRESS, url)
            code = code.replace(
                ADDRESS.replace("postgresql:", "postgresql+psycopg:"),
                url.replace("postgresql:", "postgresql+psycopg:"),
            )
            exec(code, namespace)
        outbox = namespace["outbox"]
        with psycopg.connect(url) as db:
            assert db.execute("SELECT count(*) FROM shop_order").fetchone() == (2,)
        with outbox:
            assert {outbox.wait(f"order-{n}").state for n in (1, 2)} == {"sent"}
        namespace["engine"].dispose()
        fake.assert_sent_times(2, NUMBER)


def test_the_table_names_no_unknown_state() -> None:
    """Words in code font in the table of faults that look like states are states."""
    from evolution_sdk.outbox import OutboxState

    page = PAGE.read_text(encoding="utf-8")
    table = page[page.index("## What is promised") :]
    known = {state.value for state in OutboxState}
    for row in re.findall(r"^\| [a-z].*$", table, re.MULTILINE):
        for cell in row.strip("|").split("|")[1:]:
            for word in re.findall(r"`([a-z]+)`", cell):
                assert word in known, row
