"""Quiet hours by the clocks of a place: over midnight, by weekday, right where clocks change."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolution_sdk.config import RateLimitConfig
from evolution_sdk.config._quiet_hours import read_quiet_hours
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.resilience.pacing import Line, Rules, reserve
from evolution_sdk.resilience.quiet_hours import QuietHours, quiet_until

NEW_YORK, SAO_PAULO = ZoneInfo("America/New_York"), ZoneInfo("America/Sao_Paulo")
ZONES = (NEW_YORK, SAO_PAULO, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Pacific/Apia"), UTC)
NIGHT = "22:00-08:00"


def hours(text: str, zone: Any) -> QuietHours:
    return QuietHours(read_quiet_hours(text), zone)


def at(zone: Any, text: str, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()


def shown(zone: Any, moment: float) -> str:
    return datetime.fromtimestamp(moment, zone).isoformat(" ", "minutes")


@pytest.mark.parametrize(
    ("text", "now", "end"),
    [
        (NIGHT, "2026-05-04 21:59", "2026-05-04 21:59"),
        (NIGHT, "2026-05-04 22:00", "2026-05-05 08:00"),
        (NIGHT, "2026-05-05 03:00", "2026-05-05 08:00"),
        (NIGHT, "2026-05-05 08:00", "2026-05-05 08:00"),
        ("12:00-13:00", "2026-05-05 12:30", "2026-05-05 13:00"),
        ("12:00-13:00,13:00-14:00 , 13:30-15:00", "2026-05-05 12:30", "2026-05-05 15:00"),
        ("20:00-24:00, 00:00-7:30", "2026-05-05 23:00", "2026-05-06 07:30"),
        # 2026-05-09 is a Saturday.
        ("sat,sun 00:00-24:00", "2026-05-08 23:59", "2026-05-08 23:59"),
        ("sat,sun 00:00-24:00", "2026-05-09 00:00", "2026-05-11 00:00"),
        ("Sat-Sun 00:00-24:00, 22:00-08:00", "2026-05-08 22:00", "2026-05-11 08:00"),
        ("sat-sun 00:00-24:00, 22:00-08:00", "2026-05-11 08:00", "2026-05-11 08:00"),
        ("fri 22:00-08:00", "2026-05-09 07:00", "2026-05-09 08:00"),
        ("fri 22:00-08:00", "2026-05-08 07:00", "2026-05-08 07:00"),
        ("fri-mon 12:00-13:00", "2026-05-11 12:00", "2026-05-11 13:00"),
        ("fri-mon 12:00-13:00", "2026-05-12 12:00", "2026-05-12 12:00"),
    ],
)
def test_hours_of_a_place(text: str, now: str, end: str) -> None:
    quiet = hours(text, SAO_PAULO)
    assert quiet_until(quiet, at(SAO_PAULO, now)) == at(SAO_PAULO, end)


@pytest.mark.parametrize(
    ("zone", "text", "now", "hours_left"),
    [
        # Forward, 02:00 → 03:00: an hour less.
        (NEW_YORK, NIGHT, "2026-03-07 22:00", 9),
        # Back, 02:00 → 01:00: an hour more.
        (NEW_YORK, NIGHT, "2026-10-31 22:00", 11),
        # Skipped: the end is when the clocks go forward, and so is the beginning.
        (NEW_YORK, "22:00-02:30", "2026-03-07 22:00", 4),
        (NEW_YORK, "02:30-05:00", "2026-03-08 03:00", 2),
        (NEW_YORK, "02:30-05:00", "2026-03-08 01:59", 0),
        # Shown twice: from the first time to the second one.
        (NEW_YORK, "22:00-01:30", "2026-10-31 22:00", 4.5),
        (NEW_YORK, "01:30-05:00", "2026-11-01 01:30", 4.5),
        # Brazil changed its clocks at midnight: 00:00 → 01:00, and 00:00 → 23:00.
        (SAO_PAULO, "00:00-06:00", "2018-11-04 01:00", 5),
        (SAO_PAULO, "00:00-06:00", "2018-11-03 23:59", 0),
        (SAO_PAULO, "22:00-00:30", "2018-11-03 22:00", 2),
        (SAO_PAULO, "22:00-23:30", "2018-02-17 22:00", 2.5),
        (SAO_PAULO, NIGHT, "2018-02-17 22:00", 11),
        # And has not since 2019.
        (SAO_PAULO, NIGHT, "2026-11-03 22:00", 10),
    ],
)
def test_changes_of_the_clocks(zone: ZoneInfo, text: str, now: str, hours_left: float) -> None:
    moment = at(zone, now)
    assert quiet_until(hours(text, zone), moment) - moment == hours_left * 3_600


def test_a_day_that_was_skipped() -> None:
    """Samoa had no 30th of December 2011."""
    zone = ZoneInfo("Pacific/Apia")
    quiet = hours("fri 00:00-24:00, 22:00-08:00", zone)
    begin = at(zone, "2011-12-29 22:00")
    assert shown(zone, quiet_until(quiet, begin)) == "2011-12-31 08:00+14:00"
    assert quiet_until(quiet, begin) - begin == 10 * 3_600


_minutes = st.integers(0, 1_439)
_ranges = st.lists(
    st.tuples(st.sampled_from(["", "mon ", "sat,sun ", "tue-thu "]), _minutes, _minutes).filter(
        lambda one: one[1] != one[2]
    ),
    min_size=1,
    max_size=3,
)
# Around changes of the clocks, and anywhere.
_moments = st.one_of(
    *(
        st.integers(-2 * 1_440, 2 * 1_440).map(lambda n, c=change: c + n * 60)
        for change in (
            at(NEW_YORK, "2026-03-08 03:00"),
            at(NEW_YORK, "2026-11-01 01:00", 1),
            at(SAO_PAULO, "2018-11-04 01:00"),
            at(SAO_PAULO, "2018-02-17 23:00", 1),
            at(ZoneInfo("Australia/Lord_Howe"), "2026-04-05 01:30", 1),
            at(ZoneInfo("Pacific/Apia"), "2011-12-31 00:00"),
        )
    ),
    st.integers(0, 2**32).map(lambda n: float(n - n % 60)),
)


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def reads_quiet(quiet: QuietHours, moment: float) -> bool:
    """Whether a clock on the wall, read by somebody who knows of no changes, says so."""
    local = datetime.fromtimestamp(moment, quiet.zone)
    minute, day = local.hour * 60 + local.minute, local.weekday()
    for days, begin, end in quiet.ranges:
        if end > begin and day in days and begin <= minute < end:
            return True
        if end <= begin and day in days and minute >= begin:
            return True
        if end <= begin and (day - 1) % 7 in days and minute < end:
            return True
    return False


def near_a_change(zone: Any, moment: float) -> bool:
    """Whether clocks are put forward or back within the days around."""
    around = range(-3, 4)
    offsets = {datetime.fromtimestamp(moment + n * 86_400, zone).utcoffset() for n in around}
    return len(offsets) > 1


@given(_ranges, st.sampled_from(ZONES), _moments)
def test_what_the_wall_clock_calls_quiet_is_quiet(
    ranges: list[tuple[str, int, int]], zone: Any, now: float
) -> None:
    try:
        quiet = hours(", ".join(f"{d}{clock(b)}-{clock(e)}" for d, b, e in ranges), zone)
    except ValueError:
        return  # it leaves no time
    end = quiet_until(quiet, now)
    assert end >= now
    assert quiet_until(quiet, end) == end, "the end is not quiet"
    assert end % 60 == 0
    if zone is not ZONES[3] and reads_quiet(quiet, now):  # Samoa skipped a day of the week
        assert end > now
    if near_a_change(zone, now):
        return
    assert (end > now) == reads_quiet(quiet, now)
    if near_a_change(zone, end):
        return
    # Quiet all the way there, and not afterwards.
    for n in range(0, int(end - now), 600):
        if not near_a_change(zone, now + n):
            assert reads_quiet(quiet, now + n)
    assert not reads_quiet(quiet, end)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("22-8", "ranges such as"),
        ("22:00", "ranges such as"),
        ("22:00-08:00 sat", "ranges such as"),
        ("25:00-08:00", "00:00 to 24:00"),
        ("22:60-08:00", "00:00 to 24:00"),
        ("08:00-24:01", "00:00 to 24:00"),
        ("08:00-08:00", "not empty"),
        ("24:00-08:00", "not empty"),
        ("sab 00:00-24:00", "mon, tue"),
        ("sat,sun", "after the days"),
        ("00:00-24:00", "some time"),
        ("20:00-08:00, 07:00-20:00", "some time"),
        ("mon-sun 08:00-07:59, 07:59-08:00", "some time"),
    ],
)
def test_hours_that_cannot_be(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match="EVOLUTION_RATE_LIMIT_QUIET_HOURS") as caught:
        RateLimitConfig(quiet_hours=text)
    assert problem in str(caught.value)
    assert "Example: EVOLUTION_RATE_LIMIT_QUIET_HOURS=22:00-08:00" in str(caught.value)


@pytest.mark.parametrize(
    "name", ["", "Brazil", "../etc/passwd", "/etc/localtime", "America", "X\0"]
)
def test_zones_that_are_none(name: str) -> None:
    with pytest.raises(ConfigurationError, match="QUIET_TIME_ZONE must be the name of a") as caught:
        RateLimitConfig(quiet_time_zone=name)
    assert caught.value.variable == "EVOLUTION_RATE_LIMIT_QUIET_TIME_ZONE"


def test_without_a_database_of_zones_it_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['tzdata'] = None\n"
        "from evolution_sdk.config import RateLimitConfig as C\n"
        "C(quiet_hours='22:00-08:00', quiet_time_zone='utc')\n"  # needs none
        "C(quiet_time_zone='America/Sao_Paulo')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONTZPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "QUIET_TIME_ZONE must be UTC" in done.stderr
    assert "pip install tzdata" in done.stderr


def rules(**limits: Any) -> Rules:
    off = {"per_second": 0, "per_minute": 0, "recipient_gap_ms": 0, "jitter": 0}
    return Rules.for_messages(RateLimitConfig(**{**off, **limits}))


def test_a_place_is_never_within_quiet_hours() -> None:
    quiet = rules(quiet_hours=NIGHT, quiet_time_zone="America/Sao_Paulo", per_second=0.001, burst=1)
    line, now = Line(), at(SAO_PAULO, "2026-05-04 21:30")
    told = []
    for _ in range(4):
        ruling = reserve(quiet, line, 0.0, now, 0.0, 1e12)
        assert ruling.line is not None
        assert ruling.place is not None
        line = ruling.line
        told.append((shown(SAO_PAULO, ruling.place.at)[11:16], ruling.limit))
    assert told == [
        ("21:30", ""),
        ("21:46", "per_second"),
        ("08:00", "quiet_hours"),
        ("08:16", "per_second"),
    ]


def test_too_long_a_night_takes_no_place() -> None:
    ruling = reserve(rules(quiet_hours=NIGHT), Line(), 0.0, at(UTC, "2026-05-04 23:00"), 0.0, 1e6)
    assert ruling == (9 * 3_600_000, "quiet_hours", None, 0.0, None)


def test_the_next_day_of_a_cap_may_begin_quiet() -> None:
    """The cap's day begins at midnight UTC, in the middle of the night here."""
    capped = rules(quiet_hours=NIGHT, quiet_time_zone="Europe/London", daily_cap=1)
    now = at(UTC, "2026-05-04 12:00")
    first = reserve(capped, Line(), 0.0, now, 0.0, 1e12)
    assert first.line is not None
    second = reserve(capped, first.line, 0.0, now, 0.0, 1e12)
    assert second.place is not None
    assert second.limit == "quiet_hours"
    assert second.place.at == at(UTC, "2026-05-05 07:00")
    # And quiet hours may end on a day whose places are taken.
    night = rules(quiet_hours="12:00-11:00", daily_cap=1)
    line = Line(day=first.place.day + 1, today=1) if first.place else Line()
    third = reserve(night, line, 0.0, now, 0.0, 1e12)
    assert third.place is not None
    assert third.place.at == at(UTC, "2026-05-06 11:00")


def test_number_checks_know_no_quiet_hours() -> None:
    assert Rules.for_checks(RateLimitConfig(quiet_hours=NIGHT), 50).quiet is None
    assert Rules.for_messages(RateLimitConfig()).quiet is None
    assert Rules.for_messages(RateLimitConfig(quiet_hours=" ")).quiet is None
