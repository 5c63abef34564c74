"""Promises of every inbox, in memory, in a file and in PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk.events import Event
from evolution_sdk.webhooks import Delivery, Inbox
from evolution_sdk.webhooks.inbox import InboxBatch, InboxEntry

from .conftest import NOW, Kit, posted
from .inbox_places import ALL, DURABLE, Place, place_of


class Steady:
    """Seconds that go on when told."""

    now = 5_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def steady() -> Steady:
    return Steady()


@pytest.fixture(params=ALL)
def place(request: pytest.FixtureRequest, tmp_path: Path, steady: Steady) -> Iterator[Place]:
    with place_of(request.param, tmp_path, steady) as made:
        yield made


@pytest.fixture(params=DURABLE)
def durable(request: pytest.FixtureRequest, tmp_path: Path, steady: Steady) -> Iterator[Place]:
    with place_of(request.param, tmp_path, steady) as made:
        yield made


def entry(key: str, body: bytes = b"{}", chat: str = "") -> InboxEntry:
    return InboxEntry(key, body, received_at=NOW, hint="messages-\ud800", chat=chat)


def bury(inbox: Inbox, one: InboxEntry, error: str = "ValueError") -> None:
    one.failed_at, one.error, one.error_text = NOW + 1, error, "text \ud800 \0"
    one.finished, one.attempts = {"first": False}, 3
    inbox.bury(one)


def test_a_copy_is_told_from_a_new_event(place: Place) -> None:
    inbox = place.make()
    inbox.open()
    first, other = entry("a\ud800\0"), entry("b" * 20_000)
    assert [inbox.add(one, NOW) for one in (first, other)] == ["new", "new"]
    assert first.id != other.id
    inbox.done(first)
    again = [inbox.add(entry(key), NOW) for key in ("a\ud800\0", "b" * 20_000, "c")]
    assert again == ["duplicate", "duplicate", "new"]
    inbox.close()


def test_a_key_is_forgotten_after_its_time(place: Place, steady: Steady) -> None:
    inbox = place.make(dedupe_ms=60_000)
    inbox.open()
    inbox.add(entry("a"), NOW)
    for passed, told in ((50.0, "duplicate"), (11.0, "new"), (50.0, "duplicate")):
        steady.now += passed
        place.passes(passed)
        assert inbox.add(entry("a"), steady.now + NOW) == told
    inbox.close()


@pytest.mark.parametrize("step", [365 * 86_400.0, -365 * 86_400.0])
def test_a_step_of_the_machines_clock_makes_no_copy_new(place: Place, step: float) -> None:
    inbox = place.make()
    inbox.open()
    assert inbox.add(entry("a"), NOW) == "new"
    assert inbox.add(entry("a"), NOW + step) == "duplicate"
    assert inbox.add(entry("b"), NOW + step) == "new"
    assert [inbox.add(entry(key), NOW) for key in "ab"] == ["duplicate", "duplicate"]
    inbox.close()


def test_a_group_is_written_together(durable: Place) -> None:
    inbox: Any = durable.make()
    inbox.open()
    some = [entry(f"{n % 30}", chat=f"{n % 7}") for n in range(40)]
    told = inbox.write_batch(InboxBatch(some), NOW)
    assert told == ["new"] * 30 + ["duplicate"] * 10
    assert [one.id for one in some[:30]] == sorted(one.id for one in some[:30])
    done, dead = some[:20], some[20:30]
    for one in dead:
        one.failed_at, one.error = NOW, "\ud800Error"
    more = [entry("more"), entry("5")]
    assert inbox.write_batch(InboxBatch(more, done, dead), NOW) == ["new", "duplicate"]
    assert [one.key for one in inbox.dead(99)] == [one.key for one in dead]
    durable.crash(inbox)
    later = durable.make()
    assert [one.key for one in later.open()] == ["more"]
    later.close()


def test_what_was_accepted_is_there_after_a_crash(durable: Place) -> None:
    first = durable.make()
    assert first.open() == []
    kept, done = entry("a\ud800", b'{"x":1}'), entry("b")
    assert [first.add(one, NOW) for one in (kept, done)] == ["new", "new"]
    first.done(done)
    durable.crash(first)
    second = durable.make()
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


def test_processes_share_events_and_take_over_from_the_dead(durable: Place) -> None:
    one, two = durable.make(), durable.make()
    assert (one.open(), two.open()) == ([], [])
    one.add(entry("1"), NOW)
    two.add(entry("2"), NOW)
    assert two.add(entry("1"), NOW) == "duplicate"
    three = durable.make()
    assert three.open() == [], "the others live"
    durable.crash(two)
    four = durable.make()
    assert [left.key for left in four.open()] == ["2"]
    durable.crash(one)
    durable.crash(four)
    five = durable.make()
    assert sorted(left.key for left in five.open()) == ["1", "2"]
    for inbox in (three, five):
        inbox.close()


def test_the_receiver_handles_what_was_left(kit: Kit, durable: Place) -> None:
    deliveries: list[Delivery] = []

    def note(event: Event[Any], delivery: Delivery) -> None:
        deliveries.append(delivery)

    left = durable.make()
    left.open()
    left.add(InboxEntry("k", posted(7), received_at=NOW - 9), NOW)
    durable.crash(left)
    kit.router.add(note, Event)
    receiver = kit.receiver(inbox=durable.where).start()
    assert receiver.drain()
    assert [one.raw["data"]["key"]["id"] for one in kit.seen] == ["ID7"]
    assert deliveries[0].recovered
    assert deliveries[0].received_at.timestamp() == NOW - 9
    assert receiver.metrics().recovered == 1
    receiver.close()
    again = durable.make()
    assert again.open() == []
    again.close()


def test_a_close_leaves_what_waits(kit: Kit, durable: Place) -> None:
    opened = threading.Event()
    begun = threading.Event()

    def wait(event: Event[Any]) -> None:
        begun.set()
        opened.wait(10)

    kit.router.add(wait, Event, priority=1)
    receiver = kit.receiver(inbox=durable.where, concurrency=1)
    for number in (1, 2):
        kit.post(receiver, posted(number))
    begun.wait(10)
    threading.Timer(0, opened.set).start()
    receiver.close()
    after = durable.make()
    assert len(after.open()) + receiver.metrics().handled == 2
    after.close()


def test_dead_letters_outlive_the_process(kit: Kit, durable: Place) -> None:
    kit.router.add(lambda event: {}["body"], Event, name="bad")
    receiver = kit.receiver(inbox=durable.where)
    kit.post(receiver, posted(1))
    assert receiver.drain()
    receiver.close()
    later = kit.receiver(inbox=durable.where)
    (letter,) = later.dead_letters()
    assert (letter.error, letter.error_text, letter.attempts) == ("KeyError", "'body'", 1)
    later.start()
    assert later.replay() == 1
    assert later.drain()
    assert len(kit.seen) == 1, "the handler that had finished is not called again"
    assert later.dead_letters()[0].attempts == 2
    assert later.discard() == 1
    later.close()


def test_dead_letters_are_kept_whole_and_replayed_or_discarded(place: Place) -> None:
    inbox = place.make()
    inbox.open()
    some = [entry(f"{n}", b'{"n":%d}' % n) for n in range(6)]
    for one in some:
        inbox.add(one, NOW)
    for one in some[:5]:
        bury(inbox, one)
    first, second = inbox.dead(2)
    assert (first.key, first.body, first.error, first.error_text, first.attempts) == (
        "0", b'{"n":0}', "ValueError", "text \ud800 \0", 3,
    )  # fmt: skip
    assert (first.finished, first.failed_at, second.key) == ({"first": False}, NOW + 1, "1")
    assert inbox.count_dead() == 5
    (back,) = inbox.revive([some[2].id, some[2].id, 10**9])
    assert (back.key, back.finished, back.attempts) == ("2", {"first": False}, 3)
    assert inbox.count_dead() == 4
    assert inbox.discard([some[3].id, some[3].id, some[5].id, 10**9]) == 1, "a waiting one stays"
    assert [one.key for one in inbox.revive(None)] == ["0", "1", "4"]
    assert inbox.discard(None) == 0
    bury(inbox, back)
    assert inbox.discard(None) == 1
    inbox.close()


def test_keys_and_dead_letters_are_bounded(place: Place) -> None:
    inbox = place.make(max_keys=100, max_dead=2)
    inbox.open()
    for number in range(300):
        one = entry(f"k{number}")
        inbox.add(one, NOW)
        if number < 5:
            bury(inbox, one)
        else:
            inbox.done(one)
    assert [one.key for one in inbox.dead(9)] == ["k3", "k4"]
    assert inbox.add(entry("k299"), NOW) == "duplicate"
    assert inbox.add(entry("k1"), NOW) == "new"
    inbox.close()


def test_a_closed_inbox_opens_again(durable: Place) -> None:
    inbox = durable.make()
    inbox.open()
    inbox.add(entry("a"), NOW)
    inbox.close()
    inbox.close()
    assert [one.key for one in inbox.open()] == ["a"]
    inbox.close()
