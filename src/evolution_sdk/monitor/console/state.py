"""The sections of what a page is shown, as plain data. Pure: it reads, and changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from evolution_sdk.monitor.alert import Alert
from evolution_sdk.monitor.events import AnomalyDetected
from evolution_sdk.monitor.forecast import forecast_words
from evolution_sdk.monitor.report import HealthReport, InstanceHealth
from evolution_sdk.monitor.sample import STATUSES, Sample
from evolution_sdk.monitor.trend import Forecast
from evolution_sdk.monitor.words import label_of, words_of
from evolution_sdk.resilience import BreakerSnapshot
from evolution_sdk.retry import RetryMetrics

from .queues import until
from .strips import DAY_S, WEEK_S, StatusStrip

if TYPE_CHECKING:
    from evolution_sdk.outbox import OutboxPause

__all__ = [
    "alerts_shown",
    "health_shown",
    "instance_shown",
    "outlook_shown",
    "resilience_shown",
    "strip_shown",
]

_EVENT_GRAIN_S: Final = 15.0
_MOST_REASONS: Final = 20
_MOST_BREAKERS: Final = 50
_NEEDS_PHONE: Final = frozenset({"close", "connecting"})


def health_shown(
    report: HealthReport, sample: Sample | None, strip: StatusStrip | None, at: float
) -> dict[str, Any]:
    """Show the health of the whole.

    Args:
        report: Health as of the last check.
        sample: Its measurements; None before the first.
        strip: The status of the whole over time.
        at: Unix seconds.
    """
    counts = Counter(each.status for each in report.instances.values())
    return {
        "status": report.status,
        "since_at": None if strip is None else strip.since,
        "checked_at": report.checked_at,
        "reasons": [words_of(words) for words in report.reasons[:_MOST_REASONS]],
        "more_reasons": max(0, len(report.reasons) - _MOST_REASONS),
        "notes": [words_of(words) for words in report.details.get("notes") or ()],
        "counts": {status: counts[status] for status in STATUSES},
        **_uptimes(strip, at),
        "in_flight": None if sample is None else sample.in_flight,
        "memory_bytes": None if sample is None else sample.memory_bytes,
        "cpu_percent": None if sample is None else sample.cpu_percent,
        "loop_lag_ms": None if sample is None else sample.loop_lag_ms,
    }


def instance_shown(
    health: InstanceHealth,
    strip: StatusStrip | None,
    pause: OutboxPause | None,
    *,
    code: bool,
    checked_at: float | None,
    read_at: float | None,
) -> dict[str, Any]:
    """Show one instance.

    Args:
        health: Its health.
        strip: Its status over time.
        pause: Its pause in the outbox.
        code: True if a code waits for its phone.
        checked_at: Time of the last check, in unix seconds.
        read_at: Time at which the outbox was read, in unix seconds.
    """
    heard: float | None = None
    if health.event_age_s is not None and checked_at is not None:
        heard = (checked_at - health.event_age_s) // _EVENT_GRAIN_S * _EVENT_GRAIN_S
    return {
        "status": health.status,
        "since_at": None if strip is None else strip.since,
        "state": health.state,
        "socket_dead": health.socket_dead,
        "reasons": [words_of(words) for words in health.reasons],
        **_uptimes(strip, checked_at),
        "last_event_at": heard,
        "refusals": health.refusals,
        "needs_pairing": code or (health.state in _NEEDS_PHONE and health.status == "unhealthy"),
        "paused": None
        if pause is None
        else {
            "reason": words_of(pause.reason),
            "by_person": pause.by_person,
            "until_at": until(pause, read_at),
        },
    }


def _uptimes(strip: StatusStrip | None, at: float | None) -> dict[str, float | None]:
    if strip is None or at is None:
        return {"uptime_24h": None, "uptime_7d": None}
    return {
        "uptime_24h": _share(strip.uptime(at, DAY_S)),
        "uptime_7d": _share(strip.uptime(at, WEEK_S)),
    }


def _share(value: float | None) -> float | None:
    # Cut and not rounded: 100 % would deny the seconds that were lost.
    return None if value is None else int(value * 10_000) / 10_000


def strip_shown(strip: StatusStrip, at: float) -> dict[str, Any]:
    """Show the status of one instance, or of the whole, over time.

    Args:
        strip: The strip.
        at: Unix seconds.
    """
    return {
        "day": strip.runs(at, DAY_S),
        "week": strip.runs(at, WEEK_S),
        "changes": [
            {
                "at": round(change.at, 1),
                "from": change.before,
                "to": change.status,
                "reasons": [words_of(words) for words in change.reasons],
            }
            for change in reversed(strip.changes)
        ],
    }


def outlook_shown(
    anomalies: Sequence[AnomalyDetected],
    forecasts: Mapping[str, Forecast],
    limits: Mapping[str, tuple[tuple[float, str], ...]],
    at: float,
) -> dict[str, Any]:
    """Show what is unusual, and what is to be expected.

    Args:
        anomalies: The anomalies, the newest first.
        forecasts: The forecasts by metric.
        limits: Limits of health by metric.
        at: Unix seconds.
    """
    return {
        "anomalies": [
            {
                "metric": each.metric,
                "label": label_of(each.metric),
                "at": round(each.at, 1),
                "value": each.value,
                "low": each.expected_low,
                "high": each.expected_high,
                "score": round(each.score, 3),
                "words": words_of(each.words),
            }
            for each in anomalies
            if each.at > at - DAY_S
        ],
        "forecasts": [
            {
                "metric": metric,
                "label": label_of(metric),
                "threshold": forecast.threshold,
                "status": forecast.status,
                "at": round(at + forecast.in_minutes * 60, 1),
                "in_minutes": round(forecast.in_minutes, 1),
                "words": words_of(forecast_words(metric, forecast)),
            }
            for metric, forecast in forecasts.items()
        ],
        "limits": {name: [list(limit) for limit in some] for name, some in limits.items()},
    }


def resilience_shown(
    retry: RetryMetrics | None, breakers: Mapping[str, BreakerSnapshot], at: float
) -> dict[str, Any]:
    """Show retries and circuit breakers.

    Args:
        retry: The numbers of the retry service.
        breakers: The circuit breakers by scope.
        at: Unix seconds.
    """
    ordered = sorted(breakers.items(), key=lambda each: (str(each[1].state) == "closed", each[0]))
    return {
        "retry": None if retry is None else _retry(retry),
        "breakers": [
            {
                "scope": scope,
                "state": str(snapshot.state),
                "failure_rate": round(snapshot.failure_rate, 4),
                "calls": snapshot.calls,
                # To ten seconds, so that a breaker that stays open changes nothing.
                "opened_at": None
                if not snapshot.opened_for_ms
                else round(at - snapshot.opened_for_ms / 1_000, -1),
                "reason": words_of(snapshot.reason) if snapshot.reason else None,
            }
            for scope, snapshot in ordered[:_MOST_BREAKERS]
        ],
    }


def _retry(metrics: RetryMetrics) -> dict[str, Any]:
    return {
        "total": metrics.total_operations,
        "successful": metrics.successful_operations,
        "failed": metrics.failed_operations,
        "retries": metrics.retries,
        "retry_success_rate": round(metrics.retry_success_rate, 4),
        "success_rate": round(metrics.success_rate, 4),
        "p50_ms": round(metrics.p50_time_to_success_ms, 1),
        "p95_ms": round(metrics.p95_time_to_success_ms, 1),
        "unknown_outcomes": metrics.unknown_outcomes,
        "budget_refusals": metrics.budget_refusals,
        "circuit_refusals": metrics.circuit_refusals,
    }


def alerts_shown(active: Sequence[Alert], over: Sequence[Alert]) -> dict[str, Any]:
    """Show the alerts; never the code that one may hold.

    Args:
        active: Those that are not over, the oldest first.
        over: Those that are, the newest first.
    """
    return {
        "active": [_alert(alert) for alert in reversed(active)],
        "history": [_alert(alert) for alert in over],
    }


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "rule": alert.rule,
        "severity": alert.severity,
        "words": words_of(alert.words),
        "instance": alert.instance,
        "metric": alert.metric,
        "value": alert.value,
        "raised_at": alert.raised_at,
        "resolved_at": alert.resolved_at,
    }
