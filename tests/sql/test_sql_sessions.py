"""Transactions: whole or not at all, from any thread and process."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from databases import fresh_postgres
from evolution_sdk._sql.database import Database
from evolution_sdk._sql.dialect import POSTGRES, SQLITE, is_postgres
from evolution_sdk._sql.opening import open_database
from evolution_sdk._sql.troubles import DatabaseError

from .conftest import put, words


def test_what_is_written_is_there_for_others(place: str, database: Database) -> None:
    put(database, "one", 1)
    other = open_database(place)
    assert words(other) == {"one": 1}
    other.close()
    assert words(other) == {"one": 1}, "a closed one opens again"
    other.close()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, GeneratorExit])
def test_an_error_takes_everything_back(database: Database, error: type[BaseException]) -> None:

    def work() -> None:
        with database.writing() as session:
            session.run("INSERT INTO word (name, count) VALUES (?, ?)", ("one", 1))
            raise error

    with pytest.raises(error):
        work()
    assert words(database) == {}
    put(database, "two")
    assert words(database) == {"two": 0}


def test_a_failed_statement_takes_everything_back(database: Database) -> None:

    def work() -> None:
        with database.writing() as session:
            session.run("INSERT INTO word (name, count) VALUES (?, ?)", ("one", 1))
            session.run("INSERT INTO word (name, count) VALUES (?, ?)", ("one", 1))

    with pytest.raises(DatabaseError):
        work()
    assert words(database) == {}


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
def test_a_failure_that_was_swallowed_is_told_at_the_end(database: Database) -> None:
    """PostgreSQL would roll back at the commit, and say nothing."""

    def work() -> None:
        with database.writing() as session:
            session.run("INSERT INTO word (name, count) VALUES (?, ?)", ("one", 1))
            with pytest.raises(DatabaseError):
                session.run("SELECT nonsense")

    with pytest.raises(DatabaseError, match="all is undone"):
        work()
    assert words(database) == {}


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_a_transaction_within_one_leaves_the_outer_one_alone(database: Database) -> None:
    with database.writing() as session:
        session.run("INSERT INTO word (name, count) VALUES (?, ?)", ("one", 1))
        with pytest.raises(DatabaseError, match="within a transaction"), database.writing():
            pytest.fail("a file has one transaction at a time")
        session.run("INSERT INTO word (name, count) VALUES (?, ?)", ("two", 2))
    assert words(database) == {"one": 1, "two": 2}


def test_numbers_of_changed_rows(database: Database) -> None:
    with database.writing() as session:
        rows = [(str(n), n) for n in range(5)]
        assert session.run_many("INSERT INTO word (name, count) VALUES (?, ?)", rows) == 5
        session.run("UPDATE word SET count = 9 WHERE count > ?", (2,))
        assert session.changed == 2
        session.run("DELETE FROM word WHERE count = ?", (77,))
        assert session.changed == 0
        returned = session.run("DELETE FROM word WHERE count = 0 RETURNING name, count")
        assert returned == [("0", 0)]


def test_a_transaction_sees_itself_and_nobody_else_does(place: str, database: Database) -> None:
    other = open_database(place)
    with database.writing() as session:
        session.run("INSERT INTO word (name, count) VALUES (?, ?)", ("one", 1))
        assert session.run("SELECT count(*) FROM word") == [(1,)]
        assert words(other) == {}
    assert words(other) == {"one": 1}
    other.close()


def test_words_that_differ(database: Database) -> None:
    assert database.dialect in (SQLITE, POSTGRES)
    with database.writing() as session:
        session.run("CREATE TABLE more (number [[number]], data [[bytes]], size [[real]])")
        for data in (b"\x00\xff", b""):
            session.run("INSERT INTO more (data, size) VALUES (?, ?)", (data, 0.1))
        session.run("DELETE FROM more WHERE number = 2")
        session.run("INSERT INTO more (data, size) VALUES (?, ?)", (None, None))
        rows = session.run("SELECT number, data, size FROM more ORDER BY number [[hold]]")
        assert rows == [(1, b"\x00\xff", 0.1), (3, None, None)], "no number is used twice"
        assert session.run("SELECT [[least]](?, 2), [[greatest]](1, 2)", (3,)) == [(2, 2)]
        assert session.run("SELECT 7 % 4, 'a%b' LIKE 'a%'")[0][0] == 3


@pytest.mark.parametrize(
    ("told", "is_one"),
    [
        ("postgresql://h/x", True),
        ("postgres://h/x", True),
        ("postgresql.db", False),
        (Path("x"), False),
    ],
)
def test_places(told: object, is_one: bool) -> None:
    assert is_postgres(told) is is_one


def test_threads_take_turns(database: Database) -> None:
    patient = database
    put(patient, "all")

    def count(_: int) -> None:
        with patient.writing() as session:
            held = "SELECT count FROM word WHERE name = 'all' [[hold]]"
            found = session.run(held)[0][0]
            session.run("UPDATE word SET count = ? WHERE name = 'all'", (found + 1,))

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(count, range(240)))
    assert words(patient) == {"all": 240}


_WORK = """
import sys
from evolution_sdk._sql.opening import open_database
from evolution_sdk._sql.schema import migrate
sys.stdin.readline()
database = open_database(sys.argv[1])
migrate(database, "words", [["CREATE TABLE word (name TEXT PRIMARY KEY, count [[big]])"]])
for _ in range(20):
    with database.writing() as session:
        session.run("INSERT INTO word (name, count) VALUES ('all', 1) "
            "ON CONFLICT (name) DO UPDATE SET count = word.count + 1")
    database.close()  # the last one to close a file holds it for a moment
    with database.reading() as session:
        session.run("SELECT count(*) FROM word")
"""


def test_processes_that_begin_at_one_moment(place: str) -> None:
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", _WORK, place],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    assert [worker.communicate(timeout=120)[1] for worker in workers] == [""] * 4
    database = open_database(place)
    assert words(database) == {"all": 80}
    database.close()


def test_connections_are_kept_and_given_back() -> None:
    with fresh_postgres() as url:
        database = open_database(url)

        def backend() -> int:
            with database.reading() as session:
                return int(session.run("SELECT pg_backend_pid()")[0][0])

        assert backend() == backend()
        with ThreadPoolExecutor(30) as pool:
            found = set(pool.map(lambda _: backend(), range(300)))
        assert len(found) <= 8, "most connections at once"
        mine = backend()
        with database.reading():
            database.close()  # one in use ends when it is given back
        assert backend() != mine
        database.close()
