"""A listener on 127.0.0.1 with an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from .connection import Answer, Connection

_BACKLOG = 512


class Listener:
    """Serves connections in a thread between :meth:`start` and :meth:`stop`.

    Args:
        answer: Answers one request.
        port: Port to listen on; 0 takes a free one.
        closed: Awaited in the thread's loop, when no connection is left.
    """

    def __init__(self, answer: Answer, port: int, closed: Callable[[], Awaitable[None]]) -> None:
        self._answer = answer
        self._port = port
        self._closed = closed
        self._connections: set[asyncio.Task[Any]] = set()
        self._ready = threading.Event()
        self._problem: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="fault-proxy", daemon=True)

    def start(self) -> int:
        """Start to listen.

        Returns:
            The port.

        Raises:
            OSError: The port is not free.
        """
        self._thread.start()
        self._ready.wait()
        if self._problem is not None:
            # The thread has ended already; joining it leaves nothing behind.
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
        # Made in the thread, where the loop is: another thread only calls it.
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        # The protocol is named so that asyncio switches Nagle's algorithm off.
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
            try:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(("127.0.0.1", self._port))
                listener.listen(_BACKLOG)
                listener.setblocking(False)
                self._port = listener.getsockname()[1]
            except OSError as problem:
                self._problem = problem
                return
            finally:
                self._ready.set()
            self._loop.add_reader(listener, self._accept, listener)
            await self._stop.wait()
            self._loop.remove_reader(listener)
        # Cut, not drained: a connection that is held back by a delay would keep a test waiting.
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._closed()

    def _accept(self, listener: socket.socket) -> None:
        """Accept one connection, and keep it from the first moment on."""
        try:
            # Not asyncio.start_server: on stop it loses connections that it is just accepting.
            client, _ = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        client.setblocking(False)
        task = self._loop.create_task(self._serve(client))
        self._connections.add(task)

        def over(done: asyncio.Task[None]) -> None:
            self._connections.discard(done)
            client.close()  # also where it was cancelled before it had begun

        task.add_done_callback(over)

    async def _serve(self, client: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=client)
        await Connection(reader, writer, self._answer).serve()
