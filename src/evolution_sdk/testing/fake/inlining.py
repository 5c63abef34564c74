"""Media inside events: the webhook's ``base64``."""

from __future__ import annotations

import base64

from .js import JsonObject, as_object, truthy
from .state import BAILEYS, BUSINESS, Instance, ServerState

_MEDIA = (
    "imageMessage", "videoMessage", "stickerMessage", "documentMessage",
    "documentWithCaptionMessage", "ptvMessage", "audioMessage",
)  # fmt: skip


def load_webhook(instance: Instance) -> None:
    """Read the webhook's ``base64`` as a connect does; later changes wait for the next one."""
    webhook = instance.webhook or {}
    instance.inlines_media = truthy(webhook.get("enabled")) and truthy(webhook.get("webhookBase64"))


def upload(server: ServerState, message: JsonObject, kind: str, content: bytes) -> JsonObject:
    """Put the content of an incoming message onto WhatsApp's servers, to be downloaded from there.

    Returns:
        The message, with the path of its content.
    """
    node = dict(as_object(message.get(kind)) or {})
    path = str(node.setdefault("directPath", f"/v/t62.7118-24/{server.ids.secret(8).hex()}.enc"))
    server.network.uploads[path] = content
    return {**message, kind: node}


def inlined(server: ServerState, instance: Instance, message: JsonObject) -> JsonObject:
    """Add the content of media to the message of an event, where the server does.

    Args:
        server: The server.
        instance: The instance.
        message: The message; media that cannot be downloaded stay without content.
    """
    if instance.integration == BUSINESS:
        # Since 2.3.7 this channel asks for a setting that it never loads.
        wanted = not server.profile.has("business_media_apart")
    else:
        wanted = instance.integration == BAILEYS and instance.inlines_media
    kind = next((each for each in _MEDIA if truthy(message.get(each))), None)
    node = as_object(message.get(kind)) if kind is not None else None
    if not wanted or node is None:
        return message
    content = server.network.uploads.get(str(node.get("directPath")))
    if content is None:
        return message
    return {**message, "base64": base64.b64encode(content).decode()}
