"""Sends of WHATSAPP-BAILEYS other than text and reactions."""

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
from evolution_sdk.testing.fake.js import UNDEFINED, JsonObject, as_list, defined, get, truthy
from evolution_sdk.testing.fake.media import is_base64, is_url, lookup_type, name_in_url
from evolution_sdk.testing.fake.router import RouteCall
from evolution_sdk.testing.fake.state import Instance

from . import content, socket
from .sending import SendMode, send

_VOICE = "audio/ogg; codecs=opus"
_MAX_REPLY_BUTTONS = 3
_MAX_CTA_BUTTONS = 2


def _bytes(call: RouteCall, source: Any) -> bytes:
    """Read the media itself; a URL is empty unless a test put something there."""
    if call.file is not None:
        return call.file.content
    if is_url(source):
        return call.server.network.fetch(source)
    return base64.b64decode(source) if isinstance(source, str) else b""


def _media(call: RouteCall, instance: Instance) -> JsonObject:
    kind = call.body["mediatype"]
    try:
        message = _prepare(call, instance, kind, get(call.body, "media"))
    except Thrown as thrown:
        raise internal(thrown.text) from None
    return send(call, instance, call.body["number"], message, SendMode.FORWARD)


def _prepare(call: RouteCall, instance: Instance, kind: str, media: Any) -> JsonObject:
    """Upload first, then find name and type: a closed socket wins over a missing file name."""
    server, body = call.server, call.body
    socket.query(instance, "waUploadToServer")
    data = _bytes(call, media)
    name, caption = get(body, "fileName"), get(body, "caption")
    if kind == "image":
        # The extension of the name decides the type, so that a name without one gives "false".
        picture = name if truthy(name) else "image.jpg"
        return {"imageMessage": content.image(server, data, _type_of(picture), caption)}
    if kind == "video":
        clip = name if truthy(name) else "video.mp4"
        playback, attribution = _gif(call)
        node = content.video(
            server,
            data,
            _type_of(clip),
            caption=caption,
            gif=playback,
            attribution=attribution,
        )
        return {"videoMessage": node}
    if kind == "audio":
        given = get(body, "mimetype")
        # Only audio honours the type that the caller gives, and only without a name.
        mimetype = _type_of(name) if truthy(name) else given if truthy(given) else "false"
        return {"audioMessage": content.audio(server, data, mimetype, voice=False)}
    if not truthy(name):
        # An upload leaves base64 here, which holds no name either.
        name = name_in_url("" if call.file is not None else media)
    return {"documentMessage": content.document(server, data, _type_of(name), name, caption)}


def _gif(call: RouteCall) -> tuple[bool, Any]:
    """Read whether a video loops, and whose it is; text says it as well."""
    if not call.server.profile.has("gif_playback"):
        return False, UNDEFINED
    attribution = get(call.body, "gifAttribution")
    # The schema lets only three numbers pass, as texts or as numbers.
    numbered = UNDEFINED if attribution is UNDEFINED else int(attribution)
    return get(call.body, "gifPlayback") in (True, "true"), numbered


def _type_of(name: Any) -> str:
    return lookup_type(name) or "false"


def _ptv(call: RouteCall, instance: Instance) -> JsonObject:
    source = get(call.body, "video")
    try:
        # Before the check of the source: a closed socket is reported first.
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
    node = content.video(call.server, data, "video/mp4", gif=UNDEFINED, seconds=1)
    return send(call, instance, call.body["number"], {"ptvMessage": node}, SendMode.FORWARD)


def _audio(call: RouteCall, instance: Instance) -> JsonObject:
    data = _bytes(call, get(call.body, "audio"))
    node = content.audio(call.server, data, _VOICE, voice=True)
    # Quotes and mentions are accepted and ignored here; only the delay counts.
    return send(
        call, instance, call.body["number"], {"audioMessage": node}, SendMode.MEDIA, quotes=False
    )


def _sticker(call: RouteCall, instance: Instance) -> JsonObject:
    source = get(call.body, "sticker")
    if not is_base64(source) and "://" not in str(source):
        # An upload never reaches the converter in 2.3.6: it reads the missing text part.
        raise ErrorThrown("Invalid URL", name="TypeError")
    call.file = None
    node = content.sticker(call.server, _bytes(call, source))
    return send(call, instance, call.body["number"], {"stickerMessage": node}, SendMode.MEDIA)


def _location(call: RouteCall, instance: Instance) -> JsonObject:
    message = {"locationMessage": location_of(call.body)}
    return send(call, instance, call.body["number"], message, SendMode.FORWARD)


def _contact(call: RouteCall, instance: Instance) -> JsonObject:
    message = cards(call.body["contact"], "contactMessage")
    return send(call, instance, call.body["number"], message, SendMode.FORWARD, options=False)


def _poll(call: RouteCall, instance: Instance) -> JsonObject:
    body = call.body
    message = content.poll(call.server, body)
    return send(call, instance, body["number"], message, SendMode.POLL, check=_check_poll)


def _check_poll(body: JsonObject) -> None:
    # The words and the order of Baileys, which looks once the socket works.
    answers = len(body["values"])
    if body["selectableCount"] > answers:
        raise ErrorThrown(f"poll.selectableCount in poll should be >= 0 and <= {answers}")


