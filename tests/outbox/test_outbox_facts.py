"""What workers tell observers, and the figures of the store: without a query per message."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from outbox_kit import ALICE, BOB, Desk

from evolution_sdk.outbox import OutboxFact
from evolution_sdk.outbox.facts import OutboxFact as Fact
from evolution_sdk.outbox.records import OutboxState
from evolution_sdk.outbox.settling import Done, Lost, Postponed
from evolution_sdk.outbox.taking import Claim


def claim(kind: str = "send", **changes: Any) -> Claim:
    values: dict[str, Any] = {
        "kind": kind, "id": 1, "key": "k", "instance": "sales", "chat": "c",
        "operation": "message.send_text", "payload": b"", "file": None, "on_unknown": "hold",
        "attempts": 2, "failures": 0, "looks": 0, "given_id": None, "begun_at": 0,
        "begun_steady": 0, "lost_steady": None, "boot": "b", "owner": "w", "wanted_at": 1_000,
        "ticket": "t",
    }  # fmt: skip
    return Claim(**{**values, **changes})


@pytest.mark.parametrize(
    ("kind", "outcome", "result", "waited_ms"),
    [
        ("send", Done(OutboxState.SENT), "sent", 500),
        ("send", Done(OutboxState.FAILED, reason="no"), "failed", None),
        ("send", Postponed(0), "postponed", None),
        ("send", Postponed(0, called=False), "held", None),
        ("send", Lost(0), "lost", None),
        ("look", Done(OutboxState.SENT, found=True), "found", 500),
        ("look", Postponed(0), "absent", None),
        ("look", Lost(0, looked=True), "open", None),
        ("look", Done(OutboxState.UNKNOWN), "unknown", None),
    ],
)
def test_each_outcome_has_its_word(
    kind: str, outcome: Any, result: str, waited_ms: int | None
) -> None:
    fact = Fact.of(claim(kind), outcome, 1_500)
    assert (fact.kind, fact.result, fact.waited_ms) == (kind, result, waited_ms)
    assert (fact.key, fact.instance, fact.attempts) == ("k", "sales", 2)
    assert fact.reason == outcome.reason


def test_a_clock_that_went_back_makes_no_negative_time() -> None:
    assert Fact.of(claim(), Done(OutboxState.SENT), 400).waited_ms == 0


def test_a_repr_names_no_key() -> None:
    assert "invoice" not in repr(Fact.of(claim(key="invoice-of-ana"), Lost(0), 0))


async def test_a_send_is_told_with_its_time_and_no_query(desk: Desk) -> None:
    told: list[OutboxFact] = []
    end = desk.outbox.observe(told.append)
    message = await desk.text(key="a")
    desk.pass_time(3)
    reads: list[int] = []
    reading = desk.outbox._store.reading
    desk.outbox._store.reading = lambda: reads.append(1) or reading()
    await desk.deliver(message)
    assert reads == []
    (fact,) = told
    assert (fact.key, fact.kind, fact.result, fact.attempts) == ("a", "send", "sent", 1)
    assert fact.waited_ms is not None
    assert 3_000 <= fact.waited_ms < 60_000
    end()
    await desk.sent(number=BOB)
    assert len(told) == 1


async def test_a_message_for_later_waits_from_then_on(desk: Desk) -> None:
    told: list[OutboxFact] = []
    desk.outbox.observe(told.append)
    message = await desk.text(key="a")
    desk.pass_time(1_000)
    desk.write("UPDATE evolution_outbox SET not_before = created_at + 999000")
    await desk.deliver(message)
    assert told[0].waited_ms is not None
    assert 1_000 <= told[0].waited_ms < 60_000


async def test_a_lost_answer_is_told_and_the_look_that_found_it(desk: Desk) -> None:
    told: list[OutboxFact] = []
    desk.outbox.observe(told.append)
    desk.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    message = await desk.text(key="a")
    await desk.deliver(message)
    desk.pass_time(3_600)
    await desk.deliver(message)
    assert [(each.kind, each.result) for each in told] == [("send", "lost"), ("look", "found")]
    assert told[1].waited_ms is not None
    assert told[1].waited_ms >= 3_600_000


async def test_an_observer_that_raises_harms_nobody(desk: Desk) -> None:
    told: list[OutboxFact] = []

    def bad(_fact: OutboxFact) -> None:
        raise ValueError("of the program")

    desk.outbox.observe(bad)
    desk.outbox.observe(told.append)
    await desk.sent()
    assert len(told) == 1


async def test_figures_are_read_beside_a_transaction(desk: Desk) -> None:
    """Neither waits for the other: not for the lock of the process, nor for that of the file."""
    await desk.text(key="a")
    desk.outbox.read_stats()
    found: list[Any] = []
    with desk.outbox._store.writing() as (session, _):
        session.run("UPDATE evolution_outbox SET priority = 1")
        reader = threading.Thread(target=lambda: found.append(desk.outbox.read_stats()))
        reader.start()
        reader.join(20)
        assert found, "it waited for the transaction"
    assert found[0].counts == {("sales", "queued"): 1}


async def test_figures_tell_ages_and_causes_of_pauses(desk: Desk) -> None:
    await desk.text(key="a", number=ALICE)
    desk.pass_time(90)
    await desk.run(desk.outbox.pause("sales", reason="lunch"))
    desk.write(
        "INSERT INTO evolution_outbox_instance (instance, paused_until, pause_reason, troubles) "
        "VALUES ('b', ?, 'CircuitOpenError', 2), ('c', ?, 'limit: daily', 0)",
        (2**52, 2**52),
    )
    stats = desk.outbox.read_stats()
    assert 90_000 <= stats.oldest_ms["sales"] < 180_000
    assert {pause.instance: pause.cause for pause in stats.pauses} == {
        "sales": "person",
        "b": "trouble",
        "c": "limit",
    }
