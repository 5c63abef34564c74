"""Files of earlier layouts, for the tests of what happens to them."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from archive_stage import ANA, BOB, T0, record

from evolution_sdk._sql.sqlite import SqliteDatabase
from evolution_sdk.archive._schema import MIGRATIONS, migrate

_FIELDS = (
    "row", "instance", "id", "chat", "from_me", "sender", "kind", "message_type", "text",
    "first_text", "timestamp", "recorded_at", "raw",
)  # fmt: skip


def version_2(path: Path, size: int) -> None:
    """Make a file of version 2, with its full-text index; every tenth message is BOB's."""
    database = SqliteDatabase(path)
    migrate(database, MIGRATIONS[:2])
    database.close()
    connection = sqlite3.connect(path, isolation_level=None)
    # As the code of version 2 made it.
    connection.execute(
        "CREATE VIRTUAL TABLE messages_text USING fts5"
        "(text, tokenize = 'unicode61 remove_diacritics 2')"
    )
    connection.execute("BEGIN")
    marks = ", ".join("?" * len(_FIELDS))
    for number in range(1, size + 1):
        text = f"pedido número {number}"
        chat = BOB if number % 10 == 0 else ANA
        row = number * 2  # with gaps, as deletions leave them
        connection.execute(
            f"INSERT INTO messages ({', '.join(_FIELDS)}) VALUES ({marks})",
            (row, f"i{number % 3}", f"M{number}", chat, number % 2, chat, "text", "conversation",
             text, text, T0 + number % 7, T0, json.dumps(record(number, text))),
        )  # fmt: skip
        connection.execute("INSERT INTO messages_text (rowid, text) VALUES (?, ?)", (row, text))
        connection.execute(
            "INSERT INTO updates (key, instance, id, kind, status, at, chat, by_me, message) "
            "VALUES (?, ?, ?, 'status', 'READ', ?, ?, 1, ?)",
            (f"k{number}", f"i{number % 3}", f"M{number}", T0 + number, chat, row),
        )
    connection.execute("COMMIT")
    connection.close()
