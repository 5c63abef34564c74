"""Kinds of messages.

Facts: `facts/semantics.md` §6 "Types seen in messageType" (an open set), `facts/observed.md` (the
wrappers that the server removes or leaves on; replies on Business).
"""

from __future__ import annotations

from collections.abc import Mapping

from evolution_sdk._base.json_types import is_object
from evolution_sdk.models.base import OpenEnum


class MessageKind(OpenEnum):
    """The kind of a message; a kind unknown to this SDK keeps WhatsApp's own name."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    VIDEO_NOTE = "video_note"
    """A round video."""
    AUDIO = "audio"
    VOICE = "voice"
    """A voice message recorded in the chat, not a music file."""
    STICKER = "sticker"
    DOCUMENT = "document"
    LOCATION = "location"
    LIVE_LOCATION = "live_location"
    CONTACT = "contact"
    CONTACTS = "contacts"
    REACTION = "reaction"
    POLL = "poll"
    POLL_VOTE = "poll_vote"
    LIST = "list"
    LIST_REPLY = "list_reply"
    BUTTONS = "buttons"
    BUTTON_REPLY = "button_reply"
    TEMPLATE = "template"
    TEMPLATE_REPLY = "template_reply"
    INTERACTIVE = "interactive"
    INTERACTIVE_REPLY = "interactive_reply"
    GROUP_INVITE = "group_invite"
    EVENT = "event"
    ALBUM = "album"
    EDITED = "edited"
    REVOKED = "revoked"
    PROTOCOL = "protocol"
    """A notice of the protocol itself, such as a changed disappearing timer."""
    UNKNOWN = "unknown"

    @property
    def is_media(self) -> bool:
        """True if it comes with a file."""
        return self in MEDIA_KINDS


MEDIA_KINDS = frozenset(
    {
        MessageKind.IMAGE,
        MessageKind.VIDEO,
        MessageKind.VIDEO_NOTE,
        MessageKind.AUDIO,
        MessageKind.VOICE,
        MessageKind.STICKER,
        MessageKind.DOCUMENT,
    }
)

_KINDS = {
    "conversation": MessageKind.TEXT,
    "extendedTextMessage": MessageKind.TEXT,
    "imageMessage": MessageKind.IMAGE,
    "videoMessage": MessageKind.VIDEO,
    "ptvMessage": MessageKind.VIDEO_NOTE,
    "audioMessage": MessageKind.AUDIO,
    "stickerMessage": MessageKind.STICKER,
    "lottieStickerMessage": MessageKind.STICKER,
    "documentMessage": MessageKind.DOCUMENT,
    "locationMessage": MessageKind.LOCATION,
    "liveLocationMessage": MessageKind.LIVE_LOCATION,
    "contactMessage": MessageKind.CONTACT,
    "contactsArrayMessage": MessageKind.CONTACTS,
    "reactionMessage": MessageKind.REACTION,
    "encReactionMessage": MessageKind.REACTION,
    "pollCreationMessage": MessageKind.POLL,
    "pollCreationMessageV2": MessageKind.POLL,
    "pollCreationMessageV3": MessageKind.POLL,
    "pollUpdateMessage": MessageKind.POLL_VOTE,
    "listMessage": MessageKind.LIST,
    "listResponseMessage": MessageKind.LIST_REPLY,
    "buttonsMessage": MessageKind.BUTTONS,
    "buttonMessage": MessageKind.BUTTONS,
    "buttonsResponseMessage": MessageKind.BUTTON_REPLY,
    "templateMessage": MessageKind.TEMPLATE,
    "templateButtonReplyMessage": MessageKind.TEMPLATE_REPLY,
    "interactiveMessage": MessageKind.INTERACTIVE,
    "interactiveResponseMessage": MessageKind.INTERACTIVE_REPLY,
    "groupInviteMessage": MessageKind.GROUP_INVITE,
    "eventMessage": MessageKind.EVENT,
    "albumMessage": MessageKind.ALBUM,
    "protocolMessage": MessageKind.PROTOCOL,
}
# On Business the answer to buttons or a list arrives under these types, as its title alone.
_TITLE_ONLY = {
    "buttonMessage": MessageKind.BUTTON_REPLY,
    "interactiveMessage": MessageKind.INTERACTIVE_REPLY,
}
_NOT_CONTENT = frozenset({"messageContextInfo", "contextInfo", "base64", "mediaUrl"})


def content_key(content: Mapping[str, object], message_type: str) -> str:
    """Return the field that holds the content, such as ``imageMessage``.

    Args:
        content: The ``message`` object without its wrappers.
        message_type: The server's word for it. Not always a field: Business says
            ``conversation`` of much that is none, and wrapped messages are named by the wrapper.

    Returns:
        A field of the content, or the server's type if no field fits.
    """
    if message_type in content:
        return message_type
    # The server names a wrapped message by its wrapper: a field of a known kind comes first, then
    # anything that looks like content of a kind that WhatsApp added since.
    for key in content:
        if key in _KINDS:
            return key
    if message_type in _KINDS:
        return message_type
    for key, value in content.items():
        if key.endswith("Message") and key not in _NOT_CONTENT and is_object(value):
            return key
    return message_type


def kind_of(
    content: Mapping[str, object], message_type: str, *, edited: bool = False
) -> MessageKind:
    """Tell the kind of a message.

    Args:
        content: The ``message`` object without its wrappers.
        message_type: The server's word for it.
        edited: True if a wrapper said that it replaces an earlier message.

    Returns:
        The kind. Unknown content keeps WhatsApp's own name; missing content is ``unknown``.
    """
    if edited:
        return MessageKind.EDITED
    key = content_key(content, message_type)
    # What looks like a plain text is the title of a choice here.
    if message_type in _TITLE_ONLY and key == "conversation":
        return _TITLE_ONLY[message_type]
    part = content.get(key)
    if key == "audioMessage" and is_object(part) and part.get("ptt"):
        return MessageKind.VOICE
    if key == "protocolMessage" and is_object(part):
        return protocol_kind(part.get("type"))
    # A kind that WhatsApp adds keeps its own word, so that handlers can tell it from others.
    known = _KINDS.get(key)
    if known is not None:
        return known
    return MessageKind(key) if key else MessageKind.UNKNOWN


def protocol_kind(code: object) -> MessageKind:
    """Tell the kind of a protocol message by WhatsApp's number (0, 14) or word (REVOKE, …)."""
    if code in ("MESSAGE_EDIT", 14):
        return MessageKind.EDITED
    # False equals 0 in Python: a "type": false is no revocation.
    if code == "REVOKE" or (code == 0 and not isinstance(code, bool)):
        return MessageKind.REVOKED
    return MessageKind.PROTOCOL
