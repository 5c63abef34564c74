"""The sends of WHATSAPP-BAILEYS other than text and reactions."""

from __future__ import annotations

import base64
from typing import Any

from evolution_sdk.testing.fake.channels.base import Method, location_of
from evolution_sdk.testing.fake.channels.vcard import cards
from evolution_sdk.testing.fake.errors import (
    ErrorThrown,
    Thrown,
    bad_request,
    internal,
    reading,
)
from evolution_sdk.testing.fake.js import JsonObject, as_list, defined, get, truthy
from evolution_sdk.testing.fake.media import is_base64, is_url, lookup_type, name_in_url
from evolution_sdk.testing.fake.router import Call
from evolution_sdk.testing.fake.state import Instance

from . import content, socket
from .sending import Way, send

_VOICE = "audio/ogg; codecs=opus"
_MAX_REPLY_BUTTONS = 3


def _bytes(call: Call, source: Any) -> bytes:
    """The media itself; what a URL holds is known only to tests that said so."""
    if call.file is not None:
        return call.file.content
    if is_url(source):
        return call.world.network.fetch(source)
    return base64.b64decode(source) if isinstance(source, str) else b""


def _media(call: Call, instance: Instance) -> JsonObject:
    kind = call.body["mediatype"]
    try:
        message = _prepare(call, instance, kind, get(call.body, "media"))
    except Thrown as thrown:
        raise internal(thrown.text) from None
    return send(call, instance, call.body["number"], message, Way.FORWARD)


def _prepare(call: Call, instance: Instance, kind: str, media: Any) -> JsonObject:
    """Upload first, then name and type: a closed socket wins over a missing file name."""
    world, body = call.world, call.body
    socket.query(instance, "waUploadToServer")
    data = _bytes(call, media)
    name, caption = get(body, "fileName"), get(body, "caption")
    if kind == "image":
        picture = name if truthy(name) else "image.jpg"
        return {"imageMessage": content.image(world, data, _type_of(picture), caption)}
    if kind == "video":
        clip = name if truthy(name) else "video.mp4"
        node = content.video(world, data, _type_of(clip), caption=caption)
        return {"videoMessage": node}
    if kind == "audio":
        given = get(body, "mimetype")
        mimetype = _type_of(name) if truthy(name) else given if truthy(given) else "false"
        return {"audioMessage": content.audio(world, data, mimetype, voice=False)}
    if not truthy(name):
        # An upload leaves base64 here, which holds no name either.
        name = name_in_url("" if call.file is not None else media)
    return {"documentMessage": content.document(world, data, _type_of(name), name, caption)}


def _type_of(name: Any) -> str:
    return lookup_type(name) or "false"


def _ptv(call: Call, instance: Instance) -> JsonObject:
    source = get(call.body, "video")
    try:
        socket.query(instance, "waUploadToServer")
        if call.file is None and is_url(source):
            # The duration probe of 2.3.6 takes the URL for a path, so that URLs always fail.
            cause = f"ENOENT: no such file or directory, stat '{source}'"
            raise ErrorThrown(f"Failed to get video duration: {cause}")
        data = _bytes(call, source)
        if not data:
            raise ErrorThrown("Failed to get video duration: Invalid media buffer")
    except Thrown as thrown:
        raise internal(thrown.text) from None
    node = content.video(call.world, data, "video/mp4", gif=False, seconds=1)
    return send(call, instance, call.body["number"], {"ptvMessage": node}, Way.FORWARD)


def _audio(call: Call, instance: Instance) -> JsonObject:
    data = _bytes(call, get(call.body, "audio"))
    node = content.audio(call.world, data, _VOICE, voice=True)
    # Quotes and mentions are accepted and ignored here; only the delay counts.
    return send(
        call, instance, call.body["number"], {"audioMessage": node}, Way.MEDIA, quotes=False
    )


def _sticker(call: Call, instance: Instance) -> JsonObject:
    source = get(call.body, "sticker")
    if not is_base64(source) and "://" not in str(source):
        # An upload never reaches the converter in 2.3.6: it reads the missing text part.
        raise ErrorThrown("Invalid URL", name="TypeError")
    call.file = None
    node = content.sticker(call.world, _bytes(call, source))
    return send(call, instance, call.body["number"], {"stickerMessage": node}, Way.MEDIA)


