"""The port of engines: what an outbox tells its engine, and what the engine can do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk import EvolutionClient
from evolution_sdk.outbox import Outbox, OutboxJob, OutboxWork
from evolution_sdk.testing import FakeEvolution

CHAT = "5511987650001"


class Noted:
    """An engine that only notes what it is told."""

    def __init__(self) -> None:
        self.woken: list[OutboxJob] = []
        self.written: list[OutboxJob] = []
        self.migrated = 0
        self.trouble: Exception | None = None

    def attach(self, work: OutboxWork) -> None:
        self.work = work

    def enqueue(self, jobs: Sequence[OutboxJob]) -> list[Any]:
        self.written += jobs
        return []

    def wake(self, jobs: Sequence[OutboxJob]) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.woken += jobs

    def migrate(self) -> None:
        self.migrated += 1


@pytest.fixture
def fake() -> Iterator[FakeEvolution]:
    with FakeEvolution(version="2.3.7", api_key="k").serve() as served:
        served.create_instance("sales")
        yield served


@pytest.fixture
def engine() -> Noted:
    return Noted()


@pytest.fixture
def outbox(fake: FakeEvolution, engine: Noted, tmp_path: Path) -> Iterator[Outbox]:
    with EvolutionClient(fake.url, "k", instance="sales") as client:
        made = Outbox(tmp_path / "o.db", client=client, engine=engine)
        yield made
        made.close()


def test_a_new_message_is_a_job_and_the_same_key_again_is_none(
    outbox: Outbox, engine: Noted
) -> None:
    made = outbox.messages.send_text(CHAT, "a", key="a", priority=3)
    outbox.messages.send_text(CHAT, "a", key="a")
    (job,) = engine.woken
    assert (job.row_id, job.priority, job.not_before) == (made.id, 3, None)
    assert job.lock is not None
    assert CHAT not in job.lock
    assert engine.written == engine.woken


def test_a_message_for_later_has_its_time_and_no_lock(outbox: Outbox, engine: Noted) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    outbox.messages.send_text(CHAT, "a", not_before=later)
    assert [(one.lock, one.not_before) for one in engine.woken] == [(None, later)]


def test_whoever_hands_over_in_its_own_transaction_wakes_nobody(
    outbox: Outbox, engine: Noted, tmp_path: Path
) -> None:
    outbox.migrate()
    with sqlite3.connect(tmp_path / "o.db") as connection:
        outbox.using(connection).messages.send_text(CHAT, "a")
    connection.close()
    assert (len(engine.written), engine.woken, engine.migrated) == (1, [], 1)


def test_an_engine_that_fails_does_not_harm_a_hand_over(outbox: Outbox, engine: Noted) -> None:
    engine.trouble = OSError("no broker")
    assert outbox.messages.send_text(CHAT, "a", key="a").id
    assert outbox.get("a") is not None


def test_what_is_due_again_is_told_to_the_engine(outbox: Outbox, engine: Noted) -> None:
    made = outbox.messages.send_text(CHAT, "a", key="a")
    outbox.cancel("a")
    engine.woken.clear()
    assert outbox.retry("a")
    assert [one.row_id for one in engine.woken] == [made.id]


def test_the_end_of_a_pause_makes_jobs_that_wait_for_no_other(
    outbox: Outbox, engine: Noted
) -> None:
    made = outbox.messages.send_text(CHAT, "a", key="a")
    outbox.pause("sales")
    outbox.recover()
    engine.woken.clear()
    outbox.resume("sales")
    assert [(one.row_id, one.lock) for one in engine.woken] == [(made.id, None)]


def test_a_job_carries_some_messages_of_a_chat_and_says_when_to_come_again(
    outbox: Outbox, engine: Noted, fake: FakeEvolution
) -> None:
    for number in range(7):
        outbox.messages.send_text(CHAT, str(number))
    row = engine.woken[0].row_id
    again = engine.work.carry(row)
    assert len(fake.sent) == 5
    assert isinstance(again, datetime)
    assert engine.work.carry(row) is None
    assert [one.text for one in fake.sent] == list("0123456")


def test_a_pause_of_a_person_and_a_time_to_come_are_waited_for(
    outbox: Outbox, engine: Noted, fake: FakeEvolution
) -> None:
    outbox.pause("sales")
    outbox.messages.send_text(CHAT, "a")
    later = datetime.now(UTC) + timedelta(hours=1)
    outbox.messages.send_text("5511987650002", "b", not_before=later, instance="other")
    first, second = engine.woken
    before = datetime.now(UTC)
    assert engine.work.carry(first.row_id) > before + timedelta(seconds=20)
    assert abs(engine.work.carry(second.row_id) - later) < timedelta(seconds=1)
    assert fake.sent == []


def test_rows_are_described_as_jobs_in_the_order_they_were_asked_for(
    outbox: Outbox, engine: Noted
) -> None:
    for number in range(3):
        outbox.messages.send_text(f"551198765000{number}", "a")
    rows = [one.row_id for one in reversed(engine.woken)]
    assert engine.work.jobs([*rows, 999]) == list(reversed(engine.woken))
    assert engine.work.recover() == sorted(rows)


def test_the_outbox_starts_no_workers_of_its_own(
    outbox: Outbox, engine: Noted, fake: FakeEvolution
) -> None:
    with outbox:
        outbox.messages.send_text(CHAT, "a")
        assert engine.work.carry(engine.woken[0].row_id) is None
    assert len(fake.sent) == 1
