"""The inbox in a file: its bounds, its errors, and how hard it writes."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk.errors import ConfigurationError
from evolution_sdk.webhooks import SqliteInbox
from evolution_sdk.webhooks.inbox import InboxEntry

from .conftest import NOW


def entry(key: str, body: bytes = b"{}") -> InboxEntry:
    return InboxEntry(key, body, received_at=NOW, hint="messages-\ud800")


def test_keys_and_dead_letters_are_bounded(tmp_path: Path) -> None:
    now = NOW
    inbox = SqliteInbox(
        tmp_path / "i.db", dedupe_ms=10_000, max_keys=500, max_dead=2, clock=lambda: now
    )
    inbox.open()
    for number in range(1_000):
        one = entry(f"k{number}")
        now = NOW + number / 1_000
        inbox.add(one, now)
        one.failed_at = NOW
        if number < 5:
            inbox.bury(one)
        else:
            inbox.done(one)
    assert [one.key for one in inbox.dead(9)] == ["k3", "k4"]
    now = NOW + 1
    assert inbox.add(entry("k1"), now) == "new"
    assert inbox.add(entry("k999"), now) == "duplicate"
    now = NOW + 11
    assert inbox.add(entry("k999"), now) == "new"
    inbox.close()


def test_only_its_owner_may_read_what_people_wrote(tmp_path: Path) -> None:
    inbox = SqliteInbox(tmp_path / "i.db")
    inbox.open()
    inbox.add(entry("k"), NOW)
    rights = {one.name: stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()}
    assert {"i.db", "i.db-wal"} < rights.keys()
    assert set(rights.values()) == {0o600}
    inbox.close()


def test_a_file_that_cannot_be_used_is_a_clear_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"no database" * 100)
    for path in (broken, tmp_path / "none" / "x.db"):
        inbox = SqliteInbox(path)
        with pytest.raises(ConfigurationError, match="cannot be used"):
            inbox.open()
        assert (inbox._db, inbox._lock) == (None, None), "nothing stays open"
    with pytest.raises(ConfigurationError, match="synchronous"):
        SqliteInbox(tmp_path / "x.db", synchronous="off")  # type: ignore[arg-type]  # the mistake


@pytest.mark.parametrize(("synchronous", "number"), [("normal", 1), ("full", 2)])
def test_how_hard_it_writes_can_be_chosen(
    tmp_path: Path, synchronous: Any, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def spy(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        made.append(connect(*args, **kwargs))
        return made[-1]

    monkeypatch.setattr(sqlite3, "connect", spy)
    inbox = SqliteInbox(tmp_path / "i.db", synchronous=synchronous)
    inbox.open()
    assert made[0].execute("PRAGMA synchronous").fetchone() == (number,)
    assert inbox.blocks, "either may wait for a lock of another process"
    inbox.close()
