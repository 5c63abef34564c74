"""A history file that another process holds stops no event loop; what it did not take is told."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from evolution_sdk.monitor import Sample
from evolution_sdk.monitor import history as module
from evolution_sdk.monitor.history import SqliteHistory

# Long enough that only a loop that does not wait for it comes first.
PATIENCE_MS = 3_000


class File:
    """A history file that is written by a thread, and held by another connection."""

    def __init__(self, path: Path) -> None:
        self.failed: list[Exception] = []
        self.history = SqliteHistory(
            path, failed=self.failed.append, clock=time.monotonic, busy_ms=PATIENCE_MS
        )
        self.history.add(Sample(1.0))
        self.history.flush()
        self.other = sqlite3.connect(path, isolation_level=None)
        self.other.execute("BEGIN EXCLUSIVE")

    def times(self) -> list[float]:
        return [sample.at for sample in self.history.since(0.0)]


@pytest.fixture
def file(tmp_path: Path) -> Iterator[File]:
    made = File(tmp_path / "history.sqlite3")
    yield made
    made.other.close()
    made.history.close()


async def test_a_loop_goes_on_while_the_file_is_locked(file: File) -> None:
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0)

    beating = asyncio.ensure_future(beat())
    for at in range(2, 12):
        file.history.add(Sample(float(at)))
        assert file.times() == list(range(1, at + 1)), "the file's and those that wait"
        await asyncio.sleep(0)
    file.history.close(wait_ms=1)
    await asyncio.sleep(0)
    assert beats >= 10
    assert file.failed == [], "whoever had waited for the lock, would have given up by now"
    beating.cancel()
    file.other.execute("ROLLBACK")
    await asyncio.to_thread(file.history.close)
    assert (file.times(), file.history.waiting) == (list(range(1, 12)), 0)


def test_what_a_closed_file_did_not_take_is_told_with_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path, connect = tmp_path / "history.sqlite3", sqlite3.connect

    def full(*args: str, **options: bool) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **options)  # type: ignore[call-overload]
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    failed: list[Exception] = []
    history = SqliteHistory(path, failed=failed.append, clock=lambda: 0.0, threaded=False)
    history.add(Sample(1.0))
    history.close()
    assert (caplog.records, failed) == ([], [])
    with monkeypatch.context() as patched:
        patched.setattr(module.sqlite3, "connect", full)
        for at in range(2, 400):
            history.add(Sample(float(at)))
        history.close()
        history.close()
    (trouble,) = failed
    assert "full" in str(trouble)
    (told,) = (r.getMessage() for r in caplog.records if r.levelno == logging.WARNING)
    assert told.startswith("the history file was closed before it took 398 samples")
    assert [sample.at for sample in history.since(0.0)] == list(range(1, 400))


def test_samples_that_fall_out_while_others_are_written_take_no_newer_ones_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_PENDING", 3)
    history = SqliteHistory(
        tmp_path / "h.sqlite3", failed=lambda _: None, clock=lambda: 0.0, threaded=False
    )
    dumps = module.json.dumps
    for at in (1.0, 2.0, 3.0):
        history.add(Sample(at))

    def meanwhile(data: object) -> str:
        if len(history._pending) and history._pending[-1].at == 3.0:
            history.add(Sample(4.0))
        return dumps(data)

    monkeypatch.setattr(module.json, "dumps", meanwhile)
    history.flush()
    assert history.waiting == 1
    assert [sample.at for sample in history.since(0.0)] == [1, 2, 3, 4]
    history.close()
