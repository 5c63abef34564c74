"""Switches that follow a thread's or task's context; tests turn them."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

__all__ = ["WAITS_OFF"]

# Set by ``evolution_sdk.testing.no_retry_delays``: nobody waits between attempts or looks.
WAITS_OFF: Final[ContextVar[bool]] = ContextVar("evolution_sdk_waits_off", default=False)
