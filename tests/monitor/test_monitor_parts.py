"""The counting parts: window, ring, acknowledgements, rhythm, retries, ticks, intake."""

from __future__ import annotations

from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from monitor_kit import Time, envelope

from evolution_sdk import EvolutionClient, EvolutionMonitorService, EvolutionRetryService
from evolution_sdk.errors import (
    BadRequestError,
    ConnectionFailedError,
    InstanceNotConnectedError,
    InstanceNotFoundError,
    RateLimitError,
    RecipientNotFoundError,
    RequestValidationError,
    SendOutcomeUnknownError,
    ServerError,
    UnexpectedResponseError,
)
from evolution_sdk.monitor import Sample, Thresholds
from evolution_sdk.monitor.ack_tracker import AckTracker
from evolution_sdk.monitor.anomalies import AnomalyOptions, AnomalyTracker
from evolution_sdk.monitor.anomaly import AnomalyDetector
from evolution_sdk.monitor.collector import Collector, is_failure
from evolution_sdk.monitor.event_gap import EventGaps, EventRhythm
from evolution_sdk.monitor.history import SampleHistory
from evolution_sdk.monitor.schedule import CheckSchedule
from evolution_sdk.monitor.window import CallWindow, RetryOutcomes


@given(st.lists(st.floats(0, 1e6), max_size=60), st.integers(1, 20))
def test_the_ring_keeps_the_newest(times: list[float], size: int) -> None:
    ring, times = SampleHistory(size), sorted(times)
    for at in times:
        ring.add(Sample(at))
    kept = times[-size:]
    assert [sample.at for sample in ring] == kept
    assert len(ring) == len(kept)
    assert (last := ring.last()) is None or last.at == kept[-1]
    for since in times[::5]:
        assert [s.at for s in ring.since(since)] == [at for at in kept if at >= since]


def test_a_sample_survives_as_a_dictionary() -> None:
    sample = Sample(1.0, status="degraded", error_rate=0.5, memory_bytes=3)
    assert Sample.from_dict({**sample.to_dict(), "of_a_later_version": 1}) == sample


