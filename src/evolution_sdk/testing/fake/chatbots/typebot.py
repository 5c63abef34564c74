"""Typebot flows that a request starts (``POST /typebot/start``)."""

from __future__ import annotations

from typing import Any

from evolution_sdk.testing.fake.errors import ErrorThrown, reading
from evolution_sdk.testing.fake.js import UNDEFINED, JsonObject, as_list, defined, get, truthy
from evolution_sdk.testing.fake.router import RouteCall
from evolution_sdk.testing.fake.state import Instance, ServerState
from evolution_sdk.testing.fake.tables import insert

from .kinds import OPTION_COLUMNS, TYPEBOT
from .rows import is_ignored, require_on, rows_of, settings_of
from .sessions import announce, forget, open_session, touch

_TALK_MS = 2_000
"""Milliseconds that the flow's first message takes: one second of typing, one of delay."""
_PASSED_ON = list(OPTION_COLUMNS)[:7]


def start(call: RouteCall) -> Any:
    """Start a flow; without ``startSession`` nothing is kept of it.

    Returns:
        The request, echoed; undefined, an empty answer, when Typebot cannot be reached (without
        ``startSession`` only) and for the status broadcast.

    Raises:
        ErrorThrown: 500 for a JID to be ignored, and while no default settings are stored.
    """
    require_on(TYPEBOT, call.server)
    server, body = call.server, call.body
    jid, url, flow = body["remoteJid"], body["url"], body["typebot"]
    # Stories are skipped without an answer.
    if jid == "status@broadcast":
        return UNDEFINED
    owner = server.known(call.instance)
    if owner is None:
        raise ErrorThrown("Instance not found")
    defaults = settings_of(TYPEBOT, owner)
    if is_ignored((defaults or {}).get("ignoreJids"), jid):
        raise ErrorThrown("Jid not allowed")
    # The server reads the defaults without looking if there are any.
    if defaults is None:
        raise reading("expire", "null")
    variables = _prefilled(get(body, "variables"))
    if truthy(get(body, "startSession")):
        _start_session(call, owner, defaults, variables)
    elif not server.typebot_reachable:
        return UNDEFINED
    else:
        _start_loose(call)
    if server.typebot_reachable:
        call.hold_ms = _TALK_MS
    asked = {"url": url, "remoteJid": jid, "typebot": flow, "prefilledVariables": variables}
    return {"typebot": {"instanceName": call.instance, **call.query, "typebot": asked}}


def _prefilled(variables: Any) -> JsonObject:
    """Collect the variables by name.

    Raises:
        ErrorThrown: The TypeErrors of a text instead of a list, and of null in it.
    """
    if isinstance(variables, str) and variables:
        raise ErrorThrown("variables.forEach is not a function", name="TypeError")
    items = as_list(variables) or []
    if None in items:
        raise reading("name", "null")
    return defined(**{str(_name(item)): get(item, "value") for item in items})


def _name(variable: Any) -> Any:
    name = get(variable, "name")
    return "undefined" if name is UNDEFINED else name


def _start_session(
    call: RouteCall, owner: Instance, defaults: JsonObject, variables: JsonObject
) -> None:
    server, body = call.server, call.body
    wanted = {name: body[name] for name in ("url", "typebot")}
    bots = rows_of(owner, TYPEBOT.group)
    bot = next((row for row in bots if wanted.items() <= row.items()), None)
    # The flow becomes a bot of the instance, unless there is one for it.
    if bot is None:
        options = {name: defaults[name] for name in _PASSED_ON}
        bot = insert(server, owner, TYPEBOT.columns, {"enabled": True, **wanted, **options},
                     "this.botRepository.create()")  # fmt: skip
        bots.append(bot)
    # A start ends every other session with this person, also those of other bots.
    forget(owner, body["remoteJid"])
    instance = server.running(call.instance, "instanceName")
    if server.typebot_reachable:
        begin(server, instance, bot, body["remoteJid"], "", variables)


def begin(
    server: ServerState,
    instance: Instance,
    bot: JsonObject,
    jid: str,
    push_name: str,
    variables: JsonObject,
) -> None:
    """Open a session at Typebot, whose flow asks its first question at once."""
    parameters = {
        **variables,
        "remoteJid": jid,
        "pushName": push_name,
        "instanceName": instance.name,
        "serverUrl": server.options.server_url,
        # The server hands its global key to the flow.
        "apiKey": server.options.api_key,
        "ownerJid": instance.number,
    }
    name = f"{_number(server)}-tb{server.ids.secret(6).hex()}"
    session = open_session(
        server, instance, TYPEBOT, bot, jid,
        sessionId=name, pushName=push_name, parameters=parameters,
    )  # fmt: skip
    if session is not None:
        announce(server, instance, jid, "opened", session)
        touch(server, session, awaitUser=True)


def _number(server: ServerState) -> str:
    return str(int.from_bytes(server.ids.secret(4), "big"))


def _start_loose(call: RouteCall) -> None:
    instance = call.server.running(call.instance, "sendDataWebhook")
    body = call.body
    data = defined(
        remoteJid=body["remoteJid"],
        # The address asked, not the one given: an inner variable hides the outer.
        url=f"{body['url']}/api/v1/sendMessage",
        typebot=body["typebot"],
        variables=get(body, "variables"),
        sessionId=_number(call.server),
    )
    call.server.emit(instance, "typebot.start", data)
