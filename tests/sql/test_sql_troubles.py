"""Errors by kind: told the same for both databases, and nothing is half done."""

from __future__ import annotations

import os
import sqlite3
import traceback
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from databases import NOBODY, connected, fresh_postgres, fresh_role
from evolution_sdk import ConfigurationError
from evolution_sdk._sql.database import Database
from evolution_sdk._sql.opening import open_database
from evolution_sdk._sql.troubles import DatabaseError, of_postgres, of_sqlite
from forking.children import in_child, quiet_forks

from .conftest import put, words

SECRET = "+5511987654321"


def trouble(database: Database, sql: str, *values: Any) -> DatabaseError:
    """The error of a statement."""
    with pytest.raises(DatabaseError) as caught, database.writing() as session:
        session.run(sql, values)
    return caught.value


@pytest.fixture
def other(place: str) -> Iterator[Any]:
    """A connection that knows nothing of ours."""
    if place.startswith("postgres"):
        import psycopg

        made: Any = psycopg.connect(place, autocommit=True)
    else:
        made = sqlite3.connect(place, isolation_level=None)
    with closing(made):
        yield made


def test_who_is_held_up_for_too_long_is_told_so(database: Database, other: Any) -> None:
    put(database, "one")
    other.execute("BEGIN IMMEDIATE" if isinstance(other, sqlite3.Connection) else "BEGIN")
    other.execute("UPDATE word SET count = 1")
    error = trouble(database, "UPDATE word SET count = 2")
    assert (error.kind, error.passing, error.broken) == ("busy", True, False)
    other.execute("COMMIT")
    with database.writing() as session:
        session.run("UPDATE word SET count = count + 5")
    assert words(database) == {"one": 6}


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_a_full_disk_keeps_what_was_there(database: Database) -> None:
    put(database, "one")
    with database.reading() as session:
        used = session.run("PRAGMA page_count")[0][0]
        session.run(f"PRAGMA max_page_count = {used + 2}")

    def work() -> None:
        with database.writing() as session:
            for n in range(100):
                session.run(
                    "INSERT INTO word (name, count) VALUES (?, ?)", ("x" * 1_000 + str(n), 1)
                )

    with pytest.raises(DatabaseError) as caught:
        work()
    assert (caught.value.kind, caught.value.passing) == ("full", True)
    assert words(database) == {"one": 0}
    with database.reading() as session:
        session.run("PRAGMA max_page_count = 100000")
    put(database, "two")


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
@pytest.mark.parametrize(
    ("state", "kind", "passing"),
    [
        ("53100", "full", True),
        ("53300", "unavailable", True),
        ("57P03", "unavailable", True),
        ("40P01", "busy", True),
        ("40001", "busy", True),
        ("XX001", "corrupt", False),
        ("25006", "rights", False),
        ("22003", "data", False),
        ("42703", "schema", False),
        ("P0001", "other", False),
    ],
)
def test_what_postgres_says(database: Database, state: str, kind: str, passing: bool) -> None:
    error = trouble(database, f"DO $$ BEGIN RAISE 'x' USING ERRCODE = '{state}'; END $$")
    assert (error.kind, error.passing) == (kind, passing)
    assert state in str(error)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("no database, and long enough to be seen as none" * 99)
    error = trouble(open_database(text), "SELECT 1")
    assert (error.kind, error.passing) == ("corrupt", False)
    assert "restore a backup" in str(error)


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_a_damaged_file(place: str, database: Database) -> None:
    with database.writing() as session:
        rows = [(f"{n:0100}", n) for n in range(500)]
        session.run_many("INSERT INTO word (name, count) VALUES (?, ?)", rows)
    database.close()
    with Path(place).open("r+b") as file:
        file.seek(4_096)
        file.write(b"\xff" * 8_192)
    assert trouble(database, "SELECT * FROM word WHERE name > ?", "0").kind == "corrupt"


@quiet_forks
@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_a_file_that_may_not_be_written(place: str, database: Database, tmp_path: Path) -> None:
    database.close()
    Path(place).chmod(0o444)

    def as_nobody() -> str:
        if os.geteuid() == 0:  # whom no rights of files bind
            os.setuid(65_534)
        return trouble(open_database(place), "SELECT 1").kind

    assert in_child(as_nobody) == "rights"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    error = trouble(open_database(tmp_path / "no" / "x.db"), "SELECT 1")
    assert error.kind == "unavailable"


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
def test_a_role_without_rights(place: str, database: Database) -> None:
    with fresh_role(place) as url:
        stranger = open_database(url)
        assert trouble(stranger, "SELECT * FROM word").kind == "rights"
        stranger.close()


def test_a_table_that_is_not_there(database: Database) -> None:
    for sql in ("SELECT * FROM nowhere", "SELECT missing FROM word"):
        error = trouble(database, sql)
        assert (error.kind, error.passing) == ("schema", False)
        assert "migration" in error.remedy


