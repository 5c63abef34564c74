"""Several processes write into one archive, and it holds what one of them would have made of it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from archive_stage import ANA, ANA_LID, T0, Clock, upsert
from archive_writers import WRITERS, part, story, summary

from databases import fresh_postgres
from effort import deep
from evolution_sdk._sql.troubles import DatabaseError
from evolution_sdk.archive import Archive
from evolution_sdk.archive._places import opened_at
from evolution_sdk.archive._sharing import PairIsNewsError, hold, hold_all
from evolution_sdk.archive._taking import LidRow, rows_of
from evolution_sdk.errors import ArchiveError
from evolution_sdk.events import parse_event


def told_by_processes(place: str, seed: int) -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    writers = [
        subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("archive_writers.py")), place,
             str(seed), str(number)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=env,
        )
        for number in range(WRITERS)
    ]  # fmt: skip
    for each in writers:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in writers:  # all at once
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    for each in writers:
        _, said = each.communicate(timeout=120)
        assert (each.returncode, said) == (0, "")


@pytest.mark.parametrize("seed", [1, deep(2), deep(3)])
def test_three_processes_make_what_one_makes(
    new_place: Callable[[], str], tmp_path: Path, seed: int
) -> None:
    place = new_place()
    told_by_processes(place, seed)
    with Archive(tmp_path / "one.db", clock=Clock(T0)) as one:
        for each in story():
            assert one.record(each)
        for number in range(WRITERS):
            for each in part(seed, number):
                assert one.record(each)
        expected = summary(one)
    with Archive(place, clock=Clock(T0)) as archive:
        assert summary(archive) == expected
    assert len(expected["messages"]) == 54
    assert len(expected["found"]) > 8


@pytest.fixture
def url() -> Iterator[str]:
    with fresh_postgres() as made:
        with Archive(made, clock=Clock()) as archive:
            archive.messages()
        yield made


def of(instance: str, number: int = 1) -> Any:
    return parse_event({**upsert(number).raw, "instance": instance})


def test_an_instance_is_written_by_one_and_others_meanwhile(url: str) -> None:
    other = opened_at(url, 1_000)
    with Archive(url, clock=Clock(), busy_ms=50) as archive:
        with other.writing() as session:
            hold(session, list(rows_of(of("sales"), T0)))
            assert not archive.record(of("sales"))
            archive._silent_until, archive._in_trouble = 0, False
            with Archive(url, clock=Clock(), busy_ms=50) as third:
                assert third.record(of("support"))
                with pytest.raises(ArchiveError, match="holds it"):
                    third.prune(max_messages=5)
        assert archive.flush()
        assert {each.instance for each in archive.messages()} == {"sales", "support"}
    other.close()


def test_whoever_brings_a_new_pair_has_all_of_it(url: str) -> None:
    one, two = opened_at(url, 50), opened_at(url, 50)
    pair = LidRow("sales", ANA_LID, ANA)
    with one.writing() as session:
        hold(session, [pair])
        with pytest.raises(DatabaseError, match="holds it"), two.writing() as beside:
            hold(beside, list(rows_of(of("support"), T0)))
    with Archive(url, clock=Clock()) as archive:
        assert archive._keep([pair])
    with one.writing() as session:
        hold(session, [pair])  # known by now
        with two.writing() as beside:
            hold(beside, [LidRow("support", ANA_LID, ANA)])
    one.close()
    two.close()


def test_a_pair_that_changes_while_one_waits_is_noticed(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = LidRow("sales", ANA_LID, ANA)
    with Archive(url, clock=Clock()) as archive:
        assert archive._keep([pair])
        one, two = opened_at(url, 5_000), opened_at(url, 5_000)
        began, caught = threading.Event(), list[BaseException]()

        def wait() -> None:
            try:
                with two.writing() as session:
                    began.set()
                    hold(session, [pair, *rows_of(of("sales"), T0)])
            except BaseException as error:
                caught.append(error)

        thread = threading.Thread(target=wait)
        with one.writing() as session:
            hold_all(session)
            thread.start()
            assert began.wait(10)
            while not session.run(
                "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted "
                "AND objid = hashtext(current_schema())::oid"
            ):
                pass
            session.run("UPDATE lids SET phone = 'x@s.whatsapp.net'")
        thread.join()
        assert [type(each) for each in caught] == [PairIsNewsError]
        # Then it holds all and goes on.
        assert archive._keep([pair])
        one.close()
        two.close()
