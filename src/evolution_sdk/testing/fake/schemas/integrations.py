"""Bodies of the event transports and of ``/chatwoot/*``."""

from __future__ import annotations

from evolution_sdk.testing.fake.schema import Schema

from .common import BOOLEAN, EVENTS, FLAG, NUMBER, STRING, event_list, not_empty

_SUBSCRIPTION: Schema = {
    "type": "object",
    "properties": {"enabled": FLAG, "events": event_list(EVENTS)},
    "required": ["enabled"],
}
TRANSPORT: Schema = {
    "type": "object",
    # Every transport checks the parts of all of them, and none is required.
    "properties": dict.fromkeys(("websocket", "rabbitmq", "nats", "sqs", "kafka"), _SUBSCRIPTION),
}
_PUSHER: dict[str, Schema] = {
    "enabled": BOOLEAN,
    "appId": STRING,
    "key": STRING,
    "secret": STRING,
    "cluster": STRING,
    "useTLS": BOOLEAN,
}
PUSHER: Schema = {
    "type": "object",
    "properties": {
        "pusher": {
            "type": "object",
            "properties": {**_PUSHER, "events": event_list(EVENTS)},
            "required": list(_PUSHER),
            **not_empty(*_PUSHER),
        }
    },
    "required": ["pusher"],
}
_CHATWOOT_REQUIRED = (
    "enabled", "accountId", "token", "url", "signMsg", "reopenConversation", "conversationPending",
)  # fmt: skip
CHATWOOT: Schema = {
    "type": "object",
    "properties": {
        "enabled": FLAG,
        "accountId": STRING,
        "token": STRING,
        "url": STRING,
        "signMsg": FLAG,
        "signDelimiter": {"type": ["string", "null"]},
        "nameInbox": {"type": ["string", "null"]},
        "reopenConversation": FLAG,
        "conversationPending": FLAG,
        "autoCreate": FLAG,
        "mergeBrazilContacts": FLAG,
        "daysLimitImportMessages": NUMBER,
        "ignoreJids": {"type": "array", "items": STRING},
    },
    "required": list(_CHATWOOT_REQUIRED),
    **not_empty(*_CHATWOOT_REQUIRED),
}