@pytest.mark.parametrize("value", ["\ud800", 2**70, object()])
def test_values_that_no_column_takes(database: Database, value: object) -> None:
    error = trouble(database, "INSERT INTO word (name, count) VALUES ('x', ?)", value)
    assert (error.kind, error.passing, error.broken) == ("data", False, False)
    assert words(database) == {}


def test_no_value_is_told(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    """Not by the error, nor by what a traceback shows of its cause."""
    put(database, SECRET)
    error = trouble(database, "INSERT INTO word (name, count) VALUES (?, 1)", SECRET)
    assert error.kind == "data"
    assert SECRET not in "".join(traceback.format_exception(error))
    assert SECRET not in caplog.text


# PostgreSQL alone: what a network and a server add.


def test_nobody_listens(caplog: pytest.LogCaptureFixture) -> None:
    database = open_database(NOBODY)
    for _ in range(2):
        error = trouble(database, "SELECT 1")
        assert (error.kind, error.passing) == ("unavailable", True)
        assert not error.broken, "nothing can have been done"
        assert "nobody listens" in str(error)
        told = "".join(traceback.format_exception(error)) + repr(database) + caplog.text
        assert "s3cret" not in told
    database.close()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://postgres:s3cret@127.0.0.1:5432/nowhere_s3cret", "does not exist"),
        ("postgresql://nobody_s3cret:s3cret@127.0.0.1:5432/test", "does not exist"),
        ("postgresql://postgres:s3/cret@127.0.0.1:5432/test", ""),
        ("postgresql://postgres:s3cret@host.invalid:5432/test", ""),
    ],
)
def test_addresses_that_are_wrong_show_no_password(url: str, told: str) -> None:
    connected().close()
    database = open_database(url)
    error = trouble(database, "SELECT 1")
    shown = "".join(traceback.format_exception(error))
    assert told in str(error)
    assert "s3" not in shown.replace(__file__, "").partition("DatabaseError")[2]
    database.close()


def test_an_address_that_is_none_shows_no_password() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(ConfigurationError, match="cannot be read") as caught:
        open_database("postgresql://u:s3cret@h:5432/x?nonsense=s3cret")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
def test_a_backend_that_is_ended_in_the_middle(database: Database) -> None:

    def work() -> None:
        with database.writing() as session:
            session.run("INSERT INTO word (name, count) VALUES ('one', 1)")
            mine = session.run("SELECT pg_backend_pid()")[0][0]
            with connected() as killer:
                killer.execute("SELECT pg_terminate_backend(%s, 5000)", (mine,))
            session.run("INSERT INTO word (name, count) VALUES ('two', 2)")

    with pytest.raises(DatabaseError) as caught:
        work()
    assert (caught.value.kind, caught.value.broken) == ("unavailable", True)
    assert words(database) == {}


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
def test_a_commit_that_is_cut_off_may_have_been_done(database: Database) -> None:

    def work() -> None:
        with database.writing() as session:
            mine = session.run("SELECT pg_backend_pid()")[0][0]
            with connected() as killer:
                killer.execute("SELECT pg_terminate_backend(%s, 5000)", (mine,))

    with pytest.raises(DatabaseError) as caught:
        work()
    assert caught.value.broken


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
def test_idle_connections_that_died_are_nobodys_trouble(database: Database) -> None:
    for _ in range(3):
        with database.reading() as session:
            mine = session.run("SELECT pg_backend_pid()")[0][0]
        with connected() as killer:
            killer.execute("SELECT pg_terminate_backend(%s, 5000)", (mine,))
        put(database, str(mine))
    assert len(words(database)) == 3


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
def test_a_server_that_hangs_holds_nobody(database: Database) -> None:

    def work() -> None:
        with database.writing() as session:
            session.run("INSERT INTO word (name, count) VALUES ('one', 1)")
            session.run("SET statement_timeout = 0")
            session.run("SELECT pg_sleep(600)")

    with pytest.raises(DatabaseError) as caught:
        work()
    assert (caught.value.kind, caught.value.broken) == ("unavailable", True)
    put(database, "two")
    assert "two" in words(database)


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
def test_a_statement_that_takes_too_long_is_ended_by_the_server(database: Database) -> None:
    error = trouble(database, "SELECT pg_sleep(600)")
    assert (error.kind, error.broken) == ("busy", False)


def test_errors_of_other_sorts() -> None:
    assert of_sqlite(OSError(28, "no space")).kind == "full"
    assert of_sqlite(PermissionError(13, "no")).kind == "rights"
    assert of_sqlite(sqlite3.ProgrammingError("closed")).kind == "data"
    assert of_sqlite(sqlite3.OperationalError("whatever")).kind == "other"
    assert of_postgres(UnicodeError()).kind == "data"


def test_the_schema_of_a_test_is_its_own() -> None:
    with fresh_postgres() as one, fresh_postgres() as two:
        for url in (one, two):
            database = open_database(url)
            with database.writing() as session:
                session.run("CREATE TABLE word (name TEXT, count [[big]])")
            assert words(database) == {}
            database.close()
