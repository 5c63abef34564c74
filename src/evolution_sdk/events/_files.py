"""The file of a message: what the event carries of it, and its size. No I/O."""

from __future__ import annotations

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.models.wire import decode_bytes

from .message import EventMessage

_DETAILS_BYTES = 1024 * 1024
"""Room for the rest of an answer, such as a thumbnail."""


def embedded(message: EventMessage, max_bytes: int) -> bytes | None:
    """Return the file that the event carries; None without one, or if it cannot be decoded.

    Raises:
        RequestValidationError: The file is larger than allowed.
    """
    text = message.media_base64
    if not text:
        return None
    # Checked before decoding: four characters are three bytes, less the padding.
    check_size(len(text) // 4 * 3 - text[-2:].count("="), max_bytes)
    return decode_bytes(text)


def check_size(size_bytes: int | None, max_bytes: int) -> None:
    """Check the size of a file.

    Raises:
        RequestValidationError: The file is larger than allowed.
    """
    if size_bytes is not None and size_bytes > max_bytes:
        raise RequestValidationError(
            "max_bytes", f"the file has {size_bytes} bytes; at most {max_bytes} are allowed"
        )


def in_base64(max_bytes: int) -> int:
    """Return the bytes of the largest answer that holds such a file in base64, and its details."""
    return max_bytes * 4 // 3 + _DETAILS_BYTES


def too_large(max_bytes: int) -> RequestValidationError:
    """Make the error for a file that was not read to its end."""
    return RequestValidationError(
        "max_bytes", f"the file is too large: at most {max_bytes} bytes are allowed"
    )


def is_whole(content: bytes, message: EventMessage) -> bool:
    """Tell if a file has the size that its sender announced; True if none was announced."""
    media = message.media
    announced = media.size_bytes if media is not None else None
    return bool(content) and (not announced or len(content) == announced)