def _menu(call: RouteCall, instance: Instance) -> JsonObject:
    body, profile = call.body, call.server.profile
    bare, web = profile.has("bare_buttons"), profile.has("sends_as_web")
    node = defined(
        sections=[
            {"rows": section["rows"], "title": section["title"]} for section in body["sections"]
        ],
        title=body["title"],
        description=get(body, "description"),
        buttonText=body["buttonText"],
        listType=1 if bare else 2 if web else "PRODUCT_LIST",
        footerText=body["footerText"],
    )
    return send(
        call,
        instance,
        body["number"],
        {"listMessage": node},
        SendMode.PLAIN if bare else SendMode.FORWARD,
    )


def _buttons(call: RouteCall, instance: Instance) -> JsonObject:
    buttons = as_list(get(call.body, "buttons"))
    rules = call.server.profile.has("button_rules")
    if buttons is None and not rules:
        raise reading("length")
    # The mix of buttons is checked before the thumbnail is uploaded.
    kinds = [button["type"] for button in buttons or ()]
    if rules:
        _check_more_buttons(kinds)
    else:
        _check_buttons(kinds)
    if truthy(get(call.body, "thumbnailUrl")):
        try:
            socket.query(instance, "waUploadToServer")
        except Thrown as thrown:
            raise internal(thrown.text) from None
    message = content.buttons(call.server, call.body)
    return send(call, instance, call.body["number"], message, SendMode.PLAIN)


def _check_buttons(kinds: list[str]) -> None:
    if not kinds:
        raise bad_request("At least one button is required")
    # Reply buttons must stand among themselves (`facts/observed.md` "Request traps" 11).
    others = any(kind not in ("reply", "pix") for kind in kinds)
    if "reply" in kinds:
        if len(kinds) > _MAX_REPLY_BUTTONS:
            raise bad_request("Maximum of 3 reply buttons allowed")
        if others:
            raise bad_request("Reply buttons cannot be mixed with other button types")
    if "pix" in kinds and len(kinds) > 1:
        raise bad_request("Only one PIX button is allowed")


def _check_more_buttons(kinds: list[str]) -> None:
    """Check a mix of buttons by the later rules."""
    if not kinds:
        raise bad_request("At least one button is required")
    reply, pix = "reply" in kinds, "pix" in kinds
    cta = any(kind in ("url", "call", "copy") for kind in kinds)
    if reply:
        if len(kinds) > _MAX_REPLY_BUTTONS:
            raise bad_request("Maximum of 3 reply buttons allowed")
        if cta or pix:
            raise bad_request("Reply buttons cannot be mixed with CTA or PIX buttons")
    if pix and len(kinds) > 1:
        raise bad_request("Only one PIX button is allowed")
    if cta and len(kinds) > _MAX_CTA_BUTTONS:
        raise bad_request("Maximum of 2 CTA buttons allowed")


def _carousel(call: RouteCall, instance: Instance) -> JsonObject:
    if any(truthy(get(card, "imageUrl")) for card in call.body["cards"]):
        try:
            socket.query(instance, "waUploadToServer")
        except Thrown as thrown:
            raise internal(thrown.text) from None
    message = content.carousel(call.server, call.body)
    return send(call, instance, call.body["number"], message, SendMode.PLAIN)


def _template(_: RouteCall, __: Instance) -> JsonObject:
    raise ErrorThrown("Method not available in the Baileys service")


def _status(call: RouteCall, instance: Instance) -> JsonObject:
    message = _story(call, instance)
    return send(
        call,
        instance,
        "status@broadcast",
        message,
        SendMode.STATUS,
        options=False,
        check=_check_story,
    )


def _check_story(body: JsonObject) -> None:
    text = get(body, "content")
    if body["type"] in ("image", "video") and not str(text).startswith(("http://", "https://")):
        # 2.3.6 takes base64 and uploads for a path.
        raise ErrorThrown(f"ENOENT: no such file or directory, open '{text}'")


def _story(call: RouteCall, instance: Instance) -> JsonObject:
    server, body = call.server, call.body
    kind, text = body["type"], get(body, "content")
    if call.file is not None:
        text = base64.b64encode(call.file.content).decode()
    if not truthy(text):
        raise bad_request("Content is required")
    # A story needs an audience: all stored contacts, or a list.
    if truthy(get(body, "allContacts")):
        if not instance.contacts:
            raise bad_request("Contacts not found")
    elif not truthy(get(body, "statusJidList")):
        raise bad_request("StatusJidList is required")
    # Colour and font are required although the schema does not say so.
    if kind == "text":
        if not truthy(get(body, "backgroundColor")):
            raise bad_request("Background color is required")
        if not truthy(get(body, "font")):
            raise bad_request("Font is required")
        return {"conversation": text}
    if kind == "audio":
        return {"audioMessage": content.audio(server, _bytes(call, text), _VOICE, voice=True)}
    data, caption = server.network.fetch(text), get(body, "caption")
    if kind == "image":
        return {"imageMessage": content.image(server, data, "image/jpeg", caption)}
    return {
        "videoMessage": content.video(server, data, "video/mp4", caption=caption, gif=UNDEFINED)
    }


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
    "carouselMessage": _carousel,
    "templateMessage": _template,
    "statusMessage": _status,
}
