"""An inbox that several machines share: who owns what, in which order, and when it changes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk._sql.troubles import DatabaseError
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import Event, EventRouter
from evolution_sdk.webhooks import PostgresInbox
from evolution_sdk.webhooks.inbox import InboxBatch, InboxEntry
from evolution_sdk.webhooks.postgres_adoption import LEFT_BEHIND, WAITING
from evolution_sdk.webhooks.postgres_writes import (
    KNOWN_KEYS,
    LAST_OF_CHATS,
    OLD_DEAD,
    OLDEST_KEYS,
    add_events,
)
from evolution_sdk.webhooks.shared_inbox import LeaseLostError

from .conftest import NOW, Kit, posted
from .inbox_places import Place, place_of, silence

LEASE_S = 15.0
ROOM = (1_000, 10**9)


class Steady:
    """Seconds that go on when told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def steady() -> Steady:
    return Steady()


@pytest.fixture
def place(tmp_path: Path, steady: Steady) -> Iterator[Place]:
    with place_of("postgres", tmp_path, steady) as made:
        yield made


def opened(place: Place, **options: Any) -> PostgresInbox:
    made: Any = place.make(**options)
    made.open()
    return made


def entry(key: str, chat: str = "", size: int = 2) -> InboxEntry:
    return InboxEntry(key, b"x" * size, received_at=NOW, chat=chat)


def accept(inbox: PostgresInbox, key: str, chat: str) -> InboxEntry:
    made = entry(key, chat)
    assert inbox.add(made, NOW) == "new"
    return made


def adopted(inbox: PostgresInbox, *held: InboxEntry) -> list[str]:
    return [one.key for one in inbox.adopt([one.id for one in held], *ROOM).entries]


def expire(place: Place, inbox: PostgresInbox) -> None:
    """The lease is over, as the database sees it."""
    place.sql("UPDATE evolution_inbox_receiver SET until = now() - interval '1 s' "
              f"WHERE id = {inbox._lease.id}")  # fmt: skip


# --- order ----------------------------------------------------------------------------------------


def test_events_of_a_chat_go_to_the_machine_that_handles_the_chat(place: Place) -> None:
    one, two = opened(place), opened(place)
    first = accept(one, "1", "chat")
    second, other = accept(two, "2", "chat"), accept(two, "3", "other")
    assert (first.held, second.held, other.held) == (True, False, True)
    assert adopted(two, other) == []
    third = accept(one, "4", "chat")
    assert not third.held, "it must not overtake the second"
    assert adopted(one, first) == ["2", "4"]
    fifth = accept(one, "5", "chat")
    assert fifth.held
    for done in (first, second, third, fifth):
        one.done(done)
    assert accept(two, "6", "chat").held, "a chat without unfinished events is anybody's"


def test_events_without_a_chat_stay_where_they_came(place: Place) -> None:
    one, two = opened(place), opened(place)
    assert accept(one, "1", "").held
    assert accept(two, "2", "").held


def test_a_copy_of_another_machine_is_a_copy(place: Place) -> None:
    one, two = opened(place), opened(place)
    told: list[str] = []
    some = [entry(f"{n}", f"{n % 5}") for n in range(200)]
    crowd = [
        threading.Thread(
            target=lambda inbox=inbox: told.extend(
                inbox.write_batch(InboxBatch([entry(x.key, x.chat) for x in some]), NOW)
            )
        )
        for inbox in (one, two)
    ]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join(30)
    assert (told.count("new"), told.count("duplicate")) == (200, 200)


# --- who goes -------------------------------------------------------------------------------------


def test_a_machine_that_closes_leaves_its_events_at_once(place: Place) -> None:
    one, two = opened(place), opened(place)
    accept(one, "1", "chat")
    waits = accept(two, "2", "chat")
    one.close()
    assert not waits.held
    found = two.adopt((), *ROOM).entries
    assert [(left.key, left.recovered) for left in found] == [("1", True), ("2", False)]
    two.adopt([left.id for left in found], *ROOM)
    assert len(place.sql("SELECT id FROM evolution_inbox_receiver")) == 1, "it is forgotten"


def test_a_machine_that_falls_silent_is_succeeded_while_others_run(place: Place) -> None:
    one, two = opened(place), opened(place)
    accept(one, "1", "chat")
    silence(one)
    assert adopted(two) == [], "its lease is not over"
    place.sql("UPDATE evolution_inbox_receiver SET until = now() - interval '1 s' WHERE until = "
              "(SELECT min(until) FROM evolution_inbox_receiver)")  # fmt: skip
    assert adopted(two) == ["1"]


