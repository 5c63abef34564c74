"""``POST /typebot/start``: let a Typebot flow talk to somebody now."""

from __future__ import annotations

from typing import Any

from evolution_sdk.testing.fake.errors import ErrorThrown, reading
from evolution_sdk.testing.fake.js import UNDEFINED, JsonObject, as_list, defined, get, truthy
from evolution_sdk.testing.fake.router import Call
from evolution_sdk.testing.fake.state import Instance
from evolution_sdk.testing.fake.tables import insert
from evolution_sdk.testing.fake.world import World

from .kinds import OPTION_COLUMNS, TYPEBOT
from .sessions import announce, forget, open_session, touch
from .store import is_ignored, require_on, rows, settings_of

_TALK_MS = 2_000
"""How long the flow's first message takes: one second of typing, one of delay."""
_PASSED_ON = list(OPTION_COLUMNS)[:7]


def start(call: Call) -> Any:
    """Start a flow; without ``startSession`` nothing is kept of it.

    Returns:
        What was asked for; undefined, an empty answer, when Typebot cannot be reached (without
        ``startSession`` only) and for the status broadcast.

    Raises:
        ErrorThrown: 500 for a JID to be ignored, and while no default settings are stored.
    """
    require_on(TYPEBOT, call.world)
    world, body = call.world, call.body
    jid, url, flow = body["remoteJid"], body["url"], body["typebot"]
    if jid == "status@broadcast":
        return UNDEFINED
    owner = world.known(call.instance)
    if owner is None:
        raise ErrorThrown("Instance not found")
    defaults = settings_of(TYPEBOT, owner)
    if is_ignored((defaults or {}).get("ignoreJids"), jid):
        raise ErrorThrown("Jid not allowed")
    if defaults is None:
        raise reading("expire", "null")
    variables = _prefilled(get(body, "variables"))
    if truthy(get(body, "startSession")):
        _start_session(call, owner, defaults, variables)
    elif not world.typebot_reachable:
        return UNDEFINED
    else:
        _start_loose(call)
    if world.typebot_reachable:
        call.hold_ms = _TALK_MS
    asked = {"url": url, "remoteJid": jid, "typebot": flow, "prefilledVariables": variables}
    return {"typebot": {"instanceName": call.instance, **call.query, "typebot": asked}}


def _prefilled(variables: Any) -> JsonObject:
    """The variables by name.

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


def _start_session(call: Call, owner: Instance, defaults: JsonObject,
                   variables: JsonObject) -> None:  # fmt: skip
    world, body = call.world, call.body
    wanted = {name: body[name] for name in ("url", "typebot")}
    bots = rows(owner, TYPEBOT.group)
    bot = next((row for row in bots if wanted.items() <= row.items()), None)
    if bot is None:
        options = {name: defaults[name] for name in _PASSED_ON}
        bot = insert(world, owner, TYPEBOT.columns, {"enabled": True, **wanted, **options},
                     "this.botRepository.create()")  # fmt: skip
        bots.append(bot)
    forget(owner, body["remoteJid"])
    instance = world.running(call.instance, "instanceName")
    if world.typebot_reachable:
        begin(world, instance, bot, body["remoteJid"], "", variables)


def begin(world: World, instance: Instance, bot: JsonObject, jid: str, push_name: str,
          variables: JsonObject) -> None:  # fmt: skip
    """Open a session at Typebot, whose flow asks something at once."""
    parameters = {
        **variables,
        "remoteJid": jid,
        "pushName": push_name,
        "instanceName": instance.name,
        "serverUrl": world.options.server_url,
        "apiKey": world.options.api_key,
        "ownerJid": instance.number,
    }
    name = f"{_number(world)}-tb{world.ids.secret(6).hex()}"
    session = open_session(
        world, instance, TYPEBOT, bot, jid,
        sessionId=name, pushName=push_name, parameters=parameters,
    )  # fmt: skip
    if session is not None:
        announce(world, instance, jid, "opened", session)
        touch(world, session, awaitUser=True)


def _number(world: World) -> str:
    return str(int.from_bytes(world.ids.secret(4), "big"))


def _start_loose(call: Call) -> None:
    instance = call.world.running(call.instance, "sendDataWebhook")
    body = call.body
    data = defined(
        remoteJid=body["remoteJid"],
        # The address asked, not the one given: an inner variable hides the outer.
        url=f"{body['url']}/api/v1/sendMessage",
        typebot=body["typebot"],
        variables=get(body, "variables"),
        sessionId=_number(call.world),
    )
    call.world.emit(instance, "typebot.start", data)
