"""Flags that hold for the current context: this task or thread, and what it begins."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

__all__ = ["BYPASS_GUARDS", "QUIET_RETRY_LOG", "SKIP_RETRY_WAITS"]

BYPASS_GUARDS: Final[ContextVar[bool]] = ContextVar("evolution_sdk_bypass_guards", default=False)
"""True while calls go past breaker, limiter and bulkhead: the monitor finds out how the server
is, whatever the breaker believes."""

QUIET_RETRY_LOG: Final[ContextVar[bool]] = ContextVar(
    "evolution_sdk_quiet_retry_log", default=False
)
"""True while the retry service logs failures at DEBUG, because the caller reports them itself."""

SKIP_RETRY_WAITS: Final[ContextVar[bool]] = ContextVar(
    "evolution_sdk_skip_retry_waits", default=False
)
"""True while nothing waits between attempts; see ``evolution_sdk.testing.no_retry_delays``."""
