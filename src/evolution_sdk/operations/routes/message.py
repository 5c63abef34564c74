"""Sends."""

from __future__ import annotations

from evolution_sdk._base.effect import Effect
from evolution_sdk.models.message import SentMessage
from evolution_sdk.operations.operation import ALL_CHANNELS, Channel, Operation, TimeoutKind

from ._declare import Family

_message = Family("message")


def _send(
    name: str,
    route: str,
    *,
    channels: tuple[Channel, ...] = ALL_CHANNELS,
    timeout: TimeoutKind = TimeoutKind.SEND,
) -> Operation[SentMessage]:
    """One kind of message; they differ only in name, route, channels and size."""
    return _message(
        name,
        "POST",
        route,
        Effect.SEND,
        SentMessage.from_wire,
        channels=channels,
        timeout=timeout,
    )


SEND_TEXT = _send("send_text", "sendText")
SEND_MEDIA = _send("send_media", "sendMedia", timeout=TimeoutKind.MEDIA)
SEND_PTV = _send("send_ptv", "sendPtv", channels=("baileys",), timeout=TimeoutKind.MEDIA)
SEND_WHATSAPP_AUDIO = _send("send_whatsapp_audio", "sendWhatsAppAudio", timeout=TimeoutKind.MEDIA)
SEND_STATUS = _send("send_status", "sendStatus", channels=("baileys",), timeout=TimeoutKind.MEDIA)
SEND_STICKER = _send(
    "send_sticker", "sendSticker", channels=("baileys",), timeout=TimeoutKind.MEDIA
)
SEND_LOCATION = _send("send_location", "sendLocation", channels=("baileys", "business"))
SEND_CONTACT = _send("send_contact", "sendContact", channels=("baileys", "business"))
SEND_REACTION = _send("send_reaction", "sendReaction", channels=("baileys", "business"))
SEND_POLL = _send("send_poll", "sendPoll", channels=("baileys",))
SEND_LIST = _send("send_list", "sendList", channels=("baileys", "business"))
SEND_BUTTONS = _send("send_buttons", "sendButtons")
SEND_TEMPLATE = _send("send_template", "sendTemplate", channels=("business",))
