"""Exports to OpenTelemetry: metrics of client, monitor and retry service, and spans of calls."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, cast

from evolution_sdk._version import __version__
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.monitor.outbox import MonitoredOutbox
from evolution_sdk.monitor.service import EvolutionMonitorService
from evolution_sdk.retry import EvolutionRetryService

from .calls import feed
from .extras import load
from .families import FAMILIES, PUSHED, MetricFamily, MetricReading
from .readings import ExportedReceiver, Sources
from .spans import Spans

__all__ = ["instrument"]

_SCOPE = "evolution_sdk"
_EXTRA = "otel"


def instrument(
    client: Any,
    tracer_provider: Any = None,
    meter_provider: Any = None,
    *,
    monitor: EvolutionMonitorService | None = None,
    retry: EvolutionRetryService | None = None,
    receiver: ExportedReceiver | None = None,
    outbox: MonitoredOutbox | None = None,
    max_instances: int = 100,
) -> Callable[[], None]:
    """Make spans of a client's calls, and metrics of client and monitor.

    A span says which operation, instance, server and how many attempts, never a body, key or
    number. Names and units of the metrics are listed in ``docs/en/monitor-export.md``.

    Args:
        client: A sync or async client.
        tracer_provider: Provider of the tracer. Default: OpenTelemetry's global one.
        meter_provider: Provider of the meter. Default: OpenTelemetry's global one.
        monitor: A monitor whose health, samples and alerts are exported too.
        retry: A retry service that the client does not use itself.
        receiver: A ``WebhookReceiver`` whose counters are exported too.
        outbox: An ``Outbox`` or ``AsyncOutbox``, whose figures and work are exported too.
        max_instances: Most instances with attributes of their own; the rest is summed as
            ``other``. Spans always name theirs.

    Returns:
        A function that ends it.

    Raises:
        ConfigurationError: ``max_instances`` is below 1, or OpenTelemetry is not installed.
    """
    if max_instances < 1:
        raise ConfigurationError(
            f"max_instances must be at least 1, not {max_instances!r}.", variable="max_instances"
        )
    trace = load("opentelemetry.trace", _EXTRA, "instrument")
    metrics = load("opentelemetry.metrics", _EXTRA, "instrument")
    tracer = trace.get_tracer(_SCOPE, __version__, tracer_provider)
    meter = metrics.get_meter(_SCOPE, __version__, meter_provider)
    sources = Sources(client, monitor, retry, max_instances, receiver, outbox)
    # Instruments of an absent source would export nothing but their names.
    absent = {
        source
        for source, given in (
            ("monitor", monitor),
            ("receiver", receiver),
            ("outbox", outbox),
            ("outbox_work", outbox),
        )
        if given is None
    }
    instruments = _Instruments(meter, metrics.Observation, sources, absent)
    ends: list[Callable[[], object]] = [
        feed(client, sources.extra_retry, instruments.record),
        sources.feed_outbox(instruments.record),
        cast(
            "Callable[[], None]", client.observe(Spans(tracer, trace, client.config.base_url).fact)
        ),
        sources.close,
        instruments.close,
    ]

    def uninstrument() -> None:
        while ends:
            ends.pop(0)()

    return uninstrument


class _Instruments:
    def __init__(
        self, meter: Any, observation: Any, sources: Sources, absent: Collection[str]
    ) -> None:
        self._observation = observation
        self._sources = sources
        self._closed = False
        self._direct: dict[str, Callable[..., Any]] = {}
        for family in FAMILIES.values():
            if family.source in absent:
                continue
            if family.source in PUSHED:
                self._direct[family.otel] = _direct(meter, family)
            else:
                self._observable(meter, family)

    def record(self, readings: Iterable[MetricReading]) -> None:
        for family, value, labels in readings:
            self._direct[family](value, _attributes(FAMILIES[family], labels))

    def close(self) -> None:
        # OpenTelemetry cannot take an instrument back: it stays, and observes nothing.
        self._closed = True

    def _observable(self, meter: Any, family: MetricFamily) -> None:
        def observe(_options: object) -> list[Any]:
            if self._closed:
                return []
            return [
                self._observation(each.value, _attributes(family, each.labels))
                for each in self._sources.read(family.source)
                if each.family == family.otel
            ]

        counts = family.kind == "counter"
        make = meter.create_observable_counter if counts else meter.create_observable_gauge
        make(family.otel, callbacks=[observe], unit=family.unit, description=family.help)


def _direct(meter: Any, family: MetricFamily) -> Callable[..., Any]:
    if family.kind == "counter":
        made = meter.create_counter(family.otel, unit=family.unit, description=family.help)
        return cast("Callable[..., Any]", made.add)
    made = meter.create_histogram(
        family.otel,
        unit=family.unit,
        description=family.help,
        explicit_bucket_boundaries_advisory=family.buckets,
    )
    return cast("Callable[..., Any]", made.record)


def _attributes(family: MetricFamily, labels: tuple[str, ...]) -> dict[str, str]:
    return dict(zip(family.labels, labels, strict=True))
