"""Pacing: laws that hold for every sequence of sends, and each setting's effect."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from evolution_sdk.config import RateLimitConfig
from evolution_sdk.resilience.pacing import Line, Rules, Ruling, day_allows, reserve
from evolution_sdk.resilience.states import MemoryStates, address, recipient_key

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()
DAY = 86_400.0
EVER = float("inf")
OFF = {"per_second": 0, "per_minute": 0, "recipient_gap_ms": 0, "jitter": 0}


def rules(**changes: Any) -> Rules:
    return Rules.for_messages(RateLimitConfig(**{**OFF, **changes}))


class Sender:
    """Sends as the limiter says, and remembers when each message went."""

    def __init__(self, limits: Rules, *, chance: float = 0.0, start: float = NOON) -> None:
        self.limits, self.chance, self.now = limits, chance, start
        self.states = MemoryStates()
        self.went: list[tuple[float, str]] = []

    def send(self, to: str = "a", *, max_wait_ms: float = EVER, cost: int = 1) -> Ruling:
        ruling = self.states.take(self.limits, "line", to, self.now, self.chance, max_wait_ms, cost)
        while ruling.line is None and ruling.wait_ms <= max_wait_ms:
            self.now += ruling.wait_ms / 1_000
            ruling = self.states.take(
                self.limits, "line", to, self.now, self.chance, max_wait_ms, cost
            )
        if ruling.line is not None:
            self.went.append((self.now + ruling.wait_ms / 1_000, to))
        return ruling

    def waits(self, count: int, to: str = "a") -> list[float]:
        return [round(self.send(to).wait_ms, 3) for _ in range(count)]


def test_nothing_waits_without_limits() -> None:
    assert Sender(rules()).waits(5) == [0] * 5


def test_per_second_and_burst() -> None:
    assert Sender(rules(per_second=2, burst=1)).waits(4) == [0, 500, 1_000, 1_500]
    assert Sender(rules(per_second=2, burst=3)).waits(5) == [0, 0, 0, 500, 1_000]


def test_a_pause_earns_the_burst_again_but_no_more() -> None:
    sender = Sender(rules(per_second=1, burst=2))
    assert sender.waits(3) == [0, 0, 1_000]
    sender.now += 1_000
    assert sender.waits(3) == [0, 0, 1_000]


def test_per_minute() -> None:
    assert Sender(rules(per_minute=2)).waits(5) == [0, 0, 60_000, 60_000, 120_000]


def test_the_gap_is_each_recipients_own() -> None:
    sender = Sender(rules(recipient_gap_ms=3_000))
    assert sender.send("a").wait_ms == 0
    assert sender.send("b").wait_ms == 0
    sender.send("a")
    assert sender.now == NOON + 3


def test_who_waits_for_a_recipient_holds_up_nobody() -> None:
    sender = Sender(rules(recipient_gap_ms=3_000, per_second=1, burst=2))
    sender.send("a")
    waiting = sender.states.take(sender.limits, "line", "a", NOON, 0, EVER)
    assert (waiting.line, waiting.limit, waiting.wait_ms) == (None, "recipient_gap_ms", 3_000)
    assert sender.send("b").wait_ms == 0


def test_jitter_makes_gaps_longer_never_shorter() -> None:
    limits = rules(per_second=1, burst=1, recipient_gap_ms=10_000, jitter=0.5)
    assert Sender(limits, chance=0.0).waits(1) == [0]
    sender = Sender(limits, chance=1.0)
    sender.send("a")
    assert sender.send("b").wait_ms == 1_500
    sender.send("a")
    assert sender.now == NOON + 15


def test_a_wait_too_long_takes_no_place_and_names_the_limit() -> None:
    for changes, limit, wait_ms in (
        ({"per_second": 1, "burst": 1}, "per_second", 1_000),
        ({"per_minute": 1}, "per_minute", 60_000),
        ({"recipient_gap_ms": 5_000}, "recipient_gap_ms", 5_000),
        ({"daily_cap": 1}, "daily_cap", DAY / 2 * 1_000),
        ({"warmup_start": 1}, "warmup_start", DAY / 2 * 1_000),
        ({"warmup_start": 2, "daily_cap": 1}, "daily_cap", DAY / 2 * 1_000),
    ):
        sender = Sender(rules(**changes))
        sender.send()
        for _ in range(3):
            ruling = sender.send(max_wait_ms=wait_ms - 1)
            assert (ruling.line, ruling.limit, ruling.wait_ms) == (None, limit, wait_ms)
        assert len(sender.went) == 1


def test_the_daily_cap_begins_anew_at_midnight() -> None:
    sender = Sender(rules(daily_cap=2))
    sender.waits(2)
    assert sender.waits(3) == [DAY / 2 * 1_000, DAY / 2 * 1_000, DAY * 1.5 * 1_000]


def test_the_warm_up_allows_more_each_day_up_to_the_cap() -> None:
    limits = rules(warmup_start=10, warmup_factor=1.5, daily_cap=30)
    assert [day_allows(limits, day, 100) for day in range(99, 105)] == [10, 10, 15, 22, 30, 30]
    endless = rules(warmup_start=10, warmup_factor=2)
    assert day_allows(endless, 110, 100) == 10_240
    assert day_allows(endless, 10**6, 100) == 0
    assert day_allows(rules(daily_cap=7), 3, 1) == 7


def test_the_warm_up_begins_with_the_first_message_or_on_a_given_day() -> None:
    sender = Sender(rules(warmup_start=1, warmup_factor=3))
    assert sender.waits(2) == [0, DAY / 2 * 1_000]
    sender.now += DAY
    assert sender.waits(3) == [0, 0, DAY / 2 * 1_000]
    since = date(2026, 11, 24)
    second_day = Sender(rules(warmup_start=1, warmup_factor=3, warmup_since=since))
    assert second_day.waits(4) == [0, 0, 0, DAY / 2 * 1_000]


def test_a_pause_holds_and_never_gets_shorter() -> None:
    sender = Sender(rules())
    sender.states.pause("line", NOON + 5)
    sender.states.pause("line", NOON + 2)
    assert sender.states.paused_until("line") == NOON + 5
    ruling = sender.send()
    assert (ruling.wait_ms, ruling.limit) == (5_000, "pause")
    assert sender.states.paused_until("other") == 0


def test_checks_are_counted_by_number() -> None:
    limits = Rules.for_checks(RateLimitConfig(checks_per_minute=60, jitter=0), 50)
    sender = Sender(limits)
    assert sender.send(cost=50).wait_ms == 0
    assert sender.send(cost=10).wait_ms == 10_000
    assert not Rules.for_checks(RateLimitConfig(checks_per_minute=0), 50).interval_s


def test_the_memory_is_bounded_and_the_longest_unused_goes_first() -> None:
    states = MemoryStates(most_instances=2, most_recipients=2)
    limits = rules(per_second=1, burst=1, recipient_gap_ms=100_000)

    def wait(line: str, to: str) -> float:
        return states.take(limits, line, to, NOON, 0, 0).wait_ms

    for line in ("a", "b", "c"):
        assert wait(line, line) == 0
    assert wait("a", "a") == 0  # forgotten
    assert wait("c", "x") == 1_000


def test_a_state_survives_a_store_and_rubbish_is_a_new_state() -> None:
    line = Line(12.5, (1.0, 2.5), 20_417, 3, 20_400, 99.0)
    assert Line.load(line.dump()) == line
    for text in (None, "", "{}", "[1]", "null", '["x", [], 0, 0, 0, 0]'):
        assert Line.load(text) == Line()


@pytest.mark.parametrize(
    ("body", "to"),
    [
        ({"number": "5511987654321"}, "5511987654321"),
        ({"number": "+5511987654321"}, "5511987654321"),
        ({"number": "5511987654321@s.whatsapp.net"}, "5511987654321"),
        ({"number": "1203@g.us"}, "1203@g.us"),
        ({"key": {"remoteJid": "1@s.whatsapp.net"}}, "1"),
        ({"type": "text"}, None),
        ({"number": 5}, None),
    ],
)
def test_the_recipient_of_a_body(body: dict[str, Any], to: str | None) -> None:
    assert address(body) == to


def test_a_number_is_not_shown_in_a_key() -> None:
    key = recipient_key("sales", "5511987654321")
    assert "5511987654321" not in key
    assert key != recipient_key("sales", "5511987654322")


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
arrivals = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 1.0, 70.0, DAY]), st.sampled_from("ab")), max_size=40
)


@settings(max_examples=examples(150))
@given(limits_drawn, arrivals, st.floats(0, 1), st.sampled_from([0.0, 5_000.0, EVER]))
def test_no_limit_is_ever_crossed(
    limits: Rules, asks: list[tuple[float, str]], chance: float, max_wait_ms: float
) -> None:
    sender = Sender(limits, chance=chance)
    for pause, to in asks:
        sender.now += pause
        before = len(sender.went)
        ruling = sender.send(to, max_wait_ms=max_wait_ms)
        assert ruling.wait_ms >= 0
        if len(sender.went) > before:
            assert ruling.wait_ms <= max_wait_ms
    times = [moment for moment, _ in sender.went]
    slack = 1e-4
    if limits.interval_s:
        for gap, burst in ((i, limits.burst) for i in range(len(times) - limits.burst)):
            assert times[gap + burst] - times[gap] >= limits.interval_s - slack
    if limits.per_minute:
        for earlier, later in zip(times, times[limits.per_minute :], strict=False):
            assert later - earlier >= 60 - slack
    for to in "ab":
        own = [moment for moment, whom in sender.went if whom == to]
        for earlier, later in pairwise(own):
            assert later - earlier >= limits.gap_s - slack
    days = [int((moment + slack) // DAY) for moment in times]
    for day in set(days):
        allowed = day_allows(limits, day, days[0])
        assert not allowed or days.count(day) <= allowed


def test_a_burst_does_not_overtake_a_place_taken_for_later() -> None:
    sender = Sender(rules(per_second=0.5, burst=3, per_minute=2))
    for _ in range(4):
        sender.send("a")
    begun = sender.went[0][0]
    assert [moment - begun for moment, _ in sender.went] == [0, 0, 60, 60]


def test_a_clock_that_goes_back_breaks_no_cap() -> None:
    limits = rules(daily_cap=2)
    line, went = Line(), 0
    for now in (NOON, NOON + DAY, NOON, NOON + DAY, NOON):
        ruling = reserve(limits, line, 0.0, now, 0.0, 0.0)
        if ruling.line is not None:
            line, went = ruling.line, went + 1
    assert went == 3
