"""Exports to Prometheus: a collector, read when it is scraped; no global state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Any

from evolution_sdk._base.forking import in_child
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.monitor.outbox import MonitoredOutbox
from evolution_sdk.monitor.service import EvolutionMonitorService
from evolution_sdk.retry import EvolutionRetryService

from .calls import CallTotals, feed
from .extras import load
from .families import FAMILIES, PUSHED, MetricFamily, MetricReading
from .readings import ExportedReceiver, Sources

__all__ = ["PrometheusCollector", "serve_prometheus"]

_EXTRA = "prometheus"


class PrometheusCollector:
    """Collects the metrics of a client, a monitor and a retry service for Prometheus.

    Register it with a registry of ``prometheus_client``: ``registry.register(collector)``. It
    counts calls from its making until :meth:`close`. Which metrics there are is listed in
    ``docs/en/monitor-export.md``.

    Args:
        client: A sync or async client: its calls, retries and circuit breakers.
        monitor: A monitor: health, instances, samples and alerts.
        retry: A retry service that the client does not use itself.
        receiver: A ``WebhookReceiver``: its requests, events and queue.
        outbox: An ``Outbox`` or ``AsyncOutbox``: what its store holds, and what its workers in this
            process do.
        max_instances: Most instances with labels of their own; the rest is summed as ``other``.

    Raises:
        ConfigurationError: There is nothing to export, ``max_instances`` is below 1, or
            ``prometheus-client`` is not installed.
    """

    def __init__(
        self,
        client: Any = None,
        *,
        monitor: EvolutionMonitorService | None = None,
        retry: EvolutionRetryService | None = None,
        receiver: ExportedReceiver | None = None,
        outbox: MonitoredOutbox | None = None,
        max_instances: int = 100,
    ) -> None:
        if all(each is None for each in (client, monitor, retry, receiver, outbox)):
            raise ConfigurationError(
                "Give the collector a client, a monitor, a retry service, a receiver or an outbox.",
                variable="client",
            )
        if max_instances < 1:
            raise ConfigurationError(
                f"max_instances must be at least 1, not {max_instances!r}.",
                variable="max_instances",
            )
        self._core = load("prometheus_client.core", _EXTRA, "PrometheusCollector")
        self._sources = Sources(client, monitor, retry, max_instances, receiver, outbox)
        self._book = CallTotals()
        self._present = {
            "calls": client is not None or retry is not None,
            "retry": client is not None or retry is not None,
            "client": client is not None,
            "monitor": monitor is not None,
            "receiver": receiver is not None,
            "outbox": outbox is not None,
            "outbox_work": outbox is not None,
        }
        self._end = feed(client, self._sources.extra_retry, self._book.add)
        self._end_outbox = self._sources.feed_outbox(self._book.add)

    def describe(self) -> Iterator[Any]:
        """Describe the metrics without numbers, so that a registry finds duplicates.

        Yields:
            Families of ``prometheus_client``.
        """
        for family in self._families():
            yield self._empty(family)

    def collect(self) -> Iterator[Any]:
        """Collect all numbers as they are now; for the registry.

        Yields:
            Families of ``prometheus_client``.
        """
        readings: dict[str, list[MetricReading]] = {}
        for source in ("retry", "client", "monitor", "receiver", "outbox"):
            if self._present[source]:
                for reading in self._sources.read(source):
                    readings.setdefault(reading.family, []).append(reading)
        for family in self._families():
            made = self._empty(family)
            if family.source in PUSHED:
                self._add_pushed(made, family)
            else:
                _add(made, family, readings.get(family.otel, []))
            yield made

    def close(self) -> None:
        """Stop listening to client, monitor, retry service and outbox; the counts stay."""
        self._end()
        self._end_outbox()
        self._sources.close()

    def _families(self) -> list[MetricFamily]:
        return [family for family in FAMILIES.values() if self._present[family.source]]

    def _empty(self, family: MetricFamily) -> Any:
        name = family.prometheus.removesuffix("_total").removesuffix("_info")
        if family.kind == "info":
            return self._core.InfoMetricFamily(name, family.help)
        if family.kind == "states":
            return self._core.StateSetMetricFamily(name, family.help)
        kinds = {
            "counter": self._core.CounterMetricFamily,
            "gauge": self._core.GaugeMetricFamily,
            "histogram": self._core.HistogramMetricFamily,
        }
        return kinds[family.kind](
            name, family.help, labels=family.labels, unit=family.prometheus_unit
        )

    def _add_pushed(self, made: Any, family: MetricFamily) -> None:
        for labels, row in self._book.rows(family.otel):
            if family.kind == "counter":
                made.add_metric(labels, row.sum)
                continue
            bounds = [*map(str, family.buckets), "+Inf"]
            counts = accumulate(row.counts)
            made.add_metric(labels, list(zip(bounds, counts, strict=True)), sum_value=row.sum)


def _add(made: Any, family: MetricFamily, readings: list[MetricReading]) -> None:
    if family.kind == "states":
        made.add_metric([], {each.labels[0]: bool(each.value) for each in readings})
        return
    for reading in readings:
        if family.kind == "info":
            made.add_metric([], dict(zip(family.labels, reading.labels, strict=True)))
        else:
            made.add_metric(reading.labels, reading.value)


def serve_prometheus(
    port: int = 9464,
    client: Any = None,
    *,
    monitor: EvolutionMonitorService | None = None,
    retry: EvolutionRetryService | None = None,
    outbox: MonitoredOutbox | None = None,
    max_instances: int = 100,
    host: str = "127.0.0.1",
    registry: Any = None,
) -> Callable[[], None]:
    """Serve ``/metrics`` from a daemon thread.

    Args:
        port: The port to listen on.
        client: See :class:`PrometheusCollector`, as for the next four.
        monitor: A monitor.
        retry: A retry service that the client does not use itself.
        outbox: An outbox.
        max_instances: Most instances with labels of their own.
        host: The address to listen on; ``0.0.0.0`` for all.
        registry: A registry of yours that is served with ours in it. Default: a new one.

    Returns:
        A function that ends it.

    Raises:
        ConfigurationError: As for :class:`PrometheusCollector`.
        OSError: The port is taken.
    """
    library = load("prometheus_client", _EXTRA, "serve_prometheus")
    collector = PrometheusCollector(
        client, monitor=monitor, retry=retry, outbox=outbox, max_instances=max_instances
    )
    chosen = library.CollectorRegistry() if registry is None else registry
    try:
        chosen.register(collector)
        server, thread = library.start_http_server(port, addr=host, registry=chosen)
    except BaseException:
        collector.close()
        raise

    served = _Served(server, thread, lambda: chosen.unregister(collector), collector.close)
    # Kept alive for as long as the server, also when nobody keeps the function that ends it.
    server.held_by = served
    return served.end


class _Served:
    """Holds a server in its thread; its copy in a forked process is let go."""

    def __init__(self, server: Any, thread: Any, *afterwards: Callable[[], object]) -> None:
        self._server = server
        self._thread = thread
        self._afterwards = afterwards
        in_child(self._begin_anew)

    def end(self) -> None:
        """End the server; in a forked process there is nothing to wait for."""
        if self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
        for step in self._afterwards:
            step()

    def _begin_anew(self) -> None:
        # The port would stay taken after the parent's end, and nobody would answer there.
        self._thread = None
        self._server.socket.close()
