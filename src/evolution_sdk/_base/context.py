"""A switch by context: calls that must go past breaker, limiter and bulkhead."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

__all__ = ["BYPASS_GUARDS"]

BYPASS_GUARDS: Final[ContextVar[bool]] = ContextVar("evolution_sdk_past_gates", default=False)
"""Whether calls of this context find out how the server is, whatever the breaker says."""
