"""Why a database could not do what was asked, told the same for SQLite and PostgreSQL."""

from __future__ import annotations

import errno
import sqlite3
from typing import Any, Literal, TypeAlias

__all__ = ["DatabaseError", "TroubleKind", "of_connecting", "of_postgres", "of_sqlite"]

TroubleKind: TypeAlias = Literal[
    "unavailable", "busy", "full", "corrupt", "rights", "schema", "data", "other"
]

_REMEDIES: dict[TroubleKind, str] = {
    "unavailable": "Check that the database runs and can be reached.",
    "busy": "Another process holds it for too long: a backup, a shell, a long transaction.",
    "full": "Free some space on its disk.",
    "corrupt": "It is damaged, or no database: restore a backup, or name another file.",
    "rights": "Give this process the right to read and write it.",
    "schema": "Its tables are missing or of another version: run the migration.",
    "data": "A value does not fit its column.",
    "other": "See the log of the database.",
}

_SQLITE: dict[int, TroubleKind] = {
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_CORRUPT: "corrupt",
    sqlite3.SQLITE_NOTADB: "corrupt",
    sqlite3.SQLITE_READONLY: "rights",
    sqlite3.SQLITE_PERM: "rights",
    sqlite3.SQLITE_AUTH: "rights",
    sqlite3.SQLITE_CANTOPEN: "unavailable",
    sqlite3.SQLITE_IOERR: "unavailable",
    sqlite3.SQLITE_TOOBIG: "data",
    sqlite3.SQLITE_MISMATCH: "data",
    sqlite3.SQLITE_CONSTRAINT: "data",
}

# The first two signs of PostgreSQL's SQLSTATE, or the whole of it where it tells more.
_POSTGRES: dict[str, TroubleKind] = {
    "08": "unavailable",
    "57P": "unavailable",
    "53300": "unavailable",
    "40": "busy",
    "55P03": "busy",
    "57014": "busy",
    "25P03": "busy",
    "53100": "full",
    "53": "full",
    "XX": "corrupt",
    "42501": "rights",
    "28": "rights",
    "25006": "rights",
    "42P01": "schema",
    "42703": "schema",
    "42704": "schema",
    "42883": "schema",
    "3F": "schema",
    "3D": "rights",
    "22": "data",
    "23": "data",
    "54": "data",  # such as a key that is longer than an index takes
}


_FILES: dict[int | None, TroubleKind] = {
    errno.EACCES: "rights",
    errno.EPERM: "rights",
    errno.EROFS: "rights",
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
}

# Before there is a connection libpq tells no SQLSTATE. Its text is not passed on: it may quote the
# address, and with a slash in it a part of the password counts as the port.
_CONNECTING: tuple[tuple[str, TroubleKind, str], ...] = (
    ("refused", "unavailable", "nobody listens there"),
    ("No such file", "unavailable", "nobody listens there"),
    ("timeout expired", "unavailable", "no answer in time"),
    ("timed out", "unavailable", "no answer in time"),
    ("translate host name", "unavailable", "its host is not known"),
    ("resolve host", "unavailable", "its host is not known"),
    ("too many", "unavailable", "it has no connection left"),
    ("authentication failed", "rights", "it refuses user or password"),
    ("no password supplied", "rights", "it wants a password"),
    ("pg_hba.conf", "rights", "it lets nobody in from here as that user"),
    ("does not exist", "rights", "that database or user does not exist"),
    ("permission denied", "rights", "that user may not connect"),
)


class DatabaseError(Exception):
    """A statement or a transaction that was not done.

    Attributes:
        kind: The sort of trouble.
        passing: Whether the same may go well later, without anybody's doing.
        broken: Whether the connection was lost, so that a commit under way may have been done.
        remedy: What to do about it, in a sentence.
    """

    def __init__(self, kind: TroubleKind, text: str, *, broken: bool = False) -> None:
        # The driver's text is not told: it may quote values, such as a message or a number.
        super().__init__(f"{text}. {_REMEDIES[kind]}")
        self.kind: TroubleKind = kind
        self.passing: bool = kind in ("unavailable", "busy", "full")
        self.broken: bool = broken
        self.remedy: str = _REMEDIES[kind]


def of_sqlite(error: BaseException) -> DatabaseError:
    """Say what an error of SQLite, or of the file system, means.

    Args:
        error: The error.
    """
    kind: TroubleKind
    if isinstance(error, OSError):
        kind = _FILES.get(error.errno, "unavailable")
        return DatabaseError(kind, f"the file cannot be used ({type(error).__name__})")
    if isinstance(error, UnicodeError | OverflowError):
        return DatabaseError("data", f"SQLite takes no such value ({type(error).__name__})")
    code = getattr(error, "sqlite_errorcode", None)
    kind = "other" if code is None else _SQLITE.get(code & 0xFF, "other")
    text = str(error)
    if kind == "other" and text.startswith(("no such table", "no such column", "table ")):
        kind = "schema"
    if isinstance(error, sqlite3.ProgrammingError | sqlite3.InterfaceError):
        kind = "data"
    # SQLite's own texts of these kinds name no values.
    told = f": {text}" if kind in ("busy", "full", "corrupt", "rights", "unavailable") else ""
    name = getattr(error, "sqlite_errorname", None) or type(error).__name__
    return DatabaseError(kind, f"SQLite said {name}{told}")


def of_connecting(error: Exception) -> DatabaseError:
    """Say why there is no connection to PostgreSQL.

    Args:
        error: The error of psycopg.
    """
    text = str(error)
    for sign, kind, told in _CONNECTING:
        if sign in text:
            return DatabaseError(kind, f"PostgreSQL cannot be used: {told}")
    return DatabaseError("unavailable", f"PostgreSQL cannot be reached ({type(error).__name__})")


def of_postgres(error: Any, *, broken: bool = False) -> DatabaseError:
    """Say what an error of psycopg within a connection means.

    Args:
        error: The error.
        broken: Whether its connection is lost.
    """
    state: str | None = getattr(error, "sqlstate", None)
    kind: TroubleKind = "other"
    if state is None:
        # No answer of the server at all: a value that psycopg cannot send, or a lost connection.
        odd = isinstance(error, UnicodeError) or type(error).__name__ in _NOT_SENT
        kind = "data" if odd and not broken else "unavailable"
    else:
        for length in (5, 3, 2):
            if state[:length] in _POSTGRES:
                kind = _POSTGRES[state[:length]]
                break
    name = type(error).__name__
    told = name if state is None else f"{name} ({state})"
    return DatabaseError(kind, f"PostgreSQL: {told}", broken=broken or kind == "unavailable")


_NOT_SENT = frozenset({"DataError", "ProgrammingError", "NotSupportedError"})
