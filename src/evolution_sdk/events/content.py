"""The parts of a message: its file, place, contacts, reaction, choice, quotation, origin.

Facts: `facts/webhooks.json` and `facts/websocket.json` (every kind on every channel),
`facts/semantics.md` §6.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from evolution_sdk._base.json_types import is_array, is_object
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.identity.lids import jid_or_none
from evolution_sdk.media.saving import safe_name
from evolution_sdk.models.base import OpenEnum
from evolution_sdk.models.content import Content, content_of, objects_at
from evolution_sdk.models.message import MessageKey
from evolution_sdk.models.message_types import FileType, MessageKind
from evolution_sdk.models.wire import decode_bytes, decode_long

from ._json import NOTHING, float_at, jids, object_at, text_at, time_at
from .interactive import decoded, word_of, written

_WAID = re.compile(r"waid=([0-9]{8,15})")
_TEL = re.compile(r"^(?:item\d+\.)?TEL[^:\n]*:(.+)$", re.MULTILINE | re.IGNORECASE)
_MOST_VCARD = 65_536


@dataclass(frozen=True, slots=True)
class EncryptedMedia:
    """A file as WhatsApp keeps it: encrypted, with the key beside the message.

    Whoever has these values can read the file for as long as WhatsApp keeps it.

    Attributes:
        type: The type of file, by which its keys are derived.
        url: WhatsApp's address of it, which expires.
        direct_path: Its path on WhatsApp's hosts.
        media_key: The key.
        file_sha256: Hash of the decrypted file.
        file_enc_sha256: Hash of the encrypted file.
        size_bytes: Size of the decrypted file, as its sender said.
    """

    type: FileType
    url: str | None = field(repr=False)
    direct_path: str | None = field(repr=False)
    media_key: bytes = field(repr=False)
    file_sha256: bytes | None = field(default=None, repr=False)
    file_enc_sha256: bytes | None = field(default=None, repr=False)
    size_bytes: int | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """The file of a message; see ``event.download_media()`` for its bytes.

    Attributes:
        kind: Kind of the file.
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
        thumbnail: A small picture of it (JPEG, of stickers PNG), if there is one.
        meta_id: Meta's id of the file (Business).
        transcript: The words of a voice message, where the server transcribes them.
        page_count: Number of pages of a document.
        is_gif: True for a video that plays like a GIF.
        is_animated: True for a sticker that moves.
        waveform: The loudness of a voice message over its time, 64 values of 0 to 100.
        encrypted: The file as WhatsApp keeps it, with its key; None where the server left it out.
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
    transcript: str | None = field(default=None, repr=False)
    page_count: int | None = None
    is_gif: bool = False
    is_animated: bool = False
    waveform: bytes | None = field(default=None, repr=False)
    encrypted: EncryptedMedia | None = field(default=None, repr=False)

    @property
    def suggested_name(self) -> str:
        """A safe name to save it under: that of a document, else its kind, with an extension."""
        return safe_name(self.file_name, str(self.kind), self.mimetype)


