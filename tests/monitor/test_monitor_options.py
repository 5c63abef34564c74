"""Every option and setting has its effect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from types import SimpleNamespace
from typing import Any

import pytest
from monitor_kit import KEY, NUMBER, UNAUTHORIZED, Time, World, envelope

from evolution_sdk import EvolutionClient, EvolutionConfig, EvolutionMonitorService
from evolution_sdk.config import MonitoringConfig
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.monitor import (
    METRICS,
    AlertRule,
    AnomalyOptions,
    HttpSink,
    MonitorPorts,
    PerformanceMetrics,
    ProbeOptions,
    Sample,
    Thresholds,
    WhatsAppSink,
)
from evolution_sdk.monitor.export.readings import SAMPLE_FAMILIES
from evolution_sdk.monitor.report import trends

Make = Callable[..., World]


async def test_all_instances_can_be_watched(world: Make) -> None:
    w = world(instances="*")
    await w.check()
    w.fake.create_instance("support")
    assert set(w.monitor.get_health_status().instances) == {"sales"}
    await w.check(13)
    assert set(w.monitor.get_health_status().instances) == {"sales", "support"}


async def test_one_more_client_can_be_observed(world: Make) -> None:
    w = world()
    other = EvolutionClient(
        w.fake.url, KEY, instance="sales", http_client=w.fake.http_client(), retry=False
    )
    end = w.monitor.observe(other)
    other.messages.send_text(NUMBER, "oi")
    end()
    other.messages.send_text(NUMBER, "oi")
    await w.check()
    assert w.monitor.get_performance_metrics().requests == 1


async def test_its_own_questions_do_not_count_as_calls(world: Make) -> None:
    w = world()
    await w.check(10)
    performance = w.monitor.get_performance_metrics()
    assert performance.requests == 0
    assert performance.response_time_ms is not None
    assert performance.samples == 10


async def test_performance_is_of_the_last_minutes(world: Make) -> None:
    w = world()
    for _ in range(12):
        await w.send()
        w.event(key={"fromMe": False})
        await w.check()
    now = w.monitor.get_performance_metrics(minutes=1)
    assert now.messages_per_second == pytest.approx(0.4, abs=0.05)
    assert (now.memory_bytes, now.cpu_percent, now.in_flight) == (50_000_000, 3.0, 0)
    assert now.active_connections == 1
    await w.check(60)
    assert w.monitor.get_performance_metrics(minutes=1).requests == 0
    assert w.monitor.get_performance_metrics(minutes=10).requests == 12
    with pytest.raises(ConfigurationError):
        w.monitor.get_performance_metrics(minutes=0)


async def test_the_window_can_be_chosen(world: Make) -> None:
    rates = {}
    for window_ms in (12_000, 600_000):
        w = world(window_ms=window_ms)
        await w.send()
        await w.check(10)
        rates[window_ms] = w.monitor.get_history()[-1].requests
    assert rates == {12_000: 0, 600_000: 1}


async def test_retry_metrics_are_told_and_taken_from_the_client_each_check(world: Make) -> None:
    w = world()
    w.monitor.update_retry_metrics(w.client.retry.get_metrics())
    assert [event.name for event in w.seen] == ["retryMetricsUpdated"]
    await w.check()
    names = [event.name for event in w.seen]
    assert names.count("retryMetricsUpdated") == 2
    assert names.index("metricsUpdated") == 2


async def test_breakers_are_read_when_the_client_has_some(world: Make) -> None:
    w = world()
    await w.check()
    w.client.breakers = lambda: {"server": SimpleNamespace(state="open", failure_rate=1.0)}
    assert await w.check() == "degraded"
    assert w.monitor.get_health_status().details["breakers"] == {"server": "open"}


async def test_thresholds_of_ones_own(world: Make) -> None:
    w = world(thresholds=Thresholds(degraded_response_ms=5))
    w.fake.faults.add("*", "delay", delay_ms=10)
    assert await w.check() == "degraded"


async def test_the_deep_probe_is_off_and_rare(world: Make) -> None:
    for options, hits in (
        ({}, 0),
        ({"probes": ProbeOptions(deep=True)}, 1),
        ({"probes": ProbeOptions(deep=True, deep_interval_ms=10_000)}, 10),
    ):
        w = world(**options)
        probe = w.fake.faults.add("instance.set_presence", "delay", delay_ms=0.001)
        await w.check(20)
        assert probe.hits == hits


async def test_a_channel_without_deep_probe_is_asked_once(world: Make) -> None:
    w = world(instances=("biz",), probes=ProbeOptions(deep=True, deep_interval_ms=1))
    w.fake.create_instance("biz", integration="EVOLUTION")
    probe = w.fake.faults.add("instance.set_presence", "delay", delay_ms=0.001)
    await w.check(5)
    assert probe.hits == 1
    assert w.monitor.get_health_status().status == "healthy"


def test_senseless_options_are_refused() -> None:
    client = EvolutionClient("http://x", KEY)
    for name in ("interval_ms", "max_history", "window_ms"):
        for value in (0, -1):
            wrong: dict[str, Any] = {name: value}
            with pytest.raises(ConfigurationError) as caught:
                EvolutionMonitorService(client, **wrong)
            assert caught.value.variable == name
            assert str(caught.value).startswith(f"{name} must be ")
    for value in (0, -1):
        with pytest.raises(ConfigurationError) as caught:
            ProbeOptions(timeout_ms=value)
        assert caught.value.variable == "EVOLUTION_MONITORING_PROBE_TIMEOUT_MS"
    for name, value in (("score", 1.1), ("cooldown_ms", -1), ("settle_values", -1)):
        wrong = {name: value}
        with pytest.raises(ConfigurationError) as caught:
            AnomalyOptions(**wrong)
        assert caught.value.variable == name
    with pytest.raises(ConfigurationError):
        EvolutionMonitorService(client).start_monitoring(0)


@pytest.mark.parametrize("group", ["probes", "history", "thresholds", "recovery_policy", "alerts"])
@pytest.mark.parametrize("value", [{1: 2}, "x", 3, None, [], {"oops": 1}])
def test_a_wrong_group_of_options_is_named(group: str, value: object) -> None:
    wrong: dict[str, Any] = {group: value}
    with pytest.raises(ConfigurationError) as caught:
        MonitoringConfig(**wrong)
    assert (caught.value.variable or "") in (group, "oops")


def test_a_group_is_changed_field_by_field() -> None:
    config = EvolutionConfig("http://x", KEY, monitoring={"thresholds": {"min_slow": 7}})
    other = config.replace(monitoring={"thresholds": {"min_errors": 8}, "interval_ms": 9})
    limits = other.monitoring.thresholds
    assert (limits.min_slow, limits.min_errors, other.monitoring.interval_ms) == (7, 8, 9)
    with pytest.raises(ConfigurationError) as caught:
        config.monitoring.replace(interval_ms=0)
    assert caught.value.variable == "interval_ms"


def monitor_of(**monitoring: Any) -> EvolutionMonitorService:
    config = EvolutionConfig("http://x", KEY, instance="sales", monitoring=monitoring)
    return EvolutionMonitorService(EvolutionClient(config=config), ports=MonitorPorts(clock=Time()))


def test_every_setting_arrives() -> None:
    assert monitor_of(interval_ms=7)._settings.interval_ms == 7
    assert monitor_of(max_history=3)._history._samples.maxlen == 3
    assert monitor_of(window_ms=9_000)._settings.window_ms == 9_000
    assert monitor_of(probes={"timeout_ms": 70})._checker._timeout == 70
    assert monitor_of(instances=("a", "b"))._checker.tracker.watched == ("a", "b")
    assert monitor_of()._checker.tracker.watched == ("sales",)
    names = ("degraded_response_ms", "degraded_error_rate", "unhealthy_retry_success_rate")
    for name, value in zip(names, (50, 0.1, 0.3), strict=True):
        assert getattr(monitor_of(thresholds={name: value})._limits, name) == value
    for name, value in (
        ("unhealthy_response_ms", 2_000),
        ("unhealthy_error_rate", 0.9),
        ("degraded_retry_success_rate", 0.9),
    ):
        assert getattr(monitor_of(thresholds={name: value})._limits, name) == value
    deep = {"deep": True, "deep_interval_ms": 9_000}
    assert monitor_of()._checker.tracker._roster._deep is None
    assert monitor_of(probes=deep)._checker.tracker._roster._deep == 9
    assert monitor_of()._checker.tracker._recovery is None
    planner = monitor_of(recovery=True, recovery_policy={"max_restarts": 8})
    recovery = planner._checker.tracker._recovery
    assert recovery is not None
    assert recovery._policy.max_restarts == 8


def test_history_settings_arrive(tmp_path: Any) -> None:
    path = str(tmp_path / "h.sqlite3")
    file = monitor_of(history={"path": path, "retention_ms": 5_000})._file
    assert file is not None
    assert (file._path, file._retention) == (path, 5)
    assert monitor_of()._file is None


def test_sinks_of_the_settings() -> None:
    monitor = monitor_of(alerts={"url": "https://x.example", "number": NUMBER, "instance": "a"})
    kinds = {type(sink): sink for sink in monitor._sinks}
    assert len(kinds) == 3
    assert HttpSink in kinds
    whatsapp = kinds[WhatsAppSink]
    assert isinstance(whatsapp, WhatsAppSink)
    assert (whatsapp._number, whatsapp._instance) == (NUMBER, "a")
    config = EvolutionConfig("http://x", KEY, monitoring={"alerts": {"number": NUMBER}})
    with pytest.raises(ConfigurationError, match="ALERT_INSTANCE"):
        EvolutionMonitorService(EvolutionClient(config=config))


def test_events_that_are_none_harm_nothing() -> None:
    w = World()
    w.client.feed(envelope("x", "sales", {}))
    w.client.feed(object())
    w.monitor._collector.event = None  # type: ignore[assignment,method-assign]  # a bug of ours
    w.client.feed({})
    assert w.told == [("monitoringError", "event")]
    w.monitor.close()


async def test_instances_that_cannot_be_listed_are_not_called_healthy(world: Make) -> None:
    w = world(instances="*")
    fault = w.fake.faults.add("instance.fetch_instances", "status", status=401, body=UNAUTHORIZED)
    assert await w.check(3) == "unknown"
    status = w.monitor.get_health_status()
    assert status.reasons == ("the instances could not be listed (AuthenticationError)",)
    fault.remove()
    assert await w.check(15) == "healthy"


def test_samples_trends_rules_and_performance_use_the_same_names() -> None:
    columns = {field.name for field in fields(Sample)}
    assert set(METRICS) == columns - {"at", "status", "reachable"}
    assert set(METRICS) == {f.name for f in fields(PerformanceMetrics)} - {"minutes", "samples"}
    # Counted by the client's own, told by instance, and told of the outbox by instance.
    elsewhere = {name for name in METRICS if name.startswith("outbox_")}
    assert set(METRICS) <= set(SAMPLE_FAMILIES) | {"requests", "in_flight", "refusals"} | elsewhere
    numbers = dict.fromkeys(METRICS, 7)
    samples = [Sample(at, **numbers) for at in (0.0, 60.0)]  # type: ignore[arg-type]  # all numbers
    assert set(trends(samples, Thresholds(), 60_000)) == set(METRICS)
    for name in METRICS:
        assert AlertRule(name="r", metric=name, above=1).metric == name


def test_a_rule_on_an_unknown_metric_is_refused_with_the_known_names() -> None:
    with pytest.raises(ConfigurationError) as caught:
        AlertRule(name="r", metric="average_response_time", above=1)
    assert caught.value.variable == "metric"
    assert "'average_response_time'" in str(caught.value)
    assert all(name in str(caught.value) for name in METRICS)
