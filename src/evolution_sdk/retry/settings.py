"""Policy and budget from the settings ``EVOLUTION_RETRY_…``."""

from __future__ import annotations

from typing import Final

from evolution_sdk.config import RetryConfig
from evolution_sdk.config._retry import BUDGET_CAPACITY, BUDGET_EARNED, POLICY_OPTIONS

from .budget import RetryBudget
from .policy import RetryPolicy

__all__ = ["budget_of", "chosen_budget", "policy_of"]

_BUDGET: Final = {"budget_enabled", BUDGET_CAPACITY.option, BUDGET_EARNED.option}


def policy_of(settings: RetryConfig) -> RetryPolicy:
    """Make the policy."""
    # The options are declared in the order of the policy's arguments.
    return RetryPolicy(*(getattr(settings, option.option) for option in POLICY_OPTIONS))


def budget_of(settings: RetryConfig) -> RetryBudget | None:
    """Make the budget of a client; None when it is switched off."""
    if not settings.budget_enabled:
        return None
    return RetryBudget(settings.budget_capacity, settings.budget_earned)


def chosen_budget(settings: RetryConfig) -> RetryBudget | None:
    """Make the budget of a service that stands alone; None unless a setting speaks of one."""
    # Functions of the user's own get no bound unless one was asked for; a client always has one.
    return budget_of(settings) if settings.model_fields_set & _BUDGET else None
