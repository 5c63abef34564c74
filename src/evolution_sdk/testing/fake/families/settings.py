"""``/settings/*``."""

from __future__ import annotations

from typing import Any

from evolution_sdk.testing.fake.errors import reading
from evolution_sdk.testing.fake.js import JsonObject, get, iso, truthy
from evolution_sdk.testing.fake.router import Call, Route
from evolution_sdk.testing.fake.schemas import instance as schemas
from evolution_sdk.testing.fake.state import DEFAULT_SETTINGS, EVOLUTION, Instance
from evolution_sdk.testing.fake.world import World


def save_settings(world: World, instance: Instance, values: JsonObject) -> None:
    """Write the settings row; members not given keep their value.

    Raises:
        ErrorThrown: With a ``wavoipToken`` on an instance without a socket, after saving.
    """
    now = iso(world.now_ms())
    row = instance.setting or {
        "id": world.ids.row(),
        **DEFAULT_SETTINGS,
        "createdAt": now,
        "instanceId": instance.id,
    }
    given = {name: values[name] for name in DEFAULT_SETTINGS if name in values}
    instance.setting = {**row, **given, "updatedAt": now}
    if truthy(get(values, "wavoipToken")) and not instance.has_client:
        raise reading("ws", "null" if instance.integration == EVOLUTION else "undefined")


def _set(call: Call) -> Any:
    instance = call.world.running(call.instance, "setSettings")
    save_settings(call.world, instance, call.body)
    return {"settings": {"instanceName": call.instance, "settings": call.body}}


def _find(call: Call) -> Any:
    instance = call.world.loaded(call.instance)
    if instance is None or instance.setting is None:
        return None
    return {name: instance.setting[name] for name in DEFAULT_SETTINGS}


ROUTES = [
    Route("settings.set_settings", "POST", "/settings/set/{instance}", _set, status=201,
          schema=schemas.SETTINGS),
    Route("settings.find_settings", "GET", "/settings/find/{instance}", _find),
]  # fmt: skip
