"""Services that run beside a client because the settings switch them on."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from evolution_sdk._base.handler_log import first_of
from evolution_sdk._common.arguments import checked
from evolution_sdk.archive import Archive
from evolution_sdk.config import EvolutionConfig
from evolution_sdk.config._switched_on import note_used
from evolution_sdk.errors import WaitTimeoutError
from evolution_sdk.events import Event
from evolution_sdk.monitor import EvolutionMonitorService
from evolution_sdk.streams import Stream, open_streams, run_in_thread
from evolution_sdk.streams._thread import StreamThread

if TYPE_CHECKING:
    from evolution_sdk import AsyncEvolutionClient, EvolutionClient
    from evolution_sdk.events import EventRouter

__all__ = ["AsyncServices", "Services"]

_log = logging.getLogger("evolution_sdk.services")
_PATIENCE_S = 30.0
"""So long the end waits for handlers; one that closes the client waits for itself."""
_BUSY = "a handler is still busy; its stream ends when it is done"


class _Distributor:
    """Gives each event of a stream to the archive, then to the router.

    Args:
        archive: Keeps it; None keeps nothing.
        monitor: Wants all events, which it hears from the client; None wants none.
        router: Handles it; None for no handler.
    """

    def __init__(
        self,
        archive: Archive | None,
        monitor: EvolutionMonitorService | None,
        router: EventRouter | Callable[[Any], Any] | None,
    ) -> None:
        self._archive = archive
        self._monitor = monitor
        self._router = router
        self._handler: Any = getattr(router, "dispatch", router)

    def used_events(self) -> list[str]:
        """The events to ask for: all of them, where more than the router wants them."""
        ask = getattr(self._router, "used_events", None)
        if ask is None or self._archive is not None or self._monitor is not None:
            return []
        used: list[str] = ask()
        return used

    async def dispatch(self, event: Event[Any]) -> None:
        """Hand an event on; what the router's handlers raise gets out, to be tried again."""
        if self._archive is not None:
            self._archive.record(event)
        if self._handler is None:
            return
        if inspect.iscoroutinefunction(self._handler):
            await self._handler(event)
            return
        result = await asyncio.to_thread(self._handler, event)
        if asyncio.iscoroutine(result):
            await result


def _has_streams(config: EvolutionConfig) -> bool:
    return config.websocket.enabled or config.rabbitmq.uri is not None


def _webhook_events(config: EvolutionConfig, router: Any) -> Any:
    """Those chosen in the settings, else those a router uses."""
    uses = callable(getattr(router, "used_events", None))
    return router if uses and not config.webhook.events else None


@checked()
class Services:
    """The services that run beside a client; made by ``client.start()``.

    Args:
        client: The client.
        router: Handles the events of the streams.

    Attributes:
        archive: The local backup; None when nothing is to be kept.
        monitor: The monitor; None when it is switched off.
        stopped: Whether :meth:`stop` was called; ``client.start()`` then begins anew.
    """

    def __init__(
        self,
        client: EvolutionClient,
        router: EventRouter | Callable[[Any], Any] | None = None,
    ) -> None:
        self._client = client
        self._router = router
        self._thread: StreamThread | None = None
        self._undo = ExitStack()
        self.stopped: bool = False
        self.archive: Archive | None = None
        self.monitor: EvolutionMonitorService | None = None

    @property
    def streams(self) -> list[Stream]:
        """The streams that are switched on; they run in a thread of their own."""
        return [] if self._thread is None else list(self._thread.streams)

    @property
    def error(self) -> BaseException | None:
        """The error that ended the streams, such as a refused key; None while all is well."""
        error = None if self._thread is None else self._thread.error
        return None if error is None else first_of(error)

    def start(self) -> None:
        """Open what is switched on.

        Raises:
            EvolutionError: A part could not be opened; what had been begun is stopped again.
        """
        try:
            self._start()
        except BaseException:
            self._undo.close()
            raise

    def _start(self) -> None:
        client, config, undo = self._client, self._client.config, self._undo
        note_used("archive", "monitor", "rabbitmq", "webhook", "websocket")
        self.archive = Archive.from_config(config)
        if self.archive is not None:
            undo.callback(self.archive.close)
            self.archive.messages(limit=1)  # a file that cannot be opened is told now
            undo.callback(client.observe(self.archive.observe))
        if config.monitoring.enabled:
            self.monitor = EvolutionMonitorService(client)
            undo.callback(self.monitor.close)
            self.monitor.start_monitoring()
        if config.webhook.enabled:
            events = _webhook_events(config, self._router)
            named = [config.instance] if config.instance else _names(client.instances.fetch())
            for name in named:
                client.instance(name).webhook.sync(events)
        if _has_streams(config):
            to = _Distributor(self.archive, self.monitor, self._router)
            self._thread = run_in_thread(partial(open_streams, client, to))
            undo.callback(self._stop_streams)

    def _stop_streams(self) -> None:
        if self._thread is None:
            return
        try:
            self._thread.stop(_PATIENCE_S * 1_000)
        except WaitTimeoutError:
            _log.warning(_BUSY)

    def stop(self) -> None:
        """Stop the streams, finish what they began, stop the monitor, close the archive."""
        self.stopped = True
        self._undo.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@checked()
