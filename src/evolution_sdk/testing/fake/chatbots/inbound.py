"""Messages that arrive wake bots: by trigger, by session, or as the fallback.

What a bot's backend would answer is not made up: only the sessions are kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from evolution_sdk.testing.fake.js import JsonObject, get
from evolution_sdk.testing.fake.state import Instance
from evolution_sdk.testing.fake.world import World

from .kinds import KINDS, OPENAI, TYPEBOT, Kind
from .sessions import announce, newest, open_session, touch
from .store import SESSIONS, is_ignored, is_on, row_by_id, rows, settings_of
from .typebot import begin


def wake(world: World, instance: Instance, jid: str, message: JsonObject,
         push_name: str | None) -> None:  # fmt: skip
    """Let every kind of chatbot hear of a message.

    Args:
        world: The server.
        instance: Who received it.
        jid: The chat it came in.
        message: Its content.
        push_name: The sender's own name.
    """
    content = _text_of(message)
    # They all look before any of them acts.
    session = newest(rows(instance, SESSIONS), jid)
    for kind in KINDS:
        bot = _bot_for(world, instance, kind, jid, content, session) if is_on(kind, world) else None
        if bot is None:
            continue
        if session is not None:
            # A fallback bot takes part in the sessions of other kinds too.
            _go_on(world, instance, kind, bot, session, content or "")
        elif kind is not TYPEBOT:
            open_session(world, instance, kind, bot, jid, pushName=push_name)
        elif world.typebot_reachable:
            begin(world, instance, bot, jid, push_name or "", {})


def _text_of(message: JsonObject) -> str | None:
    for text in (get(message, "conversation"), get(message, "extendedTextMessage", "text")):
        if isinstance(text, str):
            return text
    return None


def _bot_for(world: World, instance: Instance, kind: Kind, jid: str, content: str | None,
             session: JsonObject | None) -> JsonObject | None:  # fmt: skip
    defaults = settings_of(kind, instance) or {}
    if is_ignored(defaults.get("ignoreJids"), jid):
        return None
    if session is None:
        bots = [bot for bot in rows(instance, kind.group) if bot["enabled"]]
        bot = triggered(bots, content)
    else:
        bot = row_by_id(world, kind.group, session["botId"])
    if bot is None and kind.falls_back:
        bot = row_by_id(world, kind.group, defaults.get(kind.fallback))
    return bot


def _go_on(world: World, instance: Instance, kind: Kind, bot: JsonObject, session: JsonObject,
           content: str) -> None:  # fmt: skip
    if session["status"] == "closed" or (session["status"] == "paused" and kind is not OPENAI):
        return
    defaults = settings_of(kind, instance) or {}
    keyword, keep_open = (
        bot[name] if bot[name] is not None else defaults.get(name)
        for name in ("keywordFinish", "keepOpen")
    )
    if not keyword or content.lower().strip() != keyword.lower():
        touch(world, session, status="opened", awaitUser=True)
        return
    status = "closed" if kind.lasting or keep_open else "delete"
    if status == "closed":
        touch(world, session, status=status)
    elif session in (sessions := rows(instance, SESSIONS)):
        sessions.remove(session)
    if kind is TYPEBOT:
        announce(world, instance, session["remoteJid"], status, session)


def triggered(bots: list[JsonObject], content: str | None) -> JsonObject | None:
    """The bot that a message without a session wakes.

    Args:
        bots: The enabled bots, oldest first.
        content: The message's text; without one only a bot for everything is woken.
    """
    for bot in bots:
        # "none" is no different from "all", whatever its name promises.
        if bot["triggerType"] in ("all", "none"):
            return bot
    if content is None:
        return None
    for bot in bots:
        if bot["triggerType"] == "advanced" and _meets(content, bot["triggerValue"]):
            return bot
    for operator, fits in _OPERATORS.items():
        for bot in bots:
            if ((bot["triggerType"], bot["triggerOperator"]) == ("keyword", operator)) and fits(
                content, bot["triggerValue"]
            ):
                return bot
    return None


def _matches(content: str, pattern: str) -> bool:
    try:
        return re.search(pattern, content) is not None
    except re.error:
        return False


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "equals": lambda content, value: content == value,
    "regex": _matches,
    "startsWith": lambda content, value: content.startswith(value),
    "endsWith": lambda content, value: content.endswith(value),
    "contains": lambda content, value: value in content,
}
"""In the order in which the server tries them."""

_CONDITIONS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda content, value: value in content,
    "notcontains": lambda content, value: value not in content,
    "startswith": lambda content, value: content.startswith(value),
    "endswith": lambda content, value: content.endswith(value),
    "exact": lambda content, value: content == value,
}


def _plain(text: str) -> str:
    """Without accents and capitals."""
    parts = unicodedata.normalize("NFD", text)
    return "".join(c for c in parts if not "\u0300" <= c <= "\u036f").lower()


def _meets(content: str, query: str) -> bool:
    """An advanced trigger, ``contains:a,b notcontains:c``: all operators, one term of each."""
    terms: dict[str, list[str]] = {}
    for term in query.split(" "):
        operator, _, values = term.partition(":")
        terms.setdefault(operator, []).append(values)
    text = _plain(content)
    return all(
        any(all(_holds(operator, text, value) for value in values.split(",")) for values in choices)
        for operator, choices in terms.items()
    )


def _holds(operator: str, text: str, value: str) -> bool:
    condition = _CONDITIONS.get(operator.lower())
    return condition is not None and condition(text, _plain(value))
