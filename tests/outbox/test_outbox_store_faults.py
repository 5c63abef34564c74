"""Stores that are full, locked, damaged, of another version, or away: told, and nothing lost."""

from __future__ import annotations

import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import outbox_drill as drill
import pytest

from evolution_sdk import EvolutionClient
from evolution_sdk.errors import OutboxStoreError
from evolution_sdk.outbox import Outbox
from evolution_sdk.testing import FakeEvolution

CHAT = "5511987654321"


@contextmanager
def opened(place: str, url: str, **more: Any) -> Iterator[Outbox]:
    with EvolutionClient(url, "k", instance="sales") as client:
        outbox = Outbox(place, client=client, poll_ms=20, **more)
        try:
            yield outbox
        finally:
            outbox.close(timeout_ms=2_000)


@pytest.fixture
def fake() -> Iterator[FakeEvolution]:
    with drill.server() as made:
        yield made


def test_a_full_disk_refuses_and_loses_nothing(tmp_path: Path, fake: FakeEvolution) -> None:
    place = tmp_path / "o.db"
    with opened(str(place), fake.url) as outbox:
        outbox.messages.send_text(CHAT, "before", key="before")
        database: Any = outbox._store.database
        pages = database._db.execute("PRAGMA page_count").fetchone()[0]
        database._db.execute(f"PRAGMA max_page_count = {pages}")
        taken = 0

        def fill() -> None:
            nonlocal taken
            for number in range(1_000):
                outbox.messages.send_text(CHAT, "x" * 3_000, key=f"k{number}")
                taken += 1

        with pytest.raises(OutboxStoreError) as refused:
            fill()
        assert refused.value.kind == "full"
        assert "space" in str(refused.value)
        with outbox:
            # Workers that cannot write down a claim make no call; they come back.
            time.sleep(0.3)
            database._db.execute("PRAGMA max_page_count = 1000000")
            drill.work_until_done(outbox)
        assert outbox.counts() == {"sent": taken + 1}
        assert len(fake.sent) == taken + 1


def test_a_file_that_somebody_locks_is_told_and_waited_for(
    tmp_path: Path, fake: FakeEvolution
) -> None:
    place = tmp_path / "o.db"
    with opened(str(place), fake.url) as outbox:
        outbox.messages.send_text(CHAT, "before", key="before")
        outbox._store.database._tries = 4  # type: ignore[attr-defined]
        with closing(sqlite3.connect(place, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(OutboxStoreError) as refused:
                outbox.messages.send_text(CHAT, "oi", key="during")
            assert refused.value.kind == "busy"
            with pytest.raises(OutboxStoreError):
                outbox.start()
            other.execute("ROLLBACK")
            with outbox:
                outbox.wait("before", timeout_ms=10_000)
                other.execute("BEGIN IMMEDIATE")
                time.sleep(0.3)
                other.execute("ROLLBACK")
                outbox.messages.send_text(CHAT, "after", key="after")
                outbox.wait("after", timeout_ms=10_000)
        assert outbox.counts() == {"sent": 2}


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"x" * 99])
def test_a_damaged_file_is_told_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    place = tmp_path / "o.db"
    place.write_bytes(content)
    with opened(str(place), "http://127.0.0.1:9") as outbox:
        for ask in (
            lambda: outbox.messages.send_text(CHAT, "oi"),
            outbox.counts,
            outbox.start,
            outbox.migrate,
        ):
            with pytest.raises(OutboxStoreError) as refused:
                ask()
            assert refused.value.kind == "corrupt"
            assert "backup" in str(refused.value)
    assert place.read_bytes() == content


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_tables_of_a_newer_version_are_told_and_not_touched(store: str, tmp_path: Path) -> None:
    with drill.place(store, tmp_path) as place:
        with opened(place, "http://127.0.0.1:9") as outbox:
            outbox.migrate()
            outbox.messages.send_text(CHAT, "oi")
            with outbox._store.writing() as (session, _):
                session.run("UPDATE evolution_sdk_schema SET version = 99 WHERE part = 'outbox'")
        with opened(place, "http://127.0.0.1:9") as outbox:
            for ask in (lambda: outbox.messages.send_text(CHAT, "oi"), outbox.start):
                with pytest.raises(OutboxStoreError) as refused:
                    ask()
                assert refused.value.kind == "schema"
                assert "Upgrade" in str(refused.value)


def test_missing_tables_in_postgresql_are_told_with_the_remedy(tmp_path: Path) -> None:
    with (
        drill.place("postgres", tmp_path) as place,
        opened(place, "http://127.0.0.1:9") as outbox,
    ):
        with pytest.raises(OutboxStoreError) as refused:
            outbox.messages.send_text(CHAT, "oi")
        assert refused.value.kind == "schema"
        assert "outbox.migrate()" in str(refused.value)
        assert outbox.migrate() == 0
        assert outbox.messages.send_text(CHAT, "oi").id


class Cluster:
    """A PostgreSQL of our own, that may be stopped."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def run(self, *command: str) -> None:
        subprocess.run(
            ["su", "postgres", "-c", " ".join(command)],
            check=True,
            capture_output=True,
            cwd="/tmp",
        )

    def make(self) -> None:
        shutil.chown(self._folder, "postgres")
        self.run("initdb", "-D", f"{self._folder}/data", "-A", "trust", "-N")
        self.start()

    def start(self) -> None:
        options = f"'-p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1'"
        log = f"{self._folder}/log"
        self.run("pg_ctl", "-D", f"{self._folder}/data", "-l", log, "-w", "-o", options, "start")

    def stop(self, mode: str) -> None:
        self.run("pg_ctl", "-D", f"{self._folder}/data", "-m", mode, "-w", "stop")


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    import tempfile

    if not (shutil.which("initdb") and shutil.which("pg_ctl") and shutil.which("su")):
        pytest.skip("no initdb and pg_ctl here")
    # Not below pytest's own folder, which another user cannot enter.
    with tempfile.TemporaryDirectory(prefix="drill-pg-") as folder:
        made = Cluster(Path(folder))
        try:
            made.make()
        except (subprocess.CalledProcessError, LookupError, PermissionError):
            pytest.skip("no PostgreSQL of our own can be made here")
        try:
            yield made
        finally:
            with suppress(subprocess.CalledProcessError):  # it may be stopped
                made.stop("immediate")


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_postgresql_that_is_restarted_loses_nothing(
    mode: str, cluster: Cluster, fake: FakeEvolution
) -> None:
    fake.faults.add(drill.SEND, "delay", delay_ms=10)
    load = drill.Load(40, 8)
    with drill.observed(cluster.url, fake.url) as outbox:
        load.hand_over(outbox)
        workers = drill.Workers(cluster.url, fake.url)
        try:
            workers.start()
            workers.start()
            while len(fake.sent) < 8:
                time.sleep(0.01)
            cluster.stop(mode)
            with pytest.raises(OutboxStoreError) as refused:
                outbox.counts()
            assert refused.value.kind == "unavailable"
            cluster.start()
            drill.work_until_done(outbox)
        finally:
            workers.end()
        assert drill.tally(fake, load, outbox) == drill.Tally(0, 0, 0, 0)
