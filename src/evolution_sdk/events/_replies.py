"""Answers to a message: their recipient, and the quotation. No I/O."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from typing import Protocol

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.models.message import MessageKey
from evolution_sdk.models.message_types import MessageKind

from ._base import Event
from .content import MediaInfo
from .message import EventMessage


class Hidden(Protocol):
    """Knowledge of all names of a chat; see ``LidMap``."""

    def forms(self, chats: Iterable[str]) -> tuple[str, ...]:
        """Return the hidden ids of phones, and the phones of hidden ids."""
        ...


class Phones(Protocol):
    """Knowledge of the phones behind hidden ids; see ``LidMap``."""

    def phone_of(self, who: Jid, /) -> PhoneNumber | None:
        """Return the phone behind a hidden id; None if it is unknown."""
        ...


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


def reply_to(message: EventMessage, lids: Phones | None = None) -> str:
    """Return the recipient of an answer.

    That is the group, the person (by phone number where it is known), or the writer of a story.

    Args:
        message: The message.
        lids: Pairs of hidden id and phone that are proven: a pair that a stranger made up would
            send the answer to him.

    Raises:
        RequestValidationError: The message is an own story, or one without its writer.
    """
    if message.is_group:
        return message.remote_jid
    if message.is_status:
        writer = None if message.from_me else message.sender
        if writer is None or writer.is_status:
            raise RequestValidationError(
                "event", "the story is an own one, or names no writer: it has no recipient"
            )
        return _phone_of(writer, message.sender_alt, lids) or str(writer.bare)
    # The server looks up a phone number, and takes any hidden id for valid
    # (`facts/semantics.md` §5).
    return _phone_of(message.chat, message.chat_alt, lids) or message.remote_jid


def _phone_of(who: Jid | None, other: Jid | None, lids: Phones | None) -> str | None:
    """Return the JID with the phone number behind a hidden id; None where it is not known."""
    if who is None or not who.is_lid:
        return None
    if other is not None and other.is_phone:
        return str(other.bare)
    phone = None if lids is None else lids.phone_of(who)
    return None if phone is None else str(phone.jid)


def quotable(message: EventMessage, recipient: str) -> MessageKey | EventMessage:
    """Return what an answer quotes: the key, with the content where that is small and known.

    The server looks for a key without content by its id alone, in every version, and quotes
    nothing where it has not stored the message. What it finds names the chat as it was stored,
    often by hidden id, while the answer goes to the phone: WhatsApp then shows a quotation out of
    another chat. With its content nothing is looked for, and the key here names the very chat.

    Args:
        message: The message.
        recipient: The recipient of the answer.
    """
    told = message.key
    key: dict[str, object] = {
        "id": told.id,
        # A story is quoted out of its own place, everything else out of the chat.
        "remoteJid": told.remote_jid if message.is_status else recipient,
        "fromMe": told.from_me,
    }
    # The author: of a group's message and of a story its writer, else the chat itself.
    if (message.is_group or message.is_status) and message.sender is not None:
        key["participant"] = told.participant or str(message.sender)
    content = _quoted_content(message)
    if content is None:
        return MessageKey.from_wire(key)
    return EventMessage.from_wire({"key": key, "message": content})


def _quoted_content(message: EventMessage) -> dict[str, object] | None:
    """Return the content as a quotation shows it; None where that is not known."""
    # Never the file itself: it must not travel back with each answer.
    if message.is_view_once:
        return None
    kind, text = message.kind, message.text
    if kind is MessageKind.TEXT:
        return None if text is None else {"conversation": text}
    if kind in _QUOTED_MEDIA and message.media is not None:
        return {_QUOTED_MEDIA[kind]: _quoted_media(kind, message.media)}
    if kind is MessageKind.LOCATION and message.location is not None:
        place = message.location
        return {
            "locationMessage": _known(
                degreesLatitude=place.latitude,
                degreesLongitude=place.longitude,
                name=place.name,
                address=place.address,
            )
        }
    if kind is MessageKind.CONTACT and len(message.contacts) == 1:
        (card,) = message.contacts
        return {"contactMessage": _known(displayName=card.name, vcard=card.vcard)}
    if kind is MessageKind.POLL and message.poll is not None:
        options = [{"optionName": option} for option in message.poll.options]
        return {"pollCreationMessage": {"name": message.poll.name, "options": options}}
    return None


_QUOTED_MEDIA = {
    MessageKind.IMAGE: "imageMessage",
    MessageKind.VIDEO: "videoMessage",
    MessageKind.VIDEO_NOTE: "ptvMessage",
    MessageKind.AUDIO: "audioMessage",
    MessageKind.VOICE: "audioMessage",
    MessageKind.DOCUMENT: "documentMessage",
    MessageKind.STICKER: "stickerMessage",
}
_MOST_THUMBNAIL_BYTES = 64 * 1024


def _quoted_media(kind: MessageKind, media: MediaInfo) -> dict[str, object]:
    thumbnail = media.thumbnail
    small = thumbnail is not None and len(thumbnail) <= _MOST_THUMBNAIL_BYTES
    # Of a sticker the thumbnail is no JPEG.
    small = small and kind is not MessageKind.STICKER
    return _known(
        mimetype=media.mimetype,
        caption=media.caption,
        fileName=media.file_name,
        seconds=media.seconds,
        ptt=True if kind is MessageKind.VOICE else None,
        jpegThumbnail=b64encode(thumbnail).decode() if small and thumbnail is not None else None,
    )


def _known(**values: object) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}


def other_chat(key: MessageKey, lids: Hidden | None) -> str | None:
    """Return the other name of a message's chat, under which its row may be stored; or None.

    Since 2.3.7 events name the phone of a chat that is stored by its hidden id
    (`facts/versions/baileys.md` "Stored rows against events").
    """
    told = (key.remote_jid_alt, *(lids.forms([key.remote_jid]) if lids is not None else ()))
    return next((name for name in told if name and name != key.remote_jid), None)


def key_in(key: MessageKey, chat: str) -> MessageKey:
    """Return the key of the same message under another name of its chat."""
    return MessageKey.from_wire({"id": key.id, "remoteJid": chat, "fromMe": key.from_me})
