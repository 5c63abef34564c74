"""The channel EVOLUTION: nothing leaves the server; a send is stored and announced."""

from __future__ import annotations

import base64
from typing import Any

from evolution_sdk.testing.fake.errors import ErrorThrown, TextThrown, Thrown, bad_request, internal
from evolution_sdk.testing.fake.js import UNDEFINED, JsonObject, defined, get, truthy
from evolution_sdk.testing.fake.media import is_url, name_in_url
from evolution_sdk.testing.fake.router import RouteCall
from evolution_sdk.testing.fake.state import Instance

from .base import WHATSAPP_WEB_ONLY, Channel, as_400, chosen_id, delay_of, no_picture, write


def _send(call: RouteCall, instance: Instance, kind: str, content: JsonObject) -> JsonObject:
    number = get(call.body, "number")
    try:
        quoted = quoted_key(call)
    except Thrown as thrown:
        raise as_400(thrown) from None
    hold_ms = delay_of(call)
    # Whatever it is, unless null: also one that was given before, and a number.
    chosen = chosen_id(call, instance)
    key_id = call.server.ids.uuid() if chosen in (UNDEFINED, None) else chosen
    answer = defined(
        # The number as the caller wrote it: this channel makes no JID of it.
        key=defined(fromMe=True, id=key_id, remoteJid=number),
        message=defined(**content, quoted=quoted),
        messageType=kind,
        messageTimestamp=round((call.server.now_ms() + hold_ms) / 1000),
        source="unknown",
        instanceId=instance.id,
    )
    return write(call, instance, answer, number=number, hold_ms=hold_ms)


def quoted_key(call: RouteCall) -> Any:
    """Return the key of the quoted message, undefined without a quote.

    Raises:
        TextThrown: A quote without a key.
    """
    quoted = get(call.body, "quoted")
    if not truthy(quoted):
        return UNDEFINED
    key = get(quoted, "key")
    if not truthy(key):
        raise TextThrown("Message not found")
    return key


def _text(call: RouteCall, instance: Instance) -> JsonObject:
    return _send(call, instance, "conversation", {"conversation": get(call.body, "text")})


def _media(call: RouteCall, instance: Instance) -> JsonObject:
    media = get(call.body, "media")
    if call.file is not None:
        media = base64.b64encode(call.file.content).decode()
    kind = call.body["mediatype"]
    # A document without a name takes it from its URL, and base64 has none to take.
    if kind == "document" and not truthy(get(call.body, "fileName")):
        try:
            name_in_url(media)
        except Thrown as thrown:
            raise internal(thrown.text) from None
    content = _at(call, media if is_url(media) else None)
    return _send(call, instance, f"{kind}Message", content)


def _at(call: RouteCall, url: str | None) -> JsonObject:
    """Say where a file is; without object storage, base64 and uploads have no address."""
    if url is None and not call.server.profile.has("media_url_stored"):
        return {}
    return {"mediaUrl": url}


def _audio(call: RouteCall, instance: Instance) -> JsonObject:
    if call.file is None:
        # Only uploads work: base64 and URLs are refused with these words.
        raise ErrorThrown("File or buffer is undefined.")
    return _send(call, instance, "audioMessage", _at(call, None))


def _buttons(call: RouteCall, instance: Instance) -> JsonObject:
    members = ("title", "description", "footer", "buttons")
    content = {name: get(call.body, name) for name in members}
    return _send(call, instance, "buttonMessage", content)


def _offer_call(_: RouteCall, __: Instance) -> JsonObject:
    """Refuse a call in the words of another channel, as the server does."""
    raise bad_request("Method not available on WhatsApp Business API")


EVOLUTION_CHANNEL = Channel(
    methods={
        "textMessage": _text,
        "mediaMessage": _media,
        "audioWhatsapp": _audio,
        "buttonMessage": _buttons,
        "profilePicture": no_picture,
        "offerCall": _offer_call,
    },
    refusal="Method not available on Evolution Channel",
    absent=WHATSAPP_WEB_ONLY,
)
