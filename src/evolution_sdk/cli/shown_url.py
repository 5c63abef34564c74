"""URLs as they may be shown."""

from __future__ import annotations

from urllib.parse import urlsplit

__all__ = ["shown_url"]


def shown_url(url: str) -> str:
    """Return a URL as it may be shown: without user, password and query, which may hold secrets.

    Args:
        url: The URL.
    """
    try:
        parts = urlsplit(url)
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        return "…"
    host = parts.hostname or ""
    user = "…@" if "@" in parts.netloc else ""
    query = "?…" if parts.query else ""
    return f"{parts.scheme}://{user}{f'[{host}]' if ':' in host else host}{port}{parts.path}{query}"
