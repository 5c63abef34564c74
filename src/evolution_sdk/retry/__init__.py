"""EvolutionRetryService: retries that never send twice. Usable alone, with any function."""

from .budget import RetryBudget
from .events import FailureEvent, RetryEvent, SuccessEvent
from .metrics import RetryMetrics
from .policy import Jitter, RetryPolicy
from .safety import OnUnknown, RetryOn, StopReason
from .service import EvolutionRetryService

__all__ = [
    "EvolutionRetryService",
    "FailureEvent",
    "Jitter",
    "OnUnknown",
    "RetryBudget",
    "RetryEvent",
    "RetryMetrics",
    "RetryOn",
    "RetryPolicy",
    "StopReason",
    "SuccessEvent",
]
