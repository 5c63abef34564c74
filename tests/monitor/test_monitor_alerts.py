"""Rules, alerts, recovery and where alerts go."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from monitor_kit import NUMBER, Time, World

from evolution_sdk._base.request import Request, Response
from evolution_sdk.errors import (
    BadRequestError,
    ConfigurationError,
    SendOutcomeUnknownError,
    ServerError,
)
from evolution_sdk.monitor import (
    DEFAULT_RULES,
    Alert,
    AlertRule,
    CallableSink,
    HttpSink,
    LogSink,
    Sample,
    WhatsAppSink,
)
from evolution_sdk.monitor.alert import AlertTracker, PairingCode
from evolution_sdk.monitor.delivery import AlertDelivery
from evolution_sdk.retry import RetryPolicy


class Book:
    """One rule, stepped second by second."""

    def __init__(self, **rule: Any) -> None:
        self.book = AlertTracker([AlertRule(name="r", **rule)])
        self.now = 0.0

    def step(self, value: float | None = None, *, state: Any = "healthy", odd: bool = False) -> str:
        """Raised as ``+``, resolved as ``-``, else nothing."""
        self.now += 1
        sample = Sample(1e9 + self.now, error_rate=value)
        anomalies = {"error_rate": "odd"} if odd else {}
        found = self.book.step(sample, (state, ["why"]), {}, anomalies, self.now)
        return "".join("+" if alert.resolved_at is None else "-" for alert in found) or "."

    def follow(self, *values: float | None) -> str:
        return "".join(self.step(value) for value in values)


def test_above_and_below() -> None:
    assert Book(metric="error_rate", above=0.5).follow(0.5, 0.6, 0.9, 0.5, 0.6) == ".+.-+"
    assert Book(metric="error_rate", below=0.5).follow(0.5, 0.4, 0.1, 0.5) == ".+.-"


def test_what_was_not_measured_is_neither_worse_nor_better() -> None:
    assert Book(metric="error_rate", above=0.5).follow(None, 0.6, None, None, 0.1) == ".+..-"


def test_for_how_long() -> None:
    book = Book(metric="error_rate", above=0.5, for_ms=2_000)
    assert book.follow(0.6, 0.6, 0.1, 0.6, 0.6, 0.6) == ".....+"


def test_clears_when_and_for_how_long() -> None:
    book = Book(metric="error_rate", above=0.5, clears_at=0.3)
    assert book.follow(0.6, 0.4, 0.2, 0.4) == "+.-."
    book = Book(metric="error_rate", above=0.5, clear_for_ms=2_000)
    assert book.follow(0.6, 0.1, 0.1, 0.6, 0.1, 0.1, 0.1) == "+.....-"


def test_cooldown() -> None:
    book = Book(metric="error_rate", above=0.5, cooldown_ms=3_000)
    assert book.follow(0.6, 0.1, 0.6, 0.6, 0.6) == "+-..+"


def test_states_and_anomalies() -> None:
    book = Book(state="unhealthy")
    assert [book.step(state=s) for s in ("healthy", "unhealthy", "unhealthy", "degraded")] == [
        ".", "+", ".", "-",
    ]  # fmt: skip
    book = Book(metric="error_rate", anomaly=True, clear_for_ms=2_000)
    assert [book.step(0.1, odd=odd) for odd in (False, True, False, False, False)] == [
        ".", "+", ".", ".", "-",
    ]  # fmt: skip


def test_a_state_that_is_not_known_ends_no_alert() -> None:
    states = ("unhealthy", "unknown", "unknown", "unhealthy", "unknown", "healthy")
    book = Book(state="unhealthy")
    assert "".join(book.step(state=s) for s in states) == "+....-"
    book = Book(state="unknown")
    assert "".join(book.step(state=s) for s in states) == ".+.-+-"


def test_the_thread_of_a_parent_process_is_not_waited_for() -> None:
    came = threading.Event()
    post = Post(CallableSink(lambda _: came.set()))
    post.delivery._threaded = True
    post.delivery._thread = gone = threading.Thread(target=print)
    assert not gone.is_alive()  # as after a fork
    post.delivery.post(ALERT)
    assert came.wait(10)
    post.delivery.close(wait_ms=5_000)


def test_severity_and_words() -> None:
    book = AlertTracker([AlertRule(name="r", metric="error_rate", above=0.5, severity="critical")])
    (alert,) = book.step(Sample(5.0, error_rate=0.75), ("healthy", ()), {}, {}, 1.0)
    assert (alert.severity, alert.value, alert.raised_at) == ("critical", 0.75, 5.0)
    assert alert.words == "error rate is 0.75 (share), above 0.5"
    assert book.active == (alert,)


def test_alerts_about_instances_that_are_gone_end() -> None:
    book = AlertTracker([AlertRule(name="r", state="unhealthy", per_instance=True)])
    states: dict[str, Any] = {"a": ("unhealthy", ["x"]), "b": ("healthy", [])}
    (raised,) = book.step(Sample(1.0), ("healthy", ()), states, {}, 1.0)
    assert raised.instance == "a"
    del states["a"]
    (ended,) = book.step(Sample(2.0), ("healthy", ()), states, {}, 2.0)
    assert ended.resolved_at == 2.0


@pytest.mark.parametrize(
    ("rule", "variable"),
    [
        ({"metric": "error_rate"}, "above"),
        ({"metric": "error_rate", "above": 1, "below": 0}, "above"),
        ({"above": 1}, "metric"),
        ({"metric": "nonsense", "above": 1}, "metric"),
        ({"state": "sick"}, "state"),
        ({"metric": "error_rate", "above": 1, "severity": "loud"}, "severity"),
        ({"metric": "error_rate", "above": 1, "for_ms": -1}, "for_ms"),
        ({"metric": "error_rate", "above": 1, "clears_at": 2}, "clears_at"),
        ({"metric": "error_rate", "above": 1, "per_instance": True}, "per_instance"),
    ],
)
def test_senseless_rules_are_refused(rule: dict[str, Any], variable: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        AlertRule(name="r", **rule)
    assert caught.value.variable == variable
    with pytest.raises(ConfigurationError):
        AlertTracker([DEFAULT_RULES[0], DEFAULT_RULES[0]])


async def test_rules_of_ones_own_replace_the_default_ones(world: Callable[..., World]) -> None:
    w = world(rules=[AlertRule(name="mem", metric="memory_bytes", above=1)])
    w.fake.set_state("sales", "close")
    await w.check(2)
    assert ("alertRaised", "mem") in w.told
    assert ("alertRaised", "unhealthy") not in w.told


# --- Sinks ---------------------------------------------------------------------------------------

ALERT = Alert("unhealthy", "critical", "health is unhealthy", 1e9, pairing=PairingCode("2@SECRET"))


class Post:
    """Delivery without a thread, on a fake clock."""

    def __init__(self, *sinks: Any, attempts: int = 3) -> None:
        self.time = Time()
        self.failed: list[tuple[str, Exception]] = []
        policy = RetryPolicy(max_attempts=attempts, delay_ms=1_000, jitter="none")
        self.delivery = AlertDelivery(
            sinks,
            policy,
            clock=self.time,
            draw=lambda: 0.5,
            run=run_now,
            failed=lambda name, error: self.failed.append((name, error)),
            threaded=False,
        )

    def settle(self) -> None:
        """Deliver until nothing waits."""
        while (due := self.delivery.next_due) is not None:
            self.time.now = max(self.time.now, due)
            self.delivery.run_due()


def run_now(awaitable: Awaitable[Any]) -> Any:
    coroutine: Any = awaitable
    with pytest.raises(StopIteration) as done:
        coroutine.send(None)
    return done.value.value


def test_a_failing_sink_is_tried_again_in_order_and_harms_no_other() -> None:
    came: list[str] = []
    fine: list[str] = []
    fails = [OSError("down"), OSError("down")]

    def flaky(alert: Alert) -> None:
        if fails:
            raise fails.pop()
        came.append(alert.rule)

    async def well(alert: Alert) -> None:
        fine.append(alert.rule)

    post = Post(CallableSink(flaky), CallableSink(well))
    for rule in ("a", "b"):
        post.delivery.post(Alert(rule, "info", "x", 1.0))
    begun = post.time.now
    post.delivery.run_due()
    assert (came, fine) == ([], ["a", "b"])
    post.settle()
    assert came == ["a", "b"]
    assert post.time.now - begun == 3  # 1 s and 2 s
    assert post.failed == []


def test_a_sink_that_stays_broken_is_given_up() -> None:
    def broken(_: Alert) -> None:
        raise OSError("down")

    post = Post(CallableSink(broken, name="pager"), attempts=2)
    post.delivery.post(ALERT)
    post.settle()
    assert [(name, str(error)) for name, error in post.failed] == [("pager", "down")]


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (
            SendOutcomeUnknownError("message.send_text", "alerts", "not looked for"),
            1,
        ),  # it may have been sent
        (BadRequestError(400), 1),
        (ServerError(503), 3),
        (OSError("down"), 3),
    ],
)
def test_what_may_have_been_sent_is_not_sent_again(error: Exception, tries: int) -> None:
    made: list[Alert] = []

    def sink(alert: Alert) -> None:
        made.append(alert)
        raise error

    post = Post(CallableSink(sink))
    post.delivery.post(ALERT)
    post.settle()
    assert len(made) == tries
    assert post.failed == [("sink", error)]


def test_the_queue_is_bounded() -> None:
    post = Post(CallableSink(print))
    for _ in range(500):
        post.delivery.post(ALERT)
    assert post.delivery.dropped == 300


def test_the_log_shows_no_code(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        LogSink().deliver(ALERT)
        LogSink(logging.getLogger("mine")).deliver(ALERT)
    assert "CRITICAL" in caplog.text
    assert "SECRET" not in caplog.text + repr(ALERT) + repr(ALERT.pairing)
    assert {record.name for record in caplog.records} == {"evolution_sdk.monitor", "mine"}


class Line:
    """A transport that keeps what it is given."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.requests: list[Request] = []

    def send(self, request: Request) -> Response:
        self.requests.append(request)
        return Response(self.status, {}, b"")

    def close(self) -> None:
        """Nothing is open."""