@dataclass(frozen=True, slots=True)
class Location:
    """A place; ``repr`` does not show it.

    Attributes:
        latitude: Degrees north.
        longitude: Degrees east.
        name: Name of the place.
        address: Its address.
        is_live: True if the person shares where they go; later places come as updates.
        url: A page about the place.
        accuracy_m: Radius in metres in which it lies.
        speed_mps: Speed in metres per second, of a live place.
        heading_degrees: Direction in degrees, clockwise from north, of a live place.
        sequence: Number of the place within one live share, which grows.
    """

    latitude: float | None = field(repr=False)
    longitude: float | None = field(repr=False)
    name: str | None = field(default=None, repr=False)
    address: str | None = field(default=None, repr=False)
    is_live: bool = False
    url: str | None = field(default=None, repr=False)
    accuracy_m: int | None = None
    speed_mps: float | None = field(default=None, repr=False)
    heading_degrees: int | None = field(default=None, repr=False)
    sequence: int | None = None


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
        emoji: The emoji; empty if the reaction was removed, or is encrypted.
        target: The message reacted to. On Business only its id is known.
        is_encrypted: True if the server could not read it (posts of a community).
    """

    emoji: str = field(repr=False)
    target: MessageKey
    is_encrypted: bool = False

    @property
    def removed(self) -> bool:
        """True if the reaction was taken back."""
        return not self.emoji and not self.is_encrypted


@dataclass(frozen=True, slots=True)
class Selection:
    """A choice of buttons, a list, a template or a native flow.

    Attributes:
        id: The id given when it was offered; None on Business, which reports only the title.
        title: The text that was shown.
        description: The second line of a list's row.
        name: Name of the native flow, such as ``quick_reply``, ``single_select`` or ``flow``.
        params: What a native flow answers, decoded, such as the fields of a form.
        params_json: The same as it came (``paramsJson``).
        index: Place of the button in its template, from 0.
        card_index: Place of its card in a carousel, from 0.
    """

    id: str | None = field(repr=False)
    title: str | None = field(default=None, repr=False)
    description: str | None = field(default=None, repr=False)
    name: str | None = None
    params: Mapping[str, object] = field(default_factory=dict[str, object], repr=False, hash=False)
    params_json: str | None = field(default=None, repr=False)
    index: int | None = None
    card_index: int | None = None


@dataclass(frozen=True, slots=True)
class Quoted:
    """A quoted message, as far as the answer tells of it.

    Attributes:
        id: Its WhatsApp id.
        sender: Its writer.
        text: Its text, caption or title.
        kind: Its kind; None when its content is not included.
        chat: The chat it is in, where that is another one: ``status@broadcast`` for a story, a
            group whose message is answered in private.
        media: Its file, where its content is included.
    """

    id: str
    sender: Jid | None = None
    text: str | None = field(default=None, repr=False)
    kind: MessageKind | None = None
    chat: Jid | None = None
    media: MediaInfo | None = None

    @property
    def is_story(self) -> bool:
        """True if it is a story, not a message of a chat."""
        return self.chat is not None and self.chat.is_status

    @property
    def is_group(self) -> bool:
        """True if it names another group, such as in a private answer to a group's message."""
        return self.chat is not None and self.chat.is_group


@dataclass(frozen=True, slots=True)
class AdReferral:
    """The advertisement or the link by which somebody came (click to WhatsApp).

    Attributes:
        ctwa_clid: Meta's id of the click, for its conversions API.
        source_id: Id of the advertisement or post.
        source_url: Its address.
        source_type: ``ad`` or ``post``.
        source_app: The app, such as ``instagram`` or ``facebook``.
        title: Its title.
        body: Its text.
        media_type: ``IMAGE`` or ``VIDEO``.
        media_url: Address of its picture or video.
        thumbnail_url: Address of its small picture.
        ref: The reference that the advertiser gave it.
        greeting: The greeting that the account sent by itself.
        entry_point: Where the conversation began, such as ``ctwa_ad``.
        utm_source: Source of the campaign.
        utm_campaign: Name of the campaign.
    """

    ctwa_clid: str | None = field(default=None, repr=False)
    source_id: str | None = None
    source_url: str | None = field(default=None, repr=False)
    source_type: str | None = None
    source_app: str | None = None
    title: str | None = field(default=None, repr=False)
    body: str | None = field(default=None, repr=False)
    media_type: str | None = None
    media_url: str | None = field(default=None, repr=False)
    thumbnail_url: str | None = field(default=None, repr=False)
    ref: str | None = field(default=None, repr=False)
    greeting: str | None = field(default=None, repr=False)
    entry_point: str | None = None
    utm_source: str | None = None
    utm_campaign: str | None = None


