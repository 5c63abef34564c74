"""Pieces that several schemas share."""

from __future__ import annotations

from evolution_sdk.testing.fake.schema import Schema

STRING: Schema = {"type": "string"}
BOOLEAN: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "number"}
OBJECT: Schema = {"type": "object"}
FLAG: Schema = {"type": "boolean", "enum": [True, False]}
RECIPIENT: Schema = {"type": "string", "description": "Invalid format"}

PRESENCE: Schema = {
    "type": "string",
    "enum": ["unavailable", "available", "composing", "recording", "paused"],
}

SUBSCRIBABLE = [
    "APPLICATION_STARTUP", "QRCODE_UPDATED", "MESSAGES_SET", "MESSAGES_UPSERT",
    "MESSAGES_EDITED", "MESSAGES_UPDATE", "MESSAGES_DELETE", "SEND_MESSAGE",
    "SEND_MESSAGE_UPDATE", "CONTACTS_SET", "CONTACTS_UPSERT", "CONTACTS_UPDATE",
    "PRESENCE_UPDATE", "CHATS_SET", "CHATS_UPSERT", "CHATS_UPDATE", "CHATS_DELETE",
    "GROUPS_UPSERT", "GROUP_UPDATE", "GROUP_PARTICIPANTS_UPDATE", "CONNECTION_UPDATE",
    "LABELS_EDIT", "LABELS_ASSOCIATION", "CALL", "TYPEBOT_START", "TYPEBOT_CHANGE_STATUS",
    "MESSAGING_HISTORY_SET",
]  # fmt: skip
"""Event names that the create route accepts in its (dead) flat lists."""

EVENTS = [
    *SUBSCRIBABLE,
    "REMOVE_INSTANCE", "LOGOUT_INSTANCE", "INSTANCE_CREATE", "INSTANCE_DELETE", "STATUS_INSTANCE",
]  # fmt: skip
"""Every event name of all versions, in the server's order."""


def not_empty(*names: str, text: str | None = None) -> dict[str, Schema]:
    """Refuse empty strings, but only when the body has no other members: a server quirk.

    Args:
        names: The members checked.
        text: The message instead of the usual one.
    """
    return {
        "if": {"propertyNames": {"enum": list(names)}},
        "then": {
            "properties": {
                name: {"minLength": 1, "description": text or f'The "{name}" cannot be empty'}
                for name in names
            }
        },
    }


def digits_list(name: str, **rules: object) -> Schema:
    """A list of distinct strings that start with a digit, or that keep other rules."""
    return {
        "type": "array",
        "minItems": 1,
        "uniqueItems": True,
        "items": {
            "type": "string",
            **(rules or {"pattern": r"^\d+"}),
            "description": f'"{name}" must be an array of numeric strings',
        },
    }


def event_list(names: list[str]) -> Schema:
    """A list of event names, of those that the version knows."""
    return {
        "type": "array",
        "minItems": 0,
        "items": {"type": "string", "enum": names, "$events": True},
    }


def message_key(*required: str, filled: tuple[str, ...] = ("id", "remoteJid")) -> Schema:
    """A message key with the members that must be there."""
    return {
        "type": "object",
        "properties": {"id": STRING, "remoteJid": STRING, "fromMe": FLAG},
        "required": list(required),
        **not_empty(*filled),
    }
