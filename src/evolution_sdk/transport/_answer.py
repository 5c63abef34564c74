"""Reading of a response piece by piece, with a bound on its size."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping

from evolution_sdk._base.request import Response

__all__ = ["UNPACKABLE", "DamagedBodyError", "NoAnswerError", "ResponseReader", "header_map"]

UNPACKABLE = frozenset({"gzip", "x-gzip", "deflate", "identity"})
"""The content encodings that are decoded here, with a bound on the decoded size."""

_FIRST_ANSWER = 200
# A bound on nested compression: each layer may multiply the size.
_MOST_LAYERS = 4
_GZIP = 16 + zlib.MAX_WBITS  # how zlib is told to expect a gzip header
_GZIP_MARK = b"\x1f\x8b"
_KEPT_BYTES = 64 * 1024
"""Bytes kept of a body that was too large, to show in the error what it was."""


def header_map(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers by lower-case name, with repeated ones joined by a comma."""
    headers: dict[str, str] = {}
    for key, value in raw:
        name, text = key.decode("latin-1").lower(), value.decode("latin-1")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers


class NoAnswerError(Exception):
    """The server switched to another protocol, unasked, instead of answering."""


class DamagedBodyError(Exception):
    """The body of a response does not match its ``content-encoding``."""


class ResponseReader:
    """Reads one response and decodes gzip and deflate, up to a bound.

    Of a body that is too large only the beginning is kept, and the fact.

    Args:
        status: HTTP status.
        headers: The headers, by lower-case name.
        limit_bytes: Most bytes of the body, both as received and decoded.

    Raises:
        NoAnswerError: The status is an interim one (below 200).
        DamagedBodyError: The body is in an encoding that was not asked for.
    """

    __slots__ = ("_came", "_headers", "_kept", "_layers", "_limit", "_over", "_size", "_status")

    def __init__(self, status: int, headers: Mapping[str, str], limit_bytes: int) -> None:
        if status < _FIRST_ANSWER:
            raise NoAnswerError
        self._status = status
        self._headers = headers
        self._limit = limit_bytes
        encoding = headers.get("content-encoding")
        self._layers = _layers(encoding) if encoding is not None else ()
        self._kept: list[bytes] = []
        self._came = self._size = 0
        # An announced size beyond the limit needs no reading: the first piece ends it.
        self._over = _announced(headers) > limit_bytes

    def feed(self, data: bytes) -> bool:
        """Take the next piece.

        Args:
            data: The bytes as received.

        Returns:
            True to read on, False if the body is larger than allowed.

        Raises:
            DamagedBodyError: The body does not match its ``content-encoding``.
        """
        self._came += len(data)
        # Decoded only as far as there is room: a small "zip bomb" must not fill the memory.
        room = self._limit - self._size
        for layer in self._layers:
            data = layer.feed(data, room)
            self._over = self._over or len(data) > room
        self._size += len(data)
        self._kept.append(data)
        if self._size > self._limit or self._came > self._limit:
            self._over = True
        return not self._over

    def taken(self) -> bytes:
        """Hand over the pieces read so far; the response will be without them."""
        data, self._kept = b"".join(self._kept), []
        return data

    def response(self) -> Response:
        """Make the response from the pieces.

        Returns:
            The response; marked as too large, with the first 64 KiB, if the limit was exceeded.

        Raises:
            DamagedBodyError: The body is cut short.
        """
        if self._over:
            kept = bytearray()
            for piece in self._kept:
                kept += piece[: _KEPT_BYTES - len(kept)]
            return Response(self._status, self._headers, bytes(kept), True, self._limit)
        body = self._kept[0] if len(self._kept) == 1 else b"".join(self._kept)
        if self._came and not all(layer.whole for layer in self._layers):
            raise DamagedBodyError("cut short")
        return Response(self._status, self._headers, body)


class _Layer:
    """One layer of compression."""

    __slots__ = ("_begin", "_gzip", "_inflater")

    def __init__(self, *, gzip: bool) -> None:
        self._begin: bytes = b""
        self._gzip = gzip
        self._inflater = zlib.decompressobj(_GZIP) if gzip else None

    @property
    def whole(self) -> bool:
        """True if the end of the compressed data has been seen."""
        return self._inflater is not None and self._inflater.eof

    def feed(self, data: bytes, room: int) -> bytes:
        """Decode a piece, up to one byte beyond the room, which shows that there was more."""
        if self._inflater is None:
            data = self._begin + data
            if len(data) < 2:  # the header has two bytes
                self._begin = data
                return b""
            # Servers send deflate with and without the zlib header.
            with_header = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
            self._inflater = zlib.decompressobj(zlib.MAX_WBITS if with_header else -zlib.MAX_WBITS)
        unpacked, taken = list[bytes](), 0
        while data and taken <= room:
            if self._inflater.eof:
                self._gzip = self._gzip and _GZIP_MARK.startswith(data[:2])
                if not self._gzip:
                    break  # bytes after the end of the data are ignored
                # gzip may come in several members (RFC 1952 §2.2)
                self._inflater = zlib.decompressobj(_GZIP)
            try:
                unpacked.append(self._inflater.decompress(data, room + 1 - taken))
            except zlib.error as error:
                raise DamagedBodyError("damaged") from error
            taken += len(unpacked[-1])
            data = self._inflater.unused_data
        return b"".join(unpacked)


def _layers(encodings: str) -> tuple[_Layer, ...]:
    names = [name.strip() for name in encodings.lower().split(",")]
    packed = [name for name in reversed(names) if name not in ("identity", "")]
    if len(packed) > _MOST_LAYERS or not UNPACKABLE.issuperset(packed):
        raise DamagedBodyError(f"the encoding {encodings[:20]!r}, which nobody asked for")
    return tuple(_Layer(gzip=name != "deflate") for name in packed)


def _announced(headers: Mapping[str, str]) -> int:
    length = headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0
