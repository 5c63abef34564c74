"""What the monitor service does."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator

from ._base import SWITCH_RULE, Positive, Section, Switch, Variable
from ._urls import split_url, wrong

_MS_RULE = "milliseconds, a whole number of 1 or more"
_SHARE_RULE = "a share above 0 and at most 1"


def _names(value: object) -> object:
    """Names with commas between them."""
    if isinstance(value, str):
        return tuple(dict.fromkeys(name for part in value.split(",") if (name := part.strip())))
    return value


Share = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]


class MonitoringConfig(Section):
    """What the monitor service does.

    Attributes:
        enabled: Whether monitoring is wanted.
        interval_ms: Time between two checks, in milliseconds.
        max_history: Most records kept.
        instances: The instances to watch; ``*`` for all. Empty: the default instance.
        window_ms: How far back calls count for health, in milliseconds.
        probe_timeout_ms: Longest wait for the answer of a probe, in milliseconds.
        history_path: SQLite file that keeps the records over restarts, or None.
        history_retention_ms: How long that file keeps them, in milliseconds.
        degraded_response_ms: Degraded above this mean response time, in milliseconds.
        unhealthy_response_ms: Unhealthy above this mean response time, in milliseconds.
        degraded_p95_response_ms: Degraded above this 95th percentile of response time, in
            milliseconds. None: three times the mean's limit.
        unhealthy_p95_response_ms: Unhealthy above this one, in milliseconds. None: likewise.
        degraded_error_rate: Degraded above this share of failed requests.
        unhealthy_error_rate: Unhealthy above this share of failed requests.
        degraded_retry_success_rate: Degraded when fewer of the retried calls succeed.
        unhealthy_retry_success_rate: Unhealthy when fewer of the retried calls succeed.
        deep_probe: Whether sockets are probed by setting the presence to unavailable.
        deep_probe_interval_ms: How often, per instance, in milliseconds.
        recovery: Whether instances that do not come back are restarted.
        recovery_max_restarts: Most restarts per instance and hour.
        alert_url: Where alerts are posted as JSON; secret, since such URLs hold tokens. Or None.
        alert_number: WhatsApp number that gets alerts, or None.
        alert_instance: The instance that sends them. None: the default instance.
    """

    enabled: Annotated[Switch, Variable("EVOLUTION_MONITORING_ENABLED", SWITCH_RULE, "true")] = True
    interval_ms: Annotated[
        Positive, Variable("EVOLUTION_MONITORING_INTERVAL_MS", _MS_RULE, "5000")
    ] = 5000
    max_history: Annotated[
        Positive,
        Variable("EVOLUTION_MONITORING_MAX_HISTORY", "a whole number of 1 or more", "1000"),
    ] = 1000
    instances: Annotated[
        tuple[str, ...],
        BeforeValidator(_names),
        Variable("EVOLUTION_MONITORING_INSTANCES", "names with commas between", "sales,support"),
    ] = ()
    window_ms: Annotated[
        Positive, Variable("EVOLUTION_MONITORING_WINDOW_MS", _MS_RULE, "60000")
    ] = 60_000
    probe_timeout_ms: Annotated[
        Positive, Variable("EVOLUTION_MONITORING_PROBE_TIMEOUT_MS", _MS_RULE, "5000")
    ] = 5_000
    history_path: Annotated[
        str | None,
        Variable("EVOLUTION_MONITORING_HISTORY_PATH", "the path of a file", "monitor.sqlite3"),
    ] = None
    history_retention_ms: Annotated[
        Positive, Variable("EVOLUTION_MONITORING_HISTORY_RETENTION_MS", _MS_RULE, "2592000000")
    ] = 2_592_000_000
    degraded_response_ms: Annotated[
        Positive, Variable("EVOLUTION_MONITORING_DEGRADED_RESPONSE_MS", _MS_RULE, "500")
    ] = 500
    unhealthy_response_ms: Annotated[
        Positive, Variable("EVOLUTION_MONITORING_UNHEALTHY_RESPONSE_MS", _MS_RULE, "1000")
    ] = 1_000
    degraded_p95_response_ms: Annotated[
        Positive | None, Variable("EVOLUTION_MONITORING_DEGRADED_P95_RESPONSE_MS", _MS_RULE, "1500")
    ] = None
    unhealthy_p95_response_ms: Annotated[
        Positive | None,
        Variable("EVOLUTION_MONITORING_UNHEALTHY_P95_RESPONSE_MS", _MS_RULE, "3000"),
    ] = None
    degraded_error_rate: Annotated[
        Share, Variable("EVOLUTION_MONITORING_DEGRADED_ERROR_RATE", _SHARE_RULE, "0.2")
    ] = 0.2
    unhealthy_error_rate: Annotated[
        Share, Variable("EVOLUTION_MONITORING_UNHEALTHY_ERROR_RATE", _SHARE_RULE, "0.5")
    ] = 0.5
    degraded_retry_success_rate: Annotated[
        Share, Variable("EVOLUTION_MONITORING_DEGRADED_RETRY_SUCCESS_RATE", _SHARE_RULE, "0.8")
    ] = 0.8
    unhealthy_retry_success_rate: Annotated[
        Share, Variable("EVOLUTION_MONITORING_UNHEALTHY_RETRY_SUCCESS_RATE", _SHARE_RULE, "0.5")
    ] = 0.5
    deep_probe: Annotated[
        Switch, Variable("EVOLUTION_MONITORING_DEEP_PROBE", SWITCH_RULE, "false")
    ] = False
    deep_probe_interval_ms: Annotated[
        Positive, Variable("EVOLUTION_MONITORING_DEEP_PROBE_INTERVAL_MS", _MS_RULE, "300000")
    ] = 300_000
    recovery: Annotated[Switch, Variable("EVOLUTION_MONITORING_RECOVERY", SWITCH_RULE, "false")] = (
        False
    )
    recovery_max_restarts: Annotated[
        Positive,
        Variable("EVOLUTION_MONITORING_RECOVERY_MAX_RESTARTS", "a whole number of 1 or more", "3"),
    ] = 3
    alert_url: Annotated[
        SecretStr | None,
        Variable(
            "EVOLUTION_MONITORING_ALERT_URL", "an http(s) URL", "https://alerts.example.com/hook",
            secret=True,
        ),
    ] = None  # fmt: skip
    alert_number: Annotated[
        str | None,
        Variable("EVOLUTION_MONITORING_ALERT_NUMBER", "a phone number", "5511999999999"),
    ] = None
    alert_instance: Annotated[
        str | None, Variable("EVOLUTION_MONITORING_ALERT_INSTANCE", "a name", "alerts")
    ] = None

    @field_validator("alert_url")
    @classmethod
    def _alert_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            split_url(
                value.get_secret_value(), _variable("alert_url"),
                example="https://alerts.example.com/hook",
            )  # fmt: skip
        return value

    @model_validator(mode="after")
    def _fits(self) -> MonitoringConfig:
        pairs = (
            ("degraded_response_ms", "unhealthy_response_ms"),
            ("degraded_error_rate", "unhealthy_error_rate"),
            ("unhealthy_retry_success_rate", "degraded_retry_success_rate"),
        )
        for lower, upper in pairs:
            if getattr(self, lower) > getattr(self, upper):
                problem = f"must not be above {_variable(upper)}"
                raise wrong(_variable(lower), problem, str(getattr(self, upper)))
        p95 = self.degraded_p95_response_ms, self.unhealthy_p95_response_ms
        degraded = 3 * self.degraded_response_ms if p95[0] is None else p95[0]
        unhealthy = 3 * self.unhealthy_response_ms if p95[1] is None else p95[1]
        if degraded > unhealthy:
            least = f"{unhealthy:g}, which {_variable('unhealthy_p95_response_ms')} comes to"
            name = "unhealthy" if p95[0] is None else "degraded"
            raise wrong(
                _variable(f"{name}_p95_response_ms"),
                f"must not be above {least}" if name == "degraded"
                else f"must not be below {degraded:g}, three times the degraded mean",
                f"{unhealthy:g}",
            )  # fmt: skip
        return self


def _variable(name: str) -> str:
    return f"EVOLUTION_MONITORING_{name.upper()}"
