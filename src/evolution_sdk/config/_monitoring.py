"""Options of the monitor: each declared once, for the settings and for the constructor.

A group is a section of its own. ``EvolutionConfig.monitoring`` holds the groups as the environment
sets them, and ``EvolutionMonitorService`` takes the same classes as arguments.
"""

from __future__ import annotations

from typing import Annotated, Final, cast

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator

from evolution_sdk._common.rules import MOST_MS

from ._base import (
    SWITCH_RULE,
    Positive,
    Section,
    SectionField,
    Switch,
    Variable,
    untouched,
    variable_of,
)
from ._urls import split_url, wrong

__all__ = [
    "AlertTargets",
    "HistoryOptions",
    "MonitoringConfig",
    "ProbeOptions",
    "RecoveryPolicy",
    "Thresholds",
]

_P95_TO_MEAN: Final = 3
# A smaller value would vanish when it is added to seconds.
_SMALLEST_MS: Final = 1e-6

_WHOLE_MS: Final = "milliseconds, a whole number of 1 or more"
_MS: Final = "milliseconds, a number above 0"
_COUNT: Final = "a whole number of 1 or more"
_SHARE: Final = "a share above 0 and at most 1"
_AMOUNT: Final = "a number above 0"

Share = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
Duration = Annotated[int | float, Field(gt=_SMALLEST_MS, le=MOST_MS)]
Amount = Annotated[int | float, Field(gt=0, le=1e300)]


def _env(suffix: str, rule: str, example: str = "", *, secret: bool = False) -> Variable:
    """Declare the variable behind a field; its example is the default unless one is given."""
    return Variable(f"EVOLUTION_MONITORING_{suffix}", rule, example, secret)


def _rule(rule: str, example: str = "") -> Variable:
    """Declare the rule of a field that no variable sets."""
    return Variable(None, rule, example)


def _names(value: object) -> object:
    """Split a text of names at its commas."""
    if isinstance(value, str):
        return tuple(dict.fromkeys(name for part in value.split(",") if (name := part.strip())))
    return value