class AsyncServices:
    """The services that run beside an async client; made by ``await client.start()``.

    Args:
        client: The client.
        router: Handles the events of the streams.

    Attributes:
        archive: The local backup; None when nothing is to be kept.
        monitor: The monitor; None when it is switched off.
        streams: The streams that are switched on; each runs in a task.
        stopped: Whether :meth:`stop` was called; ``client.start()`` then begins anew.
    """

    def __init__(
        self,
        client: AsyncEvolutionClient,
        router: EventRouter | Callable[[Any], Any] | None = None,
    ) -> None:
        self._client = client
        self._router = router
        self._tasks: list[asyncio.Task[None]] = []
        self._undo = AsyncExitStack()
        self.stopped: bool = False
        self.archive: Archive | None = None
        self.monitor: EvolutionMonitorService | None = None
        self.streams: list[Stream] = []

    @property
    def error(self) -> BaseException | None:
        """The error that ended a stream, such as a refused key; None while all is well."""
        ended = (task for task in self._tasks if task.done() and not task.cancelled())
        return next((error for task in ended if (error := task.exception()) is not None), None)

    async def start(self) -> None:
        """Open what is switched on.

        Raises:
            EvolutionError: A part could not be opened; what had been begun is stopped again.
        """
        try:
            await self._start()
        except BaseException:
            await self._undo.aclose()
            raise

    async def _start(self) -> None:
        client, config, undo = self._client, self._client.config, self._undo
        note_used("archive", "monitor", "rabbitmq", "webhook", "websocket")
        self.archive = Archive.from_config(config)
        if self.archive is not None:
            undo.push_async_callback(asyncio.to_thread, self.archive.close)
            # A file that cannot be opened is told now.
            await asyncio.to_thread(self.archive.messages, limit=1)
            undo.callback(client.observe(self.archive.observe))
        if config.monitoring.enabled:
            self.monitor = EvolutionMonitorService(client)
            undo.push_async_exit(self.monitor)
            self.monitor.start_monitoring()
        if config.webhook.enabled:
            events = _webhook_events(config, self._router)
            named = [config.instance] if config.instance else _names(await client.instances.fetch())
            for name in named:
                await client.instance(name).webhook.sync(events)
        if _has_streams(config):
            to = _Distributor(self.archive, self.monitor, self._router)
            self.streams = open_streams(client, to)
            for stream in self.streams:
                task = asyncio.ensure_future(stream.run())
                task.add_done_callback(partial(_ended, stream.name))
                self._tasks.append(task)
            undo.push_async_callback(self._stop_streams)

    async def _stop_streams(self) -> None:
        for stream in self.streams:
            stream.stop()
        if self._tasks and (await asyncio.wait(self._tasks, timeout=_PATIENCE_S))[1]:
            _log.warning(_BUSY)

    async def stop(self) -> None:
        """Stop the streams, finish what they began, stop the monitor, close the archive."""
        self.stopped = True
        await self._undo.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


def _ended(name: str, task: asyncio.Task[None]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        _log.error("the stream %s has ended with %s", name, type(error).__name__)


def _names(rows: Any) -> list[str]:
    return [name for row in rows if (name := getattr(row, "name", ""))]
