"""The parts of a message: its file, place, contacts, reaction, choice, quotation, poll.

Facts: `facts/webhooks.json` and `facts/websocket.json` (every kind on every channel),
`facts/semantics.md` §6.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from evolution_sdk._base.json_types import is_array, is_object
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.identity.lids import jid_or_none
from evolution_sdk.models.content import text_of, unwrap
from evolution_sdk.models.message import MessageKey
from evolution_sdk.models.wire import decode_bytes, decode_long

from ._json import float_at, jids, object_at, text_at
from .kinds import MessageKind, kind_of

_WAID = re.compile(r"waid=([0-9]{8,15})")
_TEL = re.compile(r"^(?:item\d+\.)?TEL[^:\n]*:(.+)$", re.MULTILINE | re.IGNORECASE)
_MOST_VCARD = 65_536


@dataclass(frozen=True, slots=True)
class EncryptedMedia:
    """WhatsApp's encrypted copy of a file, and the key to it."""

    url: str | None = field(default=None, repr=False)
    direct_path: str | None = field(default=None, repr=False)
    media_key: bytes = field(default=b"", repr=False)
    file_sha256: bytes | None = field(default=None, repr=False)
    file_enc_sha256: bytes | None = field(default=None, repr=False)
    size_bytes: int | None = field(default=None, repr=False)
    type: str = ""


@dataclass(frozen=True, slots=True)
class Album:
    """The cover of an album, which announces the pictures that follow."""

    images: int = 0
    videos: int = 0


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """The file of a message; see ``event.download_media()`` for its bytes.

    Attributes:
        kind: Kind of the message that it is part of.
        mimetype: Type of the file, such as ``image/jpeg`` or ``audio/ogg; codecs=opus``.
        file_name: Name of the file; of documents only.
        size_bytes: Size as the sender's phone said, in bytes; None on Business.
        caption: Text under it.
        url: A public address, when the server keeps media in S3 or the channel gave one.
        whatsapp_url: WhatsApp's own address of the encrypted file; of no use to a browser.
        has_base64: True if the event itself carries the file.
        width: Width in pixels.
        height: Height in pixels.
        seconds: Playing time, in seconds.
        thumbnail: A small JPEG, if there is one.
        meta_id: Meta's id of the file (Business).
    """

    kind: MessageKind
    mimetype: str | None = None
    file_name: str | None = field(default=None, repr=False)
    size_bytes: int | None = None
    caption: str | None = field(default=None, repr=False)
    url: str | None = field(default=None, repr=False)
    whatsapp_url: str | None = field(default=None, repr=False)
    has_base64: bool = False
    width: int | None = None
    height: int | None = None
    seconds: int | None = None
    thumbnail: bytes | None = field(default=None, repr=False)
    meta_id: str | None = field(default=None, repr=False)
    encrypted: EncryptedMedia | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Location:
    """A place; ``repr`` does not show it."""

    latitude: float | None = field(repr=False)
    longitude: float | None = field(repr=False)
    name: str | None = field(default=None, repr=False)
    address: str | None = field(default=None, repr=False)
    is_live: bool = False


@dataclass(frozen=True, slots=True)
class SharedContact:
    """A contact card in a message; ``repr`` shows neither name nor numbers."""

    name: str | None = field(repr=False)
    vcard: str = field(repr=False)

    @property
    def phones(self) -> tuple[PhoneNumber, ...]:
        """Its phone numbers: those known to WhatsApp, else all that are complete."""
        # Bounded, because cards come from strangers and are searched by pattern.
        card = self.vcard[:_MOST_VCARD]
        found = [PhoneNumber(digits) for digits in _WAID.findall(card)]
        if not found:
            read = (jid_or_none(text.strip()) for text in _TEL.findall(card))
            found = [jid.phone for jid in read if jid is not None and jid.phone is not None]
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Reaction:
    """A reaction to another message.

    Attributes:
        emoji: The emoji; empty if the reaction was removed.
        target: The message reacted to. On Business only its id is known.
    """

    emoji: str = field(repr=False)
    target: MessageKey

    @property
    def removed(self) -> bool:
        """True if the reaction was taken back."""
        return not self.emoji


@dataclass(frozen=True, slots=True)
class Selection:
    """A choice of buttons, a list or a template.

    Attributes:
        id: The id given when it was offered; None on Business, which reports only the title.
        title: The text that was shown.
        description: The second line of a list's row.
    """

    id: str | None = field(repr=False)
    title: str | None = field(default=None, repr=False)
    description: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Quoted:
    """A quoted message, as far as the answer tells of it.

    Attributes:
        id: Its WhatsApp id.
        sender: Its writer.
        text: Its text, caption or title.
        kind: Its kind; None when its content is not included.
    """

    id: str
    sender: Jid | None = None
    text: str | None = field(default=None, repr=False)
    kind: MessageKind | None = None


