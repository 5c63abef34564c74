"""Answers to a message: their recipient, and the quotation. No I/O."""

from __future__ import annotations

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.models.message import MessageKey
from evolution_sdk.models.message_types import MessageKind

from ._base import Event
from .message import EventMessage


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
