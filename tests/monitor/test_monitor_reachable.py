"""What proves the server reachable, what is asked of it, and how a monitor stops."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
from monitor_kit import HEALTHY, KEY, World

from evolution_sdk import EvolutionClient, EvolutionConfig, EvolutionMonitorService
from evolution_sdk.monitor import clients
from evolution_sdk.monitor.clients import call
from evolution_sdk.monitor.probe import ProbeRequest
from evolution_sdk.testing import FakeEvolution

Make = Callable[..., World]
PAGE = "<html><title>502 Bad Gateway</title></html>"


async def test_the_root_is_asked_for_the_version_only_and_rarely(world: Make) -> None:
    w = world()
    await w.check(100)
    asked = [request.target for request in w.fake.requests]
    assert asked.count("/") == 1
    assert asked.count("/instance/connectionState/sales") == 100
    assert w.monitor.get_health_status().details["server_version"] == "2.3.6"
    assert w.monitor.wait_for_version() == "2.3.6"
    await w.check(2, every_ms=3_600_000)
    assert [request.target for request in w.fake.requests].count("/") > 1


async def test_a_root_that_fails_or_is_slow_is_no_sign_of_anything(world: Make) -> None:
    w = world()
    w.fake.faults.add("root.get_information", "refuse")
    await w.check(20)
    w.fake.faults.add("root.get_information", "delay", delay_ms=60_000)
    await w.check(200)
    assert w.told == [HEALTHY]
    times = [sample.response_time_ms for sample in w.monitor.get_history()]
    assert max(each for each in times if each is not None) < 500


async def test_calls_that_are_answered_prove_the_server_reachable(world: Make) -> None:
    w = world()
    await w.check()
    w.fake.faults.add("instance.connection_state", "refuse")
    for _ in range(5):
        await w.read()
        await w.check()
    report = w.monitor.get_health_status()
    assert report.status == "degraded"
    assert report.details["connected"] is True
    assert "calls are answered, but not the monitor's questions" in report.reasons[0]
    assert report.details["active_connections"] is None
    w.fake.faults.add("*", "refuse")
    await w.read()
    assert await w.check() == "unhealthy"


@pytest.mark.parametrize("status", [400, 401, 404, 500])
async def test_an_error_of_the_server_itself_is_an_answer(world: Make, status: int) -> None:
    w = world()
    body = {"status": status, "error": "x", "response": {"message": ["x"]}}
    w.fake.faults.add("*", "status", status=status, body=body)
    await w.check(3)
    assert w.monitor.get_health_status().details["connected"] is True


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_an_error_of_a_proxy_is_none(world: Make, status: int) -> None:
    w = world()
    await w.check()
    w.fake.faults.add("*", "status", status=status, body=PAGE)
    assert await w.check(2) == "unhealthy"
    assert w.monitor.get_health_status().details["connected"] is False


async def test_without_a_named_instance_all_are_watched(world: Make) -> None:
    w = world(instance=None)
    assert await w.check() == "healthy"
    assert w.monitor.get_performance_metrics().active_connections == 1
    w.fake.create_instance("support")
    await w.check(13)
    assert sorted(w.monitor.get_health_status().instances) == ["sales", "support"]
    assert w.monitor.get_performance_metrics().active_connections == 2


async def test_no_instance_is_no_connection_and_the_first_is_seen_at_once(world: Make) -> None:
    w = world(instance=None)
    await w.run(w.client.instances.delete("sales"))
    assert await w.check() == "unhealthy"
    assert "has no instance" in w.changes()[-1].reasons[0]
    assert w.monitor.get_performance_metrics().active_connections == 0
    w.fake.create_instance("first")
    assert await w.check(3) == "healthy"


async def test_what_cannot_be_counted_is_not_0(world: Make) -> None:
    w = world(instance=None)
    refused = {"status": 401, "error": "Unauthorized", "response": {"message": "Unauthorized"}}
    w.fake.faults.add("instance.fetch_instances", "status", status=401, body=refused)
    await w.check()
    assert w.monitor.get_performance_metrics().active_connections is None
    named = world()
    named.fake.faults.add("instance.connection_state", "status", status=401, body=refused)
    await named.check()
    assert named.monitor.get_performance_metrics().active_connections is None


async def test_while_it_recovers_it_says_of_what(world: Make) -> None:
    w = world()
    await w.check()
    down = w.fake.faults.add("*", "refuse")
    await w.check()
    down.remove()
    await w.check()
    report = w.monitor.get_health_status()
    assert report.status == "unhealthy"
    assert report.reasons == (
        "recovering: 1 of 2 good checks; was: the server does not answer (ConnectionFailedError)",
    )
    assert await w.check() == "healthy"
    assert w.monitor.get_health_status().reasons == ()


async def test_an_open_breaker_is_explained(world: Make) -> None:
    w = world()
    await w.check()
    w.fake.faults.add("chat.*", "refuse")
    w.fake.faults.add("instance.*", "status", status=500)  # no good answer: it stays open
    for _ in range(20):
        await w.read()
    await w.check()
    assert (
        "the circuit breaker of server is open after 20 failures in a row, "
        "last: ConnectionFailedError (request not sent)"
    ) in w.monitor.get_health_status().reasons


async def test_a_breaker_takes_one_hint_a_period(world: Make) -> None:
    """The probe is answered, and calls fail all the same: nobody hammers through the breaker."""
    w = world()
    await w.check()
    fault = w.fake.faults.add("chat.*", "refuse")
    for _ in range(600):
        w.time.advance(1_000)
        await w.read()
        await w.check(every_ms=0)
    # 20 that open it; then at most two trials per 15 s: one by the hint, one when the time is up.
    assert 20 < fault.hits <= 20 + 2 * 600 / 15 + 2


async def test_an_outage_at_1_s_floods_no_log(
    world: Make, caplog: pytest.LogCaptureFixture
) -> None:
    w = world()
    await w.check()
    caplog.set_level(logging.INFO)
    w.fake.faults.add("*", "refuse")
    await w.check(1_200, every_ms=1_000)
    assert len(caplog.records) == 20  # a line a minute


@pytest.mark.parametrize("own", [False, True])
def test_stopping_waits_no_longer_than_it_says(own: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeEvolution(api_key=KEY)
    fake.create_instance("sales")
    asked, answer = threading.Event(), threading.Event()

    def hanging(client: Any, ask: ProbeRequest, timeout_ms: float) -> Any:
        asked.set()
        assert answer.wait(30)
        return call(client, ask, timeout_ms)

    monkeypatch.setattr(clients, "call", hanging)
    config = EvolutionConfig(fake.url, KEY, instance="sales")
    with EvolutionClient(config=config, http_client=fake.http_client()) as client:
        monitor = EvolutionMonitorService(client, sinks=(), anomalies=False)
        monitor.start_monitoring(1_000)
        assert asked.wait(10)
        thread = monitor._runner._thread
        assert thread is not None
        timeout_ms = 30 if own else 0
        monitor.stop_monitoring(timeout_ms)  # would hang for 30 s
        assert not monitor.running
        assert thread.is_alive()
        answer.set()
        thread.join(10)
        assert not thread.is_alive()
        assert monitor.get_health_status().checked_at is None, "a late result counts no more"
        monitor.close()


def test_a_handler_may_stop_the_monitor() -> None:
    fake = FakeEvolution(api_key=KEY)
    fake.create_instance("sales")
    config = EvolutionConfig(fake.url, KEY, instance="sales")
    done = threading.Event()
    with EvolutionClient(config=config, http_client=fake.http_client()) as client:
        monitor = EvolutionMonitorService(client, sinks=(), anomalies=False)

        def stop(_: object) -> None:
            monitor.stop_monitoring()
            done.set()

        monitor.on("metricsUpdated", stop)
        monitor.start_monitoring(1_000)
        assert done.wait(10)
        assert not monitor.running
        assert monitor.get_health_status().status == "healthy"
        monitor.close()
