"""A real socket.io server that behaves as the recordings show the Evolution API's to.

Facts: `facts/observed.md` "Websocket": the key is a header or a query value of the handshake,
refused with 403; an instance's namespace exists only once an event was emitted to it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import socketio
from aiohttp import web
from socketio.packet import CONNECT_ERROR

KEY = "global-key"


class Server:
    """The server side; ``emit`` tells an event as the recorded server does."""

    def __init__(self, *, global_events: bool = False, path: str = "socket.io") -> None:
        self.global_events = global_events
        self.path = path
        self.sio: Any = None
        self.asked: list[web.Request] = []
        self.refuse: str | None = None
        self.joined: list[str] = []
        self._runner: web.AppRunner | None = None
        self.port = 0
        self.restart()

    def restart(self) -> None:
        """Forget every namespace, as a process that starts anew."""
        self.sio = socketio.AsyncServer(
            async_mode="aiohttp", namespaces=["/"], ping_interval=0.1, ping_timeout=2
        )
        self._open("/")
        send = self.sio._send_packet

        async def in_its_words(eio_sid: str, packet: Any) -> None:
            if packet.packet_type == CONNECT_ERROR:
                packet.data = {"message": "Invalid namespace"}  # python-socketio has other words
            await send(eio_sid, packet)

        self.sio._send_packet = in_its_words

    def _open(self, namespace: str) -> None:
        """Make a namespace exist; before, joining it is refused with "Invalid namespace"."""

        async def connect(_sid: str, _environ: Any) -> None:
            self.joined.append(namespace)

        self.sio.on("connect", connect, namespace=namespace)
        if namespace not in self.sio.namespaces:
            self.sio.namespaces.append(namespace)

    async def _guard(self, request: web.Request, handler: Any) -> Any:
        self.asked.append(request)
        key = request.query.get("apikey") or request.headers.get("apikey")
        words = self.refuse or (
            "apiKey is required" if not key else "Invalid global token" if key != KEY else None
        )
        if words is not None:
            return web.json_response({"code": 4, "message": words}, status=403)
        return await handler(request)

    async def emit(self, envelope: Any) -> None:
        """Emit an envelope: globally where that is on, then to the instance's namespace."""
        if self.global_events:
            await self.sio.emit(envelope["event"], envelope, namespace="/")
        namespace = f"/{envelope['instance']}"
        self._open(namespace)
        await self.sio.emit(envelope["event"], envelope, namespace=namespace)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Serve on the same port as before, or on a free one."""

        @web.middleware
        async def guard(request: web.Request, handler: Any) -> Any:
            return await self._guard(request, handler)

        app = web.Application(middlewares=[guard])
        self.sio.attach(app, socketio_path=self.path)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Cut every connection, as a server that goes away does."""
        assert self._runner is not None
        for each in list(self.sio.eio.sockets.values()):
            await each.close(wait=False, abort=True)
        await self._runner.cleanup()


@asynccontextmanager
async def socket_server(**options: Any) -> AsyncIterator[Server]:
    server = Server(**options)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
