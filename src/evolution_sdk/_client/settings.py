"""From the arguments of a client to the settings in force."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from inspect import iscoroutinefunction
from typing import Any, Literal

from evolution_sdk.config import EvolutionConfig
from evolution_sdk.config._switched_on import note_used
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.identity import LidMap
from evolution_sdk.retry import EvolutionRetryService, RetryPolicy
from evolution_sdk.retry.service import RetryServiceOptions
from evolution_sdk.retry.settings import budget_of
from evolution_sdk.transport import HttpBackend, TransportOptions

from .options import ONCE


def resolve_config(
    config: EvolutionConfig | None,
    base_url: str | None,
    api_key: str | None,
    instance: str | None,
    server_version: str | None = None,
) -> EvolutionConfig:
    """Settings from a config or the environment, with the arguments on top.

    Raises:
        ConfigurationError: Something is missing or wrong.
    """
    if config is None:
        config = EvolutionConfig.from_env(base_url=base_url, api_key=api_key, instance=instance)
    else:
        given = {"base_url": base_url, "api_key": api_key, "instance": instance}
        changes = {name: value for name, value in given.items() if value is not None}
        config = config.replace(**changes) if changes else config
    if server_version is not None:
        config = config.replace(server_version=server_version)
    if config.webhook.enabled and not config.webhook.global_url:
        raise ConfigurationError(
            "EVOLUTION_WEBHOOK_ENABLED is on, but there is no address to register. Set "
            "EVOLUTION_WEBHOOK_GLOBAL_URL, for example https://hooks.example.com/evolution.",
            variable="EVOLUTION_WEBHOOK_GLOBAL_URL",
        )
    return config


def check_transport(backend: HttpBackend | None, http_client: object) -> None:
    """Refuse what a transport of the caller's own makes pointless.

    Raises:
        ConfigurationError: A back-end or an HTTP client is given beside it.
    """
    if backend is not None or http_client is not None:
        raise ConfigurationError(
            "Give transport, or http_backend or http_client, not both: a transport is the way "
            "to the server.",
            variable="transport",
        )


def check_known_contacts(known: object) -> None:
    """Refuse what names no contacts.

    Raises:
        ConfigurationError: It is neither a function nor a collection of texts.
    """
    if iscoroutinefunction(known):
        # What it returns would count as a yes, for everybody.
        raise ConfigurationError(
            "known_contacts: must be a quick function, not a coroutine function: no event waits "
            "for it.",
            variable="known_contacts",
        )
    if known is None or callable(known):
        return
    if isinstance(known, str | bytes) or not isinstance(known, Collection):
        raise ConfigurationError(
            "known_contacts: must be a collection of numbers and JIDs, or a function of instance "
            "and JID.",
            variable="known_contacts",
        )


def check_ports(transport: object, clock: object, sleep: object) -> None:
    """Refuse ways out that lack what the client calls.

    Raises:
        ConfigurationError: One lacks a method, or cannot be called.
    """
    for name, value, methods in (
        ("transport", transport, ("send", "close")),
        ("clock", clock, ("time", "monotonic")),
    ):
        lacks = [each for each in methods if not callable(getattr(value, each, None))]
        if value is not None and lacks:
            raise ConfigurationError(f"{name}: must have {lacks[0]}().", variable=name)
    if sleep is not None and not callable(sleep):
        raise ConfigurationError(
            "sleep: must be a function that waits for some seconds.", variable="sleep"
        )


def transport_options(
    config: EvolutionConfig, backend: HttpBackend | None, http_client: Any
) -> TransportOptions:
    """Return the options of connections; a ready-made client keeps its proxy and TLS settings.

    Raises:
        ConfigurationError: A back-end is asked for next to a ready-made client.
    """
    if http_client is not None:
        if backend is not None:
            raise ConfigurationError(
                "Give http_backend or http_client, not both: a ready-made client is the back-end.",
                variable="http_backend",
            )
        return TransportOptions(http_client=http_client)
    http = config.http
    return TransportOptions(
        backend=backend or http.backend,
        proxy=None if http.proxy is None else http.proxy.get_secret_value(),
        verify=http.tls_verify,
    )


def http_client_of(transport: object) -> Any:
    """Find the httpx client of a transport.

    Raises:
        ConfigurationError: It has none.
    """
    client = getattr(transport, "http_client", None)
    if client is None:
        raise ConfigurationError(
            "There is no httpx client: the back-end is aiohttp. Use http_backend='httpx'.",
            variable="http_backend",
        )
    return client


def stored_lids(config: EvolutionConfig) -> LidMap | None:
    """Return a map of hidden ids over the store that the settings name; None if they name none.

    Raises:
        ConfigurationError: The store cannot be used.
    """
    if config.lid_store is None:
        return None
    from evolution_sdk.identity.lid_stores import lid_store_at

    return LidMap(store=lid_store_at(config.lid_store.get_secret_value()))


def retry_service(
    retry: RetryPolicy | EvolutionRetryService | Literal[False] | None,
    config: EvolutionConfig,
    clock: Callable[[], float],
    sleep: Callable[[float], object] | None = None,
    async_sleep: Callable[[float], Awaitable[object]] | None = None,
) -> EvolutionRetryService:
    """Return the service of a client: one that was passed in, or a new one.

    Args:
        retry: The caller's choice; a service keeps its own clock and sleep.
        config: The settings.
        clock: Seconds that never go back.
        sleep: Blocks for some seconds. Default: ``time.sleep``.
        async_sleep: Awaits some seconds. Default: ``asyncio.sleep``.
    """
    if isinstance(retry, EvolutionRetryService):
        return retry
    options: RetryServiceOptions = {"clock": clock}
    if sleep is not None:
        options["sleep"] = sleep
    if async_sleep is not None:
        options["async_sleep"] = async_sleep
    if retry is False:
        return EvolutionRetryService.from_policy(ONCE, **options)
    options["budget"] = budget_of(config.retry)
    if retry is None:
        return EvolutionRetryService.from_config(config.retry, **options)
    return EvolutionRetryService.from_policy(retry, **options)


def configured_webhook(config: EvolutionConfig) -> dict[str, Any] | None:
    """The webhook that the settings ask to register on instances, or None."""
    webhook = config.webhook
    if not webhook.enabled:
        return None
    note_used("webhook")
    return {"url": webhook.global_url, "events": webhook.events}
