"""Routes of ``/proxy/*``."""

from __future__ import annotations

import contextlib
from typing import Any

from evolution_sdk.testing.fake.errors import Thrown, bad_request, not_found
from evolution_sdk.testing.fake.js import JsonObject, get, truthy
from evolution_sdk.testing.fake.router import Route, RouteCall
from evolution_sdk.testing.fake.schemas.account import PROXY
from evolution_sdk.testing.fake.schemas.instance import CREATE
from evolution_sdk.testing.fake.state import Instance, ServerState
from evolution_sdk.testing.fake.tables import Column, text, upsert

_PLACE = ("host", "port", "protocol", "username", "password")
_COLUMNS = {
    "enabled": Column("bool", default=False),
    **{name: text(100, required=True) for name in _PLACE},
}


def need_working_proxy(server: ServerState, host: Any, port: Any) -> None:
    """Test a proxy before it is stored.

    Raises:
        HttpThrown: It does not lead out under another address (400).
    """
    if not server.proxies.works(host, port):
        raise bad_request("Invalid proxy")


def save_proxy(server: ServerState, instance: Instance, values: JsonObject) -> None:
    """Write the proxy row; the server awaits no result, so that a refusal is never reported."""
    with contextlib.suppress(Thrown):
        upsert(server, instance, "Proxy", _COLUMNS, values, "this.prismaRepository.proxy.upsert()")


def _loaded(call: RouteCall) -> Instance:
    instance = call.server.loaded(call.instance)
    if instance is None:
        raise not_found(f'The "{call.instance}" instance does not exist')
    return instance


def _set(call: RouteCall) -> Any:
    instance, data = _loaded(call), call.body
    if not truthy(get(data, "enabled")):
        # Switching off forgets the place, too.
        data.update(dict.fromkeys(_PLACE, ""))
    if truthy(data["host"]):
        need_working_proxy(call.server, data["host"], data["port"])
    save_proxy(call.server, instance, data)
    # The controller spreads query and instance into its answer.
    named = {**call.query, "instanceName": call.instance}
    return {"proxy": {**named, "proxy": data}}


def _find(call: RouteCall) -> Any:
    return _loaded(call).relations.get("Proxy")


ROUTES = [
    Route("proxy.set_proxy", _set, status=201, schema=PROXY),
    Route("proxy.find_proxy", _find, schema=CREATE),
]
