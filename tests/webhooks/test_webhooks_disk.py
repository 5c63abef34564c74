"""A disk that is full, a file that another process locks: nothing waits, nothing comes twice."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import Event
from evolution_sdk.webhooks import MemoryInbox, SqliteInbox, locked_inbox
from evolution_sdk.webhooks.completion_journal import CompletionJournal
from evolution_sdk.webhooks.inbox import InboxEntry

from .conftest import Kit, posted
from .test_webhooks_apps import Exchange, ask, part


@contextmanager
def locked(path: Path) -> Iterator[sqlite3.Connection]:
    """A shell or a backup that holds the lock for writing."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield other
    finally:
        with contextlib.suppress(sqlite3.Error):
            other.execute("ROLLBACK")
        other.close()


@contextmanager
def full(path: Path) -> Iterator[None]:
    """No file may grow beyond the inbox's WAL, as on a disk that is full."""
    size = path.with_name(f"{path.name}-wal").stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def inbox_at(path: Path, busy_timeout_ms: float = 1, **more: Any) -> SqliteInbox:
    return SqliteInbox(path, busy_timeout_ms=busy_timeout_ms, **more)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "inbox.db"


# --- not handled again --------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [locked, full])
@pytest.mark.parametrize("mended", [True, False])
def test_what_was_handled_is_not_handled_again_after_a_restart(
    kit: Kit, path: Path, trouble: Any, mended: bool
) -> None:
    """The operator stops the service because of the disk, and mends the disk afterwards."""
    receiver = kit.receiver(inbox=inbox_at(path), concurrency=1)
    assert kit.post(receiver, posted(1)) == 200
    assert receiver.drain()
    held = contextlib.ExitStack()
    kit.router.add(lambda event: held.enter_context(trouble(path)), Event, priority=1)
    assert kit.post(receiver, posted(2)) == 200
    assert receiver.drain()
    assert receiver.metrics().unmarked == 1
    assert kit.post(receiver, posted(3)) == 503
    if mended:
        held.close()
    receiver.close()
    held.close()
    again = kit.receiver(inbox=inbox_at(path)).start()
    assert again.drain()
    assert again.metrics().recovered == 0
    assert len(kit.seen) == 2
    assert again.metrics().unmarked == 0
    assert kit.post(again, posted(2)) == 200
    assert again.metrics().duplicates == 1


@pytest.mark.parametrize("trouble", [locked, full])
def test_a_dead_letter_stays_one(kit: Kit, path: Path, trouble: Any) -> None:
    held = contextlib.ExitStack()

    def bad(event: Event[Any]) -> None:
        held.enter_context(trouble(path))
        raise ValueError("no")

    kit.router.add(bad, Event, priority=1)
    receiver = kit.receiver(inbox=inbox_at(path))
    assert kit.post(receiver) == 200
    assert receiver.drain()
    receiver.close()
    held.close()
    again = kit.receiver(inbox=inbox_at(path)).start()
    assert again.drain()
    (letter,) = again.dead_letters()
    assert letter.error == "unknown: the inbox could not be written"
    assert again.metrics().recovered == 0


