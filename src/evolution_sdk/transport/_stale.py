"""Detection of responses that arrived before their request was written.

Such a response belongs to another request. When a server sends more than one response to a request,
httpcore keeps the rest and takes it for the response to the next request on that connection. Our
own pools do not reuse such a connection (see ``is_reusable``). In a pool that chooses connections
itself the sign is that nothing was read from the connection since the request was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

__all__ = ["StaleAnswerError", "amark_reads", "mark_reads", "refuse_stale"]

_MARK = "_evolution_sdk_unread"
_ONE_AT_A_TIME = (b"HTTP/1.0", b"HTTP/1.1")


class StaleAnswerError(Exception):
    """The response arrived before the request was written."""


def mark_reads(stream: Any) -> None:
    """Make a new blocking stream of httpcore note if it was read since the last write.

    Args:
        stream: The stream; a stream whose methods cannot be replaced is left alone.
    """
    # Replaced on the object, because httpcore makes its streams itself.
    read, write = stream.read, stream.write

    def marking_read(max_bytes: int, timeout: float | None = None) -> bytes:
        data: bytes = read(max_bytes, timeout)
        setattr(stream, _MARK, False)
        return data

    def marking_write(buffer: bytes, timeout: float | None = None) -> None:
        setattr(stream, _MARK, True)
        write(buffer, timeout)

    _replace(stream, marking_read, marking_write)


def amark_reads(stream: Any) -> None:
    """Make a new async stream of httpcore note if it was read since the last write."""
    read, write = stream.read, stream.write

    async def marking_read(max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's interface
        data: bytes = await read(max_bytes, timeout)
        setattr(stream, _MARK, False)
        return data

    async def marking_write(buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        setattr(stream, _MARK, True)
        await write(buffer, timeout)

    _replace(stream, marking_read, marking_write)


def _replace(stream: Any, read: Any, write: Any) -> None:
    with suppress(AttributeError):
        setattr(stream, _MARK, False)
        stream.read, stream.write = read, write


def refuse_stale(answer: Any) -> None:
    """Raise if a response does not belong to this request.

    Args:
        answer: The library's response.

    Raises:
        StaleAnswerError: It arrived before the request was written.
    """
    extensions: Mapping[str, Any] = answer.extensions
    # Over HTTP/2 requests share a stream, so that another request may have read the response.
    if extensions.get("http_version") in _ONE_AT_A_TIME and getattr(
        extensions.get("network_stream"), _MARK, False
    ):
        raise StaleAnswerError
