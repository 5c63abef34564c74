"""The file of a message: what the event carries of it, and its size. No I/O."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.media.decryption import can_decrypt
from evolution_sdk.media.fetching import media_address
from evolution_sdk.media.saving import safe_name
from evolution_sdk.models.wire import decode_bytes

from .content import MediaInfo
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


def is_whole_size(size_bytes: int, media: MediaInfo) -> bool:
    """Tell if a file has the size that its sender announced; True if none was announced."""
    return size_bytes > 0 and (not media.size_bytes or size_bytes == media.size_bytes)


@dataclass(frozen=True, slots=True)
class Readable:
    """WhatsApp's encrypted copy of a file, with all that it takes to read it.

    Attributes:
        url: Where it is: one of WhatsApp's own hosts, or one that the settings name.
        media_key: Its key.
        kind: Its kind, by which the key is used.
        file_sha256: The hash of the file, if it was told.
        file_enc_sha256: The hash of the encrypted copy, if it was told.
    """

    url: str = field(repr=False)
    media_key: bytes = field(repr=False)
    kind: str
    file_sha256: bytes | None = field(default=None, repr=False)
    file_enc_sha256: bytes | None = field(default=None, repr=False)


def readable_copy(media: MediaInfo, hosts: Collection[str]) -> Readable | None:
    """Find WhatsApp's encrypted copy of a file.

    Args:
        media: The file, as the message tells of it.
        hosts: Hosts that the settings name, in lower case.

    Returns:
        The copy; None if the message tells no address of WhatsApp's, or no key that fits.
    """
    told = media.encrypted
    if told is None or not can_decrypt(told.media_key, told.type):
        return None
    url = media_address(told.url, told.direct_path, hosts)
    if url is None:
        return None
    return Readable(url, told.media_key, told.type, told.file_sha256, told.file_enc_sha256)


def suggested_name(media: MediaInfo, message_id: str, mimetype: str | None) -> str:
    """Make a safe name for the file of a message.

    Args:
        media: The file.
        message_id: The message's id, which tells files of people without names apart.
        mimetype: Its type, which gives the extension.

    Returns:
        The name of a document; of anything else its kind, id and extension.
    """
    return safe_name(media.file_name, f"{media.kind}-{message_id}", mimetype)
