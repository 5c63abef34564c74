"""A large older file is used while its indexes are built, by whoever has it open."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from archive_older import version_2
from archive_stage import ANA, BOB, T0, Clock, edit, edited, upsert

from evolution_sdk._sql.sqlite import SqliteDatabase
from evolution_sdk._sql.troubles import DatabaseError
from evolution_sdk.archive import Archive, _building
from evolution_sdk.archive import _waiting as waiting
from evolution_sdk.archive import archive as module
from evolution_sdk.archive._building import Shape, build, shape_of
from evolution_sdk.events import parse_event

SIZE = 60


class Timers:
    """Timers that only tests let run out."""

    def __init__(self) -> None:
        self.armed: list[Timers.One] = []

    class One:
        def __init__(self, timers: Timers, work: Any) -> None:
            self._timers, self.work = timers, work

        def start(self) -> None:
            self._timers.armed.append(self)

        def cancel(self) -> None:
            if self in self._timers.armed:
                self._timers.armed.remove(self)

    def __call__(self, after_s: float, work: Any) -> One:
        assert after_s > 0
        return self.One(self, work)

    def next(self) -> None:
        self.armed.pop(0).work()

    def run_out(self) -> None:
        for _ in range(200):
            if not self.armed:
                return
            self.next()
        raise AssertionError("it comes to no end")


class PausingClock(Clock):
    """Time that goes on by itself, so that no piece comes too soon."""

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def timers(monkeypatch: pytest.MonkeyPatch) -> Timers:
    made = Timers()
    monkeypatch.setattr(waiting, "Timer", made)
    monkeypatch.setattr(module, "PIECE", 7)
    monkeypatch.setattr(_building, "PIECE", 7)
    build_piece = _building.build
    monkeypatch.setattr(module, "build", lambda *a, **k: build_piece(*a, piece=7, **k))
    return made


@pytest.fixture
def path(tmp_path: Path, timers: Timers) -> Path:
    del timers
    version_2(tmp_path / "old.db", SIZE)
    return tmp_path / "old.db"


@pytest.fixture
def archive(path: Path) -> Iterator[Archive]:
    made = Archive(path, clock=PausingClock())
    yield made
    made.close()


def answers(archive: Archive) -> list[Any]:
    """Everything that may be asked of the messages that were there before."""
    ask, search = archive.messages, archive.search
    since = datetime.fromtimestamp(T0 + 2, tz=UTC)
    until = datetime.fromtimestamp(T0 + 5, tz=UTC)
    return [
        [m.id for m in found]
        for found in (
            ask(until=until), ask(chat=BOB, until=until), ask(instance="i1", until=until),
            ask(from_me=True, since=since, until=until),
            ask(sender=ANA, kind="text", oldest_first=True, until=until),
            search("pedido numero", until=until), search("pedido", limit=5, until=until),
            search("pedido", chat=BOB, since=since, until=until),
            search("pedido", instance="i2", from_me=False, oldest_first=True, until=until),
        )
    ] + [
        getattr(archive.get("M40"), "text", None), archive.get("M9", chat=BOB),
        len(archive.updates("M41")), len(archive.updates("M42", instance="i0")),
    ]  # fmt: skip


def shape_in(archive: Archive) -> Shape:
    with archive._database.reading() as session:
        return shape_of(session)


def indexes(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('index', 'table')")
    names = {str(name) for (name,) in found.fetchall()}
    connection.close()
    return names


OLD = {"messages_by_id", "messages_by_chat", "updates_by_message", "messages_text"}


def test_it_is_answered_and_written_from_the_first_moment_on(
    archive: Archive, timers: Timers, path: Path
) -> None:
    first = answers(archive)
    assert len(first[0]) > 30
    assert len(timers.armed) == 1
    assert indexes(path) >= OLD
    pieces = 0
    while timers.armed:
        timers.next()
        pieces += 1
        assert answers(archive) == first, f"after {pieces} pieces"
        # What comes meanwhile is found at once, whatever is built.
        assert archive.record(upsert(1_000 + pieces, "chegou agora", messageTimestamp=T0 + 99))
        assert archive.messages(limit=1)[0].id == f"M{1_000 + pieces}"
        assert archive.get(f"M{1_000 + pieces}") is not None
        assert len(archive.search("chegou agora")) == pieces
        assert pieces < 200
    assert pieces > SIZE / 7 * 2
    assert not indexes(path) & OLD
    assert archive.prune(max_messages=50) == SIZE + pieces - 50
    assert len(archive.messages()) == 50


def segments(path: Path) -> int:
    connection = sqlite3.connect(path)
    ((number,),) = connection.execute(
        "SELECT count(DISTINCT segid) FROM messages_words_idx"
    ).fetchall()
    connection.close()
    return int(number)


def test_the_pieces_of_the_full_text_index_are_merged_at_the_end(
    archive: Archive, timers: Timers, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FTS5 would merge them with each other and the latest messages at one go, some day."""
    monkeypatch.setattr(_building, "_PAGES", 1)
    archive.flush()
    jobs, most = [], 0
    archive.get("M1")
    while timers.armed:
        timers.next()
        with closing(sqlite3.connect(path)) as beside:
            jobs += [str(job) for (job,) in beside.execute("SELECT job FROM building")]
        most = max(most, segments(path))
    assert (most > 3, segments(path)) == (True, 1)
    assert "words_merged" in jobs
    with closing(sqlite3.connect(path)) as beside:
        beside.execute("INSERT INTO messages_words (messages_words) VALUES ('integrity-check')")


