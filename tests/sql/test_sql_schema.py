"""Versions of tables: migrated once, all steps or none, never downwards."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from databases import fresh_role
from evolution_sdk._sql.database import Database
from evolution_sdk._sql.opening import open_database
from evolution_sdk._sql.schema import SchemaVersionError, migrate, version_of
from evolution_sdk._sql.troubles import DatabaseError

ONE = ["CREATE TABLE part_one (a TEXT)"]
TWO = ["ALTER TABLE part_one ADD COLUMN b [[big]]", "CREATE INDEX part_one_b ON part_one (b)"]


def test_each_step_is_done_once(place: str) -> None:
    database = open_database(place)
    assert version_of(database, "part") == 0
    assert [migrate(database, "part", steps) for steps in ([ONE], [ONE], [ONE, TWO])] == [0, 1, 1]
    assert version_of(database, "part") == 2
    assert version_of(database, "another") == 0
    with database.writing() as session:
        session.run("INSERT INTO part_one (a, b) VALUES ('x', 1)")
    assert migrate(database, "another", [["CREATE TABLE another (a TEXT)"]]) == 0
    database.close()


def test_a_step_that_fails_leaves_the_version_before(database: Database) -> None:
    migrate(database, "part", [ONE])
    with pytest.raises(DatabaseError):
        migrate(database, "part", [ONE, [*TWO, "CREATE NONSENSE"]])
    assert version_of(database, "part") == 1
    assert migrate(database, "part", [ONE, TWO]) == 1


def test_tables_of_a_newer_sdk_are_left_alone(database: Database) -> None:
    migrate(database, "part", [ONE, TWO])
    with pytest.raises(SchemaVersionError, match="Upgrade evolutionapi-sdk") as caught:
        migrate(database, "part", [ONE])
    assert (caught.value.found, caught.value.known) == (2, 1)
    assert version_of(database, "part") == 2


def test_several_at_one_moment(place: str) -> None:
    databases = [open_database(place) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda one: migrate(one, "part", [ONE, TWO]), databases))
    assert sorted(found) == [0, 2, 2, 2, 2, 2]
    for database in databases:
        database.close()


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
def test_a_role_that_may_create_nothing(place: str, database: Database) -> None:
    with fresh_role(place) as url:
        stranger = open_database(url)
        with pytest.raises(DatabaseError) as caught:
            migrate(stranger, "part", [ONE])
        assert caught.value.kind == "rights"
        stranger.close()
    migrate(database, "part", [ONE])
    with fresh_role(place, "SELECT") as url:
        stranger = open_database(url)
        assert migrate(stranger, "part", [ONE]) == 1, "there is nothing to be created"
        stranger.close()
