"""EvolutionConfig, which holds every setting of a client."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self, cast

from pydantic import SecretStr, field_validator

from evolution_sdk._common.arguments import checked_call
from evolution_sdk.errors import ConfigurationError, RequestValidationError
from evolution_sdk.identity import check_country_code

from ._base import Section, SectionField, Variable, check_key, untouched
from ._console import ConsoleConfig
from ._environment import read_settings
from ._media import MediaConfig
from ._monitoring import MonitoringConfig
from ._outbox import OutboxConfig
from ._rabbitmq import RabbitmqConfig
from ._resilience import BreakerConfig, BulkheadConfig, CacheConfig, RateLimitConfig
from ._retry import RetryConfig
from ._sections import (
    AuthenticationConfig,
    HttpConfig,
    StoreConfig,
    TimeoutConfig,
    WebsocketConfig,
)
from ._urls import BASE_URL_EXAMPLE, normalize_base_url, split_url, wrong
from ._variables import know_settings, variable_paths
from ._webhook import WebhookConfig

SectionValues = Mapping[str, Any]

# As GET / of the server tells it: 2.3.7, 2.4.0-rc2.
_VERSION = re.compile(r"v?[0-9]{1,6}(\.[0-9]{1,6}){0,2}([-+][A-Za-z0-9.+-]*)?")


class EvolutionConfig(Section):
    """Every setting of a client: validated when built, frozen, and without secrets in its repr.

    ``EvolutionConfig.from_env()`` reads the environment and a ``.env`` file; the constructor reads
    neither. A section may be an object or a mapping of its fields.

    Attributes:
        base_url: URL of the server, without a trailing slash.
        api_key: The global key of that server or an instance token.
        instance: Name of the default instance, or None.
        default_country_code: Country code, such as ``55``, for phone numbers given without one;
            None (default) takes every number as complete. Numbers with ``+`` or ``00``, JIDs,
            groups and ``PhoneNumber`` objects stay as they are.
        server_version: Version of the server, such as ``2.3.7``; None (default) to let the client
            ask where it matters.
        server_url: The server's public URL, which ``server_url`` in its events must equal, or None.
        lid_store: Where the pairs of hidden ids and phones are kept: the path of a SQLite file, or
            the URL of a PostgreSQL or Redis (extras ``postgres``, ``redis``); secret, since it may
            contain a password. None (default) for memory only.
        authentication: The server's own credentials.
        retry: Retries of failed calls.
        monitoring: The monitor service.
        webhook: The webhook through which the server reports events.
        store: The contents of the local backup.
        websocket: The server's socket.
        rabbitmq: The broker to which the server writes its events.
        timeout: Limits of one attempt.
        http: Connections to the server.
        breaker: Conditions under which calls are refused, because they have been failing.
        rate_limit: Pace of messages.
        bulkhead: Limit of calls in flight.
        outbox: Messages that are written down before they are sent.
        console: The live console.
        cache: Answers kept for a while.
        media: Treatment of files given as URLs.

    Raises:
        ConfigurationError: A value is missing or wrong. The error names the variable and the
            problem, and gives a valid example.
    """

    base_url: Annotated[
        str, Variable("EVOLUTION_API_URL", "an http(s) URL", BASE_URL_EXAMPLE, secret=True)
    ]
    api_key: Annotated[
        SecretStr,
        Variable("EVOLUTION_API_KEY", "printable ASCII without blanks", "your-key", secret=True),
    ]
    instance: Annotated[str | None, Variable("EVOLUTION_INSTANCE", "a name", "sales")] = None
    default_country_code: Annotated[
        str | None, Variable("EVOLUTION_DEFAULT_COUNTRY_CODE", "1 to 3 digits", "55")
    ] = None
    server_version: Annotated[
        str | None, Variable("EVOLUTION_SERVER_VERSION", "a version of the server", "2.3.7")
    ] = None
    server_url: Annotated[
        str | None,
        Variable(
            "EVOLUTION_SERVER_URL", "an http(s) URL", "https://evolution.example.com", secret=True
        ),
    ] = None
    lid_store: Annotated[
        SecretStr | None,
        Variable(
            "EVOLUTION_LID_STORE",
            "the path of a file, or a postgresql:// or redis:// URL",
            "/var/lib/bot/lids.db",
            secret=True,
        ),
    ] = None
    authentication: Annotated[AuthenticationConfig, SectionField()] = untouched(
        AuthenticationConfig
    )
    retry: Annotated[RetryConfig, SectionField()] = untouched(RetryConfig)
    monitoring: Annotated[MonitoringConfig, SectionField()] = untouched(MonitoringConfig)
    webhook: Annotated[WebhookConfig, SectionField()] = untouched(WebhookConfig)
    store: Annotated[StoreConfig, SectionField()] = untouched(StoreConfig)
    websocket: Annotated[WebsocketConfig, SectionField()] = untouched(WebsocketConfig)
    rabbitmq: Annotated[RabbitmqConfig, SectionField()] = untouched(RabbitmqConfig)
    timeout: Annotated[TimeoutConfig, SectionField()] = untouched(TimeoutConfig)
    http: Annotated[HttpConfig, SectionField()] = untouched(HttpConfig)
    breaker: Annotated[BreakerConfig, SectionField()] = untouched(BreakerConfig)
    rate_limit: Annotated[RateLimitConfig, SectionField()] = untouched(RateLimitConfig)
    bulkhead: Annotated[BulkheadConfig, SectionField()] = untouched(BulkheadConfig)
    outbox: Annotated[OutboxConfig, SectionField()] = untouched(OutboxConfig)
    console: Annotated[ConsoleConfig, SectionField()] = untouched(ConsoleConfig)
    cache: Annotated[CacheConfig, SectionField()] = untouched(CacheConfig)
    media: Annotated[MediaConfig, SectionField()] = untouched(MediaConfig)

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | SecretStr | None = None,
        *,
        instance: str | None = None,
        default_country_code: str | None = None,
        server_version: str | None = None,
        server_url: str | None = None,
        lid_store: str | SecretStr | None = None,
        authentication: AuthenticationConfig | SectionValues | None = None,
        retry: RetryConfig | SectionValues | None = None,
        monitoring: MonitoringConfig | SectionValues | None = None,
        webhook: WebhookConfig | SectionValues | None = None,
        store: StoreConfig | SectionValues | None = None,
        websocket: WebsocketConfig | SectionValues | None = None,
        rabbitmq: RabbitmqConfig | SectionValues | None = None,
        timeout: TimeoutConfig | SectionValues | None = None,
        http: HttpConfig | SectionValues | None = None,
        breaker: BreakerConfig | SectionValues | None = None,
        rate_limit: RateLimitConfig | SectionValues | None = None,
        bulkhead: BulkheadConfig | SectionValues | None = None,
        outbox: OutboxConfig | SectionValues | None = None,
        console: ConsoleConfig | SectionValues | None = None,
        cache: CacheConfig | SectionValues | None = None,
        media: MediaConfig | SectionValues | None = None,
        **unknown: Any,
    ) -> None:
        values: dict[str, Any] = {
            "base_url": base_url,
            "api_key": api_key,
            "instance": instance,
            "default_country_code": default_country_code,
            "server_version": server_version,
            "server_url": server_url,
            "lid_store": lid_store,
            "authentication": authentication,
            "retry": retry,
            "monitoring": monitoring,
            "webhook": webhook,
            "store": store,
            "websocket": websocket,
            "rabbitmq": rabbitmq,
            "timeout": timeout,
            "http": http,
            "breaker": breaker,
            "rate_limit": rate_limit,
            "bulkhead": bulkhead,
            "outbox": outbox,
            "console": console,
            "cache": cache,
            "media": media,
        }
        for name, value in values.items():
            if isinstance(value, Mapping) and not _has_names(cast("Mapping[Any, Any]", value)):  # type: ignore[redundant-cast]
                raise wrong(name, "must have the names of its settings as keys", "{}")
        given = {
            # A section is read from a dict only; see SectionField.
            name: dict(cast("SectionValues", value)) if isinstance(value, Mapping) else value
            for name, value in values.items()
            if value is not None
        }
        super().__init__(**given, **unknown)

    @field_validator("base_url")
    @classmethod
    def _base_url(cls, value: str) -> str:
        return normalize_base_url(value, "EVOLUTION_API_URL")

    @field_validator("api_key", mode="before")
    @classmethod
    def _api_key(cls, value: object) -> object:
        return check_key(value, "EVOLUTION_API_KEY")

    @field_validator("instance")
    @classmethod
    def _instance(cls, value: str | None) -> str | None:
        return (value or "").strip() or None

    @field_validator("default_country_code", mode="before")
    @classmethod
    def _country_code(cls, value: object) -> object:
        if not isinstance(value, str) or not value.strip():
            return None if value is None or value == "" else value
        try:
            return check_country_code(value, "default_country_code")
        except RequestValidationError as error:
            raise ValueError(error.rule) from None

    @field_validator("server_version")
    @classmethod
    def _server_version(cls, value: str | None) -> str | None:
        text = (value or "").strip()
        if text and _VERSION.fullmatch(text) is None:
            raise ValueError("must be a version of the server")
        return text or None

    @field_validator("lid_store")
    @classmethod
    def _lid_store(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().strip():
            raise wrong("EVOLUTION_LID_STORE", "must not be empty", "/var/lib/bot/lids.db")
        return value

    @field_validator("server_url")
    @classmethod
    def _server_url(cls, value: str | None) -> str | None:
        if not value or not value.strip():
            return None
        split_url(value, "EVOLUTION_SERVER_URL", example="https://evolution.example.com")
        return value.strip().rstrip("/")

    @property
    def server_key(self) -> SecretStr:
        """The key for routes that need the global key, such as creating an instance."""
        return self.authentication.api_key or self.api_key

    @classmethod
    @checked_call()
    def from_env(
        cls,
        env_file: str | Path | None = ".env",
        *,
        environ: Mapping[str, str] | None = None,
        base_url: str | None = None,
        api_key: str | SecretStr | None = None,
        instance: str | None = None,
    ) -> Self:
        """Read the settings from the environment and a ``.env`` file.

        The process environment wins over the file, and an argument over both. A value may be
        quoted, end in a comment (`` # …``) and refer to other variables of either place
        (``${NAME}``, or ``${NAME:-default}``). An empty value counts as not set.

        Args:
            env_file: Path of the file, or None for no file. The default ``.env`` may be absent;
                any other file must exist.
            environ: The environment. Default: that of the process.
            base_url: Value to use instead of ``EVOLUTION_API_URL``.
            api_key: Value to use instead of ``EVOLUTION_API_KEY``.
            instance: Value to use instead of ``EVOLUTION_INSTANCE``.

        Returns:
            The configuration.

        Raises:
            ConfigurationError: A value is missing or wrong, a reference leads nowhere or in a
                circle, or the file cannot be read.
        """
        process = os.environ if environ is None else environ
        values, misspelt = read_settings(variable_paths(), env_file, process)
        chosen = {"base_url": base_url, "api_key": api_key, "instance": instance}
        values.update({k: v for k, v in chosen.items() if v is not None})
        try:
            return cls(**values)
        except ConfigurationError as error:
            given = misspelt.get(error.variable or "")
            if given is None:
                raise
            # The missing setting was probably meant by the misspelt name: say so first.
            words = f"{given} is not a setting; did you mean {error.variable}? {error}"
            raise ConfigurationError(words, variable=error.variable) from None

    def replace(self, **changes: Any) -> Self:
        """Make a copy with other values, checked like a new one.

        Args:
            **changes: Fields by name. A mapping for a section changes only the fields it names;
                None restores the default.

        Returns:
            The new configuration.

        Raises:
            ConfigurationError: A value is wrong or a name unknown.
        """
        return super().replace(**changes)


def _has_names(section: Mapping[Any, Any]) -> bool:
    return all(isinstance(key, str) for key in section)


know_settings(EvolutionConfig)
