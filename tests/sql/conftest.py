"""Each test once for SQLite and once for PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from databases import KINDS, fresh_place
from evolution_sdk._sql.database import Database
from evolution_sdk._sql.opening import open_database


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh place of each kind; ``indirect`` for one of them alone."""
    with fresh_place(request.param, tmp_path) as fresh:
        yield fresh


@pytest.fixture
def database(place: str) -> Iterator[Database]:
    """A database with the table ``word (name, count)``."""
    made = open_database(place, busy_timeout_ms=50, answer_timeout_ms=500)
    with made.writing() as session:
        session.run("CREATE TABLE word (name TEXT PRIMARY KEY, count [[big]] NOT NULL)")
    yield made
    made.close()


def words(database: Database) -> dict[str, int]:
    """What the table holds."""
    with database.reading() as session:
        return dict(session.run("SELECT name, count FROM word ORDER BY name"))


def put(database: Database, name: str, count: int = 0) -> None:
    """Add a row."""
    with database.writing() as session:
        session.run("INSERT INTO word (name, count) VALUES (?, ?)", (name, count))
