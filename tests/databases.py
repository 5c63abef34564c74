"""Databases of a test's own: a fresh file of SQLite, or a fresh schema of a real PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from services import require_service

DATABASES = ("sqlite", "postgres")
URL = "postgresql://postgres@127.0.0.1:5432/test"


@contextmanager
def fresh_database(kind: str, folder: Path) -> Generator[str]:
    """Give the place of an empty database, which is gone afterwards.

    Args:
        kind: One of ``DATABASES``.
        folder: Where a file is made.
    """
    if kind == "sqlite":
        yield str(folder / f"{uuid.uuid4().hex[:8]}.db")
        return
    with fresh_schema() as url:
        yield url


@contextmanager
def fresh_schema() -> Generator[str]:
    """Give the URL of an empty schema, which is dropped afterwards."""
    require_service("PostgreSQL", 5432)
    import psycopg

    name = f"t_{uuid.uuid4().hex}"
    with psycopg.connect(URL, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    try:
        yield f"{URL}?options=-csearch_path%3D{name}"
    finally:
        with psycopg.connect(URL, autocommit=True) as connection:
            connection.execute(f"DROP SCHEMA {name} CASCADE")
