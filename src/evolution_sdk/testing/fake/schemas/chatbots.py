"""Bodies of the seven chatbots: one shape, with the differences that the server has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evolution_sdk.testing.fake.schema import Schema

from .common import BOOLEAN, STRING, not_empty

INTEGER: Schema = {"type": "integer"}
STRINGS: Schema = {"type": "array", "items": STRING}
_TRIGGER: dict[str, Schema] = {
    "triggerType": {"type": "string", "enum": ["all", "keyword", "none", "advanced"]},
    "triggerOperator": {
        "type": "string",
        "enum": ["equals", "contains", "startsWith", "endsWith", "regex"],
    },
    "triggerValue": STRING,
}
OPTIONS: dict[str, Schema] = {
    "expire": INTEGER,
    "keywordFinish": STRING,
    "delayMessage": INTEGER,
    "unknownMessage": STRING,
    "listeningFromMe": BOOLEAN,
    "stopBotFromMe": BOOLEAN,
    "keepOpen": BOOLEAN,
    "debounceTime": INTEGER,
    "ignoreJids": STRINGS,
    "splitMessages": BOOLEAN,
    "timePerChar": INTEGER,
}
"""Options that every chatbot and its default settings have in common."""


def choice(*values: str) -> Schema:
    """One of some words."""
    return {"type": "string", "enum": list(values)}


def closed(properties: Mapping[str, Schema], required: Sequence[str]) -> Schema:
    """An object whose required strings must not be empty."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        **not_empty(*required),
    }


def bot(
    own: Mapping[str, Schema], required: Sequence[str], *, unchecked: Sequence[str] = ()
) -> Schema:
    """The body of create and update.

    Args:
        own: The members that only this chatbot has.
        required: Those that must be there, beside ``enabled`` and ``triggerType``.
        unchecked: Options that the server takes without looking at them.
    """
    options = {name: kind for name, kind in OPTIONS.items() if name not in unchecked}
    properties = {"enabled": BOOLEAN, "description": STRING, **own, **_TRIGGER, **options}
    return closed(properties, ["enabled", *required, "triggerType"])


def settings(
    fallback: str,
    *,
    first: Mapping[str, Schema] | None = None,
    middle: Mapping[str, Schema] | None = None,
    required: int = len(OPTIONS),
    unchecked: Sequence[str] = (),
) -> Schema:
    """The body of the default settings.

    Args:
        fallback: Name of the fallback bot in the schema; the server never reads it.
        first: Members of this chatbot alone that come first, all of them required.
        middle: Members that come before ``ignoreJids``.
        required: Number of options that are required, counted from the first.
        unchecked: Options that the server takes without looking at them.
    """
    names = list(OPTIONS)
    split = names.index("ignoreJids")
    properties = {
        **(first or {}),
        **{name: OPTIONS[name] for name in names[:split]},
        **(middle or {}),
        "ignoreJids": STRINGS,
        fallback: STRING,
        **{name: OPTIONS[name] for name in names[split:]},
    }
    shown = {name: kind for name, kind in properties.items() if name not in unchecked}
    return closed(shown, [*(first or {}), *names[:required]])


STATUS = closed(
    {"remoteJid": STRING, "status": choice("opened", "closed", "paused", "delete")},
    ("remoteJid", "status"),
)
IGNORE_JID = closed(
    {"remoteJid": STRING, "action": choice("add", "remove")}, ("remoteJid", "action")
)
START = closed(dict.fromkeys(("remoteJid", "url", "typebot"), STRING),
               ("remoteJid", "url", "typebot"))  # fmt: skip
CREDS = closed({"name": STRING, "apiKey": STRING}, ("name", "apiKey"))
