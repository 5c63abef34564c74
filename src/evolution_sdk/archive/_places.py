"""The two places of an archive: a file of SQLite, and a database of PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from evolution_sdk._sql.database import Database
from evolution_sdk._sql.dialect import is_postgres
from evolution_sdk._sql.opening import open_database
from evolution_sdk._sql.schema import SchemaVersionError
from evolution_sdk._sql.schema import migrate as migrate_tables
from evolution_sdk._sql.sqlite import SqliteDatabase
from evolution_sdk._sql.troubles import DatabaseError
from evolution_sdk.errors import ArchiveError

from ._tables import PART, STEPS

__all__ = ["archive_error", "default_busy_ms", "file_in", "opened_at", "prepare_tables"]

_SETTINGS = {
    # Ids come in no order, so each message of a batch touches other pages. SQLite's own choice
    # is 2 MiB.
    "cache_size": -16_384,
    # 32 MiB of SQLite's log before it is moved into the file.
    "wal_autocheckpoint": 8_000,
}
_START_ANEW = "Restore the file from a backup, or move it away to start a new one."
_TOO_NEW = "upgrade evolutionapi-sdk, or name another archive."


def default_busy_ms(place: str | Path) -> float:
    """Return how long a write waits for others: a file is held for a moment only."""
    return 5_000 if is_postgres(place) else 250


def opened_at(place: str | Path, busy_ms: float) -> Database:
    """Return the database at a place.

    Args:
        place: Path of a file, or a URL ``postgresql://…``.
        busy_ms: Longest wait for others, in milliseconds.

    Raises:
        ConfigurationError: psycopg is not installed, or the URL cannot be read.
    """
    if is_postgres(place):
        return open_database(place, busy_timeout_ms=busy_ms)
    # NORMAL may lose the last rows when the machine fails, but never damages the file.
    return SqliteDatabase(place, full=False, busy_timeout_ms=busy_ms, settings=_SETTINGS)


def file_in(database: Database) -> SqliteDatabase | None:
    """Return the database if it is a file."""
    return database if isinstance(database, SqliteDatabase) else None


def prepare_tables(database: Database) -> None:
    """Make the tables in PostgreSQL, or bring them up to date.

    Raises:
        SchemaVersionError: A newer SDK made them.
        DatabaseError: It could not be done.
    """
    migrate_tables(database, PART, STEPS)


def archive_error(
    name: str, error: DatabaseError | SchemaVersionError | OSError, *, is_file: bool
) -> ArchiveError:
    """Say what a trouble of the database means for whoever reads.

    Args:
        name: The archive's name, without a password.
        error: The trouble.
        is_file: True for a file.
    """
    if isinstance(error, SchemaVersionError):
        text = f"The archive {name} has version {error.found}, and this SDK knows {error.known}: "
        return ArchiveError(text + _TOO_NEW, kind="schema", remedy=_TOO_NEW)
    if isinstance(error, OSError):
        text, kind, remedy = f"{type(error).__name__}: {error}", "unavailable", _START_ANEW
    else:
        text, kind, remedy = str(error), error.kind, error.remedy
        if is_file and kind in ("corrupt", "schema"):
            remedy = _START_ANEW
    told = text if text.endswith(remedy) else f"{text.rstrip('.')}. {remedy}"
    return ArchiveError(
        f"The archive {name} cannot be used: {told} Recording keeps trying.",
        kind=kind,
        remedy=remedy,
    )
