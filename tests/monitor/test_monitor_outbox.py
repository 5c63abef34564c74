"""A watched outbox: samples, details, default alerts; and it never holds up a check or a send."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from monitor_kit import World
from outbox_stub import LIMIT, PERSON, TROUBLE, StubOutbox

from evolution_sdk.monitor import DEFAULT_RULES, AlertRule, ProbeOptions
from evolution_sdk.monitor.outbox import OutboxReader

Make = Callable[..., World]


@pytest.fixture
def outbox() -> StubOutbox:
    return StubOutbox()


def alerts(w: World) -> dict[str, str]:
    return {alert.rule: alert.words for alert in w.monitor.active_alerts}


async def test_a_sample_tells_the_figures(world: Make, outbox: StubOutbox) -> None:
    w = world(outbox=outbox)
    outbox.counts = {
        ("sales", "queued"): 3, ("sales", "sending"): 1, ("b", "queued"): 2,
        ("b", "unknown"): 4, ("b", "sent"): 90,
    }  # fmt: skip
    outbox.oldest_ms = {"sales": 7_000, "b": 2_000}
    outbox.pause("b", TROUBLE, "InstanceNotConnectedError")
    await w.check()
    sample = w.monitor.get_history()[-1]
    assert (sample.outbox_depth, sample.outbox_oldest_s, sample.outbox_unknown) == (6, 7.0, 4)
    assert sample.outbox_paused == 1
    assert w.monitor.get_health_status().details["outbox"] == {
        "depth": 6,
        "oldest_s": 7.0,
        "counts": {"queued": 5, "sending": 1, "unknown": 4, "sent": 90},
        "paused": {"b": "InstanceNotConnectedError"},
    }
    performance = w.monitor.get_performance_metrics()
    assert (performance.outbox_depth, performance.outbox_unknown) == (6, 4)


async def test_without_an_outbox_there_are_no_figures(world: Make) -> None:
    w = world()
    await w.check()
    assert w.monitor.get_history()[-1].outbox_depth is None
    assert "outbox" not in w.monitor.get_health_status().details


async def test_throughput_and_waits_are_those_of_the_window(
    world: Make, outbox: StubOutbox
) -> None:
    w = world(outbox=outbox, window_ms=60_000)
    for waited_ms in (*[1_000] * 28, 50_000, 50_000):
        outbox.tell(waited_ms=waited_ms)
    outbox.tell(result="lost", waited_ms=None)
    await w.check(every_ms=30_000)
    sample = w.monitor.get_history()[-1]
    assert sample.outbox_sent_per_second == pytest.approx(1.0)
    assert sample.outbox_wait_ms == pytest.approx(50_000, rel=1 / 16)
    await w.check(every_ms=120_000)
    later = w.monitor.get_history()[-1]
    assert (later.outbox_sent_per_second, later.outbox_wait_ms) == (0.0, None)


async def test_closing_ends_the_observation(world: Make, outbox: StubOutbox) -> None:
    w = world(outbox=outbox)
    assert len(outbox.observers) == 1
    w.monitor.close()
    assert outbox.observers == []


async def test_one_that_is_too_old_is_alerted(world: Make, outbox: StubOutbox) -> None:
    w = world(outbox=outbox)
    outbox.counts, outbox.oldest_ms = {("sales", "queued"): 1}, {"sales": 299_000}
    await w.check()
    assert alerts(w) == {}
    outbox.oldest_ms = {"sales": 301_000}
    await w.check()
    assert "outbox run" in alerts(w)["outbox_late"]
    outbox.oldest_ms = {}
    await w.check(15)
    assert alerts(w) == {}


@pytest.mark.parametrize(
    ("instance", "cause"), [("sales", PERSON), ("sales", LIMIT), (None, PERSON)]
)
async def test_what_is_held_back_on_purpose_is_not_late(
    world: Make, outbox: StubOutbox, instance: str | None, cause: dict[str, Any]
) -> None:
    w = world(outbox=outbox)
    outbox.counts, outbox.oldest_ms = {("sales", "queued"): 1}, {"sales": 9_000_000}
    outbox.pause(instance, cause)
    await w.check()
    assert alerts(w) == {}
    assert w.monitor.get_history()[-1].outbox_paused == 0
    outbox.pauses.clear()
    await w.check()
    assert set(alerts(w)) == {"outbox_late"}


async def test_unknown_messages_are_alerted_until_a_person_decides(
    world: Make, outbox: StubOutbox
) -> None:
    w = world(outbox=outbox)
    outbox.counts = {("sales", "unknown"): 1}
    await w.check()
    words = alerts(w)["outbox_unknown"]
    assert "outbox resolve KEY" in words
    outbox.counts = {("sales", "sent"): 1}
    await w.check()
    assert alerts(w) == {}


async def test_a_pause_for_trouble_is_alerted_when_it_lasts(
    world: Make, outbox: StubOutbox
) -> None:
    w = world(outbox=outbox)
    outbox.pause(None, TROUBLE, "ConnectionFailedError")
    await w.check(12)
    assert "outbox_paused" not in alerts(w)
    await w.check(2)
    assert "outbox_paused" in alerts(w)
    assert w.monitor.get_health_status().details["outbox"]["paused"] == {
        "*": "ConnectionFailedError"
    }


async def test_rules_about_it_are_chosen_as_any_other(world: Make, outbox: StubOutbox) -> None:
    names = {rule.name for rule in DEFAULT_RULES}
    assert {"outbox_late", "outbox_unknown", "outbox_paused"} <= names
    w = world(outbox=outbox, rules=[AlertRule(name="deep", metric="outbox_depth", above=2)])
    outbox.counts = {("sales", "queued"): 3, ("sales", "unknown"): 1}
    await w.check()
    assert set(alerts(w)) == {"deep"}


async def test_a_store_that_cannot_be_read_changes_no_alert_and_is_told(
    world: Make, outbox: StubOutbox
) -> None:
    w = world(outbox=outbox)
    outbox.counts = {("sales", "unknown"): 1}
    await w.check()
    outbox.broken = True
    assert await w.check() == "healthy"
    assert w.monitor.get_history()[-1].outbox_unknown is None
    assert "outbox_unknown" in alerts(w)
    assert ("monitoringError", "outbox") in w.told
    outbox.broken, outbox.counts = False, {}
    await w.check()
    assert alerts(w) == {}


async def test_it_is_read_aside_and_a_hanging_store_holds_up_no_check(
    world: Make, outbox: StubOutbox
) -> None:
    w = world(outbox=outbox, probes=ProbeOptions(timeout_ms=50))
    await w.check()
    assert threading.get_ident() not in outbox.threads
    outbox.gate = threading.Event()
    try:
        assert await w.check() == "healthy"
        await w.check()
        assert len(outbox.threads) == 2, "a reading under way is not begun again"
    finally:
        outbox.gate.set()


def test_counting_takes_a_small_share_of_the_time(outbox: StubOutbox) -> None:
    now = [0.0]

    class Slow(StubOutbox):
        def read_stats(self) -> Any:
            now[0] += 3
            return super().read_stats()

    slow = Slow()
    reader = OutboxReader(slow, clock=lambda: now[0])
    for _ in range(100):
        assert reader.read(10_000) is not None
        now[0] += 1
    assert len(slow.threads) == 2


def test_figures_that_are_old_are_none(outbox: StubOutbox) -> None:
    now = [0.0]
    reader = OutboxReader(outbox, clock=lambda: now[0])
    assert reader.read(10_000) is not None
    outbox.gate = threading.Event()
    try:
        now[0] = 30
        assert reader.read(1) is not None, "those of before"
        now[0] = 61
        assert reader.read(1) is None
    finally:
        outbox.gate.set()
