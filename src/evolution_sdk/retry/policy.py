"""RetryPolicy: number of attempts, waits between them, and time limits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypedDict, Unpack

from evolution_sdk.config import Jitter
from evolution_sdk.config._retry import (
    ATTEMPT_TIMEOUT_MS,
    BACKOFF_FACTOR,
    DELAY_MS,
    JITTER,
    MAX_ATTEMPTS,
    MAX_DELAY_MS,
    MAX_ELAPSED_MS,
    POLICY_OPTIONS,
)
from evolution_sdk.errors import ConfigurationError

__all__ = ["Jitter", "PolicyOptions", "RetryPolicy"]


class PolicyOptions(TypedDict, total=False):
    """Fields of :class:`RetryPolicy` as keyword arguments, for type checkers."""

    max_attempts: int
    delay_ms: float
    backoff_factor: float
    max_delay_ms: float
    jitter: Jitter
    max_elapsed_ms: float | None
    attempt_timeout_ms: float | None


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Number of attempts of a call, the waits between them, and its time limits.

    The wait after failed attempt *n* is ``delay_ms * backoff_factor ** (n - 1)``, at most
    ``max_delay_ms``, then spread by ``jitter``. A server that names its own waiting time
    (``Retry-After``) is obeyed up to ten times ``max_delay_ms``; if it wants more, the call gives
    up.

    Attributes:
        max_attempts: Most attempts in all, the first one included; 1 means no retry. Default: 3.
        delay_ms: Wait after the first failed attempt, in milliseconds. Default: 1,000.
        backoff_factor: Factor by which each further wait is longer; at least 1. Default: 2.
        max_delay_ms: Cap of a single wait, in milliseconds, applied last, after the jitter.
            Default: 30,000.
        jitter: ``equal`` (default) draws from half the wait to all of it, so that it is never
            shorter than half of what was asked for. ``full`` draws from 0 to the wait: for fleets,
            whose many clients failed together and should not come back together. ``none`` keeps
            it. ``decorrelated`` leaves the curve: it draws from ``delay_ms`` to three times the
            wait before, so that ``backoff_factor`` has no effect.
        max_elapsed_ms: No wait is begun that would end later than this after the call began, in
            milliseconds. It does not cut an attempt short. Default: None, no limit.
        attempt_timeout_ms: Longest time of one attempt, in milliseconds. An async function is
            cancelled and fails with ``TimeoutError``. A call of the client waits no longer than
            this for its answer, beyond the time for which the server holds it on purpose
            (``delay_ms`` of a message, uploads). A blocking function cannot be cut short: the
            service refuses the combination. Default: None, no limit of its own.

    Raises:
        ConfigurationError: A value is out of range; ``variable`` names the field.
    """

    max_attempts: int = MAX_ATTEMPTS.default
    delay_ms: float = DELAY_MS.default
    backoff_factor: float = BACKOFF_FACTOR.default
    max_delay_ms: float = MAX_DELAY_MS.default
    jitter: Jitter = JITTER.default
    max_elapsed_ms: float | None = MAX_ELAPSED_MS.default
    attempt_timeout_ms: float | None = ATTEMPT_TIMEOUT_MS.default

    def __post_init__(self) -> None:
        for option in POLICY_OPTIONS:
            option.check(getattr(self, option.option))

    def with_(self, **changes: Unpack[PolicyOptions]) -> RetryPolicy:
        """Return a copy with some fields changed.

        Args:
            **changes: New values by field name.

        Returns:
            A new policy.

        Raises:
            ConfigurationError: A name is not a field of the policy, or a value is out of range.
        """
        known = [option.option for option in POLICY_OPTIONS]
        for name in changes:
            if name not in known:
                raise ConfigurationError(
                    f"A retry policy has no {name!r}; it has {', '.join(known)}.", variable=name
                )
        return replace(self, **changes)
