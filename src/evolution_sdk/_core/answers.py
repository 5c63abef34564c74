"""Small readings of an HTTP answer that are not about its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from evolution_sdk.errors import RequestValidationError, ResponseTooLargeError

from .effect import Effect
from .operation import Operation
from .request import Response

_COMPLETED = range(200, 300)


def retry_after_ms(headers: Mapping[str, str], now: float) -> int | None:
    """Read ``Retry-After``, as a number of seconds or as an HTTP date.

    Args:
        headers: The answer's headers, lower-case.
        now: Unix seconds, for the date form.

    Returns:
        How long to wait, in milliseconds, never negative; None when absent or unreadable.
    """
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now
        except ValueError:
            return None
    return max(0, int(seconds * 1_000)) if seconds < 1e9 else None


def server_time(headers: Mapping[str, str]) -> float | None:
    """Unix seconds of the server's clock by its ``Date`` header, or None."""
    try:
        return parsedate_to_datetime(headers.get("date", "")).timestamp()
    except ValueError:
        return None


def refuse_oversized(operation: Operation[Any], response: Response, limit_bytes: int) -> None:
    """Refuse an answer of which only the beginning was read.

    Not that of a completed send: it stands for a message that has left, and counts as an answer
    that does not tell the message's id.

    Args:
        operation: What was called.
        response: The answer.
        limit_bytes: What was allowed.

    Raises:
        ResponseTooLargeError: It was anything but a completed send.
    """
    if operation.effect is Effect.SEND and response.status in _COMPLETED:
        return
    error = ResponseTooLargeError(response.status, operation.name, limit_bytes)
    error.effect = operation.effect
    raise error


def downloaded(response: Response, limit_bytes: int) -> tuple[bytes, str | None]:
    """The bytes and the type of a file that we fetched ourselves.

    Raises:
        RequestValidationError: It could not be fetched, or is larger than allowed.
    """
    if response.status != 200:
        raise RequestValidationError(
            "media", f"the URL answered HTTP {response.status} instead of the file"
        )
    if response.oversized or len(response.body) > limit_bytes:
        raise RequestValidationError(
            "media", f"the file is too large: at most {limit_bytes} bytes are allowed"
        )
    return response.body, response.headers.get("content-type")
