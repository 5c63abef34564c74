"""An archive in PostgreSQL: what harms no handler, what is told, and what its questions follow."""

from __future__ import annotations

import itertools
import logging
import random
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from archive_stage import ANA, T0, Clock, edit, status, upsert

from databases import NOBODY, connected, fresh_postgres, fresh_role
from evolution_sdk import EvolutionConfig
from evolution_sdk._sql.database import Session
from evolution_sdk._sql.postgres import PostgresSession
from evolution_sdk.archive import Archive, _asking, _writing
from evolution_sdk.archive import archive as module
from evolution_sdk.archive._building import shape_of
from evolution_sdk.errors import ArchiveError, ConfigurationError


@pytest.fixture
def url() -> Iterator[str]:
    with fresh_postgres() as made:
        yield made


@pytest.fixture
def archive(url: str) -> Iterator[Archive]:
    with Archive(url, clock=Clock()) as made:
        yield made


def said(caplog: pytest.LogCaptureFixture, level: int = logging.ERROR) -> list[str]:
    return [
        each.getMessage()
        for each in caplog.records
        if each.name == "evolution_sdk.archive" and each.levelno == level
    ]


def test_a_database_that_is_gone_harms_no_handler(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_WAITING", 3)
    archive = Archive(NOBODY, clock=Clock())
    for number in range(5):
        assert not archive.record(upsert(number))
    assert (archive.waiting, archive.lost) == (3, 2)
    (report,) = said(caplog)
    assert "nobody listens there" in report
    with pytest.raises(ArchiveError, match=r"127\.0\.0\.1:1/test cannot be used") as caught:
        archive.messages()
    assert (caught.value.kind, bool(caught.value.remedy)) == ("unavailable", True)
    assert archive.close() == 3
    assert archive.path is None
    shown = f"{archive!r}{caught.value}{caught.value!r}{caplog.text}{caught.value.__context__!r}"
    assert "s3cret" not in shown
    assert repr(archive) == "Archive('postgresql://127.0.0.1:1/test')"


def test_what_waited_is_stored_when_the_database_is_back(
    url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    archive, there = Archive(NOBODY, clock=clock), Archive(url, clock=clock)
    for number in range(3):
        assert not archive.record(upsert(number))
    monkeypatch.setattr(archive, "_database", there._database)
    clock.now += 60
    assert not archive.record(upsert(3)), "whoever records does not try: it may take seconds"
    assert archive.waiting == 4
    archive._write_later()  # as the timer's thread does
    assert (archive.waiting, len(archive.messages())) == (0, 4)
    assert len(said(caplog, logging.WARNING)) == 1
    assert archive.record(upsert(4))
    archive.close()
    there.close()


def end(session: Session) -> None:
    """End a session, as a restart of the server does."""
    ((pid,),) = session.run("SELECT pg_backend_pid()")
    with connected() as killer:
        killer.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))


def test_a_connection_that_was_ended_meanwhile_is_replaced(archive: Archive) -> None:
    assert archive.record(upsert(1))
    with archive._database.reading() as session:
        end(session)
    assert archive.record(upsert(2))
    with archive._database.reading() as session:
        end(session)
    assert len(archive.messages()) == 2


@pytest.mark.parametrize("done", [1, 2])
def test_a_connection_that_is_lost_in_the_middle_loses_nothing(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, done: int
) -> None:
    write, ended = _writing._write_message, list[int]()

    def losing(session: Session, *args: Any) -> None:
        write(session, *args)
        ended.append(1)
        if len(ended) == done:
            end(session)

    monkeypatch.setattr(_writing, "_write_message", losing)
    rows = [row for n in (1, 2, 3) for row in module.rows_of(upsert(n, "oi"), T0)]
    assert not archive._keep(rows)
    assert (archive.waiting, archive.lost) == (3, 0)
    assert archive.flush()
    assert [each.id for each in archive.search("oi")] == ["M3", "M2", "M1"]
    assert archive.lost == 0


def test_a_key_that_no_index_takes_loses_only_its_own_row(
    archive: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    odd = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=20_000))
    rows = [
        row
        for each in (upsert(1), upsert(2, key={"id": odd}), upsert(3))
        for row in module.rows_of(each, T0)
    ]
    assert archive._keep(rows)
    assert (archive.waiting, archive.lost) == (0, 1)
    assert [each.id for each in archive.messages()] == ["M3", "M1"]
    assert odd[:20] not in caplog.text


def test_a_very_long_text_is_kept_and_found(archive: Archive) -> None:
    words = " ".join(f"palavra{number}" for number in range(200_000))
    assert archive.record(upsert(1, words + " fim"))
    assert archive.record(upsert(2, "x" * 100_000))
    assert len(archive.search("palavra7 palavra9")) == 1
    assert len(archive.search("x" * 100_000)) == 1
    assert archive.messages()[-1].text == words + " fim"


