"""``/websocket``, ``/rabbitmq``, ``/nats``, ``/sqs``, ``/kafka`` and ``/pusher``: set and find."""

from __future__ import annotations

from functools import partial
from typing import Any

from evolution_sdk.testing.fake.errors import ErrorThrown
from evolution_sdk.testing.fake.js import UNDEFINED, JsonObject, get
from evolution_sdk.testing.fake.router import Call, Route
from evolution_sdk.testing.fake.schema import Schema
from evolution_sdk.testing.fake.schemas import integrations as schemas
from evolution_sdk.testing.fake.schemas.instance import CREATE
from evolution_sdk.testing.fake.state import Instance
from evolution_sdk.testing.fake.tables import Column, text, upsert
from evolution_sdk.testing.fake.world import World

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


def _stores(world: World, name: str) -> bool:
    """Whether the server keeps subscriptions: Pusher's even when Pusher is off."""
    return name == "pusher" or name in world.options.features


def _wanted(given: JsonObject) -> JsonObject:
    events = subscribed(get(given, "enabled"), get(given, "events"))
    return {**given, "events": events}


def _store(world: World, instance: Instance, name: str, wanted: JsonObject) -> JsonObject:
    columns, table = (_PUSHER, "pusher") if name == "pusher" else (_COLUMNS, "[this.name]")
    call = f"this.prisma.{table}.upsert()".replace(".[", "[")
    return upsert(world, instance, name.capitalize(), columns, wanted, call)


def subscribe(world: World, instance: Instance, name: str, given: JsonObject) -> None:
    """Store what a create asks of a transport; one that is switched off ignores it.

    Args:
        world: The server.
        instance: The new instance.
        name: The transport, such as ``rabbitmq``.
        given: ``events`` and, for Pusher, its credentials.

    Raises:
        Thrown: No list of events, or a value that the database refuses.
    """
    if _stores(world, name):
        _store(world, instance, name, _wanted({**given, "enabled": True}))


def _set(name: str, call: Call) -> Any:
    if not _stores(call.world, name):
        return UNDEFINED
    if name not in call.body:
        message = "Cannot set properties of undefined (setting 'events')"
        raise ErrorThrown(message, name="TypeError")
    # The events are looked at before the instance.
    wanted = _wanted(call.body[name])
    return _store(call.world, call.world.running(call.instance, "instanceId"), name, wanted)


def _find(name: str, call: Call) -> Any:
    if name not in call.world.options.features:
        return UNDEFINED
    instance = call.world.loaded(call.instance)
    return None if instance is None else instance.relations.get(name.capitalize())


def _routes(name: str, schema: Schema) -> list[Route]:
    return [
        Route(f"{name}.set_{name}", "POST", f"/{name}/set/{{instance}}", partial(_set, name),
              status=201, schema=schema),
        Route(f"{name}.find_{name}", "GET", f"/{name}/find/{{instance}}", partial(_find, name),
              schema=CREATE),
    ]  # fmt: skip


ROUTES = [
    route
    for name in ("websocket", "rabbitmq", "nats", "sqs", "kafka")
    for route in _routes(name, schemas.TRANSPORT)
] + _routes("pusher", schemas.PUSHER)
