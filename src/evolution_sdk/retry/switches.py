"""Switches by context: a task or thread that did not ask for one is not affected."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

__all__ = ["LOGS_QUIETLY", "WAITS_OFF"]

LOGS_QUIETLY: Final[ContextVar[bool]] = ContextVar("evolution_sdk_logs_quietly", default=False)
"""True while final failures are logged at DEBUG: by a caller that tells of them itself."""

WAITS_OFF: Final[ContextVar[bool]] = ContextVar("evolution_sdk_waits_off", default=False)
"""Whether the waits between attempts are left out; see ``evolution_sdk.testing``."""