@dataclass(frozen=True, slots=True)
class LinkPreview:
    """The preview of a link in a text; the server drops it from texts that arrive.

    Attributes:
        url: The link.
        title: Title of the page.
        description: Its description.
        thumbnail: A small JPEG.
    """

    url: str | None = field(default=None, repr=False)
    title: str | None = field(default=None, repr=False)
    description: str | None = field(default=None, repr=False)
    thumbnail: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class GroupInvite:
    """An invitation to a group, as a message: ``groups.join_group(invite.code)``.

    Attributes:
        group: The group.
        code: The code that lets in.
        name: The group's name.
        caption: Words that came with it.
        expires_at: End of the invitation (aware).
        is_community: True if it leads to a community.
    """

    group: Jid | None
    code: str | None = field(default=None, repr=False)
    name: str | None = field(default=None, repr=False)
    caption: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    is_community: bool = False


@dataclass(frozen=True, slots=True)
class ChannelInvite:
    """An invitation to follow a channel, or to run one.

    Attributes:
        channel: The channel.
        name: The channel's name.
        caption: Words that came with it.
        expires_at: End of the invitation (aware).
        is_admin: True if it invites to run the channel.
    """

    channel: Jid | None
    name: str | None = field(default=None, repr=False)
    caption: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    is_admin: bool = False


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """An event in WhatsApp's calendar.

    Attributes:
        name: Its name.
        description: Its description.
        start: Its beginning (aware).
        end: Its end (aware).
        location: Its place.
        join_link: The link of its call.
        is_canceled: True if it was called off.
        is_call: True if it is a scheduled call.
        extra_guests_allowed: True if guests may bring others.
    """

    name: str | None = field(default=None, repr=False)
    description: str | None = field(default=None, repr=False)
    start: datetime | None = None
    end: datetime | None = None
    location: Location | None = None
    join_link: str | None = field(default=None, repr=False)
    is_canceled: bool = False
    is_call: bool = False
    extra_guests_allowed: bool = False


class CallOutcome(OpenEnum):
    """Outcome of a call."""

    CONNECTED = "CONNECTED"
    MISSED = "MISSED"
    FAILED = "FAILED"
    REJECTED = "REJECTED"
    ACCEPTED_ELSEWHERE = "ACCEPTED_ELSEWHERE"
    ONGOING = "ONGOING"
    SILENCED_BY_DND = "SILENCED_BY_DND"
    SILENCED_UNKNOWN_CALLER = "SILENCED_UNKNOWN_CALLER"


@dataclass(frozen=True, slots=True)
class CallLog:
    """A call that is over, as a message.

    Attributes:
        outcome: Its outcome.
        is_video: True for a video call.
        duration_s: Its length in seconds.
        type: ``REGULAR``, ``SCHEDULED_CALL`` or ``VOICE_CHAT``.
        participants: The people in it.
    """

    outcome: CallOutcome | None = None
    is_video: bool = False
    duration_s: int | None = None
    type: str | None = None
    participants: tuple[Jid, ...] = ()


@dataclass(frozen=True, slots=True)
class ScheduledCall:
    """A call that somebody announced, or called off.

    Attributes:
        title: Its title.
        start: Its beginning (aware).
        is_video: True for a video call.
        is_canceled: True if it was called off; ``target`` is the announcement.
    """

    title: str | None = field(default=None, repr=False)
    start: datetime | None = None
    is_video: bool = False
    is_canceled: bool = False


@dataclass(frozen=True, slots=True)
class Album:
    """The cover of an album, which announces the pictures that follow.

    Attributes:
        images: Number of pictures.
        videos: Number of videos.
    """

    images: int = 0
    videos: int = 0


_FILE_KINDS: Mapping[str, tuple[MessageKind, FileType]] = {
    "imageMessage": (MessageKind.IMAGE, "image"),
    "videoMessage": (MessageKind.VIDEO, "video"),
    "documentMessage": (MessageKind.DOCUMENT, "document"),
    "audioMessage": (MessageKind.AUDIO, "audio"),
    "productImage": (MessageKind.IMAGE, "image"),
    "catalogImage": (MessageKind.IMAGE, "image"),
}
"""Files within other content, by their field."""
_TRANSCRIBED = "[audio] "


