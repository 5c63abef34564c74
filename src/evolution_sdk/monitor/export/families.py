"""Declares every exported metric once, for Prometheus and OpenTelemetry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias

__all__ = [
    "ATTEMPT_BUCKETS",
    "DURATION_BUCKETS",
    "FAMILIES",
    "PUSHED",
    "WAIT_BUCKETS",
    "Kind",
    "MetricFamily",
    "MetricReading",
    "Source",
]

Kind: TypeAlias = Literal["counter", "gauge", "histogram", "info", "states"]
Source: TypeAlias = Literal[
    "calls", "retry", "client", "monitor", "receiver", "outbox", "outbox_work"
]
PUSHED: Final[frozenset[Source]] = frozenset({"calls", "outbox_work"})
"""Sources that tell what happens as it happens; the others are read."""

_SUFFIX: Final = {"s": "_seconds", "By": "_bytes", "1": "_ratio"}
DURATION_BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
WAIT_BUCKETS: Final = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 86400.0)
ATTEMPT_BUCKETS: Final = (1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0)


@dataclass(frozen=True, slots=True)
class MetricFamily:
    """One metric.

    Attributes:
        otel: Its name in OpenTelemetry.
        kind: Its kind.
        unit: Its unit as OpenTelemetry writes it; seconds, bytes and ratios are base units.
        help: Its meaning.
        labels: Names of its labels.
        source: The source that must be exported for it to be there.
        buckets: Upper bounds of a histogram.
    """

    otel: str
    kind: Kind
    unit: str
    help: str
    labels: tuple[str, ...] = ()
    source: Source = "monitor"
    buckets: tuple[float, ...] = ()

    @property
    def prometheus(self) -> str:
        """Name in Prometheus, as it is queried (histograms without their suffixes)."""
        end = {"counter": "_total", "info": "_info"}.get(self.kind, "")
        return self.otel.replace(".", "_") + _SUFFIX.get(self.unit, "") + end

    @property
    def prometheus_unit(self) -> str:
        """Unit as OpenMetrics writes it; empty for counted things."""
        return _SUFFIX.get(self.unit, "").removeprefix("_")


class MetricReading(NamedTuple):
    """One number of a metric.

    Attributes:
        family: The metric's name in OpenTelemetry.
        value: The number, in the unit of the metric.
        labels: Values of its labels, in order.
    """

    family: str
    value: float
    labels: tuple[str, ...] = ()


_ALL: Final = (
    MetricFamily(
        "evolution.call.duration",
        "histogram",
        "s",
        "Time of a call from beginning to end, retries and waits included; "
        "with result=success it is the time to success.",
        ("operation", "result"),
        "calls",
        DURATION_BUCKETS,
    ),
    MetricFamily(
        "evolution.call.attempts",
        "histogram",
        "{attempt}",
        "Attempts of a finished call.",
        ("operation",),
        "calls",
        ATTEMPT_BUCKETS,
    ),
    MetricFamily(
        "evolution.request.duration",
        "histogram",
        "s",
        "Time of one request until its answer or failure, without waits.",
        ("effect",),
        "calls",
        DURATION_BUCKETS,
    ),
    MetricFamily(
        "evolution.request.errors",
        "counter",
        "{error}",
        "Requests that failed, by the class of the error.",
        ("operation", "error"),
        "calls",
    ),
    MetricFamily(
        "evolution.retry.operations",
        "counter",
        "{operation}",
        "Operations that the retry service has finished, probes of the monitor among them, "
        "by how they ended.",
        ("result",),
        "retry",
    ),
    MetricFamily(
        "evolution.retry.retries",
        "counter",
        "{retry}",
        "Attempts after the first of an operation.",
        (),
        "retry",
    ),
    MetricFamily(
        "evolution.retry.wait",
        "counter",
        "s",
        "Time spent waiting between attempts.",
        (),
        "retry",
    ),
    MetricFamily(
        "evolution.retry.retried_operations",
        "counter",
        "{operation}",
        "Operations of several attempts, by how they ended.",
        ("result",),
        "retry",
    ),
    MetricFamily(
        "evolution.retry.refusals",
        "counter",
        "{operation}",
        "Operations that gave up because the budget was used up or the circuit was open.",
        ("reason",),
        "retry",
    ),
    MetricFamily(
        "evolution.retry.unknown_outcomes",
        "counter",
        "{attempt}",
        "Attempts to send that ended without telling whether they had acted.",
        (),
        "retry",
    ),
    MetricFamily(
        "evolution.retry.resolved_outcomes",
        "counter",
        "{attempt}",
        "What looking for such a message came to; unresolved when it could not be looked for.",
        ("result",),
        "retry",
    ),
    MetricFamily(
        "evolution.retry.handler_errors",
        "counter",
        "{error}",
        "Event handlers of the retry service that raised.",
        (),
        "retry",
    ),
    MetricFamily(
        "evolution.retry.budget.level",
        "gauge",
        "1",
        "What is left of the retry budget: 1 is full, 0 is used up.",
        (),
        "retry",
    ),
    MetricFamily(
        "evolution.calls.in_flight",
        "gauge",
        "{call}",
        "Calls under way, those that wait for their next attempt included.",
        (),
        "retry",
    ),
    MetricFamily(
        "evolution.circuit_breakers",
        "gauge",
        "{breaker}",
        "Circuit breakers in a state: 1 or 0, or how many for scope=other.",
        ("scope", "state"),
        "client",
    ),
    MetricFamily(
        "evolution.health.status",
        "states",
        "",
        "The state of health in force.",
        ("status",),
    ),
    MetricFamily(
        "evolution.instance.status",
        "gauge",
        "{instance}",
        "Health of an instance: 1 for the state in force, or how many for instance=other.",
        ("instance", "status"),
    ),
    MetricFamily(
        "evolution.instance.connection",
        "gauge",
        "{instance}",
        "Connection of an instance: 1 for its state, or how many for instance=other.",
        ("instance", "state"),
    ),
    MetricFamily(
        "evolution.server.up", "gauge", "{server}", "Whether the server answered: 1 or 0."
    ),
    MetricFamily(
        "evolution.server",
        "info",
        "",
        "The server's version; several where servers under one address differ.",
        ("version",),
    ),
    MetricFamily(
        "evolution.server.license",
        "states",
        "",
        "State of the server's licence, where it needs one and tells it (2.4).",
        ("state",),
    ),
    MetricFamily(
        "evolution.monitor.last_check_timestamp",
        "gauge",
        "s",
        "When the last check was made, in unix time.",
    ),
    MetricFamily(
        "evolution.response_time",
        "gauge",
        "s",
        "Mean time of probes and reading calls in the window.",
    ),
    MetricFamily("evolution.response_time.p50", "gauge", "s", "Its median."),
    MetricFamily("evolution.response_time.p95", "gauge", "s", "Its 95th percentile."),
    MetricFamily("evolution.probe.time", "gauge", "s", "Time of the last check's first answer."),
    MetricFamily("evolution.send.time", "gauge", "s", "Mean time of sends in the window."),
    MetricFamily(
        "evolution.request.error",
        "gauge",
        "1",
        "Share of requests in the window that failed; errors of the caller do not count.",
    ),
    MetricFamily(
        "evolution.messages.per_second",
        "gauge",
        "{message}/s",
        "Messages sent and received per second in the window.",
    ),
    MetricFamily(
        "evolution.active_connections", "gauge", "{instance}", "Watched instances that are open."
    ),
    MetricFamily(
        "evolution.retry.success",
        "gauge",
        "1",
        "Share of retried calls that lately succeeded in the end.",
    ),
    MetricFamily(
        "evolution.sends.unacknowledged",
        "gauge",
        "1",
        "Share of sends that the server did not acknowledge in time, of the worst instance.",
    ),
    MetricFamily(
        "evolution.sends.refused",
        "gauge",
        "{message}",
        "Messages that WhatsApp refused lately, after the server had accepted them.",
        ("instance",),
    ),
    MetricFamily("evolution.events.age", "gauge", "s", "Age of the newest event of the server."),
    MetricFamily("evolution.process.memory", "gauge", "By", "Resident memory of this process."),
    MetricFamily(
        "evolution.process.cpu", "gauge", "1", "CPU use of this process: 1 is a full core."
    ),
    MetricFamily(
        "evolution.event_loop.lag", "gauge", "s", "How late the event loop woke the monitor."
    ),
    MetricFamily(
        "evolution.alerts.active",
        "gauge",
        "{alert}",
        "Alerts that are not over, by severity.",
        ("severity",),
    ),
    MetricFamily(
        "evolution.webhook.requests",
        "counter",
        "{request}",
        "Requests to the webhook receiver: accepted, duplicate, ignored, or why refused.",
        ("result",),
        "receiver",
    ),
    MetricFamily(
        "evolution.webhook.events",
        "counter",
        "{event}",
        "What became of accepted events: handled, dead_letter; retried and recovered beside.",
        ("outcome",),
        "receiver",
    ),
    MetricFamily(
        "evolution.webhook.handling",
        "counter",
        "s",
        "Time of all handlers together.",
        (),
        "receiver",
    ),
    MetricFamily(
        "evolution.webhook.queue.depth",
        "gauge",
        "{event}",
        "Events that wait for their handlers.",
        (),
        "receiver",
    ),
    MetricFamily(
        "evolution.webhook.queue.in_flight",
        "gauge",
        "{event}",
        "Events being handled.",
        (),
        "receiver",
    ),
    MetricFamily(
        "evolution.webhook.queue.size",
        "gauge",
        "By",
        "Size of all of these.",
        (),
        "receiver",
    ),
    MetricFamily(
        "evolution.webhook.queue.oldest_age",
        "gauge",
        "s",
        "How long the oldest of these has been here.",
        (),
        "receiver",
    ),
    MetricFamily(
        "evolution.webhook.dead_letters",
        "gauge",
        "{event}",
        "Dead letters in the inbox.",
        (),
        "receiver",
    ),
    MetricFamily(
        "evolution.outbox.store.up",
        "gauge",
        "{store}",
        "Whether the outbox's store could be read: 1 or 0.",
        (),
        "outbox",
    ),
    MetricFamily(
        "evolution.outbox.messages",
        "gauge",
        "{message}",
        "Messages in the store, whoever sends them; queued and sending are its depth, unknown "
        "ones wait for a person.",
        ("instance", "state"),
        "outbox",
    ),
    MetricFamily(
        "evolution.outbox.oldest_age",
        "gauge",
        "s",
        "Age of the oldest message that waits and is due.",
        ("instance",),
        "outbox",
    ),
    MetricFamily(
        "evolution.outbox.paused",
        "gauge",
        "{pause}",
        "Pauses in force, by cause: trouble, limit or person; instance=* for the whole server.",
        ("instance", "cause"),
        "outbox",
    ),
    MetricFamily(
        "evolution.outbox.sending_delay",
        "histogram",
        "s",
        "Time from hand-over, or not_before, until a message was known to be sent, of those that "
        "this process sent.",
        ("instance",),
        "outbox_work",
        WAIT_BUCKETS,
    ),
    MetricFamily(
        "evolution.outbox.sends",
        "counter",
        "{send}",
        "Calls that workers of this process made: sent, failed for good, postponed, or lost "
        "without an answer.",
        ("instance", "result"),
        "outbox_work",
    ),
    MetricFamily(
        "evolution.outbox.resends",
        "counter",
        "{send}",
        "Those of them that were not the first for their message.",
        ("instance",),
        "outbox_work",
    ),
    MetricFamily(
        "evolution.outbox.looks",
        "counter",
        "{look}",
        "Looks for messages whose answer was lost: found, absent, still open, or unknown for good.",
        ("instance", "result"),
        "outbox_work",
    ),
)

FAMILIES: Final[Mapping[str, MetricFamily]] = MappingProxyType({each.otel: each for each in _ALL})
"""Every exported metric, by its name in OpenTelemetry."""
