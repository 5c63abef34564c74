"""The channel WHATSAPP-BUSINESS: Meta's Cloud API, whose refusals come back as HTTP 201."""

from __future__ import annotations

import base64
import re
from typing import Any

from evolution_sdk.testing.fake.errors import (
    ErrorThrown,
    Thrown,
    bad_request,
    internal,
    reading,
)
from evolution_sdk.testing.fake.js import UNDEFINED, JsonObject, as_list, defined, get, truthy
from evolution_sdk.testing.fake.media import is_url, lookup_type, name_in_url
from evolution_sdk.testing.fake.numbers import create_jid
from evolution_sdk.testing.fake.router import RouteCall
from evolution_sdk.testing.fake.state import Instance

from .base import WHATSAPP_WEB_ONLY, Channel, as_400, location_of, no_picture, write
from .evolution import quoted_key
from .vcard import cards

_KINDS = {
    "text": "conversation", "image": "imageMessage", "video": "videoMessage",
    "audio": "audioMessage", "document": "documentMessage", "location": "locationMessage",
}  # fmt: skip
_QUOTABLE = ("text", "image", "video", "audio", "document")


def _send(
    call: RouteCall, instance: Instance, meta_type: str, message: JsonObject, *, number: Any = None
) -> JsonObject:
    """Hand a message to Meta.

    Args:
        call: The request.
        instance: The sender.
        meta_type: Meta's name for the kind of message; "" when the server finds no kind.
        message: The content that is stored and answered.
        number: The recipient; the body's ``number`` unless given.
    """
    to = get(call.body, "number") if number is None else number
    try:
        quoted = quoted_key(call)
        answer = _post(call, to, meta_type)
    except Thrown as thrown:
        raise as_400(thrown) from None
    # Meta's refusal goes out as the answer of a success: no message was sent or stored.
    if answer is not None:
        return answer
    # Only these kinds carry a quote to Meta; the others drop it in silence.
    if quoted is not UNDEFINED and meta_type in _QUOTABLE:
        message = {**message, "contextInfo": {"stanzaId": get(quoted, "id")}}
    record = defined(
        key=defined(fromMe=True, id=call.server.ids.wamid(_digits(to)), remoteJid=create_jid(to)),
        message=message,
        messageType=_kind(call, meta_type),
        messageTimestamp=round(call.server.now_ms() / 1000),
        instanceId=instance.id,
        webhookUrl=get(call.body, "webhookUrl"),
        status="PENDING",
        source="unknown",
    )
    return write(call, instance, record, number=to)


def _kind(call: RouteCall, meta_type: str) -> str:
    if meta_type == "location" and not call.server.profile.has("business_locations_typed"):
        return "conversation"
    return _KINDS.get(meta_type, "conversation")


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number, flags=re.ASCII)


def _post(call: RouteCall, to: Any, meta_type: str) -> JsonObject | None:
    """Hand the message to Meta: return its error, or None when it accepted.

    Raises:
        ErrorThrown: The TypeErrors of a missing recipient and of an answer that is no object.
    """
    # The server posts nothing and then reads the answer that it does not have.
    if not meta_type:
        raise reading("message")
    if not isinstance(to, str):
        raise reading("replace")
    refusal = call.server.refusals.get(_digits(to))
    # Here the message may have been sent: only the answer is missing. Clients must not repeat.
    if not call.server.meta.reachable or (refusal is not None and refusal.error is None):
        raise reading("message")
    if refusal is None:
        return None
    return refusal.error


def _text(call: RouteCall, instance: Instance) -> JsonObject:
    text = get(call.body, "text")
    # An empty text is no text to the server, so that it finds no kind of message.
    return _send(call, instance, "text" if text else "", {"conversation": text})


def _media(call: RouteCall, instance: Instance) -> JsonObject:
    kind = call.body["mediatype"]
    media = get(call.body, "media")
    if call.file is not None:
        media = base64.b64encode(call.file.content).decode()
    name = get(call.body, "fileName")
    try:
        if not truthy(name):
            name = _default_name(kind, media)
        reference = _reference(call, media)
    except Thrown as thrown:
        raise internal(thrown.text) from None
    content = defined(
        caption=get(call.body, "caption"),
        fileName=name,
        mediaType=kind,
        media=media,
        gifPlayback=False,
        **reference,
        mimetype=lookup_type(media if is_url(media) else name) or False,
    )
    return _send_media(call, instance, kind, content)


def _default_name(kind: str, media: Any) -> Any:
    if kind == "document":
        return name_in_url(media)
    return {"image": "image.png", "video": "video.mp4"}.get(kind, UNDEFINED)


def _reference(call: RouteCall, media: Any) -> JsonObject:
    """Refer Meta to the media: a link unchanged, or the id of an upload."""
    if is_url(media):
        return {"id": media, "type": "link"}
    if not call.server.profile.has("business_uploads"):
        # The upload reads an answer that it does not have.
        raise reading("name")
    return {"id": call.server.ids.media(), "type": "id"}


