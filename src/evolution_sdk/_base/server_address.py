"""Telling if two URLs name one server: what its events say, and what the settings say."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

__all__ = ["is_same_server"]

_PORTS = {"http": 80, "https": 443}


def is_same_server(told: object, ours: str) -> bool:
    """Compare by scheme, host, port and path; case, default ports and slashes at the end are alike.

    Args:
        told: What an event says; anything but text is no server.
        ours: What it must be.
    """
    return isinstance(told, str) and _parts(told) == _parts(ours)


@lru_cache(maxsize=64)
def _parts(url: str) -> tuple[str, str, int | None, str]:
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return ("", url, None, "")
    scheme = parts.scheme.lower()
    return (scheme, host, port or _PORTS.get(scheme), parts.path.rstrip("/"))
