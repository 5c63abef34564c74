"""Files that several open for the first time at the same moment."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk._sql.sqlite import SqliteDatabase
from evolution_sdk._sql.troubles import DatabaseError
from evolution_sdk._sql.write_ahead import use_write_ahead_log
from evolution_sdk.identity import SqliteLidStore

SWITCH = "PRAGMA journal_mode = WAL"
AT_ONCE = 6


class Refused(sqlite3.Connection):
    """A connection whose switch is refused so often, at once, as where another one switches."""

    left = 0
    tried = 0

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if sql == SWITCH:
            type(self).tried += 1
            if type(self).left > 0:
                type(self).left -= 1
                error = sqlite3.OperationalError("database is locked")
                error.sqlite_errorcode = sqlite3.SQLITE_BUSY
                raise error
        return super().execute(sql, *values)


@pytest.fixture
def refused(tmp_path: Path) -> Iterator[Refused]:
    Refused.left = Refused.tried = 0
    with closing(sqlite3.connect(tmp_path / "a.db", factory=Refused)) as db:
        yield db


def mode(db: sqlite3.Connection) -> Any:
    return db.execute("PRAGMA journal_mode").fetchone()[0]


def test_whoever_is_refused_at_once_tries_again(refused: Refused) -> None:
    Refused.left = 3
    use_write_ahead_log(refused, 1_000)
    assert Refused.tried == 4
    assert mode(refused) == "wal"
    assert not refused.in_transaction
    assert refused.execute("PRAGMA busy_timeout").fetchone() == (1_000,)


def test_it_does_not_try_for_ever(refused: Refused) -> None:
    Refused.left = 1_000_000
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        use_write_ahead_log(refused, 100)
    assert Refused.tried == 10
    assert not refused.in_transaction


def test_another_fault_is_raised_at_once(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    file.write_bytes(b"no database at all" * 100)
    with closing(sqlite3.connect(file)) as db, pytest.raises(sqlite3.DatabaseError, match="not a"):
        use_write_ahead_log(db, 60_000)


def test_a_file_that_another_holds_is_told(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        database = SqliteDatabase(tmp_path / "a.db", busy_timeout_ms=20)
        with pytest.raises(DatabaseError) as told, database.reading():
            pass
    assert told.value.kind == "busy"


@pytest.mark.parametrize("number", range(10))
def test_all_may_begin_with_a_new_file(number: int, tmp_path: Path) -> None:
    begin = threading.Barrier(AT_ONCE)

    def one(_: int) -> None:
        database = SqliteDatabase(tmp_path / "a.db")
        begin.wait()
        with database.writing() as session:
            session.run("CREATE TABLE IF NOT EXISTS t (n INTEGER)")
            session.run("INSERT INTO t VALUES (1)")
        database.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, range(AT_ONCE)))
    with closing(sqlite3.connect(tmp_path / "a.db")) as db:
        assert db.execute("SELECT count(*) FROM t").fetchone() == (AT_ONCE,)


def test_maps_of_hidden_ids_may_begin_with_a_new_file(tmp_path: Path) -> None:
    begin = threading.Barrier(AT_ONCE)

    def one(number: int) -> None:
        store = SqliteLidStore(tmp_path / "lids.db")
        begin.wait()
        store.put({f"{number}@lid": f"55119999900{number}"})

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, range(AT_ONCE)))
    assert len(SqliteLidStore(tmp_path / "lids.db").load(100)) == AT_ONCE
