"""However many messages there are: no claim, look or question reads the whole table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from outbox_kit import ALICE

from evolution_sdk import EvolutionClient
from evolution_sdk._sql.postgres import PostgresSession
from evolution_sdk._sql.sqlite import SqliteSession
from evolution_sdk.outbox import Outbox, OutboxState
from evolution_sdk.outbox.claims import Claim
from evolution_sdk.outbox.settling import Done, Lost, Outcome
from evolution_sdk.outbox.store import Turn
from evolution_sdk.outbox.workers import Worker
from evolution_sdk.reconcile.server_clock import Moment

MANY = 3_000
Asked = list[tuple[str, Any]]


class Bench:
    """An outbox with many messages in every state, of which each statement is seen."""

    def __init__(self, place: str, client: EvolutionClient, patch: pytest.MonkeyPatch) -> None:
        self.outbox = Outbox(place, client=client)
        self.outbox.migrate()
        self.store = self.outbox._store
        self.outbox.put_many(
            [self.outbox.drafts.send_text(f"551199{n:07}", "oi", key=f"k{n}") for n in range(MANY)]
        )
        with self.store.writing() as (session, _):
            session.run(
                "UPDATE evolution_outbox SET lined_up = 1, answered_steady = id, found = 0, "
                "server_time = id, state = 'read', message_id = key WHERE id % 3 > 0"
            )
        if place.startswith("postgresql"):
            with self.store.writing() as (session, _):
                session.run("ANALYZE evolution_outbox")
        self.worker = Worker.new(self.store.new_slots(), 60_000)
        self.store.enlist(self.worker)
        self.visit()
        self.asked: Asked = []
        kind: Any = PostgresSession if place.startswith("postgresql") else SqliteSession
        run = kind.run

        def told(session: Any, sql: str, values: Any = ()) -> Any:
            self.asked.append((sql, values))
            return run(session, sql, values)

        self._run, self._patch, self._kind = run, patch, kind
        patch.setattr(kind, "run", told)

    def visit(self, *endings: tuple[Claim, Outcome], want: int = 1) -> list[Claim]:
        self.store._looked_round = 0
        turn = Turn(endings=endings, want=want)
        return self.store.visit(self.worker, turn, lambda *_: None).claims

    def scans(self, work: Callable[[], object]) -> list[tuple[str, str]]:
        """Steps of the plans of some work that read the whole table, each with its statement."""
        self.asked.clear()
        work()
        asked = [one for one in self.asked if "evolution_outbox" in one[0]]
        assert asked
        found: list[tuple[str, str]] = []
        with self.store.writing() as (session, _):
            if session.dialect.name == "postgres":
                # A small table is read whole because that is cheaper; not because nothing else
                # would do.
                self._run(session, "SET LOCAL enable_seqscan = off")
            for sql, values in asked:
                if not sql.lstrip("( ").startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
                    continue
                for step in self._plan(session, sql, values):
                    if re.search(r"(Seq Scan on|SCAN) evolution_outbox\b(?! USING)", step):
                        found.append((step, sql))
        return found

    def _plan(self, session: Any, sql: str, values: Any) -> list[str]:
        if session.dialect.name == "postgres":
            return [str(line) for (line,) in self._run(session, f"EXPLAIN {sql}", values)]
        return [str(row[3]) for row in self._run(session, f"EXPLAIN QUERY PLAN {sql}", values)]


@pytest.fixture
def bench(place: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with EvolutionClient("http://127.0.0.1:9", "k", instance="sales") as client:
        made = Bench(place, client, monkeypatch)
        yield made
        made.store.leave(made.worker)
        made.outbox.close()


def test_work_reads_only_the_rows_that_it_is_about(bench: Bench) -> None:
    assert bench.scans(lambda: bench.visit(want=5)) == []
    (claim,) = bench.visit()
    assert bench.scans(lambda: bench.visit((claim, Lost(0)), want=0)) == []
    (look,) = [one for one in bench.visit() if one.kind == "look"]
    here = Moment(500.0, 2_000_000_000.0)
    assert bench.scans(lambda: bench.store.look_facts(look, here)) == []
    assert bench.scans(lambda: bench.store.known_ids(look, ["k1", "k2"])) == []
    done = Done(OutboxState.SENT, message_id="3EB0")
    assert bench.scans(lambda: bench.visit((look, done), want=1)) == []
    assert bench.scans(lambda: bench.store.tend(bench.worker)) == []


@pytest.mark.parametrize(
    "question",
    [
        {"state": "queued"},
        {"state": ("sent", "unknown"), "instance": "sales"},
        {"recipient": ALICE},
        {"after_id": 100},
        {},
    ],
)
def test_questions_read_only_a_page(bench: Bench, question: dict[str, Any]) -> None:
    assert bench.scans(lambda: bench.outbox.find(**question, limit=10)) == []


def test_single_rows_are_found_by_their_key(bench: Bench) -> None:
    for work in (
        lambda: bench.outbox.get("k7"),
        lambda: bench.outbox.cancel("k9"),
        lambda: bench.outbox.retry("k9"),
        lambda: bench.outbox.messages.send_text(ALICE, "oi", key="k7-new"),
    ):
        assert bench.scans(work) == []


def test_a_question_that_reads_all_is_noticed(bench: Bench) -> None:
    def work() -> None:
        with bench.store.reading() as session:
            session.run("SELECT 1 FROM evolution_outbox WHERE reason = ?", ("x",))

    assert len(bench.scans(work)) == 1