class Failing(MemoryInbox):
    """An inbox of somebody's own that can be told nothing for a while."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times
        self.tried = threading.Event()
        self.told: list[int] = []

    def done(self, entry: InboxEntry) -> None:
        self.times -= 1
        if self.times >= 0:
            self.tried.set()
            raise OSError("disk full")
        self.told.append(entry.id)
        super().done(entry)


def test_threads_tell_the_inbox_again(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locked_inbox, "_MAX_WAIT_S", 0.005)
    inbox = Failing(times=4)
    receiver = kit.receiver(inbox=inbox, concurrency=2)
    for number in (1, 2):
        assert kit.post(receiver, posted(number)) == 200
    while receiver.metrics().unmarked or len(inbox.told) < 2:
        inbox.tried.wait(0.01)
    assert sorted(inbox.told) == [1, 2]
    assert receiver.metrics().handled == len(kit.seen) == 2


async def test_tasks_tell_the_inbox_again(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locked_inbox, "_MAX_WAIT_S", 0.005)
    inbox = Failing(times=4)
    inbox.blocks = True
    receiver = await kit.receiver(inbox=inbox).start_async()
    for number in (1, 2):
        assert (await ask(receiver, Exchange(part(posted(number))))).status == 200
    while receiver.metrics().unmarked or len(inbox.told) < 2:  # noqa: ASYNC110 - a thread tells
        await asyncio.sleep(0.01)
    assert sorted(inbox.told) == [1, 2]
    await receiver.close_async()


def test_the_next_event_and_the_end_tell_it_too(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    inbox = Failing(times=1)
    receiver = kit.receiver(inbox=inbox)
    kit.post(receiver, posted(1))
    assert receiver.drain()
    assert (receiver.metrics().unmarked, inbox.told) == (1, [])
    kit.post(receiver, posted(2))
    assert receiver.drain()
    assert (receiver.metrics().unmarked, sorted(inbox.told)) == (0, [1, 2])
    inbox.times = 1
    kit.post(receiver, posted(3))
    assert receiver.drain()
    receiver.close()
    assert sorted(inbox.told) == [1, 2, 3]
    assert "1 events are over (OSError)" in caplog.text


def test_a_receiver_that_begins_again_remembers(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    inbox = Failing(times=99)
    receiver = kit.receiver(inbox=inbox)
    kit.post(receiver, posted(1))
    assert receiver.drain()
    receiver.close()
    assert "without being told that 1 events are over" in caplog.text
    receiver.start()
    assert receiver.drain()
    assert len(kit.seen) == 1
    assert receiver.metrics().recovered == 0


# --- a lock never holds up an event loop --------------------------------------------------------

LONG_MS = 20_000
"""Whoever waited for the lock on the loop would wait for this long, since the loop releases it."""


async def steps() -> None:
    for _ in range(20):
        await asyncio.sleep(0.005)


async def test_no_loop_waits_for_a_lock_while_it_stores(kit: Kit, path: Path) -> None:
    receiver = await kit.receiver(inbox=inbox_at(path, LONG_MS)).start_async()
    with locked(path):
        posting = asyncio.ensure_future(ask(receiver, Exchange(part(posted()))))
        await steps()
        assert not posting.done()
        assert receiver.metrics().dead == 0
    assert (await posting).status == 200, "the loop was free to release the lock"
    assert await receiver.drain_async()
    await receiver.close_async()


async def test_no_loop_waits_for_a_lock_while_it_marks(kit: Kit, path: Path) -> None:
    receiver = await kit.receiver(inbox=inbox_at(path, LONG_MS)).start_async()
    held = contextlib.ExitStack()
    begun = asyncio.Event()

    async def lock(event: Event[Any]) -> None:
        held.enter_context(locked(path))
        begun.set()

    kit.router.add(lock, Event, priority=1)
    assert (await ask(receiver, Exchange(part(posted())))).status == 200
    await begun.wait()
    await steps()
    held.close()
    assert await receiver.drain_async()
    assert (receiver.metrics().handled, receiver.metrics().unmarked) == (1, 0)
    await receiver.close_async()


async def test_no_loop_waits_for_a_lock_at_the_beginning_and_the_end(kit: Kit, path: Path) -> None:
    made = SqliteInbox(path)
    made.open()
    made.close()
    receiver = kit.receiver(inbox=inbox_at(path, LONG_MS))
    with locked(path):
        starting = asyncio.ensure_future(receiver.start_async())
        await steps()
        assert not starting.done()
    await starting
    inbox = Failing(times=0)
    inbox.blocks = True
    inbox.close = threading.Event().wait  # type: ignore[method-assign, assignment]  # hangs
    hanging = await kit.receiver(inbox=inbox).start_async()
    kit.made.remove(hanging)
    closing = asyncio.ensure_future(hanging.close_async())
    await steps()
    assert not closing.done()
    inbox.close.__self__.set()  # type: ignore[attr-defined]  # the event above
    await closing
    await receiver.close_async()


async def test_a_lock_that_stays_is_a_503_and_the_repetition_is_taken(kit: Kit, path: Path) -> None:
    receiver = await kit.receiver(inbox=inbox_at(path)).start_async()
    with locked(path):
        done = await asyncio.gather(*(ask(receiver, Exchange(part(posted(n)))) for n in range(300)))
        assert {one.status for one in done} == {503}
    assert set(receiver.metrics().rejected) == {"unstored"}
    assert (await ask(receiver, Exchange(part(posted(7))))).status == 200
    assert await receiver.drain_async()
    assert len(kit.seen) == 1
    await receiver.close_async()


def test_threads_do_not_queue_up_behind_a_locked_file(
    kit: Kit, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evolution_sdk.webhooks.queue.DEFAULT_PATIENCE_MS", 10)
    receiver = kit.receiver(inbox=inbox_at(path)).start()
    with receiver._queue._inbox.lock:
        told: list[int] = []
        other = threading.Thread(target=lambda: told.append(kit.post(receiver)))
        other.start()
        other.join(10)
    assert told == [503]


def test_dead_letters_under_a_lock_say_what_is_wrong(kit: Kit, path: Path) -> None:
    receiver = kit.receiver(inbox=inbox_at(path)).start()
    with locked(path), pytest.raises(ConfigurationError, match=r"database is locked.*try again"):
        receiver.replay()
    assert receiver.replay() == 0


# --- the notes ----------------------------------------------------------------------------------


def test_notes_of_another_file_are_not_heeded(kit: Kit, path: Path) -> None:
    """Somebody deletes the inbox to begin anew: its numbers begin at 1 again."""
    first = inbox_at(path)
    first.open()
    first.add(InboxEntry("a", posted(1)), 1.0)
    with locked(path), pytest.raises(sqlite3.OperationalError):
        first.done(InboxEntry("a", b"", id=1))
    first.close()
    for name in ("inbox.db", "inbox.db-wal", "inbox.db-shm"):
        (path.parent / name).unlink(missing_ok=True)
    second = inbox_at(path)
    second.open()
    second.add(InboxEntry("b", posted(2)), 1.0)
    second.close()
    third = inbox_at(path)
    assert [one.key for one in third.open()] == ["b"]
    third.close()


def test_the_next_process_heeds_the_notes_of_one_that_was_killed(kit: Kit, path: Path) -> None:
    one, two = inbox_at(path), inbox_at(path)
    assert (one.open(), two.open()) == ([], [])
    for inbox, key in ((one, "a"), (two, "b")):
        inbox.add(InboxEntry(key, posted(1)), 1.0)
    with locked(path):
        for inbox, number in ((one, 1), (two, 2)):
            with pytest.raises(sqlite3.OperationalError):
                inbox.done(InboxEntry("", b"", id=number))
    one.close()
    two.close()
    last = inbox_at(path)
    assert last.open() == []
    last.close()


def test_notes_fill_up_and_fail_quietly(tmp_path: Path) -> None:
    notes = CompletionJournal(tmp_path / "notes")
    assert notes.take(b"mark") == []
    notes.prepare()
    assert all(notes.add(number) for number in range(1, 8_193))
    assert not notes.add(9_999)
    assert 8_192 in notes
    notes.forget(1)
    notes.forget(77_777)
    assert sorted(CompletionJournal(tmp_path / "notes").take(b"mark")) == list(range(2, 8_193))
    assert CompletionJournal(tmp_path / "notes").take(b"other") == []
    (tmp_path / "notes").write_bytes(b"short")
    assert CompletionJournal(tmp_path / "notes").take(b"mark") == []
    gone = CompletionJournal(tmp_path / "none" / "notes")
    gone.prepare()
    assert not gone.add(1)
