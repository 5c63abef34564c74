"""Several connections of one process to one file, beside other processes."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from evolution_sdk._base.private_file import make_private
from evolution_sdk._sql.sqlite import SqliteDatabase
from evolution_sdk.identity import LidMap
from evolution_sdk.identity.lid_stores import SqliteLidStore

VISIT = (
    "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); "
    "db.execute('INSERT INTO t VALUES (2)'); db.commit(); "
    "print([row[0] for row in db.execute('SELECT x FROM t ORDER BY x')]); db.close()"
)


def visited(path: Path) -> str:
    """What a process that comes, writes and goes finds there."""
    done = subprocess.run(
        [sys.executable, "-c", VISIT, str(path)], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_opening_the_file_again_frees_no_lock_of_this_process(tmp_path: Path) -> None:
    """Else the other process takes itself for the last one, and deletes the log under us."""
    path = tmp_path / "x.db"
    first, second = SqliteDatabase(path), SqliteDatabase(path)
    with first.writing() as session:
        session.run("CREATE TABLE t (x)")
        session.run("INSERT INTO t VALUES (1)")
    with second.reading() as session:
        assert session.run("SELECT x FROM t") == [(1,)]
    second.close()
    assert visited(path) == "[1, 2]"
    assert path.with_name("x.db-wal").exists()
    with first.writing() as session:
        session.run("INSERT INTO t VALUES (3)")
    assert visited(path) == "[1, 2, 2, 3]"
    first.close()


def test_a_map_of_ids_in_the_same_file_frees_none_either(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    first = SqliteDatabase(path)
    with first.writing() as session:
        session.run("CREATE TABLE t (x)")
    LidMap(store=SqliteLidStore(path))
    assert visited(path) == "[2]"
    assert path.with_name("x.db-wal").exists()
    first.close()


def test_a_new_file_is_for_its_owner_alone_and_an_old_one_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    threads = [threading.Thread(target=make_private, args=(path,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(b"kept")
    path.chmod(0o640)
    make_private(path)
    assert path.read_bytes() == b"kept"
    assert path.stat().st_mode & 0o777 == 0o640
