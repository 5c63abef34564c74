"""Rules, and the alerts they raise and resolve: a state machine without I/O."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias

from evolution_sdk._common.arguments import checked
from evolution_sdk.errors import ConfigurationError

from .forecast import LIMITED, Forecaster, forecast_words
from .sample import METRICS, STATUSES, HealthStatus, Sample
from .trend import Forecast

__all__ = [
    "DEFAULT_RULES",
    "Alert",
    "AlertRule",
    "AlertTracker",
    "PairingCode",
    "Severity",
    "take_end",
]

Severity: TypeAlias = Literal["info", "warning", "critical"]
# Multiple of ``within_minutes`` at which a forecast is over.
_CLEARS_AT: Final = 2.0
_MOST_REASONS: Final = 20
_SEVERITIES: Final = ("info", "warning", "critical")


@dataclass(frozen=True, slots=True)
class PairingCode:
    """The code that connects a phone again. It is a key to the account: show it to its owner only.

    Attributes:
        code: Text of the QR code.
        base64: The QR code as an image, a ``data:`` URL.
        pairing_code: The code to type into the phone instead, when there is one.
    """

    code: str | None = field(default=None, repr=False)
    base64: str | None = field(default=None, repr=False)
    pairing_code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Alert:
    """A condition that needs attention.

    Attributes:
        rule: Name of the rule.
        severity: ``info``, ``warning`` or ``critical``.
        words: The condition in words.
        raised_at: Time at which it was raised, in unix seconds.
        instance: The instance it is about; None for the whole.
        metric: The metric of the rule, if it has one.
        value: Value of the metric when the alert was raised.
        resolved_at: Time at which it was over, in unix seconds; None while it is not.
        pairing: The code that connects the phone again, where that is needed; never in logs.
    """

    rule: str
    severity: Severity
    words: str
    raised_at: float
    instance: str | None = None
    metric: str | None = None
    value: float | None = None
    resolved_at: float | None = None
    pairing: PairingCode | None = field(default=None, repr=False)


@checked()
@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """Rule that raises and ends an alert. Exactly one condition must be given.

    Attributes:
        name: Its name.
        metric: The metric it watches; see ``METRICS``.
        above: Raise when the metric is above this.
        below: Raise when the metric is below this.
        anomaly: Raise when the metric shows an anomaly.
        within_minutes: Raise when the metric, by its trend of the last hour, reaches the next limit
            of its :class:`Thresholds` within this many minutes. Only firm trends count: 15 windows
            at least, a chance of less than 1 in 1,000, and not further ahead than they go back.
            Over when it would take twice as long.
        state: Raise when health is in this state.
        per_instance: Watch the state of each instance instead of the whole.
        for_ms: Time for which the condition must hold, in milliseconds.
        cooldown_ms: Shortest time between the end of an alert and the next, in milliseconds.
        severity: ``info``, ``warning`` or ``critical``.
        clears_at: Over when the metric is back at this. Default: the limit itself.
        clear_for_ms: Time for which it must be over, in milliseconds.

    Raises:
        ConfigurationError: The rule makes no sense; ``variable`` names the field.
    """

    name: str
    metric: str | None = None
    above: float | None = None
    below: float | None = None
    anomaly: bool = False
    within_minutes: float | None = None
    state: HealthStatus | None = None
    per_instance: bool = False
    for_ms: float = 0
    cooldown_ms: float = 0
    severity: Severity = "warning"
    clears_at: float | None = None
    clear_for_ms: float = 0

    def __post_init__(self) -> None:
        given = [
            self.above is not None,
            self.below is not None,
            self.anomaly,
            self.within_minutes is not None,
            self.state is not None,
        ]
        if sum(given) != 1:
            raise self._wrong(
                "above", "needs exactly one of above, below, anomaly, within_minutes and state"
            )
        if (self.state is None) != (self.metric is not None):
            raise self._wrong("metric", "needs a metric, unless it watches the state")
        if self.metric is not None and self.metric not in METRICS:
            known = ", ".join(METRICS)
            raise self._wrong(
                "metric", f"watches no known metric with {self.metric!r}: use one of {known}"
            )
        if self.within_minutes is not None:
            self._check_forecast(self.within_minutes)
        if self.state is not None and self.state not in STATUSES:
            raise self._wrong("state", f"must watch one of {', '.join(STATUSES)}")
        if self.per_instance and self.state is None:
            raise self._wrong("per_instance", "watches instances only by state")
        if self.severity not in _SEVERITIES:
            raise self._wrong("severity", f"must be one of {', '.join(_SEVERITIES)}")
        for name in ("for_ms", "cooldown_ms", "clear_for_ms"):
            if getattr(self, name) < 0:
                raise self._wrong(name, f"must have {name} of at least 0")
        self._check_clear()

    def _check_forecast(self, minutes: float) -> None:
        if self.metric not in LIMITED:
            raise self._wrong("metric", f"can forecast only {', '.join(LIMITED)}")
        if not 0 < minutes < math.inf:
            raise self._wrong("within_minutes", "must have within_minutes above 0")

    def _check_clear(self) -> None:
        clear = self.clears_at
        if clear is None:
            return
        beyond = self.above is not None and clear > self.above
        short = self.below is not None and clear < self.below
        if (self.above is None and self.below is None) or beyond or short:
            raise self._wrong("clears_at", "must clear on the good side of its limit")

    def _wrong(self, field: str, rule: str) -> ConfigurationError:
        return ConfigurationError(f"The alert rule {self.name!r} {rule}.", variable=field)


def _soon(name: str, metric: str) -> AlertRule:
    return AlertRule(
        name=name,
        metric=metric,
        within_minutes=30,
        for_ms=180_000,
        clear_for_ms=300_000,
        cooldown_ms=1_800_000,
    )


DEFAULT_RULES: Final[tuple[AlertRule, ...]] = (
    AlertRule(name="unhealthy", state="unhealthy", severity="critical"),
    AlertRule(name="degraded", state="degraded", for_ms=120_000),
    AlertRule(name="instance_unhealthy", state="unhealthy", per_instance=True, severity="critical"),
    AlertRule(
        name="messages_refused",
        metric="refusals",
        above=2,
        severity="critical",
        clear_for_ms=300_000,
        cooldown_ms=1_800_000,
    ),
    AlertRule(name="outbox_late", metric="outbox_oldest_s", above=300, clear_for_ms=60_000),
    AlertRule(name="outbox_unknown", metric="outbox_unknown", above=0),
    AlertRule(
        name="outbox_paused",
        metric="outbox_paused",
        above=0,
        for_ms=60_000,
        clear_for_ms=60_000,
        cooldown_ms=600_000,
    ),
    _soon("slow_soon", "response_time_ms"),
    _soon("failing_soon", "error_rate"),
    _soon("memory_full_soon", "memory_bytes"),
)
"""Unhealthy at once, degraded after two minutes; single instances when several are watched; three
messages of an instance refused by WhatsApp; a message of the watched outbox due for five minutes,
any that is unknown, and an instance that it has paused for trouble, for a minute; and forecasts
that in half an hour calls are slow or failing, or memory is full."""


@dataclass(slots=True)
class _RuleState:
    """State of one rule for the whole or for one instance."""

    broken_since: float | None = None
    fine_since: float | None = None
    ended_at: float | None = None
    alert: Alert | None = None


class AlertTracker:
    """Steps every rule with every check.

    Args:
        rules: The rules, with different names.
        forecaster: Makes the forecasts; None for none.

    Raises:
        ConfigurationError: Two rules have the same name.
    """

    def __init__(self, rules: Sequence[AlertRule], forecaster: Forecaster | None = None) -> None:
        rules = tuple(rules)
        # Type checkers see it; a list that comes from elsewhere is refused here.
        if not all(isinstance(rule, AlertRule) for rule in rules):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError("rules: must all be AlertRules.", variable="rules")
        names = [rule.name for rule in rules]
        if len(set(names)) < len(names):
            raise ConfigurationError("Two alert rules have the same name.", variable="rules")
        self._rules = tuple(rules)
        self._forecaster = forecaster
        self._foreseen = tuple(
            dict.fromkeys(r.metric for r in rules if r.metric and r.within_minutes is not None)
        )
        self._states: dict[tuple[str, str | None], _RuleState] = {}
        # By instance and rule: thousands may recover in one check.
        self._notices: dict[str | None, dict[str, Alert]] = {}

    @property
    def active(self) -> tuple[Alert, ...]:
        """The alerts that are not over, the oldest first."""
        ruled = [state.alert for state in self._states.values() if state.alert is not None]
        noticed = [alert for rules in self._notices.values() for alert in rules.values()]
        return tuple(sorted((*ruled, *noticed), key=lambda alert: alert.raised_at))

    def step(
        self,
        sample: Sample,
        overall: tuple[HealthStatus, Sequence[str]],
        instances: Mapping[str, tuple[HealthStatus, Sequence[str]]],
        anomalies: Mapping[str, str],
        now: float,
    ) -> list[Alert]:
        """Take in a check.

        Args:
            sample: Its measurements.
            overall: The state in force, and its reasons.
            instances: The same of each instance; none when only one is watched.
            anomalies: Words by metric of the incidents that last.
            now: Seconds that never go back.

        Returns:
            Alerts that were raised, and those that are over, which have ``resolved_at``.
        """
        changed: list[Alert] = []
        forecasts: Mapping[str, Forecast] = {}
        if self._forecaster is not None and self._foreseen:
            forecasts = self._forecaster.forecasts(self._foreseen, now, sample.at)
        # The three kinds of conditions need different inputs: forecast, metric, state.
        for rule in self._rules:
            if rule.within_minutes is not None:
                changed += self._forecast(rule, sample, forecasts.get(rule.metric or ""), now)
                continue
            if rule.state is None:
                changed += self._metric(rule, sample, anomalies, now)
                continue
            scopes = instances if rule.per_instance else {None: overall}
            for instance, (status, reasons) in scopes.items():
                # An unknown state is neither worse nor better: an alert about it has not ended.
                if status == "unknown" and rule.state != "unknown":
                    continue
                broken = status == rule.state
                words = _state_words(instance, status, reasons) if broken else ""
                changed += self._apply(rule, instance, broken, words, None, sample.at, now)
            changed += self._forget_gone(rule, scopes, sample.at)
        return changed

    def notice(self, alert: Alert) -> list[Alert]:
        """Raise an alert that no rule knows, such as that a phone must be paired; once."""
        known = self._notices.setdefault(alert.instance, {})
        if alert.rule in known:
            return []
        known[alert.rule] = alert
        return [alert]

    def settle(self, instance: str | None, at: float) -> list[Alert]:
        """End the notices about an instance, or those about the server (None)."""
        # All at once: each of them says that the instance does not come back.
        over = self._notices.pop(instance, {})
        return [replace(alert, resolved_at=at) for alert in over.values()]

    def _metric(
        self, rule: AlertRule, sample: Sample, anomalies: Mapping[str, str], now: float
    ) -> list[Alert]:
        metric = rule.metric or ""
        value = sample.value(metric)
        if rule.anomaly:
            broken = metric in anomalies
            return self._apply(rule, None, broken, anomalies.get(metric, ""), value, sample.at, now)
        # A value that was not measured is neither worse nor better.
        if value is None:
            return []
        state = self._states.get((rule.name, None))
        active = state is not None and state.alert is not None
        # Once raised, the alert ends at another limit, so that a value at the edge does not flap.
        limit = rule.above if rule.above is not None else rule.below or 0.0
        bound = rule.clears_at if active and rule.clears_at is not None else limit
        broken = value > bound if rule.above is not None else value < bound
        side = "above" if rule.above is not None else "below"
        label, unit = METRICS[metric].label, METRICS[metric].unit
        words = f"{label} is {value:g} ({unit}), {side} {limit:g}"
        if METRICS[metric].advice:
            words = f"{words}. {METRICS[metric].advice}"
        return self._apply(rule, None, broken, words, value, sample.at, now)

    def _forecast(
        self, rule: AlertRule, sample: Sample, forecast: Forecast | None, now: float
    ) -> list[Alert]:
        state = self._states.get((rule.name, None))
        active = state is not None and state.alert is not None
        # A raised forecast ends only when the limit has moved far enough away.
        bound = (rule.within_minutes or 0.0) * (_CLEARS_AT if active else 1)
        metric = rule.metric or ""
        words = "" if forecast is None else forecast_words(metric, forecast)
        broken = forecast is not None and forecast.in_minutes <= bound
        return self._apply(rule, None, broken, words, sample.value(metric), sample.at, now)

    def _apply(
        self,
        rule: AlertRule,
        instance: str | None,
        broken: bool,
        words: str,
        value: float | None,
        at: float,
        now: float,
    ) -> list[Alert]:
        state = self._states.get((rule.name, instance))
        if state is None:
            # Most of thousands of instances never break a rule.
            if not broken:
                return []
            state = self._states[rule.name, instance] = _RuleState()
        if broken:
            state.fine_since = None
            state.broken_since = now if state.broken_since is None else state.broken_since
            if state.alert is not None or now - state.broken_since < rule.for_ms / 1_000:
                return []
            # The pause after an alert keeps a condition that comes and goes from raising many.
            if state.ended_at is not None and now - state.ended_at < rule.cooldown_ms / 1_000:
                return []
            state.alert = Alert(rule.name, rule.severity, words, at, instance, rule.metric, value)
            return [state.alert]
        # Fine again; from here on it is about the end of an alert that was raised.
        state.broken_since = None
        if state.alert is None:
            return []
        state.fine_since = now if state.fine_since is None else state.fine_since
        if now - state.fine_since < rule.clear_for_ms / 1_000:
            return []
        over = replace(state.alert, resolved_at=at)
        state.alert, state.fine_since, state.ended_at = None, None, now
        return [over]

    def _forget_gone(
        self, rule: AlertRule, scopes: Mapping[str, object] | Mapping[None, object], at: float
    ) -> list[Alert]:
        """End the alerts about instances that are no longer watched."""
        gone = [key for key in self._states if key[0] == rule.name and key[1] not in scopes]
        ended = (self._states.pop(key).alert for key in gone)
        return [replace(alert, resolved_at=at) for alert in ended if alert is not None]


def take_end(alerts: deque[Alert], over: Alert) -> None:
    """Put an alert that is over in the place of the same one while it was active, else at the end.

    Args:
        alerts: Alerts, the oldest first.
        over: The alert.
    """
    known = (over.rule, over.instance, over.raised_at)
    for place, each in enumerate(alerts):
        if (each.rule, each.instance, each.raised_at) == known:
            alerts[place] = over
            return
    alerts.append(over)


def _state_words(instance: str | None, status: HealthStatus, reasons: Sequence[str]) -> str:
    subject = "health" if instance is None else f"instance {instance}"
    told = [*reasons[:_MOST_REASONS]]
    # Of thousands of instances that are down, a message to a phone names some.
    if len(reasons) > _MOST_REASONS:
        told.append(f"and {len(reasons) - _MOST_REASONS} more")
    return f"{subject} is {status}" + (f": {'; '.join(told)}" if told else "")
