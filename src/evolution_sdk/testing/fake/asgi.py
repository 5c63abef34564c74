"""The kernel as an ASGI application, written for uvicorn."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from .reply import Cut
from .shell import Shell

Scope: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[dict[str, Any]]]
Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]

KEEP_ALIVE_S = 5
"""Node's default: idle connections are closed after this."""


class FakeApp:
    """ASGI application.

    Args:
        shell: The kernel and how to wait for it.
    """

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            return
        body = await _read(receive)
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        query: bytes = scope.get("query_string", b"")
        target = raw.decode("latin-1") + (f"?{query.decode('latin-1')}" if query else "")
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        reply = self._shell.kernel.handle(scope["method"], target, headers, body)
        if reply.hold_ms:
            await self._hold(reply.hold_ms)
        if reply.cut is not Cut.NONE:
            _hang_up(send)
            await receive()
            return
        extra = [
            (b"content-length", str(len(reply.body)).encode()),
            (b"connection", b"keep-alive"),
            (b"keep-alive", f"timeout={KEEP_ALIVE_S}".encode()),
        ]
        named = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in reply.headers]
        start = {"type": "http.response.start", "status": reply.status, "headers": named + extra}
        await send(start)
        await send({"type": "http.response.body", "body": reply.body})

    async def _hold(self, hold_ms: float) -> None:
        if self._shell.real_delays:
            await asyncio.sleep(hold_ms / 1000)
        else:
            self._shell.clock.advance(hold_ms)


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
    transport.abort()
