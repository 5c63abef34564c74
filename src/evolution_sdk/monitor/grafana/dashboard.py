"""The dashboard, as Grafana's JSON model (schema version 39, Grafana 10 and later)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from .queries import EXPORTED_INSTANCE, Queries

__all__ = ["dashboard"]

_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_WIDTH: Final = 24
_STATES: Final = (
    ("healthy", "green"),
    ("unknown", "text"),
    ("degraded", "orange"),
    ("unhealthy", "red"),
)
Kind = Literal["timeseries", "stat", "bargauge", "table", "state-timeline"]


@dataclass(frozen=True, slots=True)
class _Panel:
    title: str
    kind: Kind
    queries: Sequence[tuple[str, str]]
    unit: str = "short"
    width: int = 8
    height: int = 7
    description: str = ""
    steps: Sequence[tuple[float | None, str]] = ()
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    custom: dict[str, Any] = field(default_factory=dict[str, Any])
    mappings: Sequence[dict[str, Any]] = ()


def dashboard(instance_label: str = EXPORTED_INSTANCE) -> dict[str, Any]:
    """Make the dashboard.

    Args:
        instance_label: The label that holds WhatsApp's instance; see
            :class:`~evolution_sdk.monitor.grafana.queries.Queries`.

    Returns:
        What Grafana imports.
    """
    write = Queries(('job=~"$job"',), instance_label)
    panels: list[dict[str, Any]] = []
    y = 0
    for title, row in _rows(write):
        panels.append(_row(title, y, len(panels) + 1))
        y += 1
        x = tallest = 0
        for panel in row:
            if x + panel.width > _WIDTH:
                x, y = 0, y + tallest
                tallest = 0
            place = {"h": panel.height, "w": panel.width, "x": x, "y": y}
            panels.append(_panel(panel, place, len(panels) + 1))
            x, tallest = x + panel.width, max(tallest, panel.height)
        y += tallest
    return {
        "uid": "evolution-sdk",
        "title": "Evolution API",
        "description": "Made by evolution-sdk from its table of metrics: evolution grafana export.",
        "tags": ["evolution-api", "whatsapp"],
        "timezone": "browser",
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timepicker": {},
        "annotations": {"list": []},
        "links": [],
        "templating": {"list": _variables(write)},
        "panels": panels,
    }


def _variables(write: Queries) -> list[dict[str, Any]]:
    up = Queries().of("evolution.server.up")
    instances = Queries(('job=~"$job"',), write.instance).of("evolution.instance.status")
    return [
        {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"},
        _variable("job", "Job", f"label_values({up}, job)"),
        _variable("whatsapp", "Instance", f"label_values({instances}, {write.instance})"),
    ]


def _variable(name: str, label: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": query, "refId": name},
        "definition": query,
        "refresh": 2,
        "includeAll": True,
        "allValue": ".*",
        "multi": True,
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "sort": 1,
    }


def _rows(write: Queries) -> Iterator[tuple[str, list[_Panel]]]:
    yield "Health", _health(write)
    yield "Delivery", _delivery(write)
    yield "Response times and errors", _calls(write)
    yield "Retries and protection", _protection(write)
    yield "Outbox", _outbox(write)
    yield "Webhooks", _webhooks(write)
    yield "The monitoring process", _process(write)


def _health(write: Queries) -> list[_Panel]:
    status = {
        "type": "value",
        "options": {
            str(place): {"text": name, "color": colour, "index": place}
            for place, (name, colour) in enumerate(_STATES)
        },
    }
    whole = " or ".join(
        f"max({write.of('evolution.health.status', status=name)}) * {place} > {place} - 0.5"
        for place, (name, _) in enumerate(_STATES)
        if place
    )
    each = " + ".join(
        f"{place} * max by ({write.instance}) "
        f"({write.of('evolution.instance.status', instance='~$whatsapp', status=name)})"
        for place, (name, _) in enumerate(_STATES)
        if place
    )
    good = "max"
    return [
        _Panel(
            "Health", "stat", ((f"({whole}) or vector(0)", "health"),), width=4, height=6,
            mappings=(status,), options={"colorMode": "background", "graphMode": "none"},
            description="The state of health in force, by the monitor.",
        ),
        _Panel(
            "Server answers", "stat", ((f"min({write.of('evolution.server.up')})", "up"),),
            width=4, height=6, steps=((None, "red"), (1, "green")),
            options={"colorMode": "background", "graphMode": "none"},
        ),
        _Panel(
            "Open instances", "stat",
            ((f"sum({write.of('evolution.active_connections')})", "open"),), width=4, height=6,
        ),
        _Panel(
            "Active alerts", "stat",
            ((f"sum by (severity) ({write.of('evolution.alerts.active')})", "{{severity}}"),),
            width=6, height=6, steps=((None, "green"), (1, "orange")),
        ),
        _Panel(
            "Server version", "table",
            ((f"{good} by (version) ({write.of('evolution.server')})", "{{version}}"),),
            width=6, height=6,
        ),
        _Panel(
            "Instances", "state-timeline", ((each, f"{{{{{write.instance}}}}}"),), width=24,
            height=9, mappings=(status,), options={"mergeValues": True, "showValue": "never"},
            description="Health of each instance: open is not enough, its socket must work.",
        ),
    ]  # fmt: skip


def _delivery(write: Queries) -> list[_Panel]:
    connections = write.of("evolution.instance.connection", instance="~$whatsapp")
    return [
        _Panel(
            "Messages per second", "timeseries",
            ((f"sum({write.of('evolution.messages.per_second')})", "sent and received"),),
            unit="mps",
        ),
        _Panel(
            "Not acknowledged in time", "timeseries",
            ((f"max({write.of('evolution.sends.unacknowledged')})", "worst instance"),),
            unit="percentunit",
            description="Accepted by the server, and never seen by WhatsApp: 201, and no delivery.",
        ),
        _Panel(
            "Refused by WhatsApp", "timeseries",
            ((write.of("evolution.sends.refused", instance="~$whatsapp"),
              f"{{{{{write.instance}}}}}"),),
        ),
        _Panel(
            "Age of the newest event", "timeseries",
            ((f"min({write.of('evolution.events.age')})", "age"),), unit="s",
            description="Events that no longer come are the first sign of a dead connection.",
        ),
        _Panel(
            "Connections", "timeseries",
            ((f"sum by (state) ({connections})", "{{state}}"),),
        ),
    ]  # fmt: skip


def _calls(write: Queries) -> list[_Panel]:
    duration, errors = "evolution.call.duration", "evolution.request.errors"
    return [
        _Panel(
            "Response time of the server", "timeseries",
            ((f"max({write.of('evolution.response_time.p50')})", "median"),
             (f"max({write.of('evolution.response_time.p95')})", "95th percentile"),
             (f"max({write.of('evolution.probe.time')})", "first probe")), unit="s",
        ),
        _Panel(
            "Calls, retries and waits included", "timeseries",
            ((write.quantile(0.5, duration, result="success"), "median"),
             (write.quantile(0.95, duration, result="success"), "95th percentile"),
             (write.quantile(0.99, duration, result="success"), "99th percentile")), unit="s",
        ),
        _Panel(
            "Time of sends", "timeseries",
            ((f"max({write.of('evolution.send.time')})", "mean"),), unit="s",
            description="The server holds a send for its delay.",
        ),
        _Panel(
            "Failed requests", "timeseries",
            ((f"max({write.of('evolution.request.error')})", "share"),), unit="percentunit",
        ),
        _Panel(
            "Errors by class", "timeseries",
            ((f"sum by (error) ({write.rate(errors)})", "{{error}}"),), unit="cps",
        ),
        _Panel(
            "Calls by operation", "timeseries",
            ((f"topk(10, sum by (operation) ({write.rate(duration, '_count')}))",
              "{{operation}}"),), unit="cps",
        ),
    ]  # fmt: skip


def _protection(write: Queries) -> list[_Panel]:
    return [
        _Panel(
            "Retries", "timeseries",
            ((f"sum({write.rate('evolution.retry.retries')})", "retries"),
             (f"sum by (reason) ({write.rate('evolution.retry.refusals')})",
              "given up: {{reason}}")), unit="cps",
        ),
        _Panel(
            "Retried with success", "timeseries",
            ((f"min({write.of('evolution.retry.success')})", "share"),), unit="percentunit",
        ),
        _Panel(
            "Circuit breakers", "table",
            ((f"{write.of('evolution.circuit_breakers', state='~open|half_open')} > 0",
              "{{scope}} {{state}}"),),
        ),
        _Panel(
            "Outcomes of sends that were unknown", "timeseries",
            ((f"sum({write.rate('evolution.retry.unknown_outcomes')})", "unknown at first"),
             (f"sum by (result) ({write.rate('evolution.retry.resolved_outcomes')})",
              "{{result}}")), unit="cps",
            description="Looked for at the server; only what is proven absent is sent again.",
        ),
        _Panel(
            "Calls in flight", "timeseries",
            ((f"sum({write.of('evolution.calls.in_flight')})", "calls"),
             (f"min({write.of('evolution.retry.budget.level')})", "retry budget left")),
        ),
    ]  # fmt: skip


def _outbox(write: Queries) -> list[_Panel]:
    messages, delay = "evolution.outbox.messages", "evolution.outbox.sending_delay"
    waiting = write.of(messages, instance="~$whatsapp", state="~queued|sending")
    unknown = write.of(messages, instance="~$whatsapp", state="unknown")
    name = f"{{{{{write.instance}}}}}"
    return [
        _Panel("Waiting", "timeseries", ((f"sum by (state) ({waiting})", "{{state}}"),)),
        _Panel(
            "Age of the oldest message", "timeseries",
            ((write.of("evolution.outbox.oldest_age", instance="~$whatsapp"), name),), unit="s",
        ),
        _Panel(
            "For a person", "stat",
            ((f"sum({unknown})", "unknown"),
             (f"sum({write.of('evolution.outbox.paused', cause='trouble')})", "paused")),
            steps=((None, "green"), (1, "red")),
            description="Unknown: the server cannot tell whether it was sent. "
            "evolution outbox list --state unknown names them.",
        ),
        _Panel(
            "From hand-over to sent", "timeseries",
            ((write.quantile(0.5, delay), "median"),
             (write.quantile(0.95, delay), "95th percentile")), unit="s",
        ),
        _Panel(
            "Sends", "timeseries",
            ((f"sum by (result) ({write.rate('evolution.outbox.sends')})", "{{result}}"),
             (f"sum({write.rate('evolution.outbox.resends')})", "not the first")), unit="cps",
        ),
        _Panel(
            "Looks for lost answers", "timeseries",
            ((f"sum by (result) ({write.rate('evolution.outbox.looks')})", "{{result}}"),),
            unit="cps",
        ),
    ]  # fmt: skip


def _webhooks(write: Queries) -> list[_Panel]:
    return [
        _Panel(
            "Requests", "timeseries",
            ((f"sum by (result) ({write.rate('evolution.webhook.requests')})", "{{result}}"),),
            unit="reqps",
        ),
        _Panel(
            "Queue", "timeseries",
            ((f"sum({write.of('evolution.webhook.queue.depth')})", "waiting"),
             (f"sum({write.of('evolution.webhook.queue.in_flight')})", "being handled")),
        ),
        _Panel(
            "Dead letters", "stat",
            ((f"sum({write.of('evolution.webhook.dead_letters')})", "dead letters"),),
            steps=((None, "green"), (1, "red")),
        ),
        _Panel(
            "Age of the oldest event", "timeseries",
            ((f"max({write.of('evolution.webhook.queue.oldest_age')})", "age"),), unit="s",
        ),
        _Panel(
            "What became of events", "timeseries",
            ((f"sum by (outcome) ({write.rate('evolution.webhook.events')})", "{{outcome}}"),),
            unit="cps",
        ),
    ]  # fmt: skip


def _process(write: Queries) -> list[_Panel]:
    checked = write.of("evolution.monitor.last_check_timestamp")
    return [
        _Panel(
            "Memory", "timeseries",
            ((write.of("evolution.process.memory"), "{{instance}}"),), unit="bytes", width=6,
        ),
        _Panel(
            "CPU", "timeseries", ((write.of("evolution.process.cpu"), "{{instance}}"),),
            unit="percentunit", width=6,
        ),
        _Panel(
            "Lag of the event loop", "timeseries",
            ((write.of("evolution.event_loop.lag"), "{{instance}}"),), unit="s", width=6,
        ),
        _Panel(
            "Time since the last check", "timeseries",
            ((f"time() - {checked}", "{{instance}}"),), unit="s", width=6,
        ),
    ]  # fmt: skip


def _row(title: str, y: int, number: int) -> dict[str, Any]:
    place = {"h": 1, "w": _WIDTH, "x": 0, "y": y}
    return {
        "id": number, "type": "row", "title": title, "collapsed": False, "gridPos": place,
        "panels": [],
    }  # fmt: skip


def _panel(panel: _Panel, place: dict[str, int], number: int) -> dict[str, Any]:
    steps = panel.steps or ((None, "green"),)
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "mappings": list(panel.mappings),
                "thresholds": {
                    "mode": "absolute",
                    "steps": [{"value": value, "color": colour} for value, colour in steps],
                },
                "custom": panel.custom,
            },
            "overrides": [],
        },
        "options": panel.options,
        "targets": [
            {
                "refId": chr(ord("A") + place_),
                "datasource": _SOURCE,
                "expr": query,
                "legendFormat": legend,
                **({"instant": True, "format": "table"} if panel.kind == "table" else {}),
            }
            for place_, (query, legend) in enumerate(panel.queries)
        ],
    }
