"""Behaviour settings."""

from __future__ import annotations

from evolution_sdk._base.effect import Effect
from evolution_sdk.models.readers import optional
from evolution_sdk.models.settings import Settings, SettingsAck

from ._declare import Family

_settings = Family("settings", session=False)

SET_SETTINGS = _settings("set_settings", "POST", "set", Effect.IDEMPOTENT, SettingsAck.from_wire)
FIND_SETTINGS = _settings("find_settings", "GET", "find", Effect.READ, optional(Settings))
