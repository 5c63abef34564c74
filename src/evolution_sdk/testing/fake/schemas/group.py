"""Bodies of ``/group/*``."""

from __future__ import annotations

from evolution_sdk.testing.fake.schema import Schema

from .common import FLAG, STRING, digits_list, not_empty


def _people(name: str) -> Schema:
    """A list of distinct numbers, each of ten characters or more with a digit among them."""
    return digits_list(name, minLength=10, pattern=r"\d+")


def _of_group(**properties: Schema) -> Schema:
    """Schema of a change to a group: its JID and every other property are required."""
    return {
        "type": "object",
        "properties": {"groupJid": STRING, **properties},
        "required": ["groupJid", *properties],
        **not_empty("groupJid", *(name for name in properties if name != "participants")),
    }


def _one(name: str, schema: Schema) -> Schema:
    """A single required property."""
    return {
        "type": "object",
        "properties": {name: schema},
        "required": [name],
        **not_empty(name),
    }


CREATE: Schema = {
    "type": "object",
    "properties": {
        "subject": STRING,
        "description": STRING,
        "profilePicture": STRING,
        "promoteParticipants": FLAG,
        "participants": _people("participants"),
    },
    "required": ["subject", "participants"],
    **not_empty("subject", "description", "profilePicture"),
}
GROUP_JID = _one("groupJid", {"type": "string", "pattern": r"^[\d-]+@g.us$"})
GET_PARTICIPANTS = _one("getParticipants", {"type": "string", "enum": ["true", "false"]})
INVITE_CODE = _one("inviteCode", {"type": "string", "pattern": "^[a-zA-Z0-9]{22}$"})
SEND_INVITE = _of_group(description=STRING, numbers=_people("numbers"))
SUBJECT = _of_group(subject=STRING)
DESCRIPTION = _of_group(description=STRING)
PICTURE = _of_group(image=STRING)
PARTICIPANTS = _of_group(
    action={"type": "string", "enum": ["add", "remove", "promote", "demote"]},
    participants=_people("participants"),
)
SETTING = _of_group(
    action={
        "type": "string",
        "enum": ["announcement", "not_announcement", "locked", "unlocked"],
    }
)
MEMBER_ADD_MODE = _of_group(mode={"type": "string", "enum": ["admin_add", "all_member_add"]})
EPHEMERAL = _of_group(expiration={"type": "number", "enum": [0, 86400, 604800, 7776000]})
