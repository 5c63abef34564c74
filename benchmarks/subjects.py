"""What is measured: small callables, each sending one text message and reading its answer.

The raw ones do what a user of the bare library writes. To measure the whole client instead of
the transport, replace the body of ``our_async`` and ``our_sync``; nothing else changes.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import aiohttp
import httpx

from evolution_sdk._core.request import Request, Timeouts
from evolution_sdk.transport import (
    HttpBackend,
    TransportOptions,
    open_async_transport,
    open_sync_transport,
)

AsyncCall = Callable[[], Awaitable[Any]]
SyncCall = Callable[[], Any]

PATH = "/message/sendText/bench"
MESSAGE = {"number": "5511987654321", "text": "hello"}
HEADERS = {"apikey": "benchmark-key"}
CONNECTIONS = 200  # so that nobody opens connections anew; httpx's pool is better off with fewer


@asynccontextmanager
async def raw_httpx(base_url: str) -> AsyncIterator[AsyncCall]:
    # Its default limits (100 connections, 20 kept) suit it best: with more it gets slower.
    async with httpx.AsyncClient() as client:

        async def call() -> Any:
            return (await client.post(base_url + PATH, json=MESSAGE, headers=HEADERS)).json()

        yield call


@asynccontextmanager
async def raw_aiohttp(base_url: str) -> AsyncIterator[AsyncCall]:
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def call() -> Any:
            async with session.post(base_url + PATH, json=MESSAGE, headers=HEADERS) as answer:
                return await answer.json()

        yield call


@contextmanager
def raw_httpx_sync(base_url: str) -> Iterator[SyncCall]:
    with httpx.Client() as client:
        yield lambda: client.post(base_url + PATH, json=MESSAGE, headers=HEADERS).json()


@asynccontextmanager
async def our_async(base_url: str, backend: HttpBackend) -> AsyncIterator[AsyncCall]:
    transport = open_async_transport(TransportOptions(backend, max_connections=CONNECTIONS))
    try:

        async def call() -> Any:
            return json.loads((await transport.send(_request(base_url))).body)

        yield call
    finally:
        await transport.close()


@contextmanager
def our_sync(base_url: str) -> Iterator[SyncCall]:
    transport = open_sync_transport()
    try:
        yield lambda: json.loads(transport.send(_request(base_url)).body)
    finally:
        transport.close()


def _request(base_url: str) -> Request:
    return Request(
        method="POST",
        url=base_url + PATH,
        headers={**HEADERS, "content-type": "application/json"},
        timeouts=Timeouts(),
        content=json.dumps(MESSAGE).encode(),
    )
