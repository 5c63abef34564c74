"""The bounded dictionary, the sliding window, the histogram and the driver of decisions."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolution_sdk._base.bounded_dict import BoundedDict
from evolution_sdk._base.effects import drive_async, drive_sync
from evolution_sdk._base.histogram import LatencyHistogram, bucket_of
from evolution_sdk._base.sliding_window import SlidingWindow


def test_a_full_dictionary_lets_the_oldest_go_and_says_so() -> None:
    gone: list[tuple[str, int]] = []
    kept: BoundedDict[str, int] = BoundedDict(2, lambda key, value: gone.append((key, value)))
    kept["a"], kept["b"] = 1, 2
    kept["a"] = 3  # writing makes it the newest
    kept["c"] = 4
    assert gone == [("b", 2)]
    assert list(kept.items()) == [("a", 3), ("c", 4)]


def test_recalling_makes_an_entry_the_newest_and_reading_does_not() -> None:
    kept: BoundedDict[str, int] = BoundedDict(2)
    kept["a"], kept["b"] = 1, 2
    assert kept.recall("a") == 1
    kept["c"] = 3
    assert list(kept) == ["a", "c"]
    assert kept.get("a") == 1
    kept["d"] = 4
    assert list(kept) == ["c", "d"]
    assert kept.recall("a") is None


def test_setdefault_and_update_are_bounded_too() -> None:
    kept: BoundedDict[int, list[int]] = BoundedDict(2)
    for number in range(5):
        kept.setdefault(number, []).append(number)
    assert dict(kept) == {3: [3], 4: [4]}
    kept.update({number: [] for number in range(9)})
    assert list(kept) == [7, 8]


def test_slots_leave_the_window_once_and_in_order() -> None:
    left: list[list[float]] = []
    window: SlidingWindow[list[float]] = SlidingWindow(0.0, 1.0, 3, list, left.append)
    for now in (0.0, 0.5, 1.0, 2.9, 3.0):
        window.at(now).append(now)
    assert left == [[0.0, 0.5]]
    assert list(window.recent(3.0)) == [[1.0], [2.9], [3.0]]
    assert list(window.recent(3.0, 2)) == [[2.9], [3.0]]
    assert list(window.recent(4.5)) == [[2.9], [3.0]]


def test_a_clock_that_goes_back_counts_for_the_newest_slot() -> None:
    window: SlidingWindow[list[float]] = SlidingWindow(10.0, 1.0, 3, list)
    window.at(12.0).append(12.0)
    window.at(3.0).append(3.0)
    assert list(window.recent(3.0)) == [[], [12.0, 3.0]]


@given(st.lists(st.floats(0, 1e9), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_near_to_a_value_that_was_added(values: list[float], share: float) -> None:
    histogram = LatencyHistogram()
    for value in values:
        histogram.add(value)
    exact = sorted(values)[max(0, -(-round(share * len(values) * 1e6) // 1_000_000) - 1)]
    buckets = {bucket_of(value) for value in values}
    assert bucket_of(histogram.percentile_ms(share)) in buckets
    assert histogram.percentile_ms(1) == pytest.approx(max(values), rel=1 / 16, abs=0.001)
    assert histogram.count_from(exact) >= values.count(exact)


def test_merged_histograms_count_together() -> None:
    one, other = LatencyHistogram(), LatencyHistogram()
    one.add(5)
    other.add(5)
    other.add(700)
    one.merge(other)
    assert one.count_from(1) == 3
    assert one.count_from(600) == 1


def counting(to: int) -> Generator[int, int, int]:
    total = 0
    for step in range(to):
        total += yield step
    return total


async def test_both_drivers_tell_the_decision_what_came_of_each_step() -> None:
    async def double(step: int) -> int:
        return step * 2

    assert drive_sync(counting(4), lambda step: step * 2) == 12
    assert await drive_async(counting(4), double) == 12
    assert drive_sync(counting(0), lambda step: step) == 0


async def test_what_a_step_raises_ends_the_decision_and_gets_out() -> None:
    ended: list[str] = []

    def deciding() -> Generator[str, None, None]:
        try:
            yield "one"
            yield "two"
        finally:
            ended.append("closed")

    def stopping(step: str) -> None:
        raise StopIteration(step)  # no end of the decision, but a fault of the step

    async def failing(step: str) -> None:
        raise ValueError(step)

    with pytest.raises(StopIteration, match="one"):
        drive_sync(deciding(), stopping)
    with pytest.raises(ValueError, match="one"):
        await drive_async(deciding(), failing)
    assert ended == ["closed", "closed"]
