"""Messages that arrive and wake bots: by trigger, by session, or as the fallback.

The answers of a bot's back-end are not made up: only the sessions are kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from evolution_sdk.testing.fake.js import JsonObject, get
from evolution_sdk.testing.fake.state import Instance, ServerState

from .kinds import KINDS, OPENAI, TYPEBOT, Kind
from .rows import SESSIONS, is_ignored, is_on, row_by_id, rows_of, settings_of
from .sessions import announce, newest, open_session, touch
from .typebot import begin


def wake(
    server: ServerState, instance: Instance, jid: str, message: JsonObject, push_name: str | None
) -> None:
    """Hand a message to every kind of chatbot.

    Args:
        server: The server.
        instance: The instance that received it.
        jid: The chat it came in.
        message: Its content.
        push_name: The sender's own name.
    """
    content = _text_of(message)
    # They all look before any of them acts.
    session = newest(rows_of(instance, SESSIONS), jid)
    for kind in KINDS:
        bot = (
            _bot_for(server, instance, kind, jid, content, session) if is_on(kind, server) else None
        )
        if bot is None:
            continue
        if session is not None:
            # A fallback bot takes part in the sessions of other kinds too.
            _go_on(server, instance, kind, bot, session, content or "")
        elif kind is not TYPEBOT:
            open_session(server, instance, kind, bot, jid, pushName=push_name)
        elif server.typebot_reachable:
            begin(server, instance, bot, jid, push_name or "", {})


def _text_of(message: JsonObject) -> str | None:
    for text in (get(message, "conversation"), get(message, "extendedTextMessage", "text")):
        if isinstance(text, str):
            return text
    return None


def _bot_for(
    server: ServerState,
    instance: Instance,
    kind: Kind,
    jid: str,
    content: str | None,
    session: JsonObject | None,
) -> JsonObject | None:
    defaults = settings_of(kind, instance) or {}
    if is_ignored(defaults.get("ignoreJids"), jid):
        return None
    if session is None:
        bots = [bot for bot in rows_of(instance, kind.group) if bot["enabled"]]
        bot = triggered(bots, content)
    else:
        # A session belongs to its bot, whatever the message says.
        bot = row_by_id(server, kind.group, session["botId"])
    if bot is None and kind.falls_back:
        bot = row_by_id(server, kind.group, defaults.get(kind.fallback))
    return bot


def _go_on(
    server: ServerState,
    instance: Instance,
    kind: Kind,
    bot: JsonObject,
    session: JsonObject,
    content: str,
) -> None:
    # OpenAI alone answers in a paused session.
    if session["status"] == "closed" or (session["status"] == "paused" and kind is not OPENAI):
        return
    defaults = settings_of(kind, instance) or {}
    # A bot's own option wins; null takes the default.
    keyword, keep_open = (
        bot[name] if bot[name] is not None else defaults.get(name)
        for name in ("keywordFinish", "keepOpen")
    )
    if not keyword or content.lower().strip() != keyword.lower():
        touch(server, session, status="opened", awaitUser=True)
        return
    # Without keepOpen a session is deleted, so that the next message begins anew.
    status = "closed" if kind.lasting or keep_open else "delete"
    if status == "closed":
        touch(server, session, status=status)
    elif session in (sessions := rows_of(instance, SESSIONS)):
        sessions.remove(session)
    if kind is TYPEBOT:
        announce(server, instance, session["remoteJid"], status, session)


def triggered(bots: list[JsonObject], content: str | None) -> JsonObject | None:
    """Choose the bot that a message without a session wakes.

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
    # By operator first, then by age: an older "contains" loses to a younger "equals".
    for operator, fits in _OPERATORS.items():
        for bot in bots:
            if ((bot["triggerType"], bot["triggerOperator"]) == ("keyword", operator)) and fits(
                content, bot["triggerValue"]
            ):
                return bot
    return None


def _matches(content: str, pattern: str) -> bool:
    try:
        # A pattern that does not compile matches nothing; JavaScript's differ from Python's in
        # details.
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
"""Operators of a keyword trigger, in the order in which the server tries them."""

_CONDITIONS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda content, value: value in content,
    "notcontains": lambda content, value: value not in content,
    "startswith": lambda content, value: content.startswith(value),
    "endswith": lambda content, value: content.endswith(value),
    "exact": lambda content, value: content == value,
}


def _plain(text: str) -> str:
    """Strip accents and capitals."""
    parts = unicodedata.normalize("NFD", text)
    return "".join(c for c in parts if not "\u0300" <= c <= "\u036f").lower()


def _meets(content: str, query: str) -> bool:
    """Evaluate an advanced trigger, ``contains:a,b notcontains:c``: one term of every operator."""
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
    # An operator that does not exist never holds, and with it the whole trigger.
    return condition is not None and condition(text, _plain(value))
