"""Behaviour settings."""

from __future__ import annotations

from evolution_sdk._core.effect import Effect
from evolution_sdk._core.operation import Operation
from evolution_sdk.models.readers import optional
from evolution_sdk.models.settings import Settings, SettingsAck

SET_SETTINGS = Operation(
    name="settings.set_settings",
    method="POST",
    path="/settings/set/{instance}",
    effect=Effect.IDEMPOTENT,
    read=SettingsAck.from_wire,
)
FIND_SETTINGS = Operation(
    name="settings.find_settings",
    method="GET",
    path="/settings/find/{instance}",
    effect=Effect.READ,
    read=optional(Settings),
)
