"""Parts that the limiter's shared state needs where it is kept in Redis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from evolution_sdk.errors import ConfigurationError

from .states import Swap

__all__ = ["SWAP", "load_redis", "lost_connections", "swap_arguments"]

SWAP: Final = """
local now, same = {}, true
for i = 1, #KEYS do
  now[i] = redis.call('GET', KEYS[i]) or ''
  same = same and now[i] == ARGV[3 * i - 2]
end
if not same then return now end
for i = 1, #KEYS do
  redis.call('SET', KEYS[i], ARGV[3 * i - 1], 'PX', ARGV[3 * i])
end
return {}
"""
"""Compare-and-swap in Lua: write new values unless an old one has changed meanwhile.

Returns nothing once they are written, else the values as they are now.
"""


def swap_arguments(swaps: Sequence[Swap]) -> list[str]:
    """Make the ARGV of :data:`SWAP`."""
    return [text for swap in swaps for text in (swap.old or "", swap.new, str(swap.kept_ms))]


def lost_connections() -> tuple[type[Exception], ...]:
    """Return the errors that tell that Redis cannot be reached, or does not answer."""
    from redis.exceptions import ConnectionError as Refused
    from redis.exceptions import TimeoutError as TooSlow

    return OSError, Refused, TooSlow


def load_redis(pick: Callable[[], Any]) -> Any:
    """Return the parts of redis-py that ``pick`` imports.

    Raises:
        ConfigurationError: redis-py is not installed.
    """
    try:
        return pick()
    except ImportError:
        raise ConfigurationError(
            "Sharing limits between processes needs redis: pip install 'evolutionapi-sdk[redis]'.",
            variable="evolutionapi-sdk[redis]",
        ) from None
