"""What protects the server and the number: circuit breakers, pacing of sends, a cache.

Decisions only: the client asks them, waits and calls. See ``docs/resilience.md``.
"""

from evolution_sdk._base.public import publish

from .breaker import BreakerSnapshot, BreakerState, CallOutcome, CircuitBreaker
from .breakers import BreakerChange, BreakerListener

__all__ = [
    "BreakerChange",
    "BreakerListener",
    "BreakerSnapshot",
    "BreakerState",
    "CallOutcome",
    "CircuitBreaker",
]

publish(__name__, __all__)
