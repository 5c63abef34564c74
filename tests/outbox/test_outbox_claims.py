"""Who holds a chat: one at a time, whatever is lost, repeated, late or dead; on both stores."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import outbox_drill as drill
import pytest

from evolution_sdk import EvolutionClient
from evolution_sdk._sql.troubles import DatabaseError
from evolution_sdk.errors import OutboxStoreError
from evolution_sdk.outbox import Outbox, OutboxMessage, OutboxState
from evolution_sdk.outbox.claims import Claim
from evolution_sdk.outbox.payload import Payload
from evolution_sdk.outbox.settling import Done, Lost, Outcome, Postponed
from evolution_sdk.outbox.store import OutboxStore, Turn
from evolution_sdk.outbox.workers import Worker
from evolution_sdk.reconcile.server_clock import Moment

CHAT = "5511987654321"
SENT = Done(OutboxState.SENT, message_id="3EB0A")


class Kit:
    """A store, and workers that somebody drives by hand."""

    def __init__(self, place: str, client: EvolutionClient) -> None:
        self.outbox = Outbox(place, client=client)
        self.outbox.migrate()
        self.store: OutboxStore = self.outbox._store
        self.place = place

    def worker(self, lease_ms: float = 60_000) -> Worker:
        made = Worker.new(self.store.new_slots(), lease_ms)
        self.store.enlist(made)
        return made

    def put(self, text: str = "oi", **options: Any) -> OutboxMessage:
        return self.outbox.messages.send_text(CHAT, text, **options)

    def visit(self, worker: Worker, *endings: tuple[Claim, Outcome], want: int = 1) -> list[Claim]:
        # New rows are looked for at most every 100 ms while there is other work.
        self.store._looked_round = 0
        turn = Turn(endings=endings, want=want)
        return self.store.visit(worker, turn, lambda *_: None).claims

    def row(self, key: str) -> OutboxMessage:
        found = self.outbox.get(key)
        assert found is not None
        return found

    def run(self, sql: str, *values: Any) -> list[Any]:
        with self.store.writing() as (session, _):
            return session.run(sql, values)


@pytest.fixture(params=["sqlite", "postgres"])
def kit(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kit]:
    with (
        drill.place(request.param, tmp_path) as place,
        EvolutionClient("http://127.0.0.1:9", "k", instance="sales") as client,
    ):
        made = Kit(place, client)
        yield made
        made.outbox.close()


def test_one_chat_has_one_worker_and_goes_in_order(kit: Kit) -> None:
    first, second = kit.worker(), kit.worker()
    for number in range(3):
        kit.put(f"n {number}", key=f"k{number}")
    (claim,) = kit.visit(first)
    assert claim.key == "k0"
    assert kit.visit(second) == []
    (claim,) = kit.visit(first, (claim, SENT))
    assert claim.key == "k1"


def test_an_ending_that_is_written_twice_lets_no_later_claim_go(kit: Kit) -> None:
    worker = kit.worker()
    kit.put(key="k0")
    kit.put(key="k1")
    (first,) = kit.visit(worker)
    (second,) = kit.visit(worker, (first, SENT))
    assert second.key == "k1"
    # The answer to the commit was lost: its thread writes it down once more.
    assert kit.visit(worker, (first, SENT)) == []
    assert kit.visit(worker, (first, Postponed(0, called=False))) == []
    assert kit.row("k1").state is OutboxState.SENDING
    assert kit.row("k0").state is OutboxState.SENT


def test_a_look_that_is_told_late_does_not_queue_what_is_being_sent(kit: Kit) -> None:
    worker = kit.worker()
    kit.put(key="k0")
    (send,) = kit.visit(worker)
    (look,) = kit.visit(worker, (send, Lost(0)))
    assert (look.kind, look.id) == ("look", send.id)
    (again,) = kit.visit(worker, (look, Postponed(0, None, "absent")))
    assert (again.kind, again.id) == ("send", send.id)
    assert kit.visit(worker, (look, Postponed(0, None, "absent")), want=5) == []
    assert kit.row("k0").state is OutboxState.SENDING


def test_what_was_lost_at_once_is_looked_for_though_nothing_waits_behind_it(kit: Kit) -> None:
    worker = kit.worker()
    kit.put(key="k0")
    (claim,) = kit.visit(worker)
    (look,) = kit.visit(worker, (claim, Lost(0, "stopped in the middle of the call")))
    assert (look.kind, look.key) == ("look", "k0")


def test_claims_whose_commit_failed_are_given_back(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, other = kit.worker(), kit.worker()
    kit.put(key="k0")
    database = type(kit.store.database)
    writing = database.writing

    @contextmanager
    def answer_lost(self: Any) -> Iterator[Any]:
        with writing(self) as session:
            yield session
        raise DatabaseError("unavailable", "the answer to the commit was lost", broken=True)

    with monkeypatch.context() as patch:
        patch.setattr(database, "writing", answer_lost)
        with pytest.raises(OutboxStoreError):
            kit.visit(worker)
    assert kit.row("k0").state is OutboxState.SENDING
    # Whatever another thread of the same process does first.
    (claim,) = kit.visit(worker)
    assert (claim.kind, claim.key, claim.attempts) == ("send", "k0", 1)
    assert kit.visit(other) == []


def test_who_does_not_wait_for_its_claim_gives_it_back(kit: Kit) -> None:
    worker = kit.worker()
    kit.put(key="k0")
    kit.store._looked_round = 0
    turn = Turn(want=1)
    kit.store.abandon(turn)
    kit.store.visit(worker, turn, lambda *_: None)
    (claim,) = kit.visit(worker)
    assert (claim.kind, claim.attempts) == ("send", 1)
    got = Turn(endings=[(claim, SENT)])
    kit.store.abandon(got)
    kit.store.flush()
    assert kit.row("k0").state is OutboxState.SENT


def test_late_news_that_it_was_sent_count_and_other_late_news_do_not(kit: Kit) -> None:
    first, second = kit.worker(), kit.worker()
    kit.put(key="k0")
    (late,) = kit.visit(first)
    with kit.store.writing() as (session, now):
        from evolution_sdk.outbox.workers import leave

        leave(session, first, now)
    (look,) = kit.visit(second)
    assert (look.kind, look.owner) == ("look", first.id)
    kit.visit(first, (late, Postponed(0)), want=0)
    assert kit.row("k0").state is OutboxState.SENDING
    kit.visit(first, (late, SENT), want=0)
    assert kit.row("k0").state is OutboxState.SENT
    # What the other one thinks does not undo it.
    kit.visit(second, (look, Postponed(0, None, "absent")), want=0)
    assert kit.row("k0").state is OutboxState.SENT


def test_a_buried_worker_gets_no_work(kit: Kit) -> None:
    worker = kit.worker()
    kit.put(key="k0")
    kit.run("DELETE FROM evolution_outbox_worker WHERE id = ?", worker.id)
    kit.store._looked_round = 0
    turn = kit.store.visit(worker, Turn(want=1), lambda *_: None)
    assert (turn.claims, turn.buried) == ([], True)
    found = kit.store.claim_row(worker, kit.row("k0").id, lambda *_: None, Turn())
    assert found == "buried"


def test_a_lease_counts_from_before_the_store_was_asked_and_only_once_it_is_written(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker.new(None, 10_000)
    times = [0.0]
    worker.steady = lambda: times[0]
    writing = OutboxStore.writing

    @contextmanager
    def slow(self: OutboxStore, key: str | None = None) -> Iterator[Any]:
        with writing(self, key) as (session, now):
            times[0] += 60_000  # frozen right after the store read its clock
            yield session, now

    with monkeypatch.context() as patch:
        patch.setattr(OutboxStore, "writing", slow)
        kit.store.enlist(worker)
    assert worker.valid_until == 8_000
    assert not worker.may_call()

    @contextmanager
    def refused(self: OutboxStore, key: str | None = None) -> Iterator[Any]:
        with writing(self, key) as told:
            yield told
            raise OutboxStoreError("not committed", kind="unavailable")

    times[0] = 7_000
    with monkeypatch.context() as patch:
        patch.setattr(OutboxStore, "writing", refused)
        with pytest.raises(OutboxStoreError):
            kit.store.tend(worker)
    assert worker.valid_until == 8_000
    kit.store.tend(worker)
    assert worker.valid_until == 15_000


def test_an_earlier_message_that_was_not_lined_up_goes_first_all_the_same(kit: Kit) -> None:
    worker = kit.worker()
    early = kit.put("first", key="k0")
    kit.put("second", key="k1")
    # As when another transaction held the first row while the second was lined up.
    kit.run("UPDATE evolution_outbox SET lined_up = 1 WHERE id = ?", early.id + 1)
    kit.run(
        "INSERT INTO evolution_outbox_instance (instance) VALUES ('sales') ON CONFLICT DO NOTHING"
    )
    (chat,) = kit.run("SELECT chat FROM evolution_outbox WHERE id = ?", early.id)
    kit.run(
        "INSERT INTO evolution_outbox_chat (instance, chat, head, priority, state, ready_at) "
        "VALUES ('sales', ?, ?, 0, 'ready', 0)",
        chat[0],
        early.id + 1,
    )
    kit.store._looked_round = 2**60
    claim = kit.store.visit(worker, Turn(want=1), lambda *_: None).claims[0]
    assert claim.key == "k0"


def test_recover_names_a_row_that_is_still_to_be_sent(kit: Kit) -> None:
    worker = kit.worker()
    kit.put(key="k0")
    second = kit.put(key="k1")
    assert kit.store.due_rows(worker) == [second.id - 1]
    assert kit.outbox.cancel("k0")
    assert kit.store.due_rows(worker) == [second.id]


def test_a_chat_that_somebody_holds_holds_up_no_other(kit: Kit) -> None:
    if not kit.store.is_shared:
        pytest.skip("a SQLite file has one writer at a time")
    worker = kit.worker()
    kit.put(key="k0")
    (claim,) = kit.visit(worker)
    kit.put(key="k1")
    kit.outbox.messages.send_text("5511900000001", "to another", key="k2")
    with kit.store.database.writing() as frozen:
        frozen.run("SELECT 1 FROM evolution_outbox_chat FOR UPDATE")
        (other,) = kit.visit(worker)
        assert other.key == "k2"
    (next_,) = kit.visit(worker, (claim, SENT))
    assert next_.key == "k1"


def test_a_cancelled_message_is_not_claimed_and_a_claimed_one_is_not_cancelled(kit: Kit) -> None:
    worker = kit.worker()
    for number in range(40):
        kit.outbox.messages.send_text(f"55119000000{number:02}", "oi", key=f"k{number}")
    barrier = threading.Barrier(2)

    def cancel() -> list[str]:
        barrier.wait()
        return [f"k{number}" for number in range(40) if kit.outbox.cancel(f"k{number}")]

    def claim() -> list[str]:
        barrier.wait()
        return [one.key for _ in range(20) for one in kit.visit(worker, want=3)]

    with ThreadPoolExecutor(2) as pool:
        taken_back, claimed = pool.submit(cancel), pool.submit(claim)
        gone, got = set(taken_back.result()), claimed.result()
    got += [one.key for one in kit.visit(worker, want=40)]
    assert not gone & set(got)
    assert len(gone) + len(set(got)) == 40


def test_what_no_database_takes_does_not_keep_a_sent_message_from_being_noted(kit: Kit) -> None:
    worker = kit.worker()
    kit.put(key="k0")
    (claim,) = kit.visit(worker)
    odd = Done(OutboxState.SENT, message_id="3EB0\0\ud800", remote_jid="\0", reason="a\0b\udfff")
    kit.visit(worker, (claim, odd), want=0)
    assert kit.row("k0").state is OutboxState.SENT
    assert kit.row("k0").message_id == "3EB0??"


def test_a_started_machine_lets_waits_begin_anew(tmp_path: Path) -> None:
    class Machine:
        wall, mono = 2_000_000_000.0, 500.0

        def time(self) -> float:
            return self.wall

        def monotonic(self) -> float:
            return self.mono

    clock = Machine()
    with EvolutionClient("http://127.0.0.1:9", "k", instance="sales", clock=clock) as client:
        kit = Kit(str(tmp_path / "o.db"), client)
        worker = kit.worker()
        kit.put(key="k0")
        (claim,) = kit.visit(worker)
        kit.visit(worker, (claim, Lost(60_000)), want=0)
        assert kit.visit(worker) == []
        # Its clock lies years behind after the start, as without a battery.
        kit.run("UPDATE evolution_outbox_boot SET boot = 'the start before'")
        clock.wall, clock.mono = 1_000_000_000.0, 3.0
        kit.store.tend(worker)
        (look,) = kit.visit(worker)
        assert look.kind == "look"
        facts = kit.store.look_facts(look, Moment(clock.mono, clock.wall))
        assert facts.passed_ms == 0
        assert facts.told == ()
        clock.mono += 7
        assert kit.store.look_facts(look, Moment(clock.mono, clock.wall)).passed_ms == 7_000
        kit.outbox.close()


@pytest.mark.parametrize("state", ["unknown", "sent", "server", "delivered", "read", "refused"])
def test_every_message_of_unknown_id_counts_once_as_a_rival_of_an_equal_one(
    kit: Kit, state: str
) -> None:
    worker = kit.worker()
    kit.put(key="k0")
    kit.put(key="k1")
    (first,) = kit.visit(worker)
    (second,) = kit.visit(worker, (first, Done(OutboxState.SENT, message_id=None)))
    kit.run("UPDATE evolution_outbox SET state = ? WHERE id = ?", state, first.id)
    kit.visit(worker, (second, Lost(0)), want=0)
    (look,) = kit.visit(worker)
    assert (look.kind, look.id) == ("look", second.id)
    facts = kit.store.look_facts(look, Moment(500.0, 2_000_000_000.0))
    ((chat, content),) = facts.rivals
    assert chat == look.chat
    assert content is not None
    assert content.differs(Payload.load(look.payload, None)) == ()
    # One that another version wrote may be equal, and stops no look.
    kit.run("UPDATE evolution_outbox SET payload = ? WHERE id = ?", b'{"shape": "new"}', first.id)
    facts = kit.store.look_facts(look, Moment(500.0, 2_000_000_000.0))
    assert facts.rivals == ((chat, None),)
