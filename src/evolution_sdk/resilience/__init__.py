"""Protection of the server and of the WhatsApp number: circuit breakers, pacing of sends, a cache.

This package only decides; the client asks it, waits and makes the calls. See
``docs/en/resilience.md``.
"""

from evolution_sdk._base.public import publish

from .breaker import BreakerSnapshot, BreakerState
from .breakers import BreakerChange, BreakerListener

__all__ = [
    "BreakerChange",
    "BreakerListener",
    "BreakerSnapshot",
    "BreakerState",
]

publish(__name__, __all__)
