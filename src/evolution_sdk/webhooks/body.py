"""Bodies and headers of requests: from the bytes that arrived to JSON, within limits."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import cast

from evolution_sdk.errors import RequestValidationError

from .responses import Answer

DEFAULT_MAX_BYTES = 20 * 1024 * 1024
DEFAULT_MAX_UNFINISHED = 64 * 1024 * 1024
_STEP = 256 * 1024
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_PACKED = frozenset({"gzip", "x-gzip", "deflate"})

Headers = Mapping[str, str] | Iterable[tuple[str | bytes, str | bytes]]


class LowerHeaders(dict[str, str]):
    """Headers by names in lower case, so that one request's are lowered once."""

    __slots__ = ()


def lower_headers(headers: Headers) -> LowerHeaders:
    """Return headers by names in lower case; one that comes twice keeps both values, and fails.

    Args:
        headers: A mapping or pairs, of text or bytes.
    """
    if isinstance(headers, LowerHeaders):
        return headers
    if isinstance(headers, list):
        # Nearly all are a server's list of bytes, each name once; the rest takes the longer way.
        with suppress(AttributeError, TypeError, ValueError):
            pairs_of_bytes = cast("list[tuple[bytes, bytes]]", headers)
            plain = LowerHeaders(
                [
                    (one.decode("latin-1").lower(), two.decode("latin-1"))
                    for one, two in pairs_of_bytes
                ]
            )
            if len(plain) == len(headers):
                return plain
    pairs: Iterable[tuple[str | bytes, str | bytes]] = (
        cast("Mapping[str, str]", headers).items() if isinstance(headers, Mapping) else headers
    )
    # A header that comes twice is an attempt to be read in two ways; joined, it fits nothing.
    found = LowerHeaders()
    for pair in pairs:
        if len(pair) != 2:  # pyright: ignore[reportUnnecessaryComparison]
            raise RequestValidationError("headers", "must be a mapping, or pairs")
        name, value = pair
        if isinstance(name, bytes):
            name = name.decode("latin-1")
        if isinstance(value, bytes):
            value = value.decode("latin-1")
        name = name.lower()
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def try_lower_headers(headers: Headers) -> Headers:
    """Return headers as :func:`lower_headers` does, or as they are; whoever judges them fails then.

    Args:
        headers: A mapping or pairs, of text or bytes.
    """
    try:
        return lower_headers(headers)
    except Exception:  # noqa: BLE001 - a view may hand over anything; the answer tells
        return headers


def announced_too_large(headers: Mapping[str, str], max_bytes: int) -> bool:
    """Tell if the headers announce a body that is too large.

    Args:
        headers: Names in lower case.
        max_bytes: Most bytes.
    """
    told = headers.get("content-length", "")
    # Digits only, and few of them: int() of a long text is slow, and refused by Python.
    return told.isascii() and told.isdigit() and (len(told) > 15 or int(told) > max_bytes)


def unpack(
    body: bytes, headers: Mapping[str, str], max_bytes: int, room: Callable[[int], bool]
) -> bytes | Answer:
    """Undo gzip and deflate; stop as soon as the result is too large, or there is no room for it.

    Args:
        body: The body as it arrived.
        headers: Names in lower case.
        max_bytes: Most bytes, packed and unpacked.
        room: Takes room for a number of bytes; False when there is none.

    Returns:
        The bytes, or the reason why they are refused.
    """
    if len(body) > max_bytes:
        return Answer.TOO_LARGE
    # Only one encoding is undone: a proxy that packs a body does it once.
    if "content-encoding" not in headers:
        return body
    encodings = [part.strip().lower() for part in headers.get("content-encoding", "").split(",")]
    todo = [one for one in encodings if one not in ("", "identity")]
    if not todo:
        return body
    if len(todo) > 1 or todo[0] not in _PACKED:
        return Answer.UNREADABLE
    unpacker = zlib.decompressobj(_GZIP_OR_ZLIB)
    plain = bytearray()
    packed = body
    try:
        while packed and not unpacker.eof:
            # Piece by piece: a small body may unpack to gigabytes.
            part = unpacker.decompress(packed, _STEP)
            packed = unpacker.unconsumed_tail
            if len(plain) + len(part) > max_bytes:
                return Answer.TOO_LARGE
            if not room(len(part)):
                return Answer.BUSY
            plain += part
    except zlib.error:
        return Answer.UNREADABLE
    # A stream without its end was cut on the way.
    return bytes(plain) if unpacker.eof else Answer.UNREADABLE


def hint_of(path: str) -> str | None:
    """Return the event's name that the server appends to the URL, such as ``messages-upsert``.

    The server appends it to any URL, also behind a query string or a slash.

    Args:
        path: The path as it was asked for, query string included.
    """
    return path.rpartition("/")[2] or None
