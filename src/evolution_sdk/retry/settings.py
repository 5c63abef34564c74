"""From the settings ``EVOLUTION_RETRY_…`` to a policy and a budget."""

from __future__ import annotations

from typing import Final

from evolution_sdk.config import RetryConfig

from .budget import RetryBudget
from .policy import RetryPolicy

__all__ = ["budget_of", "chosen_budget", "policy_of"]

_BUDGET: Final = {"budget_enabled", "budget_capacity", "budget_earned"}


def policy_of(settings: RetryConfig) -> RetryPolicy:
    """Make the policy."""
    return RetryPolicy(
        settings.max_attempts,
        settings.delay_ms,
        settings.backoff_factor,
        settings.max_delay_ms,
        settings.jitter,
        settings.max_elapsed_ms,
        settings.attempt_timeout_ms,
    )


def budget_of(settings: RetryConfig) -> RetryBudget | None:
    """Make the budget of a client; None when it is switched off."""
    if not settings.budget_enabled:
        return None
    return RetryBudget(settings.budget_capacity, settings.budget_earned)


def chosen_budget(settings: RetryConfig) -> RetryBudget | None:
    """Make the budget of a service that stands alone: only where a setting speaks of one."""
    return budget_of(settings) if settings.model_fields_set & _BUDGET else None
