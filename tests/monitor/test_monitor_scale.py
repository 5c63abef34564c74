"""Thousands of instances and samples: counts of questions, of what is kept, and of what is read."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from monitor_kit import START, StillProcess, Time, envelope

from evolution_sdk import (
    AsyncEvolutionClient,
    AttemptFinished,
    CallFinished,
    EvolutionClient,
    EvolutionConfig,
)
from evolution_sdk._base.effect import Effect
from evolution_sdk.errors import InstanceNotConnectedError, ServerError
from evolution_sdk.identity import own_accounts
from evolution_sdk.identity._told_pairs import jid_or_none
from evolution_sdk.models.instance import InstanceInfo
from evolution_sdk.monitor import (
    EvolutionMonitorService,
    HistoryOptions,
    MonitorPorts,
    Sample,
    Thresholds,
    ack_tracker,
    event_gap,
)
from evolution_sdk.monitor.alert import Alert, AlertTracker, _state_words
from evolution_sdk.monitor.collector import Collector
from evolution_sdk.monitor.health_tracker import HealthTracker
from evolution_sdk.monitor.history import _SPREAD, SampleHistory, SqliteHistory
from evolution_sdk.monitor.probe import (
    MOST_AT_ONCE,
    InstanceReading,
    ProbeReport,
    ServerReading,
)
from evolution_sdk.monitor.roster import Roster
from evolution_sdk.monitor.together import ask_all_sync
from evolution_sdk.monitor.watched import MOST_OTHERS, PerInstance
from evolution_sdk.transport import Request, Response

MANY = 1_500
EXCHANGES = Path(__file__).parents[2] / "facts" / "versions" / "2.3.7" / "baileys_exchanges.json"


def nothing() -> None:
    """End an observation."""


class Fleet:
    """A server with many instances, in both views: its database's, and what is really so."""

    def __init__(self, size: int) -> None:
        self.names = [f"i{number}" for number in range(size)]
        self.listed = dict.fromkeys(self.names, "open")
        self.real = dict.fromkeys(self.names, "open")
        self.lists_refused = False
        self.questions: list[str] = []
        self.open = self.most_open = 0
        self.lock = threading.Lock()

    def rows(self) -> list[Any]:
        self.questions.append("list")
        if self.lists_refused:
            raise ServerError(500, ["Internal Server Error"])
        return [
            SimpleNamespace(name=name, connection_status=state)
            for name, state in self.listed.items()
        ]

    def begin(self) -> None:
        with self.lock:
            self.open += 1
            self.most_open = max(self.most_open, self.open)

    def end(self, name: str) -> Any:
        with self.lock:
            self.open -= 1
            self.questions.append(name)
        return SimpleNamespace(name=name, state=self.real[name])

    def take_questions(self) -> Counter[str]:
        questions, self.questions = self.questions, []
        return Counter(questions)


class FleetClient:
    """A client of the fleet, of either colour."""

    def __init__(self, fleet: Fleet) -> None:
        self.config = EvolutionConfig("http://fake.test", "key")
        self.fleet = fleet
        self.server = self.instances = self
        self.tell: Any = None
        self.feed: Any = None

    def observe(self, observer: Any) -> Any:
        self.tell = observer
        return nothing

    def observe_events(self, listener: Any) -> Any:
        self.feed = listener
        return nothing


class SyncFleet(FleetClient):
    def close(self) -> None:
        """Nothing is open."""

    def info(self, **_: Any) -> Any:
        return SimpleNamespace(version="2.3.6")

    def fetch(self, **_: Any) -> Any:
        return self.fleet.rows()

    def connection_state(self, name: str, **_: Any) -> Any:
        self.fleet.begin()
        return self.fleet.end(name)


class AsyncFleet(FleetClient):
    async def close(self) -> None:
        """Nothing is open."""

    async def info(self, **_: Any) -> Any:
        return SimpleNamespace(version="2.3.6")

    async def fetch(self, **_: Any) -> Any:
        return self.fleet.rows()

    async def connection_state(self, name: str, **_: Any) -> Any:
        self.fleet.begin()
        await asyncio.sleep(0)
        return self.fleet.end(name)


