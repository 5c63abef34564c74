"""``/proxy/*``."""

from __future__ import annotations

import contextlib
from typing import Any

from evolution_sdk.testing.fake.errors import Thrown, bad_request, not_found
from evolution_sdk.testing.fake.js import JsonObject, get, truthy
from evolution_sdk.testing.fake.router import Call, Route
from evolution_sdk.testing.fake.schemas.account import PROXY
from evolution_sdk.testing.fake.schemas.instance import CREATE
from evolution_sdk.testing.fake.state import Instance
from evolution_sdk.testing.fake.tables import Column, text, upsert
from evolution_sdk.testing.fake.world import World

_PLACE = ("host", "port", "protocol", "username", "password")
_COLUMNS = {
    "enabled": Column("bool", default=False),
    **{name: text(100, required=True) for name in _PLACE},
}


def need_working_proxy(world: World, host: Any, port: Any) -> None:
    """The test that every proxy has to pass.

    Raises:
        HttpThrown: It does not lead out under another address (400).
    """
    if not world.proxies.works(host, port):
        raise bad_request("Invalid proxy")


def save_proxy(world: World, instance: Instance, values: JsonObject) -> None:
    """Write the proxy row; nobody waits for the result, so that a refusal is never reported."""
    with contextlib.suppress(Thrown):
        upsert(world, instance, "Proxy", _COLUMNS, values, "this.prismaRepository.proxy.upsert()")


def _loaded(call: Call) -> Instance:
    instance = call.world.loaded(call.instance)
    if instance is None:
        raise not_found(f'The "{call.instance}" instance does not exist')
    return instance


def _set(call: Call) -> Any:
    instance, data = _loaded(call), call.body
    if not truthy(get(data, "enabled")):
        data.update(dict.fromkeys(_PLACE, ""))
    if truthy(data["host"]):
        need_working_proxy(call.world, data["host"], data["port"])
    save_proxy(call.world, instance, data)
    named = {**call.query, "instanceName": call.instance}
    return {"proxy": {**named, "proxy": data}}


def _find(call: Call) -> Any:
    return _loaded(call).relations.get("Proxy")


ROUTES = [
    Route("proxy.set_proxy", "POST", "/proxy/set/{instance}", _set, status=201, schema=PROXY),
    Route("proxy.find_proxy", "GET", "/proxy/find/{instance}", _find, schema=CREATE),
]