def media_of(content: Content, outer: Mapping[str, object]) -> MediaInfo | None:
    """Read the file of a message; None if it has none.

    Args:
        content: The content of the message.
        outer: The ``message`` object as it arrived.
    """
    row = content.row
    if row is None:
        return None
    if row.file is not None:
        kind = content.kind
        # An edited message has the file of its new content.
        if kind is MessageKind.EDITED:
            kind = content_of(content.inner).kind
        return _media(kind, row.file, content.part, outer, content.inner)
    for path in row.file_in:
        for node in objects_at(content.part, path):
            for name, (kind, type_) in _FILE_KINDS.items():
                found = object_at(node, name)
                if found:
                    return _media(kind, type_, found, outer, content.inner)
    return None


def _media(
    kind: MessageKind,
    type_: FileType,
    part: Mapping[str, object],
    outer: Mapping[str, object],
    inner: Mapping[str, object],
) -> MediaInfo:
    waveform = decode_bytes(part.get("waveform"))
    return MediaInfo(
        kind=kind,
        mimetype=text_at(part, "mimetype", "mime_type"),
        file_name=text_at(part, "fileName", "filename"),
        size_bytes=decode_long(part.get("fileLength")),
        caption=text_at(part, "caption"),
        url=text_at(outer, "mediaUrl") or text_at(inner, "mediaUrl"),
        whatsapp_url=text_at(part, "url"),
        has_base64=bool(base64_of(outer, inner)),
        width=decode_long(part.get("width")),
        height=decode_long(part.get("height")),
        seconds=decode_long(part.get("seconds")),
        thumbnail=decode_bytes(part.get("jpegThumbnail") or part.get("pngThumbnail")) or None,
        meta_id=text_at(part, "id"),
        transcript=transcript_of(outer, inner),
        page_count=decode_long(part.get("pageCount")),
        is_gif=part.get("gifPlayback") is True,
        is_animated=any(part.get(name) is True for name in ("isAnimated", "isLottie", "animated")),
        waveform=waveform or None,
        encrypted=_encrypted(type_, part),
    )


def _encrypted(type_: FileType, part: Mapping[str, object]) -> EncryptedMedia | None:
    key = decode_bytes(part.get("mediaKey"))
    url, path = text_at(part, "url"), text_at(part, "directPath")
    if not key or not (url or path):
        return None
    return EncryptedMedia(
        type_,
        url,
        path,
        key,
        decode_bytes(part.get("fileSha256")) or None,
        decode_bytes(part.get("fileEncSha256")) or None,
        decode_long(part.get("fileLength")),
    )


def base64_of(*messages: Mapping[str, object]) -> str | None:
    """Return the file itself, as base64, where the server put it beside the content.

    Args:
        *messages: The ``message`` object as it arrived, and without its wrappers.
    """
    return next(filter(None, (text_at(message, "base64") for message in messages)), None)


def transcript_of(*messages: Mapping[str, object]) -> str | None:
    """Return the words of a voice message, where the server transcribed them.

    Args:
        *messages: The ``message`` object as it arrived, and without its wrappers.
    """
    # Servers since 2.3 write a mark before the words (`src/…/whatsapp.baileys.service.ts`).
    told = ((text_at(message, "speechToText") or "") for message in messages)
    return next(filter(None, (words.removeprefix(_TRANSCRIBED) for words in told)), None)


