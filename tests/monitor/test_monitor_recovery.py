"""Bringing instances back: off by default, careful when on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from monitor_kit import World

from evolution_sdk.errors import ConfigurationError
from evolution_sdk.monitor import AlertRaised, CallableSink, ProbeOptions, RecoveryPolicy
from evolution_sdk.monitor.probe import InstanceReading, ProbeRequest, ProbeResult
from evolution_sdk.monitor.recovery import RecoveryPlanner

Make = Callable[..., World]
DEAD = {
    "status": 400,
    "error": "Bad Request",
    "response": {"message": ["Error: Connection Closed"]},
}


class Drill:
    """A recoverer, stepped by hand."""

    def __init__(self, **policy: Any) -> None:
        self.recoverer = RecoveryPlanner(RecoveryPolicy(**policy))
        self.now = 0.0

    def step(
        self, state: str | None, *, dead: bool = False, problem: Any = None, s: float = 5
    ) -> str:
        self.now += s
        reading = InstanceReading("sales", state, problem)
        move = self.recoverer.step(reading, dead, self.now, 1e9 + self.now)
        if move is None:
            return "."
        if move.request is not None:
            return move.request.kind
        return move.notice.rule if move.notice is not None else "settled"


def test_a_dead_socket_is_restarted_and_a_closed_one_connected_at_once() -> None:
    assert Drill().step("open", dead=True) == "restart"
    assert Drill().step("close") == "connect"
    assert Drill().step("open") == "."


def test_connecting_gets_some_checks() -> None:
    drill = Drill()
    assert [drill.step("connecting") for _ in range(3)] == [".", ".", "restart"]
    drill = Drill(failed_checks=1)
    assert drill.step("connecting") == "restart"


def test_budget_and_cooldown() -> None:
    drill = Drill()
    did = [drill.step("close") for _ in range(60)]
    assert [each for each in did if each != "."] == ["connect"] * 3 + ["recovery_exhausted"]
    assert did.index("connect", 1) >= 12  # a minute later
    assert [Drill(max_restarts=1).step("close", s=5)] == ["connect"]
    quick = Drill(cooldown_ms=1)
    assert [quick.step("close") for _ in range(4)] == ["connect"] * 3 + ["recovery_exhausted"]
    short = Drill(cooldown_ms=1, max_restarts=1, budget_window_ms=10_000)
    assert [short.step("close") for _ in range(4)] == [
        "connect", "recovery_exhausted", ".", "connect",
    ]  # fmt: skip


def test_what_no_restart_can_help_is_told_once() -> None:
    for problem in ("missing", "unauthorized"):
        drill = Drill()
        assert [drill.step(None, problem=problem) for _ in range(3)] == [
            "recovery_impossible", ".", ".",
        ]  # fmt: skip
        assert drill.step("open") == "settled"
    assert Drill().step(None, problem="unanswered") == "."
    assert Drill().step(None) == "."


def test_a_code_is_believed_only_after_the_follow_up() -> None:
    class Code:
        code = "2@x"

    drill = Drill()
    assert drill.step("close") == "connect"
    ask = ProbeRequest("connect", "sales")
    assert drill.recoverer.answered(ask, ProbeResult(1.0, Code()), 6.0, 1e9) is None
    assert drill.step("connecting") == "connect"
    move = drill.recoverer.answered(ask, ProbeResult(1.0, Code()), 11.0, 1e9)
    assert move is not None
    assert move.notice is not None
    assert move.notice.rule == "pairing_needed"
    assert [drill.step("connecting") for _ in range(30)] == ["."] * 30
    assert drill.step("open") == "settled"


@pytest.mark.parametrize(
    "field", ["failed_checks", "max_restarts", "budget_window_ms", "cooldown_ms"]
)
def test_senseless_policies_are_refused(field: str) -> None:
    wrong: dict[str, Any] = {field: 0}
    with pytest.raises(ConfigurationError):
        RecoveryPolicy(**wrong)


async def test_a_closed_instance_comes_back(world: Make) -> None:
    w = world(recovery=True)
    await w.check()
    w.fake.set_state("sales", "close")
    await w.check(4)
    assert w.monitor.get_health_status().status == "healthy"
    assert ("alertRaised", "pairing_needed") not in w.told


async def test_without_recovery_nothing_is_touched(world: Make) -> None:
    w = world()
    w.fake.set_state("sales", "close")
    await w.check(10)
    assert w.monitor.get_health_status().instances["sales"].state == "close"


async def test_a_dead_socket_is_restarted(world: Make) -> None:
    w = world(recovery=RecoveryPolicy(), probes=ProbeOptions(deep=True, deep_interval_ms=10_000))
    await w.check()
    asked: list[str] = []
    dead = w.fake.faults.add("instance.set_presence", "status", status=400, body=DEAD)
    restarts = w.fake.faults.add("instance.restart_instance", "delay", delay_ms=1)
    await w.check(3)
    dead.remove()
    await w.check(4)
    assert restarts.hits == 1
    assert w.monitor.get_health_status().status == "healthy"
    assert not asked


async def test_a_phone_that_logged_out_needs_pairing_and_the_code_stays_out_of_logs(
    world: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    w = world(recovery=True, sinks=None)
    await w.check()
    w.fake.log_out("sales")
    await w.check(4)
    (alert,) = [
        e.alert for e in w.seen if isinstance(e, AlertRaised) and e.alert.rule == "pairing_needed"
    ]
    assert alert.pairing is not None
    assert alert.pairing.code
    assert alert.instance == "sales"
    w.fake.scan_qr("sales")
    await w.check(3)
    assert ("alertResolved", "pairing_needed") in w.told
    w.monitor.close()
    assert alert.pairing.code not in caplog.text + repr(w.seen)


async def test_the_code_reaches_the_sink(world: Make) -> None:
    came: list[Any] = []
    w = world(recovery=True, sinks=[CallableSink(came.append)])
    w.fake.log_out("sales")
    async with w.monitor:  # its end waits for what is on its way
        await w.check(4)
    assert any(alert.pairing is not None for alert in came)


def test_a_follow_up_that_fails_is_not_repeated_outside_the_budget() -> None:
    class Code:
        code = "2@x"

    drill = Drill()
    assert drill.step("close") == "connect"
    ask = ProbeRequest("connect", "sales")
    drill.recoverer.answered(ask, ProbeResult(1.0, Code()), drill.now, 1e9)
    did = [drill.step("close")]
    for _ in range(60):
        drill.recoverer.answered(ask, ProbeResult(1.0, error=OSError("down")), drill.now, 1e9)
        did.append(drill.step("close"))
    assert [each for each in did if each != "."] == ["connect"] * 3 + ["recovery_exhausted"]


async def test_alerts_about_an_instance_that_was_deleted_end(world: Make) -> None:
    w = world(instances="*")
    w.fake.create_instance("old")
    w.fake.set_state("old", "close")
    await w.check(3)
    raised = [alert.rule for alert in w.monitor.active_alerts]
    assert "instance_unhealthy" in raised
    await w.run(w.client.instances.delete("old"))
    await w.check()  # nobody need wait for the next listing
    assert w.monitor.active_alerts == ()
    assert list(w.monitor.get_health_status().instances) == ["sales"]
    for rule in raised:
        assert w.told.count(("alertResolved", rule)) == 1
