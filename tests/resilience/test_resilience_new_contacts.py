"""When refusals pause first messages, and for how long; time is an argument."""

from __future__ import annotations

from typing import Any

import pytest

from evolution_sdk.config import RateLimitConfig
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.resilience.new_contacts import NewContactPause, Paused

HOUR = 3_600.0


def pause_of(**limits: Any) -> NewContactPause:
    return NewContactPause(RateLimitConfig(on_refused="pause_new_contacts", **limits))


def test_three_refusals_in_an_hour_pause_for_six_hours() -> None:
    pause = pause_of()
    for at in (0.0, 10.0):
        pause.refused("sales", at)
        assert pause.paused("sales", at) is None
    pause.refused("sales", 20.0)
    assert pause.paused("sales", 20.0) == Paused(20.0 + 6 * HOUR, 3)
    assert pause.paused("sales", 20.0 + 6 * HOUR - 1) is not None
    assert pause.paused("sales", 20.0 + 6 * HOUR) is None
    assert pause.paused("support", 20.0) is None


def test_old_refusals_do_not_count() -> None:
    pause = pause_of(pause_after_refusals=2)
    pause.refused("sales", 0.0)
    pause.refused("sales", HOUR)
    assert pause.paused("sales", HOUR) is None
    pause.refused("sales", HOUR + 1)
    assert pause.paused("sales", HOUR + 1) is not None


def test_a_refusal_in_a_pause_makes_it_longer_and_none_makes_it_shorter() -> None:
    pause = pause_of(pause_after_refusals=1, new_contacts_pause_ms=100_000)
    pause.refused("sales", 0.0)
    pause.refused("sales", 50.0)
    assert pause.paused("sales", 60.0) == Paused(150.0, 2)
    pause.refused("sales", 20.0)  # a clock that was set back
    found = pause.paused("sales", 60.0)
    assert found is not None
    assert found.until == 150.0


def test_a_pause_can_be_lifted() -> None:
    pause = pause_of(pause_after_refusals=1)
    pause.refused("sales", 0.0)
    pause.lift("sales")
    pause.lift("never seen")
    assert pause.paused("sales", 1.0) is None


def test_more_refusals_than_are_remembered_still_count() -> None:
    pause = pause_of(pause_after_refusals=1_500, refusal_window_ms=10_000_000)
    for at in range(1_500):
        assert pause.paused("sales", float(at)) is None
        pause.refused("sales", float(at))
    assert pause.paused("sales", 1_500.0) is not None


def test_another_word_is_refused() -> None:
    word: Any = "stop"
    with pytest.raises(ConfigurationError, match="pause_new_contacts"):
        RateLimitConfig(on_refused=word)


def test_a_clock_set_back_by_far_pauses_nobody_for_years() -> None:
    pause = pause_of(pause_after_refusals=1)
    year = 365 * 24 * HOUR
    pause.refused("sales", 10 * year)  # the clock ran ahead, and is put right
    assert pause.paused("sales", 9 * year) == Paused(9 * year + 6 * HOUR, 1)
    assert pause.paused("sales", 9 * year + 6 * HOUR) is None
    late = pause_of(pause_after_refusals=2)
    late.refused("sales", 10 * year)
    late.refused("sales", 9 * year)
    assert late.paused("sales", 9 * year) is None, "a refusal of the future is not of this hour"


def test_refusals_of_one_chat_are_about_that_chat() -> None:
    pause = pause_of()
    for at in range(2_000):
        pause.refused("sales", float(at), "5511900000001@s.whatsapp.net")
    assert pause.paused("sales", 2_000.0) is None
    pause.refused("sales", 2_000.0, "5511900000002@s.whatsapp.net")
    pause.refused("sales", 2_000.0, "5511900000003@s.whatsapp.net")
    assert pause.paused("sales", 2_000.0) == Paused(2_000.0 + 6 * HOUR, 3)
