"""Samples on disk: they survive, they are found, and a broken file stops nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from threading import Thread

import pytest
from monitor_kit import Time, World

from evolution_sdk.monitor import HistoryOptions, Sample
from evolution_sdk.monitor.history import SqliteHistory

OPENED: list[SqliteHistory] = []


class File:
    """A history file without a thread, and what it complained about."""

    def __init__(self, path: Path, retention_ms: float | None = None) -> None:
        self.time = Time()
        self.failed: list[Exception] = []
        self.path = path
        self.history = SqliteHistory(
            path,
            retention_ms=retention_ms,
            failed=self.failed.append,
            clock=self.time,
            threaded=False,
        )
        OPENED.append(self.history)

    def add(self, *times: float) -> None:
        for at in times:
            self.history.add(Sample(at, error_rate=0.5))
        self.history.flush()

    def found(self, since: float = 0.0, until: float | None = None) -> list[float]:
        return [sample.at for sample in self.history.since(since, until)]


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "history.sqlite3"
    while OPENED:
        OPENED.pop().close()


def corrupt(path: Path) -> None:
    path.write_bytes(b"no database" * 1_000)


def test_samples_survive_and_are_found_by_time(path: Path) -> None:
    first = File(path)
    first.add(1.0, 2.0, 3.0)
    first.history.close()
    again = File(path)
    again.add(4.0)
    assert again.found() == [1, 2, 3, 4]
    assert again.found(2.0, 3.0) == [2, 3]
    assert again.history.since(4.0)[0].error_rate == 0.5
    again.history.close()
    again.add(5.0)  # opens it again
    assert again.found(5.0) == [5]
    again.history.close()


def test_only_its_owner_may_read_the_file(path: Path) -> None:
    File(path).add(1.0)
    assert path.stat().st_mode & 0o777 == 0o600


def test_old_samples_are_deleted(path: Path) -> None:
    file = File(path, retention_ms=100_000)
    file.add(*map(float, range(600)))
    assert file.found() == list(range(499, 600))
    file.history.close()
    short = File(path, retention_ms=100_000)
    short.add(700.0)
    assert short.found() == [700]
    short.history.close()
    keep = File(path.with_name("all.sqlite3"))
    keep.add(*map(float, range(600)))
    assert len(keep.found()) == 600
    keep.history.close()


def test_a_corrupt_file_is_told_once_and_samples_wait(path: Path) -> None:
    corrupt(path)
    file = File(path)
    for at in range(20):
        file.time.advance(60_000)
        file.add(float(at))
    assert len(file.failed) == 1
    assert file.found() == list(range(20))
    assert path.read_bytes().startswith(b"no database")
    path.unlink()
    file.time.advance(3_600_000)
    file.add(20.0)
    file.history.close()
    assert File(path).found() == list(range(21))


def test_opening_is_tried_ever_less_often(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[float] = []
    file = File(path)

    def refuse(*_: object, **__: object) -> None:
        tries.append(file.time.now)
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr(sqlite3, "connect", refuse)
    for at in range(2_000):
        file.time.advance(5_000)
        file.add(float(at))
    gaps = [b - a for a, b in pairwise(tries)]
    assert gaps == sorted(gaps)
    assert gaps[0] == 5
    assert gaps[-1] == 600
    assert len(file.failed) == 1


def test_a_locked_file_is_written_later(path: Path) -> None:
    file = File(path)
    file.add(1.0)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    file.add(2.0)
    assert len(file.failed) == 1
    other.execute("COMMIT")
    other.close()
    file.time.advance(60_000)
    file.add(3.0)
    assert file.found() == [1, 2, 3]
    file.history.close()


def test_what_waits_is_bounded(path: Path) -> None:
    corrupt(path)
    file = File(path)
    for at in range(10_500):
        file.history.add(Sample(float(at)))
    assert len(file.history._pending) == 10_000


def test_threads_may_share_it(path: Path) -> None:
    file = File(path)
    threads = [
        Thread(target=lambda start=start: file.add(*(start * 100.0 + i for i in range(50))))
        for start in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(file.found()) == 200
    file.history.close()


async def test_the_monitor_keeps_its_history_over_a_restart(
    world: Callable[..., World], path: Path
) -> None:
    first = world(history=HistoryOptions(path=str(path)))
    await first.check(5)
    first.monitor.close()
    again = world(history=HistoryOptions(path=str(path)))
    again.time.advance(60_000)
    await again.check(2)
    assert len(again.monitor.get_history()) == 7
    assert len(again.monitor.get_history(minutes=0.5)) == 2
    times = [sample.at for sample in again.monitor.get_history()]
    assert times == sorted(times)
    again.monitor.close()
    few = world(history=HistoryOptions(path=str(path), retention_ms=1_000), max_history=3)
    few.time.advance(600_000)
    await few.check(600)
    few.monitor.close()
    assert len(few.monitor.get_history()) < 600


async def test_a_broken_file_is_told_and_checks_go_on(
    world: Callable[..., World], path: Path
) -> None:
    corrupt(path)
    w = world(history=HistoryOptions(path=str(path)))
    assert await w.check(3) == "healthy"
    w.monitor.stop_monitoring()
    assert w.told.count(("monitoringError", "history")) == 1
    assert len(w.monitor.get_history()) == 3


def test_who_hears_of_trouble_may_ask_for_samples_and_stop(path: Path) -> None:
    corrupt(path)
    file = File(path)
    heard: list[int] = []

    def hear(error: Exception) -> None:
        heard.append(len(file.history.since(0.0)))
        file.history.close()

    file.history._failed = hear
    file.add(1.0)
    assert heard == [1]


async def test_without_a_path_the_ring_is_all(world: Callable[..., World]) -> None:
    w = world(max_history=4)
    await w.check(9)
    assert len(w.monitor.get_history()) == 4


def test_a_damaged_row_hides_no_other(path: Path) -> None:
    file = File(path)
    file.add(1.0, 2.0, 3.0)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE samples SET data = '{\"at\"' WHERE at = 2")
        connection.execute("UPDATE samples SET data = '{}' WHERE at = 3")
    connection.close()
    assert file.found() == [1]
    file.history.close()
