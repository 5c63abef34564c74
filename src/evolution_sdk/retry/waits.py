"""How long to wait before the next attempt; pure functions of policy and chance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from backoff import expo

from .policy import RetryPolicy

__all__ = ["RETRY_AFTER_LIMIT", "Draw", "obey", "waits_ms"]

Draw = Callable[[], float]
"""A number from 0 (included) to 1 (not included), anew at every call."""

RETRY_AFTER_LIMIT: Final = 10
"""A waiting time named by the server is obeyed up to this many times ``max_delay_ms``."""

_RETRY_AFTER_SPREAD: Final = 0.1

_DECORRELATED_REACH: Final = 3

# backoff.full_jitter draws from the global random module and takes no other source, so that a
# test could neither seed nor script it: its one line is said again here, with the chance given.
_JITTERS: Final[Mapping[str, Callable[[float, float], float]]] = {
    "none": lambda wait, _: wait,
    "full": lambda wait, chance: wait * chance,
    "equal": lambda wait, chance: wait / 2 + wait / 2 * chance,
}


def waits_ms(policy: RetryPolicy, draw: Draw) -> Iterator[float]:
    """Yield the wait after the first failed attempt, after the second, and so on, for ever.

    Args:
        policy: Gives curve, cap and jitter.
        draw: Gives chance.

    Yields:
        Milliseconds, from 0 to ``policy.max_delay_ms``.
    """
    if policy.jitter == "decorrelated":
        yield from _decorrelated(policy, draw)
    jitter = _JITTERS[policy.jitter]
    for wait in _curve(policy):
        yield min(policy.max_delay_ms, max(0.0, jitter(wait, draw())))


def obey(wait_ms: float, retry_after_ms: float | None, policy: RetryPolicy, draw: Draw) -> float:
    """Lengthen a wait to what the server asked for, spread by up to a tenth unless jitter is off.

    Args:
        wait_ms: The wait of the policy's own curve, in milliseconds.
        retry_after_ms: What the server asked for, in milliseconds; None or 0 when it did not.
        policy: Gives the jitter and the bound.
        draw: Gives chance.

    Returns:
        Milliseconds, never less than either of the two. Above ``RETRY_AFTER_LIMIT`` times
        ``policy.max_delay_ms`` the caller should give up: more than that was asked for.
    """
    if not retry_after_ms or retry_after_ms < 0:
        return wait_ms
    bound = max(retry_after_ms, policy.max_delay_ms * RETRY_AFTER_LIMIT)
    spread = 0.0 if policy.jitter == "none" else retry_after_ms * _RETRY_AFTER_SPREAD * draw()
    return max(wait_ms, min(bound, retry_after_ms + spread))


def _decorrelated(policy: RetryPolicy, draw: Draw) -> Iterator[float]:
    """Each wait is drawn from the first one to three times the one before, for ever."""
    wait = least = min(policy.delay_ms, policy.max_delay_ms)
    while True:
        wait = min(policy.max_delay_ms, least + (wait * _DECORRELATED_REACH - least) * draw())
        yield wait


def _curve(policy: RetryPolicy) -> Iterator[float]:
    curve = expo(base=policy.backoff_factor, factor=policy.delay_ms, max_value=policy.max_delay_ms)
    next(curve)  # backoff's generators begin with an empty step
    try:
        yield from curve
    except OverflowError:  # it computes factor^n before it looks at the cap
        beyond = policy.max_delay_ms if policy.delay_ms else 0.0
        while True:
            yield beyond
