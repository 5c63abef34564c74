"""Bodies of the small families: label, call, proxy, template, business and s3."""

from __future__ import annotations

from evolution_sdk.testing.fake.schema import Schema

from .common import BOOLEAN, FLAG, NUMBER, RECIPIENT, STRING, not_empty

HANDLE_LABEL: Schema = {
    "type": "object",
    "properties": {
        "number": RECIPIENT,
        "labelId": STRING,
        "action": {"type": "string", "enum": ["add", "remove"]},
    },
    "required": ["number", "labelId", "action"],
    **not_empty("number", "labelId", "action"),
}
OFFER_CALL: Schema = {
    "type": "object",
    "properties": {
        "number": RECIPIENT,
        "isVideo": FLAG,
        "callDuration": {"type": "integer", "minimum": 1, "maximum": 15},
    },
    "required": ["number", "callDuration"],
}
_PROXY_REQUIRED = ("enabled", "host", "port", "protocol")
PROXY: Schema = {
    "type": "object",
    "properties": {
        "enabled": FLAG,
        **dict.fromkeys(("host", "port", "protocol", "username", "password"), STRING),
    },
    "required": list(_PROXY_REQUIRED),
    **not_empty(*_PROXY_REQUIRED),
}
_CATEGORY: Schema = {"type": "string", "enum": ["AUTHENTICATION", "MARKETING", "UTILITY"]}
_TEMPLATE_REQUIRED = ("name", "category", "language", "components")
TEMPLATE: Schema = {
    "type": "object",
    "properties": {
        "name": STRING,
        "category": _CATEGORY,
        "allowCategoryChange": BOOLEAN,
        "language": STRING,
        "components": {"type": "array"},
        "webhookUrl": STRING,
    },
    "required": list(_TEMPLATE_REQUIRED),
    **not_empty(*_TEMPLATE_REQUIRED),
}
EDIT_TEMPLATE: Schema = {
    "type": "object",
    "properties": {
        "templateId": STRING,
        "category": _CATEGORY,
        "allowCategoryChange": BOOLEAN,
        "ttl": NUMBER,
        "components": {"type": "array"},
    },
    "required": ["templateId"],
    **not_empty("templateId"),
}
DELETE_TEMPLATE: Schema = {
    "type": "object",
    "properties": {"name": STRING, "hsmId": STRING},
    "required": ["name"],
    **not_empty("name"),
}
SHOP: Schema = {"type": "object", "properties": {"number": STRING, "limit": NUMBER}}
MEDIA: Schema = {
    "type": "object",
    "properties": {"id": STRING, "type": STRING, "messageId": {"type": "integer"}},
    **not_empty("id", "type", "messageId"),
}
_DIGITS: Schema = {"type": "string", "pattern": r"\d+", "minLength": 1}
MEDIA_URL: Schema = {
    "type": "object",
    "properties": {"id": _DIGITS, "expiry": _DIGITS},
    **not_empty("id"),
    "required": ["id"],
}
