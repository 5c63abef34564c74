"""Default settings: what a bot takes over that does not say itself."""

from __future__ import annotations

from typing import Any

from evolution_sdk.testing.fake.errors import Thrown, database_error
from evolution_sdk.testing.fake.js import UNDEFINED, JsonObject, as_list, get, truthy
from evolution_sdk.testing.fake.router import Call
from evolution_sdk.testing.fake.state import Instance
from evolution_sdk.testing.fake.tables import upsert
from evolution_sdk.testing.fake.world import World

from . import store
from .kinds import OPENAI, Kind

_FAILED = "Error setting default settings"
_CALL = "this.settingsRepository.upsert()"
_NONE_STORED: JsonObject = {
    "expire": 300,
    "keywordFinish": "bye",
    "delayMessage": 1000,
    "unknownMessage": "Sorry, I dont understand",
    "listeningFromMe": True,
    "stopBotFromMe": True,
    "keepOpen": False,
    "debounceTime": 1,
    "ignoreJids": [],
    "splitMessages": False,
    "timePerChar": 0,
    "fallbackId": "",
    "fallback": None,
}


def save(kind: Kind, world: World, owner: Instance, values: JsonObject) -> JsonObject:
    """Write the settings; the fallback bot is read from ``fallbackId`` alone.

    Returns:
        The row with its ``fallbackId``.

    Raises:
        ErrorThrown: 500 for whatever the database refuses.
    """
    with store.failing_as(_FAILED):
        changes = {**values, kind.fallback: _fallback(kind, world, owner, values)}
        if kind is OPENAI:
            changes["openaiCredsId"] = _creds(world, owner, values)
        row = upsert(world, owner, store.settings_table(kind), kind.all_settings, changes, _CALL)
    return {**row, "fallbackId": row[kind.fallback]}


def _fallback(kind: Kind, world: World, owner: Instance, values: JsonObject) -> Any:
    bot_id = get(values, "fallbackId")
    if bot_id is UNDEFINED:
        return UNDEFINED
    linked = kind is OPENAI and truthy(get(values, "openaiCredsId"))
    if store.settings_of(kind, owner) is None or linked:
        # Prisma takes no plain foreign key beside a "connect", as in these two cases.
        raise _refused(f"Unknown argument `{kind.fallback}`.")
    if bot_id is not None and store.row_by_id(world, kind.group, bot_id) is None:
        raise _refused("Foreign key constraint violated")
    return bot_id


def _creds(world: World, owner: Instance, values: JsonObject) -> Any:
    """The key to connect: it must exist, and serve no other instance's settings."""
    creds_id = get(values, "openaiCredsId")
    if not truthy(creds_id):
        return UNDEFINED
    taken = any(
        row["openaiCredsId"] == creds_id
        for other in world.rows()
        if other is not owner and (row := store.settings_of(OPENAI, other)) is not None
    )
    if taken or store.row_by_id(world, store.CREDS, creds_id) is None:
        raise _refused("The change would violate the required relation.")
    return creds_id


def _refused(detail: str) -> Thrown:
    return database_error(_CALL, detail)


def set_settings(kind: Kind, call: Call) -> Any:
    """``POST /<bot>/settings``."""
    store.require_on(kind, call.world)
    with store.failing_as(_FAILED):
        owner = store.owner_of(call)
    return save(kind, call.world, owner, call.body)


def fetch_settings(kind: Kind, call: Call) -> Any:
    """``GET /<bot>/fetchSettings``; made-up ones when none are stored."""
    store.require_on(kind, call.world)
    with store.failing_as("Error fetching settings"):
        row = store.settings_of(kind, store.owner_of(call))
    if row is None:
        return _NONE_STORED
    bot_id = row[kind.fallback]
    bot = None if bot_id is None else store.row_by_id(call.world, kind.group, bot_id)
    return {**row, "Fallback": bot, "fallbackId": bot_id, "fallback": bot}


def ignore_jid(kind: Kind, call: Call) -> Any:
    """``POST /<bot>/ignoreJid``: add a JID to those the bot leaves alone, or remove it."""
    store.require_on(kind, call.world)
    with store.failing_as(_FAILED):
        owner = store.owner_of(call)
        row = store.settings_of(kind, owner)
        if row is None:
            raise _refused("Settings not found")
        jid = call.body["remoteJid"]
        known: list[Any] = as_list(row["ignoreJids"]) or []
        if call.body["action"] != "add":
            jids = [item for item in known if item != jid]
        elif jid in known:
            return {"ignoreJids": known}
        else:
            jids = [*known, jid]
        upsert(
            call.world,
            owner,
            store.settings_table(kind),
            kind.all_settings,
            {"ignoreJids": jids},
            _CALL,
        )
    return {"ignoreJids": jids}
