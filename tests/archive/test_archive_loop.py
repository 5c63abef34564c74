"""A lock held elsewhere stops no event loop, and a full disk loses nothing silently."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from archive_stage import Clock, record, upsert

from evolution_sdk.archive import Archive, _writing
from evolution_sdk.archive import _waiting as waiting
from evolution_sdk.archive import archive as module
from evolution_sdk.models import SentMessage

# Long enough that only a loop that does not wait for it comes first.
PATIENCE_MS = 3_000


def reports(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        each.getMessage()
        for each in caplog.records
        if each.name == "evolution_sdk.archive" and each.levelno >= logging.WARNING
    ]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    made = Archive(tmp_path / "a.db", clock=Clock(), busy_ms=PATIENCE_MS)
    made.record(upsert(99))
    yield made
    made.close()


@pytest.fixture
def locked(archive: Archive) -> Iterator[sqlite3.Connection]:
    """Another connection, as a shell or a backup has one, that holds the file."""
    other = sqlite3.connect(archive.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    yield other
    other.close()


@pytest.mark.parametrize("how", ["event", "send", "facts of a client"])
async def test_a_loop_goes_on_while_the_file_is_locked(
    archive: Archive, locked: sqlite3.Connection, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    beats: list[int] = []
    beating = asyncio.ensure_future(beat(beats))
    sent = SentMessage.from_wire(record(2, key={"fromMe": True}))
    for _ in range(20):
        if how == "event":
            assert not archive.record(upsert(2))
        elif how == "send":
            assert not archive.record_sent(sent, "sales")
        else:
            archive.observe(SimpleNamespace(result=sent, instance="sales"))
        await asyncio.sleep(0)
    assert len(beats) >= 20
    # Whoever had waited for the lock, would have given up by now, and said so.
    assert reports(caplog) == []
    assert archive.waiting == 20
    locked.execute("ROLLBACK")
    beating.cancel()
    assert await asyncio.to_thread(archive.flush)
    assert (archive.waiting, archive.lost) == (0, 0)
    assert len(await asyncio.to_thread(archive.messages)) == 2


async def beat(beats: list[int]) -> None:
    while True:
        beats.append(len(beats))
        await asyncio.sleep(0)


async def test_a_loop_goes_on_while_another_thread_waits_for_the_lock(
    archive: Archive,
    locked: sqlite3.Connection,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the loop takes is not held while SQLite works."""
    begun, write = threading.Event(), _writing.write

    def writing(*args: Any, **options: Any) -> int:
        begun.set()
        return write(*args, **options)

    monkeypatch.setattr(_writing, "write", writing)
    thread = threading.Thread(target=archive.record, args=(upsert(1),))
    thread.start()
    await asyncio.to_thread(begun.wait)
    assert not archive.record(upsert(2))
    await asyncio.sleep(0)
    assert reports(caplog) == []
    assert archive.waiting == 2
    locked.execute("ROLLBACK")
    await asyncio.to_thread(thread.join)
    await asyncio.to_thread(archive.flush)
    assert len(archive.messages()) == 3


