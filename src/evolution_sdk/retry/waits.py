"""Waits between attempts: pure functions of policy and chance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, Protocol

from .curve import exponential
from .policy import RetryPolicy

__all__ = ["RETRY_AFTER_LIMIT", "Draw", "RandomSource", "honor_retry_after", "waits_ms"]

Draw = Callable[[], float]
"""Returns a random number from 0 (included) to 1 (not included)."""


class RandomSource(Protocol):
    """Anything with the ``random()`` of :class:`random.Random`."""

    def random(self) -> float:
        """Return a number from 0 (included) to 1 (not included)."""
        ...


RETRY_AFTER_LIMIT: Final = 10
"""The server's ``Retry-After`` is honored up to this many times ``max_delay_ms``."""

# Many clients that were refused together are told the same time: the spread keeps them from
# coming back together.
_RETRY_AFTER_SPREAD: Final = 0.1

_DECORRELATED_REACH: Final = 3  # as in AWS's article on backoff and jitter

# backoff.full_jitter draws from the global random module, so a test could not seed it. Its one
# line is repeated here with the random number as an argument.
_JITTERS: Final[Mapping[str, Callable[[float, float], float]]] = {
    "none": lambda wait, _: wait,
    "full": lambda wait, chance: wait * chance,
    "equal": lambda wait, chance: wait / 2 + wait / 2 * chance,
}


def waits_ms(policy: RetryPolicy, draw: Draw) -> Iterator[float]:
    """Yield the wait after the first failed attempt, after the second, and so on, without end.

    Args:
        policy: Gives curve, cap and jitter.
        draw: Source of random numbers.

    Yields:
        Milliseconds, from 0 to ``policy.max_delay_ms``.
    """
    if policy.jitter == "decorrelated":
        yield from _decorrelated(policy, draw)
    jitter = _JITTERS[policy.jitter]
    for wait in exponential(policy.delay_ms, policy.backoff_factor, policy.max_delay_ms):
        yield min(policy.max_delay_ms, max(0.0, jitter(wait, draw())))


def honor_retry_after(
    wait_ms: float, retry_after_ms: float | None, policy: RetryPolicy, draw: Draw
) -> float:
    """Lengthen a wait to what the server asked for, plus up to a tenth unless jitter is off.

    Args:
        wait_ms: Wait from the policy's own curve, in milliseconds.
        retry_after_ms: Time the server asked for, in milliseconds; None or 0 when it did not.
        policy: Gives the jitter and the bound.
        draw: Source of random numbers.

    Returns:
        Milliseconds, never less than either of the two. Above ``RETRY_AFTER_LIMIT`` times
        ``policy.max_delay_ms`` the caller should give up.
    """
    if not retry_after_ms or retry_after_ms < 0:
        return wait_ms
    # The spread must not push a time within the bound beyond it.
    bound = max(retry_after_ms, policy.max_delay_ms * RETRY_AFTER_LIMIT)
    spread = 0.0 if policy.jitter == "none" else retry_after_ms * _RETRY_AFTER_SPREAD * draw()
    return max(wait_ms, min(bound, retry_after_ms + spread))


def _decorrelated(policy: RetryPolicy, draw: Draw) -> Iterator[float]:
    """Draw each wait between the first one and three times the one before."""
    wait = least = min(policy.delay_ms, policy.max_delay_ms)
    while True:
        wait = min(policy.max_delay_ms, least + (wait * _DECORRELATED_REACH - least) * draw())
        yield wait
