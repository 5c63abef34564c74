"""Damaged, locked and foreign files harm no handler; old layouts are brought up to date."""

from __future__ import annotations

import logging
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from archive_stage import T0, Clock, event, record, upsert

from evolution_sdk._sql.database import Session
from evolution_sdk._sql.sqlite import SqliteDatabase
from evolution_sdk._sql.troubles import DatabaseError
from evolution_sdk.archive import Archive, _writing
from evolution_sdk.archive import archive as module
from evolution_sdk.archive._schema import MIGRATIONS, migrate, version_of
from evolution_sdk.archive._taking import ContactRow
from evolution_sdk.errors import ArchiveError, ConfigurationError


def reports(caplog: pytest.LogCaptureFixture, level: int = logging.ERROR) -> list[str]:
    return [
        r.getMessage()
        for r in caplog.records
        if r.name == "evolution_sdk.archive" and r.levelno == level
    ]


def test_a_damaged_file_is_reported_once_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, clock = tmp_path / "a.db", Clock()
    path.write_bytes(b"this is no database, but a text of some length" * 100)
    archive = Archive(path, clock=clock, retry_ms=1_000)
    for number in range(5):
        assert not archive.record(upsert(number))
        clock.now += 0.6
    (report,) = reports(caplog)
    assert str(path) in report
    assert "coração" not in report
    assert archive.waiting == 5
    with pytest.raises(ArchiveError, match=r"move it away"):
        archive.messages()
    path.rename(tmp_path / "damaged")
    clock.now += 2
    assert archive.record(upsert(5))
    assert archive.waiting == 0
    assert len(archive.messages()) == 6, "nothing that came meanwhile is lost"
    assert reports(caplog, logging.WARNING) == [f"the archive {path} can be written again"]
    archive.close()


def test_a_locked_file_holds_nobody_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, clock = tmp_path / "a.db", Clock()
    archive = Archive(path, clock=clock, busy_ms=1, retry_ms=1_000)
    assert archive.record(upsert(1))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    for number in (2, 3, 4):
        assert not archive.record(upsert(number))
    assert len(reports(caplog)) == 1
    other.execute("ROLLBACK")
    other.close()
    assert not archive.record(upsert(5)), "it is left alone for a while"
    assert archive.flush()
    assert len(archive.messages()) == 5
    archive.close()


def test_what_waits_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_WAITING", 3)
    (tmp_path / "a.db").mkdir()
    archive = Archive(tmp_path / "a.db", clock=Clock())
    for number in range(5):
        assert not archive.record(upsert(number))
    assert archive.waiting == 3
    assert archive.lost == 2
    archive.close()


def test_nothing_gets_out_of_recording(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("a fault of ours")

    archive = Archive(place, clock=Clock())
    with monkeypatch.context() as patched:
        patched.setattr(module, "rows_of", broken)
        assert not archive.record(upsert())
    with monkeypatch.context() as patched:
        patched.setattr(_writing, "write", broken)
        archive.record(upsert())
        assert archive.lost == 1
    assert archive.record(upsert(2))
    archive.close()


def test_a_row_that_cannot_be_stored_holds_up_no_other(
    place: str, caplog: pytest.LogCaptureFixture
) -> None:
    bad: Any = ContactRow("sales", "bad", {"a secret": 1}, None, 5)  # type: ignore[arg-type]  # on purpose
    good = [ContactRow("sales", jid, "Ana", None, 5) for jid in ("a", "b")]
    with Archive(place, clock=Clock()) as archive:
        assert archive._keep([good[0], bad, good[1]])
        assert (archive.waiting, archive.lost) == (0, 1)
        assert [each.jid for each in archive.contacts()] == ["a", "b"]
        assert archive.record(upsert())
    assert "a row could not be archived: " in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("name", ["_open", "_prune"])
def test_no_fault_of_the_database_gets_out_of_recording(
    place: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def broken(*_: Any) -> Any:
        raise ValueError("a fault of ours")

    monkeypatch.setattr(module, "_PRUNE_EVERY", 1)
    archive = Archive(place, clock=Clock())
    with monkeypatch.context() as patched:
        patched.setattr(archive, name, broken)
        assert not archive.record(upsert())
    assert archive.flush()
    assert (len(archive.messages()), archive.lost) == (1, 0)
    archive.close()


def test_it_is_opened_again_after_closing(place: str) -> None:
    archive = Archive(place, clock=Clock())
    archive.record(upsert(1))
    archive.close()
    archive.record(upsert(2))
    assert len(archive.messages()) == 2
    archive.close()


def test_it_is_in_wal_mode_and_versioned(tmp_path: Path) -> None:
    with Archive(tmp_path / "a.db", clock=Clock()) as archive:
        archive.record(upsert())
        connection = sqlite3.connect(archive.path)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        connection.close()


def test_an_older_file_is_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.db"
    with Archive(path, clock=Clock()) as archive:
        archive.record(upsert(1))

    def second(session: Session) -> None:
        session.run("ALTER TABLE messages ADD COLUMN starred INTEGER")

    newer = partial(migrate, migrations=(*MIGRATIONS, second))
    monkeypatch.setattr(module, "migrate", newer)
    with Archive(path, clock=Clock()) as archive:
        archive.record(upsert(2))
        assert len(archive.messages()) == 2
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS) + 1,)
    assert connection.execute("SELECT starred FROM messages").fetchall() == [(None,), (None,)]
    connection.close()


def test_a_failing_step_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "a.db")
    migrate(database)

    def broken(inner: Session) -> None:
        inner.run("CREATE TABLE half (x)")
        inner.run("no sql")

    with pytest.raises(DatabaseError):
        migrate(database, (*MIGRATIONS, broken))
    with database.reading() as session:
        assert version_of(session) == len(MIGRATIONS)
        assert session.run("SELECT name FROM sqlite_master WHERE name = 'half'") == []
    database.close()


def test_a_newer_file_is_not_touched(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.db"
    with Archive(path, clock=Clock()) as archive:
        archive.record(upsert())
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with Archive(path, clock=Clock()) as archive:
        assert not archive.record(upsert(2))
        assert "Upgrade evolutionapi-sdk" in reports(caplog)[0]
        with pytest.raises(ArchiveError, match="version 99"):
            archive.messages()


def test_without_fts5_everything_but_search_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.db"
    with monkeypatch.context() as patched:
        patched.setattr(module, "prepare_search", lambda _connection: False)
        with Archive(path, clock=Clock()) as archive:
            archive.record(upsert())
            assert len(archive.messages()) == 1
            with pytest.raises(ConfigurationError, match="FTS5") as caught:
                archive.search("ola")
            assert caught.value.variable == "sqlite3"
            assert archive.prune(max_messages=1) == 0
    with Archive(path, clock=Clock()) as archive:  # by a better Python: what is there is found
        assert [m.id for m in archive.search("ola")] == ["M1"]


def test_history_is_kept_in_one_go(place: str) -> None:
    batch = event("messages.set", [record(n, f"t{n}") for n in range(200)])
    with Archive(place, clock=Clock(T0)) as archive:
        assert archive.record(batch)
        assert len(archive.messages()) == 200
