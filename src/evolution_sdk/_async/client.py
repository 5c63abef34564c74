"""The client: life cycle, options, instance handles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from evolution_sdk._base.pending_calls import tracked_class
from evolution_sdk._base.ports import SYSTEM_CLOCK, Clock
from evolution_sdk._client.observers import Observer
from evolution_sdk._client.services_door import services_module
from evolution_sdk._client.settings import (
    check_known_contacts,
    check_ports,
    check_transport,
    http_client_of,
    resolve_config,
    retry_service,
    transport_options,
)
from evolution_sdk._common.arguments import checked
from evolution_sdk.config import EvolutionConfig
from evolution_sdk.identity import LidMap
from evolution_sdk.identity.identities import AllLids
from evolution_sdk.operations.methods import operation_of
from evolution_sdk.operations.target import Target
from evolution_sdk.resilience import BreakerListener, BreakerSnapshot
from evolution_sdk.retry import EvolutionRetryService, RetryPolicy
from evolution_sdk.transport import HttpBackend

from ._seam import Later, Transport, open_transport
from .namespaces import AsyncFamilies, AsyncInstance
from .pipeline import Pipeline
from .ports import Ports

if TYPE_CHECKING:
    from evolution_sdk.events import Event, EventRouter
    from evolution_sdk.services import AsyncServices
    from evolution_sdk.tracking.contacts import KnownContacts

    from ._seam import HttpxClient
    from .resources.instances import AsyncInstancesApi
    from .resources.server import AsyncLicenseApi, AsyncServerApi


@tracked_class
@checked()
class AsyncEvolutionClient(AsyncFamilies):
    """A client of one Evolution API server.

    Use it as a context manager, or call :meth:`close` at the end. One client serves many tasks
    and instances at once.

    Args:
        base_url: The server's base URL. Default: ``EVOLUTION_API_URL``.
        api_key: The global key, or an instance's token. Default: ``EVOLUTION_API_KEY``.
        instance: The default instance. Default: ``EVOLUTION_INSTANCE``.
        server_version: Version of the server, such as ``2.3.7``, so that it need not be asked.
            Default: ``EVOLUTION_SERVER_VERSION``, else found out where it matters.
        config: All settings at once; the arguments above win over it. Default: the environment
            and ``.env``.
        retry: A policy, a service of your own (its metrics are then shared), or False for single
            attempts. Default: the settings.
        timeout_ms: Longest time of one attempt as a whole, in milliseconds. Default: by kind of
            operation, from the settings.
        http_backend: ``httpx``, ``httpx2`` or ``aiohttp``. Default: the settings.
        http_client: A ready-made client of ``httpx`` or ``httpx2`` to use; it is not closed.
        transport: The way to the server, instead of one over an HTTP library; it is closed with
            the client. See :mod:`evolution_sdk.transport`.
        clock: Tells the time, for tests and simulations. Default: this machine's clocks.
        sleep: Waits for some seconds, for tests and simulations. Default: the usual way. Waits
            for an event then last their whole time.
        lids: The map of hidden ids and phones, which learns from the server's answers and from
            verified events; it is not closed. Default: one in memory, or over the store that
            ``EVOLUTION_LID_STORE`` names.
        known_contacts: Chats that may be written to while new ones are paused (``on_refused`` of
            the rate limits), beside those that the client has seen: numbers and JIDs, or a quick
            function of instance and JID, which is asked for each id of the chat.

    Raises:
        ConfigurationError: A setting is missing or wrong; it names which, and how it should look.

    Attributes:
        config: The settings in force.
        retry: The retry service; ask it for metrics and subscribe to its events.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        instance: str | None = None,
        server_version: str | None = None,
        config: EvolutionConfig | None = None,
        retry: RetryPolicy | EvolutionRetryService | Literal[False] | None = None,
        timeout_ms: float | None = None,
        http_backend: HttpBackend | None = None,
        http_client: Any = None,
        transport: Transport | None = None,
        clock: Clock | None = None,
        sleep: Callable[[float], Later[object]] | None = None,
        lids: LidMap | None = None,
        known_contacts: KnownContacts | None = None,
    ) -> None:
        check_known_contacts(known_contacts)
        check_ports(transport, clock, sleep)
        self.config: EvolutionConfig = resolve_config(
            config, base_url, api_key, instance, server_version
        )
        ports = Ports(clock or SYSTEM_CLOCK, sleep)
        self.retry: EvolutionRetryService = retry_service(
            retry, self.config, ports.monotonic, async_sleep=sleep
        )
        if transport is None:
            transport = open_transport(transport_options(self.config, http_backend, http_client))
        else:
            check_transport(http_backend, http_client)
        source = "the api_key argument" if api_key is not None else "EVOLUTION_API_KEY"
        pipeline = Pipeline(
            self.config,
            transport,
            self.retry,
            ports,
            timeout_ms=timeout_ms,
            key_source=source,
            lids=lids,
            known_contacts=known_contacts,
        )
        self._services: AsyncServices | None = None
        super().__init__(pipeline, Target(self.config.instance))

    @cached_property
    def server(self) -> AsyncServerApi:
        """Methods about the server."""
        from .resources.server import AsyncServerApi

        return AsyncServerApi(self._pipeline, Target())

    @cached_property
    def license(self) -> AsyncLicenseApi:
        """Methods about the server's licence (2.4)."""
        from .resources.server import AsyncLicenseApi

        return AsyncLicenseApi(self._pipeline, Target())

    async def supports(self, method: str) -> bool:
        """Tell if the server has the route of a method.

        The version is asked with ``GET /`` where it is not known yet, once and for three seconds at
        most; a server that calls itself 2.3.7 and may be an early build of 2.4 is asked for a route
        as well. ``server_version=`` saves both.

        Args:
            method: Name of the method, such as ``messages.send_carousel``; also the key of an
                operation.

        Returns:
            True if it has. Where the version cannot be read: True for what every version 2 has.

        Raises:
            RequestValidationError: No method of the client has that name.
        """
        operation = operation_of(method)
        profile = await self._pipeline.probe.profile()
        if profile is not None and (operation.until or profile.lacks(operation) is not None):
            profile = await self._pipeline.probe.certain(self._target)
        return not operation.newer if profile is None else profile.lacks(operation) is None

    @property
    def server_version(self) -> str | None:
        """The version of the server as it was last told or fixed; None while it is not known."""
        return self._pipeline.parts.known_server.version

    @cached_property
    def instances(self) -> AsyncInstancesApi:
        """Methods about instances."""
        from .resources.instances import AsyncInstancesApi

        return AsyncInstancesApi(self._pipeline, self._target)

    @classmethod
    def from_env(cls, env_file: str | Path | None = ".env", **options: Any) -> Self:
        """Make a client from the environment and a ``.env`` file.

        The constructor without arguments does the same with the file ``.env``.

        Args:
            env_file: Path of the file, or None for no file. The default may be absent.
            **options: As of the constructor, but for ``config``; they win.

        Returns:
            The client. :meth:`start` opens what the settings switch on.

        Raises:
            ConfigurationError: A setting is missing or wrong; it names which.
        """
        given = {name: options.get(name) for name in ("base_url", "api_key", "instance")}
        return cls(config=EvolutionConfig.from_env(env_file, **given), **options)

    async def start(
        self, router: EventRouter | Callable[[Any], Any] | None = None
    ) -> AsyncServices:
        """Open what the settings switch on, wired to this client; :meth:`close` ends it.

        - ``EVOLUTION_STORE_MESSAGES``, ``…_MESSAGE_UP``, ``…_CONTACTS``: the archive, which keeps
          own sends and what events tell.
        - ``EVOLUTION_MONITORING_ENABLED`` (on by default): the monitor, at
          ``EVOLUTION_MONITORING_INTERVAL_MS``.
        - ``EVOLUTION_WEBHOOK_ENABLED``: the webhook is registered on the instance, or on all.
        - ``EVOLUTION_WEBSOCKET_ENABLED`` and ``EVOLUTION_RABBITMQ_URI``: events, of the instance
          or of all, to archive, monitor, whoever waits, and the router.

        Args:
            router: Who handles the events of the streams: a router, or a function of an event.
                Default: only the parts above.

        Returns:
            What runs: ``archive``, ``monitor``, ``streams``. A second call gives the same.

        Raises:
            ConfigurationError: A setting is missing or an extra is not installed. What had been
                begun is stopped again.
            EvolutionError: The server refused to list instances or to register the webhook.
        """
        if self._services is not None and not self._services.stopped:
            return self._services
        services: AsyncServices = services_module().AsyncServices(self, router)
        self._services = services
        self._pipeline.switched_on = None
        try:
            await services.start()
        except BaseException:
            self._services = None
            raise
        return services

    def instance(self, name: str, *, token: str | None = None) -> AsyncInstance:
        """A handle of one instance.

        Args:
            name: Its name.
            token: Its own key. Default: the client's key.

        Returns:
            A light object with the same families of methods; nothing is asked of the server.
        """
        return AsyncInstance(self._pipeline, Target(name, token))

    def observe(self, observer: Observer) -> Callable[[], None]:
        """Be told of every attempt and every finished call of this client.

        Args:
            observer: Takes an :class:`AttemptFinished` or a :class:`CallFinished`, in the task of
                the call and before it returns: keep it short. One that raises is logged and harms
                nothing.

        Returns:
            A function that ends it.
        """
        return self._pipeline.observers.add(observer)

    def observe_events(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """Be told of every event that is fed to this client; see :meth:`feed`.

        Args:
            listener: Takes a typed event, in the thread that feeds it: keep it short. An event that
                arrives twice is told twice. An error in it is logged.

        Returns:
            A function that ends it.

        Raises:
            ConfigurationError: ``listener`` cannot be called.
        """
        return self._pipeline.event_bus.listen(listener, replay=False)

    @property
    def lids(self) -> AllLids:
        """Pairs of hidden ids and phones that this client knows: ``client.lids.phone_of("…@lid")``.

        It is told by the server's answers and by events; pairs from events that are not verified
        are among them, but are never stored and make no lost message count as sent.
        """
        return self._pipeline.event_intake.lids

    def breakers(self) -> Mapping[str, BreakerSnapshot]:
        """Return the state of each circuit breaker.

        Returns:
            By scope: ``server``, and ``instance:<name>`` for each instance that has failed lately.
            Empty when breakers are off.
        """
        breakers = self._pipeline.parts.guards.breakers
        return MappingProxyType({}) if breakers is None else breakers.snapshot()

    def try_breaker(self, instance: str | None = None) -> bool:
        """Let an open circuit breaker try at once, since the other side was seen to be well.

        It half-opens: the usual number of trial calls decides. When they fail, it stays open for
        its full time, and only after that may be tried early again. The monitor does this after a
        good probe.

        Args:
            instance: Whose breaker; None for the server's.

        Returns:
            Whether one was open and lets calls through now; False when breakers are off.

        Raises:
            ConfigurationError: ``instance`` is no text.
        """
        breakers = self._pipeline.parts.guards.breakers
        return breakers is not None and breakers.try_early(instance)

    def resume_new_contacts(self, instance: str | None = None) -> bool:
        """End the pause of first messages to new chats before its time; see ``on_refused``.

        For whoever knows that WhatsApp's lock is over: a message that is refused again makes it
        last.

        Args:
            instance: Whose pause. Default: the client's instance.

        Returns:
            Whether there was one; its refusals are forgotten in any case.

        Raises:
            ConfigurationError: ``instance`` is no text.
        """
        pause, name = self._pipeline.parts.guards.pause, instance or self.config.instance or ""
        if pause is None:
            return False
        paused = pause.paused(name, self._pipeline.ports.wall()) is not None
        pause.lift(name)
        return paused

    def on_breaker_change(self, listener: BreakerListener) -> Callable[[], None]:
        """Call a function whenever a circuit opens, half-opens or closes.

        Args:
            listener: Is given a :class:`~evolution_sdk.resilience.BreakerChange`, in the thread
                or task of the call that caused it. What it raises is logged; the call goes on.

        Returns:
            A function that ends it.
        """
        breakers = self._pipeline.parts.guards.breakers
        return _nothing if breakers is None else breakers.listen(listener)

    def cache_clear(self) -> None:
        """Forget all answers that the cache keeps."""
        if self._pipeline.parts.guards.cache is not None:
            self._pipeline.parts.guards.cache.clear()

    def _acting_for(self, instance: str) -> AsyncFamilies:
        return self if instance in ("", self.config.instance) else self.instance(instance)

    @property
    def http_client(self) -> HttpxClient:
        """The httpx (or httpx2) client that calls are made with: our own, or ``http_client=``.

        Give it event hooks or authentication, or hand it to an instrumentation. Calls pass through
        it while anything of the kind is there; until then they go straight to its pool.

        Raises:
            ConfigurationError: The back-end is ``aiohttp``, which has none.
        """
        client: HttpxClient = http_client_of(self._pipeline.parts.transport)
        return client

    @property
    def closed(self) -> bool:
        """True once the client has been closed."""
        return self._pipeline.closed

    async def close(self) -> None:
        """End what :meth:`start` began, and close the connections.

        Calls afterwards raise ``ClientClosedError``.
        """
        services, self._services = self._services, None
        try:
            if services is not None:
                await services.stop()
        finally:
            await self._pipeline.close()

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


def _nothing() -> None:
    """Stand in for what ends a subscription, where there is none."""
