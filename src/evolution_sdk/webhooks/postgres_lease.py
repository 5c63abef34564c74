"""The lease of a receiver on a PostgreSQL inbox, by the database's clock, and its heartbeat."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from evolution_sdk._base.forking import abandon, free_in_child, in_child
from evolution_sdk._sql.database import Database, Session

from .shared_inbox import LeaseLostError

_BEATS = 5
"""Renewals in the time of one lease."""

# Handlers begin only while this much of the lease is left.
_MARGIN = 0.1

_RETRY_S = 0.5

_BEGIN = (
    "INSERT INTO evolution_inbox_receiver (until) "
    "VALUES (clock_timestamp() + make_interval(secs => ?)) RETURNING id"
)
_RENEW = (
    "UPDATE evolution_inbox_receiver SET until = clock_timestamp() + make_interval(secs => ?) "
    "WHERE id = ? AND NOT free RETURNING id"
)
_FREE = "UPDATE evolution_inbox_receiver SET free = TRUE WHERE id = ?"
# The weakest lock: heartbeats do not wait for it, and whoever takes events over does.
_KEEP = (
    "SELECT id FROM evolution_inbox_receiver WHERE id = ANY(?) AND (id <> ? OR NOT free) "
    "ORDER BY id FOR KEY SHARE"
)


def time_that_passes() -> float:
    """Return seconds that also go on while the machine sleeps, where the system counts them."""
    clock: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class Lease:
    """Says who this receiver is, and whether its events are still its own; thread-safe.

    A thread renews it. Whoever is frozen or cut off for longer than the lease is someone else
    afterwards: :meth:`begin` gives a new number.

    Args:
        database: The database.
        lease_s: Time after which others may take over, in seconds.
        steady: Seconds that only go forward.
    """

    def __init__(
        self, database: Database, lease_s: float, steady: Callable[[], float] = time_that_passes
    ) -> None:
        self._database = database
        self._lease_s = lease_s
        self._steady = steady
        self._lock = free_in_child(threading.Lock())
        self._stop = free_in_child(threading.Event())
        self._thread: threading.Thread | None = None
        self._begin_anew()
        in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        """Begin without a lease: after a fork it stays the parent's."""
        abandon(self._thread)
        self._thread = None
        self.id: int = 0
        self._valid_until = float("-inf")
        self._settled_from = float("-inf")
        self._lost = False

    @property
    def lost(self) -> bool:
        """True once others have taken over."""
        return self._lost

    @property
    def settled(self) -> bool:
        """True if it was renewed without a gap for as long as a lease lasts, or is new.

        After an outage all leases are over; whoever comes back first must not take the others'
        events before they had the time to come back, too.
        """
        return self._steady() - self._settled_from >= self._lease_s

    def holds(self) -> bool:
        """Tell if nobody else can have taken over yet, by this machine's own clock."""
        return not self._lost and self._steady() < self._valid_until

    def begin(self) -> None:
        """Begin a lease with a new number, and have it renewed.

        Raises:
            DatabaseError: It could not be begun.
        """
        sent = self._steady()
        with self._database.writing() as session:
            ((number,),) = session.run(_BEGIN, (self._lease_s,))
        with self._lock:
            self.id, self._lost = number, False
            self._valid_until = sent + self._lease_s * (1 - _MARGIN)
        if self._thread is None or not self._thread.is_alive():
            self._stop.clear()
            self._thread = threading.Thread(
                target=self._beat, name="evolution-inbox-lease", daemon=True
            )
            self._thread.start()

    def renew(self) -> None:
        """Renew it once, or note that it is lost.

        Raises:
            DatabaseError: The database could not be asked; it may still be renewed later.
        """
        number, sent = self.id, self._steady()
        with self._database.writing() as session:
            found = session.run(_RENEW, (self._lease_s, number))
        with self._lock:
            if number != self.id:
                return
            if not found:
                self._lost = True
                return
            if not self.holds():
                self._settled_from = self._steady()
            self._valid_until = sent + self._lease_s * (1 - _MARGIN)

    def keep(self, session: Session, others: set[int]) -> set[int]:
        """Keep this lease, and those of others, from being taken over until the transaction ends.

        Args:
            session: A transaction.
            others: Numbers of other receivers.

        Returns:
            Those of them that exist.

        Raises:
            LeaseLostError: This one is lost.
        """
        number = self.id
        found = {one for (one,) in session.run(_KEEP, (sorted({*others, number}), number))}
        if number not in found:
            self._lost = True
            raise LeaseLostError
        return found

    def end(self) -> None:
        """Let others take the events over at once.

        Raises:
            DatabaseError: They will, once the lease is over.
        """
        self._stop.set()
        thread, self._thread = self._thread, None
        number, self.id = self.id, 0
        self._valid_until = float("-inf")
        try:
            if number:
                with self._database.writing() as session:
                    session.run(_FREE, (number,))
        finally:
            if thread is not None:
                thread.join(self._lease_s)

    def _beat(self) -> None:
        wait_s = self._lease_s / _BEATS
        while not self._stop.wait(wait_s):
            try:
                self.renew()
                wait_s = self._lease_s / _BEATS
            except Exception:  # noqa: BLE001 - whatever it is, the heart must go on beating
                wait_s = min(_RETRY_S, self._lease_s / _BEATS)
