"""EvolutionRetryService, usable alone: tries again only what may help and cannot harm."""

from .budget import RetryBudget
from .decision import Absent, Found, Unsettled
from .events import FailureEvent, RetryEvent, SuccessEvent
from .metrics import RetryMetrics
from .policy import Jitter, RetryPolicy
from .safety import OnUnknown, RetryOn, StopReason
from .service import EvolutionRetryService

__all__ = [
    "Absent",
    "EvolutionRetryService",
    "FailureEvent",
    "Found",
    "Jitter",
    "OnUnknown",
    "RetryBudget",
    "RetryEvent",
    "RetryMetrics",
    "RetryOn",
    "RetryPolicy",
    "StopReason",
    "SuccessEvent",
    "Unsettled",
]
