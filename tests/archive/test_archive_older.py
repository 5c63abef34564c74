"""An archive of version 1, which joined everything by instance and id, opens without loss."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from archive_stage import ANA, BOB, T0, Clock, delete, edit, event, record, status, upsert

from evolution_sdk.archive import Archive

# As version 1 laid it out; copied, so that a change of the code does not change the test.
VERSION_1 = """
CREATE TABLE messages (
    row INTEGER PRIMARY KEY, instance TEXT NOT NULL, id TEXT NOT NULL, chat TEXT NOT NULL,
    from_me INTEGER NOT NULL, sender TEXT, push_name TEXT, kind TEXT NOT NULL,
    message_type TEXT NOT NULL, text TEXT, status TEXT, timestamp INTEGER NOT NULL, quoted_id TEXT,
    media_url TEXT, media_mimetype TEXT, media_size INTEGER, media_name TEXT, edited_at INTEGER,
    deleted_at INTEGER, recorded_at INTEGER NOT NULL, raw TEXT NOT NULL, UNIQUE (instance, id));
CREATE INDEX messages_by_chat ON messages (instance, chat, timestamp);
CREATE INDEX messages_by_time ON messages (timestamp);
CREATE INDEX messages_by_sender ON messages (sender, timestamp);
CREATE TABLE updates (
    key TEXT PRIMARY KEY, instance TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, status TEXT,
    participant TEXT, text TEXT, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX updates_by_message ON updates (instance, id);
CREATE TABLE contacts (
    instance TEXT NOT NULL, jid TEXT NOT NULL, name TEXT, picture_url TEXT,
    updated_at INTEGER NOT NULL, PRIMARY KEY (instance, jid)) WITHOUT ROWID;
CREATE VIRTUAL TABLE messages_text USING fts5
    (text, tokenize = 'unicode61 remove_diacritics 2');
PRAGMA user_version = 1;
"""


def old_message(connection: sqlite3.Connection, number: int, text: str, **more: object) -> None:
    raw = record(number, more.pop("first", text))  # type: ignore[arg-type]  # a text
    values = {
        "row": number * 10, "instance": "sales", "id": f"M{number}", "chat": ANA, "from_me": 0,
        "sender": ANA, "push_name": "Ana", "kind": "text", "message_type": "conversation",
        "text": text, "timestamp": T0 + number, "recorded_at": T0, "raw": json.dumps(raw), **more,
    }  # fmt: skip
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO messages ({names}) VALUES ({marks})", [*values.values()])
    connection.execute(
        "INSERT INTO messages_text (rowid, text) VALUES (?, ?)", (values["row"], text)
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "old.db"
    connection = sqlite3.connect(path)
    connection.executescript(VERSION_1)
    old_message(connection, 1, "as it was", status="READ", quoted_id="Q", media_url="https://x/y")
    old_message(connection, 2, "new words", first="first words", edited_at=T0 + 60)
    old_message(connection, 3, "gone", deleted_at=T0 + 61)
    old_message(connection, 4, "without its update", first="first", edited_at=T0 + 62)
    old_message(connection, 5, "also", deleted_at=T0 + 63)
    connection.executemany(
        "INSERT INTO updates VALUES (?, 'sales', ?, ?, ?, NULL, ?, ?)",
        [
            ("k1", "M1", "status", "READ", None, T0 + 59),
            ("k2", "M2", "edit", None, "new words", T0 + 60),
            ("k3", "M3", "delete", None, None, T0 + 61),
            ("k4", "M9", "edit", None, "of a message that is not there", T0 + 62),
            ("k5", "M8", "status", "READ", None, T0 + 63),
        ],
    )
    connection.execute("INSERT INTO contacts VALUES ('sales', ?, 'Ana', NULL, ?)", (ANA, T0))
    connection.commit()
    connection.close()
    return path


def test_everything_is_as_it_was(path: Path) -> None:
    with Archive(path, clock=Clock()) as archive:
        found = {each.id: each for each in archive.messages()}
        assert [each.text for each in archive.messages(oldest_first=True)] == [
            "as it was", "new words", "gone", "without its update", "also",
        ]  # fmt: skip
        assert str(found["M1"].status) == "READ"
        assert (found["M1"].quoted_id, found["M1"].push_name) == ("Q", "Ana")
        assert found["M1"].media is not None
        assert found["M1"].raw == record(1, "as it was")
        assert [each.id for each in archive.messages() if each.edited_at] == ["M4", "M2"]
        assert [each.id for each in archive.messages() if each.deleted_at] == ["M5", "M3"]
        assert [each.id for each in archive.search("words")] == ["M2"]
        assert [(each.kind, each.applied) for each in archive.updates("M2")] == [("edit", True)]
        (beside,) = archive.updates("M9")
        assert (beside.text, beside.applied) == ("of a message that is not there", False)
        assert [each.name for each in archive.contacts()] == ["Ana"]
    with Archive(path, clock=Clock()) as archive:
        assert len(archive.messages()) == 5


def test_what_counted_goes_on_to_count_beside_what_comes(path: Path) -> None:
    with Archive(path, clock=Clock()) as archive:
        archive.record(event("messages.delete", {"id": "M2", "remoteJid": BOB, "fromMe": False}))
        archive.record(event("messages.delete", {"id": "M4", "remoteJid": BOB, "fromMe": False}))
        archive.record(event("messages.delete", {"id": "M5", "remoteJid": BOB, "fromMe": False}))
        texts = {each.id: each.text for each in archive.messages()}
        assert (texts["M2"], texts["M4"]) == ("new words", "without its update")
        assert [each.id for each in archive.messages() if each.deleted_at] == ["M5", "M3"]
        archive.record(edit("newest words", 2, at=T0 + 99))
        archive.record(delete(2))
        archive.record(status("PLAYED"))
        found = archive.get("M2")
        assert found is not None
        assert (found.text, found.deleted_at is None) == ("newest words", False)
        assert str((archive.get("M1") or found).status) == "PLAYED"


def test_messages_that_come_find_only_what_is_surely_theirs(path: Path) -> None:
    with Archive(path, clock=Clock()) as archive:
        archive.record(upsert(9, "original"))
        archive.record(upsert(8, "original"))
        texts = {each.id: (each.text, str(each.status)) for each in archive.messages()}
        assert texts["M9"] == ("original", "None"), "who edited was not kept then"
        assert texts["M8"] == ("original", "READ")
        archive.record(upsert(1, "used again", key={"remoteJid": BOB}))
        assert {each.text for each in archive.messages() if each.id == "M1"} == {
            "as it was", "used again",
        }  # fmt: skip


def test_retention_works_on_it(path: Path) -> None:
    with Archive(path, clock=Clock()) as archive:
        assert archive.prune(max_messages=2) == 3
        assert archive.updates("M1") == archive.updates("M2") == []
        assert len(archive.updates("M4")) == 1
        assert archive.search("words") == []
