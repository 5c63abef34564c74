"""Every adapter behind one async ``send``, so that a behaviour is tested once for all of them."""

from __future__ import annotations

import asyncio
import inspect
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import httpx
import httpx2

from evolution_sdk._base.request import Request, Response, Timeouts
from evolution_sdk.transport import TransportOptions, open_async_transport, open_sync_transport

# aiohttp-long: as with an aiohttp whose inner parts are not those we know.
# httpx-whole: with an event hook, so that calls take the whole way through the httpx client.
# httpx2 likewise.
HTTPX = ("httpx", "httpx2")
OWN_ASYNC = ("httpx", "httpx-whole", "httpx2", "httpx2-whole", "aiohttp", "aiohttp-long")
OWN_SYNC = ("httpx-sync", "httpx-whole-sync", "httpx2-sync", "httpx2-whole-sync")
OWN = (*OWN_ASYNC, *OWN_SYNC)
READY_ASYNC = ("ready-httpx", "ready-httpx2")
READY_SYNC = ("ready-httpx-sync", "ready-httpx2-sync")
ASYNC = (*OWN_ASYNC, *READY_ASYNC)
EVERY = (*OWN, *READY_ASYNC, *READY_SYNC)

_READY: dict[str, Any] = {
    "ready-httpx": httpx.AsyncClient,
    "ready-httpx2": httpx2.AsyncClient,
    "ready-httpx-sync": httpx.Client,
    "ready-httpx2-sync": httpx2.Client,
}


class Adapter:
    """One transport of either kind, used from async code."""

    def __init__(self, kind: str, **options: Any) -> None:
        self.client: Any = None
        self._undo = ExitStack()
        if kind in _READY:
            self.client = _READY[kind](**options)
            settings = TransportOptions(http_client=self.client)
        else:
            backend: Any = kind.partition("-")[0]
            settings = TransportOptions(backend, **options)
        opener = open_sync_transport if kind.endswith("-sync") else open_async_transport
        self.transport: Any = opener(settings)
        self.hooked = 0
        if "-whole" in kind:
            hook = self._count if kind.endswith("-sync") else self._acount
            self.transport.http_client.event_hooks = {"request": [hook]}
        if kind == "aiohttp-long":
            target = "evolution_sdk.transport.aiohttp_async.is_possible"
            self._undo.enter_context(patch(target, return_value=False))

    def _count(self, _: Any) -> None:
        self.hooked += 1

    async def _acount(self, _: Any) -> None:
        self.hooked += 1

    async def send(self, request: Request) -> Response:
        if inspect.iscoroutinefunction(self.transport.send):
            return await self.transport.send(request)
        return await asyncio.to_thread(self.transport.send, request)

    async def close(self) -> None:
        self._undo.close()
        await _maybe(self.transport.close())
        if self.client is not None:
            closer = "aclose" if hasattr(self.client, "aclose") else "close"
            await _maybe(getattr(self.client, closer)())


async def _maybe(result: Any) -> None:
    if inspect.isawaitable(result):
        await result


def make_request(url: str, *, exact: bool = False, **changes: Any) -> Request:
    """A small POST with a short patience, so that a hanging test fails soon."""
    values: dict[str, Any] = {
        "method": "POST",
        "url": url if exact else f"{url}/message/sendText/bot",
        "headers": {"apikey": "s3cret-key", "content-type": "application/json"},
        "timeouts": Timeouts(5_000, 5_000, 5_000, 5_000),
        "content": b'{"text":"s3cret-text"}',
    }
    return Request(**{**values, **changes})
