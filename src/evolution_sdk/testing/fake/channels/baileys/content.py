"""The message contents that Baileys generates, as they show in answers."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from evolution_sdk.testing.fake.js import UNDEFINED, JsonObject, defined, get, truthy
from evolution_sdk.testing.fake.media import image_size, is_audio, is_video
from evolution_sdk.testing.fake.world import World

_MODULUS = 2**32


def long(value: int, *, unsigned: bool = False) -> JsonObject:
    """A 64-bit integer as the long.js object; its halves are signed even so."""
    low, high = value % _MODULUS, value // _MODULUS
    return {
        "low": low - _MODULUS if low >= _MODULUS // 2 else low,
        "high": high,
        "unsigned": unsigned,
    }


def upload(world: World, content: bytes) -> JsonObject:
    """Put media on WhatsApp's servers: where it lies, its hashes and its key."""
    path = f"/v/t62.7118-24/{world.ids.secret(8).hex()}.enc?ccb=11-4&oh=00&oe=00"
    world.network.uploads[path] = content
    return {
        "url": f"https://mmg.whatsapp.net{path}",
        "directPath": path,
        "fileSha256": hashlib.sha256(content).digest(),
        "fileEncSha256": world.ids.secret(),
        "mediaKey": world.ids.secret(),
        "fileLength": long(len(content), unsigned=True),
        "mediaKeyTimestamp": long(int(world.now_ms() / 1000)),
    }


def image(world: World, content: bytes, mimetype: str, caption: Any) -> JsonObject:
    """An ``imageMessage``."""
    width, height = image_size(content)
    node = defined(
        interactiveAnnotations=[],
        scanLengths=[],
        annotations=[],
        mimetype=mimetype,
        caption=caption,
        height=height,
        width=width,
        jpegThumbnail=world.ids.secret(48),
    )
    return {**node, **upload(world, content)}


def video(world: World, content: bytes, mimetype: str, *, caption: Any = UNDEFINED,
          gif: bool = True, seconds: Any = UNDEFINED) -> JsonObject:  # fmt: skip
    """A ``videoMessage`` or, with ``seconds``, a ``ptvMessage``; a thumbnail if it is a video."""
    node = defined(
        interactiveAnnotations=[],
        annotations=[],
        processedVideos=[],
        mimetype=mimetype,
        seconds=seconds,
        caption=caption,
        gifPlayback=False if gif else UNDEFINED,
        jpegThumbnail=world.ids.secret(48) if is_video(content) or not content else UNDEFINED,
    )
    return {**node, **upload(world, content)}


def document(world: World, content: bytes, mimetype: str, name: Any, caption: Any) -> JsonObject:
    """A ``documentMessage``."""
    return {
        **upload(world, content),
        **defined(mimetype=mimetype, fileName=name, caption=caption),
    }


def audio(world: World, content: bytes, mimetype: str, *, voice: bool) -> JsonObject:
    """An ``audioMessage``; length and waveform only where the bytes are sound."""
    known = is_audio(content)
    node = defined(
        mimetype=mimetype,
        seconds=1 if known else UNDEFINED,
        ptt=True if voice else UNDEFINED,
        waveform=world.ids.secret(64) if voice and known else UNDEFINED,
    )
    return {**upload(world, content), **node}


def sticker(world: World, content: bytes) -> JsonObject:
    """A ``stickerMessage``."""
    return {**upload(world, content), "mimetype": "image/webp"}


def poll(world: World, body: JsonObject) -> JsonObject:
    """A poll; choosing exactly one answer has a type of its own."""
    kind = "pollCreationMessageV3" if body["selectableCount"] == 1 else "pollCreationMessage"
    return {
        "messageContextInfo": {"messageSecret": world.ids.secret()},
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


def _button_parameters(world: World, button: JsonObject) -> JsonObject:
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
            return _payment(world, button)


def _payment(world: World, button: JsonObject) -> JsonObject:
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
        reference_id=world.ids.reference(),
        type="physical-goods",
        order={"status": "pending", "subtotal": nothing, "order_type": "ORDER", "items": [item]},
        payment_settings=[{"type": "pix_static_code", "pix_static_code": pix}],
        share_payment_status=False,
    )


def buttons(world: World, body: JsonObject) -> JsonObject:
    """An interactive message inside a ``viewOnceMessage``; a payment button stands alone."""
    flow = {
        "buttons": [
            {
                "name": _BUTTON_NAMES[button["type"]],
                "buttonParamsJson": _compact(_button_parameters(world, button)),
            }
            for button in body["buttons"]
        ],
        "messageParamsJson": _compact({"from": "api", "templateId": world.ids.uuid()}),
    }
    interactive: JsonObject = {"nativeFlowMessage": flow}
    if not any(button["type"] == "pix" for button in body["buttons"]):
        title = body.get("title", "undefined")
        description = get(body, "description")
        text = f"*{title}*" + (f"\n\n{description}\n" if truthy(description) else "")
        interactive = {
            "body": {"text": text},
            "footer": defined(text=get(body, "footer")),
            **_header(world, get(body, "thumbnailUrl")),
            **interactive,
        }
    return {"viewOnceMessage": {"message": {"interactiveMessage": interactive}}}


def _header(world: World, thumbnail: Any) -> JsonObject:
    if not truthy(thumbnail):
        return {}
    picture = image(world, world.network.fetch(thumbnail), "image/jpeg", UNDEFINED)
    return {"header": {"hasMediaAttachment": True, "imageMessage": picture}}


def _compact(value: JsonObject) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def context_info(now_ms: float) -> JsonObject:
    """What the server attaches to every message that does not go to a group."""
    return {
        "mentionedJid": [],
        "groupMentions": [],
        "ephemeralSettingTimestamp": long(int(now_ms / 1000) - 172_800),
        "disappearingMode": {"initiator": 0},
    }
