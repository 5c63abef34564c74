"""Opening a SQLite file that others may not read."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from evolution_sdk._base.private_file import make_private

__all__ = ["connect_private"]


def connect_private(path: str | Path, **options: Any) -> sqlite3.Connection:
    """Open a file; a new one is made for its owner alone.

    Args:
        path: The file.
        **options: Those of :func:`sqlite3.connect`.

    Raises:
        sqlite3.Error: It cannot be opened.
    """
    # Where it cannot be made, SQLite says why.
    with suppress(OSError):
        make_private(path)
    connection: sqlite3.Connection = sqlite3.connect(path, **options)
    return connection
