"""Databases for tests: a fresh SQLite file, or a schema of its own in the common PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from services import require_service

KINDS: Final = ("sqlite", "postgres")
SERVER: Final = "postgresql://postgres@127.0.0.1:5432/test"
NOBODY: Final = "postgresql://postgres:s3cret@127.0.0.1:1/test"
"""An address where nobody listens."""


def connected() -> Any:
    """A connection of psycopg to the common PostgreSQL, which commits each statement."""
    require_service("PostgreSQL", 5432)
    psycopg = pytest.importorskip("psycopg")
    return psycopg.connect(SERVER, autocommit=True)


@contextmanager
def fresh_postgres() -> Generator[str]:
    """The URL of a schema of its own, dropped at the end."""
    name = f"test_{uuid.uuid4().hex}"
    with connected() as server:
        server.execute(f"CREATE SCHEMA {name}")
    try:
        yield f"{SERVER}?options=-csearch_path%3D{name}"
    finally:
        with connected() as server:
            server.execute("SET client_min_messages = warning")
            # Whatever a test left open there must not keep the schema.
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_class ON relation = "
                "pg_class.oid WHERE relnamespace = %s::regnamespace AND pid <> pg_backend_pid()",
                (name,),
            )
            server.execute(f"DROP SCHEMA {name} CASCADE")


@contextmanager
def fresh_place(kind: str, folder: Path) -> Generator[str]:
    """A place as settings name it: the path of a file that is not there yet, or a URL."""
    if kind == "postgres":
        with fresh_postgres() as url:
            yield url
    else:
        yield str(folder / f"{uuid.uuid4().hex}.db")


@contextmanager
def fresh_role(url: str, *rights: str) -> Generator[str]:
    """The URL of a fresh schema for a role that may use it, and no more than is told.

    Args:
        url: The schema's URL.
        rights: Rights on all its tables, such as ``SELECT``.
    """
    name, schema = f"test_{uuid.uuid4().hex}", url.rpartition("%3D")[2]
    with connected() as server:
        server.execute(f"CREATE ROLE {name} LOGIN")
        server.execute(f"GRANT USAGE ON SCHEMA {schema} TO {name}")
        if rights:
            server.execute(f"GRANT {', '.join(rights)} ON ALL TABLES IN SCHEMA {schema} TO {name}")
    try:
        yield url.replace("//postgres@", f"//{name}@")
    finally:
        with connected() as server:
            server.execute(f"DROP OWNED BY {name}")
            server.execute(f"DROP ROLE {name}")