def test_a_dead_machine_has_one_heir_for_each_chat(place: Place) -> None:
    dead = opened(place)
    for number in range(300):
        accept(dead, f"{number}", f"{number % 150}")
    place.crash(dead)
    heirs = [opened(place) for _ in range(2)]  # the first takes over while it is opened
    got: list[tuple[int, str]] = []
    for number, heir in enumerate(heirs):
        got += [(number, key) for key in adopted(heir)]
    owners = place.sql("SELECT chat, count(DISTINCT owner) FROM evolution_inbox_event GROUP BY 1")
    assert {count for _, count in owners} == {1}
    assert len({key for _, key in got}) == len(got)


def test_after_an_outage_all_come_back_before_anybody_takes_over(
    place: Place, steady: Steady
) -> None:
    one, two = (opened(place, clock=steady) for _ in range(2))
    kept = accept(one, "1", "chat")
    steady.now += 60
    assert not one.holds()
    assert not two.holds()
    expire(place, one)
    two._lease.renew()
    assert two.holds()
    assert adopted(two) == [], "the other one may come back, too"
    one._lease.renew()
    assert one.holds()
    assert adopted(one, kept) == []
    steady.now += LEASE_S
    expire(place, one)
    assert adopted(two) == ["1"], "it had the time, and did not"


def test_a_machine_without_room_leaves_events_to_others(place: Place) -> None:
    dead, one, two = opened(place), opened(place), opened(place)
    for number in range(5):
        accept(dead, f"{number}", f"{number}")
    place.crash(dead)
    assert one.adopt((), 0, 10**9).entries == []
    assert len(one.adopt((), 2, 10**9).entries) == 2
    assert adopted(two) == [], "one is their owner now"
    assert len(one.adopt([1], 2, 3).entries) == 1, "two bytes each"
    assert len(one.adopt([1], 9, 1).entries) == 0
    assert len(one.adopt((), 9, 1).entries) == 1, "one of any size, when nothing is held"


# --- who was away ---------------------------------------------------------------------------------


def test_a_frozen_machine_learns_that_it_was_succeeded(place: Place, steady: Steady) -> None:
    frozen, heir = opened(place, clock=steady), opened(place)
    first, second = accept(frozen, "1", "chat"), accept(frozen, "2", "chat")
    steady.now += 2 * LEASE_S
    expire(place, frozen)
    assert adopted(heir) == ["1", "2"]
    assert not frozen.holds(), "its own clock tells, before anybody is asked"
    with pytest.raises(LeaseLostError, match="begins anew"):
        frozen.add(entry("3", "chat"), NOW)
    frozen.done(first)
    first.failed_at = second.failed_at = NOW
    frozen.bury(second)
    assert frozen.count_dead() == 0, "the heir may still succeed"
    found = frozen.adopt([1, 2], *ROOM)
    assert (found.lost, list(found.entries)) == (True, [])
    assert frozen.holds()
    assert adopted(frozen) == []
    third = accept(frozen, "3", "chat")
    assert not third.held
    assert adopted(heir, second) == ["3"]


def test_a_heartbeat_finds_a_lost_lease(place: Place) -> None:
    frozen, heir = opened(place), opened(place)
    accept(frozen, "1", "chat")
    expire(place, frozen)
    adopted(heir)
    assert frozen.holds()
    frozen._lease.renew()
    assert not frozen.holds()
    assert frozen.adopt((), *ROOM).lost


def test_a_commit_that_may_have_been_done_loses_no_event(place: Place) -> None:
    inbox = opened(place)
    before = accept(inbox, "0", "other")

    def broken() -> None:
        with inbox._writing() as session:
            add_events(session, inbox._lease, [entry("1", "chat")], 60.0, at_once=True)
            session.run("COMMIT")
            raise DatabaseError("unavailable", "the connection broke", broken=True)

    with pytest.raises(DatabaseError):
        broken()
    assert inbox.add(entry("1", "chat"), NOW) == "duplicate", "the server's second attempt"
    second = accept(inbox, "2", "chat")
    assert not second.held
    assert adopted(inbox, before) == ["1", "2"]
    assert accept(inbox, "3", "chat").held


# --- dead letters ---------------------------------------------------------------------------------


