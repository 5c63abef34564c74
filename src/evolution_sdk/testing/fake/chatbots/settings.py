"""Default settings, which fill in the options that a bot leaves out."""

from __future__ import annotations

from typing import Any

from evolution_sdk.testing.fake.errors import Thrown, database_error, failing_as
from evolution_sdk.testing.fake.js import UNDEFINED, JsonObject, as_list, get, truthy
from evolution_sdk.testing.fake.router import RouteCall
from evolution_sdk.testing.fake.state import Instance, ServerState
from evolution_sdk.testing.fake.tables import upsert

from . import older, rows
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


def save(kind: Kind, server: ServerState, owner: Instance, values: JsonObject) -> JsonObject:
    """Write the settings; the fallback bot comes from ``fallbackId`` alone.

    Returns:
        The row with its ``fallbackId``.

    Raises:
        ErrorThrown: 500 for everything that the database refuses.
    """
    with failing_as(_FAILED):
        changes = {**values, kind.fallback: _fallback(kind, server, owner, values)}
        if kind is OPENAI:
            changes["openaiCredsId"] = _creds(server, owner, values)
        row = upsert(server, owner, rows.settings_table(kind), kind.all_settings, changes, _CALL)
    if not server.profile.has("bot_settings_whole"):
        return older.set_answer(kind, row)
    return {**row, "fallbackId": row[kind.fallback]}


def _fallback(kind: Kind, server: ServerState, owner: Instance, values: JsonObject) -> Any:
    named = server.profile.has("fallback_id")
    bot_id = get(values, "fallbackId" if named else kind.fallback)
    # Not given: Prisma leaves the column alone.
    if bot_id is UNDEFINED:
        return UNDEFINED
    linked = kind is OPENAI and truthy(get(values, "openaiCredsId"))
    if named and (rows.settings_of(kind, owner) is None or linked):
        # Prisma takes no plain foreign key beside a "connect", as in these two cases.
        raise _refused(f"Unknown argument `{kind.fallback}`.")
    if bot_id is not None and rows.row_by_id(server, kind.group, bot_id) is None:
        raise _refused("Foreign key constraint violated")
    return bot_id


def _creds(server: ServerState, owner: Instance, values: JsonObject) -> Any:
    """Check the key to connect: it must exist, and serve no other instance's settings."""
    creds_id = get(values, "openaiCredsId")
    if not truthy(creds_id):
        return UNDEFINED
    taken = any(
        row["openaiCredsId"] == creds_id
        for other in server.rows()
        if other is not owner and (row := rows.settings_of(OPENAI, other)) is not None
    )
    if taken or rows.row_by_id(server, rows.CREDS, creds_id) is None:
        raise _refused("The change would violate the required relation.")
    return creds_id


def _refused(detail: str) -> Thrown:
    return database_error(_CALL, detail)


def set_settings(kind: Kind, call: RouteCall) -> Any:
    """Set the default settings."""
    rows.require_on(kind, call.server)
    with failing_as(_FAILED):
        owner = rows.owner_of(call)
    return save(kind, call.server, owner, call.body)


def fetch_settings(kind: Kind, call: RouteCall) -> Any:
    """Fetch the default settings; the server makes up some when none are stored."""
    rows.require_on(kind, call.server)
    with failing_as("Error fetching settings"):
        row = rows.settings_of(kind, rows.owner_of(call))
    whole = call.server.profile.has("bot_settings_whole")
    if row is None:
        return _NONE_STORED if whole else older.fetched(kind, None, None)
    bot_id = row[kind.fallback]
    bot = None if bot_id is None else rows.row_by_id(call.server, kind.group, bot_id)
    if not whole:
        return older.fetched(kind, row, bot)
    return {**row, "Fallback": bot, "fallbackId": bot_id, "fallback": bot}


def ignore_jid(kind: Kind, call: RouteCall) -> Any:
    """Add a JID to those that the bots ignore, or remove it."""
    rows.require_on(kind, call.server)
    with failing_as(_FAILED):
        owner = rows.owner_of(call)
        row = rows.settings_of(kind, owner)
        if row is None:
            raise _refused("Settings not found")
        jid = call.body["remoteJid"]
        known: list[Any] = as_list(row["ignoreJids"]) or []
        if call.body["action"] != "add":
            jids = [item for item in known if item != jid]
        # Already ignored: answered at once, without a write.
        elif jid in known:
            return {"ignoreJids": known}
        else:
            jids = [*known, jid]
        upsert(
            call.server,
            owner,
            rows.settings_table(kind),
            kind.all_settings,
            {"ignoreJids": jids},
            _CALL,
        )
    return {"ignoreJids": jids}