def _location(call: Call, instance: Instance) -> JsonObject:
    message = {"locationMessage": location_of(call.body)}
    return send(call, instance, call.body["number"], message, Way.FORWARD)


def _contact(call: Call, instance: Instance) -> JsonObject:
    message = cards(call.body["contact"], "contactMessage")
    return send(call, instance, call.body["number"], message, Way.FORWARD, options=False)


def _poll(call: Call, instance: Instance) -> JsonObject:
    body = call.body
    message = content.poll(call.world, body)
    return send(call, instance, body["number"], message, Way.POLL, check=_check_poll)


def _check_poll(body: JsonObject) -> None:
    answers = len(body["values"])
    if body["selectableCount"] > answers:
        raise ErrorThrown(f"poll.selectableCount in poll should be >= 0 and <= {answers}")


def _menu(call: Call, instance: Instance) -> JsonObject:
    body = call.body
    node = defined(
        sections=[
            {"rows": section["rows"], "title": section["title"]} for section in body["sections"]
        ],
        title=body["title"],
        description=get(body, "description"),
        buttonText=body["buttonText"],
        listType=2,
        footerText=body["footerText"],
    )
    return send(call, instance, body["number"], {"listMessage": node}, Way.FORWARD)


def _buttons(call: Call, instance: Instance) -> JsonObject:
    buttons = as_list(get(call.body, "buttons"))
    if buttons is None:
        raise reading("length")
    _check_buttons([button["type"] for button in buttons])
    if truthy(get(call.body, "thumbnailUrl")):
        try:
            socket.query(instance, "waUploadToServer")
        except Thrown as thrown:
            raise internal(thrown.text) from None
    message = content.buttons(call.world, call.body)
    return send(call, instance, call.body["number"], message, Way.PLAIN)


def _check_buttons(kinds: list[str]) -> None:
    if not kinds:
        raise bad_request("At least one button is required")
    others = any(kind not in ("reply", "pix") for kind in kinds)
    if "reply" in kinds:
        if len(kinds) > _MAX_REPLY_BUTTONS:
            raise bad_request("Maximum of 3 reply buttons allowed")
        if others:
            raise bad_request("Reply buttons cannot be mixed with other button types")
    if "pix" in kinds and len(kinds) > 1:
        raise bad_request("Only one PIX button is allowed")


def _template(_: Call, __: Instance) -> JsonObject:
    raise ErrorThrown("Method not available in the Baileys service")


def _status(call: Call, instance: Instance) -> JsonObject:
    message = _story(call, instance)
    return send(
        call, instance, "status@broadcast", message, Way.STATUS, options=False, check=_check_story
    )


def _check_story(body: JsonObject) -> None:
    text = get(body, "content")
    if body["type"] in ("image", "video") and not str(text).startswith(("http://", "https://")):
        # 2.3.6 takes base64 and uploads for a path.
        raise ErrorThrown(f"ENOENT: no such file or directory, open '{str(text)[:64]}'")


def _story(call: Call, instance: Instance) -> JsonObject:
    world, body = call.world, call.body
    kind, text = body["type"], get(body, "content")
    if call.file is not None:
        text = base64.b64encode(call.file.content).decode()
    if not truthy(text):
        raise bad_request("Content is required")
    if truthy(get(body, "allContacts")):
        if not instance.contacts:
            raise bad_request("Contacts not found")
    elif not truthy(get(body, "statusJidList")):
        raise bad_request("StatusJidList is required")
    if kind == "text":
        if not truthy(get(body, "backgroundColor")):
            raise bad_request("Background color is required")
        if not truthy(get(body, "font")):
            raise bad_request("Font is required")
        return {"conversation": text}
    if kind == "audio":
        return {"audioMessage": content.audio(world, _bytes(call, text), _VOICE, voice=True)}
    data, caption = world.network.fetch(text), get(body, "caption")
    if kind == "image":
        return {"imageMessage": content.image(world, data, "image/jpeg", caption)}
    return {"videoMessage": content.video(world, data, "video/mp4", caption=caption, gif=False)}


METHODS: dict[str, Method] = {
    "mediaMessage": _media,
    "ptvMessage": _ptv,
    "audioWhatsapp": _audio,
    "mediaSticker": _sticker,
    "locationMessage": _location,
    "contactMessage": _contact,
    "pollMessage": _poll,
    "listMessage": _menu,
    "buttonMessage": _buttons,
    "templateMessage": _template,
    "statusMessage": _status,
}
