"""RetryPolicy: how often, how long apart, and for how long in all."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Final, TypedDict, Unpack, get_args

from evolution_sdk._common.rules import shown_value
from evolution_sdk.config import Jitter
from evolution_sdk.errors import ConfigurationError

_MOST: Final = 1e12
"""Beyond any count and any duration in milliseconds (30 years), within what sleeping can take."""

__all__ = ["Jitter", "PolicyChanges", "RetryPolicy", "check_number"]


class PolicyChanges(TypedDict, total=False):
    """What :meth:`RetryPolicy.with_` can change: the fields of the policy."""

    max_attempts: int
    delay_ms: float
    backoff_factor: float
    max_delay_ms: float
    jitter: Jitter
    max_elapsed_ms: float | None
    attempt_timeout_ms: float | None


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a call is tried and how long it waits in between.

    The wait after failed attempt *n* is ``delay_ms * backoff_factor ** (n - 1)``, at most
    ``max_delay_ms``, then spread by ``jitter``. A server that names its own waiting time is
    obeyed up to ten times ``max_delay_ms``; if it wants more, the call gives up.

    Attributes:
        max_attempts: Most attempts in all, the first one included; 1 means no retry.
        delay_ms: Wait after the first failed attempt, in milliseconds.
        backoff_factor: What each further wait is multiplied with; at least 1.
        max_delay_ms: Cap of a single wait, in milliseconds; applied last, after the jitter.
        jitter: ``equal`` (default) draws from half the wait to all of it, so that it is never
            shorter than half of what was asked for. ``full`` draws from 0 to the wait: for fleets,
            whose many clients failed together and should not come back together. ``none`` keeps
            it. ``decorrelated`` leaves the curve: it draws from ``delay_ms`` to three times the
            wait before, so that ``backoff_factor`` has no effect.
        max_elapsed_ms: No wait is begun that would end later than this after the call began, in
            milliseconds; None means no limit. It does not cut an attempt short.
        attempt_timeout_ms: Longest time of one attempt, in milliseconds; None means no limit of
            its own. An async function is cancelled and fails with ``TimeoutError``. A call of the
            client waits no longer than this for its answer, beyond what the server holds it on
            purpose (``delay_ms``, uploads). A blocking function cannot be cut short: the service
            refuses the combination.

    Raises:
        ConfigurationError: A value is out of range; ``variable`` names the field.
    """

    max_attempts: int = 3
    delay_ms: float = 1_000
    backoff_factor: float = 2.0
    max_delay_ms: float = 30_000
    jitter: Jitter = "equal"
    max_elapsed_ms: float | None = None
    attempt_timeout_ms: float | None = None

    def __post_init__(self) -> None:
        check_number("max_attempts", self.max_attempts, 1, whole=True)
        check_number("delay_ms", self.delay_ms, 0)
        check_number("backoff_factor", self.backoff_factor, 1)
        check_number("max_delay_ms", self.max_delay_ms, 0)
        if self.max_elapsed_ms is not None:
            check_number("max_elapsed_ms", self.max_elapsed_ms, 0)
        if self.attempt_timeout_ms is not None:
            check_number("attempt_timeout_ms", self.attempt_timeout_ms, 1)
        if not isinstance(self.jitter, str) or self.jitter not in get_args(Jitter):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise _refused("jitter", self.jitter, f"one of {', '.join(get_args(Jitter))}")

    def with_(self, **changes: Unpack[PolicyChanges]) -> RetryPolicy:
        """Return a copy with some fields changed.

        Args:
            **changes: New values by field name.

        Raises:
            ConfigurationError: A name is not a field of the policy, or a value is out of range.
        """
        known = [field.name for field in fields(self)]
        for name in changes:
            if name not in known:
                raise ConfigurationError(
                    f"A retry policy has no {name!r}; it has {', '.join(known)}.", variable=name
                )
        return replace(self, **changes)


def check_number(name: str, value: object, least: float, *, whole: bool = False) -> None:
    """Refuse what is not a finite number of at least ``least``.

    Raises:
        ConfigurationError: It is not; ``variable`` is the name.
    """
    good = (
        isinstance(value, int if whole else int | float)
        and not isinstance(value, bool)
        and least <= value <= _MOST
    )
    if not good:
        raise _refused(
            name, value, f"a {'whole' if whole else 'finite'} number of at least {least}"
        )


def _refused(name: str, value: object, wanted: str) -> ConfigurationError:
    return ConfigurationError(f"{name} must be {wanted}, not {shown_value(value)}.", variable=name)
