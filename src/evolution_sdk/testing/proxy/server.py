"""A listener on 127.0.0.1 with an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from .connection import Answer, Connection

_BACKLOG = 512


class Listener:
    """Serves connections in a thread between :meth:`start` and :meth:`stop`.

    Args:
        answer: Answers one request.
        port: 0 takes a free one.
        closed: Awaited in the thread's loop, when no connection is left.
    """

    def __init__(self, answer: Answer, port: int, closed: Callable[[], Awaitable[None]]) -> None:
        self._answer = answer
        self._port = port
        self._closed = closed
        self._connections: set[asyncio.Task[Any]] = set()
        self._ready = threading.Event()
        self._problem: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="fault-proxy", daemon=True)

    def start(self) -> int:
        """Begin to listen.

        Returns:
            The port.

        Raises:
            OSError: The port cannot be had.
        """
        self._thread.start()
        self._ready.wait()
        if self._problem is not None:
            self._thread.join()
            raise self._problem
        return self._port

    def stop(self) -> None:
        """Cut every connection and end the thread."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        try:
            server = await asyncio.start_server(
                self._serve, "127.0.0.1", self._port, backlog=_BACKLOG
            )
        except BaseException as problem:  # noqa: BLE001 - raised again where it was asked for
            self._problem = problem
            return
        else:
            self._port = server.sockets[0].getsockname()[1]
        finally:
            self._ready.set()
        await self._stop.wait()
        server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await server.wait_closed()
        await self._closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs this as a task
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        # Only stopping cancels; a task left cancelled would be logged as an error by asyncio.
        with contextlib.suppress(asyncio.CancelledError):
            await Connection(reader, writer, self._answer).serve()
