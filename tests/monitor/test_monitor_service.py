"""Life cycle, and both ways of running."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from monitor_kit import KEY, START, StillProcess, World

from evolution_sdk import EvolutionConfig, EvolutionMonitorService
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.monitor import CallableSink, MonitoringError
from evolution_sdk.testing import FakeEvolution

Make = Callable[..., World]


@pytest.fixture
def fake() -> Iterator[FakeEvolution]:
    with FakeEvolution(api_key=KEY).serve() as served:
        served.create_instance("sales")
        yield served


def count_to(world: World, checks: int, go: threading.Event) -> threading.Event:
    """An event that is set after so many checks, and which stops the monitor."""
    done = threading.Event()
    seen: list[Any] = []

    def hear(event: Any) -> None:
        assert go.wait(10)
        seen.append(event)
        if len(seen) >= checks:
            world.monitor.stop_monitoring()
            done.set()

    world.monitor.on("metricsUpdated", hear)
    return done


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_outside_of_a_loop_it_runs_in_a_daemon_thread(colour: str) -> None:
    w = World(colour)
    go = threading.Event()
    done = count_to(w, 5, go)
    w.monitor.start_monitoring(1_000)
    w.monitor.start_monitoring(1_000)
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("evolution-monitor") == 1
    go.set()
    assert done.wait(10)
    w.monitor.stop_monitoring()
    w.monitor.stop_monitoring()
    assert not w.monitor.running
    times = [sample.at - START for sample in w.monitor.get_history()]
    assert len(times) == 5
    assert [round(at) for at in times] == [0, 1, 2, 3, 4]
    w.monitor.close()


async def test_inside_of_a_loop_it_runs_in_a_task(world: Make) -> None:
    w = world()
    ended = asyncio.Event()
    seen: list[Any] = []

    async def hear(event: Any) -> None:
        seen.append(threading.current_thread())
        if len(seen) == 3:
            ended.set()

    async def sleep(seconds: float) -> None:
        w.time.advance(seconds * 1_000 + 20)  # the loop is late
        await asyncio.sleep(0)

    w.monitor._runner._async_sleep = sleep
    w.monitor.on("metricsUpdated", hear)
    w.monitor.start_monitoring(1_000)
    w.monitor.start_monitoring(1_000)
    await asyncio.wait_for(ended.wait(), 10)
    assert w.monitor.running
    w.monitor.stop_monitoring()
    assert not w.monitor.running
    assert set(seen) == {threading.main_thread()}
    lags = [sample.loop_lag_ms for sample in w.monitor.get_history()[:3]]
    assert lags[0] is None
    assert lags[1:] == pytest.approx([20, 20], abs=0.01)


async def test_it_can_be_started_again(world: Make) -> None:
    w = world()
    for _ in range(2):
        done = asyncio.Event()
        w.monitor.on("metricsUpdated", lambda _, done=done: done.set())
        w.monitor.start_monitoring(1_000)
        await asyncio.wait_for(done.wait(), 10)
        w.monitor.stop_monitoring()
        assert not w.monitor.running


def test_a_sync_handler_and_an_async_one_are_called_in_the_thread() -> None:
    w = World()
    heard: list[str] = []

    async def hear(event: Any) -> None:
        await asyncio.sleep(0)
        heard.append(event.name)

    w.monitor.on("metricsUpdated")(hear)
    w.monitor.check_health_sync()
    w.monitor.remove_listener("metricsUpdated", hear)
    w.monitor.check_health_sync()
    assert heard == ["metricsUpdated"]
    w.monitor.close()


async def test_failing_handlers_harm_nothing(world: Make, caplog: pytest.LogCaptureFixture) -> None:
    w = world()

    def fail(_: Any) -> None:
        raise RuntimeError("apikey=SECRET")

    w.monitor.on("metricsUpdated", fail)
    assert await w.check(2) == "healthy"
    assert w.monitor.handler_errors == 2
    assert "SECRET" not in caplog.text
    with pytest.raises(ConfigurationError, match="no event"):
        w.monitor.on("nonsense", fail)  # type: ignore[call-overload]  # refused on purpose


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_a_check_can_be_asked_for_without_a_loop(colour: str) -> None:
    w = World(colour)
    assert w.monitor.check_health_sync().status == "healthy"
    assert asyncio.run(w.monitor.check_health()).status == "healthy"
    assert w.monitor.get_health_status().last_check is not None
    w.monitor.close()


async def test_an_async_client_in_a_loop_cannot_be_asked_blocking() -> None:
    w = World("async")
    with pytest.raises(ConfigurationError, match=r"await monitor\.check_health"):
        w.monitor.check_health_sync()


def test_an_async_client_in_the_monitors_thread_is_asked_there() -> None:
    w = World("async")
    began, go = threading.Event(), threading.Event()

    async def sleep(seconds: float) -> None:
        w.time.advance(seconds * 1_000)
        began.set()
        await asyncio.to_thread(go.wait, 10)

    w.monitor._runner._async_sleep = sleep
    w.monitor.start_monitoring(1_000)
    assert began.wait(10)
    assert w.monitor.check_health_sync().status == "healthy"
    assert asyncio.run(w.monitor.check_health()).status == "healthy"
    go.set()
    w.monitor.close()


async def test_a_sync_client_does_not_hold_up_the_loop() -> None:
    w = World("sync")
    threads: set[int] = set()
    handle = w.fake.kernel.handle

    def watched(*args: Any) -> Any:
        threads.add(threading.get_ident())
        return handle(*args)

    w.fake.kernel.handle = watched  # type: ignore[method-assign]  # a spy around the real one
    await w.monitor.check_health()
    assert threads
    assert threading.get_ident() not in threads
    w.monitor.close()


async def test_a_check_that_fails_is_told_and_the_next_is_made(world: Make) -> None:
    w = world()
    fold = w.monitor._checker.tracker.take_check

    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("secret")

    w.monitor._checker.tracker.take_check = broken  # type: ignore[method-assign]  # what cannot happen, happens
    await w.check()
    assert w.told == [("monitoringError", "check")]
    assert isinstance(w.seen[-1], MonitoringError)
    assert "secret" not in repr(w.seen[-1])
    w.monitor._checker.tracker.take_check = fold  # type: ignore[method-assign]  # and passes
    assert await w.check() == "healthy"


async def test_a_process_that_cannot_be_read_is_told(world: Make) -> None:
    class Gone(StillProcess):
        def memory_bytes(self) -> int:
            raise PermissionError("no")

    w = world(process=Gone())
    assert await w.check() == "healthy"
    assert ("monitoringError", "process") in w.told
    assert w.monitor.get_history()[-1].memory_bytes is None


def test_the_real_process_is_measured() -> None:
    w = World(process=None)
    w.monitor.check_health_sync()
    sample = w.monitor.get_history()[-1]
    assert (sample.memory_bytes or 0) > 1_000_000
    assert sample.cpu_percent is not None
    w.monitor.close()


def test_monitoring_that_is_off_only_logs(caplog: pytest.LogCaptureFixture) -> None:
    config = EvolutionConfig("http://x", KEY, instance="sales", monitoring={"enabled": False})
    w = World(config=config)
    with caplog.at_level(logging.INFO, logger="evolution_sdk.monitor"):
        w.monitor.start_monitoring()
    assert not w.monitor.running
    assert "EVOLUTION_MONITORING_ENABLED" in caplog.text
    w.monitor.close()


def test_without_a_client_it_makes_one_from_the_environment_and_closes_it(
    fake: FakeEvolution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVOLUTION_API_URL", fake.url)
    monkeypatch.setenv("EVOLUTION_API_KEY", KEY)
    monkeypatch.setenv("EVOLUTION_INSTANCE", "sales")
    with EvolutionMonitorService(sinks=()) as monitor:
        assert monitor.check_health_sync().status == "healthy"
        own = monitor._clients._own
        assert monitor.check_health_sync().instances["sales"].state == "open"
    assert own.closed
    monkeypatch.delenv("EVOLUTION_API_KEY")
    with pytest.raises(ConfigurationError):
        EvolutionMonitorService(config=None)


def test_it_never_keeps_a_process_alive(fake: FakeEvolution) -> None:
    code = (
        "from evolution_sdk import EvolutionMonitorService, EvolutionClient\n"
        "from evolution_sdk.monitor import Thresholds\n"
        # On a busy machine the first answers may be slow.
        "limits = Thresholds(degraded_response_ms=1e6, unhealthy_response_ms=1e6)\n"
        f"client = EvolutionClient({fake.url!r}, {KEY!r}, instance='sales')\n"
        "monitor = EvolutionMonitorService(client, thresholds=limits)\n"
        "monitor.start_monitoring(50)\n"
        "monitor.check_health_sync()\n"
        "print(monitor.get_health_status().status)\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == "healthy"


def test_a_sink_may_stop_the_monitor() -> None:
    stopped = threading.Event()

    def sink(_: Any) -> None:
        w.monitor.close()
        stopped.set()

    w = World(sinks=[CallableSink(sink)])
    w.fake.set_state("sales", "close")
    w.monitor.check_health_sync()
    assert stopped.wait(10)
    assert not w.monitor.running