class Thresholds(Section):
    """Limits of degraded and unhealthy, and the evidence required before health changes.

    Attributes:
        degraded_response_ms: Degraded above this mean response time, in milliseconds.
        unhealthy_response_ms: Unhealthy above this mean response time, in milliseconds.
        degraded_p95_response_ms: Degraded above this 95th percentile of response time, in
            milliseconds. None: three times ``degraded_response_ms``.
        unhealthy_p95_response_ms: Unhealthy above this 95th percentile, in milliseconds. None:
            three times ``unhealthy_response_ms``.
        min_slow: Slow responses in the window before the percentile is judged; before the mean is,
            too, unless they are half of all.
        degraded_error_rate: Degraded above this share of failed requests.
        unhealthy_error_rate: Unhealthy above this share of failed requests.
        min_requests: Requests in the window before an error rate is judged.
        min_errors: Failures in the window before an error rate is judged.
        degraded_retry_success_rate: Degraded when fewer of the retried calls succeed.
        unhealthy_retry_success_rate: Unhealthy when fewer of the retried calls succeed.
        min_retried: Retried calls in the window before their success is judged.
        ack_after_ms: Time in which SERVER_ACK must follow a send, in milliseconds.
        degraded_unacked_share: Degraded at or above this share of sends without it.
        unhealthy_unacked_share: Unhealthy above this share of sends without it.
        min_sends: Sends to judge before their share counts.
        min_unacked: Sends without SERVER_ACK before their share counts.
        ack_window_ms: Time for which a judged send counts, and a refused one, in milliseconds.
        degraded_refusals: Degraded at this many messages of an instance that WhatsApp refused.
        silence_events: Degraded when this many events were to be expected since the last one.
        silence_ms: Shortest silence that is judged, in milliseconds.
        not_connected_calls: Calls in a row that end in "Connection Closed" while the instance says
            open, before its socket counts as dead.
        connecting_ms: Unhealthy when an instance is connecting for longer, in milliseconds.
        worsen_checks: Checks out of the last ``worsen_of`` that must be worse before health gets
            worse.
        worsen_of: See ``worsen_checks``; facts such as a refused connection count at once.
        recover_checks: Good checks in a row before health recovers from a fact.
        recover_measured_checks: The same after a measurement, which may hover around its limit.
        flap_changes: Changes within ``flap_window_ms`` that count as flapping.
        flap_window_ms: See ``flap_changes``, in milliseconds.
        flap_hold_ms: While flapping, health gets better only after this long without trouble, in
            milliseconds.
        memory_limit_bytes: Memory that this process may use, in bytes, for forecasts. None: the
            container's limit, where there is one. It changes no state of health.

    Raises:
        ConfigurationError: A value is out of range; ``variable`` names it.
    """

    degraded_response_ms: Annotated[Duration, _env("DEGRADED_RESPONSE_MS", _MS)] = 500
    unhealthy_response_ms: Annotated[Duration, _env("UNHEALTHY_RESPONSE_MS", _MS)] = 1_000
    degraded_p95_response_ms: Annotated[
        Duration | None, _env("DEGRADED_P95_RESPONSE_MS", _MS, "1500")
    ] = None
    unhealthy_p95_response_ms: Annotated[
        Duration | None, _env("UNHEALTHY_P95_RESPONSE_MS", _MS, "3000")
    ] = None
    min_slow: Annotated[Positive, _rule(_COUNT)] = 5
    degraded_error_rate: Annotated[Share, _env("DEGRADED_ERROR_RATE", _SHARE)] = 0.2
    unhealthy_error_rate: Annotated[Share, _env("UNHEALTHY_ERROR_RATE", _SHARE)] = 0.5
    min_requests: Annotated[Positive, _rule(_COUNT)] = 10
    min_errors: Annotated[Positive, _rule(_COUNT)] = 3
    degraded_retry_success_rate: Annotated[Share, _env("DEGRADED_RETRY_SUCCESS_RATE", _SHARE)] = 0.8
    unhealthy_retry_success_rate: Annotated[Share, _env("UNHEALTHY_RETRY_SUCCESS_RATE", _SHARE)] = (
        0.5
    )
    min_retried: Annotated[Positive, _rule(_COUNT)] = 5
    ack_after_ms: Annotated[Duration, _rule(_MS)] = 60_000
    degraded_unacked_share: Annotated[Share, _rule(_SHARE)] = 0.2
    unhealthy_unacked_share: Annotated[Share, _rule(_SHARE)] = 0.5
    min_sends: Annotated[Positive, _rule(_COUNT)] = 5
    min_unacked: Annotated[Positive, _rule(_COUNT)] = 3
    ack_window_ms: Annotated[Duration, _rule(_MS)] = 600_000
    degraded_refusals: Annotated[Positive, _rule(_COUNT)] = 3
    silence_events: Annotated[Amount, _rule(_AMOUNT)] = 20
    silence_ms: Annotated[Duration, _rule(_MS)] = 600_000
    not_connected_calls: Annotated[Positive, _rule(_COUNT)] = 3
    connecting_ms: Annotated[Duration, _rule(_MS)] = 60_000
    worsen_checks: Annotated[Positive, _rule(_COUNT)] = 2
    worsen_of: Annotated[Positive, _rule(_COUNT)] = 3
    recover_checks: Annotated[Positive, _rule(_COUNT)] = 2
    recover_measured_checks: Annotated[Positive, _rule(_COUNT)] = 6
    flap_changes: Annotated[Positive, _rule(_COUNT)] = 6
    flap_window_ms: Annotated[Duration, _rule(_MS)] = 600_000
    flap_hold_ms: Annotated[Duration, _rule(_MS)] = 300_000
    memory_limit_bytes: Annotated[Amount | None, _rule(_AMOUNT, "500000000")] = None

    @model_validator(mode="after")
    def _fits(self) -> Thresholds:
        # The limit of unhealthy must lie beyond the limit of degraded, or one has no effect.
        for lower, upper in _ORDERED:
            if getattr(self, lower) > getattr(self, upper):
                most = f"{getattr(self, upper):g}"
                raise wrong(_called(lower), f"must not be above {_called(upper)}", most)
        degraded, unhealthy = self.degraded_p95_ms, self.unhealthy_p95_ms
        if degraded > unhealthy and self.degraded_p95_response_ms is not None:
            least = f"{unhealthy:g}, which {_called('unhealthy_p95_response_ms')} comes to"
            name = _called("degraded_p95_response_ms")
            raise wrong(name, f"must not be above {least}", f"{unhealthy:g}")
        if degraded > unhealthy:
            rule = f"must not be below {degraded:g}, three times the degraded mean"
            raise wrong(_called("unhealthy_p95_response_ms"), rule, f"{degraded:g}")
        return self

    @property
    def degraded_p95_ms(self) -> float:
        """The 95th percentile in force above which health is degraded, in milliseconds."""
        given = self.degraded_p95_response_ms
        return _P95_TO_MEAN * self.degraded_response_ms if given is None else given

    @property
    def unhealthy_p95_ms(self) -> float:
        """The 95th percentile in force above which health is unhealthy, in milliseconds."""
        given = self.unhealthy_p95_response_ms
        return _P95_TO_MEAN * self.unhealthy_response_ms if given is None else given

    def by_metric(self) -> dict[str, tuple[tuple[float, str], ...]]:
        """List the limits that forecasts are made for.

        Returns:
            By metric, each limit with the state of health beyond it.
        """
        memory = self.memory_limit_bytes
        return {
            "response_time_ms": (
                (self.degraded_response_ms, "degraded"),
                (self.unhealthy_response_ms, "unhealthy"),
            ),
            "p95_response_time_ms": (
                (self.degraded_p95_ms, "degraded"),
                (self.unhealthy_p95_ms, "unhealthy"),
            ),
            "error_rate": (
                (self.degraded_error_rate, "degraded"),
                (self.unhealthy_error_rate, "unhealthy"),
            ),
            "retry_success_rate": (
                (self.degraded_retry_success_rate, "degraded"),
                (self.unhealthy_retry_success_rate, "unhealthy"),
            ),
            "unacked_share": (
                (self.degraded_unacked_share, "degraded"),
                (self.unhealthy_unacked_share, "unhealthy"),
            ),
            "memory_bytes": () if memory is None else ((memory, "full"),),
        }


