"""The kernel as an ASGI application, for uvicorn."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from .control.server import Control
from .delivery import sockets
from .delivery.sockets import FakeSockets
from .kernel import Kernel
from .reply import Cut, Reply, text_reply

Scope: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[dict[str, Any]]]
Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]

KEEP_ALIVE_S = 5
"""Seconds after which idle connections are closed; Node's default, which the server keeps."""

_NO_SOCKET = (
    "FakeEvolution sends events over socket.io only with python-socketio: "
    "pip install 'evolutionapi-sdk[socketio]'."
)


class FakeApp:
    """The fake as an ASGI application, for uvicorn only.

    Args:
        kernel: Answers the requests.
        control: Answers those under ``/_fake/``.
        sockets: Serves ``/socket.io/``.
        real_delays: Really wait instead of moving the clock.
    """

    def __init__(
        self, kernel: Kernel, control: Control, sockets: FakeSockets, *, real_delays: bool = False
    ) -> None:
        self._kernel = kernel
        self._control = control
        self._sockets = sockets
        self.real_delays = real_delays

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request, or serve one websocket."""
        # The lifespan messages are switched off in serve.py.
        if self._sockets.on and scope["path"].startswith(sockets.PATH) and sockets.available():
            await self._sockets(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        body = await _read(receive)
        # The raw path, because the router has to see percent-encoded slashes in instance names.
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        query: bytes = scope.get("query_string", b"")
        target = raw.decode("latin-1") + (f"?{query.decode('latin-1')}" if query else "")
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        reply = await self._answer(scope["method"], target, headers, body)
        if reply.hold_ms:
            await self._hold(reply.hold_ms)
        if reply.cut is not Cut.NONE:
            # A cut connection has no answer. The message read here is the disconnect, after which
            # uvicorn is content with an application that returns without having answered.
            _hang_up(send)
            await receive()
            return
        # uvicorn does not write these by itself; a client's pool goes by the time-out in them.
        extra = [
            (b"content-length", str(len(reply.body)).encode()),
            (b"connection", b"keep-alive"),
            (b"keep-alive", f"timeout={KEEP_ALIVE_S}".encode()),
        ]
        named = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in reply.headers]
        start = {"type": "http.response.start", "status": reply.status, "headers": named + extra}
        await send(start)
        await send({"type": "http.response.body", "body": reply.body})

    async def _answer(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> Reply:
        if Control.owns(target):
            # In a thread: it may deliver webhooks, whose receivers call the fake meanwhile.
            return await asyncio.to_thread(self._control.handle, method, target, headers, body)
        if self._sockets.on and target.startswith(sockets.PATH):
            return text_reply(501, _NO_SOCKET, "text/plain")
        return self._kernel.handle(method, target, headers, body)

    async def _hold(self, hold_ms: float) -> None:
        if self.real_delays:
            await asyncio.sleep(hold_ms / 1000)
        else:
            self._kernel.server.clock.advance(hold_ms)


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(body)
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


def _hang_up(send: Send) -> None:
    """Break the connection: uvicorn's ``send`` is a method of the object that owns it."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise RuntimeError("only uvicorn lets the fake break a connection")
    # Abort, not close: nothing that uvicorn has buffered may still go out.
    transport.abort()
