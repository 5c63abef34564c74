"""The bytes of an answer, made into a Response."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from evolution_sdk._core.request import Response

__all__ = ["DamagedBodyError", "header_map", "make_response"]


def header_map(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case name; repeated ones are joined with a comma."""
    headers: dict[str, str] = {}
    for key, value in raw:
        name, text = key.decode("latin-1").lower(), value.decode("latin-1")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers


class DamagedBodyError(Exception):
    """The body of an answer is not what its ``content-encoding`` says."""


def make_response(status: int, raw: Iterable[tuple[bytes, bytes]], body: bytes) -> Response:
    """Build a Response, undoing ``content-encoding`` gzip and deflate.

    Raises:
        DamagedBodyError: The body is not what its header says.
    """
    headers = header_map(raw)
    encoding = headers.get("content-encoding")
    if encoding is not None and body:
        body = _decode(encoding, body)
    return Response(status, headers, body)


def _decode(encodings: str, body: bytes) -> bytes:
    for name in reversed(encodings.lower().split(",")):
        match name.strip():
            case "gzip" | "x-gzip":
                body = _inflate(body, 16 + zlib.MAX_WBITS)
            case "deflate":
                # Servers send it with and without the zlib header.
                with_header = body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
                body = _inflate(body, zlib.MAX_WBITS if with_header else -zlib.MAX_WBITS)
            case "identity" | "":
                pass
            case _:
                raise DamagedBodyError("an encoding nobody asked for")
    return body


def _inflate(body: bytes, wbits: int) -> bytes:
    inflater = zlib.decompressobj(wbits)
    try:
        data = inflater.decompress(body) + inflater.flush()
    except zlib.error as error:
        raise DamagedBodyError("damaged") from error
    if not inflater.eof:
        raise DamagedBodyError("cut short")
    return data
