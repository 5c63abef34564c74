"""Options of a monitor: its ports to the outside world, and arguments that override settings."""

from __future__ import annotations

import random as _random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from evolution_sdk._base.ports import SYSTEM_CLOCK, Clock
from evolution_sdk._common.arguments import checked
from evolution_sdk.config import EvolutionConfig, MonitoringConfig
from evolution_sdk.config._monitoring import RecoveryPolicy
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.retry import RetryPolicy

from .process import ProcessSource
from .runner import ASYNC_SLEEP
from .sinks import HttpSink, LogSink, SendingClient, Sink, WhatsAppSink

__all__ = [
    "DEFAULT_DELIVERY",
    "MonitorPorts",
    "default_sinks",
    "recovery_policy",
    "require_not_negative",
    "require_positive",
    "watched_instances",
]

DEFAULT_DELIVERY: Final = RetryPolicy(
    max_attempts=6, delay_ms=2_000, backoff_factor=3, max_delay_ms=300_000
)
"""Attempts to deliver an alert: six within about ten minutes."""

_SYSTEM_RANDOM: Final = _random.SystemRandom()
# Below that, sums of seconds lose the value.
_SMALLEST: Final = 1e-6


@checked()
@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorPorts:
    """Ports of a monitor to the outside world; tests replace them.

    Attributes:
        clock: Time of the day, and seconds that never go back.
        sleep: Blocks the monitor's thread for some seconds. Default: a wait that stopping ends.
        async_sleep: Awaits some seconds, as ``asyncio.sleep``.
        random: Chance, from 0 to 1, for the waits of failing sinks.
        process: Source of memory and CPU use. Default: this process.
    """

    clock: Clock = SYSTEM_CLOCK
    sleep: Callable[[float], object] | None = None
    async_sleep: Callable[[float], Awaitable[object]] = ASYNC_SLEEP
    random: Callable[[], float] = _SYSTEM_RANDOM.random
    process: ProcessSource | None = None


def recovery_policy(
    given: RecoveryPolicy | bool | None, settings: MonitoringConfig
) -> RecoveryPolicy | None:
    """Choose the recovery policy.

    Args:
        given: A policy, a switch for that of the settings, or None for their switch, too.
        settings: The settings.

    Returns:
        The policy; None for no recovery.
    """
    if isinstance(given, RecoveryPolicy):
        return given
    wanted = settings.recovery if given is None else given
    return settings.recovery_policy if wanted else None


def default_sinks(config: EvolutionConfig, client: SendingClient) -> list[Sink]:
    """Make the sinks of the settings: the log, and the targets that are set.

    Args:
        config: The settings.
        client: The client that sends WhatsApp messages.

    Returns:
        The sinks.

    Raises:
        ConfigurationError: A number is set, and no instance to send from.
    """
    targets = config.monitoring.alerts
    # The log always: an alert that no target takes is still written down.
    sinks: list[Sink] = [LogSink()]
    if targets.url is not None:
        sinks.append(HttpSink(targets.url.get_secret_value()))
    if targets.number:
        instance = targets.instance or config.instance
        if instance is None:
            raise ConfigurationError(
                "EVOLUTION_MONITORING_ALERT_INSTANCE is missing: name the instance that sends "
                "alerts, or set EVOLUTION_INSTANCE.",
                variable="EVOLUTION_MONITORING_ALERT_INSTANCE",
            )
        sinks.append(WhatsAppSink(client, instance, targets.number))
    return sinks


def watched_instances(
    given: Sequence[str] | str | None, config: EvolutionConfig
) -> tuple[str, ...]:
    """Choose the instances to watch: the given ones, those of the settings, or else all.

    Args:
        given: One name or several; ``*`` for all.
        config: The settings, and the default instance.

    Returns:
        Their names.
    """
    # One name alone would be a sequence of letters.
    if isinstance(given, str):
        return (given,)
    if given is not None:
        return tuple(given)
    if config.monitoring.instances:
        return config.monitoring.instances
    return ("*",) if config.instance is None else (config.instance,)


def require_positive(name: str, value: float) -> float:
    """Refuse a value that is not above 0.

    Raises:
        ConfigurationError: It is 0, negative, or too small to count with.
    """
    if not value > _SMALLEST:
        raise ConfigurationError(f"{name} must be above 0, not {value!r}.", variable=name)
    return value


def require_not_negative(name: str, value: float) -> float:
    """Refuse a value below 0.

    Raises:
        ConfigurationError: It is negative.
    """
    if not value >= 0:
        raise ConfigurationError(f"{name} must be 0 or more, not {value!r}.", variable=name)
    return value
