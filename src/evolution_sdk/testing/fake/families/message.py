"""Routes of ``/message/*``: every one answers 201."""

from __future__ import annotations

import re
import unicodedata

from evolution_sdk.testing.fake.channels import on_channel
from evolution_sdk.testing.fake.errors import bad_request
from evolution_sdk.testing.fake.js import get
from evolution_sdk.testing.fake.media import is_base64, is_url
from evolution_sdk.testing.fake.router import Handler, Route, RouteCall
from evolution_sdk.testing.fake.schema import Schema
from evolution_sdk.testing.fake.schemas import message as schemas

_MEDIA_REFUSED = "Owned media must be a url or base64"
_AUDIO_REFUSED = "Owned media must be a url, base64, or valid file with buffer"
# What the first rule wants to see: any sign beside these.
_ANY_SIGN = re.compile(r"[^()\w\sà-ú\"-+]", re.ASCII)
_JOINERS = "\u200d\ufe0f\ufe0e\u20e3"
_MODIFIERS = re.compile("[\U0001f3fb-\U0001f3ff]")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")


def _needs_media(field: str, refusal: str = _MEDIA_REFUSED) -> Handler:
    def check(call: RouteCall) -> None:
        source = get(call.body, field)
        # A file part makes the field in the body superfluous.
        if call.file is None and not is_url(source) and not is_base64(source):
            raise bad_request(refusal)

    return check


_has_media = _needs_media("media")


def _check_media(call: RouteCall) -> None:
    body = call.body
    if (
        # Base64 names no file, and a document needs a name.
        is_base64(get(body, "media"))
        and not body.get("fileName")
        and body["mediatype"] == "document"
    ):
        raise bad_request("For base64 the file name must be informed.")
    _has_media(call)


def _check_reaction(call: RouteCall) -> None:
    if not call.server.profile.has("reactions_removable"):
        if not _ANY_SIGN.search(call.body["reaction"]):
            raise bad_request('"reaction" must be an emoji')
        return
    if not is_single_emoji(call.body["reaction"]):
        raise bad_request("Reaction must be a single emoji or empty string")


def is_single_emoji(text: str) -> bool:
    """Tell if a text is one emoji, joined ones and flags included; the empty text passes."""
    if text == "":
        return True
    # Flags and keycaps are several characters that no joiner holds together.
    if _FLAG.fullmatch(text) or re.fullmatch("[0-9#*]\ufe0f?\u20e3", text):
        return True
    # Skin tones are dropped; families and the like are pictographs around joiners.
    parts = _MODIFIERS.sub("", text).split("\u200d")
    return all(len(part.strip(_JOINERS)) == 1 and _is_pictograph(part[0]) for part in parts)


def _is_pictograph(mark: str) -> bool:
    return unicodedata.category(mark) == "So" or mark in "↔↕‼⁉〰〽©®™" or ord(mark) >= 0x1F000


def _send(
    operation: str,
    member: str,
    schema: Schema,
    check: Handler | None = None,
    *,
    multipart: bool = False,
) -> Route:
    return Route(
        f"message.{operation}",
        on_channel(member, check),
        status=201,
        schema=schema,
        multipart=multipart,
    )


ROUTES = [
    _send("send_template", "templateMessage", schemas.TEMPLATE),
    _send("send_text", "textMessage", schemas.TEXT),
    _send("send_media", "mediaMessage", schemas.MEDIA, _check_media, multipart=True),
    _send("send_ptv", "ptvMessage", schemas.PTV, _needs_media("video"), multipart=True),
    _send(
        "send_whatsapp_audio",
        "audioWhatsapp",
        schemas.AUDIO,
        _needs_media("audio", _AUDIO_REFUSED),
        multipart=True,
    ),
    _send("send_status", "statusMessage", schemas.STATUS, multipart=True),
    _send(
        "send_sticker",
        "mediaSticker",
        schemas.STICKER,
        _needs_media("sticker"),
        multipart=True,
    ),
    _send("send_location", "locationMessage", schemas.LOCATION),
    _send("send_contact", "contactMessage", schemas.CONTACT),
    _send("send_reaction", "reactionMessage", schemas.REACTION, _check_reaction),
    _send("send_poll", "pollMessage", schemas.POLL),
    _send("send_list", "listMessage", schemas.LIST),
    _send("send_buttons", "buttonMessage", schemas.BUTTONS),
    _send("send_carousel", "carouselMessage", schemas.CAROUSEL),
]
