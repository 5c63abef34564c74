"""Watch a server and its instances, and be told when something is wrong: sync, then async.

On the fake server the phone is logged out in between; on a real one it only watches for a moment.

Run: python examples/monitor_alerts.py [number]
"""

from __future__ import annotations

import asyncio
import threading

from _server import Place, server

from evolution_sdk import AsyncEvolutionClient, EvolutionClient, EvolutionMonitorService
from evolution_sdk.monitor import (
    Alert,
    AlertRule,
    CallableSink,
    HealthStatusChanged,
    MetricsUpdated,
)

INTERVAL_MS = 50
RULES = [
    AlertRule(name="down", state="unhealthy", severity="critical"),
    AlertRule(name="slow", metric="p95_response_time_ms", above=2_000),
]


def tell(alert: Alert) -> None:
    """Where your pager is called; ``HttpSink`` and ``WhatsAppSink`` are ready-made."""
    print(f"   alert  [{alert.severity}] {alert.words}")


def blocking(place: Place) -> None:
    """In a program with threads: checks are made in one of their own."""
    with (
        EvolutionClient(config=place.config) as client,
        EvolutionMonitorService(client, rules=RULES, sinks=[CallableSink(tell)]) as monitor,
    ):
        unwell = threading.Event()
        checked = threading.Event()

        @monitor.on("healthStatusChanged")
        def changed(event: HealthStatusChanged) -> None:
            print(f"sync   {event.previous} -> {event.current} {'; '.join(event.reasons)}")
            if event.current == "unhealthy":
                unwell.set()

        @monitor.once("metricsUpdated")
        def first(_: MetricsUpdated) -> None:
            checked.set()

        monitor.start_monitoring(INTERVAL_MS)
        checked.wait(30)
        client.messages.send_text(place.number, "The monitor is watching.")
        if place.fake:
            client.instances.logout()
            unwell.wait(30)
        report = monitor.get_health_status()
        print(f"sync   {report.status}, open connections: {report.details['active_connections']}")


async def awaiting(place: Place) -> None:
    """In a program with an event loop: checks are made in a task of it."""
    async with (
        AsyncEvolutionClient(config=place.config) as client,
        EvolutionMonitorService(client, rules=RULES, sinks=[]) as monitor,
    ):
        report = await monitor.check_health()  # one check now
        print(f"async  {report.status}: {'; '.join(report.reasons) or 'all is well'}")
        checked = asyncio.Event()
        monitor.on("metricsUpdated", lambda _: checked.set())
        monitor.start_monitoring(INTERVAL_MS)
        await asyncio.wait_for(checked.wait(), 30)
        performance = monitor.get_performance_metrics(minutes=5)
        print(f"async  memory: {performance.memory_bytes is not None}")


def main() -> None:
    """Both colours, one after the other."""
    with server() as place:
        blocking(place)
        asyncio.run(awaiting(place))


if __name__ == "__main__":
    main()
