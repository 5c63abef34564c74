"""Judges measurements: states of health, with reasons in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from evolution_sdk.config._monitoring import Thresholds

from .ack_tracker import NO_SENDS, AckShare
from .probe import InstanceReading, ServerReading
from .refusals import NO_REFUSALS, RefusalCount
from .sample import HealthStatus, worst
from .window import WindowTotals

__all__ = [
    "HealthFinding",
    "HealthVerdict",
    "InstanceFacts",
    "ServerFacts",
    "judge_instance",
    "judge_instances",
    "judge_server",
]


@dataclass(frozen=True, slots=True)
class HealthFinding:
    """One thing that is not as it should be.

    Attributes:
        status: The state of health it stands for.
        words: The finding in words.
        hard: Whether it is a fact, which counts at once, and not a measurement.
    """

    status: HealthStatus
    words: str
    hard: bool = False


@dataclass(frozen=True, slots=True)
class HealthVerdict:
    """Sum of the findings of a check.

    Attributes:
        status: The worst of them.
        reasons: Their words, the worst first.
        hard: Whether a fact makes it as bad as it is.
    """

    status: HealthStatus
    reasons: tuple[str, ...] = ()
    hard: bool = False

    @classmethod
    def of(cls, findings: Iterable[HealthFinding]) -> HealthVerdict:
        """Sum up findings; none means healthy."""
        found = list(findings)
        if not found:
            return _WELL
        statuses: list[HealthStatus] = [finding.status for finding in found]
        status = worst(*statuses)
        # Stable: findings of equal weight keep their order.
        ordered = sorted(found, key=lambda f: f.status != status)
        hard = any(finding.hard for finding in found if finding.status == status)
        return cls(status, tuple(finding.words for finding in ordered), hard)


_WELL: Final = HealthVerdict("healthy")


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """Facts about the server and the calls to it.

    Attributes:
        reading: Its answer.
        calls: Requests in the window.
        retried: Retried calls in the window.
        retry_success_rate: Share of them that succeeded in the end.
        breakers: State of each circuit breaker, by scope.
        causes: Reason why each of them opened, in words, by scope.
    """

    reading: ServerReading
    calls: WindowTotals
    retried: int = 0
    retry_success_rate: float | None = None
    breakers: Mapping[str, str] = field(default_factory=dict[str, str])
    causes: Mapping[str, str] = field(default_factory=dict[str, str])


# Not frozen: that makes thousands of them at each check take twice as long.
@dataclass(slots=True)
class InstanceFacts:
    """Facts about an instance.

    Attributes:
        reading: Its state as the server tells it; None when it does not.
        connecting_ms: Time for which it has been connecting, in milliseconds.
        not_connected_calls: Calls in a row that ended in "Connection Closed".
        acks: Acknowledgements of its sends.
        missing_events: Events that should have come since the last one, when that many mean
            something.
        event_age_s: Age of the last one, in seconds.
        refusals: Messages that WhatsApp refused lately.
    """

    reading: InstanceReading | None
    connecting_ms: float = 0.0
    not_connected_calls: int = 0
    acks: AckShare = NO_SENDS
    missing_events: float | None = None
    event_age_s: float | None = None
    refusals: RefusalCount = NO_REFUSALS


def judge_server(facts: ServerFacts, limits: Thresholds) -> list[HealthFinding]:
    """Judge the server and the calls to it."""
    # Without an answer, everything else is old.
    if not facts.reading.reachable:
        words = f"the server does not answer ({facts.reading.failure})"
        # Where a proxy gave an error in its place, the next question may get through.
        return [HealthFinding("unhealthy", words, hard=not facts.reading.by_proxy)]
    # It answers and refuses everything: no number of calls matters.
    if facts.reading.activate_at is not None:
        page = facts.reading.activate_at
        words = f"the server has no active licence and refuses every call: activate it at {page}"
        return [HealthFinding("unhealthy", words, hard=True)]
    found: list[HealthFinding] = []
    if facts.reading.by_calls:
        words = f"calls are answered, but not the monitor's questions ({facts.reading.failure})"
        found.append(HealthFinding("degraded", words))
    if (ms := facts.calls.average_ms) is not None:
        words = f"responses take {ms:.0f} ms on average"
        slow = facts.calls.slower_than(limits.degraded_response_ms)
        # A single slow call among a few moves the mean, and says little.
        if slow >= min(limits.min_slow, (facts.calls.timed + 1) // 2):
            found += _above(
                ms, limits.degraded_response_ms, limits.unhealthy_response_ms, words, equal=False
            )
    found += _judge_slow(facts.calls, limits)
    # Neither one failure of two requests nor three of a thousand is a rate to judge.
    errors, requests = facts.calls.errors, facts.calls.requests
    if requests >= limits.min_requests and errors >= limits.min_errors:
        words = f"{errors} of {requests} requests failed"
        found += _above(
            errors / requests,
            limits.degraded_error_rate,
            limits.unhealthy_error_rate,
            words,
            equal=False,
        )
    rate = facts.retry_success_rate
    if rate is not None and facts.retried >= limits.min_retried:
        words = f"{rate:.0%} of {facts.retried} retried calls succeeded"
        if rate < limits.unhealthy_retry_success_rate:
            found.append(HealthFinding("unhealthy", words))
        elif rate < limits.degraded_retry_success_rate:
            found.append(HealthFinding("degraded", words))
    # An open breaker has already decided that calls fail.
    for scope, state in facts.breakers.items():
        if state == "open":
            cause = facts.causes.get(scope)
            after = f" after {cause}" if cause else ""
            words = f"the circuit breaker of {scope} is open{after}"
            found.append(HealthFinding("degraded", words, hard=True))
    return found


def judge_instances(verdicts: Mapping[str, HealthVerdict]) -> list[HealthFinding]:
    """Judge the whole by its instances: one of several that is down is not everything down.

    Args:
        verdicts: The verdict of each instance.

    Returns:
        A finding for each instance that is not healthy.
    """
    statuses = {verdict.status for verdict in verdicts.values()}
    found: list[HealthFinding] = []
    for name, verdict in verdicts.items():
        if verdict.status == "healthy":
            continue
        # Only where all are in the same state is the whole in it, too.
        status: HealthStatus = verdict.status if len(statuses) == 1 else "degraded"
        words = f"instance {name}: {'; '.join(verdict.reasons)}"
        found.append(HealthFinding(status, words, verdict.hard))
    return found


def _judge_slow(calls: WindowTotals, limits: Thresholds) -> list[HealthFinding]:
    """Judge stalls: a mean hides a few very slow responses among many quick ones."""
    p95 = calls.percentile_ms(0.95)
    if p95 is None or calls.slower_than(limits.degraded_p95_ms) < limits.min_slow:
        return []
    words = f"5 % of responses take {p95:.0f} ms or longer"
    # Unhealthy needs as many slow ones beyond its own limit.
    enough = calls.slower_than(limits.unhealthy_p95_ms) >= limits.min_slow
    worse = limits.unhealthy_p95_ms if enough else float("inf")
    return _above(p95, limits.degraded_p95_ms, worse, words, equal=False)


def _above(
    value: float, degraded: float, unhealthy: float, words: str, *, equal: bool = True
) -> list[HealthFinding]:
    if value > unhealthy:
        return [HealthFinding("unhealthy", words)]
    if value > degraded or (equal and value == degraded):
        return [HealthFinding("degraded", words)]
    return []


def judge_instance(facts: InstanceFacts, limits: Thresholds) -> list[HealthFinding]:
    """Judge one instance."""
    reading = facts.reading
    if reading is None:
        return [HealthFinding("unknown", "its state is not known: the server does not tell it")]
    # The state first: its words come first among the reasons of equal weight.
    found = _judge_state(reading, facts, limits)
    acks = facts.acks
    enough = acks.judged >= limits.min_sends and acks.unacked >= limits.min_unacked
    if acks.share is not None and enough:
        words = (
            f"{acks.unacked} of {acks.judged} sends got no SERVER_ACK "
            f"within {limits.ack_after_ms / 1_000:.0f} s"
        )
        found += _above(
            acks.share, limits.degraded_unacked_share, limits.unhealthy_unacked_share, words
        )
    if facts.refusals.messages >= limits.degraded_refusals:
        refusal = facts.refusals.refusal
        why = "" if refusal is None else f" ({refusal.meaning}). {refusal.advice}"
        minutes = limits.ack_window_ms / 60_000
        words = f"WhatsApp refused {facts.refusals.messages} messages within {minutes:.0f} minutes"
        found.append(HealthFinding("degraded", words + why.rstrip(".")))
    if facts.missing_events is not None and facts.event_age_s is not None:
        words = (
            f"no event for {facts.event_age_s / 60:.0f} minutes, where about "
            f"{facts.missing_events:.0f} are usual"
        )
        found.append(HealthFinding("degraded", words))
    return found


def _judge_state(
    reading: InstanceReading, facts: InstanceFacts, limits: Thresholds
) -> list[HealthFinding]:
    # A problem with asking comes before the state, which was not told then.
    match reading.problem:
        case "missing":
            return [HealthFinding("unhealthy", "it does not exist on the server", hard=True)]
        case "unauthorized":
            return [HealthFinding("unhealthy", "the server refuses the API key for it", hard=True)]
        case "unanswered":
            return [HealthFinding("unknown", "the server did not tell its state")]
        case None:
            pass
    match reading.state:
        case None:
            return [HealthFinding("unknown", "the server has not loaded it: no state is told")]
        case "open":
            pass
        case "close":
            return [
                HealthFinding("unhealthy", "it is closed: WhatsApp is not connected", hard=True)
            ]
        # Connecting takes seconds; after a minute it has failed.
        case "connecting" if facts.connecting_ms > limits.connecting_ms:
            words = f"it has been connecting for {facts.connecting_ms / 1_000:.0f} s"
            return [HealthFinding("unhealthy", words, hard=True)]
        case "connecting":
            return [HealthFinding("degraded", "it is connecting")]
        case other:
            return [HealthFinding("unknown", f"its state {other!r} is not known")]
    # "open" is the server's belief; the socket knows better.
    if reading.dead:
        words = "it says open, but its socket is dead (the deep probe: Connection Closed)"
        return [HealthFinding("unhealthy", words, hard=True)]
    if facts.not_connected_calls >= limits.not_connected_calls:
        words = (
            f"it says open, but its last {facts.not_connected_calls} calls "
            "ended in Connection Closed"
        )
        return [HealthFinding("unhealthy", words, hard=True)]
    return []
