"""Sends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict, Unpack

from evolution_sdk._base.effect import Effect
from evolution_sdk.media import MediaKind
from evolution_sdk.media._plan import MediaForm, MediaRule
from evolution_sdk.models.message import SentMessage
from evolution_sdk.operations.error_facts import ErrorFacts
from evolution_sdk.operations.operation import (
    ALL_CHANNELS,
    Channel,
    Operation,
    SentKind,
    TimeoutKind,
)

from ._declare import BAILEYS, NO_MULTIPART, Family

_message = Family(
    "message",
    session=True,
    errors=ErrorFacts(habits=frozenset({"reads_own_name", "reads_own_id"})),
)


class _More(TypedDict, total=False):
    """Facts of the kinds that came later, or whose body did."""

    since: str
    fields_since: Mapping[str, str]


def _send(
    kind: SentKind,
    route: str,
    *,
    channels: tuple[Channel, ...] = ALL_CHANNELS,
    media: MediaRule | None = None,
    message_id_on: tuple[Channel, ...] = (),
    **more: Unpack[_More],
) -> Operation[SentMessage]:
    """Declare one kind of message; they differ in little but name, route, channels and file."""
    carries_file = media is not None and kind != "buttons"  # their picture is small
    return _message(
        f"send_{kind}",
        "POST",
        route,
        Effect.SEND,
        SentMessage.from_wire,
        channels=channels,
        timeout=TimeoutKind.MEDIA if carries_file else TimeoutKind.SEND,
        paced_as="messages",
        media=media,
        recognised_as=kind,
        message_id_on=message_id_on,
        **more,
    )


_URL, _BASE64, _MULTIPART = MediaForm.URL, MediaForm.BASE64, MediaForm.MULTIPART

# Where 2.4 makes our `messageId` the id of the message (`facts/versions/versions.md` §4).
_BY_OUR_ID: tuple[Channel, ...] = ("baileys", "evolution")

SEND_TEXT = _send("text", "sendText", message_id_on=_BY_OUR_ID)
SEND_MEDIA = _send(
    "media",
    "sendMedia",
    media=MediaRule("media"),
    message_id_on=_BY_OUR_ID,
    fields_since={"gifPlayback": "2.4", "gifAttribution": "2.4"},
)
SEND_PTV = _send(
    "ptv",
    "sendPtv",
    channels=("baileys",),
    # The duration probe of 2.3.6 takes a URL for the path of a local file.
    media=MediaRule("video", MediaKind.VIDEO, frozenset({_BASE64, _MULTIPART})),
    message_id_on=BAILEYS,
)
SEND_WHATSAPP_AUDIO = _send(
    "whatsapp_audio",
    "sendWhatsAppAudio",
    media=MediaRule(
        "audio",
        MediaKind.AUDIO,
        only={
            # encoding=false ignores the file part; any text of that field would be true anyway.
            "unencoded": NO_MULTIPART,
            # The EVOLUTION channel looks at the file part only.
            "evolution": frozenset({_MULTIPART}),
        },
    ),
    message_id_on=("evolution",),
)
SEND_STATUS = _send(
    "status",
    "sendStatus",
    channels=("baileys",),
    # Content other than a URL is taken for the path of a file on the server; audio is converted.
    media=MediaRule(
        "content",
        only={
            "image": frozenset({_URL}),
            "video": frozenset({_URL}),
            "document": frozenset[MediaForm](),
        },
    ),
)
SEND_STICKER = _send(
    "sticker",
    "sendSticker",
    channels=("baileys",),
    # The file part is ignored, and the missing field then taken for a URL.
    media=MediaRule(
        "sticker", MediaKind.IMAGE, NO_MULTIPART, only={"unconverted": frozenset({_BASE64})}
    ),
    message_id_on=BAILEYS,
)
SEND_LOCATION = _send("location", "sendLocation", channels=("baileys", "business"))
SEND_CONTACT = _send("contact", "sendContact", channels=("baileys", "business"))
SEND_REACTION = _send("reaction", "sendReaction", channels=("baileys", "business"))
SEND_POLL = _send("poll", "sendPoll", channels=BAILEYS, message_id_on=BAILEYS)
SEND_LIST = _send("list", "sendList", channels=("baileys", "business"))
SEND_BUTTONS = _send(
    "buttons",
    "sendButtons",
    media=MediaRule("thumbnailUrl", MediaKind.IMAGE, NO_MULTIPART),
    message_id_on=("evolution",),
)
SEND_CAROUSEL = _send("carousel", "sendCarousel", channels=BAILEYS, since="2.4")
SEND_TEMPLATE = _send("template", "sendTemplate", channels=("business",))
