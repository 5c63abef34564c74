"""A monitor, its exporters and streams after a fork: at rest until they are started there."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from evolution_sdk import EvolutionClient, EvolutionConfig
from evolution_sdk.monitor import CallableSink, EvolutionMonitorService, HistoryOptions
from evolution_sdk.monitor.delivery import AlertDelivery
from evolution_sdk.monitor.export import PrometheusCollector, serve_prometheus
from evolution_sdk.monitor.process import PsutilProcess
from evolution_sdk.retry import EvolutionRetryService, RetryPolicy
from evolution_sdk.streams import Stream, run_in_thread
from evolution_sdk.testing import FakeEvolution

from .children import Child, in_child, quiet_forks
from .test_forking_clients import KEY, NUMBER, fake_server

pytestmark = quiet_forks


@pytest.fixture
def fake() -> Iterator[FakeEvolution]:
    with fake_server() as served:
        yield served


def client_of(fake: FakeEvolution) -> EvolutionClient:
    return EvolutionClient(config=EvolutionConfig(fake.url, KEY, instance="sales"))


def test_a_monitor_is_at_rest_in_a_child_and_can_be_started_there(
    fake: FakeEvolution, tmp_path: Path
) -> None:
    alerts: list[Any] = []
    path = tmp_path / "history.db"
    with (
        client_of(fake) as client,
        EvolutionMonitorService(
            client,
            sinks=[CallableSink(alerts.append)],
            history=HistoryOptions(path=str(path)),
            interval_ms=20,
        ) as monitor,
    ):
        checked, told = threading.Event(), list[Any]()
        monitor.on("metricsUpdated", told.append)
        monitor.on("metricsUpdated", lambda _: checked.set())
        client.messages.send_text(NUMBER, "oi")
        monitor.start_monitoring()
        assert checked.wait(10)

        def child() -> Any:
            before = monitor.running, monitor.get_health_status().status
            fresh = threading.Event()
            monitor.on("metricsUpdated", lambda _: fresh.set())
            client.messages.send_text(NUMBER, "oi")
            monitor.start_monitoring()
            running = monitor.running
            assert fresh.wait(10)
            monitor.stop_monitoring()
            return before, running, monitor.running, monitor.get_history(60)[-1].reachable

        before, *after = in_child(child)
        assert before == (False, "unknown")
        assert after == [True, False, True]
        assert monitor.running
        checked.clear()
        assert checked.wait(10)


def test_a_child_measures_itself() -> None:
    process = PsutilProcess()
    pid, memory = in_child(lambda: (process._begun().pid, process.memory_bytes()))
    assert pid not in (os.getpid(), 0)
    assert memory > 0
    assert process._begun().pid == psutil.Process().pid


def test_an_alert_on_its_way_is_delivered_by_the_parent_only() -> None:
    delivered, held, go = list[Any](), threading.Event(), threading.Event()

    def deliver(alert: Any) -> None:
        held.set()
        go.wait(10)
        delivered.append(alert)

    delivery = AlertDelivery(
        [CallableSink(deliver)],
        RetryPolicy(),
        clock=lambda: 0.0,
        draw=lambda: 0.0,
        run=lambda _: None,
        failed=lambda *_: None,
    )
    delivery.post("first")  # type: ignore[arg-type]
    assert held.wait(10)

    def child() -> list[Any]:
        go.set()
        assert delivery.next_due is None
        delivery.post("second")  # type: ignore[arg-type]
        delivery.close(wait_ms=5_000)
        return delivered

    assert in_child(child) == ["second"]
    go.set()
    delivery.close(wait_ms=5_000)
    assert delivered == ["first"]


def test_what_is_exported_counts_from_nothing_in_a_child(fake: FakeEvolution) -> None:
    with client_of(fake) as client:
        collector = PrometheusCollector(client)

        def calls() -> float:
            client.messages.send_text(NUMBER, "oi")
            found = {one.name: one for one in collector.collect()}
            counts = [
                s for s in found["evolution_call_duration_seconds"].samples if "_count" in s.name
            ]
            return sum(one.value for one in counts)

        assert calls() == 1
        assert calls() == 2
        assert in_child(calls) == 1
        assert calls() == 3
        collector.close()


def test_a_child_does_not_hold_the_port_of_the_metrics() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    end = serve_prometheus(port, retry=EvolutionRetryService())
    ready, leave = os.pipe(), os.pipe()

    def child() -> bool:
        os.write(ready[1], b"1")
        os.read(leave[0], 1)
        end()  # nothing to wait for: the thread is the parent's
        return True

    one = Child(child)
    os.read(ready[0], 1)
    end()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    os.write(leave[1], b"1")
    assert one.result()
    for each in (*ready, *leave):
        os.close(each)


class Quiet(Stream):
    """A stream that is connected and hears nothing."""

    async def _session(self) -> None:
        self._up()
        await self._until_over(asyncio.Event())


def quiet(connected: Callable[[], None]) -> Quiet:
    return Quiet(lambda _: None, name="quiet", on_state=lambda _: connected())


def test_a_stream_runs_in_the_parent_and_can_be_started_anew_in_a_child() -> None:
    up = threading.Event()
    thread = run_in_thread(lambda: quiet(up.set))
    assert up.wait(10)
    theirs = thread.streams[0]

    def child() -> Any:
        up.clear()
        before = thread.running, thread.streams, theirs.state
        thread.start()
        assert up.wait(10)
        mine = thread.streams[0]
        states = mine is theirs, mine.state
        thread.stop()
        asyncio.run(asyncio.wait_for(stopped(theirs), 10))
        return before, states, thread.running

    async def stopped(stream: Stream) -> None:
        async with stream:
            await asyncio.sleep(0)

    assert in_child(child) == ((False, [], "new"), (False, "connected"), False)
    assert thread.running
    assert theirs.connected
    thread.stop()
    assert theirs.state == "stopped"
