"""A model of lost sends: clocks of the server and of a proxy, equal texts, late rows; one decision.

The world is made of true times. The server's clock is ``skew`` ahead of them (and may be set once),
the proxy's writes ``Date``, ours begin anywhere. What the decision is told is what a client sees.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from effort import examples
from evolution_sdk.reconcile.send_ledger import Ledger, Send
from evolution_sdk.reconcile.server_clock import Moment, ServerClock
from evolution_sdk.reconcile.verdict import CLOCKS, RIVALS, Rival, Sighting, Verdict, decide

START = 1_795_447_889.0


@dataclass
class World:
    """The truth, and the client's two clocks."""

    skew: float
    rounds: bool
    ours: float = 0.0
    clock: ServerClock = field(default_factory=ServerClock)

    def stamp(self, at: float) -> float:
        told = START + at + self.skew
        return float(math.floor(told + 0.5) if self.rounds else math.floor(told))

    def moment(self, at: float) -> Moment:
        return Moment(50_000.0 + at, START + at + self.ours)

    def answered(self, begun: float, made: float, over: float) -> None:
        self.clock.learn(self.stamp(made), self.moment(begun), self.moment(over))

    def dated(self, skew: float, at: float) -> None:
        date = formatdate(START + at + skew, usegmt=True)
        self.clock.dated({"date": date}, self.moment(at))


def sighting(name: str, told: float) -> Sighting:
    return Sighting(name, told, {}, "store")


SKEWS = st.one_of(st.just(0.0), st.floats(-10, 10), st.floats(-90_000, 90_000))
TOOK = st.floats(0.0, 5.0)


@given(
    skew=SKEWS, proxy=SKEWS, ours=SKEWS, rounds=st.booleans(), known=st.booleans(),
    dated=st.booleans(), took=TOOK, made=TOOK, since=st.floats(0.0, 3_600), later=TOOK,
)  # fmt: skip
@settings(max_examples=examples(300))
def test_a_stored_message_is_never_called_absent(
    skew: float, proxy: float, ours: float, rounds: bool, known: bool, dated: bool,
    took: float, made: float, since: float, later: float,
) -> None:  # fmt: skip
    world = World(skew, rounds, ours)
    if known:
        world.answered(0.0, min(made, took), took)
    begun = took + since
    if dated:
        world.dated(proxy, begun + later)
    zone = world.clock.zone(world.moment(begun), world.moment(begun + made + later))
    verdict = decide([sighting("A", world.stamp(begun + made))], zone, [])
    assert verdict != Verdict()
    if known or abs(skew - ours) < 4 or (dated and abs(skew - proxy) < 2):
        assert verdict.found is not None


@given(
    skew=SKEWS, proxy=SKEWS, rounds=st.booleans(), took=TOOK, gap=st.floats(0.0, 200),
    old=st.floats(0.0, 4_000), dated=st.booleans(),
)  # fmt: skip
@settings(max_examples=examples(300))
def test_an_older_message_is_never_given_to_a_send_once_the_clock_is_known(
    skew: float, proxy: float, rounds: bool, took: float, gap: float, old: float, dated: bool
) -> None:
    """Beyond what whole seconds and the time of one answer leave open."""
    world = World(skew, rounds)
    world.answered(0.0, took / 2, took)
    begun = took + gap
    if dated:
        world.dated(proxy, begun)
    zone = world.clock.zone(world.moment(begun), world.moment(begun + 3))
    verdict = decide([sighting("old", world.stamp(begun - old))], zone, [])
    slack = took + 3.1 + 2e-4 * (begun + 1)
    if old > slack:
        assert verdict.found is None
        assert verdict.doubt in (None, CLOCKS)
        if old > slack + 6 and not dated:
            assert verdict == Verdict()


@given(
    step=st.floats(-5_000, 5_000), during=st.floats(0.0, 1.0), stored=st.booleans(), skew=SKEWS,
    mono=st.booleans(),
)  # fmt: skip
@settings(max_examples=examples(200))
def test_steps_of_our_clock_and_sleeping_computers_hide_nothing(
    step: float, during: float, stored: bool, skew: float, mono: bool
) -> None:
    """Either the wall clock is set, or the other one stands still while the computer sleeps."""
    world = World(skew, False)
    world.answered(0.0, 0.1, 0.2)
    begun, now = world.moment(10.0), world.moment(12.0)
    if mono:
        slept = abs(step)
        begun = Moment(begun.mono - slept * during, begun.wall)
        now = Moment(now.mono - slept, now.wall)
    else:
        begun = Moment(begun.mono, begun.wall + (step if during > 0.5 else 0.0))
        now = Moment(now.mono, now.wall + step)
    zone = world.clock.zone(begun, now)
    if stored:
        assert decide([sighting("A", world.stamp(11.0))], zone, []).found is not None
    else:
        assert decide([], zone, []) == Verdict()


