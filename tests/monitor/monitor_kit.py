"""A monitored fake server on a fake clock, for clients of either colour."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Mapping
from typing import Any

from evolution_sdk import AsyncEvolutionClient, EvolutionClient, EvolutionConfig
from evolution_sdk.monitor import (
    AlertRaised,
    AlertResolved,
    AnomalyDetected,
    EvolutionMonitorService,
    HealthStatusChanged,
    MonitoringError,
    MonitorPorts,
)
from evolution_sdk.retry import EvolutionRetryService
from evolution_sdk.testing import FakeEvolution

KEY = "test-api-key"
NUMBER = "5511987654321"
START = 1_795_447_889.0  # a Monday
# The server's own words (`facts/observed.md` "Errors" 1).
UNAUTHORIZED = {"status": 401, "error": "Unauthorized", "response": {"message": "Unauthorized"}}
INTERNAL = {
    "status": 500,
    "error": "Internal Server Error",
    "response": {"message": "Cannot read properties of undefined (reading 'state')"},
}
ALL_EVENTS = (
    "healthStatusChanged",
    "metricsUpdated",
    "retryMetricsUpdated",
    "monitoringError",
    "anomalyDetected",
    "alertRaised",
    "alertResolved",
)


class Time:
    """A clock that sleeping moves; nobody really sleeps."""

    def __init__(self) -> None:
        self.now = START
        self.naps: list[float] = []

    def __call__(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    def now_ms(self) -> float:
        return self.now * 1_000

    def advance(self, ms: float) -> None:
        self.now += ms / 1_000

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds

    async def async_sleep(self, seconds: float) -> None:
        self.sleep(seconds)
        await asyncio.sleep(0)  # lets others run, as a real sleep does


class StillProcess:
    """A process that always uses the same."""

    def memory_bytes(self) -> int:
        return 50_000_000

    def cpu_percent(self) -> float:
        return 3.0


def told(event: Any) -> tuple[str, ...]:
    """An event in short, for lists of what must happen."""
    match event:
        case HealthStatusChanged():
            change = (event.name, event.previous, event.current)
            return change if event.instance is None else (*change, event.instance)
        case AlertRaised() | AlertResolved():
            return (event.name, event.alert.rule)
        case AnomalyDetected():
            return (event.name, event.metric)
        case MonitoringError():
            return (event.name, event.where)
        case _:
            return (event.name,)


class World:
    """A fake server, a client of it, and a monitor of both."""

    def __init__(self, colour: str = "sync", *, instance: str | None = "sales", **options: Any):
        self.colour = colour
        self.time = Time()
        # Fixed, so that what is asserted does not change with the fake's default.
        version = options.pop("version", "2.3.6")
        licensed = options.pop("licensed", True)
        self.fake = FakeEvolution(api_key=KEY, clock=self.time, version=version, licensed=licensed)
        self.fake.create_instance("sales")
        http = self.fake.async_http_client() if colour == "async" else self.fake.http_client()
        cls: Any = AsyncEvolutionClient if colour == "async" else EvolutionClient
        retry = EvolutionRetryService(
            clock=self.time,
            sleep=self.time.sleep,
            async_sleep=self.time.async_sleep,
            max_attempts=options.pop("max_attempts", 1),
            jitter="none",
        )
        config = options.pop("config", None) or EvolutionConfig(
            self.fake.url, KEY, instance=instance
        )
        self.client = cls(config=config, http_client=http, retry=retry, clock=self.time)
        options.setdefault("anomalies", False)
        options.setdefault("sinks", ())
        self.monitor = EvolutionMonitorService(
            self.client,
            ports=MonitorPorts(
                clock=self.time,
                sleep=self.time.sleep,
                async_sleep=self.time.async_sleep,
                random=lambda: 0.5,
                process=options.pop("process", None) or StillProcess(),
            ),
            **options,
        )
        self.monitor._version.begin = lambda work: work()  # no threads beside a fake clock
        self.events = 0
        self.seen: list[Any] = []
        for name in ALL_EVENTS:
            self.monitor.on(name, self.seen.append)  # type: ignore[call-overload]  # any name

    async def check(self, times: int = 1, every_ms: float = 5_000) -> str:
        """Make checks, each after some time."""
        for _ in range(times):
            self.time.advance(every_ms)
            if self.colour == "async":
                await self.monitor.check_health()
                await asyncio.gather(*self.monitor._version._tasks)
            else:
                self.monitor.check_health_sync()
        return self.monitor.get_health_status().status

    async def run(self, value: Any) -> Any:
        return await value if inspect.isawaitable(value) else value

    async def call(self, fn: Any) -> None:
        """Make a call that may fail."""
        try:
            await self.run(fn())
        except Exception:
            return

    async def send(self) -> Any:
        return await self.run(self.client.messages.send_text(NUMBER, "oi"))

    async def read(self) -> None:
        await self.call(lambda: self.client.chats.find())

    def event(self, name: str = "messages.upsert", **data: Any) -> None:
        self.events += 1
        self.client.feed(envelope(name, "sales", {"number_of_this_test": self.events, **data}))

    @property
    def told(self) -> list[tuple[str, ...]]:
        """What was told, without the numbers of every check."""
        quiet = ("metricsUpdated", "retryMetricsUpdated")
        return [told(event) for event in self.seen if event.name not in quiet]

    def changes(self) -> list[HealthStatusChanged]:
        return [event for event in self.seen if isinstance(event, HealthStatusChanged)]


def envelope(name: str, instance: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """An event as the server sends it (recorded: `facts/webhooks.json`)."""
    return {"event": name, "instance": instance, "data": dict(data), "apikey": "x"}


def changed(previous: str, current: str) -> tuple[str, ...]:
    return ("healthStatusChanged", previous, current)


HEALTHY = changed("unknown", "healthy")
