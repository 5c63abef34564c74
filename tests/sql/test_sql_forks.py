"""A forked process opens connections of its own, and takes nothing from its parent."""

from __future__ import annotations

import threading

import pytest

from evolution_sdk._sql.database import Database
from evolution_sdk._sql.opening import open_database
from evolution_sdk._sql.troubles import DatabaseError
from forking.children import at_one_instant, in_child, quiet_forks, untold_fork

from .conftest import put, words

pytestmark = quiet_forks


def test_parent_and_children_write_at_once(database: Database, place: str) -> None:
    # However slow the disk is: they wait for each other.
    patient = open_database(place, busy_timeout_ms=60_000)
    put(patient, "parent")

    def child(name: str) -> bool:
        for n in range(10):
            put(patient, f"{name}{n}")
        return len(words(patient)) >= 11

    assert all(at_one_instant([lambda: child("a"), lambda: child("b")]))
    put(patient, "again")
    assert len(words(patient)) == 22
    patient.close()


def test_a_fork_during_another_threads_transaction(database: Database) -> None:
    """Its lock is held, and nobody is there to let go of it."""
    go_on, begun = threading.Event(), threading.Event()

    def hold() -> None:
        with database.writing() as session:
            session.run("INSERT INTO word (name, count) VALUES ('parent', 1)")
            begun.set()
            assert go_on.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert begun.wait(30)

    def child() -> str:
        try:
            put(database, "child")
        except DatabaseError as error:
            return error.kind
        return "done"

    told = in_child(child)
    go_on.set()
    thread.join()
    if database.dialect.name == "sqlite":
        assert told == "other", "a file that was open at the fork is not used"
        assert words(database) == {"parent": 1}
    else:
        assert told == "done"
        assert words(database) == {"parent": 1, "child": 0}


def test_a_fork_that_python_is_not_told_of(database: Database) -> None:
    put(database, "parent")

    def child() -> str:
        from evolution_sdk._base.forking import check

        check()  # as every call of a client does
        try:
            put(database, "child")
        except DatabaseError as error:
            return str(error)
        return "done"

    told = in_child(child, untold_fork)
    if database.dialect.name == "sqlite":
        assert "lazy-apps" in told
        assert words(database) == {"parent": 0}
    else:
        assert told == "done"
        assert words(database) == {"parent": 0, "child": 0}
    put(database, "again")


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
def test_the_end_of_a_child_leaves_the_parents_connections(database: Database) -> None:
    def backend() -> int:
        with database.reading() as session:
            return int(session.run("SELECT pg_backend_pid()")[0][0])

    mine = backend()
    assert in_child(backend) != mine
    assert backend() == mine
