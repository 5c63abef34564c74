"""From arguments and settings to the parts of a monitor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from evolution_sdk.config import EvolutionConfig, MonitoringConfig
from evolution_sdk.errors import ConfigurationError

from .recovery import RecoveryPolicy
from .sinks import HttpSink, LogSink, Sink, WhatsAppSink
from .thresholds import Thresholds

__all__ = [
    "ClientNow",
    "breaker_causes",
    "breaker_states",
    "first",
    "in_flight",
    "not_negative",
    "policy_from",
    "positive",
    "sinks_from",
    "thresholds_from",
    "watched_from",
]


_SMALLEST = 1e-6  # below that, sums of seconds lose it


class ClientNow:
    """Stands for a client that may be made anew, such as the monitor's own.

    Args:
        client: Gives the client of the moment.
    """

    def __init__(self, client: Callable[[], Any]) -> None:
        self._client = client

    def instance(self, name: str) -> Any:
        """A handle of an instance."""
        return self._client().instance(name)


def thresholds_from(config: MonitoringConfig) -> Thresholds:
    """The thresholds of the settings."""
    return Thresholds(
        degraded_response_ms=config.degraded_response_ms,
        unhealthy_response_ms=config.unhealthy_response_ms,
        degraded_p95_response_ms=config.degraded_p95_response_ms,
        unhealthy_p95_response_ms=config.unhealthy_p95_response_ms,
        degraded_error_rate=config.degraded_error_rate,
        unhealthy_error_rate=config.unhealthy_error_rate,
        degraded_retry_success_rate=config.degraded_retry_success_rate,
        unhealthy_retry_success_rate=config.unhealthy_retry_success_rate,
    )


def policy_from(
    given: RecoveryPolicy | bool | None, config: MonitoringConfig
) -> RecoveryPolicy | None:
    """The recovery policy: as given, or by the settings; None is no recovery."""
    if isinstance(given, RecoveryPolicy):
        return given
    wanted = config.recovery if given is None else given
    return RecoveryPolicy(max_restarts=config.recovery_max_restarts) if wanted else None


def sinks_from(config: EvolutionConfig, client: Any) -> list[Sink]:
    """The sinks of the settings: the log, and what else is set.

    Raises:
        ConfigurationError: Nothing says which instance sends the alerts.
    """
    monitoring = config.monitoring
    sinks: list[Sink] = [LogSink()]
    if monitoring.alert_url is not None:
        sinks.append(HttpSink(monitoring.alert_url.get_secret_value()))
    if monitoring.alert_number:
        instance = monitoring.alert_instance or config.instance
        if instance is None:
            raise ConfigurationError(
                "EVOLUTION_MONITORING_ALERT_INSTANCE is missing: which instance sends alerts?",
                variable="EVOLUTION_MONITORING_ALERT_INSTANCE",
            )
        sinks.append(WhatsAppSink(client, instance, monitoring.alert_number))
    return sinks


def watched_from(given: Sequence[str] | str | None, config: EvolutionConfig) -> tuple[str, ...]:
    """The instances to watch: as given, by the settings, the default instance, or else all."""
    if isinstance(given, str):
        return (given,)
    if given is not None:
        return tuple(given)
    if config.monitoring.instances:
        return config.monitoring.instances
    return ("*",) if config.instance is None else (config.instance,)


def first(given: float | None, default: float) -> float:
    """What was given, be it 0; else the default."""
    return default if given is None else given


def positive(name: str, value: float) -> float:
    """Refuse what is not above zero.

    Raises:
        ConfigurationError: It is not.
    """
    if not value > _SMALLEST:
        raise ConfigurationError(f"{name} must be above 0, not {value!r}.", variable=name)
    return value


def not_negative(name: str, value: float) -> float:
    """Refuse what is below zero.

    Raises:
        ConfigurationError: It is.
    """
    if not value >= 0:
        raise ConfigurationError(f"{name} must be 0 or more, not {value!r}.", variable=name)
    return value


def breaker_states(client: Any) -> Mapping[str, str]:
    """How a client's circuit breakers stand, by scope; none when it has none."""
    ask = getattr(client, "breakers", None)
    if not callable(ask):
        return {}
    found: Any = ask()
    states = {str(scope): getattr(each, "state", None) for scope, each in found.items()}
    return {scope: str(getattr(state, "value", state)) for scope, state in states.items()}


def breaker_causes(client: Any) -> Mapping[str, str]:
    """What opened a client's circuit breakers, in words, by scope."""
    ask = getattr(client, "breakers", None)
    found: Any = ask() if callable(ask) else {}
    causes = {str(scope): getattr(each, "reason", "") for scope, each in found.items()}
    return {scope: cause for scope, cause in causes.items() if isinstance(cause, str) and cause}


def in_flight(client: Any) -> int | None:
    """A client's calls under way; None when it does not tell."""
    retry: Any = getattr(client, "retry", None)
    return int(retry.get_active_requests()) if hasattr(retry, "get_active_requests") else None
