"""Every limit the health is judged by."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from evolution_sdk._common.arguments import checked
from evolution_sdk.errors import ConfigurationError

__all__ = ["LIMITED", "Thresholds"]

_SHARES = (
    "degraded_error_rate",
    "unhealthy_error_rate",
    "degraded_retry_success_rate",
    "unhealthy_retry_success_rate",
    "degraded_unacked_share",
    "unhealthy_unacked_share",
)
_PAIRS = (  # the worse one must lie beyond the better one
    ("degraded_response_ms", "unhealthy_response_ms"),
    ("degraded_p95_ms", "unhealthy_p95_ms"),
    ("degraded_error_rate", "unhealthy_error_rate"),
    ("unhealthy_retry_success_rate", "degraded_retry_success_rate"),
    ("degraded_unacked_share", "unhealthy_unacked_share"),
)

_FIELDS = {
    "degraded_p95_ms": "degraded_p95_response_ms",
    "unhealthy_p95_ms": "unhealthy_p95_response_ms",
}
_P95_TO_MEAN = 3


@checked()
@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """When health counts as degraded or unhealthy, and how sure the monitor must be.

    Attributes:
        degraded_response_ms: Degraded above this mean response time, in milliseconds.
        unhealthy_response_ms: Unhealthy above this mean response time, in milliseconds.
        degraded_p95_response_ms: Degraded above this 95th percentile of response time, in
            milliseconds. None: three times ``degraded_response_ms``.
        unhealthy_p95_response_ms: Unhealthy above this one, in milliseconds. None: three times
            ``unhealthy_response_ms``.
        min_slow: Slow responses in the window before the percentile is judged, and the mean, where
            they are not half of all.
        degraded_error_rate: Degraded above this share of failed requests.
        unhealthy_error_rate: Unhealthy above this share of failed requests.
        min_requests: Requests in the window before an error rate is judged.
        min_errors: Failures in the window before an error rate is judged.
        degraded_retry_success_rate: Degraded when fewer of the retried calls succeed.
        unhealthy_retry_success_rate: Unhealthy when fewer of the retried calls succeed.
        min_retried: Retried calls in the window before their success is judged.
        ack_after_ms: Time in which SERVER_ACK must follow a send, in milliseconds.
        degraded_unacked_share: Degraded from this share of sends without it on.
        unhealthy_unacked_share: Unhealthy above this share of sends without it.
        min_sends: Sends to judge before their share counts.
        min_unacked: Sends without it before their share counts.
        ack_window_ms: How long a judged send counts, in milliseconds.
        silence_events: Degraded when so many events should have come since the last one.
        silence_ms: Shortest silence that is judged, in milliseconds.
        not_connected_calls: Calls in a row that end in "Connection Closed" while the instance says
            open, before its socket counts as dead.
        connecting_ms: Unhealthy when an instance is connecting for longer, in milliseconds.
        worsen_checks: Checks of the last ``worsen_of`` that must be worse before health is.
        worsen_of: See ``worsen_checks``; facts such as a refused connection count at once.
        recover_checks: Good checks in a row before health is better again after a fact.
        recover_measured_checks: The same after a measurement, which wobbles about its limit.
        flap_changes: Changes within ``flap_window_ms`` that count as flapping.
        flap_window_ms: See ``flap_changes``, in milliseconds.
        flap_hold_ms: While flapping, health gets better only after this long without trouble, in
            milliseconds.
        memory_limit_bytes: Memory that this process may use, in bytes, for forecasts; None: what
            the container allows, where that can be known. It changes no state of health.

    Raises:
        ConfigurationError: A value is out of range; ``variable`` names it.
    """

    degraded_response_ms: float = 500
    unhealthy_response_ms: float = 1_000
    degraded_p95_response_ms: float | None = None
    unhealthy_p95_response_ms: float | None = None
    min_slow: int = 5
    degraded_error_rate: float = 0.2
    unhealthy_error_rate: float = 0.5
    min_requests: int = 10
    min_errors: int = 3
    degraded_retry_success_rate: float = 0.8
    unhealthy_retry_success_rate: float = 0.5
    min_retried: int = 5
    ack_after_ms: float = 60_000
    degraded_unacked_share: float = 0.2
    unhealthy_unacked_share: float = 0.5
    min_sends: int = 5
    min_unacked: int = 3
    ack_window_ms: float = 600_000
    silence_events: float = 20
    silence_ms: float = 600_000
    not_connected_calls: int = 3
    connecting_ms: float = 60_000
    worsen_checks: int = 2
    worsen_of: int = 3
    recover_checks: int = 2
    recover_measured_checks: int = 6
    flap_changes: int = 6
    flap_window_ms: float = 600_000
    flap_hold_ms: float = 300_000
    memory_limit_bytes: float | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and not value > 0:
                raise _wrong(field.name, "must be above 0", value)
        for name in _SHARES:
            if getattr(self, name) > 1:
                raise _wrong(name, "must be a share, at most 1", getattr(self, name))
        for lower, upper in _PAIRS:
            if getattr(self, lower) > getattr(self, upper):
                lower, upper = _FIELDS.get(lower, lower), _FIELDS.get(upper, upper)
                raise _wrong(lower, f"must not be above {upper}", getattr(self, lower))
        if self.worsen_checks > self.worsen_of:
            raise _wrong("worsen_checks", "must not be above worsen_of", self.worsen_checks)

    @property
    def degraded_p95_ms(self) -> float:
        """The 95th percentile in force above which health is degraded, in milliseconds."""
        return _or(self.degraded_p95_response_ms, self.degraded_response_ms)

    @property
    def unhealthy_p95_ms(self) -> float:
        """The 95th percentile in force above which health is unhealthy, in milliseconds."""
        return _or(self.unhealthy_p95_response_ms, self.unhealthy_response_ms)

    def by_metric(self) -> dict[str, tuple[tuple[float, str], ...]]:
        """The limits that forecasts are made for, and what it is beyond each, by metric."""
        return {
            "response_time_ms": (
                (self.degraded_response_ms, "degraded"),
                (self.unhealthy_response_ms, "unhealthy"),
            ),
            "p95_response_time_ms": (
                (self.degraded_p95_ms, "degraded"),
                (self.unhealthy_p95_ms, "unhealthy"),
            ),
            "error_rate": (
                (self.degraded_error_rate, "degraded"),
                (self.unhealthy_error_rate, "unhealthy"),
            ),
            "retry_success_rate": (
                (self.degraded_retry_success_rate, "degraded"),
                (self.unhealthy_retry_success_rate, "unhealthy"),
            ),
            "unacked_share": (
                (self.degraded_unacked_share, "degraded"),
                (self.unhealthy_unacked_share, "unhealthy"),
            ),
            "memory_bytes": (
                () if self.memory_limit_bytes is None else ((self.memory_limit_bytes, "full"),)
            ),
        }


def _or(given: float | None, mean: float) -> float:
    return _P95_TO_MEAN * mean if given is None else given


def _wrong(name: str, rule: str, value: object) -> ConfigurationError:
    return ConfigurationError(f"{name} {rule}, not {value!r}.", variable=name)


LIMITED: Final = tuple(Thresholds().by_metric())
"""The metrics that have limits, and so forecasts."""
