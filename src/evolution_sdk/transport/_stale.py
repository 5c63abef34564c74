"""Answers that had come before their request was written: they belong to somebody else.

When a server sends more than one answer to a request, httpcore keeps the rest and takes it for the
answer to the next request on that connection. Connections of our own choice are not reused then
(see ``is_reusable``); in a pool, which chooses itself, such an answer is told by this: nothing was
read from the connection since the request was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

__all__ = ["StaleAnswerError", "amark_reads", "mark_reads", "refuse_stale"]

_MARK = "_evolution_sdk_unread"
_ONE_AT_A_TIME = (b"HTTP/1.0", b"HTTP/1.1")


class StaleAnswerError(Exception):
    """The answer had come before the request was written."""


def mark_reads(stream: Any) -> None:
    """Make a new blocking stream of httpcore note whether it was read since it was written.

    Args:
        stream: The stream; one of another make that takes no attributes is left alone.
    """
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
    """The same for an async stream."""
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
    """Refuse an answer that is not this request's.

    Args:
        answer: The library's response.

    Raises:
        StaleAnswerError: It had come before.
    """
    extensions: Mapping[str, Any] = answer.extensions
    # Over HTTP/2 another request's read may have brought it.
    if extensions.get("http_version") in _ONE_AT_A_TIME and getattr(
        extensions.get("network_stream"), _MARK, False
    ):
        raise StaleAnswerError
