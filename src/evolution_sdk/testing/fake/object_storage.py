"""Object storage: the media that the server has put there, and the addresses of it."""

from __future__ import annotations

from datetime import UTC, datetime

from .js import JsonObject, as_object
from .media import extension_of, lookup_type
from .message_table import MessageRow
from .state import BAILEYS, Instance, ServerState

TABLE = "Media"
_KEPT = ("imageMessage", "documentMessage", "audioMessage", "stickerMessage")
_BUCKET = "https://s3.fake-evolution.test/evolution/evolution-api"
_WEEK_S = 7 * 24 * 3600


def url_of(server: ServerState, file_name: str) -> str | None:
    """Make a presigned address that lasts a week; None while storage is off."""
    if "s3" not in server.options.features:
        return None
    at = datetime.fromtimestamp(server.now_ms() / 1000, UTC)
    return (
        f"{_BUCKET}/{file_name}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={at:%Y%m%dT%H%M%SZ}"
        f"&X-Amz-Expires={_WEEK_S}&X-Amz-Signature={server.ids.secret(32).hex()}"
    )


def add(
    server: ServerState,
    instance: Instance,
    row: MessageRow,
    *,
    kind: str,
    file_name: str,
    mimetype: str,
) -> JsonObject:
    """Note the media of a message in the media table."""
    day = datetime.fromtimestamp(server.now_ms() / 1000, UTC)
    media: JsonObject = {
        "id": server.ids.row(),
        "fileName": file_name,
        "type": kind,
        "mimetype": mimetype,
        # The column holds a date: the time of day is lost.
        "createdAt": f"{day:%Y-%m-%d}T00:00:00.000Z",
        "messageId": row.id,
        "instanceId": instance.id,
    }
    instance.tables.setdefault(TABLE, []).append(media)
    return media


def keep(server: ServerState, instance: Instance, row: MessageRow) -> str | None:
    """Put the media of a stored message of WHATSAPP-BAILEYS into storage, as the server does.

    Videos stay out: ``S3_SAVE_VIDEO`` is off by default.

    Returns:
        The address that the message then carries; None when nothing was put there.
    """
    stored_here = instance.integration == BAILEYS and row.message_type in _KEPT
    node = as_object(row.message.get(row.message_type))
    if "s3" not in server.options.features or not stored_here or node is None:
        return None
    name = node.get("fileName") or f"{row.key['id']}.{extension_of(node.get('mimetype'))}"
    folder = f"{instance.id}/{row.key['remoteJid']}"
    # Sent media lie one folder deeper than received ones, by the message's id.
    if row.key.get("fromMe"):
        path = f"{folder}/{row.key['id']}/{row.message_type}/{name}"
    else:
        path = f"{folder}/{row.message_type}/{int(server.now_ms())}_{name}"
    # The word false, since the server writes the look-up's result into a text column.
    mimetype = lookup_type(name) or "false"
    add(server, instance, row, kind=row.message_type, file_name=path, mimetype=mimetype)
    # The stored message carries the address from then on, and so does the event.
    row.message["mediaUrl"] = url_of(server, path)
    return str(row.message["mediaUrl"])


def shown(instance: Instance, media: JsonObject) -> JsonObject:
    """Show a media row as the routes answer it, with its message's whole row."""
    names = ("id", "fileName", "type", "mimetype", "createdAt")
    row = instance.table.by_id(media["messageId"])
    if row is None:
        raise KeyError(media["messageId"])
    return {**{name: media[name] for name in names}, "Message": _whole(instance, row)}


def _whole(instance: Instance, row: MessageRow) -> JsonObject:
    chatwoot = ("MessageId", "InboxId", "ConversationId", "ContactInboxSourceId", "IsRead")
    return {
        "id": row.id,
        "key": row.key,
        "pushName": row.push_name,
        "participant": row.participant,
        "messageType": row.message_type,
        "message": row.content,
        "contextInfo": row.context_info,
        "source": row.source,
        "messageTimestamp": row.timestamp,
        **{f"chatwoot{name}": None for name in chatwoot},
        "instanceId": instance.id,
        "webhookUrl": row.webhook_url,
        "status": row.status,
        "sessionId": None,
    }
