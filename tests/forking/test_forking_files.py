"""Database files after a fork: open in one process at a time only, nothing lost, nothing twice."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from databases import fresh_postgres
from evolution_sdk import ArchiveError
from evolution_sdk.archive import Archive
from evolution_sdk.events import parse_event
from evolution_sdk.monitor.history import SqliteHistory
from evolution_sdk.monitor.sample import Sample
from evolution_sdk.webhooks import WebhookReceiver

from .children import Child, in_child, quiet_forks, untold_fork
from .test_forking_receiver import Kit, posted

pytestmark = quiet_forks


def sample(at: float) -> Sample:
    values = dict.fromkeys(Sample.__dataclass_fields__)
    return Sample.from_dict({**values, "at": at, "status": "healthy"})


class Kept:
    """Something that keeps numbers in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def keep(self, number: int) -> None: ...

    def numbers(self) -> list[int]: ...  # type: ignore[empty-body]

    def close(self) -> None: ...


class KeptArchive(Kept):
    def __init__(self, path: Path | str) -> None:
        super().__init__(path)
        self.archive = Archive(path)

    def keep(self, number: int) -> None:
        assert self.archive.record(parse_event(posted(number)))

    def numbers(self) -> list[int]:
        return sorted(int(one.id.removeprefix("ID")) for one in self.archive.messages())

    def close(self) -> None:
        self.archive.close()


class KeptHistory(Kept):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.failures: list[Exception] = []
        self.history = SqliteHistory(
            path, failed=self.failures.append, clock=lambda: 0.0, threaded=False
        )

    def keep(self, number: int) -> None:
        self.history.add(sample(number))
        self.history.flush()
        assert not self.failures

    def numbers(self) -> list[int]:
        return [int(one.at) for one in self.history.since(0)]

    def close(self) -> None:
        self.history.close()


both = pytest.mark.parametrize("kind", [KeptArchive, KeptHistory])


@both
def test_parent_and_children_write_into_one_file(
    kind: Callable[[Path], Kept], tmp_path: Path
) -> None:
    kept = kind(tmp_path / "file.db")
    kept.keep(1)
    assert in_child(lambda: (kept.keep(2), kept.numbers())[1]) == [1, 2]
    kept.keep(3)
    assert in_child(lambda: in_child(lambda: (kept.keep(4), kept.numbers())[1])) == [1, 2, 3, 4]
    assert kept.numbers() == [1, 2, 3, 4]
    kept.close()


def test_parent_and_children_write_into_one_postgres() -> None:
    with fresh_postgres() as url:
        kept = KeptArchive(url)
        kept.keep(1)
        assert in_child(lambda: (kept.keep(2), kept.numbers())[1]) == [1, 2]
        kept.keep(3)
        assert in_child(lambda: in_child(lambda: (kept.keep(4), kept.numbers())[1])) == [1, 2, 3, 4]
        assert kept.numbers() == [1, 2, 3, 4]
        kept.close()


@both
def test_no_row_of_a_child_is_lost_when_the_parent_closes_first(
    kind: Callable[[Path], Kept], tmp_path: Path
) -> None:
    kept = kind(tmp_path / "file.db")
    kept.keep(1)
    heard, said = os.pipe(), os.pipe()

    def child() -> None:
        kept.keep(2)
        os.write(said[1], b"1")
        os.read(heard[0], 1)
        kept.keep(3)

    one = Child(child)
    os.read(said[0], 1)
    kept.close()
    os.write(heard[1], b"1")
    one.result()
    for end in (*heard, *said):
        os.close(end)
    again = kind(tmp_path / "file.db")
    assert again.numbers() == [1, 2, 3]
    again.close()


@both
def test_what_waits_in_the_parent_is_written_by_the_parent(
    kind: Callable[[Path], Kept], tmp_path: Path
) -> None:
    path = tmp_path / "file.db"
    kept = kind(path)
    kept.keep(1)
    with closing(sqlite3.connect(path)) as busy:
        busy.execute("BEGIN IMMEDIATE")
        with pytest.raises(AssertionError):
            kept.keep(2)
        waiting = in_child(lambda: kept.numbers())
        busy.rollback()
    assert waiting == [1]
    if isinstance(kept, KeptArchive):
        assert kept.archive.flush()
        assert kept.numbers() == [1, 2]
    kept.close()


def test_a_file_that_was_carried_over_is_not_used(tmp_path: Path) -> None:
    """As under uWSGI without ``lazy-apps``: SQLite cannot use it safely there."""
    fork = untold_fork
    archive, history = KeptArchive(tmp_path / "a.db"), KeptHistory(tmp_path / "h.db")
    kit = Kit(tmp_path / "inbox.db")
    archive.keep(1)
    history.keep(1)
    kit.posted_and_handled(1)

    def child() -> Any:
        recorded = archive.archive.record(parse_event(posted(2)))
        with pytest.raises(ArchiveError, match="lazy-apps"):
            archive.numbers()
        history.history.add(sample(2))
        in_memory = history.numbers()
        return recorded, in_memory, [str(one)[:11] for one in history.failures], kit.post(2)

    # The server repeats after a 500.
    assert in_child(child, fork) == (False, [2], ["it was open"], 500)
    archive.keep(3)
    history.keep(3)
    assert kit.posted_and_handled(3)[0] == 200
    assert (archive.numbers(), history.numbers(), kit.seen) == ([1, 3], [1, 3], ["ID1", "ID3"])
    for one in (archive, history, kit.receiver):
        one.close()


def test_an_inbox_of_the_users_own_is_opened_again_in_the_child(tmp_path: Path) -> None:
    from evolution_sdk.webhooks import MemoryInbox

    class Own(MemoryInbox):
        opened = 0
        rested = 0

        def open(self) -> Any:
            self.opened += 1
            return super().open()

        def rest(self) -> None:
            self.rested += 1

    own = Own()
    kit = Kit()
    receiver = WebhookReceiver(kit.router, inbox=own)
    kit.receiver = receiver.start()
    assert in_child(lambda: (kit.posted_and_handled(1)[0], own.opened, own.rested)) == (200, 2, 1)
    assert (own.opened, own.rested) == (1, 1)
    receiver.close()
