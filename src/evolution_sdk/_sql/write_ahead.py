"""Switching a SQLite file to its write-ahead log."""

from __future__ import annotations

import math
import sqlite3
from contextlib import suppress

__all__ = ["is_busy", "use_write_ahead_log"]

_STEP_MS = 5.0


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
    db.execute(f"PRAGMA busy_timeout = {round(_STEP_MS)}")
    # A try waits for one step, and the turn to write for another.
    left = max(1, math.ceil(patience_ms / (2 * _STEP_MS)))
    while True:
        left -= 1
        try:
            db.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            if not is_busy(error) or left <= 0:
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
