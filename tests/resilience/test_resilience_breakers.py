"""The breakers of a client: what counts for whom, and who hears of it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import httpcore
import pytest

from evolution_sdk import OPERATIONS, errors
from evolution_sdk._base.effect import Phase
from evolution_sdk.config import BreakerConfig
from evolution_sdk.errors import CircuitOpenError
from evolution_sdk.resilience import BreakerChange, BreakerState
from evolution_sdk.resilience.breaker import CallOutcome, CircuitBreaker
from evolution_sdk.resilience.breakers import Breakers
from evolution_sdk.resilience.outcome import judge
from evolution_sdk.transport._mapping import to_transport_error
from evolution_sdk.transport._slots import NoSlotError

S, F, N = CallOutcome.SUCCESS, CallOutcome.FAILURE, CallOutcome.IGNORED
SEND = OPERATIONS["message.send_text"]
STORE = OPERATIONS["chat.find_messages"]
DEAD = errors.ConnectionFailedError("refused", phase=Phase.NOT_SENT)
NOT_CONNECTED = errors.InstanceNotConnectedError(400, ["Connection Closed"])


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """Breakers that open after two failures, on a clock of ours."""

    def __init__(self, **options: Any) -> None:
        self.clock = Clock()
        config = BreakerConfig(consecutive_failures=2, probes=1)
        self.breakers = Breakers(config, self.clock, **options)

    def call(
        self, error: BaseException | None = None, *, operation: Any = SEND, instance: str = "sales"
    ) -> None:
        self.breakers.leave(self.breakers.enter(operation, instance), error)

    def states(self) -> dict[str, str]:
        return {name: each.state.value for name, each in self.breakers.snapshot().items()}


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize(
    ("error", "server", "instance"),
    [
        (None, S, S),
        (DEAD, F, N),
        (errors.ConnectionFailedError("reset", phase=Phase.UNKNOWN), F, N),
        (errors.EvolutionTimeoutError("connecting", phase=Phase.NOT_SENT), F, N),
        (errors.EvolutionTimeoutError("answer", phase=Phase.UNKNOWN), N, F),
        (NOT_CONNECTED, S, F),
        (errors.ServerError(500), F, N),
        (errors.ServerError(503), F, N),
        (errors.ServerError(201), N, N),
        (errors.UnexpectedResponseError(502, "x", "<html>", ""), F, N),
        (errors.UnexpectedResponseError(404, "x", "<html>", ""), N, N),
        (errors.RateLimitError(429), N, N),
        (errors.RateLimitError(500), N, N),
        (errors.BadRequestError(400), S, N),
        (errors.RecipientNotFoundError(400), S, N),
        (errors.AuthenticationError(401), S, N),
        (errors.PermissionDeniedError(403), S, N),
        (errors.InstanceNotFoundError(404), S, N),
        (errors.RouteNotFoundError(404), S, N),
        (errors.ChannelNotSupportedError(500), S, N),
        (errors.MetaAPIError(201), S, N),
        (errors.RequestValidationError("number", "must be digits"), N, N),
        (asyncio.CancelledError(), N, N),
        (KeyboardInterrupt(), N, N),
        (ValueError(), N, N),
    ],
)
def test_what_an_outcome_counts_for(
    error: BaseException | None, server: CallOutcome, instance: CallOutcome
) -> None:
    assert judge(error, by_session=True) == (server, instance)


def test_what_is_wrong_on_our_side_is_not_the_servers() -> None:
    certificate = errors.ConnectionFailedError("certificate", phase=Phase.NOT_SENT)
    certificate.transient = False
    assert judge(certificate, by_session=True) == (N, N)


@pytest.mark.parametrize("by_session", [True, False])
def test_busy_connections_of_ours_are_not_the_servers(by_session: bool) -> None:
    for cause in (httpcore.PoolTimeout(), NoSlotError()):
        made = to_transport_error(cause, "http://h")
        assert made is not None
        made.__cause__ = cause  # as the transports raise it
        assert judge(made, by_session=by_session) == (N, N)


def test_no_answer_from_the_store_is_the_servers() -> None:
    timeout = errors.EvolutionTimeoutError("answer", phase=Phase.UNKNOWN)
    assert judge(timeout, by_session=False) == (F, N)


def test_the_time_of_one_large_file_counts_for_nobody() -> None:
    timeout = errors.EvolutionTimeoutError("answer", phase=Phase.UNKNOWN)
    assert judge(timeout, by_session=True, one_file=True) == (N, N)
    assert judge(timeout, by_session=False, one_file=True) == (N, N)
    assert judge(DEAD, by_session=True, one_file=True) == (F, N)


def test_what_repairs_or_reads_the_store_does_not_need_the_session() -> None:
    free = {name for name, operation in OPERATIONS.items() if not operation.session}
    assert {n for n, o in OPERATIONS.items() if o.group in ("instance", "server")} <= free
    assert {"chat.find_messages", "chat.find_contacts", "settings.set_settings"} <= free
    bound = {"message.send_text", "chat.check_whatsapp_numbers", "label.handle_label"}
    assert not bound & free


def test_a_dead_server_closes_the_door_for_all(bench: Bench) -> None:
    bench.call(DEAD)
    bench.call(DEAD, operation=STORE)
    with pytest.raises(CircuitOpenError) as caught:
        bench.breakers.enter(STORE, "other")
    error = caught.value
    assert (error.scope, error.instance, error.retry_after_ms) == ("server", None, 15_000)
    assert (error.phase, error.transient) == (Phase.NOT_SENT, True)
    assert "server" in str(error)
    with pytest.raises(CircuitOpenError):
        bench.breakers.check(STORE, None)


def test_a_dead_connection_closes_the_door_of_its_instance_only(bench: Bench) -> None:
    bench.call(NOT_CONNECTED)
    bench.call(NOT_CONNECTED)
    for ask in (bench.breakers.enter, bench.breakers.check):
        with pytest.raises(CircuitOpenError) as caught:
            ask(SEND, "sales")
        assert (caught.value.scope, caught.value.instance) == ("instance", "sales")
        assert "'sales'" in str(caught.value)
    bench.call(instance="other")
    bench.call(operation=STORE)
    bench.call(operation=OPERATIONS["instance.connect_instance"])
    bench.breakers.check(STORE, "sales")
    assert bench.states() == {"server": "closed", "instance:sales": "open"}
    bench.clock.now += 15
    bench.call()
    assert bench.states() == {"server": "closed", "instance:sales": "closed"}


def test_slow_sends_of_one_instance_do_not_close_the_door_for_others(bench: Bench) -> None:
    for _ in range(2):
        bench.call(errors.EvolutionTimeoutError("answer", phase=Phase.UNKNOWN))
    assert bench.states() == {"server": "closed", "instance:sales": "open"}


def test_a_users_error_shows_that_the_server_lives(bench: Bench) -> None:
    for _ in range(10):
        bench.call(DEAD)
        bench.call(errors.RecipientNotFoundError(400))
    assert bench.states() == {"server": "closed"}
    bench.call(DEAD)
    bench.call(DEAD)
    bench.clock.now += 15
    bench.call(errors.BadRequestError(400))
    assert bench.states() == {"server": "closed"}


def test_the_instances_place_is_given_back_when_the_server_refuses(bench: Bench) -> None:
    for error in (NOT_CONNECTED, NOT_CONNECTED):
        bench.call(error)
    bench.clock.now += 15
    for _ in range(2):
        bench.call(DEAD, operation=STORE)
    for _ in range(3):  # the only place of the half-open instance is asked for each time
        with pytest.raises(CircuitOpenError, match="server"):
            bench.breakers.enter(SEND, "sales")
    bench.clock.now += 15
    bench.call()
    assert bench.states() == {"server": "closed", "instance:sales": "closed"}


def test_healthy_instances_have_no_breaker_and_the_number_is_bounded() -> None:
    bench = Bench(most_instances=2)
    bench.call(instance="healthy")
    for name in ("a", "b", "a", "c"):
        bench.call(NOT_CONNECTED, instance=name)
        bench.call(instance=name)
    assert set(bench.states()) == {"server", "instance:a", "instance:c"}


def test_thousands_that_fail_in_turn_all_open_theirs() -> None:
    bench = Bench()
    names = [f"i{number}" for number in range(5_000)]
    for _ in range(2):
        for name in names:
            bench.call(NOT_CONNECTED, instance=name)
    states = bench.states()
    assert sum(states[f"instance:{name}"] == "open" for name in names) == 5_000
    assert bench.breakers.dropped == 0
    with pytest.raises(CircuitOpenError):
        bench.breakers.enter(SEND, names[0])


def test_idle_breakers_make_room_and_failing_ones_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    is_idle = CircuitBreaker.is_idle

    def counted(breaker: CircuitBreaker, now: float) -> bool:
        asked.append(now)
        return is_idle(breaker, now)

    monkeypatch.setattr(CircuitBreaker, "is_idle", counted)
    bench = Bench(most_idle=20)
    for number in range(20):
        bench.call(NOT_CONNECTED, instance=f"once{number}")
    bench.call(NOT_CONNECTED, instance="once0")  # opens
    bench.clock.now += 31  # all but the open one have nothing in their window now
    for number in range(30):
        bench.call(NOT_CONNECTED, instance=f"now{number}")
    states = bench.states()
    assert states["instance:once0"] == "open"
    assert all(f"instance:now{number}" in states for number in range(30))
    assert not any(f"instance:once{number}" in states for number in range(1, 20))
    assert len(asked) <= 30 * 8, "a few are looked at for each new one, and not all"


def test_an_idle_breaker_that_went_during_a_call_is_made_anew() -> None:
    bench = Bench(most_idle=1)
    bench.call(NOT_CONNECTED, instance="a")
    bench.clock.now += 31
    entry = bench.breakers.enter(SEND, "a")
    bench.call(NOT_CONNECTED, instance="b")  # a's has made room
    bench.breakers.leave(entry, NOT_CONNECTED)
    bench.call(NOT_CONNECTED, instance="a")
    assert bench.states()["instance:a"] == "open"


def test_what_finds_no_room_is_counted_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(most_instances=3)
    for number in range(10):
        bench.call(NOT_CONNECTED, instance=f"i{number}")
    assert set(bench.states()) == {"server", "instance:i0", "instance:i1", "instance:i2"}
    assert bench.breakers.dropped == 7
    lines = [line for line in caplog.messages if "no circuit breaker" in line]
    assert lines == ["3 instances have failed: others get no circuit breaker"]


def test_a_snapshot_cannot_be_changed(bench: Bench) -> None:
    bench.call(DEAD)
    shot = bench.breakers.snapshot()
    with pytest.raises(TypeError):
        shot["x"] = shot["server"]  # type: ignore[index]  # that is what is tested
    bench.call(DEAD)
    assert shot["server"] == (BreakerState.CLOSED, 1.0, 1, 0.0, "")


def test_a_long_outage_fills_no_log(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """A breaker that opens again after each probe says so once a minute, and tells its end."""
    for _ in range(2):
        bench.call(DEAD)
    for _ in range(240):
        bench.clock.now += 15
        bench.call(DEAD)
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == (
        "circuit of server: closed -> open: opened after 2 failures in a row, "
        "last: ConnectionFailedError (request not sent)"
    )
    assert len(lines) <= 1 + 2 * (60 + 1)
    assert all("more times since the last line)" in line for line in lines[3:])
    caplog.clear()
    bench.clock.now += 15
    bench.call()
    assert "half_open -> closed" in caplog.records[-1].getMessage()
    bench.call(DEAD)
    bench.call(DEAD)
    assert caplog.records[-1].getMessage().startswith("circuit of server: closed -> open")


def test_changes_are_told_once_in_order_and_a_bad_listener_harms_nothing(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[BreakerChange] = []

    def bad(_: BreakerChange) -> None:
        raise RuntimeError("secret")

    bench.breakers.listen(bad)
    stop = bench.breakers.listen(heard.append)
    with caplog.at_level(logging.WARNING, "evolution_sdk.resilience"):
        bench.call(NOT_CONNECTED)
        bench.call(NOT_CONNECTED)
        bench.clock.now += 15
        bench.call()
    moves = [(change.scope, change.instance, change.old, change.new) for change in heard]
    closed, opened, half = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
    assert moves == [
        ("instance", "sales", closed, opened),
        ("instance", "sales", opened, half),
        ("instance", "sales", half, closed),
    ]
    assert (heard[0].failure_rate, heard[0].calls) == (1.0, 2)
    assert "secret" not in caplog.text
    line = f"a breaker listener raised RuntimeError at {__file__}:{bad.__code__.co_firstlineno + 1}"
    assert caplog.text.count(line) == 1, "the others of this minute are counted"
    stop()
    bench.call(DEAD)
    bench.call(DEAD)
    assert len(heard) == 3
