"""Bodies of ``/message/*``."""

from __future__ import annotations

from evolution_sdk.testing.fake.schema import Schema

from .common import (
    FLAG,
    NUMBER,
    OBJECT,
    RECIPIENT,
    STRING,
    digits_list,
    message_key,
    not_empty,
)

_FILLED: Schema = {"type": "string", "minLength": 1}
_DELAY: Schema = {"type": "integer", "description": "Enter a value in milliseconds"}
_QUOTED: Schema = {
    "properties": {"key": message_key("id", filled=("id",)), "message": OBJECT},
}
_OPTIONS: dict[str, Schema] = {
    "delay": _DELAY,
    "quoted": _QUOTED,
    "everyOne": {**FLAG, "$lacks": "mentions_every_one_checked"},
    "mentionsEveryOne": {**FLAG, "$has": "mentions_every_one_checked"},
    "mentioned": digits_list("mentioned"),
}


def _send(required: tuple[str, ...] = (), **own: Schema) -> Schema:
    """Anything with a recipient and the sending options."""
    return {
        "type": "object",
        "properties": {"number": RECIPIENT, **own, **_OPTIONS},
        "required": ["number", *required],
    }


TEXT = _send(("text",), text=STRING, linkPreview={"type": "boolean"})
MEDIA = _send(
    ("mediatype",),
    mediatype={"type": "string", "enum": ["image", "document", "video", "audio"]},
    mimetype=STRING,
    media=STRING,
    fileName=STRING,
    caption=STRING,
    gifPlayback={
        "oneOf": [{"type": "boolean"}, {"type": "string", "enum": ["true", "false"]}],
        "$has": "gif_playback",
    },
    gifAttribution={
        "oneOf": [
            {"type": "integer", "enum": [0, 1, 2]},
            {"type": "string", "enum": ["0", "1", "2"]},
        ],
        "$has": "gif_playback",
    },
)
PTV = _send(video=STRING)
AUDIO = _send(audio=STRING)
STICKER = _send(sticker=STRING)
LOCATION = _send(
    ("latitude", "longitude", "name", "address"),
    latitude=NUMBER,
    longitude=NUMBER,
    name=STRING,
    address=STRING,
)
POLL = _send(
    ("name", "selectableCount", "values"),
    name=STRING,
    selectableCount={"type": "integer", "minimum": 0, "maximum": 10},
    values={
        "type": "array",
        "minItems": 2,
        "maxItems": 10,
        "uniqueItems": True,
        "items": STRING,
    },
)
_ROW: Schema = {
    "type": "object",
    "properties": {"title": STRING, "description": STRING, "rowId": STRING},
    "required": ["title", "rowId"],
    **not_empty("title", "description", "rowId"),
}
_SECTION: Schema = {
    "type": "object",
    "properties": {
        "title": STRING,
        "rows": {"type": "array", "minItems": 1, "uniqueItems": True, "items": _ROW},
    },
    "required": ["title", "rows"],
    **not_empty("title"),
}
LIST = _send(
    ("title", "footerText", "buttonText", "sections"),
    title=STRING,
    description=STRING,
    footerText=STRING,
    buttonText=STRING,
    sections={"type": "array", "minItems": 1, "uniqueItems": True, "items": _SECTION},
)
_BUTTON: Schema = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "enum": ["reply", "copy", "url", "call", "pix"]},
        "displayText": STRING,
        "id": STRING,
        "url": STRING,
        "phoneNumber": STRING,
        "currency": STRING,
        "name": STRING,
        "keyType": {"type": "string", "enum": ["phone", "email", "cpf", "cnpj", "random"]},
        "key": STRING,
    },
    "required": ["type"],
    **not_empty("id", "url", "phoneNumber"),
}
BUTTONS = _send(
    thumbnailUrl=STRING,
    title=STRING,
    description=STRING,
    footer=STRING,
    buttons={"type": "array", "items": _BUTTON},
)
_CARD_BUTTON: Schema = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "enum": ["reply", "copy", "url", "call"]},
        **dict.fromkeys(("displayText", "id", "url", "copyCode", "phoneNumber"), STRING),
    },
    "required": ["type"],
    **not_empty("id", "url", "phoneNumber"),
}
_CARD: Schema = {
    "type": "object",
    "properties": {
        "title": STRING,
        "body": _FILLED,
        "footer": STRING,
        "imageUrl": STRING,
        "buttons": {"type": "array", "minItems": 1, "maxItems": 3, "items": _CARD_BUTTON},
    },
    "required": ["body", "buttons"],
}
CAROUSEL: Schema = {
    "type": "object",
    "properties": {
        "number": RECIPIENT,
        "body": _FILLED,
        "cards": {"type": "array", "minItems": 1, "maxItems": 10, "items": _CARD},
        "delay": _DELAY,
        "quoted": _QUOTED,
        # Here the name that nobody sends has stayed.
        "everyOne": FLAG,
        "mentioned": digits_list("mentioned"),
    },
    "required": ["number", "body", "cards"],
}
_CONTACT: Schema = {
    "type": "object",
    "properties": {
        "fullName": STRING,
        "wuid": {
            "type": "string",
            "minLength": 10,
            "pattern": r"\d+",
            "description": '"wuid" must be a numeric string',
        },
        "phoneNumber": {"type": "string", "minLength": 10},
        "organization": STRING,
        "email": STRING,
        "url": STRING,
    },
    "required": ["fullName", "phoneNumber"],
    **not_empty("fullName"),
}
CONTACT: Schema = {
    "type": "object",
    "properties": {
        "number": RECIPIENT,
        "contact": {"type": "array", "items": _CONTACT, "minItems": 1, "uniqueItems": True},
    },
    "required": ["number", "contact"],
}
REACTION: Schema = {
    "type": "object",
    "properties": {"key": message_key("id", "remoteJid", "fromMe"), "reaction": STRING},
    "required": ["key", "reaction"],
}
STATUS: Schema = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "enum": ["text", "image", "audio", "video"]},
        "content": STRING,
        "caption": STRING,
        "backgroundColor": STRING,
        "font": {"type": "integer", "minimum": 0, "maximum": 5},
        "statusJidList": digits_list("statusJidList"),
        "allContacts": FLAG,
    },
    "required": ["type"],
}
TEMPLATE: Schema = {
    "type": "object",
    "properties": {
        "number": RECIPIENT,
        "name": STRING,
        "language": STRING,
        "components": {"type": "array"},
        "webhookUrl": STRING,
    },
    "required": ["name", "language"],
}
