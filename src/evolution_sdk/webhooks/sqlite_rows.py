"""Transactions of a SQLite inbox."""

from __future__ import annotations

import sqlite3

from evolution_sdk._sql.write_ahead import is_busy


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
                if not left or not is_busy(error):
                    raise
        return self._db

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            self._db.execute("COMMIT" if kind is None else "ROLLBACK")
        finally:
            # A full disk can refuse the commit and leave the transaction open.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
