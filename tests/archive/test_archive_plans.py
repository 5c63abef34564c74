"""No question and no change reads a whole table, however many messages there are."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from archive_stage import (
    ANA,
    ANA_LID,
    BOB,
    GROUP,
    T0,
    Clock,
    connection_of,
    contact,
    delete,
    edit,
    edited,
    event,
    image,
    revoked,
    status,
    upsert,
)

from evolution_sdk._sql.sqlite import SqliteSession
from evolution_sdk.archive import Archive
from evolution_sdk.archive._asking import MessageFilters
from evolution_sdk.archive._people import FileLids

FILTERS: dict[str, Any] = {
    "instance": "sales", "chat": ANA, "sender": ANA, "kind": "text", "from_me": False,
    "since": datetime.fromtimestamp(T0, tz=UTC), "until": datetime.fromtimestamp(T0 + 9, tz=UTC),
}  # fmt: skip
COMBINATIONS = [
    dict(pairs)
    for count in range(len(FILTERS) + 1)
    for pairs in itertools.combinations(FILTERS.items(), count)
]


class Watched:
    """An archive of which every statement is seen with its plan."""

    def __init__(self, path: Path) -> None:
        self.archive = Archive(path, clock=Clock(T0 + 100))
        self.archive.record(upsert(1))
        self._seen: list[str] = []
        self.connection = connection_of(self.archive)
        self._beside = sqlite3.connect(path)

    def statements(self, work: Callable[[], object]) -> list[str]:
        """The statements that some work makes, with their values, without those of triggers."""
        self._seen.clear()
        self.connection.set_trace_callback(self._seen.append)
        try:
            work()
        finally:
            self.connection.set_trace_callback(None)
        verbs = ("SELECT", "INSERT", "UPDATE", "DELETE")
        # FTS5 asks its own tables by number; its statements name them by schema.
        return [s for s in self._seen if s.startswith(verbs) and "'main'." not in s]

    def plans(self, work: Callable[[], object]) -> list[tuple[str, str]]:
        """The steps of the plans of these statements, each with its statement."""
        return [
            (str(step[3]), statement)
            for statement in self.statements(work)
            for step in self._beside.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
        ]

    def close(self) -> None:
        self._beside.close()
        self.archive.close()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(tmp_path / "a.db")
    yield made
    made.close()


def scans(plans: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The steps that read a whole table. What has few rows by its nature is left out."""
    few = ("sqlite_master", "sqlite_schema", "building", "figures", "CONSTANT ROW")
    return [
        (step, statement)
        for step, statement in plans
        if step.startswith("SCAN")
        and not any(name in step for name in few)
        # Lists in the order of an index, of which only the first rows are read.
        and not ("LIMIT" in statement and "USING INDEX messages_by_time" in step)
        and "VIRTUAL TABLE INDEX" not in step
    ]


def sorts(plans: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(step, statement) for step, statement in plans if "TEMP B-TREE" in step]


def test_every_combination_of_filters_follows_an_index(watched: Watched) -> None:
    for chosen in COMBINATIONS:
        for more in ({}, {"oldest_first": True}, {"limit": 5}):
            filters: MessageFilters = {**chosen, **more}  # type: ignore[typeddict-item]
            plans = watched.plans(lambda f=filters: watched.archive.messages(**f))
            assert plans
            assert not scans(plans), filters
            assert not sorts(plans), filters


def test_every_search_follows_the_index_of_words(watched: Watched) -> None:
    for chosen in COMBINATIONS:
        filters: MessageFilters = {**chosen, "limit": 50}  # type: ignore[typeddict-item]
        plans = watched.plans(lambda f=filters: watched.archive.search("ola", **f))
        assert plans
        hits = [step for step, _ in plans if "messages_words" in step]
        assert all("VIRTUAL TABLE INDEX" in step for step in hits), filters
        assert len(hits) == 1
        assert not scans(plans), filters
        assert not sorts(plans), "all hits would be read to sort them"


@pytest.mark.parametrize(
    "ask",
    [
        lambda a: a.get("M1"),
        lambda a: a.get("M1", instance="sales"),
        lambda a: a.get("M1", chat=ANA),
        lambda a: a.updates("M1"),
        lambda a: a.updates("M1", instance="sales", chat=ANA),
        lambda a: a.contacts(instance="sales"),
    ],
)
def test_what_is_asked_by_id_or_instance_is_looked_up(
    watched: Watched, ask: Callable[[Archive], object]
) -> None:
    plans = watched.plans(lambda: ask(watched.archive))
    assert plans
    assert not scans(plans)


