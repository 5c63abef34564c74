"""What proves that a server is there, what counts as slow, and reasons while health recovers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from monitor_kit import INTERNAL, KEY, World

from evolution_sdk import EvolutionClient, EvolutionConfig
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.monitor import EvolutionMonitorService, Thresholds
from evolution_sdk.monitor.core import Core
from evolution_sdk.monitor.health import ServerFacts, judge_server
from evolution_sdk.monitor.hysteresis import Stabilizer
from evolution_sdk.monitor.probe import ServerReading
from evolution_sdk.monitor.window import WindowTotals
from evolution_sdk.testing import FakeEvolution

Make = Callable[..., World]


@pytest.fixture(params=["sync", "async"])
def world(request: pytest.FixtureRequest) -> Any:
    made: list[World] = []

    def make(**options: Any) -> World:
        made.append(World(request.param, **options))
        return made[-1]

    yield make
    for each in made:
        each.monitor.close()


def asked(w: World) -> list[str]:
    return [request.operation or request.path for request in w.fake.requests]


# Reachability


async def test_the_home_page_is_asked_for_the_version_only(world: Make) -> None:
    w = world()
    await w.check(100, every_ms=5_000)
    names = asked(w)
    assert names.count("root.get_information") == 1
    assert names.count("instance.connection_state") == 100
    await w.check(25, every_ms=5_000)
    assert asked(w).count("root.get_information") == 2, "again after ten minutes"
    assert w.monitor.get_health_status().details["server_version"] == "2.3.6"


@pytest.mark.parametrize("fault", [{"kind": "drop"}, {"kind": "status", "status": 502}])
async def test_a_home_page_that_fails_says_nothing_about_health(
    world: Make, fault: dict[str, Any]
) -> None:
    w = world()
    w.fake.faults.add("root.get_information", **fault)
    assert await w.check(30) == "healthy"
    assert len(w.changes()) == 1
    status = w.monitor.get_health_status()
    assert status.details["server_version"] is None
    assert status.details["connected"] is True


async def test_a_refusal_of_the_server_proves_it_too(world: Make) -> None:
    w = world()
    w.fake.faults.add("instance.connection_state", "status", status=500, body=INTERNAL)
    assert await w.check(2) == "unknown"
    assert w.monitor.get_health_status().details["connected"] is True


async def test_what_a_proxy_says_proves_nothing(world: Make) -> None:
    w = world()
    await w.check()
    w.fake.faults.add("*", "status", status=502, body="<html>Bad Gateway</html>")
    assert await w.check() == "unhealthy"
    assert "does not answer" in w.monitor.get_health_status().reasons[0]


async def test_a_single_cut_connection_is_no_outage(world: Make) -> None:
    w = world()
    await w.check()
    for _ in range(5):
        w.fake.faults.add("instance.connection_state", "drop", count=1)
        assert await w.check() == "healthy"


async def test_calls_that_are_answered_prove_it_where_a_probe_is_not(world: Make) -> None:
    w = world()
    await w.check()
    w.fake.faults.add("instance.connection_state", "drop")
    for _ in range(10):
        await w.send()
        assert await w.check() == "healthy"
    assert w.monitor.get_health_status().details["connected"] is True
    assert w.monitor.get_health_status().details["active_connections"] == 1
    await w.check(1)
    assert w.monitor.get_health_status().status == "unhealthy", "nothing was answered since"


async def test_without_a_named_instance_all_are_watched(world: Make) -> None:
    w = world(instance=None)
    w.fake.create_instance("support")
    assert await w.check() == "healthy"
    report = w.monitor.get_health_status()
    assert set(report.instances) == {"sales", "support"}
    assert report.details["active_connections"] == 2


async def test_connections_that_cannot_be_counted_are_none_and_never_a_false_0(
    world: Make,
) -> None:
    w = world(instance=None)
    w.fake.faults.add("instance.fetch_instances", "status", status=500, body=INTERNAL)
    assert await w.check() == "unknown"
    assert w.monitor.get_health_status().details["active_connections"] is None


async def test_a_server_without_an_instance_has_no_connection(world: Make) -> None:
    w = world(instance=None)
    await w.run(w.client.instances.logout("sales"))
    await w.run(w.client.instances.delete("sales"))
    assert await w.check() == "unhealthy"
    report = w.monitor.get_health_status()
    assert report.details["active_connections"] == 0
    assert "no instance" in report.reasons[0]


# Slow


def judged(times_ms: dict[float, int]) -> list[str]:
    from evolution_sdk.monitor.window import _time

    calls = WindowTotals()
    for ms, times in times_ms.items():
        for _ in range(times):
            _time(calls, ms)
    found = judge_server(ServerFacts(ServerReading(True), calls), Thresholds())
    return [finding.status for finding in found]


@pytest.mark.parametrize(
    ("times", "status"),
    [
        ({50: 100}, []),
        ({50: 93, 1_800: 7}, ["degraded"]),  # the mean is 173 ms
        ({50: 96, 1_800: 4}, []),
        ({50: 93, 3_500: 7}, ["unhealthy"]),
        ({50: 18, 1_800: 1}, []),  # of so few one alone is the slowest
        ({20: 38, 4_000: 2}, []),  # exactly one in twenty
    ],
)
def test_the_slowest_are_judged_beside_the_mean(times: dict[float, int], status: list[str]) -> None:
    assert judged(times) == status


def test_the_limits_of_the_slowest_follow_those_of_the_mean() -> None:
    limits = Thresholds(degraded_response_ms=300, unhealthy_response_ms=400)
    assert (limits.degraded_p95_ms, limits.unhealthy_p95_ms) == (600, 1_200)
    own = Thresholds(degraded_p95_response_ms=900, unhealthy_p95_response_ms=901)
    assert (own.degraded_p95_ms, own.unhealthy_p95_ms) == (900, 901)
    with pytest.raises(ConfigurationError, match="degraded_p95_response_ms"):
        Thresholds(degraded_p95_response_ms=5_000)
    with pytest.raises(ConfigurationError, match="above 0"):
        Thresholds(unhealthy_p95_response_ms=0)


# Reasons


async def test_health_keeps_its_reasons_while_it_recovers(world: Make) -> None:
    w = world()
    await w.check()
    w.fake.create_instance("support")
    down = w.fake.faults.add("*", "refuse")
    await w.check(3)
    down.remove()
    await w.check()
    report = w.monitor.get_health_status()
    assert report.status == "unhealthy"
    assert report.reasons == (
        "recovering: 1 of 2 good checks",
        "before: the server does not answer (ConnectionFailedError)",
    )
    await w.check()
    assert w.monitor.get_health_status().status == "healthy"
    assert w.monitor.get_health_status().reasons == ()


def test_a_state_that_is_worse_has_its_own_reasons() -> None:
    from evolution_sdk.monitor.health import Finding, Verdict

    state = Stabilizer(Thresholds())
    slow = Verdict.of([Finding("degraded", "slow")])
    for _ in range(3):
        state.step(slow, 0)
    assert (state.status, state.explained(slow)) == ("degraded", ("slow",))
    fine = Verdict.of([])
    for good in range(1, 6):
        state.step(fine, good)
        assert state.explained(fine) == (f"recovering: {good} of 6 good checks", "before: slow")
    state.step(slow, 9)
    state.step(fine, 10)
    assert state.explained(fine)[0] == "recovering: 1 of 6 good checks"


async def test_an_open_circuit_tells_its_cause_and_is_woken_by_a_good_probe(world: Make) -> None:
    config = EvolutionConfig(
        "http://fake.test", KEY, instance="sales", breaker={"consecutive_failures": 3}
    )
    w = world(config=config)
    await w.check()
    down = w.fake.faults.add("*", "refuse")
    for _ in range(4):
        await w.call(lambda: w.client.messages.send_text("5511987654321", "oi"))
    await w.check()
    reasons = w.monitor.get_health_status().reasons
    assert reasons == ("the server does not answer (ConnectionFailedError)",)
    assert w.client.breakers()["server"].state == "open"
    down.remove()
    await w.check(every_ms=100)
    reasons = w.monitor.get_health_status().reasons
    cause = (
        "the circuit breaker of server is open (the last failure: ConnectionFailedError, not_sent)"
    )
    assert cause in reasons
    assert (await w.send()).id, "it is tried at once, not after its 15 s"


# Stopping, and what runs aside


class Hanging:
    """A client whose probes hang until they are let go."""

    def __init__(self) -> None:
        self.let_go, self.asked = threading.Event(), threading.Event()
        self.config = EvolutionConfig("http://x", KEY, instance="sales")
        self.instances = self.server = self

    def connection_state(self, *_: Any, **__: Any) -> Any:
        self.asked.set()
        self.let_go.wait(30)
        raise OSError

    def info(self, **_: Any) -> Any:
        raise OSError

    def close(self) -> None:
        """Nothing."""


def test_stopping_does_not_wait_for_a_hanging_probe_and_its_end_has_no_effect() -> None:
    client = Hanging()
    monitor = EvolutionMonitorService(client, sinks=())
    seen: list[Any] = []
    monitor.on("metricsUpdated", seen.append)
    monitor.on("monitoringError", seen.append)
    monitor.start_monitoring(1_000)
    assert client.asked.wait(10)
    thread = monitor._runner._thread
    assert thread is not None
    monitor.stop_monitoring(timeout_ms=1)
    assert thread.is_alive()
    client.let_go.set()
    thread.join(10)
    assert not thread.is_alive()
    assert seen == []
    assert monitor.get_health_status().status == "unknown"
    with pytest.raises(ConfigurationError, match="timeout_ms"):
        monitor.stop_monitoring(timeout_ms=0)


def test_a_home_page_that_hangs_does_not_hold_up_the_rhythm() -> None:
    with FakeEvolution(api_key=KEY).serve() as fake:
        fake.create_instance("sales")
        fake.faults.add("root.get_information", "delay", delay_ms=20_000)
        client = EvolutionClient(fake.url, KEY, instance="sales")
        monitor = EvolutionMonitorService(client, sinks=())
        checks = threading.Semaphore(0)
        monitor.on("metricsUpdated", lambda _: checks.release())
        monitor.start_monitoring(20)
        for _ in range(10):
            assert checks.acquire(timeout=10)
        assert monitor.get_health_status().status == "healthy"
        monitor.close()
        client.close()


async def test_the_version_comes_aside_on_a_loop_too() -> None:
    w = World("async")
    monitor = EvolutionMonitorService(w.client, sinks=())
    checked = asyncio.Event()
    monitor.on("metricsUpdated", lambda _: checked.set())
    monitor.start_monitoring(10)
    await checked.wait()
    await asyncio.gather(*monitor._runner._aside)
    assert monitor.get_health_status().details["server_version"] == "2.3.6"
    monitor.close()
    w.monitor.close()


def test_the_version_is_due_again_after_an_outage() -> None:
    w = World()
    core: Core = w.monitor._core
    w.monitor.check_health_sync()
    assert not core.version_due()
    down = w.fake.faults.add("*", "refuse")
    w.monitor.check_health_sync()
    assert not core.version_due(), "nobody would answer"
    down.remove()
    before = len([name for name in asked(w) if name == "root.get_information"])
    w.monitor.check_health_sync()
    after = len([name for name in asked(w) if name == "root.get_information"])
    assert after == before + 1
    w.monitor.close()
