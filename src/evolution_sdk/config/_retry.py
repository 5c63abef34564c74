"""Options of the retry service, each declared once, and the settings section made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, Generic, Literal, Self, TypeVar, get_args

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from evolution_sdk._common.rules import shown_value
from evolution_sdk.errors import ConfigurationError

from ._base import SWITCH_RULE, Milliseconds, Section, Switch, Variable
from ._variables import read_section

__all__ = [
    "BUDGET_CAPACITY",
    "BUDGET_EARNED",
    "POLICY_OPTIONS",
    "Jitter",
    "RetryConfig",
    "RetryOption",
]

V = TypeVar("V")

Jitter = Literal["none", "full", "equal", "decorrelated"]
"""The random spread of the waits between attempts."""

_MOST: Final = 1e12
"""More than any count or duration in milliseconds (30 years), yet not too much for a sleep."""


@dataclass(frozen=True, slots=True)
class RetryOption(Variable, Generic[V]):
    """One option: its environment variable, its default and its allowed values.

    :class:`RetryConfig` uses it to annotate a field; the policy and the budget of the retry
    service take their defaults and checks from it.

    Attributes:
        option: Name of the option, the same in settings, policy and arguments.
        default: Value when nothing is set.
        at_least: Smallest number allowed; None for an option that is not a number.
        whole: Whether fractions are rejected in code too. The environment accepts no fractions of
            a millisecond either.
        choices: Words to choose from; empty for a number.
        meaning: Its effect, in the words of ``docs/en/retry.md``.
    """

    option: str = field(kw_only=True)
    default: V = field(kw_only=True)
    at_least: float | None = field(default=None, kw_only=True)
    whole: bool = field(default=False, kw_only=True)
    choices: tuple[str, ...] = field(default=(), kw_only=True)
    meaning: str = field(kw_only=True)

    def check(self, value: object, name: str = "") -> None:
        """Reject a value that the option does not allow.

        Args:
            value: Any value; None is allowed where it is the default.
            name: Name used in the error. Default: the option's own.

        Raises:
            ConfigurationError: The value is out of range; ``variable`` is the name.
        """
        if self._allows(value):
            return
        name = name or self.option
        if self.choices:
            wanted = f"one of {', '.join(self.choices)}"
        else:
            wanted = f"a {'whole' if self.whole else 'finite'} number of at least {self.at_least}"
        raise ConfigurationError(
            f"{name} must be {wanted}, not {shown_value(value)}.", variable=name
        )

    def _allows(self, value: object) -> bool:
        if value is None:
            return self.default is None
        if self.at_least is None:  # a choice of words
            return isinstance(value, str) and value in self.choices
        # bool is a subclass of int, but max_attempts=True is a mistake.
        kinds = int if self.whole else int | float
        return (
            isinstance(value, kinds)
            and not isinstance(value, bool)
            and self.at_least <= value <= _MOST
        )

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Let pydantic read the value, then check it against the option's own bounds."""
        read = handler(source)
        # Words become lower case before pydantic compares them; numbers are read from text first.
        if self.choices:
            return core_schema.no_info_before_validator_function(_lower, read)
        return core_schema.no_info_after_validator_function(self._bounded, read)

    def _bounded(self, value: Any) -> Any:
        if not self._allows(value):
            raise ValueError(self.rule)
        return value


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _number(
    option: str,
    default: V,
    at_least: float,
    meaning: str,
    *,
    example: str | None = None,
    whole: bool = False,
    rule: str | None = None,
) -> RetryOption[V]:
    """Declare an option that is a number; its unit is in its name."""
    if rule is None and option.endswith("_ms"):
        rule = f"milliseconds, a whole number of {at_least} or more"
    return RetryOption(
        f"EVOLUTION_RETRY_{option.upper()}",
        rule or f"a {'whole ' if whole else ''}number of {at_least} or more",
        f"{default:g}" if example is None else example,
        option=option,
        default=default,
        at_least=at_least,
        whole=whole,
        meaning=meaning,
    )


