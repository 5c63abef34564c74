"""An outage in the log of a monitored service: told, and no flood."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from monitor_kit import INTERNAL, World

from evolution_sdk.monitor import EvolutionMonitorService
from evolution_sdk.monitor.probe import InstanceReading, ProbeReport, ServerReading

Make = Callable[..., World]
HOUR = 720  # checks, one each five seconds


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What an operator sees by default, and forget it."""
    found = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    caplog.clear()
    return found


async def test_an_hour_without_a_server_takes_a_line_a_minute(
    world: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """It took two warnings a check, 1440 an hour."""
    w = world(instances=["sales"])
    await w.check(3)
    assert warnings(caplog) == []
    down = w.fake.faults.add("*", "refuse")
    await w.check()
    assert warnings(caplog) == ["the server does not answer: ConnectionFailedError"]
    await w.check(HOUR)
    told = warnings(caplog)
    assert len(told) == 60
    assert set(told) == {
        "the server does not answer: ConnectionFailedError (11 more times since the last line)"
    }
    down.remove()
    await w.check(3)
    assert warnings(caplog) == ["the server answers again (failures: 721)"]


async def test_an_instance_that_does_not_answer_is_told_once_and_when_it_does(
    world: Make, caplog: pytest.LogCaptureFixture
) -> None:
    w = world(instances=["sales"])
    down = w.fake.faults.add("instance.connection_state", "status", status=500, body=INTERNAL)
    await w.check(11)
    assert warnings(caplog) == ["instance sales: its state was not told"]
    down.remove()
    await w.check()
    assert warnings(caplog) == ["instance sales is well again (failures: 11)"]


async def test_the_users_own_calls_are_logged_as_before(
    world: Make, caplog: pytest.LogCaptureFixture
) -> None:
    w = world()
    w.fake.faults.add("*", "refuse")
    await w.check(2)
    caplog.clear()
    for _ in range(3):
        await w.read()
    told = warnings(caplog)
    assert len(told) == 3
    assert all("gave up: operation='chat.find_chats'" in line for line in told)


async def test_a_probe_that_fails_can_be_seen_at_debug(
    world: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "evolution_sdk.retry")
    w = world()
    w.fake.faults.add("*", "refuse")
    await w.check()
    assert [record.levelname for record in caplog.records if "gave up" in record.getMessage()] == [
        "DEBUG",
        "DEBUG",
    ]


async def test_a_recovery_that_fails_is_no_probe_and_is_logged_as_a_call(
    world: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """It changes something: its failure is told at its level."""
    w = world(instances=["sales"], recovery=True)
    await w.check(2)
    w.fake.set_state("sales", "close")
    w.fake.faults.add("instance.connect_instance", "status", status=500)
    w.fake.faults.add("instance.restart_instance", "status", status=500)
    await w.check(60)
    assert any("gave up: operation='instance." in line for line in warnings(caplog))


def test_checks_that_fail_by_themselves_fill_no_log(caplog: pytest.LogCaptureFixture) -> None:
    w = World()

    def broken() -> object:
        raise RuntimeError("secret")

    w.monitor._checker.tracker.plan = broken  # type: ignore[method-assign,assignment]
    for _ in range(10):
        w.monitor.check_health_sync()
    w.monitor.close()
    (line,) = warnings(caplog)
    assert line.startswith(f"a check raised RuntimeError at {__file__}:")


def test_a_handler_that_always_fails_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    w = World()

    def bad(_: object) -> None:
        raise RuntimeError("secret")

    w.monitor.on("metricsUpdated", bad)
    for _ in range(10):
        w.monitor.check_health_sync()
    assert w.monitor.handler_errors == 10
    w.monitor.close()
    place = f"{__file__}:{bad.__code__.co_firstlineno + 1} in {bad.__code__.co_qualname}"
    assert warnings(caplog) == [
        f"a listener of 'metricsUpdated' raised RuntimeError at {place} (its text is left out)"
    ]


def test_a_dead_socket_and_a_refused_key_are_told() -> None:
    from evolution_sdk.monitor.checker import OutageLog

    said: list[str] = []

    class Log:
        def trouble(self, kind: object, message: str, *args: object) -> None:
            said.append(message % args)

        def over(self, kind: object, message: str, *args: object) -> None:
            said.append(f"over {kind}")

    outages = OutageLog(Log())  # type: ignore[arg-type]
    up = ServerReading(True)
    readings = (
        InstanceReading("a", "open", dead=True),
        InstanceReading("b", problem="unauthorized"),
        InstanceReading("c", "close"),
    )
    outages.update(ProbeReport(up, readings, unlisted="ServerError"))
    assert said == [
        "over server",
        "the instances were not listed: ServerError",
        "instance a: its socket is dead, although it is open",
        "instance b: the key was refused",
        "over ('instance', 'c')",
    ]


def test_an_alert_that_is_given_up_again_and_again(caplog: pytest.LogCaptureFixture) -> None:
    w = World()
    monitor: EvolutionMonitorService = w.monitor
    for _ in range(5):
        monitor._sink_failed("webhook", ConnectionError("secret"))
    monitor.close()
    assert warnings(caplog) == ["sink webhook: an alert was given up (ConnectionError)"]
