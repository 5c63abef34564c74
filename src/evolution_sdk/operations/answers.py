"""Small readings of an HTTP answer that are not about its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from evolution_sdk._base.request import Response
from evolution_sdk.errors import RequestValidationError

_MOST_SECONDS = 1e9


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
        told = _unix_time(text)
        if told is None:
            return None
        seconds = told - now
    # Anybody on the way may have written it: not a number, endless, or longer than 30 years.
    return max(0, int(seconds * 1_000)) if abs(seconds) < _MOST_SECONDS else None


def server_time(headers: Mapping[str, str]) -> float | None:
    """Unix seconds by the ``Date`` header, the server's or a proxy's; None when unreadable."""
    return _unix_time(headers.get("date", ""))


def _unix_time(text: str) -> float | None:
    """Unix seconds of an HTTP date; None for what is none, and for years that no clock can have."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError, TypeError, IndexError, OSError):
        return None


def downloaded(response: Response, limit_bytes: int) -> tuple[bytes, str | None]:
    """The bytes and the type of a file that we fetched ourselves.

    Raises:
        RequestValidationError: It could not be fetched, or is larger than allowed.
    """
    # Only a whole file: 206 is a part of one, and other statuses carry no file.
    if response.status != 200:
        raise RequestValidationError(
            "media", f"the URL answered HTTP {response.status} instead of the file"
        )
    if response.oversized or len(response.body) > limit_bytes:
        raise RequestValidationError(
            "media", f"the file is too large: at most {limit_bytes} bytes are allowed"
        )
    return response.body, response.headers.get("content-type")
