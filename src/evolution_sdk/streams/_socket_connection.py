"""One connection of the socket.io library, watched so that it cannot fall silent unnoticed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from importlib import import_module
from typing import Any

from ._authenticated_http import AuthenticatedHttp

_DISCONNECT = "1"
"""Beginning of socket.io's packet by which a server ends a namespace."""


class SocketConnection:
    """A client of the library; whatever stops it from receiving ends the connection.

    Args:
        socketio: The library.
        http: Makes its requests.
        namespace: The namespace to join.
        alive: Called for every sign of life of the server.

    Attributes:
        client: The library's client, for handlers and to connect.
        gone: Set when the connection is over, for any reason.
        broken: Class of the error that a packet of the server caused; None without one.
    """

    def __init__(
        self, socketio: Any, http: AuthenticatedHttp, namespace: str, alive: Callable[[], None]
    ) -> None:
        self.gone: asyncio.Event = asyncio.Event()
        self.broken: str | None = None
        self.client: Any = socketio.AsyncClient(
            reconnection=False, handle_sigint=False, http_session=http
        )
        self._namespace = namespace
        self._joined = False
        self._alive = alive
        engine = self.client.eio
        # Pings are the server's heartbeat, and the library offers no other way to see them.
        self._receive = engine._receive_packet
        engine._receive_packet = self._received
        # The library handles packets in tasks that nobody waits for: an error would be lost there.
        self._handle = engine.handlers["message"]
        engine.on("message", self._message)
        self.client.on("disconnect", self._ended, namespace=namespace)

    def watch(self) -> None:
        """Begin to watch, once connected: it ends with its reader, or with its namespace."""
        self._joined = True
        reader = self.client.eio.read_loop_task
        if reader is None or self._namespace not in self.client.namespaces:
            self.gone.set()
        else:
            reader.add_done_callback(self._ended)

    async def hang_up(self, timeout_s: float) -> None:
        """Disconnect, and clean up after the library, which leaves tasks behind a failed attempt.

        Args:
            timeout_s: Longest wait for the server, in seconds.
        """
        engine = self.client.eio
        try:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(timeout_s):
                    if engine.read_loop_task is None:  # disconnect() would wait for that task
                        await engine.disconnect(abort=True)
                    else:
                        await self.client.disconnect()
        finally:
            left = [each for each in (engine.read_loop_task, engine.write_loop_task) if each]
            for each in left:
                each.cancel()
            with contextlib.suppress(ValueError):
                import_module("engineio.base_client").connected_clients.remove(engine)
            await asyncio.gather(*left, return_exceptions=True)

    def _ended(self, *_: Any) -> None:
        self.gone.set()

    async def _received(self, packet: Any) -> None:
        self._alive()
        await self._receive(packet)

    async def _message(self, data: Any) -> None:
        try:
            # Unchecked, the library takes a text for the attachment it waits for, and bytes for a
            # packet.
            if isinstance(data, bytes) is not (self.client._binary_packet is not None):
                raise ValueError("an attachment is missing, or one too many")
            await self._handle(data)
        except Exception as error:  # noqa: BLE001  a packet may be anything
            self.broken = type(error).__name__
            self.gone.set()
            return
        left = isinstance(data, str) and data.startswith(_DISCONNECT)
        if left or (self._joined and self._namespace not in self.client.namespaces):
            self.gone.set()
