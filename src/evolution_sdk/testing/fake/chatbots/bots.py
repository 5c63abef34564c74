"""Bots of the chatbots: create, find, fetch, update, delete; the rules about triggers."""

from __future__ import annotations

from typing import Any

from evolution_sdk.testing.fake.errors import ErrorThrown, database_error, failing_as
from evolution_sdk.testing.fake.js import UNDEFINED, JsonObject, get, truthy
from evolution_sdk.testing.fake.router import RouteCall
from evolution_sdk.testing.fake.state import Instance, ServerState
from evolution_sdk.testing.fake.tables import change, insert

from . import older, rows, sessions, settings
from .kinds import OPENAI, OPTION_COLUMNS, Kind

_LATE_DEFAULTS: JsonObject = {"splitMessages": False, "timePerChar": 0}
_FIRST_OPENAI: JsonObject = {
    "expire": 300,
    "keywordFinish": "bye",
    "delayMessage": 1000,
    "unknownMessage": "Sorry, I dont understand",
    "debounceTime": 1,
    "ignoreJids": [],
}
"""Settings made with the first OpenAI bot, for options that are missing, zero or empty."""
_FIRST_OPENAI_FLAGS: JsonObject = {
    "listeningFromMe": True,
    "stopBotFromMe": True,
    "keepOpen": False,
}


def create(kind: Kind, call: RouteCall) -> Any:
    """Create a bot; unset options come from the default settings.

    Raises:
        ErrorThrown: 500 for a bot or trigger that exists already, and for a missing trigger.
    """
    rows.require_on(kind, call.server)
    server, owner, data = call.server, rows.owner_of(call), dict(call.body)
    at_first = not server.profile.has("unknown_bots_are_null")
    doubled = kind.doubled or (kind.doubled_first if at_first else None)
    if doubled and _is_duplicate(kind, owner, data):
        raise ErrorThrown(doubled)
    # OpenAI writes settings of its own before the options are filled in, so that they become its
    # defaults.
    if kind is OPENAI and rows.settings_of(kind, owner) is None:
        settings.save(kind, server, owner, _openai_settings(data))
    _fill_in(kind, server, owner, data)
    _check_trigger(kind, owner, data)
    # Everything the database refuses gets one text; the rules above keep theirs.
    with failing_as(f"Error creating {kind.label}"):
        _check_creds(kind, server, data)
        bot = insert(server, owner, kind.columns, data, "this.botRepository.create()")
        rows.rows_of(owner, kind.group).append(bot)
    return _shown(kind, server, bot)


def _shown(kind: Kind, server: ServerState, bot: JsonObject | None) -> JsonObject | None:
    return bot if server.profile.has("bot_settings_whole") else older.shown_bot(kind, bot)


def _is_duplicate(kind: Kind, owner: Instance, data: JsonObject, but: object = None) -> bool:
    """Tell if the instance has the same bot already; members not given match anything."""
    given = {name: data[name] for name in kind.unique(data) if name in data}
    return any(
        bot["id"] != but and all(bot[name] == value for name, value in given.items())
        for bot in rows.rows_of(owner, kind.group)
    )


def _openai_settings(data: JsonObject) -> JsonObject:
    flags = {name: data.get(name, default) for name, default in _FIRST_OPENAI_FLAGS.items()}
    options = {
        name: data[name] if truthy(get(data, name)) else default
        for name, default in _FIRST_OPENAI.items()
    }
    return {"openaiCredsId": get(data, "openaiCredsId"), **options, **flags, "speechToText": False}


def _fill_in(kind: Kind, server: ServerState, owner: Instance, data: JsonObject) -> None:
    """Fill in options that are not given; the first bot's options become the settings."""
    if all(truthy(get(data, name)) for name in OPTION_COLUMNS):
        return
    defaults = rows.settings_of(kind, owner)
    for name in OPTION_COLUMNS:
        if data.get(name) is None:
            value = get(defaults, name)
            missing = value is None or value is UNDEFINED
            data[name] = _LATE_DEFAULTS.get(name, value) if missing else value
    if defaults is None:
        settings.save(kind, server, owner, {name: data[name] for name in OPTION_COLUMNS})


