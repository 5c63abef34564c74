"""Times for job queues: when it is worth while to look at a chat again, by the store's clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from evolution_sdk._sql.database import Session

from .claims import ALL, NotYet
from .jobs import OutboxJob, lock_of
from .store_clock import StoreNow

__all__ = ["again_at", "jobs_of", "jobs_of_key"]

_BUSY_MS = 1_000
# Nobody knows when a person will end a pause; whoever ends it makes jobs.
_PERSON_MS = 30_000
_AT_ONCE = 500


def again_at(session: Session, number: int, answer: NotYet, now: StoreNow) -> datetime:
    """Say when to look at the chat of a row again.

    Args:
        session: A transaction.
        number: Number of the row.
        answer: Why nothing could be done now.
        now: The present.
    """
    waits = [_BUSY_MS if answer == "busy" else 0]
    rows = session.run(
        "SELECT instance, chat, state, due_at FROM evolution_outbox WHERE id = ?", (number,)
    )
    for instance, chat, state, due_at in rows:
        if state == "queued":
            waits.append(due_at - now.wall)
        waits += [
            ready_at - now.steady
            for (ready_at,) in session.run(
                "SELECT ready_at FROM evolution_outbox_chat "
                "WHERE instance = ? AND chat = ? AND state = 'waiting'",
                (instance, chat),
            )
        ]
        waits += [
            _PERSON_MS if by_person else until - now.steady
            for until, by_person in session.run(
                "SELECT paused_until, by_person FROM evolution_outbox_instance "
                "WHERE instance IN (?, ?) AND paused_until IS NOT NULL",
                (ALL, instance),
            )
        ]
    return datetime.fromtimestamp((now.wall + max(waits)) / 1_000, UTC)


def jobs_of(session: Session, numbers: Sequence[int]) -> list[OutboxJob]:
    """Describe rows as jobs that are due now, in the given order.

    Args:
        session: A transaction.
        numbers: Numbers of the rows.
    """
    found: dict[int, OutboxJob] = {}
    for place in range(0, len(numbers), _AT_ONCE):
        some = numbers[place : place + _AT_ONCE]
        marks = ", ".join("?" * len(some))
        rows = session.run(
            f"SELECT id, instance, chat, priority FROM evolution_outbox WHERE id IN ({marks})", some
        )
        found.update(
            {
                number: OutboxJob(number, lock_of(instance, chat), priority)
                for number, instance, chat, priority in rows
            }
        )
    return [found[number] for number in numbers if number in found]


def jobs_of_key(session: Session, key: str) -> list[OutboxJob]:
    """Describe the row of a key as a job; none unless it is queued.

    Args:
        session: A transaction.
        key: Its key.
    """
    rows = session.run("SELECT id FROM evolution_outbox WHERE key = ? AND state = 'queued'", (key,))
    return jobs_of(session, [number for (number,) in rows])
