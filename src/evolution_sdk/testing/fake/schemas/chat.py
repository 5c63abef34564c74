"""Bodies of ``/chat/*``."""

from __future__ import annotations

from evolution_sdk.testing.fake.schema import Schema

from .common import FLAG, NUMBER, OBJECT, PRESENCE, RECIPIENT, STRING, message_key, not_empty

_FILLED: Schema = {"type": "string", "minLength": 1}
_KEY = message_key("id", "fromMe", "remoteJid")
_LAST_MESSAGE: Schema = {
    "type": "object",
    "properties": {"key": _KEY, "messageTimestamp": {"type": "integer", "minLength": 1}},
    "required": ["key"],
    **not_empty("messageTimestamp"),
}
NUMBERS: Schema = {
    "type": "object",
    "properties": {
        "numbers": {
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {
                "type": "string",
                "description": '"numbers" must be an array of numeric strings',
            },
        }
    },
}


def _keys(name: str) -> Schema:
    """A required list of the keys of messages."""
    return {
        "type": "object",
        "properties": {
            name: {
                "type": "array",
                "minItems": 1,
                "uniqueItems": True,
                "items": {
                    "properties": {"id": STRING, "fromMe": FLAG, "remoteJid": STRING},
                    "required": ["id", "fromMe", "remoteJid"],
                    **not_empty("id", "remoteJid"),
                },
            }
        },
        "required": [name],
    }


READ = _keys("readMessages")
PLAYED = _keys("playedMessages")
POLL_VOTE: Schema = {
    "type": "object",
    "properties": {
        "message": {
            "type": "object",
            "properties": {
                "key": {"type": "object", "properties": {"id": STRING}, "required": ["id"]}
            },
            "required": ["key"],
        },
        "remoteJid": STRING,
    },
    "required": ["message", "remoteJid"],
}
ARCHIVE: Schema = {
    "type": "object",
    "properties": {"chat": STRING, "lastMessage": _LAST_MESSAGE, "archive": FLAG},
    "required": ["archive"],
}
UNREAD: Schema = {
    "type": "object",
    "properties": {"chat": STRING, "lastMessage": _LAST_MESSAGE},
    "required": ["lastMessage"],
}
DELETE: Schema = {
    "type": "object",
    "properties": {"id": STRING, "fromMe": FLAG, "remoteJid": STRING, "participant": STRING},
    "required": ["id", "fromMe", "remoteJid"],
    **not_empty("id", "remoteJid", "participant"),
}
PICTURE: Schema = {"type": "object", "properties": {"number": STRING, "picture": STRING}}
UPDATE: Schema = {
    "type": "object",
    "properties": {"number": STRING, "text": STRING, "key": _KEY},
    **not_empty("number", "text", "key"),
}
SEND_PRESENCE: Schema = {
    "type": "object",
    "properties": {"number": RECIPIENT, "delay": NUMBER, "presence": PRESENCE},
    "required": ["number", "presence", "delay"],
}
BLOCK: Schema = {
    "type": "object",
    "properties": {"number": STRING, "status": {"type": "string", "enum": ["block", "unblock"]}},
    "required": ["number", "status"],
    **not_empty("number", "status"),
}
FIND_CONTACTS: Schema = {
    "type": "object",
    "properties": {
        "where": {
            "type": "object",
            "properties": {
                "_id": _FILLED,
                "pushName": _FILLED,
                "id": _FILLED,
                "remoteJid": {**_FILLED, "$has": "contacts_filtered_by_id"},
            },
            # What is said of other names, in all versions: nothing.
            **not_empty("_id", "id", "pushName"),
        }
    },
}
_KEY_FILTER: Schema = {
    "type": "string",
    "minLength": 1,
    "description": "The property cannot be empty",
}
FIND_MESSAGES: Schema = {
    "type": "object",
    "properties": {
        "where": {
            "type": "object",
            "properties": {
                "_id": _FILLED,
                "key": {
                    "type": "object",
                    "if": {"propertyNames": {"enum": ["fromMe", "remoteJid", "id"]}},
                    "then": {
                        "properties": {
                            "remoteJid": _KEY_FILTER,
                            "id": _KEY_FILTER,
                            "fromMe": FLAG,
                        }
                    },
                },
                "message": OBJECT,
            },
            **not_empty("_id"),
        },
        "limit": {"type": "integer"},
    },
}
FIND_STATUS: Schema = {
    "type": "object",
    "properties": {
        "where": {
            "type": "object",
            "properties": {
                "_id": STRING,
                "remoteJid": STRING,
                "id": STRING,
                "fromMe": FLAG,
                "participant": STRING,
                "status": {
                    "type": "string",
                    "enum": ["ERROR", "PENDING", "SERVER_ACK", "DELIVERY_ACK", "READ", "PLAYED"],
                },
            },
            **not_empty("_id", "remoteJid", "id", "status"),
        },
        "limit": {"type": "integer"},
    },
}
_AUDIENCE = ["all", "contacts", "contact_blacklist", "none"]
PRIVACY_SETTINGS: dict[str, list[str]] = {
    "readreceipts": ["all", "none"],
    "profile": _AUDIENCE,
    "status": _AUDIENCE,
    "online": ["all", "match_last_seen"],
    "last": _AUDIENCE,
    "groupadd": _AUDIENCE,
}
PRIVACY: Schema = {
    "type": "object",
    "properties": {
        name: {"type": "string", "enum": allowed} for name, allowed in PRIVACY_SETTINGS.items()
    },
    "required": list(PRIVACY_SETTINGS),
    **not_empty(*PRIVACY_SETTINGS),
}
PROFILE: Schema = {
    "type": "object",
    "properties": {
        "wuid": STRING,
        "name": STRING,
        "picture": STRING,
        "status": STRING,
        "isBusiness": {"type": "boolean"},
    },
}
PROFILE_NAME: Schema = {"type": "object", "properties": {"name": STRING}, **not_empty("name")}
PROFILE_STATUS: Schema = {
    "type": "object",
    "properties": {"status": STRING},
    **not_empty("status"),
}