_ORDERED: Final = (
    ("degraded_response_ms", "unhealthy_response_ms"),
    ("degraded_error_rate", "unhealthy_error_rate"),
    ("unhealthy_retry_success_rate", "degraded_retry_success_rate"),
    ("degraded_unacked_share", "unhealthy_unacked_share"),
    ("worsen_checks", "worsen_of"),
)
"""Pairs of thresholds of which the first must not be above the second."""


def _called(field: str) -> str:
    """Name a threshold in an error: by its variable, where it has one."""
    variable = variable_of(Thresholds.model_fields[field])
    return field if variable is None or variable.name is None else variable.name


class ProbeOptions(Section):
    """Probes that the monitor sends to the server.

    Attributes:
        timeout_ms: Longest wait for the answer of one probe, in milliseconds.
        deep: Whether sockets are probed by setting the presence to ``unavailable``.
        deep_interval_ms: Time between two deep probes of one instance, in milliseconds.

    Raises:
        ConfigurationError: A value is out of range; ``variable`` names it.
    """

    timeout_ms: Annotated[Duration, _env("PROBE_TIMEOUT_MS", _MS)] = 5_000
    deep: Annotated[Switch, _env("DEEP_PROBE", SWITCH_RULE)] = False
    deep_interval_ms: Annotated[Duration, _env("DEEP_PROBE_INTERVAL_MS", _MS)] = 300_000


class HistoryOptions(Section):
    """The file that keeps samples across restarts of the process.

    Attributes:
        path: Path of an SQLite file; its folder must exist. None keeps samples in memory only.
        retention_ms: Age from which samples are deleted, in milliseconds.

    Raises:
        ConfigurationError: A value is out of range; ``variable`` names it.
    """

    path: Annotated[str | None, _env("HISTORY_PATH", "the path of a file", "monitor.sqlite3")] = (
        None
    )
    retention_ms: Annotated[Duration, _env("HISTORY_RETENTION_MS", _MS)] = 2_592_000_000


