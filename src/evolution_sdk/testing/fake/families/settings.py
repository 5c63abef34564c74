"""Routes of ``/settings/*``."""

from __future__ import annotations

from typing import Any

from evolution_sdk.testing.fake import lifecycle
from evolution_sdk.testing.fake.router import Route, RouteCall
from evolution_sdk.testing.fake.schemas import instance as schemas
from evolution_sdk.testing.fake.state import DEFAULT_SETTINGS


def _set(call: RouteCall) -> Any:
    instance = call.server.running(call.instance, "setSettings")
    lifecycle.save_settings(call.server, instance, call.body)
    return {"settings": {"instanceName": call.instance, "settings": call.body}}


def _find(call: RouteCall) -> Any:
    instance = call.server.loaded(call.instance)
    # An instance that is not loaded, or has no row, answers null with 200.
    if instance is None or instance.setting is None:
        return None
    return {name: instance.setting[name] for name in DEFAULT_SETTINGS}


ROUTES = [
    Route("settings.set_settings", _set, status=201, schema=schemas.SETTINGS),
    Route("settings.find_settings", _find),
]
