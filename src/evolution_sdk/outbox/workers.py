"""Workers of the outbox, at work or gone: by a lock of the machine, or by a lease.

A process that shares a SQLite file holds a lock that ends with the process, so that a dead one is
known for sure. Over PostgreSQL nothing tells a dead machine from one that is cut off: its worker
has a lease there, makes no call once the lease is over, and only then counts as gone.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from evolution_sdk._sql.database import Session
from evolution_sdk._sql.process_slots import ProcessSlots
from evolution_sdk.errors import EvolutionError

from .store_clock import StoreNow, steady_ms

__all__ = ["CutOffError", "Worker", "bury", "enlist", "leave", "renew", "works"]

_MARGIN = 0.2
_NEVER = 2**62


class CutOffError(EvolutionError):
    """The lease of a worker was over before its call went out: others may have its message."""


@dataclass(slots=True)
class Worker:
    """A worker of this process.

    Attributes:
        id: Its name in the store.
        slots: The locks beside a SQLite file; None over PostgreSQL.
        lease_ms: How long its lease lasts, in milliseconds.
        valid_until: End of its lease by this machine, in steady milliseconds.
        steady: Tells steady milliseconds.
    """

    id: str
    slots: ProcessSlots | None
    lease_ms: float
    valid_until: float = 0.0
    steady: Callable[[], float] = field(default=steady_ms, repr=False)

    @classmethod
    def new(cls, slots: ProcessSlots | None, lease_ms: float) -> Worker:
        """Make one.

        Args:
            slots: The locks beside a SQLite file; None over PostgreSQL.
            lease_ms: How long its lease lasts, in milliseconds.
        """
        return cls(secrets.token_hex(8), slots, lease_ms)

    def believe(self, begun: float) -> None:
        """Count on a lease that is surely written down.

        Args:
            begun: When it was asked for, in steady milliseconds: before the store read its clock.
        """
        # Before the store counts it as over, so that a margin is left for the call itself.
        self.valid_until = max(self.valid_until, begun + self.lease_ms * (1 - _MARGIN))

    def may_call(self) -> bool:
        """Tell if nobody can have taken its work over: asked right before each call."""
        return self.slots is not None or self.steady() < self.valid_until


def enlist(session: Session, worker: Worker, now: StoreNow) -> None:
    """Write down that a worker is here.

    Args:
        session: A transaction.
        worker: The worker.
        now: The present.
    """
    slot = -1
    if worker.slots is not None:
        slot = worker.slots.take() if worker.slots.held is None else worker.slots.held
    until = _NEVER if worker.slots is not None else now.steady + round(worker.lease_ms)
    session.run(
        "INSERT INTO evolution_outbox_worker (id, host, pid, slot, lease_until) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until",
        (worker.id, socket.gethostname(), os.getpid(), slot, until),
    )


def renew(session: Session, worker: Worker, now: StoreNow) -> bool:
    """Renew a lease.

    Args:
        session: A transaction.
        worker: The worker.
        now: The present.

    Returns:
        Whether the worker was still there; another one may have buried it meanwhile.
    """
    if worker.slots is not None:
        return bool(session.run("SELECT 1 FROM evolution_outbox_worker WHERE id = ?", (worker.id,)))
    session.run(
        "UPDATE evolution_outbox_worker SET lease_until = ? WHERE id = ?",
        (now.steady + round(worker.lease_ms), worker.id),
    )
    return session.changed == 1


def works(session: Session, worker: Worker) -> bool:
    """Tell if a worker is still there, and keep others from burying it in this transaction.

    Work that is claimed by one who is not there would be nobody's when that one dies.

    Args:
        session: A transaction.
        worker: The worker.
    """
    return bool(
        session.run("SELECT 1 FROM evolution_outbox_worker WHERE id = ? [[share]]", (worker.id,))
    )


def bury(session: Session, worker: Worker, now: StoreNow) -> int:
    """Give the work of workers that are gone back; what they may have sent is to be looked for.

    Args:
        session: A transaction.
        worker: The worker that looks after the others.
        now: The present.

    Returns:
        How many were gone.
    """
    rows = session.run(
        "SELECT id, slot, lease_until FROM evolution_outbox_worker WHERE id <> ? [[skip]]",
        (worker.id,),
    )
    gone = [
        name
        for name, slot, until in rows
        if (_slot_gone(worker.slots, slot) if worker.slots is not None else until < now.steady)
    ]
    for name in gone:
        _release(session, name, now)
    return len(gone)


def leave(session: Session, worker: Worker, now: StoreNow) -> None:
    """Write down that a worker goes; what it did not finish is to be looked for.

    Args:
        session: A transaction.
        worker: The worker.
        now: The present.
    """
    _release(session, worker.id, now)


def _slot_gone(slots: ProcessSlots, slot: int) -> bool:
    # One that has this process's own slot was there before it: the slot was free when it came.
    return slot == slots.held or slots.is_free(slot)


def _release(session: Session, name: str, now: StoreNow) -> None:
    # Chats before messages, as everywhere: two workers never wait for each other in a circle.
    session.run(
        "UPDATE evolution_outbox_chat SET state = 'ready', worker = NULL, ticket = NULL "
        "WHERE (instance, chat) IN (SELECT instance, chat FROM evolution_outbox_chat "
        "WHERE state = 'busy' AND worker = ? ORDER BY instance, chat [[hold]])",
        (name,),
    )
    session.run(
        "UPDATE evolution_outbox SET lost_steady = ? "
        "WHERE state = 'sending' AND worker = ? AND lost_steady IS NULL",
        (now.steady, name),
    )
    session.run("DELETE FROM evolution_outbox_worker WHERE id = ?", (name,))