def _check_trigger(kind: Kind, owner: Instance, data: JsonObject, but: object = None) -> None:
    others = [bot for bot in rows.rows_of(owner, kind.group) if bot["id"] != but]
    kinds_of_trigger = get(data, "triggerType")
    operator, value = get(data, "triggerOperator"), get(data, "triggerValue")
    if kinds_of_trigger == "all":
        # Only one enabled bot of a kind may answer everything.
        if any(bot["enabled"] and bot["triggerType"] == "all" for bot in others):
            raise ErrorThrown(
                f'You already have a {kind.label} with an "All" trigger, '
                "you cannot have more bots while it is active"
            )
    elif kinds_of_trigger == "keyword":
        if not truthy(operator) or not truthy(value):
            raise ErrorThrown("Trigger operator and value are required")
        # A value may come again with another operator.
        same = [bot for bot in others if bot["triggerOperator"] == operator]
        _check_value(same, value)
    elif kinds_of_trigger == "advanced":
        if not truthy(value):
            raise ErrorThrown("Trigger value is required")
        _check_value(others, value)


def _check_value(others: list[JsonObject], value: object) -> None:
    # Whatever their own type of trigger is, and whether they are enabled or not.
    if any(bot["triggerValue"] == value for bot in others):
        raise ErrorThrown("Trigger already exists")


def _check_creds(kind: Kind, server: ServerState, data: JsonObject) -> None:
    if kind is OPENAI and rows.row_by_id(server, rows.CREDS, data["openaiCredsId"]) is None:
        raise database_error("this.botRepository.create()", "Foreign key constraint violated")


def find(kind: Kind, call: RouteCall) -> Any:
    """List the bots of the instance."""
    rows.require_on(kind, call.server)
    found = rows.rows_of(rows.owner_of(call), kind.group)
    if not found and not call.server.profile.has("empty_bots_are_lists"):
        return None
    return [_shown(kind, call.server, bot) for bot in found]


def fetch(kind: Kind, call: RouteCall) -> Any:
    """Fetch a bot of any instance; null when there is none, with 200, if the version is so."""
    rows.require_on(kind, call.server)
    found = rows.row_by_id(call.server, kind.group, call.params[kind.parameter])
    if found is None and not call.server.profile.has("unknown_bots_are_null"):
        raise ErrorThrown(kind.unknown)
    return _shown(kind, call.server, found)


def update(kind: Kind, call: RouteCall) -> Any:
    """Update a bot.

    Raises:
        ErrorThrown: 500 with one text for everything, an unknown id included.
    """
    rows.require_on(kind, call.server)
    _need_bot(kind, call, kind.unknown)
    with failing_as(f"Error updating {kind.label}"):
        owner = rows.owner_of(call)
        bot = _own(kind, call, owner)
        data = call.body
        if _is_duplicate(kind, owner, data, bot["id"]):
            raise ErrorThrown(f"{kind.label} already exists")
        _check_trigger(kind, owner, data, bot["id"])
        _check_creds(kind, call.server, data)
        change(call.server, kind.columns, bot, data, "this.botRepository.update()")
    return _shown(kind, call.server, bot)


def _need_bot(kind: Kind, call: RouteCall, words: str) -> None:
    """Refuse an unknown bot by its name, as servers did at first."""
    if call.server.profile.has("unknown_bots_are_null"):
        return
    if rows.row_by_id(call.server, kind.group, call.params[kind.parameter]) is None:
        raise ErrorThrown(words)


def _own(kind: Kind, call: RouteCall, owner: Instance) -> JsonObject:
    bot_id = call.params[kind.parameter]
    for bot in rows.rows_of(owner, kind.group):
        if bot["id"] == bot_id:
            return bot
    raise ErrorThrown(f"{kind.label} not found")


def delete(kind: Kind, call: RouteCall) -> Any:
    """Delete a bot with its sessions; settings forget it as their fallback.

    Raises:
        ErrorThrown: 500 for an unknown id.
    """
    rows.require_on(kind, call.server)
    _need_bot(kind, call, kind.unknown_deleted or kind.unknown)
    with failing_as(f"Error deleting {kind.label} bot"):
        owner = rows.owner_of(call)
        bot = _own(kind, call, owner)
    rows.rows_of(owner, kind.group).remove(bot)
    # The database cascades over all instances.
    for other in call.server.rows():
        open_ones = rows.rows_of(other, rows.SESSIONS)
        open_ones[:] = [row for row in open_ones if row["botId"] != bot["id"]]
        defaults = rows.settings_of(kind, other)
        if defaults is not None and defaults[kind.fallback] == bot["id"]:
            defaults[kind.fallback] = None
    # OpenAI said "bot" here from the beginning.
    key = sessions.bot_key(kind, call.server) if kind is not OPENAI else "bot"
    return {key: {"id": bot["id"]}}
