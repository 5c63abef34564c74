"""Rows and transactions of a SQLite inbox."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from .inbox import InboxEntry


class Transaction:
    """A write transaction; it begins at once, so that two processes wait instead of failing.

    Args:
        db: The file.
        tries: Most tries to begin while another process writes, each with the wait of the file.
    """

    def __init__(self, db: sqlite3.Connection, tries: int = 1) -> None:
        self._db = db
        self._tries = tries

    def __enter__(self) -> sqlite3.Connection:
        for left in reversed(range(self._tries)):
            try:
                self._db.execute("BEGIN IMMEDIATE")
                break
            except sqlite3.OperationalError as error:
                if not left or error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
        return self._db

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            self._db.execute("COMMIT" if kind is None else "ROLLBACK")
        finally:
            # A full disk can refuse the commit and leave the transaction open.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")


def to_blob(text: str | None) -> bytes | None:
    """Turn a text into the bytes that a column keeps."""
    # Bytes, because SQLite refuses text with lone surrogates, which JSON may hold.
    return None if text is None else text.encode("utf-8", "surrogatepass")


def _text(blob: bytes | str) -> str:
    return blob.decode("utf-8", "surrogatepass") if isinstance(blob, bytes) else blob


def to_entry(row: tuple[Any, ...]) -> InboxEntry:
    """Turn a row into an entry."""
    number, key, body, source, hint, received_at, finished, attempts, failed_at, *error = row
    return InboxEntry(
        _text(key),
        body,
        source,
        None if hint is None else _text(hint),
        received_at,
        number,
        finished=json.loads(finished),
        attempts=attempts,
        failed_at=failed_at,
        error=error[0],
        error_text=_text(error[1]),
    )