KINDS = st.sampled_from(["answered", "nameless", "never stored", "lost", "lost unstored"])


@given(st.lists(KINDS, min_size=1, max_size=7), st.data(), st.booleans(), st.booleans())
@settings(max_examples=examples(400))
def test_equal_sends_are_told_neither_doubled_nor_wrong(
    kinds: Sequence[str], data: Any, at_once: bool, known: bool
) -> None:
    """Each lost one is looked for, in any order, with some rows written late.

    As many are told to be sent by finding as rows belong to nobody who was told so before.
    """
    world, ledger = World(0.0, False), Ledger()
    if known:
        world.answered(-30.0, -29.9, -29.8)
    claimed: set[str] = set()
    rows: list[Sighting] = []
    lost: list[tuple[Send, bool]] = []
    told_sent = really = 0
    for number, kind in enumerate(kinds):
        at = 0.2 * number if at_once else 20.0 * number
        send = Send("sales", "text", {}, key=7)
        ledger.begin(send, world.moment(at))
        stored = kind not in ("never stored", "lost unstored")
        if stored:
            rows.append(sighting(str(number), world.stamp(at + 0.1)))
            really += 1
        if kind == "answered":
            claimed.add(str(number))
            ledger.settle(send)
        elif kind in ("nameless", "never stored"):
            ledger.leave(send, world.moment(at + 0.1), nameless=True)
        else:
            ledger.leave(send, world.moment(at + 0.1))
            lost.append((send, stored))
        told_sent += kind in ("answered", "nameless", "never stored")
    now = world.moment(20.0 * len(kinds) + 5)
    late = data.draw(st.sets(st.sampled_from([row.id for row in rows]))) if rows else set()
    for send, _ in data.draw(st.permutations(lost)):
        for visible in ([row for row in rows if row.id not in late], rows):
            seen = [row for row in visible if row.id not in claimed]
            assert send.begun is not None
            zone = world.clock.zone(send.begun, now)
            rivals = []
            for other in ledger.rivals(send):
                assert other.begun is not None
                owns = [
                    row.id for row in seen
                    if world.clock.could_be(row.told, other.begun, other.over or now)
                ]  # fmt: skip
                rivals.append(Rival(other.place < send.place, owns))
            verdict = decide(seen, zone, rivals)
            if verdict.found is not None:
                claimed.add(verdict.found.id)
                told_sent += 1
                ledger.settle(send)
                break
            if visible is rows and verdict == Verdict():
                # Absent: its own row is surely not among those that nobody has.
                own = str(send.place - 1)
                assert own in claimed or own not in {row.id for row in rows}
    never = sum(kind == "never stored" for kind in kinds)
    assert told_sent - never <= really  # a proxy's 201 without a send is all that lies


def test_each_other_send_keeps_a_message_for_itself() -> None:
    clock = ServerClock()
    moment = Moment(0.0, START)
    zone = clock.zone(moment, moment)
    two = [sighting("B", START + 1), sighting("A", START)]
    assert decide(two, zone, []).found == two[1]
    assert decide(two, zone, [Rival(True, {"A", "B"})]).found == two[0]
    assert decide(two, zone, [Rival(False, {"A"})]).found == two[0]
    assert decide(two, zone, [Rival(True, {"A"}), Rival(True, {"A", "B"})]).doubt == RIVALS
    # One whose own row is elsewhere is in nobody's way; one that finds none may own any.
    assert decide(two, zone, [Rival(True, {"A"}), Rival(True, {"A"})]).doubt == RIVALS
    assert decide([*two, sighting("C", START)], zone, [Rival(True, {"C"})]).found is not None
    chain = [Rival(True, {"A", "B"}), Rival(True, {"B", "C"}), Rival(True, {"A"})]
    assert decide(two, zone, chain).doubt == RIVALS
    three = [*two, sighting("C", START + 2)]
    assert decide(three, zone, chain).doubt == RIVALS
    assert decide([*three, sighting("D", START)], zone, chain).found == sighting("D", START)
    assert decide(two, zone, [Rival(True, {"A"})] * 65).doubt == RIVALS
    assert decide([sighting("A", START - 99)], zone, []).doubt == CLOCKS
    assert decide([], zone, [Rival(True, {"A"})]) == Verdict()