class Watch:
    """A monitor of a fleet on a fake clock."""

    def __init__(self, client: FleetClient, time: Time | None = None, **options: Any) -> None:
        self.client, self.fleet, self.time = client, client.fleet, time or Time()
        ports = MonitorPorts(clock=self.time, process=StillProcess())
        options = {"instances": "*", "anomalies": False, "sinks": (), **options}
        given: Any = client
        self.monitor = EvolutionMonitorService(given, ports=ports, **options)

    async def check(self) -> Counter[str]:
        self.time.advance(5_000)
        self.fleet.take_questions()
        if isinstance(self.client, AsyncFleet):
            await self.monitor.check_health()
        else:
            self.monitor.check_health_sync()
        return self.fleet.take_questions()

    def status(self, name: str) -> str:
        return self.monitor.get_health_status().instances[name].status


@pytest.fixture(params=[SyncFleet, AsyncFleet])
def watch(request: pytest.FixtureRequest) -> Iterator[Watch]:
    made = Watch(request.param(Fleet(MANY)))
    yield made
    made.monitor.close()


# Questions


async def test_one_list_tells_of_all_and_a_few_are_asked_in_turn(watch: Watch) -> None:
    asked: Counter[str] = Counter()
    for _ in range(4):
        questions = await watch.check()
        assert questions["list"] == 1
        assert questions.total() <= 1 + MOST_AT_ONCE
        asked += questions
    assert watch.fleet.most_open <= MOST_AT_ONCE
    assert len(watch.monitor.get_health_status().instances) == MANY
    assert watch.monitor.get_health_status().status == "healthy"
    assert max(asked[name] for name in watch.fleet.names) == 1, "each in turn"
    assert watch.monitor.get_health_status().details["active_connections"] == MANY


async def test_those_that_are_not_open_in_the_list_are_asked_for_themselves(watch: Watch) -> None:
    await watch.check()
    for name in ("i100", "i200"):
        watch.fleet.listed[name] = "connecting"  # from the database, and old
    watch.fleet.real["i200"] = "close"
    questions = await watch.check()
    assert questions["i100"] == questions["i200"] == 1
    assert questions.total() <= 1 + MOST_AT_ONCE + 2
    assert (watch.status("i100"), watch.status("i200")) == ("healthy", "unhealthy")


async def test_a_belief_of_the_database_is_found_out_in_turn(watch: Watch) -> None:
    await watch.check()
    watch.fleet.real["i700"] = "close"  # the list says open, and no event or call tells
    checks = 0
    while watch.status("i700") == "healthy":
        await watch.check()
        checks += 1
    assert checks <= MANY / MOST_AT_ONCE + 1
    assert (await watch.check())["i700"] == 1, "what is not well is asked at each check"
    watch.fleet.real["i700"] = "open"
    for _ in range(3):
        await watch.check()
    assert watch.status("i700") == "healthy"


async def test_an_event_about_its_connection_makes_an_instance_doubtful(watch: Watch) -> None:
    await watch.check()
    watch.fleet.real["i700"] = "close"
    watch.client.feed(envelope("connection.update", "i700", {"state": "close"}))
    assert (await watch.check())["i700"] == 1
    assert watch.status("i700") == "unhealthy"


async def test_failing_calls_and_a_dead_socket_are_found_as_before(watch: Watch) -> None:
    await watch.check()
    error = InstanceNotConnectedError(400, ["Connection Closed"])
    for _ in range(3):
        fact = AttemptFinished("message.send_text", Effect.SEND, "i700", 0.0, 5.0, error)
        watch.client.tell(fact)
    assert (await watch.check())["i700"] == 1
    assert watch.status("i700") == "unhealthy"


async def test_a_single_failure_is_asked_about_once(watch: Watch) -> None:
    await watch.check()
    error = ServerError(500, ["Cannot read properties of undefined (reading 'x')"])
    watch.client.tell(AttemptFinished("chat.find_chats", Effect.READ, "i700", 0.0, 5.0, error))
    assert (await watch.check())["i700"] == 1
    assert (await watch.check())["i700"] == 0


