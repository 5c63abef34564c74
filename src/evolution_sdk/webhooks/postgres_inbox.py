"""An inbox in PostgreSQL: receivers on several machines share copies, order and dead letters."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Generator, Iterable
from contextlib import contextmanager, suppress

from evolution_sdk._base.forking import in_child
from evolution_sdk._common.arguments import checked
from evolution_sdk._sql.database import Session
from evolution_sdk._sql.postgres import PostgresDatabase
from evolution_sdk._sql.schema import SchemaVersionError, migrate, version_of
from evolution_sdk._sql.troubles import DatabaseError
from evolution_sdk.errors import ConfigurationError

from .inbox import Added, InboxBatch, InboxEntry
from .inbox_rows import COLUMNS, to_entry
from .postgres_adoption import hand_out, sweep, take_over
from .postgres_lease import Lease, time_that_passes
from .postgres_schema import PART, STEPS
from .postgres_writes import (
    add_events,
    delete_dead,
    drop_dead,
    drop_keys,
    end_events,
    revive_events,
)
from .shared_inbox import Adoption, LeaseLostError

_log = logging.getLogger("evolution_sdk.webhooks")

_MOST_AT_ONCE = 64
_PRUNE_EVERY = 32
_FIRST_ROOM = 500
_FIRST_BYTES = 64 * 1024 * 1024

# One for the events, one for the heartbeat, which must not wait behind them.
_CONNECTIONS = 3
_ANSWER_MS = 5_000
_LOCK_TIMEOUT_MS = 2_000
_HELD_MS = 5_000
_REFUSED_S = 1.0


@checked(but=("add", "bury", "done", "write_batch", "holds", "adopt"))  # asked for every event
class PostgresInbox:
    """Keeps accepted events in PostgreSQL; receivers on several machines may share it.

    Each receiver holds a lease on the database's clock and renews it. The unfinished events of a
    chat belong to one receiver at a time, whichever accepted them, so that they stay in order. When
    a receiver closes, others take its events over at once; when it dies, is frozen or cut off, they
    do once its lease is over.

    Args:
        url: Address of the database, ``postgresql://user:password@host:5432/name``. The tables are
            made when the inbox is opened.
        dedupe_ms: Time for which a key is remembered, in milliseconds. Default: a day.
        max_keys: Most keys remembered; the oldest go first.
        max_dead: Most dead letters kept; the oldest go first.
        lease_ms: Time after which others take over from a receiver that fell silent, in
            milliseconds. Default: 15 s.
        adopt_every_ms: Time between two looks for events that others accepted for this receiver, or
            left, in milliseconds. Default: 200 ms.
        clock: Seconds that only go forward. Default: the machine's, with the time it sleeps.

    Raises:
        ConfigurationError: psycopg is not installed, or a value cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        dedupe_ms: float = 86_400_000,
        max_keys: int = 1_000_000,
        max_dead: int = 10_000,
        lease_ms: float = 15_000,
        adopt_every_ms: float = 200,
        clock: Callable[[], float] = time_that_passes,
    ) -> None:
        for name, value in (("lease_ms", lease_ms), ("adopt_every_ms", adopt_every_ms)):
            if value <= 0:
                raise ConfigurationError(f"{name} must be more than 0.", variable=name)
        self.blocks: bool = True
        self.adopt_every_ms: float = adopt_every_ms
        self._database = PostgresDatabase(
            url,
            max_connections=_CONNECTIONS,
            lock_timeout_ms=_LOCK_TIMEOUT_MS,
            answer_timeout_ms=_ANSWER_MS,
            held_ms=_HELD_MS,
        )
        self._keep_s = dedupe_ms / 1_000
        self._max_keys = max_keys
        self._max_dead = max_dead
        self._lease_s = lease_ms / 1_000
        self._clock = clock
        self._lease = Lease(self._database, self._lease_s, clock)
        self._begin_closed()
        in_child(self._begin_closed)

    def _begin_closed(self) -> None:
        """Begin closed; after a fork, the parent keeps its lease and its events."""
        self._is_open = False
        self._unpruned = 0
        # Set when a commit may have been done although it failed.
        self._uncertain = False
        self._sweep_at = 0.0
        self._refused: tuple[float, ConfigurationError] | None = None

    def open(self) -> list[InboxEntry]:
        """Make the tables where they are missing, begin a lease, and take over what was left.

        Returns:
            The first events that others left; more come by :meth:`adopt`.

        Raises:
            ConfigurationError: The database cannot be used.
        """
        # Each request tries to open it: only one a second is to wait for a database that is down.
        if self._refused is not None and self._clock() < self._refused[0]:
            raise self._refused[1]
        self._is_open = True
        try:
            # Looked at first: an account that may not make tables can use those that are there.
            if version_of(self._database, PART) != len(STEPS):
                migrate(self._database, PART, STEPS)
            self._lease.begin()
            self._sweep_at = self._clock() + self._lease_s
            return list(self.adopt((), _FIRST_ROOM, _FIRST_BYTES).entries)
        except (DatabaseError, SchemaVersionError) as error:
            self.close()
            why = ConfigurationError(
                f"The inbox in PostgreSQL cannot be used: {error}", variable="inbox"
            )
            self._refused = (self._clock() + _REFUSED_S, why)
            raise why from error

    def holds(self) -> bool:
        """Tell if this receiver's events are surely still its own."""
        return self._lease.holds()

    def add(self, entry: InboxEntry, now: float) -> Added:
        """Keep an event, unless its key was seen before; both in one transaction."""
        return self.write_batch(InboxBatch(added=(entry,)), now)[0]

    def done(self, entry: InboxEntry) -> None:
        """Delete an event that was handled; its key stays known.

        Raises:
            DatabaseError: It was not done; the event is handled again, if this process ends before
                it can be told.
        """
        self.write_batch(InboxBatch(done=(entry,)), 0.0)

    def bury(self, entry: InboxEntry) -> None:
        """Make an event a dead letter.

        Raises:
            DatabaseError: As by :meth:`done`.
        """
        self.write_batch(InboxBatch(buried=(entry,)), 0.0)

    def write_batch(self, batch: InboxBatch, now: float) -> list[Added]:
        """Make several changes in one transaction, with a number of statements that hardly grows.

        Args:
            batch: The changes.
            now: Not used: the age of keys is counted by the database's clock, which all share.

        Returns:
            The result of each addition.

        Raises:
            DatabaseError: Nothing is certain to be changed.
            LeaseLostError: Nothing was added; this receiver owns nothing until it begins anew.
        """
        found: list[Added] = []
        # At once, so that the ends of a group need not wait for it: they are told by themselves.
        if batch.added and self._lease.lost:
            raise LeaseLostError
        with self._writing() as session:
            if batch.added:
                found = add_events(
                    session, self._lease, batch.added, self._keep_s, at_once=not self._uncertain
                )
                self._unpruned += found.count("new")
            end_events(session, self._lease.id, batch.done, batch.buried)
            if batch.buried:
                drop_dead(session, self._max_dead, most=2 * len(batch.buried) + _MOST_AT_ONCE)
            # A few rows each time, so that nobody ever waits for many.
            if self._unpruned >= _PRUNE_EVERY:
                most = self._unpruned + _PRUNE_EVERY
                drop_keys(session, self._keep_s, self._max_keys, most=most)
                self._unpruned = 0
        return found

    def adopt(self, held: Collection[int], room: int, room_bytes: int) -> Adoption:
        """Fetch events that others have accepted for this receiver, or left behind.

        Args:
            held: Numbers of the events that this receiver knows of.
            room: Most events.
            room_bytes: Most bytes of their bodies; if nothing is held, one of any size comes.

        Returns:
            The events; after the lease was lost, none, and a new lease.

        Raises:
            DatabaseError: The database cannot be used now.
        """
        found: list[InboxEntry] = []
        more = False
        try:
            if self._lease.lost:
                raise LeaseLostError
            self._sweep(held)
            for again in (True, False):
                with self._writing() as session:
                    some = hand_out(
                        session, self._lease, room, room_bytes, any_size=not (held or found)
                    )
                found += some
                room -= len(some)
                room_bytes -= sum(len(one.body) for one in some)
                # A receiver that has no room leaves it to others.
                if room <= 0 or room_bytes <= 0 or not again:
                    break
                more = take_over(self._database, self._lease, self._lease_s) > 0
                if not more:
                    break
        except DatabaseError:
            # What was handed out is this receiver's, whatever failed afterwards.
            if not found:
                raise
        except LeaseLostError as error:
            _log.warning("%s", error)
            self._lease.begin()
            return Adoption(lost=True, more=True)
        return Adoption(found, more=more)

    def _sweep(self, held: Collection[int]) -> None:
        """Look for events that this receiver owns without knowing it."""
        if self._uncertain or self._clock() >= self._sweep_at:
            with self._writing() as session:
                sweep(session, self._lease.id, held)
            self._uncertain = False
            self._sweep_at = self._clock() + self._lease_s

    def dead(self, limit: int) -> list[InboxEntry]:
        """Return the dead letters of all receivers, the oldest first."""
        query = (
            f"SELECT {COLUMNS} FROM evolution_inbox_event "  # noqa: S608 - our own words only
            "WHERE failed_at IS NOT NULL ORDER BY id LIMIT ?"
        )
        with self._opened().reading() as session:
            return [to_entry(row) for row in session.run(query, (limit,))]

    def revive(self, ids: Iterable[int] | None) -> list[InboxEntry]:
        """Move dead letters back to the events that wait, to whoever handles their chats."""
        with self._writing() as session:
            return revive_events(session, self._lease, ids, at_once=not self._uncertain)

    def discard(self, ids: Iterable[int] | None) -> int:
        """Delete dead letters; some at a time, so that others need not wait for many."""
        if ids is not None:
            wanted = list(dict.fromkeys(ids))
            count = 0
            for place in range(0, len(wanted), _MOST_AT_ONCE):
                with self._writing() as session:
                    count += delete_dead(session, wanted[place : place + _MOST_AT_ONCE])
            return count
        with self._opened().reading() as session:
            ((last,),) = session.run(
                "SELECT max(id) FROM evolution_inbox_event WHERE failed_at IS NOT NULL"
            )
        count = 0
        while last is not None:
            with self._writing() as session:
                gone = drop_dead(session, 0, most=_MOST_AT_ONCE, last=last)
            count += gone
            last = last if gone else None
        return count

    def count_dead(self) -> int:
        """Return the number of dead letters."""
        with self._opened().reading() as session:
            ((count,),) = session.run(
                "SELECT count(*) FROM evolution_inbox_event WHERE failed_at IS NOT NULL"
            )
        return int(count)

    def close(self) -> None:
        """End the lease, so that others take over what waits, and close the connections."""
        self._is_open = False
        with suppress(DatabaseError):  # they take over once the lease is over
            self._lease.end()
        self._database.close()

    def _opened(self) -> PostgresDatabase:
        if not self._is_open:
            raise ConfigurationError("The inbox is not open.", variable="inbox")
        return self._database

    @contextmanager
    def _writing(self) -> Generator[Session]:
        try:
            with self._opened().writing() as session:
                yield session
        except DatabaseError as error:
            self._uncertain = self._uncertain or error.broken
            raise
