"""Group commits: those that wait are written together, and nobody is answered before that."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk.events import parse_event
from evolution_sdk.webhooks import SqliteInbox
from evolution_sdk.webhooks.inbox import Added, InboxBatch, InboxEntry
from evolution_sdk.webhooks.responses import Answer
from evolution_sdk.webhooks.sqlite_rows import Transaction
from evolution_sdk.webhooks.sqlite_writes import (
    EXPIRED_KEYS,
    LAST_DEAD,
    OLDEST_DEAD,
    OLDEST_KEYS,
)

from .conftest import NOW, Kit, posted
from .test_webhooks_apps import Exchange, ask, part

WAITING = 40


class Watched(SqliteInbox):
    """Notes how many additions and ends each transaction had; may be held up, or fail."""

    def __init__(self, path: Path, **more: Any) -> None:
        super().__init__(path, **more)
        self.groups: list[tuple[int, int]] = []
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self.fails: list[sqlite3.Error] = []
        self.poison = ""

    def write_batch(self, batch: InboxBatch, now: float) -> list[Added]:
        self.begun.set()
        assert self.go_on.wait(10)
        if self.fails:
            raise self.fails.pop(0)
        if any(self.poison and self.poison in one.body.decode() for one in batch.added):
            raise sqlite3.DataError("too big")
        found = super().write_batch(batch, now)
        self.groups.append((len(batch.added), len(batch.done) + len(batch.buried)))
        return found


@pytest.fixture
def inbox(tmp_path: Path) -> Watched:
    return Watched(tmp_path / "inbox.db")


def busy() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return error


async def posts(receiver: Any, numbers: Sequence[int]) -> list[int]:
    bodies = [posted(n, chat=f"{n}@g.us") for n in numbers]
    done = await asyncio.gather(*(ask(receiver, Exchange(part(one))) for one in bodies))
    return [one.status for one in done]


async def hold_first(receiver: Any, inbox: Watched) -> asyncio.Task[Any]:
    """Post one event whose transaction does not end, so that the next ones wait."""
    inbox.go_on.clear()
    first = asyncio.ensure_future(posts(receiver, [0]))
    await asyncio.to_thread(inbox.begun.wait, 10)
    return first


async def test_those_who_wait_share_a_commit_and_none_is_answered_before(
    kit: Kit, inbox: Watched
) -> None:
    receiver = await kit.receiver(inbox=inbox, concurrency=1).start_async()
    first = await hold_first(receiver, inbox)
    others = asyncio.ensure_future(posts(receiver, range(1, WAITING + 1)))
    for _ in range(50):
        await asyncio.sleep(0)
    assert not first.done()
    assert not others.done()
    assert kit.seen == []
    inbox.go_on.set()
    assert set(await others) | set(await first) == {200}
    additions = [added for added, _ in inbox.groups if added]
    assert additions == [1, WAITING], "alone at once, the others together"
    assert await receiver.drain_async()
    assert len(kit.seen) == WAITING + 1
    await receiver.close_async()


async def test_what_the_loop_has_ready_is_written_together(kit: Kit, inbox: Watched) -> None:
    receiver = await kit.receiver(inbox=inbox, concurrency=1).start_async()
    assert await posts(receiver, range(WAITING)) == [200] * WAITING
    assert [added for added, _ in inbox.groups if added] == [WAITING]
    await receiver.close_async()


async def test_a_caller_that_goes_away_keeps_nothing_from_being_stored(
    kit: Kit, inbox: Watched
) -> None:
    receiver = await kit.receiver(inbox=inbox).start_async()
    first = await hold_first(receiver, inbox)
    gone = asyncio.ensure_future(posts(receiver, [1]))
    stays = asyncio.ensure_future(posts(receiver, [2]))
    for _ in range(50):
        await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    inbox.go_on.set()
    assert await first + await stays == [200, 200]
    assert await posts(receiver, [1]) == [200]
    assert receiver.metrics().duplicates == 1, "it was stored before"
    await receiver.close_async()


def test_a_loop_that_ends_before_its_group_holds_up_no_other(kit: Kit, inbox: Watched) -> None:
    receiver = kit.receiver(inbox=inbox)
    receiver._queue.open()
    ended = asyncio.new_event_loop()

    async def leave(number: int) -> None:
        asyncio.get_running_loop().stop()
        await receiver._queue.accept_async(InboxEntry(f"{number}", posted()), parse_event(posted()))

    task = ended.create_task(leave(1))
    ended.run_forever()
    ended.close()
    entry = InboxEntry("2", posted())
    answer = asyncio.run(receiver._queue.accept_async(entry, parse_event(posted())))
    assert answer is Answer.ACCEPTED
    assert inbox.groups == [(2, 0)], "the one that was left is written, too"
    assert not task.done()
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # its loop has ended
    receiver.close()


async def test_a_commit_that_fails_answers_all_of_its_group(kit: Kit, inbox: Watched) -> None:
    receiver = await kit.receiver(inbox=inbox).start_async()
    first = await hold_first(receiver, inbox)
    others = asyncio.ensure_future(posts(receiver, range(1, 6)))
    for _ in range(50):
        await asyncio.sleep(0)
    inbox.fails = [busy(), busy()]
    inbox.go_on.set()
    assert await first + await others == [503] * 6
    assert kit.seen == []
    assert await posts(receiver, range(6)) == [200] * 6, "posted again, they are taken"
    assert await receiver.drain_async()
    assert len(kit.seen) == 6
    await receiver.close_async()


async def test_one_that_cannot_be_stored_does_not_harm_its_group(kit: Kit, inbox: Watched) -> None:
    receiver = await kit.receiver(inbox=inbox).start_async()
    first = await hold_first(receiver, inbox)
    others = asyncio.ensure_future(posts(receiver, range(1, 6)))
    for _ in range(50):
        await asyncio.sleep(0)
    inbox.poison = "text 3"
    inbox.go_on.set()
    assert await first == [200]
    assert await others == [200, 200, 503, 200, 200]
    assert await receiver.drain_async()
    assert receiver.metrics().handled == 5
    await receiver.close_async()


async def test_two_copies_in_one_group_are_one_event(kit: Kit, inbox: Watched) -> None:
    receiver = await kit.receiver(inbox=inbox).start_async()
    first = await hold_first(receiver, inbox)
    others = asyncio.ensure_future(posts(receiver, [0, 1, 1, 1]))
    for _ in range(50):
        await asyncio.sleep(0)
    inbox.go_on.set()
    assert await first + await others == [200] * 5
    assert (receiver.metrics().accepted, receiver.metrics().duplicates) == (2, 3)
    assert await receiver.drain_async()
    assert len(kit.seen) == 2
    await receiver.close_async()


async def test_ends_share_commits_too(kit: Kit, inbox: Watched) -> None:
    receiver = await kit.receiver(inbox=inbox, concurrency=16).start_async()
    for number in range(2):
        await posts(receiver, range(32 * number, 32 * number + 32))
        assert await receiver.drain_async()
    assert sum(ended for _, ended in inbox.groups) == 64
    assert len(inbox.groups) <= 64, "128 changes, one transaction each before"
    await receiver.close_async()


def test_threads_share_a_commit(kit: Kit, inbox: Watched) -> None:
    receiver = kit.receiver(inbox=inbox, concurrency=1).start()
    told: list[int] = []
    crowd = [
        threading.Thread(target=lambda n=n: told.append(kit.post(receiver, posted(n))))
        for n in range(20)
    ]
    with receiver._queue._inbox.lock:
        for one in crowd:
            one.start()
        while len(receiver._queue._commits._waiting) < 20:
            threading.Event().wait(0.001)
    for one in crowd:
        one.join(10)
    assert told == [200] * 20
    assert inbox.groups[0][0] == 20
    assert receiver.drain()
    assert len(kit.seen) == 20


# --- the file -------------------------------------------------------------------------------------


def entry(number: int) -> InboxEntry:
    return InboxEntry(f"key {number}", b"{}", received_at=NOW)


@pytest.fixture
def file(tmp_path: Path) -> Any:
    made = SqliteInbox(tmp_path / "i.db", max_keys=1_000, max_dead=10)
    made.open()
    yield made
    made.close()


def rows(inbox: SqliteInbox, table: str) -> int:
    count: int = inbox._opened().execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return count


def tally(inbox: SqliteInbox) -> tuple[int, int]:
    keys, dead = inbox._opened().execute("SELECT keys, dead FROM tally").fetchone()
    return keys, dead


def test_a_group_is_few_statements_and_numbers_its_events(file: SqliteInbox) -> None:
    said: list[str] = []
    file.write_batch(InboxBatch([entry(-1)]), NOW)
    file._opened().set_trace_callback(said.append)
    some = [entry(number) for number in range(100)]
    assert file.write_batch(InboxBatch(some), NOW) == ["new"] * 100
    file._opened().set_trace_callback(None)
    assert said.count("BEGIN IMMEDIATE") == said.count("COMMIT") == 1
    # SQLite tells a statement again for each row that fires a trigger.
    assert len(set(said)) <= 15
    stored = dict(file._opened().execute("SELECT id, key FROM event").fetchall())
    assert {one.id: one.key.encode() for one in some}.items() <= stored.items()
    again = [entry(number) for number in range(99, 103)]
    assert file.write_batch(InboxBatch(again, done=some), NOW) == ["duplicate"] + ["new"] * 3
    assert rows(file, "event") == 4
    said.clear()
    file._opened().set_trace_callback(said.append)
    assert file.discard([one.id for one in again]) == 0, "none of them is a dead letter"
    assert file.write_batch(InboxBatch(some[:7], done=again[1:]), NOW) == ["duplicate"] * 7
    file._opened().set_trace_callback(None)
    of_seven = {one for one in said if one.startswith(("SELECT key", "DELETE"))}
    assert len(of_seven) == 3, "each of any size is one statement"
    assert rows(file, "event") == 1


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (OLDEST_KEYS, "SCAN seen USING COVERING INDEX seen_by_age"),
        (EXPIRED_KEYS, "SEARCH seen USING COVERING INDEX seen_by_age"),
        (OLDEST_DEAD, "INDEX event_dead"),
        (LAST_DEAD, "INDEX event_dead"),
    ],
)
def test_what_goes_is_found_by_an_index(file: SqliteInbox, query: str, index: str) -> None:
    values = (1,) * query.count("?")
    plan = file._opened().execute(f"EXPLAIN QUERY PLAN {query}", values).fetchall()
    told = [row[3] for row in plan]
    assert len(told) == 1, "no sorting"
    assert index in told[0]


def test_a_full_inbox_forgets_a_few_keys_at_a_time(file: SqliteInbox) -> None:
    with file._begun() as db:
        db.executemany(
            "INSERT INTO seen VALUES (?, ?)", [(b"%d" % n, n * 1e-6) for n in range(5_000)]
        )
    assert tally(file) == (5_000, 0)
    before = rows(file, "seen")
    most = 0
    for number in range(5_000):
        file.add(entry(number), NOW + number)
        after = rows(file, "seen")
        most, before = max(most, before - after), after
    assert 0 < most <= 64
    assert before <= 1_032
    assert tally(file) == (before, 0)
    assert file.add(entry(4_999), NOW) == "duplicate", "the newest are kept"
    assert file.add(entry(1), NOW) == "new"


def test_the_counts_are_right_whoever_writes(file: SqliteInbox, tmp_path: Path) -> None:
    some = [entry(number) for number in range(30)]
    file.write_batch(InboxBatch(some), NOW)
    for one in some:
        one.failed_at, one.error = NOW, "\ud800Error"
    file.write_batch(InboxBatch(buried=some[:12]), NOW)
    assert file.count_dead() == 10 == rows(file, "event WHERE failed_at IS NOT NULL")
    assert [one.id for one in file.dead(99)] == [one.id for one in some[2:12]]
    assert len(file.revive([some[5].id])) == 1
    assert file.count_dead() == 9
    with sqlite3.connect(tmp_path / "i.db") as shell:
        shell.execute("DELETE FROM event WHERE id = ?", (some[6].id,))
        shell.execute("INSERT INTO seen VALUES (?, ?)", (b"of an older version", 1.0))
    shell.close()
    assert tally(file) == (31, 8)
    assert file.discard([some[7].id, some[7].id, some[20].id, 999]) == 1, "a waiting one stays"
    assert file.discard(None) == 7
    assert tally(file) == (31, 0)
    assert rows(file, "event") == 18 + 1, "those that wait, and the one that was revived"


def test_a_file_of_an_older_version_is_counted_once(file: SqliteInbox, tmp_path: Path) -> None:
    file.write_batch(InboxBatch([entry(number) for number in range(7)]), NOW)
    db = file._opened()
    for name in ("seen_added", "seen_gone", "event_died", "event_gone"):
        db.execute(f"DROP TRIGGER {name}")
    db.execute("DROP TABLE tally")
    later = SqliteInbox(tmp_path / "i.db")
    later.open()
    assert tally(later) == (7, 0)
    later.close()


class Busy:
    """A file that another process writes for some tries."""

    in_transaction = False

    def __init__(self, times: int) -> None:
        self.times = times
        self.said: list[str] = []

    def execute(self, text: str) -> None:
        self.said.append(text)
        if text.startswith("BEGIN") and self.said.count(text) <= self.times:
            raise busy()


def test_a_busy_file_is_tried_in_short_steps() -> None:
    file: Any = Busy(2)
    with Transaction(file, 3):
        pass
    assert file.said == ["BEGIN IMMEDIATE"] * 3 + ["COMMIT"]
    with pytest.raises(sqlite3.OperationalError), Transaction(Busy(3), 3):  # type: ignore[arg-type]
        pass
