"""Routes of the event transports, ``/websocket`` to ``/pusher``: set and find."""

from __future__ import annotations

from functools import partial
from typing import Any

from evolution_sdk.testing.fake.errors import ErrorThrown
from evolution_sdk.testing.fake.js import UNDEFINED, JsonObject, get
from evolution_sdk.testing.fake.router import Route, RouteCall
from evolution_sdk.testing.fake.schema import Schema
from evolution_sdk.testing.fake.schemas import integrations as schemas
from evolution_sdk.testing.fake.schemas.instance import CREATE
from evolution_sdk.testing.fake.state import Instance, ServerState
from evolution_sdk.testing.fake.tables import Column, text, upsert

from .webhook import subscribed

_COLUMNS = {"enabled": Column("bool", default=False), "events": Column("json", required=True)}
_PUSHER = {
    "enabled": _COLUMNS["enabled"],
    "appId": text(100, required=True),
    "key": text(100, required=True),
    "secret": text(100, required=True),
    "cluster": text(100, required=True),
    "useTLS": Column("bool", default=False),
    "events": _COLUMNS["events"],
}


def _stores(server: ServerState, name: str) -> bool:
    """Tell if the server stores subscriptions: Pusher's even when Pusher is off."""
    return name == "pusher" or name in server.options.features


def _wanted(server: ServerState, given: JsonObject) -> JsonObject:
    events = subscribed(server, get(given, "enabled"), get(given, "events"))
    return {**given, "events": events}


def _store(server: ServerState, instance: Instance, name: str, wanted: JsonObject) -> JsonObject:
    # All but Pusher share a class, whose code the error quotes.
    columns, table = (_PUSHER, "pusher") if name == "pusher" else (_COLUMNS, "[this.name]")
    call = f"this.prisma.{table}.upsert()".replace(".[", "[")
    return upsert(server, instance, name.capitalize(), columns, wanted, call)


def subscribe(server: ServerState, instance: Instance, name: str, given: JsonObject) -> None:
    """Store the subscription of a create; a transport that is switched off ignores it.

    Args:
        server: The server.
        instance: The new instance.
        name: The transport, such as ``rabbitmq``.
        given: ``events`` and, for Pusher, its credentials.

    Raises:
        Thrown: No list of events, or a value that the database refuses.
    """
    if _stores(server, name):
        _store(server, instance, name, _wanted(server, {**given, "enabled": True}))


def _set(name: str, call: RouteCall) -> Any:
    # Switched off: 201 with an empty body, which looks like a success (shape H).
    if not _stores(call.server, name):
        return UNDEFINED
    if name not in call.body:
        # The server writes the events into the part that is missing.
        message = "Cannot set properties of undefined (setting 'events')"
        raise ErrorThrown(message, name="TypeError")
    # The events are looked at before the instance.
    wanted = _wanted(call.server, call.body[name])
    return _store(call.server, call.server.running(call.instance, "instanceId"), name, wanted)


def _find(name: str, call: RouteCall) -> Any:
    if name not in call.server.options.features:
        return UNDEFINED
    instance = call.server.loaded(call.instance)
    return None if instance is None else instance.relations.get(name.capitalize())


def _routes(name: str, schema: Schema) -> list[Route]:
    return [
        Route(f"{name}.set_{name}", partial(_set, name), status=201, schema=schema),
        Route(f"{name}.find_{name}", partial(_find, name), schema=CREATE),
    ]


ROUTES = [
    route
    for name in ("websocket", "rabbitmq", "nats", "sqs", "kafka")
    for route in _routes(name, schemas.TRANSPORT)
] + _routes("pusher", schemas.PUSHER)
