"""Engines that move messages on: the outbox's own workers, or a job queue that calls it.

A queue only says when to look at a chat. What is to be sent, and whether it was, is in the outbox's
table: a job that is lost, doubled or late does no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from .handing_over import Statement
from .jobs import OutboxJob

__all__ = ["OutboxEngine", "OutboxWork"]


@dataclass(frozen=True, slots=True)
class OutboxWork:
    """Powers of an engine over its outbox; given to :meth:`OutboxEngine.attach`.

    Attributes:
        awaits: Whether ``start``, ``carry`` and ``recover`` return awaitables; else they block. The
            others always block.
        url: Address of the outbox's database; empty for a SQLite file.
        lease_ms: How long a worker is believed to be alive without a word, in milliseconds.
        poll_ms: Longest wait before a queue is asked for jobs whose time has come, in milliseconds.
        start: Begins to renew this process's lease, without workers of the outbox's own.
        carry: Carries what is due in the chat of a row, some messages at most: safe any number of
            times, from anywhere. Returns the time to call it again, by the store's clock; None when
            nothing is left to be done.
        recover: Gives back what dead workers have left, and returns the row of each chat with work.
        jobs: Describes rows as jobs that are due now.
    """

    awaits: bool
    url: str = field(repr=False)
    lease_ms: float
    poll_ms: float
    start: Callable[[], Any] = field(repr=False)
    carry: Callable[[int], Any] = field(repr=False)
    recover: Callable[[], Any] = field(repr=False)
    jobs: Callable[[Sequence[int]], list[OutboxJob]] = field(repr=False)


class OutboxEngine(Protocol):
    """A job queue that moves the messages of an outbox on, instead of the outbox's own workers.

    Its jobs call ``work.carry(job.row_id)``, again at the time that it returns. Every few seconds
    something of it calls ``work.recover()`` and makes jobs of ``work.jobs(…)`` of these rows, so
    that nothing depends on a single job.
    """

    def attach(self, work: OutboxWork) -> None:
        """Take the outbox; called once, by its constructor.

        Args:
            work: What the engine may do with it.

        Raises:
            ConfigurationError: They do not go together.
        """
        ...

    def enqueue(self, jobs: Sequence[OutboxJob]) -> Iterable[Statement]:
        """Make statements that write jobs, for the transaction that writes the messages.

        Args:
            jobs: The jobs.

        Returns:
            Statements with ``?`` for values, and their values; none if the queue is elsewhere.
        """
        ...

    def wake(self, jobs: Sequence[OutboxJob]) -> None:
        """Hear of jobs whose messages the outbox has committed; what it raises is swallowed.

        Not called for messages of :meth:`Outbox.using`, whose commit is the program's.

        Args:
            jobs: The jobs.
        """
        ...

    def migrate(self) -> None:
        """Make or check what the queue needs in the outbox's database; deletes nothing.

        Raises:
            OutboxStoreError: It could not be done, or is of another version.
        """
        ...