@dataclass(frozen=True, slots=True)
class Poll:
    """A poll. Votes are not reported by 2.3.6 (`facts/semantics.md` §6)."""

    name: str = field(repr=False)
    options: tuple[str, ...] = field(repr=False)
    selectable: int = 0


def media_of(
    kind: MessageKind,
    part: Mapping[str, object],
    outer: Mapping[str, object],
    inner: Mapping[str, object],
) -> MediaInfo:
    """Read the file of a message.

    Args:
        kind: The message's kind.
        part: The content object, such as ``message["imageMessage"]``.
        outer: The ``message`` object as it arrived.
        inner: The same object without its wrappers.
    """
    return MediaInfo(
        kind=kind,
        mimetype=text_at(part, "mimetype", "mime_type"),
        file_name=text_at(part, "fileName", "filename"),
        size_bytes=decode_long(part.get("fileLength")),
        caption=text_at(part, "caption"),
        url=text_at(outer, "mediaUrl") or text_at(inner, "mediaUrl"),
        whatsapp_url=text_at(part, "url"),
        has_base64=bool(base64_of(outer) or base64_of(inner)),
        width=decode_long(part.get("width")),
        height=decode_long(part.get("height")),
        seconds=decode_long(part.get("seconds")),
        thumbnail=decode_bytes(part.get("jpegThumbnail")) or None,
        meta_id=text_at(part, "id"),
        encrypted=_encrypted(kind, part),
    )


_TYPES = {
    "image": "image",
    "video": "video",
    "gif": "video",
    "video_note": "video",
    "audio": "audio",
    "voice": "audio",
    "document": "document",
    "sticker": "sticker",
}


def _encrypted(kind: MessageKind, part: Mapping[str, object]) -> EncryptedMedia | None:
    key = decode_bytes(part.get("mediaKey"))
    if not key:
        return None
    return EncryptedMedia(
        text_at(part, "url"),
        text_at(part, "directPath"),
        key,
        decode_bytes(part.get("fileSha256")) or None,
        decode_bytes(part.get("fileEncSha256")) or None,
        decode_long(part.get("fileLength")),
        _TYPES.get(str(kind), str(kind)),
    )


def base64_of(message: Mapping[str, object]) -> str | None:
    """Return the file itself, as base64, where the server put it beside the content."""
    return text_at(message, "base64") or None


def location_of(part: Mapping[str, object], *, is_live: bool) -> Location:
    """Read a place."""
    return Location(
        latitude=float_at(part, "degreesLatitude"),
        longitude=float_at(part, "degreesLongitude"),
        name=text_at(part, "name"),
        address=text_at(part, "address"),
        is_live=is_live,
    )


def contacts_of(part: Mapping[str, object]) -> tuple[SharedContact, ...]:
    """Read one contact card, or several."""
    # Several cards come as a list; a single one is the content itself.
    cards = part.get("contacts")
    found = cards if is_array(cards) else [part]
    return tuple(
        SharedContact(text_at(card, "displayName"), text_at(card, "vcard") or "")
        for card in filter(is_object, found)
    )


def reaction_of(part: Mapping[str, object]) -> Reaction:
    """Read a reaction."""
    return Reaction(text_at(part, "text") or "", MessageKey.from_wire(object_at(part, "key")))


def selection_of(part: Mapping[str, object], text: str | None) -> Selection:
    """Read a choice, in any of the forms of buttons, lists and templates."""
    # Lists put the id into an object of its own, buttons and templates beside the title.
    row = object_at(part, "singleSelectReply")
    chosen = text_at(part, "selectedButtonId", "selectedId") or text_at(row, "selectedRowId")
    title = text_at(part, "selectedDisplayText", "title")
    return Selection(chosen, title if title is not None else text, text_at(part, "description"))


def quoted_in(context: Mapping[str, object]) -> Quoted | None:
    """Read the quoted message; None when nothing is quoted."""
    quoted_id = text_at(context, "stanzaId")
    if not quoted_id:
        return None
    content = object_at(context, "quotedMessage")
    return Quoted(
        quoted_id,
        jid_or_none(context.get("participant")),
        text_of(content) if content else None,
        kind_of(unwrap(content), "") if content else None,
    )


def mentions_in(context: Mapping[str, object]) -> tuple[Jid, ...]:
    """Read the people who are mentioned."""
    return jids(context.get("mentionedJid"))


def poll_of(part: Mapping[str, object]) -> Poll:
    """Read a poll."""
    options = part.get("options")
    found = filter(is_object, options) if is_array(options) else ()
    names = (text_at(option, "optionName") for option in found)
    return Poll(
        text_at(part, "name") or "",
        tuple(name for name in names if name is not None),
        decode_long(part.get("selectableOptionsCount")) or 0,
    )
