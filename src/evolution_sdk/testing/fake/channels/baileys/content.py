"""Message contents as Baileys generates them, and as answers show them."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from evolution_sdk.testing.fake.js import (
    UNDEFINED,
    JsonObject,
    as_list,
    as_object,
    defined,
    get,
    truthy,
)
from evolution_sdk.testing.fake.media import image_size, is_audio, is_video
from evolution_sdk.testing.fake.state import ServerState

_MODULUS = 2**32


def long(value: int, *, unsigned: bool = False) -> JsonObject:
    """Write a 64-bit integer as the long.js object; its halves are always signed."""
    low, high = value % _MODULUS, value // _MODULUS
    return {
        "low": low - _MODULUS if low >= _MODULUS // 2 else low,
        "high": high,
        "unsigned": unsigned,
    }


def plain(value: Any) -> Any:
    """Write a message as older libraries do: bytes in base64, 64-bit numbers as digits."""
    members, items = as_object(value), as_list(value)
    if members is not None:
        if set(members) == {"low", "high", "unsigned"}:
            return str(members["high"] * _MODULUS + members["low"] % _MODULUS)
        return {name: plain(item) for name, item in members.items()}
    if items is not None:
        return [plain(item) for item in items]
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def upload(server: ServerState, content: bytes) -> JsonObject:
    """Upload media to WhatsApp's servers; return address, hashes and key."""
    path = f"/v/t62.7118-24/{server.ids.secret(8).hex()}.enc?ccb=11-4&oh=00&oe=00"
    server.network.uploads[path] = content
    return {
        "url": f"https://mmg.whatsapp.net{path}",
        "directPath": path,
        "fileSha256": hashlib.sha256(content).digest(),
        "fileEncSha256": server.ids.secret(),
        "mediaKey": server.ids.secret(),
        "fileLength": long(len(content), unsigned=True),
        "mediaKeyTimestamp": long(int(server.now_ms() / 1000)),
    }


def image(server: ServerState, content: bytes, mimetype: str, caption: Any) -> JsonObject:
    """Make an ``imageMessage``."""
    width, height = image_size(content)
    node = defined(
        interactiveAnnotations=[],
        scanLengths=[],
        annotations=[],
        mimetype=mimetype,
        caption=caption,
        height=height,
        width=width,
        jpegThumbnail=server.ids.secret(48),
    )
    return {**node, **upload(server, content)}


def video(
    server: ServerState,
    content: bytes,
    mimetype: str,
    *,
    caption: Any = UNDEFINED,
    gif: Any = False,
    attribution: Any = UNDEFINED,
    seconds: Any = UNDEFINED,
) -> JsonObject:
    """Make a ``videoMessage`` or, with ``seconds``, a ``ptvMessage``."""
    node = defined(
        interactiveAnnotations=[],
        annotations=[],
        processedVideos=[],
        mimetype=mimetype,
        seconds=seconds,
        caption=caption,
        gifPlayback=gif,
        gifAttribution=attribution,
        # A thumbnail is made only of bytes that are a video.
        jpegThumbnail=server.ids.secret(48) if is_video(content) or not content else UNDEFINED,
    )
    return {**node, **upload(server, content)}


def document(
    server: ServerState, content: bytes, mimetype: str, name: Any, caption: Any
) -> JsonObject:
    """Make a ``documentMessage``."""
    return {
        **upload(server, content),
        **defined(mimetype=mimetype, fileName=name, caption=caption),
    }


def audio(server: ServerState, content: bytes, mimetype: str, *, voice: bool) -> JsonObject:
    """Make an ``audioMessage``; length and waveform only where the bytes are sound."""
    known = is_audio(content)
    node = defined(
        mimetype=mimetype,
        seconds=1 if known else UNDEFINED,
        ptt=True if voice else UNDEFINED,
        waveform=server.ids.secret(64) if voice and known else UNDEFINED,
    )
    return {**upload(server, content), **node}


def sticker(server: ServerState, content: bytes) -> JsonObject:
    """Make a ``stickerMessage``."""
    return {**upload(server, content), "mimetype": "image/webp"}


def poll(server: ServerState, body: JsonObject) -> JsonObject:
    """Make a poll; one with a single choice has a type of its own, 2.2.3 knows that type only."""
    single = body["selectableCount"] == 1 or not server.profile.has("sends_as_web")
    kind = "pollCreationMessageV3" if single else "pollCreationMessage"
    return {
        "messageContextInfo": {"messageSecret": server.ids.secret()},
        kind: {
            "name": body["name"],
            "selectableOptionsCount": body["selectableCount"],
            "options": [{"optionName": value} for value in body["values"]],
        },
    }


_BUTTON_NAMES = {
    "reply": "quick_reply",
    "copy": "cta_copy",
    "url": "cta_url",
    "call": "cta_call",
    "pix": "payment_info",
}
_KEY_TYPES = {"phone": "PHONE", "email": "EMAIL", "cpf": "CPF", "cnpj": "CNPJ", "random": "EVP"}


