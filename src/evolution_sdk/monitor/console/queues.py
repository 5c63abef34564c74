"""The sections of outbox and receiver, as plain data. Pure: it reads, and changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from evolution_sdk.monitor.sample import Sample
from evolution_sdk.monitor.words import words_of

from .figures import OutboxFigures, ReceiverFigures

if TYPE_CHECKING:
    from evolution_sdk.outbox import OutboxMessage, OutboxPause
    from evolution_sdk.webhooks import DeadLetter

__all__ = ["outbox_shown", "receiver_shown", "until"]


def outbox_shown(figures: OutboxFigures, sample: Sample | None) -> dict[str, Any]:
    """Show the outbox.

    Args:
        figures: Its figures.
        sample: The measurements of the last check, where the monitor watches it, too.
    """
    stats = figures.stats
    counts: Counter[str] = Counter()
    pauses: Sequence[OutboxPause] = ()
    oldest_ms = 0
    if stats is not None:
        for (_, state), many in stats.counts.items():
            counts[state] += many
        pauses = stats.pauses
        oldest_ms = max(stats.oldest_ms.values(), default=0)
    return {
        "readable": figures.error is None,
        "error": figures.error,
        "depth": counts["queued"] + counts["sending"],
        "counts": dict(counts),
        "oldest_s": round(oldest_ms / 1_000, 1),
        "sent_per_second": None if sample is None else sample.outbox_sent_per_second,
        "p95_wait_ms": None if sample is None else sample.outbox_wait_ms,
        "pauses": [
            {
                "instance": pause.instance,
                "reason": words_of(pause.reason),
                "cause": pause.cause,
                "until_at": until(pause, figures.at),
            }
            for pause in pauses
        ],
        "rows": [_row(message) for message in figures.rows],
    }


def until(pause: OutboxPause, read_at: float | None) -> float | None:
    """Return the unix time at which a pause ends by itself; None where a person ends it."""
    if pause.left_ms is None or read_at is None:
        return None
    return round(read_at + pause.left_ms / 1_000)


def _row(message: OutboxMessage) -> dict[str, Any]:
    error = message.error
    return {
        "id": message.id,
        "key": message.key,
        "instance": message.instance,
        "operation": message.operation,
        "state": str(message.state.value),
        "created_at": _seconds(message.created_at),
        "attempts": message.attempts,
        "reason": words_of(message.reason or (error.text if error is not None else "")),
        "error": None if error is None else error.error,
        "code": None if error is None else error.code,
    }


def receiver_shown(figures: ReceiverFigures) -> dict[str, Any]:
    """Show the receiver; of dead letters nothing of their content.

    Args:
        figures: Its figures.
    """
    metrics = figures.metrics
    numbers = (
        "queue_depth", "in_flight", "oldest_age_ms", "accepted", "duplicates", "ignored",
        "handled", "failed", "retried", "dead",
    )  # fmt: skip
    return {
        "readable": figures.error is None,
        "error": figures.error,
        **{name: None if metrics is None else getattr(metrics, name) for name in numbers},
        "rejected": {} if metrics is None else dict(metrics.rejected),
        "dead_letters": [_dead(letter) for letter in figures.dead],
    }


def _dead(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "kind": letter.event.event,
        "instance": letter.event.instance,
        "error": letter.error,
        "attempts": letter.attempts,
        "received_at": _seconds(letter.received_at),
        "failed_at": _seconds(letter.failed_at),
    }


def _seconds(time: datetime | None) -> float | None:
    return None if time is None else round(time.timestamp(), 1)
