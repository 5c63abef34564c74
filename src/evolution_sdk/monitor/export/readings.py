"""Reads client, retry services and monitor as plain numbers, for every exporter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Protocol

from evolution_sdk._base.forking import free_in_child, in_child
from evolution_sdk._base.serial_worker import on_event_loop
from evolution_sdk.monitor.clients import breaker_states
from evolution_sdk.monitor.events import MetricsUpdated
from evolution_sdk.monitor.outbox import MonitoredOutbox, OutboxReader
from evolution_sdk.monitor.sample import STATUSES, Sample
from evolution_sdk.monitor.service import EvolutionMonitorService
from evolution_sdk.retry import EvolutionRetryService, RetryMetrics

from .calls import LabelLimiter
from .families import MetricReading, Source

if TYPE_CHECKING:
    from evolution_sdk.outbox import OutboxFact, OutboxStats

__all__ = ["SAMPLE_FAMILIES", "ExportedReceiver", "Sources"]

_BREAKER_STATES: Final = ("closed", "open", "half_open")
_CONNECTIONS: Final = ("open", "connecting", "close")
_LICENSES: Final = ("active", "inactive", "pending")
_SEVERITIES: Final = ("info", "warning", "critical")
_LATELY_MINUTES: Final = 5
_CAUSES: Final = ("trouble", "limit", "person")
# Always told, so that their absence is a number: what alerts are made of.
_OPEN_STATES: Final = ("queued", "sending", "unknown")
_OUTBOX_MS: Final = 2_000.0

# Field of RetryMetrics → metric, labels, factor to the unit of the metric.
_RETRY: Final[Mapping[str, tuple[str, tuple[str, ...], float]]] = {
    "successful_operations": ("evolution.retry.operations", ("success",), 1),
    "failed_operations": ("evolution.retry.operations", ("failure",), 1),
    "cancelled_operations": ("evolution.retry.operations", ("cancelled",), 1),
    "retries": ("evolution.retry.retries", (), 1),
    "total_wait_ms": ("evolution.retry.wait", (), 0.001),
    "successes_after_retry": ("evolution.retry.retried_operations", ("success",), 1),
    "failures_after_retry": ("evolution.retry.retried_operations", ("failure",), 1),
    "budget_refusals": ("evolution.retry.refusals", ("budget",), 1),
    "circuit_refusals": ("evolution.retry.refusals", ("circuit",), 1),
    "unknown_outcomes": ("evolution.retry.unknown_outcomes", (), 1),
    "resolved_found": ("evolution.retry.resolved_outcomes", ("found",), 1),
    "resolved_absent": ("evolution.retry.resolved_outcomes", ("absent",), 1),
    "unresolved_outcomes": ("evolution.retry.resolved_outcomes", ("unresolved",), 1),
    "handler_errors": ("evolution.retry.handler_errors", (), 1),
}

# Field of Sample → metric, factor to the unit of the metric.
SAMPLE_FAMILIES: Final[Mapping[str, tuple[str, float]]] = {
    "reachable": ("evolution.server.up", 1),
    "response_time_ms": ("evolution.response_time", 0.001),
    "p50_response_time_ms": ("evolution.response_time.p50", 0.001),
    "p95_response_time_ms": ("evolution.response_time.p95", 0.001),
    "probe_ms": ("evolution.probe.time", 0.001),
    "send_time_ms": ("evolution.send.time", 0.001),
    "error_rate": ("evolution.request.error", 1),
    "messages_per_second": ("evolution.messages.per_second", 1),
    "active_connections": ("evolution.active_connections", 1),
    "retry_success_rate": ("evolution.retry.success", 1),
    "unacked_share": ("evolution.sends.unacknowledged", 1),
    "event_age_s": ("evolution.events.age", 1),
    "memory_bytes": ("evolution.process.memory", 1),
    "cpu_percent": ("evolution.process.cpu", 0.01),
    "loop_lag_ms": ("evolution.event_loop.lag", 0.001),
    "at": ("evolution.monitor.last_check_timestamp", 1),
}


class _MonotonicCounters:
    """Keeps the counters of one retry service from falling, although it may be reset."""

    def __init__(self) -> None:
        self._before: dict[str, float] = {}
        self._last: dict[str, float] = {}

    def take(self, metrics: RetryMetrics) -> dict[str, float]:
        now: dict[str, float] = {name: getattr(metrics, name) for name in _RETRY}
        if any(value < self._last.get(name, 0) for name, value in now.items()):
            # It was reset: its counts so far are kept.
            for name, value in self._last.items():
                self._before[name] = self._before.get(name, 0) + value
        self._last = now
        return {name: value + self._before.get(name, 0) for name, value in now.items()}


class ExportedReceiver(Protocol):
    """A webhook receiver that can be exported."""

    def metrics(self) -> Any:
        """Return the numbers of ``ReceiverMetrics``."""
        ...


class Sources:
    """Reads all exported sources.

    Args:
        client: A sync or async client, or None.
        monitor: A monitor, or None.
        retry: A retry service beside the client's, or None.
        max_instances: Most instances with labels of their own; the rest is summed as ``other``.
        receiver: A webhook receiver, or None.
        outbox: An outbox, or None.
    """

    def __init__(
        self,
        client: Any,
        monitor: EvolutionMonitorService | None,
        retry: EvolutionRetryService | None,
        max_instances: int,
        receiver: ExportedReceiver | None = None,
        outbox: MonitoredOutbox | None = None,
    ) -> None:
        self._outbox = outbox
        self._reader = None if outbox is None else OutboxReader(outbox)
        self._receiver = receiver
        self._client = client
        self._monitor = monitor
        own: EvolutionRetryService | None = None if client is None else client.retry
        # The client's own must not count twice.
        self.extra_retry: EvolutionRetryService | None = None if retry is own else retry
        services = [service for service in (own, self.extra_retry) if service is not None]
        self._services = [(service, _MonotonicCounters()) for service in services]
        in_child(self._begin_anew)
        self._instances = LabelLimiter(max_instances)
        self._scopes = LabelLimiter(max_instances + 1, ("server",))
        self._lock = free_in_child(Lock())
        self._sample: Sample | None = None
        if monitor is not None:
            monitor.on("metricsUpdated", self._checked)
            # A monitor that runs already has a sample to start with.
            self._sample = next(reversed(monitor.get_history(_LATELY_MINUTES)), self._sample)

    def _begin_anew(self) -> None:
        self._services = [(service, _MonotonicCounters()) for service, _ in self._services]
        self._sample = None

    def close(self) -> None:
        """Stop listening to the monitor."""
        if self._monitor is not None:
            self._monitor.remove_listener("metricsUpdated", self._checked)

    def _checked(self, event: MetricsUpdated) -> None:
        self._sample = event.sample

    def read(self, source: Source) -> list[MetricReading]:
        """Read one source as it is now; empty when it is not exported."""
        if source == "retry":
            return list(self._read_retry())
        if source == "client":
            return self._read_breakers()
        if source == "receiver":
            return [] if self._receiver is None else list(_of_receiver(self._receiver.metrics()))
        if source == "outbox":
            return [] if self._reader is None else self._read_outbox(self._reader)
        return [] if self._monitor is None else list(self._read_monitor(self._monitor))

    def feed_outbox(
        self, take: Callable[[Iterable[MetricReading]], object]
    ) -> Callable[[], object]:
        """Listen to the outbox's workers of this process until the returned function is called.

        Args:
            take: Called with the readings of each send and look.

        Returns:
            A function that ends it.
        """
        if self._outbox is None:
            return lambda: None

        def told(fact: OutboxFact) -> None:
            take(_of_outbox_fact(fact, self._instances(fact.instance)))

        return self._outbox.observe(told)

    def _read_outbox(self, reader: OutboxReader) -> list[MetricReading]:
        stats = reader.read(0 if on_event_loop() else _OUTBOX_MS)
        up = MetricReading("evolution.outbox.store.up", stats is not None)
        return [up] if stats is None else [up, *self._of_outbox(stats)]

    def _of_outbox(self, stats: OutboxStats) -> Iterator[MetricReading]:
        messages: Counter[tuple[str, ...]] = Counter()
        oldest: dict[str, float] = {}
        pauses: Counter[tuple[str, ...]] = Counter()
        for name in dict.fromkeys(name for name, _ in stats.counts):
            label = self._instances(name)
            for state in _OPEN_STATES:
                messages[label, state] += 0
            for cause in _CAUSES:
                pauses[label, cause] += 0
            age_s = stats.oldest_ms.get(name, 0) / 1_000
            oldest[label] = max(age_s, oldest.get(label, 0))
        for (name, state), many in stats.counts.items():
            messages[self._instances(name), state] += many
        for pause in stats.pauses:
            label = "*" if pause.instance is None else self._instances(pause.instance)
            pauses[label, pause.cause] += 1
        yield from _readings("evolution.outbox.messages", messages)
        yield from _readings("evolution.outbox.paused", pauses)
        for label, age_s in oldest.items():
            yield MetricReading("evolution.outbox.oldest_age", age_s, (label,))

    def _read_retry(self) -> Iterator[MetricReading]:
        if not self._services:
            return
        # Several services are one set of series: their numbers add up.
        totals = dict.fromkeys(_RETRY, 0.0)
        with self._lock:
            for service, growing in self._services:
                for name, value in growing.take(service.get_metrics()).items():
                    totals[name] += value
        for name, (family, labels, factor) in _RETRY.items():
            yield MetricReading(family, totals[name] * factor, labels)
        active = sum(service.get_active_requests() for service, _ in self._services)
        yield MetricReading("evolution.calls.in_flight", active)
        levels = [s.budget.level for s, _ in self._services if s.budget is not None]
        if levels:
            yield MetricReading("evolution.retry.budget.level", min(levels))

    def _read_breakers(self) -> list[MetricReading]:
        rows: Counter[tuple[str, ...]] = Counter()
        for scope, state in breaker_states(self._client).items():
            for each in _BREAKER_STATES:
                rows[self._scopes(scope), each] += each == state
        return _readings("evolution.circuit_breakers", rows)

    def _read_monitor(self, monitor: EvolutionMonitorService) -> Iterator[MetricReading]:
        report = monitor.get_health_status()
        for status in STATUSES:
            yield MetricReading("evolution.health.status", status == report.status, (status,))
        others = report.details.get("other_server_versions", ())
        for version in (report.details.get("server_version"), *others):
            if version is not None:
                yield MetricReading("evolution.server", 1, (version,))
        license_state = report.details.get("license")
        if license_state is not None:
            for state in dict.fromkeys((*_LICENSES, license_state)):
                yield MetricReading("evolution.server.license", state == license_state, (state,))
        statuses: Counter[tuple[str, ...]] = Counter()
        states: Counter[tuple[str, ...]] = Counter()
        refused: Counter[tuple[str, ...]] = Counter()
        for name, health in report.instances.items():
            label = self._instances(name)
            for status in STATUSES:
                statuses[label, status] += status == health.status
            refused[label,] += health.refusals
            state = _connection(health.state, dead=health.socket_dead)
            for each in (*_CONNECTIONS, "dead", "unknown"):
                states[label, each] += each == state
        yield from _readings("evolution.instance.status", statuses)
        yield from _readings("evolution.instance.connection", states)
        yield from _readings("evolution.sends.refused", refused)
        severities = Counter(alert.severity for alert in monitor.active_alerts)
        for severity in _SEVERITIES:
            yield MetricReading("evolution.alerts.active", severities[severity], (severity,))
        if self._sample is not None:
            yield from _of_sample(self._sample)


def _of_outbox_fact(fact: OutboxFact, label: str) -> Iterator[MetricReading]:
    """Turn what a worker has done into readings."""
    if fact.waited_ms is not None:
        yield MetricReading("evolution.outbox.sending_delay", fact.waited_ms / 1_000, (label,))
    if fact.kind == "look":
        yield MetricReading("evolution.outbox.looks", 1, (label, fact.result))
    elif fact.result != "held":
        yield MetricReading("evolution.outbox.sends", 1, (label, fact.result))
        if fact.attempts > 1:
            yield MetricReading("evolution.outbox.resends", 1, (label,))


def _of_receiver(now: Any) -> Iterator[MetricReading]:
    """Read the numbers of a webhook receiver."""
    requests = {
        "accepted": now.accepted,
        "duplicate": now.duplicates,
        "ignored": now.ignored,
        **now.rejected,
    }
    for result, count in requests.items():
        yield MetricReading("evolution.webhook.requests", count, (result,))
    events = {
        "handled": now.handled,
        "dead_letter": now.failed,
        "retried": now.retried,
        "recovered": now.recovered,
    }
    for outcome, count in events.items():
        yield MetricReading("evolution.webhook.events", count, (outcome,))
    yield MetricReading("evolution.webhook.handling", now.handling_ms / 1_000)
    yield MetricReading("evolution.webhook.queue.depth", now.queue_depth)
    yield MetricReading("evolution.webhook.queue.in_flight", now.in_flight)
    yield MetricReading("evolution.webhook.queue.size", now.queue_bytes)
    yield MetricReading("evolution.webhook.queue.oldest_age", now.oldest_age_ms / 1_000)
    yield MetricReading("evolution.webhook.dead_letters", now.dead)


def _of_sample(sample: Sample) -> Iterator[MetricReading]:
    for name, (family, factor) in SAMPLE_FAMILIES.items():
        value = sample.value(name)
        if value is not None:
            yield MetricReading(family, value * factor)


def _connection(state: str | None, *, dead: bool) -> str:
    if dead:
        return "dead"
    return state if state in _CONNECTIONS else "unknown"


def _readings(family: str, rows: Counter[tuple[str, ...]]) -> list[MetricReading]:
    return [MetricReading(family, value, labels) for labels, value in rows.items()]
