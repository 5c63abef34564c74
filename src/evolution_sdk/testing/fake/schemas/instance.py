"""Bodies of ``/instance/*``, ``/settings/*`` and ``/webhook/*``."""

from __future__ import annotations

from evolution_sdk.testing.fake.schema import Schema

from .common import (
    BOOLEAN,
    EVENTS,
    NUMBER,
    OBJECT,
    PRESENCE,
    STRING,
    SUBSCRIBABLE,
    event_list,
    not_empty,
)

_SETTINGS: dict[str, Schema] = {
    "rejectCall": BOOLEAN,
    "msgCall": STRING,
    "groupsIgnore": BOOLEAN,
    "alwaysOnline": BOOLEAN,
    "readMessages": BOOLEAN,
    "readStatus": BOOLEAN,
    "syncFullHistory": BOOLEAN,
    "wavoipToken": STRING,
}
_SETTINGS_REQUIRED = [name for name in _SETTINGS if name not in ("msgCall", "wavoipToken")]
SETTINGS: Schema = {
    "type": "object",
    "properties": _SETTINGS,
    "required": _SETTINGS_REQUIRED,
    **not_empty(*_SETTINGS_REQUIRED),
}
_FLAT_EVENTS = event_list(SUBSCRIBABLE)
CREATE: Schema = {
    "type": "object",
    "properties": {
        "instanceName": STRING,
        "token": STRING,
        "number": {"type": "string", "pattern": r"^\d+[\.@\w-]+"},
        "businessId": STRING,
        "qrcode": BOOLEAN,
        # Capital I: the server checks a name nobody sends.
        "Integration": {
            "type": "string",
            "enum": ["WHATSAPP-BUSINESS", "WHATSAPP-BAILEYS", "EVOLUTION"],
        },
        **_SETTINGS,
        **{f"proxy{part}": STRING for part in ("Host", "Port", "Protocol", "Username", "Password")},
        "webhookUrl": STRING,
        "webhookByEvents": BOOLEAN,
        "webhookBase64": BOOLEAN,
        "webhookEvents": _FLAT_EVENTS,
        "rabbitmqEnabled": BOOLEAN,
        "rabbitmqEvents": _FLAT_EVENTS,
        "natsEnabled": BOOLEAN,
        "natsEvents": _FLAT_EVENTS,
        "sqsEnabled": BOOLEAN,
        "sqsEvents": _FLAT_EVENTS,
        "chatwootAccountId": STRING,
        "chatwootToken": STRING,
        "chatwootUrl": STRING,
        "chatwootSignMsg": BOOLEAN,
        "chatwootReopenConversation": BOOLEAN,
        "chatwootConversationPending": BOOLEAN,
        "chatwootImportContacts": BOOLEAN,
        "chatwootNameInbox": STRING,
        "chatwootMergeBrazilContacts": BOOLEAN,
        "chatwootImportMessages": BOOLEAN,
        "chatwootDaysLimitImportMessages": NUMBER,
    },
    **not_empty("instanceName"),
}
SET_PRESENCE: Schema = {
    "type": "object",
    "properties": {"presence": PRESENCE},
    "required": ["presence"],
}
WEBHOOK: Schema = {
    "type": "object",
    "properties": {
        "webhook": {
            "type": "object",
            "properties": {
                "enabled": BOOLEAN,
                "url": STRING,
                "headers": OBJECT,
                "byEvents": BOOLEAN,
                "base64": BOOLEAN,
                "events": event_list(EVENTS),
            },
            "required": ["enabled", "url"],
            **not_empty("enabled", "url"),
        }
    },
    "required": ["webhook"],
}