def test_a_dead_letter_is_replayed_by_whoever_handles_its_chat(place: Place) -> None:
    one, two = opened(place), opened(place)
    for number, chat in enumerate(("busy", "free")):
        bad = accept(one, f"{number}", chat)
        bad.failed_at = NOW
        one.bury(bad)
    busy = accept(one, "2", "busy")
    assert [letter.key for letter in two.dead(9)] == ["0", "1"]
    assert [(back.key, back.held) for back in two.revive(None)] == [("0", False), ("1", True)]
    assert adopted(one, busy) == ["0"]
    assert two.count_dead() == 0


# --- receivers ------------------------------------------------------------------------------------


def test_receivers_behind_a_balancer_handle_each_event_once_and_in_order(
    kit: Kit, place: Place
) -> None:
    seen: list[tuple[str, int]] = []
    busy: set[str] = set()
    both: list[str] = []
    lock = threading.Lock()

    def note(event: Event[Any]) -> None:
        chat, number = event.raw["data"]["key"]["remoteJid"], event.raw["data"]["key"]["id"]
        with lock:
            if chat in busy:
                both.append(chat)
            busy.add(chat)
            seen.append((chat, int(number[2:])))
        with lock:
            busy.discard(chat)

    routers = [EventRouter(), EventRouter()]
    for router in routers:
        router.add(note, Event)
    receivers = [kit.receiver(router=router, inbox=place.make()) for router in routers]
    for number in range(120):
        body = posted(number, chat=f"{number % 6}@g.us")
        assert kit.post(receivers[number % 2], body) == 200
        assert kit.post(receivers[(number // 3) % 2], body) == 200, "a copy, to either"
    while len(seen) < 120:
        for receiver in receivers:
            receiver._queue.adopt()
            assert receiver.drain(timeout_ms=10_000)
    assert both == []
    for chat in range(6):
        got = [number for name, number in seen if name == f"{chat}@g.us"]
        assert got == sorted(got)
        assert len(got) == 20
    assert sum(one.metrics().duplicates for one in receivers) == 120


def test_a_receiver_begins_nothing_without_its_lease_and_goes_on_with_one(
    kit: Kit, place: Place, steady: Steady
) -> None:
    inbox = place.make(clock=steady)
    receiver = kit.receiver(inbox=inbox)
    receiver._queue.open()
    assert kit.post(receiver) == 200
    receiver._pool.workers.drain(10)  # type: ignore[union-attr]  # threads
    steady.now += 2 * LEASE_S
    assert kit.post(receiver, posted(2)) == 200, "the database says that it may"
    assert receiver._queue.take() is None
    assert len(kit.seen) == 1
    inbox._lease.renew()  # type: ignore[attr-defined]
    receiver._queue.adopt()
    assert receiver.drain()
    assert len(kit.seen) == 2


def test_a_receiver_drops_what_others_have_taken_over(kit: Kit, place: Place) -> None:
    go_on, begun = threading.Event(), threading.Event()

    def wait(event: Event[Any]) -> None:
        begun.set()
        assert go_on.wait(20)

    kit.router.add(wait, Event, priority=1)
    inbox: Any = place.make()
    receiver = kit.receiver(inbox=inbox, concurrency=1)
    for number in range(4):
        assert kit.post(receiver, posted(number, chat=f"{number}@g.us")) == 200
    assert begun.wait(10)
    heir = opened(place)
    expire(place, inbox)
    assert len(adopted(heir)) == 4
    inbox._lease.renew()
    receiver._queue.adopt()
    assert receiver.metrics().queue_depth == 0
    assert receiver.metrics().in_flight == 1
    assert kit.post(receiver, posted(9, chat="9@g.us")) == 200
    go_on.set()
    assert receiver.drain()
    assert sorted(one.raw["data"]["key"]["id"] for one in kit.seen) == ["ID0", "ID9"]


def test_an_unreachable_database_is_answered_with_503_and_comes_back(
    kit: Kit, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox: Any = place.make()
    receiver = kit.receiver(inbox=inbox)
    assert kit.post(receiver, posted(1)) == 200

    def gone() -> Any:
        raise DatabaseError("unavailable", "PostgreSQL: gone", broken=True)

    with monkeypatch.context() as broken:
        broken.setattr(inbox._database._connections, "one", gone)
        assert kit.post(receiver, posted(2)) == 503
        with pytest.raises(ConfigurationError, match="Check that the database runs"):
            receiver.dead_letters()
    assert kit.post(receiver, posted(2)) == 200
    receiver._queue.adopt()
    assert receiver.drain()
    assert len(kit.seen) == 2


# --- the tables -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "values", "index"),
    [
        (WAITING, (1, 1, 10), "evolution_inbox_waiting"),
        (LEFT_BEHIND, (1, 1, 10), "evolution_inbox_owner"),
        (LAST_OF_CHATS, ([b"chat"],), "evolution_inbox_chat"),
        (OLD_DEAD, (10**9, 5, 10), "evolution_inbox_dead"),
        (KNOWN_KEYS, ([b"k"], 1.0), "evolution_inbox_key_key_key"),
        (OLDEST_KEYS, (10, 1.0, 5), "evolution_inbox_key_pkey"),
    ],
)
def test_what_is_asked_for_again_and_again_is_found_by_an_index(
    place: Place, query: str, values: tuple[Any, ...], index: str
) -> None:
    inbox = opened(place)
    place.sql("INSERT INTO evolution_inbox_event (chat, owner, handed, key, body, source, "
              "received_at, failed_at) SELECT decode(md5((n / 9)::text), 'hex'), n % 5, n % 2 = 0, "
              "''::bytea, ''::bytea, 'webhook', 0, CASE WHEN n % 50 = 0 THEN 1 END "
              "FROM generate_series(1, 20000) AS n")  # fmt: skip
    place.sql("INSERT INTO evolution_inbox_key (key, at) SELECT decode(md5(n::text), 'hex'), n "
              "FROM generate_series(1, 20000) AS n")  # fmt: skip
    place.sql("ANALYZE")
    with inbox._database.reading() as session:
        plan = "\n".join(row[0] for row in session.run(f"EXPLAIN {query}", values))
    assert index in plan
    assert "Seq Scan" not in plan


def test_the_tables_are_made_once_and_by_one(place: Place) -> None:
    many: list[Any] = [place.make() for _ in range(4)]
    crowd = [threading.Thread(target=inbox.open) for inbox in many]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join(30)
    assert all(inbox.holds() for inbox in many)
    assert place.sql("SELECT part, version FROM evolution_sdk_schema") == [("inbox", 1)]


def test_tables_of_a_newer_version_are_a_clear_error(place: Place) -> None:
    opened(place).close()
    place.sql("UPDATE evolution_sdk_schema SET version = 99")
    with pytest.raises(ConfigurationError, match=r"version 99.*Upgrade"):
        place.make().open()


def test_an_account_may_use_tables_that_it_may_not_make(place: Place) -> None:
    import psycopg

    role = place.where.rpartition("%3D")[2]
    schema, user = role, f"{role}_user"
    address = place.where.replace("postgres@", f"{user}:se-cret@")
    place.sql(f"CREATE ROLE {user} LOGIN PASSWORD 'se-cret'")
    place.sql(f"GRANT USAGE ON SCHEMA {schema} TO {user}")
    try:
        with pytest.raises(ConfigurationError, match="right to read and write") as refused:
            PostgresInbox(address).open()
        assert "se-cret" not in str(refused.value)
        opened(place).close()
        for what in ("TABLES", "SEQUENCES"):
            place.sql(f"GRANT ALL ON ALL {what} IN SCHEMA {schema} TO {user}")
        inbox = PostgresInbox(address)
        inbox.open()
        assert inbox.add(entry("1"), NOW) == "new"
        inbox.close()
    finally:
        with psycopg.connect(place.where, autocommit=True) as db:
            db.execute(f"DROP OWNED BY {user}")
            db.execute(f"DROP ROLE {user}")


def test_a_password_is_never_shown(kit: Kit) -> None:
    address = "postgresql://me:se-cret@127.0.0.1:1/none?connect_timeout=1"
    inbox = PostgresInbox(address)
    with pytest.raises(ConfigurationError, match="cannot be used") as error:
        inbox.open()
    receiver = kit.receiver(inbox=address)
    with pytest.raises(ConfigurationError) as other:
        receiver.start()
    shown = f"{inbox!r} {inbox.__dict__['_database']!r} {error.value} {other.value} {receiver!r}"
    assert "se-cret" not in shown
    assert kit.post(receiver) == 503, "the server posts it again"


@pytest.mark.parametrize("name", ["lease_ms", "adopt_every_ms"])
def test_a_time_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        PostgresInbox("postgresql://localhost/test", **{name: 0})  # type: ignore[arg-type]
