"""A switch for tests, by context: a task or thread that did not ask for it is not affected."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

__all__ = ["WAITS_OFF"]

WAITS_OFF: Final[ContextVar[bool]] = ContextVar("evolution_sdk_waits_off", default=False)
"""Whether the waits between attempts are left out; see ``evolution_sdk.testing``."""
