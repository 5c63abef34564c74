"""Settings: :class:`EvolutionConfig` from arguments, or from the environment and ``.env``."""

from evolution_sdk._base.public import publish

from ._config import EvolutionConfig
from ._console import ConsoleConfig
from ._media import MediaConfig
from ._monitoring import MonitoringConfig
from ._outbox import OutboxConfig
from ._rabbitmq import RabbitmqConfig
from ._resilience import BreakerConfig, BulkheadConfig, CacheConfig, RateLimitConfig
from ._retry import Jitter, RetryConfig
from ._sections import (
    AuthenticationConfig,
    HttpConfig,
    StoreConfig,
    TimeoutConfig,
    WebsocketConfig,
)
from ._urls import normalize_base_url
from ._variables import variable_paths
from ._webhook import WEBHOOK_EVENTS, WebhookConfig

__all__ = [
    "WEBHOOK_EVENTS",
    "AuthenticationConfig",
    "BreakerConfig",
    "BulkheadConfig",
    "CacheConfig",
    "ConsoleConfig",
    "EvolutionConfig",
    "HttpConfig",
    "Jitter",
    "MediaConfig",
    "MonitoringConfig",
    "OutboxConfig",
    "RabbitmqConfig",
    "RateLimitConfig",
    "RetryConfig",
    "StoreConfig",
    "TimeoutConfig",
    "WebhookConfig",
    "WebsocketConfig",
    "normalize_base_url",
    "variable_paths",
]

publish(__name__, __all__)
