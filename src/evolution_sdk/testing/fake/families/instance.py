"""Routes of ``/instance/*``: creating, connecting and removing instances."""

from __future__ import annotations

from typing import Any

from evolution_sdk.testing.fake import lifecycle
from evolution_sdk.testing.fake.channels import on_channel
from evolution_sdk.testing.fake.errors import Thrown, bad_request, not_found, unauthorized
from evolution_sdk.testing.fake.js import JsonObject, get, truthy
from evolution_sdk.testing.fake.router import Route, RouteCall
from evolution_sdk.testing.fake.schemas import instance as schemas
from evolution_sdk.testing.fake.state import BAILEYS, Instance

from .create import create_instance

_CONNECT_MS = 2_000


def _connection_state(call: RouteCall) -> Any:
    instance = call.server.loaded(call.instance)
    return {"instance": _state(call.instance, instance)}


def _state(name: str, instance: Instance | None) -> JsonObject:
    """Show the state; it is absent while only the row of a deleted instance is left."""
    if instance is None:
        return {"instanceName": name}
    return {"instanceName": name, "state": instance.state}


def _connect(call: RouteCall) -> Any:
    instance = call.server.loaded(call.instance)
    if instance is None:
        return _failure()
    if instance.state == "open":
        return _connection_state(call)
    if instance.state == "close":
        number = get(call.query, "number")
        lifecycle.connect(call.server, instance, number if isinstance(number, str) else None)
        # The server sleeps in the hope that a code comes meanwhile; often it has none yet.
        call.hold_ms = _CONNECT_MS
    # A code that is shown already stays until it is scanned or changes by itself.
    elif instance.qr is not None and instance.qr.code is None:
        lifecycle.refresh_qr(call.server, instance)
    return _qr(instance)


def _qr(instance: Instance) -> JsonObject:
    return {} if instance.qr is None else instance.qr.answer()


def _failure() -> JsonObject:
    """Answer 200 with an error: the caught exception is an object without a text of its own."""
    return {"error": True, "message": "[object Object]"}


def _restart(call: RouteCall) -> Any:
    instance = call.server.loaded(call.instance)
    # The exception of a closed instance ends in the same catch block (shape E).
    if instance is None or instance.state == "close":
        return _failure()
    if instance.integration != BAILEYS:
        return _connection_state(call)
    lifecycle.lose_connection(call.server, instance)
    answer = _qr(instance) if instance.qr else {"count": 0}
    if instance.logged_in:
        lifecycle.open_session(call.server, instance)
    return answer


def _fetch(call: RouteCall) -> Any:
    server = call.server
    name, row_id = get(call.query, "instanceName"), get(call.query, "instanceId")
    number = get(call.query, "number")
    key = call.headers.get("apikey")
    # An instance's own key sees that instance only, and filters never fail on it.
    if key != server.options.api_key:
        own = [
            row
            for row in server.rows()
            if row.token == key
            and (not truthy(name) or row.name == name)
            and (not truthy(row_id) or row.id == row_id)
        ]
        if not own:
            raise unauthorized()
        return [row.row(server.profile) for row in own]
    if truthy(row_id) or truthy(number):
        return [_find(call, row_id, number).row(server.profile)]
    # By name the server looks in its memory, by id and number in the database.
    if not truthy(name):
        return [row.row(server.profile) for row in server.rows()]
    found = server.loaded(str(name))
    if found is None:
        raise not_found(f'Instance "{name}" not found')
    return [found.row(server.profile)]


def _find(call: RouteCall, row_id: Any, number: Any) -> Instance:
    for row in call.server.rows():
        if row.id == row_id if truthy(row_id) else row.number == number:
            return row
    raise not_found(f'Instance "{row_id if truthy(row_id) else number}" not found')


def _logout(call: RouteCall) -> Any:
    instance = call.server.loaded(call.instance)
    # A row without a loaded instance is logged out of nothing, and answers success.
    out = instance is None or lifecycle.logout(call.server, instance)
    words = "Instance logged out" if out else "Instance was already disconnected"
    return {"status": "SUCCESS", "error": False, "response": {"message": words}}


def _delete(call: RouteCall) -> Any:
    instance = call.server.loaded(call.instance)
    try:
        if instance is not None:
            lifecycle.remove(call.server, instance)
    except Thrown as thrown:
        # Stringified, so that a failed logout is [object Object].
        raise bad_request(thrown.text) from None
    return {"status": "SUCCESS", "error": False, "response": {"message": "Instance deleted"}}


ROUTES = [
    Route(
        "instance.create_instance",
        create_instance,
        status=201,
        schema=schemas.CREATE,
        merge_query=False,
    ),
    Route("instance.restart_instance", _restart),
    Route("instance.connect_instance", _connect),
    Route("instance.connection_state", _connection_state),
    Route("instance.fetch_instances", _fetch),
    Route(
        "instance.set_presence", on_channel("setPresence"), status=201, schema=schemas.SET_PRESENCE
    ),
    Route("instance.logout_instance", _logout),
    Route("instance.delete_instance", _delete),
]
