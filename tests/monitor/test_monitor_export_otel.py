"""OpenTelemetry: spans of calls and metrics, with the SDK's exporters in memory."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest
from monitor_kit import KEY, NUMBER, START, World
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from evolution_sdk import EvolutionRetryService
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.monitor.export import instrument
from evolution_sdk.monitor.export.families import DURATION_BUCKETS, FAMILIES

Make = Callable[..., World]
TEXT = "a text nobody else may read"


class Telemetry:
    """Providers that keep all in memory."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self._reader = InMemoryMetricReader()
        self.meters = MeterProvider([self._reader])

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self._exporter.get_finished_spans())

    def metrics(self) -> dict[str, Any]:
        data = self._reader.get_metrics_data()
        if data is None:
            return {}
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics]
        assert {scope.scope.name for scope in scopes} <= {"evolution_sdk"}
        return {metric.name: metric for scope in scopes for metric in scope.metrics}

    def points(self, name: str) -> dict[tuple[Any, ...], Any]:
        metric = self.metrics().get(name)
        rows = [] if metric is None else metric.data.data_points
        return {tuple(row.attributes.values()): row for row in rows}


@pytest.fixture
def otel() -> Telemetry:
    return Telemetry()


async def test_a_call_is_a_span_with_its_own_times(world: Make, otel: Telemetry) -> None:
    w = world()
    instrument(w.client, otel.tracers, otel.meters)
    w.fake.faults.add("message.send_text", "delay", delay_ms=250)
    with otel.tracers.get_tracer("app").start_as_current_span("order") as order:
        await w.send()
    span, parent = otel.spans
    assert parent.name == "order"
    assert span.parent is not None
    assert span.parent.span_id == order.get_span_context().span_id
    assert (span.name, span.kind, span.status.status_code) == (
        "message.send_text",
        SpanKind.CLIENT,
        StatusCode.UNSET,
    )
    assert span.start_time == START * 1_000_000_000
    assert span.end_time == span.start_time + 250_000_000
    assert dict(span.attributes or {}) == {
        "server.address": "fake-evolution.test",
        "server.port": 80,
        "url.scheme": "http",
        "evolution.operation": "message.send_text",
        "evolution.effect": "send",
        "evolution.attempts": 1,
        "evolution.instance": "sales",
        "http.request.method": "POST",
        "url.template": "/message/sendText/{instance}",
    }
    assert not span.events


async def test_without_a_span_around_it_a_call_is_a_root(world: Make, otel: Telemetry) -> None:
    w = world()
    instrument(w.client, otel.tracers, otel.meters)
    await w.send()
    assert otel.spans[0].parent is None


async def test_failed_attempts_are_events(world: Make, otel: Telemetry) -> None:
    w = world(max_attempts=3)
    instrument(w.client, otel.tracers, otel.meters)
    w.fake.faults.add("chat.find_chats", "status", status=503, count=1)
    w.fake.faults.add("chat.find_chats", "drop", count=1)
    await w.read()
    (span,) = otel.spans
    assert span.status.status_code is StatusCode.UNSET, "it succeeded in the end"
    assert span.attributes is not None
    assert span.attributes["http.request.resend_count"] == 2
    assert [event.name for event in span.events] == ["evolution.attempt_failed"] * 2
    kinds = [dict(event.attributes or {}) for event in span.events]
    assert kinds[0] == {"error.type": "ServerError", "http.response.status_code": 503}
    assert "error.type" in kinds[1]
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.start_time <= span.events[0].timestamp < span.events[1].timestamp < span.end_time


async def test_a_failed_call_tells_the_class_of_its_error(world: Make, otel: Telemetry) -> None:
    w = world()
    instrument(w.client, otel.tracers, otel.meters)
    quoting = {"message": f"{KEY} {NUMBER} {TEXT}"}
    w.fake.faults.add("message.send_text", "status", status=401, body=quoting, count=1)
    await w.call(lambda: w.client.messages.send_text(NUMBER, TEXT))
    await w.send()
    failed, sent = otel.spans
    assert failed.status.status_code is StatusCode.ERROR
    assert failed.status.description == "AuthenticationError"
    assert failed.attributes is not None
    assert failed.attributes["error.type"] == "AuthenticationError"
    assert failed.attributes["http.response.status_code"] == 401
    assert len(failed.events) == 1
    assert not sent.events
    for span in otel.spans:
        for secret in (KEY, NUMBER, TEXT):
            assert secret not in span.to_json()


async def test_attempts_stay_with_their_own_call(world: Make, otel: Telemetry) -> None:
    """A send whose outcome is looked up: the look-up is a call inside the call."""
    w = world(max_attempts=2)
    instrument(w.client, otel.tracers, otel.meters)
    w.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    await w.call(w.send)
    await w.read()
    spans = {span.name: span for span in otel.spans}
    assert len(spans["message.send_text"].events) == 1
    others = [span for span in otel.spans if span.name != "message.send_text"]
    assert others
    assert not any(span.events for span in others)