def location_of(part: Mapping[str, object], *, is_live: bool) -> Location:
    """Read a place."""
    return Location(
        latitude=float_at(part, "degreesLatitude"),
        longitude=float_at(part, "degreesLongitude"),
        name=text_at(part, "name"),
        address=text_at(part, "address"),
        is_live=is_live,
        url=text_at(part, "url"),
        accuracy_m=decode_long(part.get("accuracyInMeters")),
        speed_mps=float_at(part, "speedInMps"),
        heading_degrees=decode_long(part.get("degreesClockwiseFromMagneticNorth")),
        sequence=decode_long(part.get("sequenceNumber")),
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


def reaction_of(content: Content) -> Reaction:
    """Read a reaction."""
    return Reaction(
        text_at(content.part, "text") or "",
        MessageKey.from_wire(content.target or NOTHING),
        content.name == "encReactionMessage",
    )


def selection_of(part: Mapping[str, object], text: str | None) -> Selection:
    """Read a choice, in any of the forms of buttons, lists, templates and native flows."""
    flow = object_at(part, "nativeFlowResponseMessage")
    if flow:
        return _flow_answer(flow, text)
    # Lists put the id into an object of its own, buttons and templates beside the title.
    row = object_at(part, "singleSelectReply")
    chosen = written(part, "selectedButtonId", "selectedId") or written(row, "selectedRowId")
    title = text_at(part, "selectedDisplayText", "title")
    return Selection(
        chosen,
        title if title is not None else text,
        text_at(part, "description"),
        index=decode_long(part.get("selectedIndex")),
        card_index=decode_long(part.get("selectedCarouselCardIndex")),
    )


def _flow_answer(flow: Mapping[str, object], text: str | None) -> Selection:
    params = decoded(flow.get("paramsJson"))
    return Selection(
        written(params, "id", "selectedId", "selected_id", "selectedRowId", "rowId", "button_id"),
        text or written(params, "display_text", "title", "displayText"),
        written(params, "description"),
        text_at(flow, "name"),
        params,
        text_at(flow, "paramsJson"),
    )


def quoted_in(context: Mapping[str, object]) -> Quoted | None:
    """Read the quoted message; None when nothing is quoted."""
    quoted_id = text_at(context, "stanzaId")
    if not quoted_id:
        return None
    quoted = object_at(context, "quotedMessage")
    content = content_of(quoted) if quoted else None
    return Quoted(
        quoted_id,
        jid_or_none(context.get("participant")),
        None if content is None else content.text,
        None if content is None else content.kind,
        jid_or_none(context.get("remoteJid")),
        None if content is None else media_of(content, quoted),
    )


def mentions_in(context: Mapping[str, object]) -> tuple[Jid, ...]:
    """Read the people who are mentioned."""
    return jids(context.get("mentionedJid"))


def ad_in(context: Mapping[str, object]) -> AdReferral | None:
    """Read the advertisement by which somebody came; None for any other message."""
    shown = object_at(context, "externalAdReply")
    entry = text_at(context, "entryPointConversionSource", "conversionSource")
    # Bots use the same field for previews of links: an advertisement has an id, or says so.
    told = text_at(shown, "ctwaClid", "sourceId") or shown.get("showAdAttribution") is True
    if not (told or text_at(shown, "sourceType") or _is_ad(entry)):
        return _older_ad(object_at(context, "quotedAd"))
    utm = object_at(context, "utm")
    return AdReferral(
        text_at(shown, "ctwaClid"),
        text_at(shown, "sourceId"),
        text_at(shown, "sourceUrl"),
        text_at(shown, "sourceType"),
        text_at(shown, "sourceApp") or text_at(context, "entryPointConversionApp"),
        text_at(shown, "title"),
        text_at(shown, "body"),
        word_of(shown.get("mediaType"), _AD_MEDIA),
        text_at(shown, "mediaUrl"),
        text_at(shown, "thumbnailUrl", "originalImageUrl"),
        text_at(shown, "ref"),
        text_at(shown, "greetingMessageBody"),
        entry,
        text_at(utm, "utmSource"),
        text_at(utm, "utmCampaign"),
    )


def _is_ad(entry: str | None) -> bool:
    """Tell if the name of an entry point, such as ``ctwa_ad`` or ``FB_Ads``, means an ad."""
    return entry is not None and not {"ad", "ads"}.isdisjoint(entry.lower().split("_"))


_AD_MEDIA = {0: "NONE", 1: "IMAGE", 2: "VIDEO"}


def _older_ad(shown: Mapping[str, object]) -> AdReferral | None:
    if not shown:
        return None
    return AdReferral(
        title=text_at(shown, "advertiserName"),
        body=text_at(shown, "caption"),
        media_type=word_of(shown.get("mediaType"), _AD_MEDIA),
    )


def preview_of(part: Mapping[str, object]) -> LinkPreview | None:
    """Read the preview of a link in a text; None without one."""
    url = text_at(part, "matchedText", "canonicalUrl")
    if not url:
        return None
    return LinkPreview(
        url,
        text_at(part, "title"),
        text_at(part, "description"),
        decode_bytes(part.get("jpegThumbnail")) or None,
    )


def group_invite_of(part: Mapping[str, object]) -> GroupInvite:
    """Read an invitation to a group."""
    return GroupInvite(
        jid_or_none(part.get("groupJid")),
        text_at(part, "inviteCode"),
        text_at(part, "groupName"),
        text_at(part, "caption"),
        time_at(part, "inviteExpiration"),
        word_of(part.get("groupType"), {0: "DEFAULT", 1: "PARENT"}) == "PARENT",
    )


def channel_invite_of(content: Content) -> ChannelInvite:
    """Read an invitation to a channel."""
    part = content.part
    return ChannelInvite(
        jid_or_none(part.get("newsletterJid")),
        text_at(part, "newsletterName"),
        text_at(part, "caption"),
        time_at(part, "inviteExpiration"),
        content.name == "newsletterAdminInviteMessage",
    )


def calendar_event_of(part: Mapping[str, object]) -> CalendarEvent:
    """Read an event of the calendar."""
    place = object_at(part, "location")
    return CalendarEvent(
        text_at(part, "name", "eventTitle"),
        text_at(part, "description"),
        time_at(part, "startTime"),
        time_at(part, "endTime"),
        location_of(place, is_live=False) if place else None,
        text_at(part, "joinLink", "callLink"),
        part.get("isCanceled") is True,
        part.get("isScheduleCall") is True,
        part.get("extraGuestsAllowed") is True,
    )


_OUTCOMES = dict(enumerate(CallOutcome))
_CALL_TYPES = {0: "REGULAR", 1: "SCHEDULED_CALL", 2: "VOICE_CHAT"}


def call_log_of(part: Mapping[str, object]) -> CallLog:
    """Read a call that is over."""
    outcome = word_of(part.get("callOutcome"), _OUTCOMES)
    return CallLog(
        None if outcome is None else CallOutcome(outcome),
        part.get("isVideo") is True,
        decode_long(part.get("durationSecs")),
        word_of(part.get("callType"), _CALL_TYPES),
        jids([person.get("jid") for person in objects_at(part, "participants")]),
    )


def scheduled_call_of(part: Mapping[str, object]) -> ScheduledCall:
    """Read a call that was announced or called off."""
    return ScheduledCall(
        text_at(part, "title"),
        time_at(part, "scheduledTimestampMs", per_second=1000),
        word_of(part.get("callType"), {1: "VOICE", 2: "VIDEO"}) == "VIDEO",
        word_of(part.get("editType"), {1: "CANCEL"}) == "CANCEL",
    )


def album_of(part: Mapping[str, object]) -> Album:
    """Read the cover of an album."""
    return Album(
        decode_long(part.get("expectedImageCount")) or 0,
        decode_long(part.get("expectedVideoCount")) or 0,
    )


def album_key_in(*contexts: object) -> MessageKey | None:
    """Find the album that a picture belongs to, in any ``messageContextInfo``."""
    for context in filter(is_object, contexts):
        link = object_at(context, "messageAssociation")
        key = object_at(link, "parentMessageKey")
        if key and word_of(link.get("associationType"), {1: "MEDIA_ALBUM"}) == "MEDIA_ALBUM":
            return MessageKey.from_wire(key)
    return None
