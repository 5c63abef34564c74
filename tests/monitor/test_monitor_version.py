"""The server's version and licence: asked in no check's way, shown, judged, and told when other."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from export_kit import checked, value
from monitor_kit import HEALTHY, KEY, START, Time, World
from prometheus_client import CollectorRegistry, generate_latest

from evolution_sdk import EvolutionClient, EvolutionConfig, EvolutionMonitorService
from evolution_sdk.errors import (
    LicenseRequiredError,
    ServerError,
)
from evolution_sdk.monitor.export import PrometheusCollector
from evolution_sdk.monitor.health import HealthFinding
from evolution_sdk.monitor.probe import (
    ProbeReport,
    ProbeRequest,
    ProbeResult,
    ServerReading,
    probe,
)
from evolution_sdk.monitor.server_identity import ServerIdentity
from evolution_sdk.monitor.server_version import ServerVersionProbe
from evolution_sdk.testing import FakeEvolution

Make = Callable[..., World]
HOUR = 3_600.0
PAGE = "http://fake-evolution.test/manager/login"
CHANGED = ("alertRaised", "server_version_changed")
DIFFER = ("alertRaised", "server_versions_differ")


def banner(version: str | None) -> dict[str, Any]:
    """The answer to ``GET /`` (recorded: `facts/exchanges/root.json`)."""
    found: dict[str, Any] = {
        "status": 200,
        "message": "Welcome to the Evolution API, it is working!",
    }
    if version is not None:
        found["version"] = version
    return {**found, "clientName": "evolution"}


def becomes(w: World, version: str | None, **options: Any) -> Any:
    body = banner(version)
    return w.fake.faults.add("root.get_information", "status", status=200, body=body, **options)


def asked(w: World) -> list[str]:
    return [request.target for request in w.fake.requests]


def details(w: World) -> Any:
    return w.monitor.get_health_status().details


# Asking


async def test_a_version_is_learned_from_the_metrics_where_the_root_gives_none(world: Make) -> None:
    """Without egress ``GET /`` of 2.3 may take longer than anybody waits."""
    w = world()
    w.fake.faults.add("root.get_information", "delay", delay_ms=40_000)
    await w.check(3)
    assert details(w)["server_version"] == "2.3.6"
    assert asked(w).count("/") == 1
    assert asked(w).count("/metrics") == 1
    assert w.told == [HEALTHY]


async def test_without_metrics_the_version_stays_unknown_and_health_good(world: Make) -> None:
    w = world()
    w.fake.faults.add("root.get_information", "refuse")
    w.fake.faults.add("root.get_metrics", "refuse")
    await w.check(50)
    assert details(w)["server_version"] is None
    assert details(w)["notes"] == ()
    assert w.told == [HEALTHY]


async def test_the_root_has_a_longer_limit_than_a_check(world: Make) -> None:
    """Ten seconds, as measured on 2.3.6 without egress: waited for, and in no number."""
    w = world()
    w.fake.faults.add("root.get_information", "delay", delay_ms=10_000)
    await w.check(10)
    assert details(w)["server_version"] == "2.3.6"
    assert w.told == [HEALTHY]
    times = [sample.response_time_ms for sample in w.monitor.get_history()]
    assert all(each is not None and each < 500 for each in times)


async def test_it_is_asked_every_ten_minutes_and_after_an_outage(world: Make) -> None:
    w = world()
    await w.check(119)
    assert asked(w).count("/") == 1
    await w.check(3)
    assert asked(w).count("/") == 2
    down = w.fake.faults.add("*", "refuse")
    await w.check()
    down.remove()
    before = asked(w).count("/")
    await w.check()
    assert asked(w).count("/") == before + 1


async def test_what_the_client_learns_counts_at_the_next_check(world: Make) -> None:
    w = world()
    await w.check()
    becomes(w, "2.3.7", count=1)
    await w.run(w.client.server.info())
    await w.check()
    assert CHANGED in w.told


# A cheap proof behind a proxy


def answers(steps: Any, *results: ProbeResult) -> tuple[list[str], ProbeReport]:
    """Answer the questions of a check; returns their kinds, and its report."""
    kinds: list[str] = []
    given = iter(results)
    try:
        request: ProbeRequest = next(steps)
        while True:
            kinds.append(request.kind)
            request = steps.send(next(given))
    except StopIteration as done:
        return kinds, done.value


def failed(error: Exception) -> ProbeResult:
    return ProbeResult(5.0, error=error)


def by_proxy() -> ProbeResult:
    error = ServerError(502, ["Bad Gateway"])
    error.by_server = False
    return failed(error)


def test_a_kept_route_costs_no_question_that_asks_whatsapp() -> None:
    result = ProbeResult(2.0, SimpleNamespace(status=200))
    kinds, report = answers(probe(("x",), frozenset()), by_proxy(), by_proxy(), result)
    assert kinds == ["state", "state", "credentials"]
    assert report.server == ServerReading(True)


@pytest.mark.parametrize(("license_route", "last"), [(False, "info"), (True, "license")])
def test_the_last_question_is_by_version(license_route: bool, last: str) -> None:
    steps = probe(("x",), frozenset(), license_route=license_route)
    result = ProbeResult(2.0, SimpleNamespace(status="active"))
    kinds, report = answers(steps, by_proxy(), by_proxy(), by_proxy(), result)
    assert kinds == ["state", "state", "credentials", last]
    assert report.server == ServerReading(True)


def test_a_licence_that_is_inactive_is_a_locked_server() -> None:
    steps = probe(("x",), frozenset(), license_route=True)
    result = ProbeResult(2.0, SimpleNamespace(status="inactive"))
    _, report = answers(steps, by_proxy(), by_proxy(), by_proxy(), result)
    assert report.server.activate_at == "the server's /manager/login"
    assert report.server.failure == "LicenseRequiredError"


def test_a_gate_seen_through_another_route_is_a_gate() -> None:
    locked = LicenseRequiredError(503, register_url=PAGE)
    locked.by_server = True
    _, report = answers(probe(("x",), frozenset()), by_proxy(), by_proxy(), failed(locked))
    assert report.server.activate_at == PAGE


def test_a_proxy_alone_is_no_server() -> None:
    kinds, report = answers(probe(("x",), frozenset()), *(by_proxy() for _ in range(4)))
    assert kinds == ["state", "state", "credentials", "info"]
    assert report.server.by_proxy
    assert not report.server.reachable


# The licence


@pytest.mark.parametrize("instance", ["sales", None])
async def test_an_unlicensed_server_costs_one_request_a_check(
    world: Make, instance: str | None
) -> None:
    w = world(version="2.4.0", licensed=False, instance=instance)
    await w.check(5)
    route = "/instance/fetchInstances" if instance is None else "/instance/connectionState/sales"
    assert [each for each in asked(w) if each != "/"] == [route] * 5
    assert asked(w).count("/") == 1
    report = w.monitor.get_health_status()
    assert report.status == "unhealthy"
    words = f"the server has no active licence and refuses every call: activate it at {PAGE}"
    assert report.reasons == (words,)
    assert report.details["license"] == "inactive"
    assert report.details["server_version"] == "2.4.0"
    assert report.details["notes"] == ()


async def test_the_licence_is_asked_for_with_the_version(world: Make) -> None:
    w = world(version="2.4.0")
    await w.check(10)
    assert details(w)["license"] == "active"
    assert asked(w).count("/license/status") == 1
    old = world(version="2.3.7")
    await old.check(10)
    assert details(old)["license"] is None
    assert "/license/status" not in asked(old)


async def test_an_activated_server_is_asked_anew(world: Make) -> None:
    w = world(version="2.4.0")
    body = {
        "error": "service not activated",
        "code": "LICENSE_REQUIRED",
        "register_url": PAGE,
    }
    gate = w.fake.faults.add("instance.*", "status", status=503, body=body)
    await w.check(2)
    assert details(w)["license"] == "inactive"
    gate.remove()
    before = asked(w).count("/license/status")
    assert await w.check(3) == "healthy"
    assert asked(w).count("/license/status") == before + 1
    assert details(w)["license"] == "active"


async def test_the_exporters_tell_version_and_licence(world: Make) -> None:
    w = world(version="2.4.0")
    collector = PrometheusCollector(monitor=w.monitor)
    await w.check()
    series = checked(collector)
    name = "evolution_server_license"
    assert value(series, "evolution_server_info", version="2.4.0") == 1
    assert value(series, name, evolution_server_license="active") == 1
    assert value(series, name, evolution_server_license="inactive") == 0
    old = world(version="2.3.7")
    registry = CollectorRegistry()
    registry.register(PrometheusCollector(monitor=old.monitor))
    await old.check()
    assert b"evolution_server_license{" not in generate_latest(registry)


# Changes


async def test_another_version_is_told_once_and_is_over_after_an_hour(world: Make) -> None:
    w = world()
    await w.check()
    becomes(w, "2.3.7")
    await w.check(125)
    raised = [each for each in w.told if each[0] == "alertRaised"]
    assert raised == [CHANGED]
    alert = w.monitor.active_alerts[0]
    assert alert.severity == "warning"
    assert alert.words == "the server changed its version from 2.3.6 to 2.3.7"
    assert details(w)["server_version"] == "2.3.7"
    assert w.monitor.get_health_status().status == "healthy"
    await w.check(725)
    assert w.monitor.active_alerts == ()
    assert w.told[-1] == ("alertResolved", "server_version_changed")


async def test_servers_that_differ_give_themselves_away(world: Make) -> None:
    """Two servers behind one address, asked in turn."""
    w = world()
    collector = PrometheusCollector(monitor=w.monitor)
    await w.check()
    for n in range(150):
        fault = becomes(w, "2.3.7" if n % 2 else "2.3.6")
        await w.check()
        fault.remove()
    alerts = [each for each in w.told if each != HEALTHY]
    assert alerts == [CHANGED, ("alertResolved", "server_version_changed"), DIFFER]
    assert "several servers answer under one address" in w.monitor.active_alerts[0].words
    versions = {details(w)["server_version"], *details(w)["other_server_versions"]}
    assert versions == {"2.3.6", "2.3.7"}
    assert details(w)["notes"][0].startswith("versions told under this address, in turn: ")
    series = checked(collector)
    assert value(series, "evolution_server_info", version="2.3.6") == 1
    assert value(series, "evolution_server_info", version="2.3.7") == 1
    assert asked(w).count("/") < 12, "not at every check"
    becomes(w, "2.3.7")
    await w.check(900)
    assert w.monitor.active_alerts == ()
    assert details(w)["other_server_versions"] == ()
    assert details(w)["notes"] == ()


def test_a_change_lasts_an_hour_and_memory_stays_small() -> None:
    identity = ServerIdentity()
    assert identity.told("2.3.6", 0, START) is None
    assert identity.told("2.3.6", 10, START) is None
    for n in range(100):
        alert = identity.told(f"2.3.{n + 7}", 20 + n, START)
        assert alert is not None
        assert alert.rule == "server_version_changed"
    assert len(identity._told_at) == 8
    assert not identity.is_settled(119 + HOUR - 1)
    assert identity.is_settled(119 + HOUR)
    assert not identity.is_settled(119 + HOUR), "told once"
    assert list(identity._told_at) == ["2.3.106"]


# What a version means


async def test_version_1_is_unhealthy_and_says_why(world: Make) -> None:
    w = world()
    becomes(w, "1.8.6")
    await w.check(4)
    report = w.monitor.get_health_status()
    assert report.status == "unhealthy"
    words = "the server is version 1.8.6 of the Evolution API: this SDK speaks to version 2 only. "
    assert report.reasons == (words + "Upgrade the server",)
    assert report.reasons == report.details["notes"]
    assert report.details["connected"] is True


@pytest.mark.parametrize(
    ("version", "shown", "words"),
    [
        ("9.9.9-x", "9.9.9-x", "newer than this SDK knows (2.4): look for a newer SDK"),
        ("", None, "told none: set EVOLUTION_SERVER_VERSION"),
        (None, None, "told none: set EVOLUTION_SERVER_VERSION"),
        ("latest", "latest", "told 'latest', which is none"),
    ],
)
async def test_a_version_that_is_not_known_is_noted(
    world: Make, version: str | None, shown: str | None, words: str
) -> None:
    w = world()
    becomes(w, version)
    await w.check(2)
    assert w.monitor.get_health_status().status == "healthy"
    assert details(w)["server_version"] == shown
    (note,) = details(w)["notes"]
    assert words in note


@pytest.mark.parametrize("version", ["2.2.3", "2.3.6", "2.3.7", "2.4.0"])
async def test_a_known_version_needs_no_words(world: Make, version: str) -> None:
    w = world(version=version)
    assert await w.check(2) == "healthy"
    assert details(w)["server_version"] == version
    assert details(w)["notes"] == ()


async def test_a_fixed_version_that_is_not_the_servers_is_noted(world: Make) -> None:
    config = EvolutionConfig(
        "http://fake-evolution.test", KEY, instance="sales", server_version="2.3.7"
    )
    w = world(config=config, version="2.4.0")
    await w.check()
    assert details(w)["server_version"] == "2.4.0"
    assert "the settings say that the server is version 2.3.7" in details(w)["notes"][0]
    same = world(config=config, version="2.3.7")
    await same.check()
    assert details(same)["notes"] == ()


def test_a_licence_that_is_not_active_is_noted_while_calls_pass() -> None:
    identity = ServerIdentity()
    identity.told("2.4.0", 0, START)
    identity.licensed("pending")
    assert identity.details["notes"] == ("the server says that its licence is pending",)
    identity.gate(locked=True)
    assert identity.details["license"] == "inactive"
    assert identity.details["notes"] == ()
    identity.licensed("active")
    assert identity.license == "inactive", "a refused call knows better"
    identity.gate(locked=False)
    assert identity.license is None


def test_hostile_versions_stay_short() -> None:
    identity = ServerIdentity()
    identity.told("2.3.7" + "x" * 10_000 + "\nsecond line", 0, START)
    assert len(identity.version or "") <= 60
    assert all(len(note) < 200 for note in identity.details["notes"])


def test_findings_are_of_versions_that_are_too_old_only() -> None:
    identity = ServerIdentity()
    identity.told("2.4.9", 0, START)
    assert identity.findings == ()
    identity.told("1.0.0", 1, START)
    (finding,) = identity.findings
    assert isinstance(finding, HealthFinding)
    assert (finding.status, finding.hard) == ("unhealthy", True)


# Clients of the user's own making


def test_a_client_with_two_families_only_is_enough() -> None:
    """It has neither licence, metrics nor a version of its own."""
    told: list[str] = []
    time = Time()

    def refuse(**_: Any) -> Any:
        raise ServerError(500)

    client: Any = SimpleNamespace(server=SimpleNamespace(info=refuse), instances=None)
    version = ServerVersionProbe(time, told.append, told.append, reads_client=True)
    version.begin = lambda work: work()
    version.checked(client, ServerReading(True), is_async=False)
    assert told == []
    client.server.info = lambda **_: SimpleNamespace(version="2.4.0")
    time.advance(300_000)
    version.checked(client, ServerReading(True), is_async=False)
    assert told == ["2.4.0"]


def test_a_single_check_of_the_command_judges_the_version_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    from evolution_sdk.monitor.cli.command import main

    with FakeEvolution(api_key=KEY, version="2.3.6").serve() as fake:
        fake.create_instance("sales")
        fake.faults.add("root.get_information", "status", status=200, body=banner("1.8.6"))
        monkeypatch.chdir(tmp_path)
        arguments = ["--url", fake.url, "--api-key", KEY, "--instance", "sales", "--once", "--json"]
        assert main(arguments) == 2
    assert "1.8.6" in capsys.readouterr().out


def test_the_monitor_of_a_fake_needs_no_ports() -> None:
    fake = FakeEvolution(api_key=KEY, version="2.4.0")
    fake.create_instance("sales")
    config = EvolutionConfig(fake.url, KEY, instance="sales")
    with EvolutionClient(config=config, http_client=fake.http_client()) as client:
        monitor = EvolutionMonitorService(client, sinks=(), anomalies=False)
        monitor.check_health_sync()
        assert monitor.wait_for_version(10_000) == "2.4.0"
        monitor.close()
