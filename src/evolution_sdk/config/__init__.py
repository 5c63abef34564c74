"""Settings: :class:`EvolutionConfig` from arguments, or from the environment and ``.env``."""

from ._config import EvolutionConfig, variable_paths
from ._rabbitmq import RabbitmqConfig
from ._sections import (
    AuthenticationConfig,
    HttpConfig,
    MonitoringConfig,
    RetryConfig,
    StoreConfig,
    TimeoutConfig,
    WebsocketConfig,
)
from ._urls import normalize_base_url
from ._webhook import WEBHOOK_EVENTS, WebhookConfig

__all__ = [
    "WEBHOOK_EVENTS",
    "AuthenticationConfig",
    "EvolutionConfig",
    "HttpConfig",
    "MonitoringConfig",
    "RabbitmqConfig",
    "RetryConfig",
    "StoreConfig",
    "TimeoutConfig",
    "WebhookConfig",
    "WebsocketConfig",
    "normalize_base_url",
    "variable_paths",
]
