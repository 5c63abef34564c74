"""Answers to a message: their recipient, the quotation, and the file it carries. No I/O."""

from __future__ import annotations

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.models.message import MessageKey
from evolution_sdk.models.message_types import MessageKind
from evolution_sdk.models.wire import decode_bytes

from ._base import Event
from .message import EventMessage

_DETAILS_BYTES = 1024 * 1024
"""Room for the rest of an answer, such as a thumbnail."""


def message_of(event: Event) -> EventMessage:
    """Return the message that an event is about.

    Raises:
        RequestValidationError: The event is about none, or does not say which.
    """
    message = getattr(event, "message", None)
    if not isinstance(message, EventMessage):
        raise RequestValidationError("event", f"{type(event).__name__} is not about a message")
    if not message.id or not message.remote_jid:
        raise RequestValidationError("event", "the message has no id or no chat")
    return message


def reply_to(message: EventMessage) -> str:
    """Return the recipient of an answer.

    That is the group, the person (by phone number where it is known), or the writer of a story.

    Raises:
        RequestValidationError: The message is an own story, or one without its writer.
    """
    if message.is_group:
        return message.remote_jid
    if message.is_status:
        writer = None if message.from_me else message.sender_alt or message.sender
        if writer is None or writer.is_status:
            raise RequestValidationError(
                "event", "the story is an own one, or names no writer: it has no recipient"
            )
        return str(writer.bare)
    # The server looks up a phone number, and takes any hidden id for valid
    # (`facts/semantics.md` §5).
    chat, other = message.chat, message.chat_alt
    if chat is not None and chat.is_lid and other is not None and other.is_phone:
        return str(other.bare)
    return message.remote_jid


def quotable(message: EventMessage) -> MessageKey | EventMessage:
    """Return what is quoted: a text with its content, of everything else the key."""
    # With its content the server need not have stored the message. Files in base64, however, must
    # not travel back with each answer.
    if message.kind is not MessageKind.TEXT or message.text is None:
        return message.key
    return EventMessage.from_wire(
        {"key": message.key.raw, "message": {"conversation": message.text}}
    )


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
