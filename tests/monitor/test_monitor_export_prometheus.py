"""The Prometheus collector: names, numbers, bounds, and what it never tells."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Callable

import pytest
from export_kit import checked, named, scrape, value
from monitor_kit import KEY, NUMBER, START, World
from outbox_stub import StubOutbox
from prometheus_client import CollectorRegistry, generate_latest

from evolution_sdk import EvolutionRetryService
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import EventRouter
from evolution_sdk.monitor import ProbeOptions
from evolution_sdk.monitor.export import PrometheusCollector, serve_prometheus
from evolution_sdk.monitor.export.families import FAMILIES
from evolution_sdk.retry import RetryBudget
from evolution_sdk.webhooks import WebhookReceiver

Make = Callable[..., World]


def retry_service(**options: object) -> EvolutionRetryService:
    return EvolutionRetryService(delay_ms=0, sleep=lambda _: None, **options)  # type: ignore[arg-type] # given by name


async def test_everything_of_a_client_and_its_monitor(world: Make) -> None:
    w = world(max_attempts=3)
    collector = PrometheusCollector(w.client, monitor=w.monitor)
    w.fake.faults.add("chat.find_chats", "status", status=503, count=1)
    await w.send()
    await w.read()
    await w.check()
    series = checked(collector)
    done = {"operation": "message.send_text", "result": "success"}
    assert value(series, "evolution_call_duration_seconds_count", **done) == 1
    assert value(series, "evolution_call_attempts_sum", operation="chat.find_chats") == 2
    at_most = {"operation": "chat.find_chats", "le": "1.0"}
    assert value(series, "evolution_call_attempts_bucket", **at_most) == 0
    at_most["le"] = "2.0"
    assert value(series, "evolution_call_attempts_bucket", **at_most) == 1
    failed = {"operation": "chat.find_chats", "error": "ServerError"}
    assert value(series, "evolution_request_errors_total", **failed) == 1
    assert value(series, "evolution_request_duration_seconds_count", effect="send") == 1
    assert value(series, "evolution_retry_retries_total") == 1
    assert value(series, "evolution_retry_wait_seconds_total") == 1
    assert value(series, "evolution_retry_retried_operations_total", result="success") == 1
    assert value(series, "evolution_calls_in_flight") == 0
    assert value(series, "evolution_health_status", evolution_health_status="healthy") == 1
    assert value(series, "evolution_health_status", evolution_health_status="degraded") == 0
    assert value(series, "evolution_instance_status", instance="sales", status="healthy") == 1
    assert value(series, "evolution_instance_connection", instance="sales", state="open") == 1
    assert value(series, "evolution_server_up") == 1
    assert value(series, "evolution_server_info", version="2.3.6") == 1
    assert value(series, "evolution_process_memory_bytes") == 50_000_000
    assert value(series, "evolution_process_cpu_ratio") == pytest.approx(0.03)
    assert value(series, "evolution_monitor_last_check_timestamp_seconds") > START
    assert value(series, "evolution_alerts_active", severity="critical") == 0


def test_every_metric_is_described_and_found() -> None:
    w = World(instance="sales")
    receiver = WebhookReceiver(EventRouter())
    collector = PrometheusCollector(
        w.client, monitor=w.monitor, receiver=receiver, outbox=StubOutbox()
    )
    text, _ = scrape(collector)
    for family in FAMILIES.values():
        assert f"# HELP {family.prometheus} " in text
        assert f"# TYPE {family.prometheus} " in text
    described = {each.name for each in collector.describe()}
    assert described == {each.name for each in collector.collect()}
    w.monitor.close()


async def test_a_dead_server_is_seen(world: Make) -> None:
    w = world()
    collector = PrometheusCollector(monitor=w.monitor)
    w.fake.faults.add("*", "refuse")
    await w.check()
    series = checked(collector)
    assert value(series, "evolution_server_up") == 0
    assert value(series, "evolution_health_status", evolution_health_status="unhealthy") == 1
    assert value(series, "evolution_alerts_active", severity="critical") == 1
    assert not named(series, "evolution_calls_in_flight"), "no client was given"


def test_a_dead_socket_has_a_state_of_its_own() -> None:
    w = World(probes=ProbeOptions(deep=True))
    collector = PrometheusCollector(monitor=w.monitor)
    body = {"status": 400, "error": "Bad Request", "response": {"message": ["Connection Closed"]}}
    w.fake.faults.add("instance.set_presence", "status", status=400, body=body)
    w.monitor.check_health_sync()
    w.time.advance(600_000)
    w.monitor.check_health_sync()
    series = checked(collector)
    w.monitor.close()
    assert value(series, "evolution_instance_connection", instance="sales", state="dead") == 1
    assert value(series, "evolution_instance_connection", instance="sales", state="open") == 0


async def test_a_sample_made_before_the_collector_counts(world: Make) -> None:
    w = world()
    await w.check()
    assert value(checked(PrometheusCollector(monitor=w.monitor)), "evolution_server_up") == 1


async def test_probes_are_no_calls(world: Make) -> None:
    w = world()
    collector = PrometheusCollector(w.client, monitor=w.monitor)
    await w.check(3)
    series = checked(collector)
    assert not named(series, "evolution_call_duration_seconds_count")
    assert not named(series, "evolution_request_duration_seconds_count")


def test_counters_survive_a_reset() -> None:
    retry = retry_service(max_attempts=2)
    collector = PrometheusCollector(retry=retry)
    name = "evolution_retry_operations_total"

    def fail() -> None:
        raise OSError("no")

    seen = []
    for _ in range(3):
        for _ in range(2):
            retry.execute_with_retry_sync(lambda: 1, "send")
        with pytest.raises(OSError, match="no"):
            retry.execute_with_retry_sync(fail, "send")
        series = checked(collector)
        seen.append((value(series, name, result="success"), value(series, name, result="failure")))
        retry.reset_metrics()
        again = checked(collector)
        assert value(again, name, result="success") == seen[-1][0]
    assert seen == [(2, 1), (4, 2), (6, 3)]
    assert value(series, "evolution_retry_retries_total") == 3
    attempts = value(series, "evolution_call_attempts_count", operation="send")
    assert attempts == 9


def test_a_retry_service_of_its_own_is_added_and_the_clients_own_is_not() -> None:
    w = World()
    own = w.client.retry
    w.client.messages.send_text(NUMBER, "oi")
    once = checked(PrometheusCollector(w.client, retry=own))
    assert value(once, "evolution_retry_operations_total", result="success") == 1
    other = retry_service()
    both = PrometheusCollector(w.client, retry=other)
    other.execute_with_retry_sync(lambda: 1, "mine")
    series = checked(both)
    assert value(series, "evolution_retry_operations_total", result="success") == 2
    done = {"operation": "mine", "result": "success"}
    assert value(series, "evolution_call_duration_seconds_count", **done) == 1
    w.monitor.close()


def test_the_budget_and_refusals_are_told() -> None:
    retry = retry_service(max_attempts=5, budget=RetryBudget(2, 0))
    collector = PrometheusCollector(retry=retry)

    def fail() -> None:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        retry.execute_with_retry_sync(fail, "send")
    series = checked(collector)
    assert value(series, "evolution_retry_budget_level_ratio") == 0
    assert value(series, "evolution_retry_refusals_total", reason="budget") == 1


def test_operations_are_bounded() -> None:
    retry = retry_service()
    collector = PrometheusCollector(retry=retry)
    for number in range(300):
        retry.execute_with_retry_sync(lambda: 1, f"job-{number}")
    retry.execute_with_retry_sync(lambda: 1, "message.send_text")
    rows = named(checked(collector), "evolution_call_attempts_count")
    assert len(rows) == 202
    assert rows["other",] == 100
    assert rows["message.send_text",] == 1


@pytest.mark.parametrize("most", [1, 3])
def test_instances_are_bounded_and_the_rest_is_summed(most: int) -> None:
    w = World(instances=["sales", "b", "c", "d", "e"])
    for name in "bcde":
        w.fake.create_instance(name)
    collector = PrometheusCollector(monitor=w.monitor, max_instances=most)
    w.monitor.check_health_sync()
    for _ in range(2):
        series = checked(collector)
        states = named(series, "evolution_instance_connection")
        assert len({instance for instance, _ in states}) == most + 1
        assert states["other", "open"] == 5 - most
        assert sum(states.values()) == 5
    w.monitor.close()


async def test_breakers_are_told_by_scope(world: Make) -> None:
    w = world()
    collector = PrometheusCollector(w.client)
    await w.send()
    rows = named(checked(collector), "evolution_circuit_breakers")
    assert rows["server", "closed"] == 1
    assert rows["server", "open"] == 0


async def test_no_secret_and_no_number_gets_out(world: Make) -> None:
    w = world()
    collector = PrometheusCollector(w.client, monitor=w.monitor)
    await w.send()
    w.fake.faults.add("*", "status", status=500, body={"error": f"{KEY} {NUMBER}"})
    await w.call(w.send)
    await w.check()
    for page in scrape(collector):
        assert KEY not in page
        assert NUMBER not in page
        assert "oi" not in page.split('"')


async def test_closing_ends_the_counting(world: Make) -> None:
    w = world()
    collector = PrometheusCollector(w.client, monitor=w.monitor)
    await w.send()
    await w.check()
    before = checked(collector)
    collector.close()
    collector.close()
    await w.send()
    await w.check()
    after = checked(collector)
    name = "evolution_call_duration_seconds_count"
    assert named(before, name) == named(after, name)
    stamp = "evolution_monitor_last_check_timestamp_seconds"
    assert value(before, stamp) == value(after, stamp)


def test_two_registries_do_not_know_each_other() -> None:
    retry = retry_service()
    first, second = CollectorRegistry(), CollectorRegistry()
    first.register(PrometheusCollector(retry=retry))
    second.register(PrometheusCollector(retry=retry))
    with pytest.raises(ValueError, match="Duplicated"):
        first.register(PrometheusCollector(retry=retry))
    assert generate_latest(first) == generate_latest(second)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ConfigurationError, match="Give the collector") as nothing:
        PrometheusCollector()
    assert nothing.value.variable == "client"
    with pytest.raises(ConfigurationError, match="at least 1") as low:
        PrometheusCollector(retry=retry_service(), max_instances=0)
    assert low.value.variable == "max_instances"


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.startswith("prometheus_client")]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    for make in (PrometheusCollector, serve_prometheus):
        with pytest.raises(ConfigurationError, match=r"evolutionapi-sdk\[prometheus\]"):
            make(retry=retry_service())


def get(port: int, host: str = "127.0.0.1") -> str:
    with urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


def test_serving_over_http(unused_port: int) -> None:
    retry = retry_service()
    registry = CollectorRegistry()
    w = World(instances=["sales", "b"])
    w.fake.create_instance("b")
    w.monitor.check_health_sync()
    end = serve_prometheus(
        unused_port,
        w.client,
        monitor=w.monitor,
        retry=retry,
        max_instances=1,
        host="127.0.0.2",
        registry=registry,
    )
    try:
        retry.execute_with_retry_sync(lambda: 1, "mine")
        page = get(unused_port, "127.0.0.2")
        assert page == generate_latest(registry).decode()
        for part in ('operation="mine"', 'scope="server"', 'instance="other"'):
            assert part in page
    finally:
        end()
        w.monitor.close()
    assert generate_latest(registry) == b""
    with pytest.raises(OSError, match="refused"):
        get(unused_port, "127.0.0.2")


def test_serving_needs_no_registry(unused_port: int) -> None:
    end = serve_prometheus(unused_port, retry=retry_service())
    try:
        page = get(unused_port)
    finally:
        end()
    assert "evolution_retry_retries_total 0.0" in page
    assert "python_info" not in page, "the global registry is left alone"


def test_a_name_that_is_no_text_does_not_break_the_page() -> None:
    retry = retry_service()
    collector = PrometheusCollector(retry=retry)
    for _ in range(2):
        retry.execute_with_retry_sync(lambda: 1, 'half \ud83d, "quoted"\n\\')
    rows = named(checked(collector), "evolution_call_attempts_count")
    assert rows == {('half ?, "quoted"\n\\',): 2}


def test_importing_the_exporters_imports_no_library() -> None:
    code = (
        "import sys, evolution_sdk.monitor.export, evolution_sdk.monitor.cli\n"
        "wanted = ('prometheus_client', 'opentelemetry', 'rich')\n"
        "print([m for m in wanted if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