def _button_parameters(server: ServerState, button: JsonObject) -> JsonObject:
    shown = get(button, "displayText")
    match button["type"]:
        case "call":
            return defined(display_text=shown, phone_number=get(button, "phoneNumber"))
        case "reply":
            return defined(display_text=shown, id=get(button, "id"))
        case "copy":
            return defined(display_text=shown, copy_code=get(button, "copyCode"))
        case "url":
            url = get(button, "url")
            return defined(display_text=shown, url=url, merchant_url=url)
        case _:
            # Only payments are left: the schema knows no other type.
            return _payment(server, button)


def _payment(server: ServerState, button: JsonObject) -> JsonObject:
    # The API takes no amount, so that every payment button shows zero.
    nothing = {"value": 0, "offset": 100}
    item = {"name": "", "amount": nothing, "quantity": 0, "sale_amount": nothing}
    pix = defined(
        merchant_name=get(button, "name"),
        key=get(button, "key"),
        key_type=_KEY_TYPES.get(get(button, "keyType"), UNDEFINED),
    )
    return defined(
        currency=get(button, "currency"),
        total_amount=nothing,
        reference_id=server.ids.reference(),
        type="physical-goods",
        order={"status": "pending", "subtotal": nothing, "order_type": "ORDER", "items": [item]},
        payment_settings=[{"type": "pix_static_code", "pix_static_code": pix}],
        share_payment_status=False,
    )


def _flow_buttons(server: ServerState, body: JsonObject) -> list[JsonObject]:
    return [
        {
            "name": _BUTTON_NAMES[button["type"]],
            "buttonParamsJson": _compact(_button_parameters(server, button)),
        }
        for button in body["buttons"]
    ]


def _flow(server: ServerState, body: JsonObject) -> JsonObject:
    return {
        "buttons": _flow_buttons(server, body),
        "messageParamsJson": _compact({"from": "api", "templateId": server.ids.uuid()}),
    }


def _footer(text: Any) -> Any:
    return {"text": text} if truthy(text) else UNDEFINED


def carousel(server: ServerState, body: JsonObject) -> JsonObject:
    """Make a carousel; a single card without a picture is a message with buttons."""
    cards = body["cards"]
    if len(cards) == 1 and not truthy(get(cards[0], "imageUrl")):
        node = defined(
            body={"text": cards[0]["body"]},
            footer=_footer(get(cards[0], "footer")),
            nativeFlowMessage=_flow(server, cards[0]),
        )
        return {"interactiveMessage": node}
    shown = [
        {
            **_header(server, get(card, "imageUrl")),
            "body": {"text": card["body"]},
            **defined(footer=_footer(get(card, "footer"))),
            "nativeFlowMessage": {"buttons": _flow_buttons(server, card)},
        }
        for card in cards
    ]
    whole = {
        "body": {"text": body["body"]},
        "carouselMessage": {"cards": shown, "messageVersion": 1},
    }
    return {"interactiveMessage": whole}


def buttons(server: ServerState, body: JsonObject) -> JsonObject:
    """Make an interactive message, at first inside a ``viewOnceMessage``.

    A payment button has no text.
    """
    flow, bare = _flow(server, body), server.profile.has("bare_buttons")
    interactive: JsonObject = {"nativeFlowMessage": flow}
    if not any(button["type"] == "pix" for button in body["buttons"]):
        # A template string of JavaScript: a missing title is written as undefined.
        title = body.get("title", "undefined")
        description = get(body, "description")
        end = "" if bare else "\n"
        text = f"*{title}*" + (f"\n\n{description}{end}" if truthy(description) else "")
        footer = get(body, "footer")
        interactive = {
            "body": {"text": text},
            **defined(footer=_footer(footer) if bare else defined(text=footer)),
            **_header(server, get(body, "thumbnailUrl")),
            **interactive,
        }
    made = {"interactiveMessage": interactive}
    return made if bare else {"viewOnceMessage": {"message": made}}


def _header(server: ServerState, thumbnail: Any) -> JsonObject:
    if not truthy(thumbnail):
        return {}
    # The server downloads the thumbnail and uploads it as an image.
    picture = image(server, server.network.fetch(thumbnail), "image/jpeg", UNDEFINED)
    return {"header": {"hasMediaAttachment": True, "imageMessage": picture}}


def _compact(value: JsonObject) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def context_info(now_ms: float) -> JsonObject:
    """Make the context information of every message that does not go to a group."""
    return {
        "mentionedJid": [],
        "groupMentions": [],
        # Two days back, a constant of the server.
        "ephemeralSettingTimestamp": long(int(now_ms / 1000) - 172_800),
        "disappearingMode": {"initiator": 0},
    }
