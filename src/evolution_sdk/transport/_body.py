"""The bytes of a request: headers that are safe to write, and a body that can be sent twice."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from evolution_sdk._base.request import FilePart, Request
from evolution_sdk._version import __version__
from evolution_sdk.errors import RequestValidationError

from ._url import Origin, local_error

__all__ = ["AsyncChunks", "ChunkedBody", "Chunks", "encode_body", "request_headers"]

CHUNK_SIZE = 64 * 1024
"""Larger bodies are written in pieces of this many bytes, each with the write limit to itself."""

DEFAULT_HEADERS = {
    "accept": "application/json, */*",
    "accept-encoding": "gzip, deflate",
    "user-agent": f"evolution-sdk/{__version__}",
}
"""Headers of every request that does not set its own."""

_Part = bytes | Path
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def request_headers(request: Request, origin: Origin) -> dict[str, str]:
    """Complete the headers of a request, except those of its body.

    Args:
        request: The request; its own headers win.
        origin: The server it goes to.

    Returns:
        The headers to send, in order.

    Raises:
        ConnectionFailedError: A header holds characters that HTTP cannot carry; phase NOT_SENT.
            The text names the header only, because its value may be the key.
    """
    headers = {"host": origin.host_header, **DEFAULT_HEADERS}
    if origin.authorization is not None:
        headers["authorization"] = origin.authorization
    for name, value in request.headers.items():
        # A line break in a value would end the header and begin another.
        if not (value.isascii() and value.isprintable()):
            raise local_error(
                f"The value of header {name!r} has characters that HTTP cannot carry; "
                "check for line breaks and typographic quotes in the settings."
            )
        headers[_lower_name(name)] = value
    return headers


@lru_cache(maxsize=256)
def _lower_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise local_error(f"{name[:40]!r} cannot be the name of a header.")
    return name.lower()


@dataclass(frozen=True, slots=True)
class ChunkedBody:
    """A body in parts. A file among them is read while it is sent, again for every attempt.

    Attributes:
        parts: Bytes, or paths to files.
        sizes: Length of each part in bytes.
        content_type: Value of the header, or None when the request has its own.
    """

    parts: tuple[_Part, ...] = field(repr=False)
    sizes: tuple[int, ...]
    content_type: str | None = None

    @property
    def length(self) -> int:
        """Length of the body in bytes."""
        return sum(self.sizes)

    def pieces(self) -> Iterator[tuple[_Part, int, int]]:
        """Yield part, offset and size of every piece to write, in order."""
        for part, size in zip(self.parts, self.sizes, strict=True):
            for offset in range(0, size, CHUNK_SIZE):
                yield part, offset, min(CHUNK_SIZE, size - offset)


class Chunks:
    """Iterates over a body, any number of times."""

    def __init__(self, body: ChunkedBody) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._body.pieces():
            yield _read(*piece)


class AsyncChunks:
    """Iterates over a body; reads files in a thread, so that the event loop is not blocked."""

    def __init__(self, body: ChunkedBody) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._body.pieces():
            yield await read_piece(*piece)


async def read_piece(part: _Part, offset: int, size: int) -> bytes:
    """Read one piece of a body, from a file in a thread."""
    if isinstance(part, bytes):
        return _read(part, offset, size)
    return await asyncio.to_thread(_read, part, offset, size)


def _read(part: _Part, offset: int, size: int) -> bytes:
    """Read one piece."""
    if isinstance(part, bytes):
        return part if size == len(part) else part[offset : offset + size]
    # Opened for each piece, so that an aborted send leaves no file open.
    with part.open("rb") as file:
        file.seek(offset)
        data = file.read(size)
    # The promised content-length could no longer be kept.
    if len(data) != size:
        raise OSError(f"{part.name} became shorter while it was being sent")
    return data


def encode_body(
    request: Request, headers: dict[str, str], boundary: str | None = None
) -> bytes | ChunkedBody | None:
    """Make the body of a request and add the headers that describe it.

    Args:
        request: The request.
        headers: Its headers so far; ``content-length`` and, for multipart, ``content-type`` are
            set in it.
        boundary: Multipart boundary; None makes a random one.

    Returns:
        The body, in parts when it is multipart or above 64 KiB, or None without a body.

    Raises:
        RequestValidationError: The file cannot be read.
    """
    content = request.content
    if request.file is not None:
        body = _multipart(request.fields, request.file, boundary or os.urandom(16).hex())
        headers["content-length"] = str(body.length)
        headers["content-type"] = body.content_type or ""
        return body
    if content is None:
        # RFC 9110 §8.6: these methods announce even an empty body.
        if request.method in ("POST", "PUT", "PATCH"):
            headers["content-length"] = "0"
        return None
    headers["content-length"] = str(len(content))
    return content if len(content) <= CHUNK_SIZE else ChunkedBody((content,), (len(content),))


def _multipart(fields: tuple[tuple[str, str], ...], file: FilePart, boundary: str) -> ChunkedBody:
    """Encode a multipart body."""
    # Fields first: the server reads them before it stores the file.
    # Only head and tail are built in memory; the file is read piece by piece while sending.
    head = b"".join(
        _part_head(boundary, {"name": name}) + value.encode() + b"\r\n" for name, value in fields
    )
    head += _part_head(
        boundary, {"name": file.name, "filename": file.filename}, f"Content-Type: {file.mimetype}"
    )
    tail = f"\r\n--{boundary}--\r\n".encode()
    content = file.content
    return ChunkedBody(
        (head, content, tail),
        (len(head), _size(content), len(tail)),
        f"multipart/form-data; boundary={boundary}",
    )


def _size(content: _Part) -> int:
    if isinstance(content, bytes):
        return len(content)
    try:
        with content.open("rb") as file:
            return os.fstat(file.fileno()).st_size
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise RequestValidationError("file", f"cannot read {content.name}: {why}") from error


def _part_head(boundary: str, parameters: Mapping[str, str], *lines: str) -> bytes:
    disposition = "Content-Disposition: form-data"
    for name, value in parameters.items():
        disposition += f'; {name}="{_escape(value)}"'
        if name == "filename" and not value.isascii():
            # The server's parser takes plain parameters for Latin-1; this form says UTF-8.
            disposition += f"; filename*=UTF-8''{quote(value, safe='')}"
    return "\r\n".join((f"--{boundary}", disposition, *lines, "", "")).encode()


def _escape(value: str) -> str:
    """Escape a form-data parameter as browsers do."""
    return value.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