MAX_ATTEMPTS: Final = _number(
    "max_attempts",
    3,
    1,
    "attempts in all, the first included; 1 switches retrying off",
    whole=True,
)
DELAY_MS: Final = _number("delay_ms", 1_000, 0, "wait after the first failed attempt")
BACKOFF_FACTOR: Final = _number(
    "backoff_factor", 2.0, 1, "factor by which each further wait is longer; at least 1"
)
MAX_DELAY_MS: Final = _number(
    "max_delay_ms", 30_000, 0, "cap of one wait, applied after the jitter"
)
JITTER: Final[RetryOption[Jitter]] = RetryOption(
    "EVOLUTION_RETRY_JITTER",
    "equal, full, decorrelated or none",
    "equal",
    option="jitter",
    default="equal",
    choices=get_args(Jitter),
    meaning="`equal`: from half of the wait to all of it; `full`: from 0 to the wait; "
    "`decorrelated`: from `delay_ms` to three times the wait before, without the factor; `none`",
)
MAX_ELAPSED_MS: Final[RetryOption[int | None]] = _number(
    "max_elapsed_ms",
    None,
    0,
    "no wait is begun that would end later than this after the call began",
    example="120000",
)
ATTEMPT_TIMEOUT_MS: Final[RetryOption[int | None]] = _number(
    "attempt_timeout_ms", None, 1, "longest time of one attempt", example="20000"
)

POLICY_OPTIONS: Final[tuple[RetryOption[Any], ...]] = (
    MAX_ATTEMPTS,
    DELAY_MS,
    BACKOFF_FACTOR,
    MAX_DELAY_MS,
    JITTER,
    MAX_ELAPSED_MS,
    ATTEMPT_TIMEOUT_MS,
)
"""Options of a policy, in the order of its arguments."""

BUDGET_CAPACITY: Final = _number(
    "budget_capacity",
    500,
    1,
    "most retries in a burst, while no call succeeds",
    rule="a whole number of 1 or more",
)
BUDGET_EARNED: Final = _number("budget_earned", 0.1, 0, "retries that each successful call earns")


class RetryConfig(Section):
    """Settings of the retry service.

    Attributes:
        max_attempts: Attempts in all, including the first.
        delay_ms: Wait before the second attempt, in milliseconds.
        backoff_factor: Factor by which each wait is longer than the one before.
        max_delay_ms: Longest wait, in milliseconds.
        jitter: Spread of the waits: ``equal`` (from half of each to all of it), ``full``,
            ``decorrelated`` or ``none``.
        max_elapsed_ms: Time after the start of a call beyond which no wait may end, in
            milliseconds; None for no limit.
        attempt_timeout_ms: Longest time of one attempt, in milliseconds; None for the limits of
            ``timeout``.
        budget_enabled: Whether the retries of all calls together are limited.
        budget_capacity: Limit of retries in a burst, while no call succeeds.
        budget_earned: Retries that each successful call adds to the budget.
        reconcile_wait_ms: Time spent looking for a message whose answer was lost, beyond its
            ``delay``, in milliseconds; 0 looks once.
    """

    max_attempts: Annotated[int, MAX_ATTEMPTS] = MAX_ATTEMPTS.default
    delay_ms: Annotated[int, DELAY_MS] = DELAY_MS.default
    backoff_factor: Annotated[float, BACKOFF_FACTOR] = BACKOFF_FACTOR.default
    max_delay_ms: Annotated[int, MAX_DELAY_MS] = MAX_DELAY_MS.default
    jitter: Annotated[Jitter, JITTER] = JITTER.default
    max_elapsed_ms: Annotated[int | None, MAX_ELAPSED_MS] = MAX_ELAPSED_MS.default
    attempt_timeout_ms: Annotated[int | None, ATTEMPT_TIMEOUT_MS] = ATTEMPT_TIMEOUT_MS.default
    budget_enabled: Annotated[
        Switch, Variable("EVOLUTION_RETRY_BUDGET_ENABLED", SWITCH_RULE, "true")
    ] = True
    budget_capacity: Annotated[int, BUDGET_CAPACITY] = BUDGET_CAPACITY.default
    budget_earned: Annotated[float, BUDGET_EARNED] = BUDGET_EARNED.default
    # The time for looking up a lost send; not an option of the retry service itself.
    reconcile_wait_ms: Annotated[
        Milliseconds,
        Variable(
            "EVOLUTION_RECONCILE_WAIT_MS", "milliseconds, a whole number of 0 or more", "3000"
        ),
    ] = 3_000

    @classmethod
    def from_env(
        cls, env_file: str | Path | None = ".env", *, environ: Mapping[str, str] | None = None
    ) -> Self:
        """Read this section alone from the environment and a ``.env`` file.

        Args:
            env_file: Path of the file, or None for no file. The default ``.env`` may be absent.
            environ: The process environment, which wins over the file. Default: the real one.

        Returns:
            The section; other settings are not checked.

        Raises:
            ConfigurationError: A value is wrong, or the file cannot be read.
        """
        return cls(**read_section("retry", env_file, environ))
