"""The inbox in a file: what was accepted is there after a crash, once, and for one process."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import Event
from evolution_sdk.webhooks import Delivery, SqliteInbox
from evolution_sdk.webhooks.inbox import InboxEntry

from .conftest import NOW, Kit, posted


def entry(key: str, body: bytes = b"{}") -> InboxEntry:
    return InboxEntry(key, body, received_at=NOW, hint="messages-\ud800")


def crash(inbox: SqliteInbox) -> None:
    """What the operating system does with a killed process: the files are closed, no more."""
    inbox.close()


def test_what_was_accepted_is_there_after_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "inbox.db"
    first = SqliteInbox(path)
    assert first.open() == []
    kept, done = entry("a\ud800", b'{"x":1}'), entry("b")
    assert [first.add(one, NOW) for one in (kept, done)] == ["new", "new"]
    first.done(done)
    crash(first)
    second = SqliteInbox(path)
    (left,) = second.open()
    assert (left.key, left.body, left.hint, left.received_at, left.id, left.recovered) == (
        "a\ud800", b'{"x":1}', "messages-\ud800", NOW, kept.id, True,
    )  # fmt: skip
    assert [second.add(entry(key), NOW + 1) for key in ("a\ud800", "b", "c")] == [
        "duplicate",
        "duplicate",
        "new",
    ]
    second.close()


def test_the_receiver_handles_it_then(kit: Kit, tmp_path: Path) -> None:
    deliveries: list[Delivery] = []

    def note(event: Event[Any], delivery: Delivery) -> None:
        deliveries.append(delivery)

    path = tmp_path / "inbox.db"
    left = SqliteInbox(path)
    left.open()
    left.add(InboxEntry("k", posted(7), received_at=NOW - 9), NOW)
    crash(left)
    kit.router.add(note, Event)
    receiver = kit.receiver(inbox=path).start()
    assert receiver.drain()
    assert [one.raw["data"]["key"]["id"] for one in kit.seen] == ["ID7"]
    assert deliveries[0].recovered
    assert deliveries[0].received_at.timestamp() == NOW - 9
    assert receiver.metrics().recovered == 1
    receiver.close()
    again = SqliteInbox(path)
    assert again.open() == []
    again.close()


def test_close_leaves_what_waits_in_the_file(kit: Kit, tmp_path: Path) -> None:
    opened = threading.Event()
    begun = threading.Event()

    def wait(event: Event[Any]) -> None:
        begun.set()
        opened.wait(10)

    kit.router.add(wait, Event, priority=1)
    path = tmp_path / "inbox.db"
    receiver = kit.receiver(inbox=str(path), concurrency=1)
    for number in (1, 2):
        kit.post(receiver, posted(number))
    begun.wait(10)
    threading.Timer(0, opened.set).start()
    receiver.close()
    after = SqliteInbox(path)
    left = after.open()
    assert len(left) + receiver.metrics().handled == 2
    after.close()


def test_processes_share_a_file_and_take_over_from_the_dead(tmp_path: Path) -> None:
    path = tmp_path / "inbox.db"
    one, two = SqliteInbox(path), SqliteInbox(path)
    assert (one.open(), two.open()) == ([], [])
    one.add(entry("1"), NOW)
    two.add(entry("2"), NOW)
    assert two.add(entry("1"), NOW) == "duplicate"
    three = SqliteInbox(path)
    assert three.open() == [], "the others live"
    crash(two)
    four = SqliteInbox(path)
    assert [left.key for left in four.open()] == ["2"]
    crash(one)
    crash(four)
    five = SqliteInbox(path)
    assert sorted(left.key for left in five.open()) == ["1", "2"]
    for inbox in (three, five):
        inbox.close()


def test_dead_letters_outlive_the_process(kit: Kit, tmp_path: Path) -> None:
    path = tmp_path / "inbox.db"
    kit.router.add(lambda event: {}["body"], Event, name="bad")
    receiver = kit.receiver(inbox=path)
    kit.post(receiver, posted(1))
    assert receiver.drain()
    receiver.close()
    later = kit.receiver(inbox=path)
    (letter,) = later.dead_letters()
    assert (letter.error, letter.error_text, letter.attempts) == ("KeyError", "'body'", 1)
    later.start()
    assert later.replay() == 1
    assert later.drain()
    assert len(kit.seen) == 1, "the handler that had finished is not called again"
    assert later.dead_letters()[0].attempts == 2
    assert later.discard() == 1


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
