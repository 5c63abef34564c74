"""Metrics of an outbox: a real one on both stores, and what a stub makes of bounds and troubles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from export_kit import checked, named, scrape, value
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from outbox_stub import LIMIT, PERSON, TROUBLE, StubOutbox

from databases import KINDS, fresh_place
from evolution_sdk import EvolutionClient
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.monitor.export import PrometheusCollector, instrument
from evolution_sdk.outbox import Outbox
from evolution_sdk.testing import FakeEvolution

KEY = "test-api-key"
NUMBERS = ("5511987654321", "5511987654322")
TEXT = "a text nobody else may read"


class Sender:
    """A fake server, a client of it, and an outbox."""

    def __init__(self, place: str) -> None:
        self.fake = FakeEvolution(api_key=KEY, version="2.3.7")
        self.fake.create_instance("sales")
        self.client = EvolutionClient(
            "http://fake", KEY, instance="sales", http_client=self.fake.http_client()
        )
        self.outbox = Outbox(place, client=self.client)
        self.outbox.migrate()

    def send(self, number: str, key: str) -> None:
        message = self.outbox.messages.send_text(number, TEXT, key=key)
        self.outbox.deliver(message.id)


@pytest.fixture(params=KINDS)
def sender(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sender]:
    with fresh_place(request.param, tmp_path) as place:
        made = Sender(place)
        yield made
        made.outbox.close()
        made.client.close()


def test_prometheus_tells_store_and_work(sender: Sender) -> None:
    collector = PrometheusCollector(outbox=sender.outbox)
    sender.send(NUMBERS[0], "a")
    sender.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    sender.send(NUMBERS[1], "b")
    sender.outbox.messages.send_text(NUMBERS[0], TEXT, key="waits")
    sender.outbox.pause("sales")
    series = checked(collector)
    messages = named(series, "evolution_outbox_messages")
    assert messages["sales", "queued"] == 1
    assert messages["sales", "sending"] == 1
    assert messages["sales", "sent"] == 1
    assert messages["sales", "unknown"] == 0
    assert value(series, "evolution_outbox_store_up") == 1
    assert value(series, "evolution_outbox_oldest_age_seconds", instance="sales") >= 0
    assert value(series, "evolution_outbox_paused", instance="sales", cause="person") == 1
    assert value(series, "evolution_outbox_paused", instance="sales", cause="trouble") == 0
    sends = named(series, "evolution_outbox_sends_total")
    assert sends == {("sales", "sent"): 1, ("sales", "lost"): 1}
    delay = "evolution_outbox_sending_delay_seconds"
    assert value(series, f"{delay}_count", instance="sales") == 1
    assert value(series, f"{delay}_bucket", instance="sales", le="60.0") == 1
    page = "".join(scrape(collector))
    assert TEXT not in page
    assert not any(number in page for number in NUMBERS)
    collector.close()
    sender.outbox.resume("sales")
    sender.outbox.deliver(3)
    assert named(checked(collector), "evolution_outbox_sends_total") == sends


def test_opentelemetry_tells_the_same(sender: Sender) -> None:
    reader = InMemoryMetricReader()
    end = instrument(sender.client, None, MeterProvider([reader]), outbox=sender.outbox)
    sender.send(NUMBERS[0], "a")

    def points(name: str) -> dict[tuple[Any, ...], Any]:
        data = reader.get_metrics_data()
        assert data is not None
        found = {
            metric.name: metric.data.data_points
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }
        return {tuple((row.attributes or {}).values()): row for row in found.get(name, ())}

    assert points("evolution.outbox.messages")["sales", "sent"].value == 1
    assert points("evolution.outbox.sends")["sales", "sent"].value == 1
    delay = points("evolution.outbox.sending_delay")["sales",]
    assert (delay.count, delay.explicit_bounds[0]) == (1, 0.1)
    assert points("evolution.outbox.store.up")[()].value == 1
    end()
    sender.send(NUMBERS[0], "b")
    assert points("evolution.outbox.sends")["sales", "sent"].value == 1


def test_opentelemetry_without_an_outbox_has_no_instruments_of_it(sender: Sender) -> None:
    reader = InMemoryMetricReader()
    end = instrument(sender.client, None, MeterProvider([reader]))
    sender.send(NUMBERS[0], "a")
    assert "evolution.outbox" not in str(reader.get_metrics_data())
    end()


def test_looks_and_resends_are_counted() -> None:
    outbox = StubOutbox()
    collector = PrometheusCollector(outbox=outbox)
    outbox.tell(result="lost", waited_ms=None)
    outbox.tell(kind="look", result="open", waited_ms=None)
    outbox.tell(kind="look", result="absent", waited_ms=None)
    outbox.tell(attempts=2)
    outbox.tell(result="held", attempts=3, waited_ms=None)
    series = checked(collector)
    assert named(series, "evolution_outbox_looks_total") == {
        ("sales", "open"): 1,
        ("sales", "absent"): 1,
    }
    assert value(series, "evolution_outbox_resends_total", instance="sales") == 1
    assert named(series, "evolution_outbox_sends_total") == {
        ("sales", "lost"): 1,
        ("sales", "sent"): 1,
    }


def test_a_store_that_cannot_be_read_is_down() -> None:
    outbox = StubOutbox()
    outbox.broken = True
    series = checked(PrometheusCollector(outbox=outbox))
    assert value(series, "evolution_outbox_store_up") == 0
    assert named(series, "evolution_outbox_messages") == {}


def test_instances_are_bounded_and_the_rest_is_summed() -> None:
    outbox = StubOutbox()
    for number in range(5):
        outbox.counts[f"i{number}", "queued"] = 2
        outbox.oldest_ms[f"i{number}"] = number * 1_000
        outbox.pause(f"i{number}", TROUBLE)
        outbox.tell(instance=f"i{number}")
    outbox.pause(None, LIMIT)
    series = checked(PrometheusCollector(outbox=outbox, max_instances=2))
    messages = named(series, "evolution_outbox_messages")
    assert messages["other", "queued"] == 6
    assert value(series, "evolution_outbox_oldest_age_seconds", instance="other") == 4
    assert value(series, "evolution_outbox_paused", instance="other", cause="trouble") == 3
    assert value(series, "evolution_outbox_paused", instance="*", cause="limit") == 1


async def test_on_an_event_loop_a_scrape_does_not_wait() -> None:
    import threading

    outbox = StubOutbox()
    outbox.gate = threading.Event()
    collector = PrometheusCollector(outbox=outbox)
    try:
        assert value(checked(collector), "evolution_outbox_store_up") == 0
    finally:
        outbox.gate.set()


def test_an_outbox_alone_is_enough_and_nothing_is_not() -> None:
    outbox = StubOutbox()
    outbox.pause("sales", PERSON)
    assert checked(PrometheusCollector(outbox=outbox))
    with pytest.raises(ConfigurationError, match="or an outbox"):
        PrometheusCollector()