def test_a_role_without_rights_is_told(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with fresh_role(url) as poor, Archive(poor, clock=Clock()) as archive:
        with pytest.raises(ArchiveError, match="right") as caught:
            archive.messages()
        assert caught.value.kind == "rights"
        assert not archive.record(upsert(1))
    assert "cannot be written" in said(caplog)[0]


def test_a_role_that_may_only_read_reads(archive: Archive, url: str) -> None:
    archive.record(upsert(1))
    with fresh_role(url, "SELECT") as poor, Archive(poor, clock=Clock()) as reader:
        assert [each.id for each in reader.messages()] == ["M1"]
        assert [each.id for each in reader.search("ola")] == ["M1"]


def test_tables_of_a_newer_sdk_are_not_touched(
    archive: Archive, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    archive.record(upsert(1))
    with archive._database.writing() as session:
        session.run("UPDATE evolution_sdk_schema SET version = 99 WHERE part = 'archive'")
    with Archive(url, clock=Clock()) as newer:
        assert not newer.record(upsert(2))
        assert "Upgrade evolutionapi-sdk" in said(caplog)[0]
        with pytest.raises(ArchiveError, match="version 99") as caught:
            newer.messages()
        assert caught.value.kind == "schema"


def test_without_psycopg_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match=r"evolutionapi-sdk\[postgres\]"):
        Archive(NOBODY)


def test_settings_never_show_the_password() -> None:
    environ = {
        "EVOLUTION_API_URL": "http://x", "EVOLUTION_API_KEY": "k",
        "EVOLUTION_STORE_MESSAGES": "true", "EVOLUTION_STORE_PATH": NOBODY,
    }  # fmt: skip
    config = EvolutionConfig.from_env(None, environ=environ)
    assert config.store.path == NOBODY
    assert "s3cret" not in f"{config!r}{config}{config.store!r}{config.store}"
    assert "127.0.0.1:1/test" in repr(config.store)


def test_many_are_pruned_in_several_transactions(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_writing, "_GONE_AT_ONCE", 4)
    for number in range(1, 20):
        archive.record(upsert(number))
        archive.record(status("READ", number))
    archive.record(edit("mudou", 19))
    assert archive.prune(max_messages=5) == 14
    assert archive.prune(max_age=timedelta(seconds=-100)) == 5
    with archive._database.reading() as session:
        for table in ("messages", "messages_words", "updates"):
            assert session.run(f"SELECT count(*) FROM {table}") == [(0,)]


FILTERS: dict[str, Any] = {
    "instance": "sales", "chat": ANA, "sender": ANA, "kind": "text", "from_me": False,
    "since": datetime.fromtimestamp(T0, tz=UTC), "until": datetime.fromtimestamp(T0 + 9, tz=UTC),
}  # fmt: skip


def plan(session: Session, sql: str, values: Any) -> str:
    return "\n".join(str(row[0]) for row in session.run(f"EXPLAIN {sql}", values))


def test_every_combination_of_filters_follows_an_index(archive: Archive) -> None:
    archive.record(upsert(1))
    with archive._database.writing() as session:
        # So that a plan for a few rows is the one for a million.
        for way in ("seqscan", "sort", "bitmapscan"):
            session.run(f"SET LOCAL enable_{way} = off")
        for count in range(len(FILTERS) + 1):
            for pairs in itertools.combinations(FILTERS.items(), count):
                filters: Any = {**dict(pairs), "limit": 50}
                found = plan(session, *_asking.question(filters, shape=shape_of(session)))
                assert "Index Scan" in found, filters
                assert "Seq Scan" not in found, filters
                assert not re.search(r"\bSort\b", found), filters
        words = _asking.question({"limit": 50}, "ola", shape_of(session))
        session.run("SET LOCAL enable_bitmapscan = on")
        session.run("SET LOCAL enable_indexscan = off")
        assert "messages_by_word" in plan(session, *words)


def test_no_change_reads_a_whole_table(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    archive.messages()
    seen: list[tuple[str, Any]] = []
    run, run_many = PostgresSession.run, PostgresSession.run_many

    def watched(self: PostgresSession, sql: str, values: Any = ()) -> Any:
        seen.append((sql, values))
        return run(self, sql, values)

    def watched_many(self: PostgresSession, sql: str, rows: Any) -> int:
        rows = list(rows)
        seen.extend((sql, row) for row in rows[:1])
        return run_many(self, sql, rows)

    with monkeypatch.context() as patched:
        patched.setattr(PostgresSession, "run", watched)
        patched.setattr(PostgresSession, "run_many", watched_many)
        pair = {"remoteJid": "100000000000009@lid", "remoteJidAlt": ANA}
        for each in (
            upsert(1), upsert(1), status("READ"), edit("novo"), upsert(2, key=pair),
            upsert(3, key={"remoteJid": "100000000000009@lid"}), upsert(3),
        ):  # fmt: skip
            assert archive.record(each)
        archive.get("M1", chat=ANA)
        archive.updates("M1", instance="sales")
        archive.contacts(instance="sales")
        archive.prune(max_age=timedelta(days=1))
    verbs = ("SELECT", "INSERT", "UPDATE", "DELETE")
    asked = [each for each in seen if each[0].startswith(verbs) and "advisory" not in each[0]]
    assert len(asked) > 50
    with archive._database.writing() as session:
        session.run("SET LOCAL enable_seqscan = off")
        for sql, values in asked:
            assert "Seq Scan" not in plan(session, sql, values), sql
