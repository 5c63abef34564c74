"""The client: life cycle, options, instance handles."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from evolution_sdk._core.settings import resolve_config, retry_service, transport_options
from evolution_sdk.config import EvolutionConfig
from evolution_sdk.retry import EvolutionRetryService, RetryPolicy
from evolution_sdk.transport import HttpBackend

from ._seam import open_transport
from .caller import Caller, Target
from .families import AsyncFamilies, AsyncInstance
from .resources.instances import AsyncInstancesApi
from .resources.server import AsyncServerApi

if TYPE_CHECKING:
    from evolution_sdk.events import Event

    from .event_actions import AsyncEventActions


class AsyncEvolutionClient(AsyncFamilies):
    """A client of one Evolution API server.

    Use it as a context manager, or call :meth:`close` at the end. One client serves many tasks
    and instances at once.

    Args:
        base_url: The server's base URL. Default: ``EVOLUTION_API_URL``.
        api_key: The global key, or an instance's token. Default: ``EVOLUTION_API_KEY``.
        instance: The default instance. Default: ``EVOLUTION_INSTANCE``.
        config: All settings at once; the arguments above win over it. Default: the environment
            and ``.env``.
        retry: A policy, a service of your own (its metrics are then shared), or False for single
            attempts. Default: the settings.
        timeout_ms: Longest wait for the answer of one attempt, in milliseconds. Default: by kind
            of operation, from the settings.
        http_backend: ``httpx`` or ``aiohttp``. Default: the settings.
        http_client: A ready-made client of ``httpx`` or ``httpx2`` to use; it is not closed.

    Raises:
        ConfigurationError: A setting is missing or wrong; it names which, and how it should look.

    Attributes:
        config: The settings in force.
        retry: The retry service; ask it for metrics and subscribe to its events.
        server: Methods about the server.
        instances: Methods about instances.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        instance: str | None = None,
        config: EvolutionConfig | None = None,
        retry: RetryPolicy | EvolutionRetryService | Literal[False] | None = None,
        timeout_ms: float | None = None,
        http_backend: HttpBackend | None = None,
        http_client: Any = None,
    ) -> None:
        self.config: EvolutionConfig = resolve_config(config, base_url, api_key, instance)
        self.retry: EvolutionRetryService = retry_service(retry, self.config)
        transport = open_transport(transport_options(self.config, http_backend, http_client))
        caller = Caller(self.config, transport, self.retry, timeout_ms=timeout_ms)
        super().__init__(caller, Target(self.config.instance))
        self.server: AsyncServerApi = AsyncServerApi(caller, Target())
        self.instances: AsyncInstancesApi = AsyncInstancesApi(caller, self._target)

    def instance(self, name: str, *, token: str | None = None) -> AsyncInstance:
        """A handle of one instance.

        Args:
            name: Its name.
            token: Its own key. Default: the client's key.

        Returns:
            A light object with the same families of methods; nothing is asked of the server.
        """
        return AsyncInstance(self._caller, Target(name, token))

    def event_actions(self, event: Event[Any]) -> AsyncEventActions:
        """What can be done about an event; ``event.actions(…)`` and ``event.bind(…)`` come here.

        Args:
            event: The event.

        Returns:
            Its actions, for the instance that it names, else for the default one.
        """
        if event.instance in ("", self.config.instance):
            return super().event_actions(event)
        return self.instance(event.instance).event_actions(event)

    @property
    def closed(self) -> bool:
        """Whether the client has been closed."""
        return self._caller.closed

    async def close(self) -> None:
        """Close the connections. Calls afterwards raise ``ClientClosedError``."""
        await self._caller.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.config.base_url!r}, instance={self.config.instance!r})"
