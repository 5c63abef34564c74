"""Chatbots as servers answer them that name the fallback of each family in its own way."""

from __future__ import annotations

from typing import Any, Final

from evolution_sdk.testing.fake.js import JsonObject

from .kinds import NO_TIMING, OPENAI, OPTION_COLUMNS, TYPEBOT, Kind

_EMPTY: Final[JsonObject] = {
    "expire": 0,
    "keywordFinish": "",
    "delayMessage": 0,
    "unknownMessage": "",
    "listeningFromMe": False,
    "stopBotFromMe": False,
    "keepOpen": False,
    "ignoreJids": [],
    "splitMessages": False,
    "timePerChar": 0,
}
"""Answer while no settings are stored."""

_NOT_FETCHED: Final = "debounceTime"


def _options(kind: Kind) -> list[str]:
    return [name for name in OPTION_COLUMNS if kind is not TYPEBOT or name not in NO_TIMING]


def shown_bot(kind: Kind, bot: JsonObject | None) -> JsonObject | None:
    """Show a bot: Typebot's has no timing."""
    if bot is None or kind is not TYPEBOT:
        return bot
    return {name: value for name, value in bot.items() if name not in NO_TIMING}


def _settings(kind: Kind, row: JsonObject, options: list[str]) -> JsonObject:
    extra = ["openaiCredsId", "speechToText"] if kind is OPENAI else []
    return {name: row[name] for name in [*extra, *options, kind.fallback]}


def set_answer(kind: Kind, row: JsonObject) -> JsonObject:
    """Show the settings that have been stored."""
    return _settings(kind, row, _options(kind))


def fetched(kind: Kind, row: JsonObject | None, bot: JsonObject | None) -> JsonObject:
    """Show the settings, with the fallback bot; empty ones where there are none."""
    options = [name for name in _options(kind) if name != _NOT_FETCHED]
    if row is None:
        linked = kind in (TYPEBOT, OPENAI)
        empty: dict[str, Any] = {**_EMPTY, kind.fallback: None if linked else ""}
        row = {**empty, "openaiCredsId": None, "speechToText": False}
    return {**_settings(kind, row, options), "fallback": shown_bot(kind, bot)}