def test_http_posts_json() -> None:
    line = Line()
    sink = HttpSink("https://x.example", headers={"x-k": "1"}, timeout_ms=7, transport=line)
    sink.deliver(ALERT)
    (request,) = line.requests
    assert (request.method, request.url, request.headers["x-k"]) == (
        "POST",
        "https://x.example",
        "1",
    )
    assert request.timeouts.read_ms == 7
    body = json.loads(request.content or b"")
    assert (body["rule"], body["pairing"]["code"]) == ("unhealthy", "2@SECRET")
    HttpSink("https://x.example", include_pairing=False, transport=line).deliver(ALERT)
    assert b"SECRET" not in (line.requests[-1].content or b"")
    with pytest.raises(ServerError):
        HttpSink("https://x.example", transport=Line(503)).deliver(ALERT)
    with pytest.raises(ConfigurationError):
        HttpSink("x.example")


async def test_whatsapp_sends_through_another_instance(world: Callable[..., World]) -> None:
    w = world()
    w.fake.create_instance("alerts")
    sink = WhatsAppSink(w.client, "alerts", NUMBER)
    await w.run(sink.deliver(ALERT))
    assert w.fake.sent[-1].instance == "alerts"
    image = Alert("pairing_needed", "critical", "pair", 1.0, pairing=PairingCode(base64=PIXEL))
    await w.run(sink.deliver(image))
    assert w.fake.sent[-1].kind == "imageMessage"
    plain = WhatsAppSink(w.client, "alerts", NUMBER, pairing_image=False)
    await w.run(plain.deliver(image))
    assert w.fake.sent[-1].kind == "conversation"


PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
