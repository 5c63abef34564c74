"""A clock that is put forward or back makes no old event new."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from evolution_sdk.webhooks import MemoryInbox, SqliteInbox
from evolution_sdk.webhooks.inbox import InboxEntry
from evolution_sdk.webhooks.inbox_clock import ClockReading, advance_clock, worth_writing

from .conftest import NOW, Clock, Kit, posted

YEAR = 365 * 86_400.0
DAY = 86_400.0


class Machine:
    """Both clocks of a machine."""

    def __init__(self) -> None:
        self.steady = 5_000.0
        self.wall = NOW

    def passes(self, seconds: float) -> None:
        self.steady += seconds
        self.wall += seconds

    def __call__(self) -> float:
        return self.steady


def add(inbox: Any, key: str, machine: Machine) -> str:
    added: str = inbox.add(InboxEntry(key, b"{}"), machine.wall)
    return added


@pytest.fixture(params=["memory", "file"])
def inbox(request: pytest.FixtureRequest, machine: Machine, tmp_path: Path) -> Iterator[Any]:
    file = request.param == "file"
    made = SqliteInbox(tmp_path / "i.db", clock=machine) if file else MemoryInbox(clock=machine)
    made.open()
    yield made
    made.close()


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.mark.parametrize("step", [YEAR, -YEAR, 50 * YEAR, -50 * YEAR, 2 * DAY, -2 * DAY])
def test_a_step_makes_no_copy_new(inbox: Any, machine: Machine, step: float) -> None:
    assert add(inbox, "a", machine) == "new"
    machine.wall += step
    assert add(inbox, "a", machine) == "duplicate"
    assert add(inbox, "b", machine) == "new"
    machine.wall -= step
    assert [add(inbox, key, machine) for key in "ab"] == ["duplicate", "duplicate"]
    for _ in range(23):
        machine.passes(3_600)
        add(inbox, "c", machine)
    assert [add(inbox, key, machine) for key in "ab"] == ["duplicate", "duplicate"]
    machine.passes(DAY)
    assert [add(inbox, key, machine) for key in "ab"] == ["new", "new"], "after a day they are"


def test_a_receiver_handles_a_copy_once_whatever_its_clock_does(kit: Kit, tmp_path: Path) -> None:
    for inbox in (None, tmp_path / "inbox.db"):
        kit.clock.now = NOW
        seen = len(kit.seen)
        receiver = kit.receiver(inbox=inbox)
        for step in (0, YEAR, -2 * YEAR, YEAR):
            kit.clock.now += step
            assert kit.post(receiver) == 200
        assert receiver.drain()
        assert len(kit.seen) == seen + 1
        assert receiver.metrics().duplicates == 3
        receiver.close()


@pytest.mark.parametrize("step", [YEAR, -YEAR])
@pytest.mark.parametrize("started_anew", [False, True])
def test_no_step_between_two_processes_does(
    tmp_path: Path, machine: Machine, step: float, started_anew: bool
) -> None:
    """A machine without a battery begins in 1970 and learns the time later."""
    path = tmp_path / "inbox.db"
    first = SqliteInbox(path, clock=machine)
    first.open()
    machine.passes(10)
    assert add(first, "a", machine) == "new"
    first.close()
    machine.wall += step
    if started_anew:
        machine.steady = 3.0
    second = SqliteInbox(path, clock=machine)
    second.open()
    assert add(second, "a", machine) == "duplicate"
    machine.wall -= step
    assert add(second, "a", machine) == "duplicate"
    machine.passes(2 * DAY)
    assert add(second, "a", machine) == "new"
    second.close()


def test_processes_that_share_a_file_share_its_time(tmp_path: Path, machine: Machine) -> None:
    idle, busy = (SqliteInbox(tmp_path / "inbox.db", clock=machine) for _ in range(2))
    idle.open()
    busy.open()
    add(idle, "0", machine)
    machine.passes(5 * DAY)
    assert add(busy, "a", machine) == "new"
    machine.passes(60)
    assert add(idle, "a", machine) == "duplicate", "five idle days are no age of this key"
    machine.passes(DAY)
    assert add(busy, "a", machine) == "new", "and a day is a day, whoever counts it"
    idle.close()
    busy.close()


def test_a_file_of_an_earlier_version_keeps_its_keys(tmp_path: Path, machine: Machine) -> None:
    inbox = SqliteInbox(tmp_path / "inbox.db", clock=machine)
    inbox.open()
    db = inbox._opened()
    db.execute("DROP TABLE reading")
    db.execute("INSERT INTO seen VALUES (?, ?)", (b"old", NOW - 60))
    inbox.close()
    inbox.open()
    assert add(inbox, "old", machine) == "duplicate"
    machine.passes(DAY + 60)
    assert add(inbox, "old", machine) == "new"
    inbox.close()


@settings(max_examples=examples(200))
@given(
    st.lists(
        st.tuples(
            st.floats(0, 5_000),
            st.sampled_from([0.0, 0.0, YEAR, -YEAR, 90.0, -90.0]),
            st.booleans(),
        ),
        max_size=20,
    )
)
def test_the_inboxs_time_never_runs_ahead_of_real_time(
    moves: list[tuple[float, float, bool]],
) -> None:
    machine, real = Machine(), 0.0
    kept = last = ClockReading(0.0, machine.steady, machine.wall)
    for passed, step, started_anew in moves:
        machine.passes(passed)
        real += passed
        machine.wall += step
        if started_anew:
            machine.steady = min(machine.steady, passed)
        now = advance_clock(kept, machine.steady, machine.wall)
        assert kept.at <= now.at <= real + 1e-6
        if worth_writing(kept, now):
            kept = now
        last = now
    assert last.at <= real + 1e-6


def test_old_events_of_a_stopped_clock_are_known_to_the_kit() -> None:
    clock = Clock()
    inbox = MemoryInbox(dedupe_ms=1_000, clock=clock)
    assert inbox.add(InboxEntry("a", posted()), 0.0) == "new"
    clock.now += 1
    assert inbox.add(InboxEntry("a", posted()), 0.0) == "new"