class RecoveryPolicy(Section):
    """Rules by which the monitor recovers instances.

    A closed instance is connected, and a dead socket restarted, at once; an instance that stays
    ``connecting`` is restarted after some checks. A refused key or a missing instance is never a
    reason to restart: it raises an alert at once.

    Attributes:
        failed_checks: Checks in ``connecting`` before a restart.
        max_restarts: Limit of restarts and connects within ``budget_window_ms``, per instance.
        budget_window_ms: See ``max_restarts``, in milliseconds.
        cooldown_ms: Minimum time between two of them, in milliseconds.

    Raises:
        ConfigurationError: A value is out of range; ``variable`` names it.
    """

    failed_checks: Annotated[Positive, _rule(_COUNT)] = 3
    max_restarts: Annotated[Positive, _env("RECOVERY_MAX_RESTARTS", _COUNT)] = 3
    budget_window_ms: Annotated[Duration, _rule(_MS)] = 3_600_000
    cooldown_ms: Annotated[Duration, _rule(_MS)] = 60_000


_ALERT_URL: Final = _env(
    "ALERT_URL", "an http(s) URL", "https://alerts.example.com/hook", secret=True
)


class AlertTargets(Section):
    """Targets of alerts in addition to the log.

    Attributes:
        url: URL to which alerts are posted as JSON, or None; secret, since such URLs hold tokens.
        number: WhatsApp number that receives alerts, or None.
        instance: The instance that sends them. None: the default instance.

    Raises:
        ConfigurationError: ``url`` is not an http(s) URL.
    """

    url: Annotated[SecretStr | None, _ALERT_URL] = None
    number: Annotated[str | None, _env("ALERT_NUMBER", "a phone number", "5511999999999")] = None
    instance: Annotated[str | None, _env("ALERT_INSTANCE", "a name", "alerts")] = None

    @field_validator("url")
    @classmethod
    def _url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            split_url(value.get_secret_value(), str(_ALERT_URL.name), example=_ALERT_URL.example)
        return value


class MonitoringConfig(Section):
    """Settings of the monitor service.

    Attributes:
        enabled: Whether monitoring is wanted.
        interval_ms: Time between two checks, in milliseconds.
        max_history: Limit of samples kept in memory.
        instances: The instances to watch; ``*`` for all. Empty: the default instance, or all if
            there is none.
        window_ms: Time for which calls count for health, in milliseconds.
        probes: The probes sent to the server.
        history: The file that keeps samples across restarts of the process.
        thresholds: Limits of degraded and unhealthy.
        recovery: Whether instances that do not come back are restarted.
        recovery_policy: The rules for restarting them.
        alerts: Targets of alerts in addition to the log.

    Raises:
        ConfigurationError: A value is out of range; ``variable`` names it.
    """

    enabled: Annotated[Switch, _env("ENABLED", SWITCH_RULE)] = True
    interval_ms: Annotated[Positive, _env("INTERVAL_MS", _WHOLE_MS)] = 5_000
    max_history: Annotated[Positive, _env("MAX_HISTORY", _COUNT)] = 1_000
    instances: Annotated[
        tuple[str, ...],
        BeforeValidator(_names),
        _env("INSTANCES", "names with commas between", "sales,support"),
    ] = ()
    window_ms: Annotated[Positive, _env("WINDOW_MS", _WHOLE_MS)] = 60_000
    probes: Annotated[ProbeOptions, SectionField()] = untouched(ProbeOptions)
    history: Annotated[HistoryOptions, SectionField()] = untouched(HistoryOptions)
    thresholds: Annotated[Thresholds, SectionField()] = untouched(Thresholds)
    recovery: Annotated[Switch, _env("RECOVERY", SWITCH_RULE)] = False
    recovery_policy: Annotated[RecoveryPolicy, SectionField()] = untouched(RecoveryPolicy)
    alerts: Annotated[AlertTargets, SectionField()] = untouched(AlertTargets)

    @field_validator("probes", "history", "thresholds", "recovery_policy", "alerts", mode="before")
    @classmethod
    def _group(cls, value: object) -> object:
        # pydantic hands the keys of a mapping to the constructor, which takes names only.
        if isinstance(value, dict):
            group = cast("dict[object, object]", value)
            if not all(isinstance(key, str) for key in group):
                raise ValueError("not a group of options")
            return group
        return value
