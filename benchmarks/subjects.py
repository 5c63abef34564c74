"""What is measured: small callables, each sending one text message and reading its answer.

The raw ones do what a user of the bare library writes. Ours is the whole client: the request is
validated, retried if need be, counted, and the answer comes back as a typed model.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import aiohttp
import httpx

from evolution_sdk import AsyncEvolutionClient, EvolutionClient, EvolutionConfig
from evolution_sdk.transport import HttpBackend

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
    config = EvolutionConfig(base_url, HEADERS["apikey"])
    async with AsyncEvolutionClient(
        config=config, instance="bench", http_backend=backend
    ) as client:
        yield lambda: client.messages.send_text(**MESSAGE)


@contextmanager
def our_sync(base_url: str) -> Iterator[SyncCall]:
    config = EvolutionConfig(base_url, HEADERS["apikey"])
    with EvolutionClient(config=config, instance="bench") as client:
        yield lambda: client.messages.send_text(**MESSAGE)
