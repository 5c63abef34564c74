"""The files of the page, which the wheel holds: a fixed list, read once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Final

from .access import Scope, headers_of
from .http import NOT_FOUND, Reply

__all__ = ["INDEX", "page"]

INDEX: Final = "index.html"

_TYPES: Final[Mapping[str, str]] = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}


@lru_cache(maxsize=1)
def _pages() -> Mapping[str, tuple[bytes, str, str]]:
    """Read the files: body, type and tag by name. A name that is not here is not served."""
    found: dict[str, tuple[bytes, str, str]] = {}
    for file in files("evolution_sdk.monitor.console").joinpath("static").iterdir():
        ending = file.name[file.name.rfind(".") :]
        if file.is_file() and ending in _TYPES:
            body = file.read_bytes()
            tag = hashlib.sha256(body).hexdigest()[:24]
            found[file.name] = (body, _TYPES[ending], f'"{tag}"')
    return found


def page(name: str, scope: Scope) -> Reply:
    """Answer with a file.

    Args:
        name: Its name.
        scope: The scope of the request, which may know the file already.
    """
    known = _pages().get(name)
    if known is None:
        return NOT_FOUND
    body, kind, tag = known
    # Asked for anew each time, and sent only where it is another one: an upgrade shows at once.
    headers = {"content-type": kind, "etag": tag, "cache-control": "no-cache"}
    if tag in headers_of(scope).get("if-none-match", ""):
        return Reply(304, b"", headers)
    return Reply(200, body, headers)
