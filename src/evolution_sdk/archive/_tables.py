"""Tables of an archive in PostgreSQL. Steps are only added, as tables made by them exist."""

from __future__ import annotations

from evolution_sdk._sql.schema import Steps

__all__ = ["PART", "STEPS"]

PART = "archive"

_MESSAGES = """CREATE TABLE messages (
    row [[number]],
    instance [[name]] NOT NULL,
    id [[name]] NOT NULL,
    chat [[name]] NOT NULL,
    chat_alt [[name]],
    from_me INTEGER NOT NULL,
    sender [[name]],
    sender_alt [[name]],
    push_name TEXT,
    kind [[name]] NOT NULL,
    message_type TEXT NOT NULL,
    text TEXT,
    first_text TEXT,
    status TEXT,
    timestamp [[big]] NOT NULL,
    quoted_id TEXT,
    media_url TEXT,
    media_mimetype TEXT,
    media_size [[big]],
    media_name TEXT,
    edited_at [[big]],
    deleted_at [[big]],
    recorded_at [[big]] NOT NULL,
    raw TEXT NOT NULL
)"""
_UPDATES = """CREATE TABLE updates (
    row [[number]],
    key [[name]] NOT NULL UNIQUE,
    instance [[name]] NOT NULL,
    id [[name]] NOT NULL,
    kind TEXT NOT NULL,
    status TEXT,
    participant [[name]],
    participant_alt TEXT,
    text TEXT,
    at [[big]] NOT NULL,
    chat [[name]],
    by_me INTEGER,
    proven INTEGER NOT NULL DEFAULT 0,
    mirrored INTEGER NOT NULL DEFAULT 0,
    by_admin INTEGER NOT NULL DEFAULT 0,
    message [[big]],
    old_message [[big]]
)"""
_FIRST = (
    _MESSAGES,
    "CREATE INDEX messages_by_id ON messages (id, instance)",
    "CREATE INDEX messages_by_chat ON messages (chat, timestamp, row)",
    "CREATE INDEX messages_by_sender ON messages (sender, timestamp, row)",
    "CREATE INDEX messages_by_instance ON messages (instance, timestamp, row)",
    "CREATE INDEX messages_by_kind ON messages (kind, timestamp, row)",
    "CREATE INDEX messages_by_side ON messages (from_me, timestamp, row)",
    "CREATE INDEX messages_by_time ON messages (timestamp, row)",
    # Beside the messages: a status then touches no index.
    "CREATE TABLE messages_words (row [[big]] PRIMARY KEY, words TSVECTOR NOT NULL)",
    "CREATE INDEX messages_by_word ON messages_words USING gin (words)",
    _UPDATES,
    "CREATE INDEX updates_by_id ON updates (id, instance)",
    "CREATE INDEX updates_by_time ON updates (at)",
    "CREATE INDEX changes_by_chat ON updates (chat) WHERE kind <> 'status'",
    "CREATE INDEX changes_by_author ON updates (participant) WHERE kind <> 'status'",
    """CREATE TABLE contacts (
        instance [[name]] NOT NULL,
        jid [[name]] NOT NULL,
        name TEXT,
        picture_url TEXT,
        updated_at [[big]] NOT NULL,
        PRIMARY KEY (instance, jid)
    )""",
    "CREATE TABLE lids (lid [[name]] PRIMARY KEY, phone [[name]] NOT NULL)",
    "CREATE INDEX lids_by_phone ON lids (phone)",
    """CREATE TABLE admins (
        instance [[name]] NOT NULL,
        chat [[name]] NOT NULL,
        jid [[name]] NOT NULL,
        alt TEXT,
        PRIMARY KEY (instance, chat, jid)
    )""",
)

STEPS: Steps = (_FIRST,)
