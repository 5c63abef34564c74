"""``/message/*``: every route is a POST that answers 201."""

from __future__ import annotations

import re
import unicodedata

from evolution_sdk.testing.fake.channels import on_channel
from evolution_sdk.testing.fake.errors import bad_request
from evolution_sdk.testing.fake.js import get
from evolution_sdk.testing.fake.media import is_base64, is_url
from evolution_sdk.testing.fake.router import Call, Handler, Route
from evolution_sdk.testing.fake.schema import Schema
from evolution_sdk.testing.fake.schemas import message as schemas

_MEDIA_REFUSED = "Owned media must be a url or base64"
_AUDIO_REFUSED = "Owned media must be a url, base64, or valid file with buffer"
_JOINERS = "\u200d\ufe0f\ufe0e\u20e3"
_MODIFIERS = re.compile("[\U0001f3fb-\U0001f3ff]")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")


def _needs_media(field: str, refusal: str = _MEDIA_REFUSED) -> Handler:
    def check(call: Call) -> None:
        source = get(call.body, field)
        if call.file is None and not is_url(source) and not is_base64(source):
            raise bad_request(refusal)

    return check


_has_media = _needs_media("media")


def _check_media(call: Call) -> None:
    body = call.body
    if (
        is_base64(get(body, "media"))
        and not body.get("fileName")
        and body["mediatype"] == "document"
    ):
        raise bad_request("For base64 the file name must be informed.")
    _has_media(call)


def _check_reaction(call: Call) -> None:
    if not is_single_emoji(call.body["reaction"]):
        raise bad_request("Reaction must be a single emoji or empty string")


def is_single_emoji(text: str) -> bool:
    """Whether a text is one emoji, joined ones and flags included; the empty one passes."""
    if text == "":
        return True
    if _FLAG.fullmatch(text) or re.fullmatch("[0-9#*]\ufe0f?\u20e3", text):
        return True
    parts = _MODIFIERS.sub("", text).split("\u200d")
    return all(len(part.strip(_JOINERS)) == 1 and _is_pictograph(part[0]) for part in parts)


def _is_pictograph(mark: str) -> bool:
    return unicodedata.category(mark) == "So" or mark in "↔↕‼⁉〰〽©®™" or ord(mark) >= 0x1F000


def _send(
    operation: str, path: str, member: str, schema: Schema, check: Handler | None = None,
    *, multipart: bool = False,
) -> Route:  # fmt: skip
    return Route(
        f"message.{operation}",
        "POST",
        f"/message/{path}/{{instance}}",
        on_channel(member, check),
        status=201,
        schema=schema,
        multipart=multipart,
    )


ROUTES = [
    _send("send_template", "sendTemplate", "templateMessage", schemas.TEMPLATE),
    _send("send_text", "sendText", "textMessage", schemas.TEXT),
    _send("send_media", "sendMedia", "mediaMessage", schemas.MEDIA, _check_media, multipart=True),
    _send("send_ptv", "sendPtv", "ptvMessage", schemas.PTV, _needs_media("video"), multipart=True),
    _send(
        "send_whatsapp_audio", "sendWhatsAppAudio", "audioWhatsapp", schemas.AUDIO,
        _needs_media("audio", _AUDIO_REFUSED), multipart=True,
    ),
    _send("send_status", "sendStatus", "statusMessage", schemas.STATUS, multipart=True),
    _send(
        "send_sticker", "sendSticker", "mediaSticker", schemas.STICKER,
        _needs_media("sticker"), multipart=True,
    ),
    _send("send_location", "sendLocation", "locationMessage", schemas.LOCATION),
    _send("send_contact", "sendContact", "contactMessage", schemas.CONTACT),
    _send("send_reaction", "sendReaction", "reactionMessage", schemas.REACTION, _check_reaction),
    _send("send_poll", "sendPoll", "pollMessage", schemas.POLL),
    _send("send_list", "sendList", "listMessage", schemas.LIST),
    _send("send_buttons", "sendButtons", "buttonMessage", schemas.BUTTONS),
]  # fmt: skip