def test_another_process_may_hold_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.db"
    archive = Archive(path, clock=Clock(), busy_ms=PATIENCE_MS)
    assert archive.record(upsert(1))
    code = (
        "import sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('BEGIN EXCLUSIVE'); print('held', flush=True); input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        holder.stdout.readline()

        async def work() -> None:
            assert not archive.record(upsert(2))
            await asyncio.sleep(0)
            assert reports(caplog) == []

        asyncio.run(work())
        holder.stdin.write(b"\n")
        holder.stdin.close()
    assert archive.flush()
    assert len(archive.messages()) == 2
    assert archive.close() == 0


async def test_everything_that_a_loop_records_is_written_in_order(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "a.db", clock=Clock())
    for number in range(300):
        archive.record(upsert(number))
        if number % 50 == 0:
            await asyncio.sleep(0)
    # Reading finds what was recorded before, written or not.
    assert len(await asyncio.to_thread(archive.messages)) == 300
    archive.record(upsert(300))
    assert await asyncio.to_thread(archive.close) == 0
    connection = sqlite3.connect(tmp_path / "a.db")
    rows = connection.execute("SELECT id FROM messages ORDER BY row").fetchall()
    connection.close()
    assert rows == [(f"M{number}",) for number in range(301)]


@pytest.mark.parametrize("full", [False, True])
def test_what_waits_at_the_end_of_the_program_is_written_or_told(
    tmp_path: Path, full: bool
) -> None:
    path = tmp_path / "a.db"
    if full:
        path.mkdir()
    code = (
        "import asyncio, sys\n"
        "from archive_stage import upsert\n"
        "from evolution_sdk.archive import Archive\n"
        "archive = Archive(sys.argv[1])\n"
        "async def main():\n"
        "    for number in range(5): archive.record(upsert(number))\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], cwd=Path(__file__).parent, text=True,
        capture_output=True, check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    if full:
        assert "5 rows are lost" in done.stderr
        return
    assert done.stderr == ""
    with Archive(path) as archive:
        assert len(archive.messages()) == 5


class Timers:
    """Timers that only tests let run out."""

    def __init__(self) -> None:
        self.set: list[Timers.One] = []

    class One:
        def __init__(self, after_s: float, work: Any) -> None:
            self.after_s, self.work, self.running = after_s, work, False

        def start(self) -> None:
            self.running = True

        def cancel(self) -> None:
            self.running = False

    def __call__(self, after_s: float, work: Any) -> One:
        self.set.append(self.One(after_s, work))
        return self.set[-1]


def test_what_waits_is_tried_again_when_nothing_more_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    timers, clock = Timers(), Clock()
    monkeypatch.setattr(waiting, "Timer", timers)
    archive = Archive(tmp_path / "a.db", clock=clock, busy_ms=1, retry_ms=2_000)
    assert archive.record(upsert(1))
    assert timers.set == []
    other = sqlite3.connect(archive.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    for number in (2, 3, 4):
        assert not archive.record(upsert(number))
    (timer,) = timers.set
    assert (timer.after_s, timer.running, archive.waiting) == (2, True, 3)
    clock.now += 2
    timer.work()
    timer = timers.set[-1]
    assert (len(timers.set), timer.running, archive.waiting) == (2, True, 3), "still held"
    other.close()
    clock.now += 2
    timer.work()
    assert (len(timers.set), archive.waiting) == (2, 0)
    assert len(reports(caplog)) == 2
    (tmp_path / "b.db").mkdir()
    never = Archive(tmp_path / "b.db", clock=clock)
    assert not never.record(upsert(1))
    timer = timers.set[-1]
    never.close()
    assert not timer.running
    archive.close()


class Disk:
    """Makes the archive's files full, or not, at the next opening."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full = False
        connect = sqlite3.connect

        def opened(*args: Any, **options: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = connect(*args, **options)
            if self.is_full:  # the setting lasts as long as the connection
                (pages,) = connection.execute("PRAGMA page_count").fetchone()
                connection.execute(f"PRAGMA max_page_count = {pages}")
            return connection

        monkeypatch.setattr(sqlite3, "connect", opened)


def long_one(number: int) -> Any:
    return upsert(number, "x" * 50_000)


def test_an_archive_that_is_closed_on_a_full_disk_counts_what_it_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    disk, clock = Disk(monkeypatch), Clock()
    archive = Archive(tmp_path / "a.db", clock=clock)
    assert archive.record(upsert(1))
    assert archive.close() == 0
    assert reports(caplog) == []
    disk.is_full = True
    for number in (2, 3, 4):
        assert not archive.record(long_one(number))
    assert (archive.waiting, archive.lost) == (3, 0)
    assert archive.close() == 3
    assert (archive.waiting, archive.lost) == (0, 3)
    trouble, told = reports(caplog)
    assert "full" in trouble
    assert told.endswith("was closed although it could not be written: 3 rows are lost")
    assert archive.close() == 0, "counted once"
    disk.is_full = False
    clock.now += 60
    assert archive.record(long_one(5))
    assert [each.id for each in archive.messages()] == ["M5", "M1"]
    assert archive.lost == 3
    archive.close()


def test_what_no_longer_fitted_is_told_when_the_file_works_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_MOST_WAITING", 3)
    disk, clock = Disk(monkeypatch), Clock()
    archive = Archive(tmp_path / "a.db", clock=clock)
    assert archive.record(upsert(1))
    archive.close()
    disk.is_full = True
    for number in range(2, 9):
        assert not archive.record(long_one(number))
    assert (archive.waiting, archive.lost) == (3, 4)
    disk.is_full = False
    clock.now += 60
    assert archive.flush()
    assert reports(caplog)[-1].endswith("can be written again; 4 rows were lost meanwhile")
    assert [each.id for each in archive.messages()] == ["M8", "M7", "M6", "M1"]
    assert archive.close() == 0
