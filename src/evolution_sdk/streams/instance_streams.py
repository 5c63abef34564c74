"""One stream for each instance of a server, as instances come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, ClassVar, Unpack

from evolution_sdk._base.forking import abandon
from evolution_sdk._common.arguments import checked
from evolution_sdk.errors import AuthenticationError, ConfigurationError

from ._stream import ConnectionLostError, Stream, StreamOptions, StreamTarget


@checked()
class InstanceStreams(Stream):
    """Runs a stream for each instance, and asks for the list of instances from time to time.

    It is what :func:`open_streams` makes where no instance is named and the server has no global
    mode. A new instance gets its stream with the next list; the stream of a deleted one is stopped.

    Args:
        to: Takes the events; the streams share it. See :class:`Stream`.
        names: Asks for the names of all instances.
        make: Makes the stream of one instance.
        every_ms: Time between two lists, in milliseconds. Default: a minute.
        **options: See :class:`StreamOptions`. ``on_state`` is told of its own states only, and
            ``reconnect`` gives the waits after a list that could not be had.

    Attributes:
        streams: The present streams, by name of the instance.
    """

    kind: ClassVar[str] = "instances"

    def __init__(
        self,
        to: StreamTarget,
        names: Callable[[], Awaitable[Iterable[str]]],
        make: Callable[[str], Stream],
        *,
        every_ms: float = 60_000,
        **options: Unpack[StreamOptions],
    ) -> None:
        super().__init__(to, **options)
        if every_ms <= 0:
            raise ConfigurationError("every_ms must be above 0", variable="every_ms")
        self._names = names
        self._make = make
        self._every_ms = every_ms
        self._begin_empty()

    def _begin_empty(self) -> None:
        self.streams: dict[str, Stream] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def _begin_anew(self) -> None:
        abandon(*self._tasks.values())
        super()._begin_anew()
        self._begin_empty()

    async def _session(self) -> None:
        try:
            await self._look()
            self._up()
            while not self._stopping.is_set():
                await self._rest()
                if not self._stopping.is_set():
                    await self._look()
        finally:
            await self._let_go(list(self._tasks))

    async def _look(self) -> None:
        """Start the streams of new instances, and stop those of deleted ones."""
        try:
            found = set(await self._names())
        except (AuthenticationError, ConfigurationError):
            raise  # a refused key stays refused
        except Exception as error:
            if self._tasks:  # the streams that run go on; the next list may be had
                self._trouble.trouble(
                    "look", "%s: not listed (%s)", self.name, type(error).__name__
                )
                return
            raise ConnectionLostError(
                f"the instances were not listed ({type(error).__name__})"
            ) from error
        self._trouble.over("look", "%s: listed again", self.name)
        self._alive()
        # Namespace and queues of a deleted instance bring nothing more.
        await self._let_go([name for name in self._tasks if name not in found])
        for name in sorted(found - self._tasks.keys()):
            stream = self.streams[name] = self._make(name)
            self._tasks[name] = asyncio.ensure_future(stream.run())

    async def _rest(self) -> None:
        """Wait for the next list; a stream that ended by itself ends all, with its error."""
        nap = asyncio.ensure_future(self._pause(self._every_ms))
        # A stream that was stopped by hand has ended without an error, and must not end the wait.
        running = set(self._tasks.values())
        try:
            while not nap.done():
                ended, running = await asyncio.wait(
                    {nap, *running}, return_when=asyncio.FIRST_COMPLETED
                )
                running.discard(nap)
                # result() raises the error that ended the stream.
                for task in ended - {nap}:
                    task.result()
        finally:
            nap.cancel()
            await asyncio.gather(nap, return_exceptions=True)

    async def _let_go(self, names: Iterable[str]) -> None:
        ending: list[asyncio.Task[Any]] = []
        for name in names:
            self.streams.pop(name).stop()
            ending.append(self._tasks.pop(name))
        # All are told to stop before the first is waited for: their handlers end side by side.
        await asyncio.gather(*ending, return_exceptions=True)
