"""Long lines: places taken together keep every limit, and have a bound that no limit moves."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from evolution_sdk.config import RateLimitConfig
from evolution_sdk.resilience.pacing import Line, Place, Rules, reserve, with_place, without_place
from evolution_sdk.resilience.states import MemoryStates, Ticket

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()
EVER = float("inf")
OFF = {"per_second": 0, "per_minute": 0, "recipient_gap_ms": 0, "jitter": 0}
SLACK = 1e-4
MOST_ENTRIES = 100


def rules(**changes: Any) -> Rules:
    return Rules.for_messages(RateLimitConfig(**{**OFF, **changes}))


def most_within_a_minute(moments: list[float]) -> int:
    moments, begin, most = sorted(moments), 0, 0
    for end, moment in enumerate(moments):
        while moment - moments[begin] >= 60 - SLACK:
            begin += 1
        most = max(most, end - begin + 1)
    return most


def saturated(limits: Rules, line: Line, now: float, sends: int) -> tuple[Line, list[float]]:
    """Whoever asks again as soon as the one before has gone."""
    went = []
    for _ in range(sends):
        ruling = reserve(limits, line, 0.0, now, 0.0, EVER)
        assert ruling.line is not None
        line, now = ruling.line, now + ruling.wait_ms / 1_000
        went.append(now)
    return line, went


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(65, 150), st.sampled_from([0, 2, 30]), st.integers(1, 80), st.integers())
def test_no_limit_is_crossed_where_places_are_taken_together(
    per_minute: int, per_second: float, burst: int, seed: int
) -> None:
    chance = random.Random(seed)
    limits = rules(per_minute=per_minute, per_second=per_second, burst=burst, max_wait_ms=600_000)
    states, now, used = MemoryStates(), NOON, []
    open_tickets: list[Ticket] = []
    for _ in range(400):
        now += chance.choice([0, 0, 0, 0.01, 0.2, 1.5, 9])
        ruling = states.take(limits, "line", None, now, 0.0, 120_000)
        if ruling.place is not None:
            open_tickets.append(Ticket("line", None, ruling.place))
        while open_tickets and chance.random() < 0.5:
            ticket = open_tickets.pop(chance.randrange(len(open_tickets)))
            if chance.random() < 0.3:
                states.give_back(ticket)
            else:
                used.append(ticket.place.at)
        assert len(states._lines["line"].recent) <= MOST_ENTRIES
    moments = sorted(used + [ticket.place.at for ticket in open_tickets])
    assert most_within_a_minute(moments) <= per_minute
    if per_second:
        for earlier, later in zip(moments, moments[burst:], strict=False):
            assert later - earlier >= 1 / per_second - SLACK


@pytest.mark.parametrize("per_minute", [20, 64, 200, 2_000, 20_000])
def test_the_state_has_a_bound_whatever_the_limit(per_minute: int) -> None:
    limits = rules(per_minute=per_minute)
    line, now = Line(), NOON
    for _ in range(3_000):
        now += 60 / per_minute
        ruling = reserve(limits, line, 0.0, now, 0.0, EVER)
        assert ruling.line is not None
        line = ruling.line
        assert len(line.recent) <= 64
    assert len(line.dump()) < 4_096


def test_a_queue_of_hours_has_a_bound() -> None:
    limits, line = rules(per_second=1, burst=1, per_minute=60), Line()
    for _ in range(5_000):
        ruling = reserve(limits, line, 0.0, NOON, 0.0, EVER)
        assert ruling.line is not None
        line = ruling.line
        assert len(line.recent) <= MOST_ENTRIES
    assert line.recent[-1] - NOON >= 4_999


def test_a_limit_is_used_up_to_a_second_a_minute() -> None:
    limits = rules(per_minute=600)
    line, went = Line(), []
    now = NOON
    for number in range(9_000):
        now = max(now, NOON + number * 0.0999)
        line, moments = saturated(limits, line, now, 1)
        now = moments[0]
        went.append(now)
    assert most_within_a_minute(went) <= 600
    assert went[-1] - NOON <= 900 * 61 / 60


@pytest.mark.parametrize("burst", [1, 3, 40])
def test_the_steady_rate_is_the_same_as_of_places_one_by_one(burst: int) -> None:
    _, moments = saturated(rules(per_second=7, burst=burst), Line(), NOON, 1_000)
    expected = [NOON + max(0, number - burst + 1) / 7 for number in range(1_000)]
    assert moments == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("order", ["first", "last", "any"])
@pytest.mark.parametrize("changes", [{"per_minute": 500}, {"per_second": 1, "burst": 1}])
def test_what_is_all_given_back_was_never_taken(order: str, changes: dict[str, Any]) -> None:
    limits, states = rules(**changes), MemoryStates()
    tickets = []
    for _ in range(1_200):
        ruling = states.take(limits, "line", None, NOON, 0.0, EVER)
        assert ruling.place is not None
        tickets.append(Ticket("line", None, ruling.place))
    if order == "last":
        tickets.reverse()
    elif order == "any":
        random.Random(15).shuffle(tickets)
    for ticket in tickets:
        states.give_back(ticket)
    assert states._lines["line"].today == 0
    assert states.take(limits, "line", None, NOON, 0.0, EVER).wait_ms == 0


def test_a_place_that_was_forgotten_is_taken_from_no_other() -> None:
    """It went more than a minute ago: the places taken together are of later sends."""
    limits = rules(per_minute=500)
    first = reserve(limits, Line(), 0.0, NOON, 0.0, EVER)
    assert first.line is not None
    assert first.place is not None
    line = first.line
    for number in range(400):
        line = with_place(limits, line, Place(NOON + 61 + number / 200), NOON + 70)
    assert len(line.recent) < 70
    after = without_place(line, first.place)
    assert sum(place.cost for place in after.places) == 400


def test_a_store_that_lost_a_place_gives_no_other_for_it() -> None:
    limits, line = rules(per_minute=500), Line()
    for number in range(300):
        line = with_place(limits, line, Place(NOON + number / 100), NOON, "other")
    after = without_place(line, Place(NOON + 1.234), "mine")
    assert sum(place.cost for place in after.places) == 300
    assert after.today == 300


def test_a_state_of_the_form_before_is_read_and_becomes_short() -> None:
    """It listed each place."""
    moments = [NOON + number * 60 / 2_000 for number in range(2_000)]
    for more in ([[[0.0, 1]] * 2_000, {"w": 2_000}], [[[0.0, 1]] * 2_000, {}], []):
        text = json.dumps([NOON, moments, int(NOON // 86_400), 2_000, 20_000, 0.0, *more])
        line = Line.load(text)
        assert len(line.places) == 2_000
        now = moments[-1]
        after, went = saturated(rules(per_minute=2_000), line, now, 2_000)
        assert most_within_a_minute(moments + went) <= 2_000
        assert (after.today, len(after.recent) <= 64) == (4_000, True)


def test_an_older_version_can_read_a_long_line() -> None:
    """As it does: pairs of weights, and nothing it knows after the shares."""
    limits, line = rules(per_minute=500, per_second=50), Line()
    for number in range(300):
        line = with_place(limits, line, Place(NOON + number / 50, 0.02), NOON, "w")
    due, recent, _, today, _, _, weights, shares, *_ = json.loads(line.dump())
    assert (due, today, shares) == (0.0, 300, {"w": 300})
    assert len(recent) == len(weights) < 100
    assert sum(cost for _, cost in weights) == 300
    assert Line.load(line.dump()) == line


@pytest.mark.parametrize("earlier", [{}, "x", [1.0], [[]], None, 7])
def test_a_strange_last_field_loses_no_place(earlier: object) -> None:
    limits, line = rules(per_minute=500), Line()
    for number in range(100):
        line = with_place(limits, line, Place(NOON + number / 50), NOON)
    fields = json.loads(line.dump())
    fields[8] = earlier
    found = Line.load(json.dumps(fields))
    if earlier != [[]]:  # not a number: an unreadable state, as in any other field
        assert sum(place.cost for place in found.places) == 100
