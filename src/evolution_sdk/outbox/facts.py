"""Facts that the workers of one process tell their observers: one for each send and each look."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from .claims import Claim
from .records import OutboxState
from .settling import Done, Outcome, Postponed

__all__ = ["OutboxFact", "OutboxFactResult"]

OutboxFactResult: TypeAlias = Literal[
    "sent", "failed", "postponed", "held", "lost", "found", "absent", "open", "unknown"
]


@dataclass(frozen=True, slots=True)
class OutboxFact:
    """One send or one look, made by a worker of this process and written down.

    Attributes:
        key: Key of the message.
        instance: The instance.
        operation: Key of the operation, such as ``message.send_text``.
        kind: ``send``, or ``look``: it may have been sent, and was looked for.
        result: Of a send ``sent``, ``failed`` (for good), ``postponed`` (surely not sent, to be
            tried again), ``held`` (no call was made, such as for a limit) or ``lost`` (no answer,
            to be looked for). Of a look ``found``, ``absent`` (it is sent again), ``open`` (to be
            looked for again) or ``unknown`` (left to a person).
        attempts: Calls made for the message so far.
        waited_ms: Time from its hand-over, or its ``not_before``, until it was known to be sent,
            by the store's clock, in milliseconds; None if it is not.
        reason: Words about it, without numbers or content.
    """

    key: str = field(repr=False)
    instance: str
    operation: str
    kind: Literal["send", "look"]
    result: OutboxFactResult
    attempts: int
    waited_ms: int | None = None
    reason: str = ""

    @classmethod
    def of(cls, claim: Claim, outcome: Outcome, at_ms: int) -> OutboxFact:
        """Make the fact of an outcome.

        Args:
            claim: What was to be done.
            outcome: What came of it.
            at_ms: When it was written down, in milliseconds since 1970.
        """
        sent = isinstance(outcome, Done) and outcome.state.was_sent
        return cls(
            claim.key,
            claim.instance,
            claim.operation,
            claim.kind,
            _result(claim, outcome),
            claim.attempts,
            max(0, at_ms - claim.wanted_at) if sent else None,
            outcome.reason,
        )


def _result(claim: Claim, outcome: Outcome) -> OutboxFactResult:
    look = claim.kind == "look"
    if isinstance(outcome, Done):
        if outcome.state.was_sent:
            return "found" if look else "sent"
        return "unknown" if outcome.state is OutboxState.UNKNOWN else "failed"
    if isinstance(outcome, Postponed):
        if look:
            return "absent"
        return "postponed" if outcome.called else "held"
    return "open" if look else "lost"
