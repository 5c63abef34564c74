"""Versions of the tables of one part, in the database itself; migrations only ever add."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from .database import Database, Session

__all__ = ["SchemaVersionError", "Steps", "migrate", "version_of"]

Steps: TypeAlias = Sequence[Sequence[str]]
"""The statements that make version 1 of an empty database, version 2 of version 1, and so on."""

_TABLE = (
    "CREATE TABLE IF NOT EXISTS evolution_sdk_schema "
    "(part TEXT PRIMARY KEY, version INTEGER NOT NULL)"
)
_LOCK = 0x65766F6C  # one migration at a time, also of several machines


class SchemaVersionError(Exception):
    """The tables are not of the version that this SDK knows.

    Attributes:
        found: Their version; 0 where there are none.
        known: The version that this SDK knows.
    """

    def __init__(self, part: str, found: int, known: int) -> None:
        newer = found > known
        remedy = "Upgrade evolutionapi-sdk." if newer else "Run the migration."
        what = f"version {found}" if found else "missing"
        super().__init__(
            f"The tables of the {part} are {what}, and this SDK needs version {known}. {remedy}"
        )
        self.found = found
        self.known = known


def migrate(database: Database, part: str, steps: Steps) -> int:
    """Bring the tables of a part to the newest version, all steps or none.

    Args:
        database: The database.
        part: Name of the part, such as ``outbox``.
        steps: The steps; only ever added to, for tables made by them exist.

    Returns:
        The version before.

    Raises:
        SchemaVersionError: A newer SDK has made the tables.
        DatabaseError: It could not be done; nothing was changed.
    """
    found = version_of(database, part)
    if found == len(steps):
        return found  # also for a role that may not create tables, which has nothing to create
    with database.writing() as session:
        if session.dialect.name == "postgres":
            session.run("SELECT pg_advisory_xact_lock(?)", (_LOCK,))
        session.run(_TABLE)
        found = _found(session, part)
        if found > len(steps):
            raise SchemaVersionError(part, found, len(steps))
        for step in steps[found:]:
            for statement in step:
                session.run(statement)
        if found < len(steps):
            session.run(
                "INSERT INTO evolution_sdk_schema (part, version) VALUES (?, ?) "
                "ON CONFLICT (part) DO UPDATE SET version = excluded.version",
                (part, len(steps)),
            )
    return found


def version_of(database: Database, part: str) -> int:
    """Return the version of a part's tables; 0 where there are none.

    Args:
        database: The database.
        part: Name of the part.

    Raises:
        DatabaseError: It cannot be read.
    """
    with database.reading() as session:
        if session.dialect.name == "postgres":
            there = session.run("SELECT to_regclass('evolution_sdk_schema')")[0][0] is not None
        else:
            there = bool(
                session.run("SELECT 1 FROM sqlite_master WHERE name = 'evolution_sdk_schema'")
            )
        return _found(session, part) if there else 0


def _found(session: Session, part: str) -> int:
    rows = session.run("SELECT version FROM evolution_sdk_schema WHERE part = ?", (part,))
    return int(rows[0][0]) if rows else 0
