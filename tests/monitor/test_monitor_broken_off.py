"""Checks and deliveries that end before their time, and starts and stops at once."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Any

import pytest
from monitor_kit import HEALTHY, KEY, Time, World

from evolution_sdk import EvolutionConfig, EvolutionMonitorService
from evolution_sdk.errors import EvolutionError
from evolution_sdk.monitor import CallableSink, clients
from evolution_sdk.monitor.clients import call
from evolution_sdk.monitor.probe import ProbeRequest
from evolution_sdk.monitor.runner import CheckRunner, run_in_daemon_thread
from evolution_sdk.testing import FakeEvolution


def test_threads_that_start_at_once_start_one() -> None:
    runner = idle_runner()
    begun: list[threading.Thread] = []
    make, together = runner._begin, threading.Barrier(2)

    def begin(interval_ms: float) -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(0.05)  # both are here, unless only one may be
        make(interval_ms)
        begun.append(runner._thread)  # type: ignore[arg-type]  # just made

    runner._begin = begin  # type: ignore[method-assign]  # a slow one
    starting = [threading.Thread(target=runner.start, args=(1_000,)) for _ in range(2)]
    for thread in starting:
        thread.start()
    for thread in starting:
        thread.join(10)
    runner.stop(5)
    assert len(begun) == 1


def idle_runner() -> CheckRunner:
    async def check(*_: object) -> None:
        """Nothing."""

    return CheckRunner(
        lambda *_: None, check, is_async=False, clock=Time(), sleep=None, async_sleep=asyncio.sleep
    )


async def test_a_check_in_a_thread_does_not_keep_the_process_alive() -> None:
    assert await run_in_daemon_thread(lambda: threading.current_thread().daemon)
    with pytest.raises(ZeroDivisionError):
        await run_in_daemon_thread(lambda: 1 / 0)


async def test_a_change_is_told_although_the_check_was_stopped_in_a_restart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    w = World("async", recovery=True)
    assert await w.check() == "healthy"
    w.fake.set_state("sales", "close")
    asked = asyncio.Event()

    def hanging(client: Any, ask: ProbeRequest, timeout_ms: float) -> Any:
        if ask.kind != "connect":
            return call(client, ask, timeout_ms)
        asked.set()
        return asyncio.Event().wait()

    monkeypatch.setattr(clients, "call", hanging)
    w.monitor.start_monitoring(1_000)
    await asyncio.wait_for(asked.wait(), 10)
    w.monitor.stop_monitoring()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert w.told == [
        HEALTHY, ("healthStatusChanged", "healthy", "unhealthy"), ("alertRaised", "unhealthy"),
    ]  # fmt: skip
    w.monitor.close()


async def test_stopping_makes_nothing_unhealthy_whose_client_it_closes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with FakeEvolution(api_key=KEY).serve() as fake:
        fake.create_instance("sales")
        config = EvolutionConfig(fake.url, KEY, instance="sales")
        monitor = EvolutionMonitorService(config=config, sinks=())
        assert (await monitor.check_health()).status == "healthy"
        seen: list[Any] = []
        monitor.on("healthStatusChanged", seen.append)
        inside, go, over = asyncio.Event(), threading.Event(), threading.Event()
        loop, make = asyncio.get_running_loop(), monitor._checker._check_here

        def late(client: Any, ask: ProbeRequest, timeout_ms: float) -> Any:
            loop.call_soon_threadsafe(inside.set)
            assert go.wait(10)
            return call(client, ask, timeout_ms)

        def checked(*args: Any) -> None:
            make(*args)
            over.set()

        monkeypatch.setattr(clients, "call", late)
        monitor._checker._check_here = checked  # type: ignore[method-assign]  # tells when it is over
        monitor.start_monitoring(1_000)
        await asyncio.wait_for(inside.wait(), 10)
        monitor.stop_monitoring()
        go.set()
        assert await asyncio.to_thread(over.wait, 10)
        assert monitor.get_health_status().status == "healthy"
        assert (await monitor.check_health()).status == "healthy"
        assert seen == []
        monitor.close()


def test_an_alert_that_was_being_sent_when_the_loop_ended_is_not_sent_again() -> None:
    sending, stop = threading.Event(), threading.Event()
    sends: list[Any] = []

    async def send(alert: Any) -> None:
        sends.append(alert)
        sending.set()
        await asyncio.Event().wait()

    async def sleep(_: float) -> None:
        await asyncio.to_thread(stop.wait, 10)

    w = World("async", sinks=[CallableSink(send, "whatsapp")])
    w.monitor._runner._async_sleep = sleep
    w.fake.set_state("sales", "close")
    w.monitor.start_monitoring(1_000)
    assert sending.wait(10)
    stop.set()
    w.monitor.stop_monitoring()
    assert w.monitor._delivery.next_due is None
    assert len(sends) == 1
    (error,) = [each.error for each in w.seen if each.name == "monitoringError"]
    assert isinstance(error, EvolutionError)
    w.monitor.close()


async def test_a_check_under_way_has_ended_with_the_monitor() -> None:
    w = World("async")
    asked, ended = asyncio.Event(), asyncio.Event()

    async def slow(*_args: Any) -> None:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(50):  # as a connection that is closed
                await asyncio.sleep(0)
            ended.set()

    w.monitor._runner._check_async = slow
    async with w.monitor:
        w.monitor.start_monitoring(1_000)
        await asyncio.wait_for(asked.wait(), 10)
    assert ended.is_set()
    assert len(asyncio.all_tasks()) == 1


async def test_a_handler_of_the_check_may_end_the_monitor() -> None:
    w = World("async")
    over = asyncio.Event()

    async def closing(*_args: Any) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await w.monitor.__aexit__(None, None, None)
        over.set()

    w.monitor._runner._check_async = closing
    w.monitor.start_monitoring(1_000)
    await asyncio.wait_for(over.wait(), 10)
