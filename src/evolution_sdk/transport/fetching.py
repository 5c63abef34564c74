"""Requests to a fetcher of foreign files: plain data, no HTTP library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from evolution_sdk._base.request import Response

__all__ = ["AsyncFetches", "Fetch", "Judge", "SyncFetches"]

Judge = Callable[[str], str | None]
"""Says what an address is for, if it is not a public one; see ``purpose_of``."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """One file to get, without redirects.

    Attributes:
        url: Where it is, encoded.
        trusted: Whether its host was named by the user, so that any address and a proxy will do.
        limit_bytes: Most bytes of content.
        connect_ms: Longest wait for a connection, in milliseconds.
        total_ms: Longest time for all of it, in milliseconds.
    """

    url: str
    trusted: bool
    limit_bytes: int
    connect_ms: float
    total_ms: float


class AsyncFetches(Protocol):
    """Gets files from elsewhere, async."""

    async def get(self, fetch: Fetch) -> Response:
        """Get one answer; a redirect is not followed."""
        ...


class SyncFetches(Protocol):
    """Gets files from elsewhere, blocking."""

    def get(self, fetch: Fetch) -> Response:
        """Get one answer; a redirect is not followed."""
        ...