async def test_where_the_list_is_refused_each_is_asked_16_at_once(watch: Watch) -> None:
    await watch.check()
    watch.fleet.lists_refused = True
    questions = await watch.check()
    assert all(questions[name] == 1 for name in watch.fleet.names)
    assert watch.fleet.most_open <= MOST_AT_ONCE


async def test_a_list_that_takes_long_is_not_made_all_the_time(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = watch.fleet.rows

    def slow() -> list[Any]:
        watch.time.advance(1_000)
        return rows()

    monkeypatch.setattr(watch.fleet, "rows", slow)
    lists: list[int] = []
    for _ in range(8):
        questions = await watch.check()
        lists.append(questions["list"])
        assert questions.total() - lists[-1] <= MOST_AT_ONCE
    assert lists == [1, 0, 0, 0, 1, 0, 0, 0], "20 times as long as it took"
    watch.fleet.real["i700"] = "close"
    watch.client.feed(envelope("connection.update", "i700", {"state": "connecting"}))
    await watch.check()
    assert watch.status("i700") == "unhealthy"


async def test_one_that_is_deleted_is_let_go_and_a_new_one_is_watched(watch: Watch) -> None:
    await watch.check()
    del watch.fleet.listed["i5"]
    watch.fleet.listed["new"] = watch.fleet.real["new"] = "open"
    await watch.check()
    assert "new" in watch.monitor.get_health_status().instances


async def test_who_names_instances_does_not_watch_the_others() -> None:
    fleet = Fleet(100)
    names = fleet.names[:50]
    watch = Watch(AsyncFleet(fleet), instances=names)
    for _ in range(2):
        questions = await watch.check()
        assert questions["list"] == 1
    assert questions.total() <= 1 + MOST_AT_ONCE
    assert set(watch.monitor.get_health_status().instances) == set(names)


async def test_few_are_each_asked_at_once_and_not_listed() -> None:
    fleet = Fleet(MOST_AT_ONCE)
    watch = Watch(SyncFleet(fleet), instances=fleet.names)
    await watch.check()
    questions = await watch.check()
    assert questions == Counter(fleet.names)


def test_a_blocking_client_is_really_asked_at_once() -> None:
    meeting = threading.Barrier(MOST_AT_ONCE)

    def ask(number: int) -> int:
        meeting.wait(10)
        return number * 2

    assert ask_all_sync(range(MOST_AT_ONCE), ask) == tuple(range(0, 2 * MOST_AT_ONCE, 2))


def test_without_threads_the_questions_are_asked_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    assert ask_all_sync([1, 2, 3], lambda number: number + 1) == (2, 3, 4)


async def test_many_are_judged_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    places: list[bool] = []
    take_check = HealthTracker.take_check

    def noted(self: HealthTracker, *args: Any) -> Any:
        places.append(threading.current_thread() is threading.main_thread())
        return take_check(self, *args)

    monkeypatch.setattr(HealthTracker, "take_check", noted)
    for size in (10, 300):
        await Watch(AsyncFleet(Fleet(size))).check()
    assert places == [True, False]


# Memory


def sent(name: str, number: int) -> CallFinished:
    key = SimpleNamespace(remote_jid="5511888888888@s.whatsapp.net", remote_jid_alt=None)
    result = SimpleNamespace(id=f"{name}-{number}", key=key)
    return CallFinished("message.send_text", Effect.SEND, name, 0.0, 5.0, 1, None, result)


def status(name: str, key_id: str) -> dict[str, Any]:
    jid = "5511888888888@s.whatsapp.net"
    data = {"keyId": key_id, "remoteJid": jid, "fromMe": True, "status": "SERVER_ACK"}
    return envelope("messages.update", name, data)


async def test_all_watched_are_judged_by_acknowledgements_and_silence() -> None:
    watch = Watch(SyncFleet(Fleet(1_100)), thresholds=Thresholds(silence_events=5))
    await watch.check()
    time, client, names = watch.time, watch.client, watch.fleet.names
    for _ in range(26):  # for an hour, each in turn
        time.advance(150_000)
        for name in names:
            client.feed(status(name, f"other-{time.now}"))
    for number in range(5):
        for name in names:
            client.tell(sent(name, number))
    time.advance(61_000)
    for name in names:
        client.feed(status(name, f"last-{time.now}"))
    questions = await watch.check()
    assert questions.total() <= 1 + MOST_AT_ONCE, "they were not doubtful before"
    questions = await watch.check()
    assert all(questions[name] for name in names), "and are now"
    report = watch.monitor.get_health_status()
    assert all("SERVER_ACK" in str(report.instances[name].reasons) for name in names)
    time.advance(20 * 60_000)
    await watch.check()
    report = watch.monitor.get_health_status()
    assert all("no event for" in str(report.instances[name].reasons) for name in names)
    assert watch.monitor._collector.dropped == 0
    watch.monitor.close()


def test_what_is_not_watched_is_bounded_counted_and_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    watch = Watch(SyncFleet(Fleet(1)), instances="i0")
    watch.client.feed(status("i0", "a"))
    for number in range(MOST_OTHERS + 50):
        watch.client.feed(status(f"other{number}", "a"))
        watch.time.advance(1_000)
    collector = watch.monitor._collector
    assert collector.dropped == 50
    assert collector.gaps.age_s("i0", watch.time.now) is not None
    assert len(collector.gaps._rhythms) == MOST_OTHERS + 1
    assert len([line for line in caplog.messages if "not watched" in line]) == 1


def test_events_before_the_first_list_are_not_lost() -> None:
    watch = Watch(SyncFleet(Fleet(MANY)))
    for name in watch.fleet.names:
        watch.client.feed(status(name, "a"))
    watch.monitor.check_health_sync()
    ages = [each.event_age_s for each in watch.monitor.get_health_status().instances.values()]
    assert None not in ages


def test_entries_follow_what_is_watched() -> None:
    memory: PerInstance[int] = PerInstance()
    memory.watch(frozenset({"a", "b"}), most_others=2)
    for number, name in enumerate(("a", "x", "b", "y", "z")):
        memory.put(name, number)
    assert dict(memory.items()) == {"a": 0, "b": 2, "y": 3, "z": 4}
    memory.watch(frozenset({"b", "y"}), most_others=1)
    assert dict(memory.items()) == {"b": 2, "y": 3, "a": 0}
    assert memory.dropped == 2, "x and z"
    memory.pop("b")
    assert "b" not in memory


def test_an_event_costs_no_new_memory_where_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    made: Counter[str] = Counter()

    def counting(name: str, kind: Any) -> Any:
        def make() -> Any:
            made[name] += 1
            return kind()

        return make

    for module, name in ((ack_tracker, "_InstanceAcks"), (event_gap, "EventRhythm")):
        monkeypatch.setattr(module, name, counting(name, getattr(module, name)))
    time = Time()
    collector = Collector(Thresholds(), 60_000, time.monotonic, time.time)
    names = [f"i{number}" for number in range(3_000)]
    collector.watch(names)
    for _ in range(3):
        time.advance(1_000)
        for name in names:
            collector.event(status(name, "a"))
    assert made == {"_InstanceAcks": 3_000, "EventRhythm": 3_000}


# Words


async def test_thousands_that_are_not_well_fill_no_log(caplog: pytest.LogCaptureFixture) -> None:
    watch = Watch(AsyncFleet(Fleet(100)))
    await watch.check()
    caplog.clear()
    watch.monitor._checker._outages.update(
        _report_of(dict.fromkeys(watch.fleet.names, "unauthorized"))
    )
    with caplog.at_level(logging.WARNING):
        assert len(caplog.messages) == 21
    assert caplog.messages[-1] == "80 more instances are not well either"


def _report_of(problems: dict[str, Any]) -> Any:
    readings = tuple(InstanceReading(name, problem=each) for name, each in problems.items())
    return ProbeReport(ServerReading(True), readings)


def test_an_alert_names_some_of_many_reasons() -> None:
    words = _state_words(None, "unhealthy", [f"instance i{number}: x" for number in range(5_000)])
    assert words.count("instance i") == 20
    assert words.endswith("and 4980 more")


# Trends


class Counting(SampleHistory):
    """Counts the samples that it gives out."""

    given = 0

    def evenly(self, at: float, most: int) -> list[Sample]:
        found = super().evenly(at, most)
        self.given += len(found)
        return found


def samples(size: int) -> Iterator[Sample]:
    for number in range(size):
        rise = 50 + 100 * number / size + (number * 7919 % 13)
        yield Sample(START + 5.0 * number, response_time_ms=rise)


def test_a_trend_of_a_hundred_thousand_samples_reads_some_and_finds_the_same() -> None:
    watch = Watch(SyncFleet(Fleet(1)))
    watch.monitor._history = memory = Counting(100_000)
    for sample in samples(100_000):
        memory.add(sample)
    watch.time.now = START + 500_000
    trend = watch.monitor.get_trends(10_000)["response_time_ms"]
    assert memory.given <= 400
    assert trend.direction == "rising"
    assert trend.change == pytest.approx(100, rel=0.05)


def test_samples_at_even_distances_have_both_ends_and_all_of_a_few() -> None:
    memory = SampleHistory(10_000)
    for sample in samples(10_000):
        memory.add(sample)
    found = memory.evenly(START + 5_000, 10)
    assert len(found) == 10
    assert (found[0].at, found[-1].at) == (START + 5_000, START + 49_995)
    assert {round((b.at - a.at) / 5) for a, b in pairwise(found)} <= {999, 1_000}
    assert memory.evenly(START + 49_000, 1_000) == memory.since(START + 49_000)


def filled(path: Path, size: int) -> SqliteHistory:
    file = SqliteHistory(path, failed=lambda _: None, clock=lambda: 0.0, threaded=False)
    for number, sample in enumerate(samples(size), 1):
        file.add(sample)
        if number % 5_000 == 0:
            file.flush()
    file.flush()
    return file


def test_a_trend_of_the_file_looks_into_the_index(tmp_path: Path) -> None:
    file = filled(tmp_path / "m.sqlite3", 5_000)
    found = file.evenly(START, None, 50)
    assert len(found) == 50
    assert (found[0].at, found[-1].at) == (START, START + 5.0 * 4_999)
    gaps = {round(b.at - a.at) for a, b in pairwise(found)}
    assert max(gaps) - min(gaps) <= 5, "at even distances"
    assert file.evenly(START + 24_000, None, 300) == file.since(START + 24_000)
    assert file.evenly(START + 1e6, None, 300) == []
    file.close()
    with sqlite3.connect(tmp_path / "m.sqlite3") as connection:
        bound = {"first": START, "step": 500.0, "end": 1e18, "most": 50}
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {_SPREAD}", bound)]
    assert any("samples_at" in step for step in plan)
    assert not any(step.startswith("SCAN samples") for step in plan)


async def test_a_trend_in_async_code_is_found_in_a_thread(tmp_path: Path) -> None:
    path = tmp_path / "m.sqlite3"
    filled(path, 2_000).close()
    time = Time()
    time.now = START + 10_000
    watch = Watch(AsyncFleet(Fleet(1)), time, history=HistoryOptions(path=str(path)))
    threads: list[threading.Thread] = []
    read = watch.monitor._spread

    def noted(minutes: float) -> list[Sample]:
        threads.append(threading.current_thread())
        return read(minutes)

    watch.monitor._spread = noted  # type: ignore[method-assign]  # to see where it runs
    found = await watch.monitor.get_trends_async(600)
    assert found["response_time_ms"].direction == "rising"
    assert threads
    assert threads[0] is not threading.main_thread()
    watch.monitor.close()


async def test_only_breakers_that_are_not_closed_are_told_to_try(watch: Watch) -> None:
    tried: list[str | None] = []
    client: Any = watch.client
    states = {"server": "closed", "instance:i3": "open", "instance:i4": "closed"}
    client.breakers = lambda: {name: SimpleNamespace(state=each) for name, each in states.items()}

    def try_breaker(name: str | None = None) -> None:
        tried.append(name)

    client.try_breaker = try_breaker
    await watch.check()
    assert tried == [None, "i3"]


def test_what_ends_for_thousands_is_found_by_name() -> None:
    alerts = AlertTracker(())
    for number in range(3):
        alerts.notice(Alert("pairing_needed", "critical", "x", 1.0, f"i{number}"))
    alerts.notice(Alert("server_version_changed", "warning", "x", 1.0))
    assert [each.instance for each in alerts.settle("i1", 2.0)] == ["i1"]
    assert alerts.settle("i1", 2.0) == []
    assert [each.rule for each in alerts.settle(None, 2.0)] == ["server_version_changed"]
    assert [each.instance for each in alerts.active] == ["i0", "i2"]


# The list, over the wire


class Wire:
    """A transport that answers as the server, with recorded rows under other names."""

    def __init__(self, size: int) -> None:
        exchanges = json.loads(EXCHANGES.read_text("utf-8"))
        row = next(
            each["response"]["json"][0]
            for each in exchanges
            if each.get("operation") == "instance.fetch_instances"
            and each["response"]["json"][0]["connectionStatus"] == "open"
        )
        self.rows = [
            {**row, "name": f"i{number}", "ownerJid": f"55119{number:08}@s.whatsapp.net"}
            for number in range(size)
        ]

    def send(self, request: Request) -> Response:
        name = request.url.rpartition("/")[2]
        told: Any = {"instance": {"instanceName": name, "state": "open"}}
        if "/instance/fetchInstances" in request.url:
            told = self.rows
        return Response(200, {}, json.dumps(told).encode())

    def close(self) -> None:
        """Nothing is open."""


class AsyncWire(Wire):
    async def send(self, request: Request) -> Response:  # type: ignore[override]
        return Wire.send(self, request)

    async def close(self) -> None:  # type: ignore[override]
        """Nothing is open."""


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def real(request: pytest.FixtureRequest) -> Any:
    """A client of the package over a wire, of either colour."""
    wire = AsyncWire(40) if request.param else Wire(40)
    made: Any = AsyncEvolutionClient if request.param else EvolutionClient
    client = made("http://fake.test", "k" * 32, transport=wire)
    client.wire = wire
    return client


async def checks(client: Any, times: int) -> EvolutionMonitorService:
    time = Time()
    ports = MonitorPorts(clock=time, process=StillProcess())
    monitor = EvolutionMonitorService(client, instances="*", anomalies=False, sinks=(), ports=ports)
    for _ in range(times):
        time.advance(5_000)
        if isinstance(client, AsyncEvolutionClient):
            await monitor.check_health()
        else:
            monitor.check_health_sync()
    return monitor


async def test_the_list_of_a_real_client_builds_no_models(
    real: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[Any] = []
    read: list[str] = []

    def from_wire(_: Any, data: Any) -> Any:
        built.append(data)

    def counted(value: Any) -> Any:
        read.append(value)
        return jid_or_none(value)

    monkeypatch.setattr(InstanceInfo, "from_wire", classmethod(from_wire))
    monkeypatch.setattr(own_accounts, "jid_or_none", counted)
    monitor = await checks(real, 3)

    health = monitor.get_health_status()
    assert {each.status for each in health.instances.values()} == {"healthy"}
    assert len(health.instances) == 40
    assert built == []
    assert read == [row["ownerJid"] for row in real.wire.rows], "an owner that is known is not read"
    account = real._pipeline.parts.accounts.of("i7")
    assert (str(account.phone), account.proven) == ("5511900000007@s.whatsapp.net", True)
    monitor.close()


async def test_observers_see_the_list_as_fetch_gives_it(real: Any) -> None:
    results: list[Any] = []

    def observe(fact: Any) -> None:
        if isinstance(fact, CallFinished) and fact.operation == "instance.fetch_instances":
            results.append(fact.result)

    real.observe(observe)
    monitor = await checks(real, 1)
    fetched = real.instances.fetch()
    whole = await fetched if isinstance(real, AsyncEvolutionClient) else fetched

    assert type(whole) is list
    assert results[0] == whole == results[1]
    assert [each.raw for each in results[0]] == real.wire.rows
    monitor.close()


def test_a_reading_of_the_deep_probe_is_not_taken_for_the_lists() -> None:
    roster = Roster(["*"], None)
    readings = (
        InstanceReading("a", "open", listed=True),
        InstanceReading("b", "open", dead=True, listed=True),
        InstanceReading("c", "open"),
    )
    roster.update(ProbeReport(ServerReading(True), readings, ("a", "b", "c")), 1.0)
    known = roster.plan(2.0).known
    assert known["a"] is readings[0]
    assert {*known} == {"a"}
