"""A trouble that goes on fills no log: once, then once a minute with a count, then its end."""

from __future__ import annotations

import logging
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from evolution_sdk._base.quiet_log import QuietLog, Repeats

LOG = logging.getLogger("evolution_sdk.test")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = [record.getMessage() for record in caplog.records]
    caplog.clear()
    return found


def test_an_outage_of_an_hour_takes_a_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    log = QuietLog(LOG, clock)
    for second in range(0, 3_600, 5):
        clock.now = second
        log.trouble("down", "the server is down: %s", "refused")
    told = lines(caplog)
    assert told[0] == "the server is down: refused"
    assert len(told) == 60
    assert set(told[1:]) == {"the server is down: refused (11 more times since the last line)"}
    log.over("down", "the server is back")
    log.over("down", "the server is back")
    assert lines(caplog) == ["the server is back (failures: 720)"]
    log.trouble("down", "the server is down: %s", "cut off")
    assert lines(caplog) == ["the server is down: cut off"]


def test_each_kind_is_told_for_itself_and_at_its_level(caplog: pytest.LogCaptureFixture) -> None:
    log = QuietLog(LOG, Clock())
    for _ in range(3):
        log.trouble(("a", 1), "a")
        log.trouble(("a", 2), "b", level=logging.ERROR)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "a"),
        ("ERROR", "b"),
    ]


def test_no_end_is_told_of_what_never_began(caplog: pytest.LogCaptureFixture) -> None:
    QuietLog(LOG, Clock()).over("down", "back")
    assert caplog.records == []


def test_the_kinds_are_bounded() -> None:
    repeats = Repeats(most=2)
    for kind in ("a", "b", "c"):
        assert repeats.again(kind, 0.0) == 0
    assert repeats.again("a", 1.0) == 0
    assert repeats.again("c", 1.0) is None


@settings(max_examples=examples(100))
@given(st.lists(st.floats(0, 100), max_size=50))
def test_every_time_is_counted_and_no_minute_has_two_lines(pauses: list[float]) -> None:
    repeats, now, told = Repeats(), 0.0, []
    counted = 0
    for number, pause in enumerate(pauses, 1):
        now += pause
        untold = repeats.again("kind", now)
        if untold is not None:
            told.append(now)
            counted += 1 + untold
            assert counted == number
    assert all(later - earlier >= 60 for earlier, later in pairwise(told))
    assert repeats.over("kind") == len(pauses)