def test_an_export_follows_the_index_on_every_page(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evolution_sdk.archive.archive._PAGE", 2)
    for number in range(2, 8):
        watched.archive.record(upsert(number))
    for filters in ({}, {"chat": ANA}, {"sender": ANA}, {"oldest_first": True}):
        plans = watched.plans(lambda f=filters: watched.archive.export_csv(tmp_path / "x.csv", **f))
        pages = [step for step, _ in plans if "message" in step]
        assert len(pages) >= 4
        kept = [each for each in plans if "max(row)" not in each[1]]  # ends at once at the last row
        assert not scans(kept)
        assert not sorts(kept)


def change_everything(archive: Archive) -> None:
    """Have every kind of row, so that every statement of writing is made."""
    in_group = {"remoteJid": GROUP, "participant": ANA}
    admin = {"id": BOB, "admin": "admin"}
    steps = [
        status("READ"), upsert(1), image(2), upsert(2), status("PLAYED", 2), edit("new", 2),
        edited(ANA, "newer", number=2), delete(2),
        event("contacts.upsert", [contact(pushName="Ana")]),
        event("groups.upsert", [{"id": GROUP, "subject": "g", "participants": [admin]}]),
        upsert(3, key=in_group), revoked(BOB, id="M3"),
        # One message under two names, and the pair that joins them.
        upsert(4, key={"remoteJid": ANA_LID}), upsert(4, key={"remoteJid": ANA}),
        edited(ANA_LID, "by the hidden id", number=4),
        upsert(5, key={"remoteJid": ANA_LID, "remoteJidAlt": ANA}),
    ]  # fmt: skip
    for each in steps:
        assert archive.record(each)


def test_no_change_reads_a_whole_table(watched: Watched) -> None:
    plans = watched.plans(lambda: change_everything(watched.archive))
    assert len(plans) > 50
    assert not scans(plans)
    joined = [each for each in watched.archive.messages() if each.id == "M4"]
    assert len(joined) == 1, "the pair that was told has joined them"


def test_pruning_reads_only_what_it_deletes(watched: Watched) -> None:
    change_everything(watched.archive)
    for work in (
        lambda: watched.archive.prune(max_messages=3),
        lambda: watched.archive.prune(max_age=timedelta(seconds=98)),
    ):
        plans = watched.plans(work)
        assert len(plans) > 5
        assert not scans(plans)
        assert not sorts(plans)


def test_a_file_that_is_full_counts_no_rows(watched: Watched) -> None:
    for number in range(10):
        watched.archive.record(upsert(number))
    assert watched.archive.prune(max_messages=4) == 6
    told = watched.statements(lambda: watched.archive.prune(max_messages=4))
    assert not [statement for statement in told if "count(" in statement]
    assert [each.id for each in watched.archive.messages()] == ["M9", "M8", "M7", "M6"]


def test_a_copy_that_knows_nothing_more_writes_nothing(watched: Watched) -> None:
    watched.archive.record(upsert(1))
    before = watched.connection.total_changes
    told = watched.statements(lambda: watched.archive.record(upsert(1)))
    assert watched.connection.total_changes == before
    assert [s for s in told if not s.startswith("SELECT")] == []


def test_a_new_message_costs_the_same_statements_however_many_there_are(watched: Watched) -> None:
    few = len(watched.statements(lambda: watched.archive.record(upsert(2))))
    for number in range(3, 60):
        watched.archive.record(upsert(number))
    assert len(watched.statements(lambda: watched.archive.record(upsert(60)))) == few <= 15


def test_a_batch_is_one_transaction(watched: Watched) -> None:
    seen: list[str] = []
    watched.connection.set_trace_callback(seen.append)
    watched.archive.record(event("messages.set", [upsert(n).raw["data"] for n in range(100, 150)]))
    watched.connection.set_trace_callback(None)
    assert [each for each in seen if each.startswith(("BEGIN", "COMMIT"))] == [
        "BEGIN IMMEDIATE", "COMMIT",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("chosen", "index"),
    [
        ({"chat": ANA, "kind": "text", "instance": "sales"}, "message_chats"),
        ({"sender": ANA, "instance": "sales"}, "messages_by_sender"),
        ({"instance": "sales", "kind": "text"}, "message_instances"),
        ({"kind": "text", "from_me": False}, "message_kinds"),
        ({"from_me": True}, "message_sides"),
        ({}, "messages_by_time"),
    ],
)
def test_the_narrowest_index_is_followed(
    watched: Watched, chosen: dict[str, Any], index: str
) -> None:
    plans = watched.plans(lambda: watched.archive.messages(**chosen))
    assert index in next(step for step, _ in plans if "messages" in step or "message_" in step)


def test_many_are_pruned_in_several_transactions(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evolution_sdk.archive._writing._GONE_AT_ONCE", 4)
    for number in range(2, 20):
        watched.archive.record(upsert(number))
        watched.archive.record(status("READ", number))
    seen: list[str] = []
    watched.connection.set_trace_callback(seen.append)
    assert watched.archive.prune(max_messages=5) == 14
    assert seen.count("COMMIT") == 4
    assert watched.archive.prune(max_age=timedelta(seconds=1)) == 5
    watched.connection.set_trace_callback(None)
    assert watched.archive.messages() == watched.archive.updates("M19") == []


def test_a_pair_learned_in_a_batch_counts_for_the_rest_of_it(watched: Watched) -> None:
    lids = FileLids(SqliteSession(watched.connection))
    assert (lids.forms([ANA]), lids.phone_of(ANA_LID)) == ((), None)
    assert lids.learn(ANA_LID, ANA)
    assert (lids.forms([ANA]), lids.phone_of(ANA_LID)) == ((ANA_LID,), ANA)
