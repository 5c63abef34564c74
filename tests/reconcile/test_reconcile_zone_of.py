"""The time of a send of an earlier run, by what was written down: clocks that were set only widen.

The world is made of true times; the server's clock and ours may each be set once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from evolution_sdk.reconcile.server_clock import FARTHEST_ZONE_S, Moment, zone_of

START = 1_795_447_889.0
NAN = math.nan


@dataclass(frozen=True)
class World:
    """The truth: by how much, and when, clocks were set."""

    server: float = 0.0
    ours: float = 0.0
    server_set: tuple[float, float] = (math.inf, 0.0)
    ours_set: tuple[float, float] = (math.inf, 0.0)
    rounds: bool = False

    def stamp(self, at: float) -> float:
        when, by = self.server_set
        told = START + at + self.server + (by if at >= when else 0.0)
        return float(math.floor(told + 0.5) if self.rounds else math.floor(told))

    def moment(self, at: float, *, comparable: bool = True) -> Moment:
        when, by = self.ours_set
        wall = START + at + self.ours + (by if at >= when else 0.0)
        return Moment(50_000.0 + at if comparable else NAN, wall)

    def told(
        self, at: float, took: float, *, comparable: bool = True
    ) -> tuple[float, Moment, Moment]:
        """An answered send: made in the middle of its time."""
        asked = self.moment(at, comparable=comparable)
        answered = self.moment(at + took, comparable=comparable)
        return self.stamp(at + took / 2), asked, answered


SKEWS = st.one_of(st.just(0.0), st.floats(-10, 10), st.floats(-90_000, 90_000))
AT = st.floats(-3_600, 3_600)
TOOK = st.floats(0, 30)
SENT = st.lists(st.tuples(AT, TOOK), min_size=1, max_size=6)
AFTER = st.floats(0, 600)


@given(
    server=SKEWS, ours=SKEWS, rounds=st.booleans(), sent=SENT, comparable=st.booleans(),
    made=AFTER, asked=AFTER,
)  # fmt: skip
@settings(max_examples=examples(300))
def test_what_was_made_in_its_time_is_from_its_time(
    server: float, ours: float, rounds: bool, sent: list[tuple[float, float]], comparable: bool,
    made: float, asked: float,
) -> None:  # fmt: skip
    world = World(server, ours, rounds=rounds)
    told = [world.told(at, took, comparable=comparable) for at, took in sent]
    until = world.moment(made + asked, comparable=comparable)
    zone = zone_of(told, world.moment(0), until)
    assert zone.proven
    assert zone.place(world.stamp(made)) == "ours"
    # Long before it, as far as the slowest answer lets the clock be known, it is surely older.
    slowest = max(took for _, took in sent)
    assert zone.place(world.stamp(-slowest - 10)) == "before"


@given(
    server=SKEWS, step=st.tuples(st.floats(-3_600, 0), SKEWS), sent=SENT, made=AFTER, asked=AFTER
)
@settings(max_examples=examples(300))
def test_our_clock_set_before_the_send_never_makes_it_older(
    server: float, step: tuple[float, float], sent: list[tuple[float, float]], made: float,
    asked: float,
) -> None:  # fmt: skip
    """The steady clock tells it, whichever answers came before and after."""
    world = World(server, ours_set=step)
    told = [world.told(at, took) for at, took in sent]
    zone = zone_of(told, world.moment(0), world.moment(made + asked))
    assert zone.place(world.stamp(made)) != "before"


@given(
    server=SKEWS, step=st.tuples(AT, SKEWS), sent=SENT, before=st.tuples(st.floats(0, 60), TOOK),
    made=AFTER, asked=AFTER,
)  # fmt: skip
@settings(max_examples=examples(300))
def test_one_answer_of_the_same_clock_among_others_is_enough(
    server: float, step: tuple[float, float], sent: list[tuple[float, float]],
    before: tuple[float, float], made: float, asked: float,
) -> None:  # fmt: skip
    """Without a steady clock to compare by, and with some answers in slow requests."""
    world = World(server, ours_set=step)
    when = step[0]
    # One that came in the same stretch as the begin, whole.
    since, took = before
    own = (since, took) if when <= 0 else (-since - took, took)
    if (own[0] < when) != (own[0] + own[1] < when):
        return
    if (when > 0) != (own[0] < when):
        return
    told = [world.told(at, long, comparable=False) for at, long in [*sent, own]]
    zone = zone_of(told, world.moment(0), world.moment(made + asked, comparable=False))
    assert zone.place(world.stamp(made)) != "before"


@given(
    server=SKEWS, by=SKEWS, when=AT, sent=SENT, made=AFTER, asked=AFTER, comparable=st.booleans(),
    last=TOOK,
)  # fmt: skip
@settings(max_examples=examples(300))
def test_the_servers_clock_set_is_known_by_one_answer_after_it(
    server: float, by: float, when: float, sent: list[tuple[float, float]], made: float,
    asked: float, comparable: bool, last: float,
) -> None:  # fmt: skip
    world = World(server, server_set=(when, by))
    told = [world.told(at, took, comparable=comparable) for at, took in sent]
    # One on the same side of the step as the message.
    told.append(world.told(made, last if made >= when else 0, comparable=comparable))
    until = world.moment(made + asked, comparable=comparable)
    zone = zone_of(told, world.moment(0), until)
    assert zone.place(world.stamp(made)) != "before"


@given(
    sent=st.lists(st.tuples(AT, TOOK, SKEWS, st.booleans()), min_size=1, max_size=6),
    more=st.tuples(AT, TOOK, SKEWS, st.booleans()),
    at=st.floats(-100_000, 4_000), asked=AFTER,
)  # fmt: skip
@settings(max_examples=examples(300))
def test_further_answers_never_make_a_message_older(
    sent: list[tuple[float, float, float, bool]], more: tuple[float, float, float, bool],
    at: float, asked: float,
) -> None:  # fmt: skip
    def told(each: tuple[float, float, float, bool]) -> tuple[float, Moment, Moment]:
        at, took, skew, comparable = each
        return World(skew).told(at, took, comparable=comparable)

    world = World()
    begun, until = world.moment(0), world.moment(asked)
    few = zone_of([told(each) for each in sent], begun, until)
    many = zone_of([told(each) for each in [*sent, more]], begun, until)
    assert many.earliest <= few.earliest
    if few.place(START + at) != "before":
        assert many.place(START + at) != "before"


def test_our_clock_set_since_the_begin_counts_with_both_times() -> None:
    """No answer came since, but the steady clock tells how long ago it was begun."""
    world = World(ours_set=(30.0, -3_600.0))
    told = [world.told(40, 0.1, comparable=False)]
    zone = zone_of(told, world.moment(0), world.moment(60))
    assert zone.place(world.stamp(1)) == "ours"


@pytest.mark.parametrize("set_by", [-600.0, 600.0])
def test_our_clock_set_during_the_only_answered_send_is_noticed(set_by: float) -> None:
    world = World(ours_set=(-10.0, set_by))
    asked, answered = world.moment(-60), world.moment(0)
    for begun in (-100.0, 30.0):
        at = world.moment(begun, comparable=False)
        zone = zone_of(
            [(world.stamp(-15), asked, answered)], at, world.moment(60, comparable=False)
        )
        assert zone.place(world.stamp(begun + 1)) != "before"


class TestWithoutAnAnsweredSend:
    def test_nothing_is_proven_and_clocks_in_wrong_time_zones_are_reckoned_with(self) -> None:
        world = World()
        zone = zone_of([], world.moment(0), world.moment(60))
        assert not zone.proven
        assert zone.place(world.stamp(1)) == "ours"
        assert zone.place(world.stamp(-14 * 3_600)) == "doubtful"
        assert zone.place(world.stamp(-FARTHEST_ZONE_S - 60)) == "before"

    def test_times_that_cannot_be_reckoned_with_count_as_none(self) -> None:
        world = World()
        good = world.moment(0)
        odd = [(NAN, good, good), (-1.0, good, good), (START, Moment(1.0, NAN), good)]
        assert zone_of(odd, good, good) == zone_of([], good, good)

    @pytest.mark.parametrize("mono", [NAN, -40_000.0])
    def test_a_steady_clock_that_began_anew_tells_nothing(self, mono: float) -> None:
        world = World()
        until = Moment(mono, START + 60)
        assert zone_of([], world.moment(0), until) == zone_of(
            [], world.moment(0), Moment(NAN, START + 60)
        )


def test_another_computer_that_asks_leaves_the_end_open() -> None:
    """Its clock may be behind that of the one that began."""
    world = World()
    told = [world.told(-10, 0.1)]
    open_end = zone_of(told, world.moment(0), Moment(NAN, math.inf))
    assert open_end.place(world.stamp(9_000)) == "ours"
    assert open_end.place(world.stamp(-20)) == "before"
    assert zone_of(told, world.moment(0), world.moment(5)).place(world.stamp(9_000)) == "doubtful"
