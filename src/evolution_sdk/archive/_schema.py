"""Tables of an archive in SQLite, and the migration of older files."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TypeAlias

from evolution_sdk._sql.database import Database, Session
from evolution_sdk._sql.schema import SchemaVersionError
from evolution_sdk.events import EventMessage

from ._building import indexes_statements

Migration: TypeAlias = Callable[[Session], object]

_FIRST = (
    """CREATE TABLE messages (
        row INTEGER PRIMARY KEY,
        instance TEXT NOT NULL,
        id TEXT NOT NULL,
        chat TEXT NOT NULL,
        from_me INTEGER NOT NULL,
        sender TEXT,
        push_name TEXT,
        kind TEXT NOT NULL,
        message_type TEXT NOT NULL,
        text TEXT,
        status TEXT,
        timestamp INTEGER NOT NULL,
        quoted_id TEXT,
        media_url TEXT,
        media_mimetype TEXT,
        media_size INTEGER,
        media_name TEXT,
        edited_at INTEGER,
        deleted_at INTEGER,
        recorded_at INTEGER NOT NULL,
        raw TEXT NOT NULL,
        UNIQUE (instance, id)
    )""",
    "CREATE INDEX messages_by_chat ON messages (instance, chat, timestamp)",
    "CREATE INDEX messages_by_time ON messages (timestamp)",
    "CREATE INDEX messages_by_sender ON messages (sender, timestamp)",
    """CREATE TABLE updates (
        key TEXT PRIMARY KEY,
        instance TEXT NOT NULL,
        id TEXT NOT NULL,
        kind TEXT NOT NULL,
        status TEXT,
        participant TEXT,
        text TEXT,
        at INTEGER NOT NULL
    ) WITHOUT ROWID""",
    "CREATE INDEX updates_by_message ON updates (instance, id)",
    """CREATE TABLE contacts (
        instance TEXT NOT NULL,
        jid TEXT NOT NULL,
        name TEXT,
        picture_url TEXT,
        updated_at INTEGER NOT NULL,
        PRIMARY KEY (instance, jid)
    ) WITHOUT ROWID""",
)


def _first(session: Session) -> None:
    for statement in _FIRST:
        session.run(statement)


# Version 2 allows messages with one id in several chats, and keeps chat and author of changes.
_SECOND = (
    "ALTER TABLE messages RENAME TO messages_1",
    "DROP INDEX messages_by_chat",
    "DROP INDEX messages_by_time",
    "DROP INDEX messages_by_sender",
    """CREATE TABLE messages (
        row INTEGER PRIMARY KEY,
        instance TEXT NOT NULL,
        id TEXT NOT NULL,
        chat TEXT NOT NULL,
        chat_alt TEXT,
        from_me INTEGER NOT NULL,
        sender TEXT,
        sender_alt TEXT,
        push_name TEXT,
        kind TEXT NOT NULL,
        message_type TEXT NOT NULL,
        text TEXT,
        first_text TEXT,
        status TEXT,
        timestamp INTEGER NOT NULL,
        quoted_id TEXT,
        media_url TEXT,
        media_mimetype TEXT,
        media_size INTEGER,
        media_name TEXT,
        edited_at INTEGER,
        deleted_at INTEGER,
        recorded_at INTEGER NOT NULL,
        raw TEXT NOT NULL
    )""",
    """INSERT INTO messages (
        row, instance, id, chat, from_me, sender, push_name, kind, message_type, text, first_text,
        status, timestamp, quoted_id, media_url, media_mimetype, media_size, media_name, edited_at,
        deleted_at, recorded_at, raw
    ) SELECT
        row, instance, id, chat, from_me, sender, push_name, kind, message_type, text, text,
        status, timestamp, quoted_id, media_url, media_mimetype, media_size, media_name, edited_at,
        deleted_at, recorded_at, raw
    FROM messages_1""",
    "DROP TABLE messages_1",
    "CREATE INDEX messages_by_id ON messages (instance, id)",
    "CREATE INDEX messages_by_chat ON messages (instance, chat, timestamp)",
    "CREATE INDEX messages_by_time ON messages (timestamp)",
    "CREATE INDEX messages_by_sender ON messages (sender, timestamp)",
    "ALTER TABLE updates RENAME TO updates_1",
    "DROP INDEX updates_by_message",
    """CREATE TABLE updates (
        row INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        instance TEXT NOT NULL,
        id TEXT NOT NULL,
        kind TEXT NOT NULL,
        status TEXT,
        participant TEXT,
        participant_alt TEXT,
        text TEXT,
        at INTEGER NOT NULL,
        chat TEXT,
        by_me INTEGER,
        proven INTEGER NOT NULL DEFAULT 0,
        mirrored INTEGER NOT NULL DEFAULT 0,
        by_admin INTEGER NOT NULL DEFAULT 0,
        message INTEGER,
        old_message INTEGER
    )""",
    # Version 1 stored no chat with a change. A change that counted for a message still counts;
    # the others stay without a chat.
    """INSERT INTO updates (
        key, instance, id, kind, status, participant, text, at, proven, message, old_message
    ) SELECT
        u.key, u.instance, u.id, u.kind, u.status, u.participant, u.text, u.at, m.row IS NOT NULL,
        m.row, m.row
    FROM updates_1 AS u LEFT JOIN messages AS m ON m.instance = u.instance AND m.id = u.id
    ORDER BY u.at, u.key""",
    "DROP TABLE updates_1",
    # Each edit or deletion that a message shows needs a change, even if pruning has deleted it.
    """INSERT INTO updates (key, instance, id, kind, text, at, proven, message, old_message)
    SELECT 'before.edit:' || row, instance, id, 'edit', text, edited_at, 1, row, row
    FROM messages WHERE edited_at IS NOT NULL AND row NOT IN
    (SELECT message FROM updates WHERE kind = 'edit' AND message IS NOT NULL)""",
    """INSERT INTO updates (key, instance, id, kind, at, proven, message, old_message)
    SELECT 'before.delete:' || row, instance, id, 'delete', deleted_at, 1, row, row
    FROM messages WHERE deleted_at IS NOT NULL AND row NOT IN
    (SELECT message FROM updates WHERE kind = 'delete' AND message IS NOT NULL)""",
    "CREATE INDEX updates_by_message ON updates (instance, id)",
    # For hidden ids learned later. Edits and deletions are few, so the indexes stay small.
    "CREATE INDEX changes_by_chat ON updates (chat) WHERE kind <> 'status'",
    "CREATE INDEX changes_by_author ON updates (participant) WHERE kind <> 'status'",
    "CREATE TABLE lids (lid TEXT PRIMARY KEY, phone TEXT NOT NULL) WITHOUT ROWID",
    "CREATE INDEX lids_by_phone ON lids (phone)",
    """CREATE TABLE admins (
        instance TEXT NOT NULL,
        chat TEXT NOT NULL,
        jid TEXT NOT NULL,
        alt TEXT,
        PRIMARY KEY (instance, chat, jid)
    ) WITHOUT ROWID""",
)


def _second(session: Session) -> None:
    for statement in _SECOND:
        session.run(statement)
    # The original text of an edited message is only in its raw record.
    edited = session.run("SELECT row, raw FROM messages WHERE edited_at IS NOT NULL")
    for row, raw in edited:
        session.run(
            "UPDATE messages SET first_text = coalesce(?, first_text) WHERE row = ?",
            (EventMessage.from_wire(json.loads(raw)).text, row),
        )


# Version 3 has an index for each question. They begin empty and are built in the background.
def _third(session: Session) -> None:
    for statement in indexes_statements():
        session.run(statement)


MIGRATIONS: Sequence[Migration] = (_first, _second, _third)
"""Steps that make version 1 of an empty file, version 2 of version 1, and so on.

Steps are only added, never changed, because files made by them exist. The version of a file is its
``user_version``.
"""


def migrate(database: Database, migrations: Sequence[Migration] = MIGRATIONS) -> int:
    """Upgrade an archive to the newest version, each step completely or not at all.

    Args:
        database: The archive, a file of SQLite.
        migrations: The steps.

    Returns:
        The version reached.

    Raises:
        SchemaVersionError: A newer SDK made the file.
        DatabaseError: A step failed; the file is as before that step.
    """
    with database.reading() as session:
        found = version_of(session)
    if found > len(migrations):
        raise SchemaVersionError("archive", found, len(migrations))
    for number, step in enumerate(migrations[found:], start=found + 1):
        with database.writing() as session:
            # Another process may have made this step while this one waited for the lock.
            if version_of(session) < number:
                step(session)
                session.run(f"PRAGMA user_version = {number}")
    return len(migrations)


def version_of(session: Session) -> int:
    """Return the version of an archive; 0 for an empty file."""
    return int(session.run("PRAGMA user_version")[0][0])
