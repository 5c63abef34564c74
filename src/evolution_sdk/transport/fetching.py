"""Requests to a fetcher of media files: plain data, no HTTP library."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from evolution_sdk._base.request import Response

__all__ = ["AsyncFetches", "AsyncSink", "Fetch", "Judge", "SyncFetches", "SyncSink"]

Judge = Callable[[str], str | None]
"""Returns the purpose of an address that is not public, else None; see ``purpose_of``."""

AsyncSink = Callable[[bytes], Awaitable[None]]
"""Takes the pieces of a file, async."""

SyncSink = Callable[[bytes], None]
"""Takes the pieces of a file, blocking."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """One file to get, without redirects.

    Attributes:
        url: Its URL, encoded.
        trusted: True if the user named its host, so that any address and a proxy are allowed.
        limit_bytes: Most bytes of content.
        connect_ms: Longest wait for a connection, in milliseconds.
        total_ms: Longest time for the whole fetch, in milliseconds.
    """

    url: str
    trusted: bool
    limit_bytes: int
    connect_ms: float
    total_ms: float


class AsyncFetches(Protocol):
    """Fetches media files, async."""

    async def get(self, fetch: Fetch) -> Response:
        """Get one response; a redirect is not followed."""
        ...

    async def stream(self, fetch: Fetch, sink: AsyncSink) -> Response:
        """Get one response, and hand the file over piece by piece."""
        ...


class SyncFetches(Protocol):
    """Fetches media files, blocking."""

    def get(self, fetch: Fetch) -> Response:
        """Get one response; a redirect is not followed."""
        ...

    def stream(self, fetch: Fetch, sink: SyncSink) -> Response:
        """Get one response, and hand the file over piece by piece."""
        ...
