"""Rules of Prometheus: the monitor's default alert rules, and what only Prometheus can see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from evolution_sdk.config._monitoring import Thresholds
from evolution_sdk.monitor.alert import DEFAULT_RULES, AlertRule
from evolution_sdk.monitor.export.readings import SAMPLE_FAMILIES
from evolution_sdk.monitor.sample import METRICS

from .queries import EXPORTED_INSTANCE, Queries

__all__ = ["alert_rules", "recording_rules"]

_STALE_S: Final = 300


def alert_rules(
    instance_label: str = EXPORTED_INSTANCE, limits: Thresholds | None = None
) -> dict[str, Any]:
    """Make the alert rules.

    Args:
        instance_label: The label that holds WhatsApp's instance.
        limits: Thresholds that forecasts look for. Default: those of the settings' defaults.

    Returns:
        The content of a file of rules.
    """
    write = Queries(instance=instance_label)
    limits = Thresholds() if limits is None else limits
    rules = [made for rule in DEFAULT_RULES for made in _of_rule(write, rule, limits)]
    return {"groups": [{"name": "evolution-sdk", "rules": [*rules, *_others(write)]}]}


def recording_rules(instance_label: str = EXPORTED_INSTANCE) -> dict[str, Any]:
    """Make the recording rules: what dashboards over weeks ask for, computed once.

    Args:
        instance_label: The label that holds WhatsApp's instance.

    Returns:
        The content of a file of rules.
    """
    write = Queries(instance=instance_label)
    calls, errors = "evolution.call.duration", "evolution.request.errors"
    requests, delay = "evolution.request.duration", "evolution.outbox.sending_delay"
    counted = f"sum by (job, operation, result) ({write.rate(calls, '_count', over='5m')})"
    failed = f"sum by (job) ({write.rate(errors, over='5m')})"
    made = f"sum by (job) ({write.rate(requests, '_count', over='5m')})"
    records = {
        "job_operation_result:evolution_calls:rate5m": counted,
        "job:evolution_request_errors:ratio_rate5m": f"{failed} / {made}",
        "operation:evolution_call_duration_seconds:p50_5m": write.quantile(
            0.5, calls, over="5m", by="operation"
        ),
        "operation:evolution_call_duration_seconds:p95_5m": write.quantile(
            0.95, calls, over="5m", by="operation"
        ),
        "evolution_outbox_sending_delay_seconds:p95_5m": write.quantile(0.95, delay, over="5m"),
        f"{write.instance}:evolution_instance_up:avg1d": (
            f"avg_over_time(({_usable(write)})[1d:5m])"
        ),
    }
    rules = [{"record": name, "expr": query} for name, query in records.items()]
    return {"groups": [{"name": "evolution-sdk-records", "rules": rules}]}


def _usable(write: Queries) -> str:
    states = write.of("evolution.instance.status", status="~healthy|degraded")
    return f"sum by (job, {write.instance}) ({states})"


def _of_rule(write: Queries, rule: AlertRule, limits: Thresholds) -> Iterator[dict[str, Any]]:
    if rule.state is not None:
        name = "evolution.instance.status" if rule.per_instance else "evolution.health.status"
        query = f"{write.of(name, status=rule.state)} == 1"
        who = f"instance {{{{ $labels.{write.instance} }}}}" if rule.per_instance else "health"
        yield _rule(rule, query, f"{who} is {rule.state}", "")
        return
    metric = rule.metric or ""
    if rule.within_minutes is not None:
        # The next limit only: beyond it, the states of health speak.
        for limit, status in limits.by_metric().get(metric, ())[:1]:
            yield _forecast(write, rule, limit, status)
        return
    value, factor = _value(write, metric)
    side, limit = (">", rule.above) if rule.above is not None else ("<", rule.below or 0.0)
    query = f"{value} {side} {(limit or 0.0) * factor:g}"
    label, advice = METRICS[metric].label, METRICS[metric].advice
    yield _rule(rule, query, f"{label} is {{{{ $value | humanize }}}}", advice)


def _value(write: Queries, metric: str) -> tuple[str, float]:
    """The query of a metric of samples, and the factor to its unit."""
    unknown = write.of("evolution.outbox.messages", state="unknown")
    of_outbox = {
        "outbox_oldest_s": f"max by (job) ({write.of('evolution.outbox.oldest_age')})",
        "outbox_unknown": f"sum by (job) ({unknown})",
        "outbox_paused": f"sum by (job) ({write.of('evolution.outbox.paused', cause='trouble')})",
        "refusals": f"max by (job, {write.instance}) ({write.of('evolution.sends.refused')})",
    }
    if metric in of_outbox:
        return of_outbox[metric], 1.0
    family, factor = SAMPLE_FAMILIES[metric]
    return write.of(family), factor


def _forecast(write: Queries, rule: AlertRule, limit: float, status: str) -> dict[str, Any]:
    value, factor = _value(write, rule.metric or "")
    ahead_s = (rule.within_minutes or 0) * 60
    query = (
        f"predict_linear({value}[1h], {ahead_s:g}) > {limit * factor:g} "
        f"and {value} < {limit * factor:g}"
    )
    label = METRICS[rule.metric or ""].label
    words = f"{label} reaches {limit:g} ({METRICS[rule.metric or ''].unit}), {status}"
    return _rule(rule, query, f"{words}, within {rule.within_minutes:g} minutes at this rate", "")


def _rule(rule: AlertRule, query: str, words: str, advice: str) -> dict[str, Any]:
    name = "".join(part.title() for part in rule.name.split("_"))
    made: dict[str, Any] = {"alert": f"Evolution{name}", "expr": query}
    if rule.for_ms:
        made["for"] = f"{rule.for_ms / 1_000:g}s"
    if rule.clear_for_ms:
        made["keep_firing_for"] = f"{rule.clear_for_ms / 1_000:g}s"
    made["labels"] = {"severity": rule.severity}
    made["annotations"] = {"summary": words, **({"description": advice} if advice else {})}
    return made


def _others(write: Queries) -> list[dict[str, Any]]:
    """Make the rules about what no monitor can tell of itself, or tells without a rule."""
    checked = write.of("evolution.monitor.last_check_timestamp")
    license_ = write.of("evolution.server.license", state="~inactive|pending")
    return [
        _other(
            "MonitorSilent", f"time() - {checked} > {_STALE_S}", "critical", "0s",
            "no check was made for {{ $value | humanizeDuration }}",
            "See that the program with the monitor runs, and that start_monitoring was called.",
        ),
        _other(
            "MonitorGone", f"absent({write.of('evolution.server.up')})", "critical", "5m",
            "nothing is exported any more",
            "See that the program runs, and that Prometheus reaches its port.",
        ),
        _other(
            "ServerDown", f"{write.of('evolution.server.up')} == 0", "critical", "1m",
            "the server does not answer", "evolution doctor tells more.",
        ),
        _other(
            "LicenseMissing", f"{license_} == 1", "critical", "0s",
            "the server has no active licence and refuses every call",
            "Activate it in its manager.",
        ),
        _other(
            "BreakerOpen", f"{write.of('evolution.circuit_breakers', state='open')} > 0",
            "warning", "2m", "the circuit breaker of {{ $labels.scope }} is open",
            "Calls are refused here, so that the server can recover.",
        ),
        _other(
            "DeadLetters", f"{write.of('evolution.webhook.dead_letters')} > 0", "warning", "1m",
            "{{ $value | humanize }} events could not be handled",
            "Mend the handler, then receiver.replay() or the console's Replay.",
        ),
        _other(
            "OutboxStoreDown", f"{write.of('evolution.outbox.store.up')} == 0", "critical", "1m",
            "the outbox's store cannot be read", "Hand-overs are refused; nothing is lost.",
        ),
    ]  # fmt: skip


def _other(
    name: str, query: str, severity: str, wait: str, words: str, advice: str
) -> dict[str, Any]:
    made: dict[str, Any] = {"alert": f"Evolution{name}", "expr": query}
    if wait != "0s":
        made["for"] = wait
    made["labels"] = {"severity": severity}
    made["annotations"] = {"summary": words, "description": advice}
    return made