def test_edits_and_deletions_meanwhile_are_not_undone(archive: Archive, timers: Timers) -> None:
    archive.flush()
    assert archive.messages(limit=1)
    for number in (10, 20, 30, 40, 50, 60):
        for _ in range(3):
            if timers.armed:
                timers.next()
        told = edited(BOB, f"mudou {number}", number=number)
        archive.record(parse_event({**told.raw, "instance": f"i{number % 3}"}))
    archive.prune(max_messages=SIZE - 5)
    timers.run_out()
    kept = archive.messages()
    assert len(kept) == SIZE - 5
    changed = [m.id for m in kept if m.text.startswith("mudou")]
    assert len(changed) >= 5
    assert [m.id for m in archive.search("mudou")] == changed
    assert {m.id for m in archive.search("pedido")} == {m.id for m in kept} - set(changed)
    connection = sqlite3.connect(archive.path)
    for table in _building._OF_MESSAGES:
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (SIZE - 5,), table
    assert connection.execute("SELECT value FROM figures WHERE name = 'messages'").fetchone() == (
        SIZE - 5,
    )
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_a_process_that_ends_loses_no_piece(path: Path, timers: Timers) -> None:
    first: list[Any] | None = None
    for opening in range(100):
        with Archive(path, clock=PausingClock(T0 + opening * 1_000)) as archive:
            now = answers(archive)
            first = first or now
            assert now == first
            if not timers.armed:
                break
            timers.next()
            timers.next() if timers.armed else None
        assert timers.armed == [], "nothing is built after closing"
    assert 3 < opening < 99
    assert not indexes(path) & OLD


def test_two_processes_share_the_work(path: Path, timers: Timers) -> None:
    with Archive(path, clock=PausingClock()) as one, Archive(path, clock=PausingClock()) as two:
        first = answers(one)
        assert answers(two) == first
        pieces = 0
        while timers.armed:
            timers.next()
            pieces += 1
            assert one.record(upsert(2_000 + pieces, "de um", messageTimestamp=T0 + 99))
            assert two.record(upsert(3_000 + pieces, "de outro", messageTimestamp=T0 + 99))
            assert answers(one) == answers(two) == first
            assert pieces < 200
        assert len(one.search("de um")) == len(two.search("de outro")) == pieces
        assert not indexes(path) & OLD


def test_the_pieces_of_all_processes_leave_time_in_between(path: Path) -> None:
    with Archive(path, clock=Clock()) as archive:
        archive.messages(limit=1)
    database = SqliteDatabase(path)
    connection = sqlite3.connect(path, isolation_level=None)
    done = "SELECT done FROM building WHERE job = 'messages'"
    before = connection.execute(done).fetchone()
    assert build(database, searchable=True, now=T0, pause_s=1, piece=5)
    after = connection.execute(done).fetchone()
    assert after != before
    assert build(database, searchable=True, now=T0 + 0.5, pause_s=1, piece=5)
    assert connection.execute(done).fetchone() == after, "another has just done one"
    assert build(database, searchable=True, now=T0 - 500, pause_s=1, piece=5)
    assert connection.execute(done).fetchone() != after, "a clock set back stops nothing"
    connection.close()
    database.close()


def test_a_locked_file_is_left_alone(
    archive: Archive, timers: Timers, caplog: pytest.LogCaptureFixture
) -> None:
    archive.messages(limit=1)
    other = sqlite3.connect(archive.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    timers.next()
    assert len(timers.armed) == 1, "it comes back"
    other.execute("ROLLBACK")
    other.close()
    timers.run_out()
    assert shape_in(archive).indexed
    assert caplog.records == []


def test_a_piece_that_fails_is_undone_and_tried_again(
    archive: Archive, timers: Timers, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = answers(archive)

    def broken(*_: Any) -> None:
        raise DatabaseError("unavailable", "SQLite said SQLITE_IOERR")

    with monkeypatch.context() as patched:
        patched.setattr(_building, "_finish", broken)
        for _ in range(12):
            timers.next()
            assert len(timers.armed) == 1
    assert answers(archive) == first
    timers.run_out()
    assert answers(archive) == first
    assert not indexes(archive.path) & OLD


def test_a_small_older_file_and_a_new_one_are_ready_when_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers = Timers()
    monkeypatch.setattr(waiting, "Timer", timers)
    version_2(tmp_path / "small.db", 20)
    for name in ("small.db", "new.db"):
        with Archive(tmp_path / name, clock=Clock()) as archive:
            archive.record(upsert(500, "novo"))
            archive.record(edit("mais novo", 500))
            assert [m.id for m in archive.search("mais novo")] == ["M500"]
        assert not indexes(tmp_path / name) & OLD
    assert timers.armed == []


def test_without_fts5_the_other_indexes_are_built(
    path: Path, timers: Timers, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(module, "prepare_search", lambda _connection: False)
        with Archive(path, clock=PausingClock()) as archive:
            archive.messages(limit=1)
            timers.run_out()
            assert shape_in(archive).indexed
    assert indexes(path) & OLD == {"messages_text"}
    with Archive(path, clock=PausingClock()) as archive:
        assert len(archive.search("pedido")) == SIZE
        timers.run_out()
        assert len(archive.search("pedido")) == SIZE
    assert not indexes(path) & OLD


def test_a_closed_archive_is_not_opened_to_build(archive: Archive, timers: Timers) -> None:
    archive.messages(limit=1)
    (late,) = timers.armed
    archive.close()
    assert timers.armed == []
    late.work()  # it had run out already, and waited for the lock
    assert archive._file is not None
    assert archive._file._db is None
    assert timers.armed == []
