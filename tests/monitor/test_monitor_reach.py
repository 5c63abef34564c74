"""What proves that a server is there, what counts as slow, and reasons while health recovers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from monitor_kit import INTERNAL, KEY, World

from evolution_sdk import EvolutionClient, EvolutionConfig
from evolution_sdk.monitor import EvolutionMonitorService, Thresholds
from evolution_sdk.monitor.health import ServerFacts, judge_server
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


@pytest.mark.parametrize("fault", [{"kind": "drop"}, {"kind": "status", "status": 502}])
async def test_a_home_page_that_fails_says_nothing_about_health(
    world: Make, fault: dict[str, Any]
) -> None:
    w = world()
    w.fake.faults.add("root.get_information", **fault)
    assert await w.check(30) == "healthy"
    assert len(w.changes()) == 1
    status = w.monitor.get_health_status()
    assert status.details["server_version"] == "2.3.6", "its metrics tell it, too"
    assert status.details["connected"] is True


async def test_a_refusal_of_the_server_proves_it_too(world: Make) -> None:
    w = world()
    w.fake.faults.add("instance.connection_state", "status", status=500, body=INTERNAL)
    assert await w.check(2) == "unknown"
    assert w.monitor.get_health_status().details["connected"] is True


async def test_a_single_cut_connection_is_no_outage(world: Make) -> None:
    w = world()
    await w.check()
    for _ in range(5):
        w.fake.faults.add("instance.connection_state", "drop", count=1)
        assert await w.check() == "healthy"


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
    calls = WindowTotals()
    for ms, times in times_ms.items():
        for _ in range(times):
            calls.time(ms)
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


# Reasons


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
