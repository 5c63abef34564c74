"""Places that are given back, and a shared store that lost what was sent: laws for any sequence."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from evolution_sdk.config import RateLimitConfig
from evolution_sdk.resilience.pacing import (
    Line,
    Place,
    Rules,
    day_allows,
    reserve,
    with_own,
    with_place,
    without_place,
)
from evolution_sdk.resilience.states import MemoryStates, Ticket

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()
DAY = 86_400.0
EVER = float("inf")
OFF = {"per_second": 0, "per_minute": 0, "recipient_gap_ms": 0, "jitter": 0}


def rules(**changes: Any) -> Rules:
    return Rules.for_messages(RateLimitConfig(**{**OFF, **changes}))


limits_drawn = st.builds(
    rules,
    per_second=st.sampled_from([0, 0.5, 2]),
    burst=st.integers(1, 4),
    per_minute=st.integers(0, 5),
    recipient_gap_ms=st.sampled_from([0, 2_500]),
    jitter=st.sampled_from([0.0, 0.4]),
    daily_cap=st.integers(0, 12),
    warmup_start=st.integers(0, 4),
)


def taken(
    states: MemoryStates, limits: Rules, now: float, to: str = "a", max_wait_ms: float = EVER
) -> Ticket | None:
    """A place for a message at once, with its ticket; None where one has to wait elsewhere."""
    before = states.free_at(to)
    ruling = states.take(limits, "line", to, now, 0.0, max_wait_ms)
    if ruling.place is None:
        return None
    key = to if limits.gap_s else None
    return Ticket("line", key, ruling.place, before, ruling.next_to_recipient)


@settings(max_examples=examples(150))
@given(
    limits_drawn, st.lists(st.sampled_from([0.0, 0.3, 20.0]), min_size=1, max_size=20), st.data()
)
def test_what_is_all_given_back_was_never_taken(
    limits: Rules, pauses: list[float], data: st.DataObject
) -> None:
    """In any order; the next one then waits for nothing."""
    states, now, tickets = MemoryStates(), NOON, []
    for number, pause in enumerate(pauses):
        now += pause
        ticket = taken(states, limits, now, f"to {number}", 600_000)
        if ticket is not None:
            tickets.append(ticket)
    for ticket in data.draw(st.permutations(tickets)):
        states.give_back(ticket)
    line = states._lines["line"]
    assert (line.today, line.first_day) == (0, -1)
    assert states.take(limits, "line", "to 0", now, 0.0, EVER).wait_ms == 0


@settings(max_examples=examples(150))
@given(
    limits_drawn,
    st.lists(
        st.tuples(
            st.sampled_from([0.0, 0.1, 1.0, 70.0, DAY]), st.sampled_from("ab"), st.booleans()
        ),
        max_size=40,
    ),
)
def test_giving_back_lets_nobody_cross_a_limit(
    limits: Rules, asks: list[tuple[float, str, bool]]
) -> None:
    states, now = MemoryStates(), NOON
    went: list[tuple[float, str]] = []
    for pause, to, used in asks:
        now += pause
        ticket = taken(states, limits, now, to)
        if ticket is None:
            continue
        if used:
            went.append((ticket.place.at, to))
        else:
            states.give_back(ticket)
    times, slack = sorted(moment for moment, _ in went), 1e-4
    if limits.interval_s:
        for earlier, later in zip(times, times[limits.burst :], strict=False):
            assert later - earlier >= limits.interval_s - slack
    if limits.per_minute:
        for earlier, later in zip(times, times[limits.per_minute :], strict=False):
            assert later - earlier >= 60 - slack
    for to in "ab":
        own = [moment for moment, whom in went if whom == to]
        assert all(later - earlier >= limits.gap_s - slack for earlier, later in pairwise(own))
    days = [int((moment + slack) // DAY) for moment in times]
    for day in set(days):
        allowed = day_allows(limits, day, days[0])
        assert not allowed or days.count(day) <= allowed


def test_who_waits_behind_keeps_the_moment_he_was_told() -> None:
    limits = rules(per_second=1, burst=1)
    states = MemoryStates()
    first, second, third = (taken(states, limits, NOON) for _ in range(3))
    assert first is not None
    assert second is not None
    assert third is not None
    states.give_back(second)
    after = taken(states, limits, NOON)
    assert after is not None
    assert after.place.at == third.place.at + 1
    states.give_back(after)
    states.give_back(third)
    again = taken(states, limits, NOON)
    assert again is not None
    assert again.place.at == first.place.at + 1


def test_a_place_of_yesterday_does_not_make_todays_count_smaller() -> None:
    limits = rules(daily_cap=5)
    states = MemoryStates()
    old = taken(states, limits, NOON)
    for _ in range(2):
        taken(states, limits, NOON + DAY)
    assert old is not None
    states.give_back(old)
    assert states._lines["line"].today == 2


def test_a_place_that_the_store_has_lost_takes_none_from_others() -> None:
    limits = rules(daily_cap=5)
    others = with_place(limits, Line(), Place(NOON), NOON, "other")
    assert without_place(others, Place(NOON + 1), "mine") == others


def test_the_recipients_gap_is_given_back_unless_somebody_wrote_since() -> None:
    limits = rules(recipient_gap_ms=3_000)
    states = MemoryStates()
    first = taken(states, limits, NOON)
    second = taken(states, limits, NOON + 3)
    assert first is not None
    assert second is not None
    states.give_back(first)
    assert states.free_at("a") == NOON + 6
    states.give_back(second)
    assert states.free_at("a") == NOON + 3


def test_a_state_with_weights_and_shares_survives_a_store() -> None:
    limits = rules(per_second=2, jitter=0.5)
    line = Line()
    for number in range(3):
        place = reserve(limits, line, 0.0, NOON, 0.7, EVER).place
        assert place is not None
        line = with_place(limits, line, place, NOON, f"w{number % 2}")
    loaded = Line.load(line.dump())
    assert loaded == line
    assert loaded.places == line.places
    assert loaded.shares == {"w0": 2, "w1": 1}
    newer = line.dump().removesuffix("]") + ', "of a newer version"]'
    assert Line.load(newer) == line


def test_the_writers_of_a_line_are_bounded() -> None:
    limits, line = rules(daily_cap=10_000), Line()
    for number in range(400):
        line = with_place(limits, line, Place(NOON), NOON, f"w{number}")
    assert line.today == 400
    assert len(line.shares) == 256
    assert "w399" in line.shares


# What several processes know, and what a lost store does to it.

events_drawn = st.lists(
    st.tuples(
        st.sampled_from([0.0, 1.0, 30.0, DAY / 2]),
        st.integers(0, 2),  # which process
        st.sampled_from(["send", "send", "send", "flush", "alone"]),
    ),
    max_size=40,
)


@settings(max_examples=examples(200))
@given(limits_drawn, events_drawn)
def test_each_process_still_counts_what_it_sent_itself(
    limits: Rules, events: list[tuple[float, int, str]]
) -> None:
    """Whether the store was emptied, went back to an older state, or could not be reached."""
    processes = [MemoryStates(f"p{number}") for number in range(3)]
    store, now = Line(), NOON
    sent: list[list[float]] = [[], [], []]
    for pause, who, what in events:
        now += pause
        mine = processes[who]
        if what == "flush":
            store = Line()
        elif what == "alone":  # the store cannot be reached
            ruling = mine.take(limits, "line", None, now, 0.0, 0.0)
            if ruling.place is not None:
                sent[who].append(ruling.place.at)
        else:
            found = mine.merged("line", store)
            ruling = reserve(limits, found, 0.0, now, 0.0, 0.0, 1, mine.writer)
            store = found if ruling.line is None else ruling.line
            mine.learn(limits, "line", None, ruling, now)
            if ruling.place is not None:
                sent[who].append(ruling.place.at)
            today = int(now // DAY)
            own = sum(int(at // DAY) == today for at in sent[who])
            assert own == 0 or (store.day, store.shares[mine.writer]) == (today, own)
            assert store.today == sum(store.shares.values())
    for times in sent:
        for day in {int(at // DAY) for at in times}:
            first = int(min(at for each in sent for at in each) // DAY)
            allowed = day_allows(limits, day, first)
            assert not allowed or sum(int(at // DAY) == day for at in times) <= allowed
        if limits.per_minute:
            for earlier, later in zip(times, times[limits.per_minute :], strict=False):
                assert later - earlier >= 60
        if limits.interval_s:
            for earlier, later in zip(times, times[limits.burst :], strict=False):
                assert later - earlier >= limits.interval_s - 1e-4


def test_all_that_live_restore_their_counts_in_an_emptied_store() -> None:
    limits = rules(daily_cap=20)
    processes = [MemoryStates(f"p{number}") for number in range(3)]
    store = Line()

    def send(mine: MemoryStates) -> None:
        nonlocal store
        found = mine.merged("line", store)
        ruling = reserve(limits, found, 0.0, NOON, 0.0, 0.0, 1, mine.writer)
        assert ruling.line is not None
        store = ruling.line
        mine.learn(limits, "line", None, ruling, NOON)

    for mine in (*processes, *processes, processes[0]):
        send(mine)
    assert store.today == 7
    store = Line()
    for mine in processes:
        send(mine)
    assert store.today == 10
    assert store.first_day == int(NOON // DAY)


def test_a_line_that_knows_all_of_ours_stays_as_it_is() -> None:
    limits = rules(per_second=1, per_minute=5)
    own = with_place(limits, Line(), Place(NOON, 1.0), NOON)
    line = with_place(limits, Line(), Place(NOON, 1.0), NOON, "me")
    line = with_place(limits, line, Place(NOON + 1, 1.0), NOON, "other")
    assert with_own(line, own, "me") == line