@given(st.lists(st.floats(0.1, 60_000), min_size=1, max_size=200))
def test_the_window_counts_means_and_percentiles(times: list[float]) -> None:
    window = CallWindow(60_000)
    for i, ms in enumerate(times):
        window.request(1_000.0, ms, failed=i % 3 == 0, timed=True, send=False)
    totals, _ = window.totals(1_000.0, 60_000)
    assert totals.requests == totals.timed == len(times)
    assert totals.errors == len(times[::3])
    assert totals.average_ms == pytest.approx(sum(times) / len(times))
    exact = sorted(times)[max(0, -(-95 * len(times) // 100) - 1)]
    assert totals.percentile_ms(0.95) == pytest.approx(exact, rel=0.051)


def test_the_window_forgets_and_stays_small() -> None:
    window = CallWindow(60_000, keep_ms=600_000)
    for second in range(10_000):
        window.request(float(second), 10, failed=False, timed=True, send=True)
        window.message(float(second), sent=second % 2 == 0)
    assert window._window is not None
    assert len(window._window._old) <= 120
    totals, covered = window.totals(9_999.0, 60_000)
    assert 55 <= totals.requests <= 60
    assert totals.sends + totals.received == totals.requests
    assert covered == 60
    assert window.totals(50_000.0, 60_000)[0].requests == 0
    assert CallWindow(60_000).totals(0.0, 60_000)[1] == 0


def book(**limits: Any) -> AckTracker:
    return AckTracker(Thresholds(**limits))


def test_a_send_is_judged_after_its_time_and_only_with_events() -> None:
    acks = book()
    acks.sent("sales", "a", 0.0)
    acks.sent("sales", "b", 0.0)
    acks.status("sales", "a", "SERVER_ACK", 5.0)
    assert acks.shares(59.0)["sales"].share == 0
    assert acks.shares(61.0)["sales"].share == 0.5
    assert acks.shares(700.0)["sales"].share is None  # long ago
    acks.sent("sales", "c", 800.0)
    assert acks.shares(900.0)["sales"].judged == 0  # no event since


def test_how_long_a_send_has_and_counts_can_be_chosen() -> None:
    for after, judged in ((1_000, 1), (60_000, 0)):
        acks = book(ack_after_ms=after)
        acks.status("sales", "x", "READ", 0.0)
        acks.sent("sales", "a", 1.0)
        acks.event("sales", 2.0)
        assert acks.shares(5.0)["sales"].judged == judged
    acks = book(ack_window_ms=1_000)
    acks.sent("sales", "a", 1.0)
    acks.status("sales", "a", "SERVER_ACK", 2.0)
    assert acks.shares(2.5)["sales"].judged == 1
    assert acks.shares(3.5)["sales"].judged == 0


def test_an_event_may_overtake_the_answer_and_an_error_is_no_ack() -> None:
    acks = book()
    acks.status("sales", "a", "DELIVERY_ACK", 1.0)
    acks.sent("sales", "a", 1.1)
    acks.sent("sales", "b", 1.1)
    acks.status("sales", "b", "ERROR", 2.0)
    acks.status("sales", "b", "PENDING", 2.0)
    share = acks.shares(3.0)["sales"]
    assert (share.judged, share.unacked) == (2, 1)


def test_pending_sends_are_bounded() -> None:
    acks = book()
    for i in range(25_000):
        acks.sent("sales", str(i), 0.0)
        acks.status(f"i{i}", f"k{i}", "READ", 0.0)
    assert len(acks._instances) <= 1_001
    assert sum(len(each.pending) for each in acks._instances.values()) <= 20_000
    assert len(acks._early) <= 2_001


HOUR = 3_600.0
MONDAY = 1_795_392_000.0  # 00:00 UTC


def taught(days: int = 1, every_s: float = 60.0, **limits: Any) -> EventGaps:
    silence = EventGaps(Thresholds(**limits))
    for i in range(int(days * 24 * HOUR / every_s)):
        silence.event("sales", MONDAY + i * every_s)
    return silence


def test_silence_is_judged_by_what_is_usual() -> None:
    silence = taught(2)
    last = MONDAY + 48 * HOUR - 60
    assert silence.missing("sales", last + 5 * 60) is None
    assert silence.missing("sales", last + 30 * 60) == pytest.approx(30, rel=0.1)
    assert silence.missing("other", last + 1e6) is None
    assert silence.age_s("sales", last + 30) == 30
    assert silence.age_s("other", last) is None


def test_silence_limits_can_be_chosen() -> None:
    at = MONDAY + 48 * HOUR + 12 * 60
    assert taught(2).missing("sales", at) is None
    assert taught(2, silence_events=5).missing("sales", at) is not None
    assert taught(2, silence_events=5, silence_ms=1e7).missing("sales", at) is None


def test_nights_and_weekends_are_quiet() -> None:
    rhythm = EventRhythm()
    for day in range(5):  # Monday to Friday, from 8 to 20 o'clock
        for minute in range(12 * 60):
            rhythm.event(MONDAY + day * 24 * HOUR + 8 * HOUR + minute * 60)
    friday = MONDAY + 4 * 24 * HOUR
    assert rhythm.expected_since(friday + 20 * HOUR) < 5
    assert rhythm.expected_since(friday + 24 * HOUR + 7 * HOUR) < 20  # the night
    assert rhythm.expected_since(friday + 24 * HOUR + 15 * HOUR) < 20  # Saturday
    late = EventRhythm()
    for minute in range(10):
        late.event(MONDAY + minute * 60)
    assert late.expected_since(MONDAY + 2 * HOUR) == 0  # nothing learned yet


def test_instances_are_bounded() -> None:
    silence = EventGaps(Thresholds())
    for i in range(1_500):
        silence.event(f"i{i}", MONDAY + i)
    assert len(silence._rhythms) == 1_000


async def test_retried_calls_are_judged_by_how_they_end() -> None:
    time = Time()
    retry = EvolutionRetryService(2, clock=time, sleep=time.sleep, async_sleep=time.async_sleep)
    retries = RetryOutcomes(60_000)

    def run(fails: int) -> None:
        left = [OSError("x") for _ in range(fails)]

        def attempt() -> None:
            if left:
                raise left.pop()

        with suppress(OSError):
            retry.execute_with_retry_sync(attempt, "send")

    run(0)
    retries.baseline("client", retry.get_metrics())
    for fails in (0, 1, 1, 1, 2):
        run(fails)
    retries.update("client", retry.get_metrics(), 0.0)
    assert retries.recent(0.0) == (4, 0.75)
    retries.update("client", retry.get_metrics(), 1.0)
    assert retries.recent(1.0) == (4, 0.75)
    retry.reset_metrics()
    run(2)
    retries.update("client", retry.get_metrics(), 2.0)
    assert retries.recent(2.0) == (5, 0.6)
    assert retries.recent(61.0) == (1, 0.0)
    assert retries.recent(200.0) == (0, None)


def test_ticks_keep_their_rhythm_and_leave_out_what_was_missed() -> None:
    time = Time()
    ticks = CheckSchedule(1_000, time)
    start = time.now
    for took in (0.2, 0.0, 0.9, 2.5, 0.1):
        time.now += took
        time.now += ticks.wait_s()
        assert (time.now - start) % 1 == pytest.approx(0, abs=1e-6)
    assert time.now - start == pytest.approx(7)
    ticks.wait_s()
    time.now += 1.25
    assert ticks.lag_ms() == pytest.approx(250, abs=0.01)


@given(st.lists(st.floats(0, 10), max_size=50), st.floats(1, 10_000))
def test_ticks_never_drift(durations: list[float], interval_ms: float) -> None:
    time = Time()
    time.now = start = 0.0
    ticks = CheckSchedule(interval_ms, time)
    for took in durations:
        time.now += took
        before = time.now
        wait = ticks.wait_s()
        assert 0 <= wait <= interval_ms / 1_000 + 1e-6
        time.now = before + wait
        beats = (time.now - start) / (interval_ms / 1_000)
        assert beats == pytest.approx(round(beats), abs=1e-3)


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (ServerError(500), True),
        (ConnectionFailedError("x"), True),
        (UnexpectedResponseError(200, "server.info", b"", "x"), True),
        (InstanceNotConnectedError(400), True),
        (RateLimitError(429), True),
        (BadRequestError(400), False),
        (RecipientNotFoundError(400), False),
        (InstanceNotFoundError(404), False),
        (RequestValidationError("number", "digits"), False),
        (ValueError("x"), False),
    ],
)
def test_which_errors_speak_against_the_server(error: Exception, counts: bool) -> None:
    assert is_failure(error) == counts
    assert issubclass(SendOutcomeUnknownError, Exception)


def intake() -> tuple[Collector, Time]:
    time = Time()
    return Collector(Thresholds(), 60_000, time, time), time


@pytest.mark.parametrize(
    "event",
    [
        envelope("messages.update", "sales", {"keyId": "a", "status": "SERVER_ACK"}),
        envelope("MESSAGES_UPDATE", "sales", {"keyId": "a", "status": "server_ack"}),
        {"event": "messages.update", "instance": "sales", "data": [
            {"keyId": "a", "status": "READ"}]},
        SimpleNamespace(event="messages.update", instance="sales", id="a", status="READ"),
        SimpleNamespace(event="messages.update", instance="sales", raw={
            "data": {"keyId": "a", "status": "READ"}}),
    ],
)  # fmt: skip
def test_an_update_is_understood_in_every_form(event: object) -> None:
    taken, time = intake()
    taken.acks.sent("sales", "a", time.now)
    taken.event(event)
    assert taken.acks.shares(time.now)["sales"].judged == 1
    assert taken.gaps.age_s("sales", time.now) == 0


@pytest.mark.parametrize(
    "event",
    [None, 3, "x", {}, {"event": 1, "instance": 2}, {"event": "x"}, SimpleNamespace(),
     {"event": "messages.update", "instance": "sales", "data": None},
     {"event": "messages.update", "instance": "sales", "data": [None, {"keyId": 1}]}],
)  # fmt: skip
def test_anything_else_is_left_out(event: object) -> None:
    taken, time = intake()
    taken.event(event)
    assert taken.acks.shares(time.now).get("sales") is None or taken.calls._window is None


def test_received_messages_count_and_own_ones_do_not() -> None:
    taken, time = intake()
    taken.event(envelope("messages.upsert", "sales", {"key": {"fromMe": True}}))
    taken.event(envelope("messages.upsert", "sales", {"key": {"fromMe": False}}))
    assert taken.calls.totals(time.now, 60_000)[0].received == 1


def test_an_event_that_comes_by_two_transports_counts_once() -> None:
    client = EvolutionClient("http://x", "key")
    monitor = EvolutionMonitorService(client, sinks=())
    for key_id in ("A", "A", "B"):
        key = {"id": key_id, "remoteJid": "5511987654321@s.whatsapp.net", "fromMe": False}
        client.feed(envelope("messages.upsert", "sales", {"key": key}))
    totals, _ = monitor._collector.calls.totals(monitor._clock(), 60_000)
    assert totals.received == 2
    monitor.close()
    client.feed(envelope("messages.upsert", "sales", {"key": {"id": "C", "fromMe": False}}))
    assert monitor._collector.calls.totals(monitor._clock(), 60_000)[0].received == 2
    client.close()


def anomalies_of(client: EvolutionClient, options: AnomalyOptions | bool) -> AnomalyTracker:
    return EvolutionMonitorService(client, anomalies=options)._checker.tracker._anomalies


def test_the_packages_own_detector_is_the_default() -> None:
    class Own:
        last = None

        def update(self, value: float, timestamp: float | None = None) -> float:
            return 1.0

    client = EvolutionClient("http://x", "key")
    assert anomalies_of(client, True)._make is AnomalyDetector
    assert not anomalies_of(client, False)._enabled
    assert anomalies_of(client, AnomalyOptions(detector=Own))._make is Own


def test_a_rate_is_over_no_more_time_than_is_remembered() -> None:
    window = CallWindow(60_000, keep_ms=600_000)
    for second in range(7_200):
        window.message(float(second), sent=True)
    totals, covered = window.totals(7_199.0, 7_200_000)
    assert totals.sends / covered == pytest.approx(1, rel=0.02)
