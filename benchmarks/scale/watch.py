"""Breakers, monitor and trends with ever more instances and samples: ``make scale``."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import random
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from rows import Row, cpu_us

from evolution_sdk import (
    OPERATIONS,
    AsyncEvolutionClient,
    CallFinished,
    EvolutionClient,
    EvolutionConfig,
)
from evolution_sdk._base.effect import Effect
from evolution_sdk.config import BreakerConfig
from evolution_sdk.errors import CircuitOpenError, InstanceNotConnectedError
from evolution_sdk.monitor import EvolutionMonitorService, HistoryOptions, MonitorPorts, Sample
from evolution_sdk.monitor.history import SqliteHistory
from evolution_sdk.resilience.breakers import Breakers
from evolution_sdk.transport import Request, Response

EXCHANGES = Path(__file__).parents[2] / "facts" / "versions" / "2.3.7" / "baileys_exchanges.json"

_NOW = 1_795_447_889.0
_AT_ONCE = 16
_CHECK_MS = 60.0
_TREND_MS = 20.0
_EVENT_GROWTH = 1.5
_CHECK_S = 5.0
_ROUNDS_OF_CALLS = 25
_ROUNDS_OF_EVENTS = 3


class Clock:
    """Time that the benchmark moves."""

    def __init__(self) -> None:
        self.now = _NOW

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


class Still:
    """A process that always uses the same, and costs nothing to ask."""

    def memory_bytes(self) -> int:
        return 50_000_000

    def cpu_percent(self) -> float:
        return 3.0


class Server:
    """Answers at once, and counts questions and how many are open at a time."""

    def __init__(self, names: list[str], doubtful: int = 0) -> None:
        self.names, self.closed = names, set(names[:doubtful])
        self.rows = [
            SimpleNamespace(name=name, connection_status=self.state(name)) for name in names
        ]
        self.questions = self.open = self.most_open = 0

    def state(self, name: str) -> str:
        return "close" if name in self.closed else "open"


class Client:
    """A blocking client of that server."""

    def __init__(self, server: Server) -> None:
        self.config = EvolutionConfig("http://fake.test", "key")
        self.of = server
        self.server = self.instances = self
        self.tell: Any = None
        self.feed: Any = None

    def close(self) -> None:
        """Nothing is open."""

    def observe(self, observer: Any) -> Callable[[], None]:
        self.tell = observer
        return _nothing

    def observe_events(self, listener: Any) -> Callable[[], None]:
        self.feed = listener
        return _nothing

    def info(self, **_: Any) -> Any:
        return SimpleNamespace(version="2.3.6")

    def fetch(self, **_: Any) -> Any:
        self.of.questions += 1
        return self.of.rows

    def connection_state(self, name: str, **_: Any) -> Any:
        self.of.questions += 1
        return SimpleNamespace(name=name, state=self.of.state(name))


class AsyncClient(Client):
    """An awaitable client of it, whose questions take a turn of the loop."""

    async def close(self) -> None:  # type: ignore[override]  # the other colour
        """Nothing is open."""

    async def info(self, **_: Any) -> Any:
        return SimpleNamespace(version="2.3.6")

    async def fetch(self, **_: Any) -> Any:
        return Client.fetch(self)

    async def connection_state(self, name: str, **_: Any) -> Any:
        self.of.open += 1
        self.of.most_open = max(self.of.most_open, self.of.open)
        await asyncio.sleep(0)
        self.of.open -= 1
        return Client.connection_state(self, name)


def _nothing() -> None:
    """Ends an observation."""


def _names(size: int) -> list[str]:
    return [f"instance-{number:06}" for number in range(size)]


def _monitor(client: Any, clock: Clock, **options: Any) -> EvolutionMonitorService:
    ports = MonitorPorts(clock=clock, process=Still())
    options.setdefault("anomalies", False)
    return EvolutionMonitorService(client, ports=ports, sinks=(), **options)


def _checks(size: int) -> Iterator[Row]:
    clock = Clock()
    server = Server(_names(size))
    monitor = _monitor(Client(server), clock, instances="*")

    def check() -> None:
        clock.now += _CHECK_S
        monitor.check_health_sync()

    check()
    check()
    server.questions = 0
    check()
    asked = float(server.questions)
    yield Row("monitor check, CPU", size, cpu_us(check, 3) / 1e3, "ms", _CHECK_MS)
    yield Row("monitor check, all open: questions", size, asked, "questions", 1.0 + _AT_ONCE)
    assert len(monitor.get_health_status().instances) == size
    monitor.close()


def _recorded_list(names: list[str]) -> bytes:
    """The recorded row of an open instance, once per name with an account of its own."""
    recorded = json.loads(EXCHANGES.read_text("utf-8"))
    row = next(
        each["response"]["json"][0]
        for each in recorded
        if each.get("operation") == "instance.fetch_instances"
        and each["response"]["json"][0].get("connectionStatus") == "open"
    )
    rows = [
        {
            **row,
            "id": f"{number:08}-a1db-4463-9084-2341196a3ecf",
            "name": name,
            "ownerJid": f"55119{number:08}@s.whatsapp.net",
            "token": f"{number:08}-CF71-4882-86B6-325D098889A8",
        }
        for number, name in enumerate(names)
    ]
    return json.dumps(rows, separators=(",", ":")).encode()


class Wire:
    """A transport that answers at once, as the server would."""

    def __init__(self, names: list[str]) -> None:
        self._list = _recorded_list(names)

    def send(self, request: Request) -> Response:
        if "/instance/fetchInstances" in request.url:
            return Response(200, {}, self._list)
        if "/instance/connectionState/" in request.url:
            name = request.url.rpartition("/")[2]
            told = {"instance": {"instanceName": name, "state": "open"}}
            return Response(200, {}, json.dumps(told).encode())
        return Response(200, {}, b'{"status":200,"version":"2.3.7"}')

    def close(self) -> None:
        """Nothing is open."""


class AsyncWire(Wire):
    """The same, awaited."""

    async def send(self, request: Request) -> Response:  # type: ignore[override]  # other colour
        return Wire.send(self, request)

    async def close(self) -> None:  # type: ignore[override]  # other colour
        """Nothing is open."""


def _checks_of_client(size: int) -> Iterator[Row]:
    clock = Clock()
    names = _names(size)
    config = EvolutionConfig("http://fake.test", "k" * 32)
    client = EvolutionClient(config=config, transport=Wire(names))
    monitor = _monitor(client, clock, instances="*")

    def check() -> None:
        clock.now += _CHECK_S
        monitor.check_health_sync()

    for _ in range(3):
        check()
    yield Row("monitor check, real client, CPU", size, cpu_us(check, 3) / 1e3, "ms", _CHECK_MS)
    assert len(monitor.get_health_status().instances) == size
    monitor.close()
    client.close()


def _async_checks_of_client(size: int) -> Iterator[Row]:
    clock = Clock()
    config = EvolutionConfig("http://fake.test", "k" * 32)

    async def run() -> float:
        wire = AsyncWire(_names(size))
        async with AsyncEvolutionClient(config=config, transport=wire) as client:
            monitor = _monitor(client, clock, instances="*")
            spent = float("inf")
            for number in range(9):
                clock.now += _CHECK_S
                begun = time.process_time()
                await monitor.check_health()
                if number > 2:  # each is known by then
                    spent = min(spent, time.process_time() - begun)
            monitor.close()
            return spent * 1e3

    spent = asyncio.run(run())
    yield Row("monitor check, real async client, CPU", size, spent, "ms", _CHECK_MS)


def _doubtful(size: int) -> Iterator[Row]:
    few = size // 100
    clock = Clock()
    server = Server(_names(size), few)
    monitor = _monitor(AsyncClient(server), clock, instances="*")

    async def run() -> int:
        for _ in range(3):
            clock.now += _CHECK_S
            server.questions = 0
            await monitor.check_health()
        return server.questions

    asked = asyncio.run(run())
    most = 1.0 + _AT_ONCE + few
    yield Row("monitor check, 1 % closed: questions", size, float(asked), "questions", most)
    yield Row("monitor check, async: questions at once", size, server.most_open, "", _AT_ONCE)
    monitor.close()


def _events(size: int, base: list[float]) -> Iterator[Row]:
    clock = Clock()
    names = _names(size)
    server = Server(names)
    client = Client(server)
    monitor = _monitor(client, clock, instances="*")
    monitor.check_health_sync()
    numbers = iter(range(10**9))

    def event(name: str) -> None:
        data = {
            "keyId": f"id{next(numbers)}",
            "remoteJid": "5511999999999@s.whatsapp.net",
            "fromMe": True,
            "status": "SERVER_ACK",
        }
        client.feed({"event": "messages.update", "instance": name, "data": data})

    def turn() -> None:
        clock.now += 1.0
        for name in names:
            event(name)

    turn()  # each instance is known
    gc.collect()
    cost = cpu_us(turn, max(1, 2_000 // size)) / size
    base.append(cost)
    yield Row("monitor event, in turn, CPU", size, cost, "us")
    yield Row("monitor event, growth", size, cost / base[0], "times", _EVENT_GROWTH)
    # Sends that are never acknowledged, while the updates do come.
    for _ in range(5):
        for name in names:
            key = SimpleNamespace(remote_jid="5511888888888@s.whatsapp.net", remote_jid_alt=None)
            sent = SimpleNamespace(id=f"sent{next(numbers)}", key=key)
            client.tell(
                CallFinished("message.send_text", Effect.SEND, name, 0.0, 5.0, 1, None, sent)
            )
    clock.now += 61.0
    turn()
    monitor.check_health_sync()
    shares = monitor._collector.acks.shares(clock.now)
    judged = sum(share.unacked == 5 for share in shares.values())
    yield Row("instances judged by acknowledgements", size, judged, "", size, at_least=True)
    monitor.close()


def _breakers(size: int) -> Iterator[Row]:
    clock = Clock()
    breakers = Breakers(BreakerConfig(), clock.monotonic)
    names = _names(size)
    operation = OPERATIONS["message.send_text"]
    error = InstanceNotConnectedError(400, ["Connection Closed"])
    refused = 0

    def call(name: str) -> int:
        try:
            entry = breakers.enter(operation, name)
        except CircuitOpenError:
            return 1
        breakers.leave(entry, error)
        return 0

    begun = time.process_time()
    for _ in range(_ROUNDS_OF_CALLS):
        clock.now += 0.1
        refused += sum(map(call, names))
    spent = (time.process_time() - begun) / size / _ROUNDS_OF_CALLS * 1e6
    states = breakers.snapshot()
    opened = sum(states.get(f"instance:{n}", states["server"]).state == "open" for n in names)
    yield Row("breakers of failing instances, open", size, opened, "", size, at_least=True)
    yield Row("breakers, calls refused", size, refused, "")
    yield Row("breakers, a call, CPU", size, spent, "us")


def _samples(size: int, clock: Clock) -> Iterator[Sample]:
    dice = random.Random(1)
    for number in range(size):
        clock.now += _CHECK_S
        yield Sample(
            clock.now,
            "healthy",
            True,
            80 + number / size + dice.random(),
            120 + dice.random(),
            5 + dice.random(),
            50 + dice.random(),
            dice.random() / 100,
            dice.random(),
            number % 7,
            number % 3,
            5,
            0.9 + dice.random() / 10,
            dice.random() / 10,
            0,
            dice.random(),
            50_000_000 + number,
            dice.random(),
            dice.random(),
        )


def _trends(size: int) -> Iterator[Row]:
    clock = Clock()
    monitor = _monitor(Client(Server(_names(1))), clock, instances="*", max_history=size)
    for sample in _samples(size, clock):
        monitor._history.add(sample)
    minutes = size * _CHECK_S / 60 + 1
    spent = cpu_us(lambda: monitor.get_trends(minutes), 1) / 1e3
    yield Row("get_trends of memory, CPU", size, spent, "ms", _TREND_MS)
    monitor.close()


def _trends_of_file(size: int) -> Iterator[Row]:
    clock = Clock()
    with TemporaryDirectory() as folder:
        path = str(Path(folder) / "monitor.sqlite3")
        options = HistoryOptions(path=path)
        monitor = _monitor(Client(Server(_names(1))), clock, instances="*", history=options)
        file = SqliteHistory(path, failed=lambda _: None, clock=clock.monotonic, threaded=False)
        for number, sample in enumerate(_samples(size, clock), 1):
            file.add(sample)
            if number % 5_000 == 0:
                file.flush()
        file.close()
        minutes = size * _CHECK_S / 60 + 1
        spent = cpu_us(lambda: monitor.get_trends(minutes), 1) / 1e3
        yield Row("get_trends of the file, CPU", size, spent, "ms", _TREND_MS)
        monitor.close()


def measure(quick: bool) -> Iterable[Row]:
    """Measure everything at three sizes; quick ones leave out the largest."""
    logging.disable(logging.WARNING)
    few, some, many = 10, 500, 1_500 if quick else 5_000
    base: list[float] = []
    for size in (few, some, many):
        yield from _checks(size)
    for size in (few, some, many):
        yield from _checks_of_client(size)
        yield from _async_checks_of_client(size)
    for size in (few, some, many):
        yield from _doubtful(size)
    for size in (few, some, many):
        yield from _events(size, base)
    for size in (few, some, many if quick else 20_000):
        yield from _breakers(size)
    for size in (1_000, 10_000, 100_000):
        yield from _trends(size)
    for size in (1_000, 10_000, 20_000 if quick else 100_000):
        yield from _trends_of_file(size)
    logging.disable(logging.NOTSET)