def test_a_time_that_no_clock_tells_is_in_doubt() -> None:
    clock = ServerClock()
    moment = Moment(0.0, START)
    nothing = Sighting("A", None, {}, "event")
    assert clock.zone(moment, moment).place(None) == "doubtful"
    assert decide([nothing], clock.zone(moment, moment), []).doubt == CLOCKS


@pytest.mark.parametrize("told", [0.0, -1.0, 1e12, math.nan, math.inf, -math.inf])
def test_an_absurd_time_of_an_answer_teaches_nothing(told: float) -> None:
    clock = ServerClock()
    clock.learn(told, Moment(0, START), Moment(1, START + 1))
    assert not clock.zone(Moment(2, START + 2), Moment(3, START + 3)).proven


def test_bounds_are_as_wide_as_what_is_not_known() -> None:
    """Whole seconds cut or rounded, the time of the answer, drift, and what came after."""
    clock = ServerClock()
    clock.learn(START + 7, Moment(0.0, START), Moment(2.0, START + 2))
    (window, same) = clock.zone(Moment(2.0, START + 2), Moment(12.0, START + 12)).windows * 2
    assert window == same
    assert window.opens == pytest.approx(START + 7 - 0.5, abs=0.01)
    assert window.closes == pytest.approx(START + 7 + 2 + 1 + 10 + 5, abs=0.01)
    # A day later the clocks may have parted by some seconds.
    zone = clock.zone(Moment(86_400.0, START + 86_400), Moment(86_400.0, START + 86_400))
    assert zone.windows[0].opens == pytest.approx(START + 7 - 2 - 0.5 + 86_400 - 8.64, abs=0.01)
    assert zone.earliest == pytest.approx(zone.windows[0].opens - 5)


def test_an_equal_send_is_no_rival_once_it_is_neither_under_way_nor_answered() -> None:
    ledger, moment = Ledger(), Moment(0.0, START)
    mine, other = (Send("sales", "text", {}, key=1) for _ in range(2))
    ledger.begin(mine, moment)
    ledger.begin(other, moment)
    assert ledger.rivals(mine) == (other,)
    ledger.leave(other, moment)
    assert ledger.rivals(mine) == ()
    ledger.leave(other, moment, nameless=True)
    assert ledger.rivals(mine) == (other,)
    ledger.settle(other)
    assert ledger.rivals(mine) == ()


def test_two_servers_with_clocks_of_their_own_are_both_believed() -> None:
    """Behind a load balancer, or before and after the clock was set."""
    clock = ServerClock()
    moments = [Moment(float(n), START + n) for n in range(30)]
    for number, skew in enumerate((0.0, 100.0, 0.0, 100.0)):
        clock.learn(START + number + skew, moments[number], moments[number])
    zone = clock.zone(moments[20], moments[25])
    assert [zone.place(START + 20 + ahead) for ahead in (-20, 0, 50, 100, 130)] == [
        "before", "ours", "doubtful", "ours", "doubtful"
    ]  # fmt: skip


@given(st.integers(0, 60))
@settings(max_examples=examples(30))
def test_the_ledger_is_bounded_and_forgets_no_send_under_way(count: int) -> None:
    ledger = Ledger(most=5)
    moment = Moment(0.0, START)
    way = Send("sales", "text", {"text": "x" * 10_000}, key=0)
    ledger.begin(way, moment)
    for number in range(count):
        send = Send("sales", "media", {"media": "x" * 10_000, "n": 1}, key=number)
        ledger.begin(send, moment)
        ledger.leave(send, moment, nameless=True)
        ledger.close(send)
        assert send.body == {"media": None, "n": 1}
    assert len(ledger) == min(count, 5) + 1
    assert ledger.under_way("sales") == (way,)
    assert ledger.under_way("other") == ()
    assume(count)
    assert len(ledger.rivals(Send("sales", "", {}, key=-1, begun=moment))) == min(count, 5) + 1
    assert ledger.rivals(Send("other", "", {}, key=-1, begun=moment)) == ()
