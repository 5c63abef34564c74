"""Requests and responses at the transport seam: plain data, no HTTP library."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_MAX_RESPONSE_BYTES = 150_000_000
"""A file of 100 MiB in base64, the most that the server's own JSON limit of 136 MB has room for."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits of one attempt, in milliseconds; None means no limit.

    ``read_ms`` is the longest silence while waiting for the answer, so that it must cover the
    time the server holds a send (``delay``) and its work on media. ``total_ms`` bounds all steps
    together, from waiting for a connection to the last byte of the answer.
    """

    connect_ms: float | None = 5_000
    read_ms: float | None = 60_000
    write_ms: float | None = 60_000
    pool_ms: float | None = 60_000
    total_ms: float | None = None


@dataclass(frozen=True, slots=True)
class FilePart:
    """The one file of a multipart request; the server accepts only the field name ``file``.

    ``content`` as a path is opened anew for every attempt, so that a retry sends all of it.
    """

    filename: str
    content: bytes | Path = field(repr=False)
    mimetype: str
    name: str = "file"

    @property
    def size(self) -> int:
        """Its size in bytes; 0 for a file that is gone, which sending it will report."""
        if isinstance(self.content, bytes):
            return len(self.content)
        try:
            return self.content.stat().st_size
        except OSError:
            return 0


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, complete: absolute encoded URL, headers, and a body of either form."""

    method: str
    url: str = field(repr=False)
    """May hold a number, in its path or query."""
    headers: Mapping[str, str] = field(repr=False)
    timeouts: Timeouts
    content: bytes | None = field(default=None, repr=False)
    fields: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Text fields of a multipart request; used only when ``file`` is set."""
    file: FilePart | None = None
    max_response_bytes: int = DEFAULT_MAX_RESPONSE_BYTES
    """Most bytes of the answer's body, as it comes and unpacked; no more are read."""


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer, read to its end. Header names are lower-case.

    ``oversized`` says that the body was larger than ``limit_bytes``, and is only its beginning.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    oversized: bool = False
    limit_bytes: int = 0


def basic_auth(username: str, password: str) -> str:
    """The value of an ``Authorization`` header for HTTP basic authentication."""
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode("ascii")