def _send_media(call: RouteCall, instance: Instance, kind: str, content: JsonObject) -> JsonObject:
    # Without media the server finds no kind of message, as with an empty text.
    if content["media"] in ("", UNDEFINED):
        return _send(call, instance, "", {})
    if content.get("mimetype") is False:
        # The server calls startsWith on the false that an unknown extension gives.
        raise bad_request("TypeError: message.mimetype?.startsWith is not a function")
    return _send(call, instance, kind, {_KINDS[kind]: content})


def _audio(call: RouteCall, instance: Instance) -> JsonObject:
    audio = get(call.body, "audio")
    uploads = call.server.profile.has("business_uploads")
    if not uploads and call.file is None and not is_url(audio):
        raise ErrorThrown("File or buffer is undefined")
    # The server makes up a name, which then decides the type.
    name = f"{_digits(call.body['number'])}-{int(call.server.now_ms())}.mp3"
    mimetype: Any = lookup_type(audio if is_url(audio) else name) or False
    media: Any = audio
    if call.file is not None and not is_url(audio):
        # The whole upload is echoed, its bytes included.
        media, mimetype = call.file.as_multer(), call.file.mimetype
    content = defined(
        fileName=name, mediaType="audio", media=media, **_reference(call, audio), mimetype=mimetype
    )
    return _send_media(call, instance, "audio", content)


def _list_of(body: JsonObject, name: str, member: str) -> list[Any]:
    value = as_list(get(body, name))
    if value is None:
        raise reading(member)
    return value


def _repeats(values: list[Any]) -> bool:
    return any(value in values[:index] for index, value in enumerate(values))


def _buttons(call: RouteCall, instance: Instance) -> JsonObject:
    buttons = _list_of(call.body, "buttons", "map")
    titles = [get(button, "displayText") for button in buttons]
    if _repeats(titles) or _repeats([get(button, "id") for button in buttons]):
        raise bad_request("Button texts cannot be repeated", "Button IDs cannot be repeated.")
    title = get(call.body, "title")
    head = title if truthy(title) else "Select"
    # A title that is missing is written out by JavaScript's template string.
    shown = ["undefined" if t is UNDEFINED else t for t in titles]
    text = "".join([f"{head}\n", *(f"▶️ {t}\n" for t in shown)])
    return _send(call, instance, "interactive", {"conversation": text})


def _menu(call: RouteCall, instance: Instance) -> JsonObject:
    sections = call.body["sections"]
    if _repeats([section["title"] for section in sections]):
        raise bad_request("Section tiles cannot be repeated")
    lines = [call.body["title"]]
    for section in sections:
        lines.append(section["title"])
        for row in section["rows"]:
            # The server cuts descriptions to length without looking if there is one.
            if "description" not in row:
                raise reading("substring")
            lines.append(row["title"])
    text = "".join(f"{line}\n" for line in lines)
    return _send(call, instance, "interactive", {"conversation": text})


def _location(call: RouteCall, instance: Instance) -> JsonObject:
    return _send(call, instance, "location", {"locationMessage": location_of(call.body)})


def _contact(call: RouteCall, instance: Instance) -> JsonObject:
    return _send(call, instance, "contacts", cards(call.body["contact"], "contact"))


def _template(call: RouteCall, instance: Instance) -> JsonObject:
    text = f"▶️{call.body['name']}◀️"
    return _send(call, instance, "template", {"conversation": text})


def _reaction(call: RouteCall, instance: Instance) -> JsonObject:
    key = call.body["key"]
    message = {"reactionMessage": {"key": key, "text": call.body["reaction"]}}
    return _send(call, instance, "reaction", message, number=key["remoteJid"])


def _base64(call: RouteCall, _: Instance) -> JsonObject:
    """Read media out of the given message; this channel looks nothing up."""
    message = get(call.body, "message")
    if message is UNDEFINED:
        raise bad_request(reading("messageType").text)
    kind = get(message, "messageType")
    if not isinstance(kind, str):
        raise bad_request(reading("includes").text)
    if get(message, "message") is UNDEFINED:
        raise bad_request(reading(_full(kind)).text)
    media = get(message, "message", _full(kind))
    return defined(
        mediaType=kind,
        fileName=get(media, "fileName"),
        caption=get(media, "caption"),
        size=defined(
            fileLength=get(media, "fileLength"),
            # A slip of the server: the height is read from fileLength.
            height=get(media, "fileLength"),
            width=get(media, "width"),
        ),
        mimetype=get(media, "mime_type"),
        base64=get(message, "message", "base64"),
    )


def _full(kind: str) -> str:
    return kind if "Message" in kind else f"{kind}Message"


BUSINESS_CHANNEL = Channel(
    methods={
        "textMessage": _text,
        "mediaMessage": _media,
        "audioWhatsapp": _audio,
        "buttonMessage": _buttons,
        "listMessage": _menu,
        "locationMessage": _location,
        "contactMessage": _contact,
        "templateMessage": _template,
        "reactionMessage": _reaction,
        "getBase64FromMediaMessage": _base64,
        "profilePicture": no_picture,
    },
    refusal="Method not available on WhatsApp Business API",
    absent=WHATSAPP_WEB_ONLY,
)
