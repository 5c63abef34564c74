"""Tests of the outbox run in both colours and over both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from outbox_kit import Desk

from clients.conftest import Kit
from databases import KINDS, fresh_place


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where an outbox is kept: a fresh file, or a fresh schema."""
    with fresh_place(request.param, tmp_path) as made:
        yield made


@pytest.fixture(params=["sync", "async"])
def kit(request: pytest.FixtureRequest) -> Kit:
    return Kit(request.param)


@pytest.fixture
async def desk(kit: Kit, place: str) -> AsyncIterator[Desk]:
    made = Desk(kit, place)
    await made.run(made.outbox.migrate())
    yield made
    await made.close()
