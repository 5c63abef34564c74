"""Switching a SQLite file to its write-ahead log."""

from __future__ import annotations

import math
import sqlite3
from contextlib import suppress
from typing import Final

__all__ = ["BUSY_STEP_MS", "is_busy", "use_write_ahead_log"]

BUSY_STEP_MS: Final = 5.0
"""One of the short waits in a row: SQLite's own grow to 100 ms, in which others begin anew."""


def use_write_ahead_log(db: sqlite3.Connection, patience_ms: float) -> None:
    """Let readers and one writer work at the same time.

    Of several that switch a new file at the same moment, SQLite refuses all but one at once,
    whatever the busy timeout. They try again, after they have waited for the turn to write.

    Args:
        db: The connection, outside a transaction. Its busy timeout is the patience afterwards.
        patience_ms: Longest wait for others, in milliseconds.

    Raises:
        sqlite3.Error: The file cannot be read, or others hold it for longer.
    """
    db.execute(f"PRAGMA busy_timeout = {round(BUSY_STEP_MS)}")
    # A try waits for one step, and the turn to write for another.
    tries = max(1, math.ceil(patience_ms / (2 * BUSY_STEP_MS)))
    for left in reversed(range(tries)):
        try:
            db.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            if not left or not is_busy(error):
                raise
        with suppress(sqlite3.OperationalError):
            db.execute("BEGIN IMMEDIATE")
        if db.in_transaction:
            db.rollback()
    db.execute(f"PRAGMA busy_timeout = {round(patience_ms)}")


def is_busy(error: Exception) -> bool:
    """Tell if another connection holds the file.

    Args:
        error: What SQLite raised.
    """
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