async def test_attempts_of_calls_at_the_same_time_do_not_mix(otel: Telemetry) -> None:
    """Three tasks, the same operation and instance; two of them fail once."""
    w = World("async", max_attempts=2)
    instrument(w.client, otel.tracers, otel.meters)
    w.fake.faults.add("chat.find_chats", "status", status=503, count=2)
    await asyncio.gather(w.read(), w.read(), w.read())
    assert sorted(len(span.events) for span in otel.spans) == [0, 1, 1]
    for span in otel.spans:
        assert span.attributes is not None
        assert span.attributes["evolution.attempts"] == 1 + len(span.events)
    w.monitor.close()


async def test_probes_make_no_spans_and_no_calls(world: Make, otel: Telemetry) -> None:
    w = world()
    instrument(w.client, otel.tracers, otel.meters)
    await w.check()
    assert not otel.spans
    assert not otel.points("evolution.call.duration")


async def test_metrics_of_client_and_monitor(world: Make, otel: Telemetry) -> None:
    w = world(max_attempts=2)
    instrument(w.client, otel.tracers, otel.meters, monitor=w.monitor)
    w.fake.faults.add("chat.find_chats", "status", status=503, count=1)
    await w.send()
    await w.read()
    await w.check()
    sent = otel.points("evolution.call.duration")["message.send_text", "success"]
    assert sent.count == 1
    assert sent.explicit_bounds == DURATION_BUCKETS
    assert otel.points("evolution.call.attempts")["chat.find_chats",].sum == 2
    assert otel.points("evolution.request.errors")["chat.find_chats", "ServerError"].value == 1
    assert otel.points("evolution.retry.operations")["success",].value == 4, "two are probes"
    assert otel.points("evolution.retry.wait")[()].value == 1
    assert otel.points("evolution.health.status")["healthy",].value == 1
    assert otel.points("evolution.instance.connection")["sales", "open"].value == 1
    assert otel.points("evolution.circuit_breakers")["server", "closed"].value == 1
    for name, metric in otel.metrics().items():
        family = FAMILIES[name]
        assert (metric.unit, metric.description) == (family.unit, family.help)
        for point in metric.data.data_points:
            assert tuple(point.attributes) == family.labels


async def test_version_and_licence_of_the_server(world: Make, otel: Telemetry) -> None:
    w = world(version="2.4.0")
    instrument(w.client, otel.tracers, otel.meters, monitor=w.monitor)
    await w.check()
    assert otel.points("evolution.server")["2.4.0",].value == 1
    states = {
        state: point.value for (state,), point in otel.points("evolution.server.license").items()
    }
    assert states == {"active": 1, "inactive": 0, "pending": 0}


async def test_without_a_monitor_there_is_none_of_its_metrics(world: Make, otel: Telemetry) -> None:
    w = world()
    instrument(w.client, otel.tracers, otel.meters)
    await w.check()
    assert {FAMILIES[name].source for name in otel.metrics()} <= {"calls", "retry", "client"}


def test_a_further_retry_service_and_the_bound_of_instances(otel: Telemetry) -> None:
    w = World(instances=["sales", "b"])
    w.fake.create_instance("b")
    retry = EvolutionRetryService()
    end = instrument(
        w.client, otel.tracers, otel.meters, monitor=w.monitor, retry=retry, max_instances=1
    )
    retry.execute_with_retry_sync(lambda: 1, "mine")
    w.monitor.check_health_sync()
    assert otel.points("evolution.retry.operations")["success",].value == 4, "three are probes"
    assert otel.points("evolution.call.attempts")["mine",].count == 1
    assert otel.points("evolution.instance.connection")["other", "open"].value == 1
    end()
    w.monitor.close()


async def test_it_can_be_taken_back(world: Make, otel: Telemetry) -> None:
    w = world()
    end = instrument(w.client, otel.tracers, otel.meters)
    await w.send()
    end()
    end()
    await w.send()
    assert len(otel.spans) == 1
    assert otel.points("evolution.call.attempts")["message.send_text",].count == 1
    assert not otel.points("evolution.retry.operations")


async def test_by_default_it_uses_the_global_providers(
    world: Make, otel: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", otel.tracers)
    w = world()
    end = instrument(w.client)
    await w.send()
    end()
    assert len(otel.spans) == 1


def test_a_wrong_bound_is_named() -> None:
    w = World()
    with pytest.raises(ConfigurationError, match="at least 1") as low:
        instrument(w.client, max_instances=0)
    assert low.value.variable == "max_instances"
    w.monitor.close()


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    w = World()
    for module in [name for name in sys.modules if name.startswith("opentelemetry")]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigurationError, match=r"evolutionapi-sdk\[otel\]"):
        instrument(w.client)
    w.monitor.close()
