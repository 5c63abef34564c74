"""The outbox's database, as the rest of the outbox uses it. Blocking; safe from any thread."""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeVar

from evolution_sdk._base.forking import free_in_child, in_child
from evolution_sdk._base.harmless import harmless
from evolution_sdk._base.ports import SYSTEM_CLOCK, Clock
from evolution_sdk._sql.database import Database, Session
from evolution_sdk._sql.dialect import is_postgres
from evolution_sdk._sql.opening import open_database
from evolution_sdk._sql.process_slots import ProcessSlots, SlotsTakenError
from evolution_sdk._sql.schema import SchemaVersionError, migrate, version_of
from evolution_sdk._sql.sqlite import SqliteDatabase
from evolution_sdk._sql.troubles import DatabaseError, of_sqlite
from evolution_sdk.errors import OutboxStoreError
from evolution_sdk.reconcile.server_clock import Moment

from .claims import (
    Claim,
    NotYet,
    claim_chat,
    claim_some,
    line_up,
    line_up_chat,
    next_due,
    ready_rows,
    wake,
)
from .engine import OutboxEngine
from .handing_over import Enqueue, OutboxDraft, Statement, put_steps
from .jobs import OutboxJob
from .look_facts import LookFacts, look_facts
from .payload import Cipher
from .questions import by_ids
from .records import OutboxMessage, OutboxState
from .schedule import again_at
from .settling import Done, Ending, given_back, settle
from .store_clock import StoreClock, StoreNow
from .tables import PART, STEPS
from .workers import Worker, bury, enlist, leave, renew, works

__all__ = ["OutboxStore", "Turn"]

T = TypeVar("T")
MakeId = Callable[[str, str], str | None]

# So often are new messages lined up and pauses ended while there is other work.
_LOOK_ROUND_MS = 100
_ROWS_AT_ONCE = 500


def _nothing(_state: str) -> bool:
    return False


@dataclass(slots=True, eq=False)
class Turn:
    """One visit of a worker to the store: what it has done, and how much it wants.

    Attributes:
        endings: What came of its claims.
        want: Most new claims.
        claims: The claims it got.
        dropped: Rows that are not to be sent any more: they came too late, or were taken back.
        wait_ms: Time until there is more to do, in milliseconds; None while nothing waits.
        at_ms: The time at which the endings were written, by the store's clock, in milliseconds
            since 1970.
        rows: Messages that ended with it, as they were written, by number: those of states that
            somebody is told of.
        buried: Whether nothing was claimed because others have buried the worker.
        abandoned: Whether nobody waits for the claims any more.
        error: Why nothing was written.
        done: Set once this is certain.
    """

    endings: Sequence[Ending] = ()
    want: int = 0
    claims: list[Claim] = field(default_factory=list[Claim])
    dropped: list[int] = field(default_factory=list[int])
    wait_ms: float | None = None
    at_ms: int = 0
    rows: Mapping[int, OutboxMessage] = field(default_factory=dict[int, OutboxMessage])
    buried: bool = False
    abandoned: bool = False
    error: BaseException | None = None
    done: threading.Event = field(default_factory=threading.Event)


class OutboxStore:
    """Keeps the messages, in SQLite or PostgreSQL.

    Args:
        place: Path of a SQLite file, or ``postgresql://…``.
        cipher: Encrypts contents; None leaves them readable.
        clock: The clock of this process.
        curve: Length of a pause after troubles, in milliseconds, by their number.
        busy_timeout_ms: Longest wait for a lock of somebody else, in milliseconds.
    """

    def __init__(
        self,
        place: str | Path,
        *,
        cipher: Cipher | None = None,
        clock: Clock = SYSTEM_CLOCK,
        curve: Callable[[int], float],
        busy_timeout_ms: float = 5_000,
    ) -> None:
        self.database: Database = open_database(
            place, busy_timeout_ms=busy_timeout_ms, by_index=True
        )
        # Counting many rows takes long, and the threads of a process take turns with a file.
        self._aside: Database = self.database
        if isinstance(self.database, SqliteDatabase):
            self._aside = open_database(place, busy_timeout_ms=busy_timeout_ms)
        self.is_shared: bool = is_postgres(place)
        self.cipher = cipher
        self.clock: StoreClock = StoreClock(clock)
        self._curve = curve
        self.address: str = str(place) if self.is_shared else ""
        self.engine: OutboxEngine | None = None
        self.wants: Callable[[str], bool] = _nothing
        self._checked = False
        self._waiting: deque[Turn] = deque()
        self._writing = free_in_child(threading.Lock())
        # What is to be written down besides: settling twice changes nothing, so that whatever may
        # be missing is put here.
        self._left: deque[Ending] = deque()
        self._handing = free_in_child(threading.Lock())
        self._looked_round = 0
        self._turn = 0
        in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        """Leave the parent what its threads have under way."""
        self._waiting.clear()
        self._left.clear()

    def new_slots(self) -> ProcessSlots | None:
        """Return locks for a worker beside a SQLite file; None over PostgreSQL."""
        if isinstance(self.database, SqliteDatabase):
            return ProcessSlots(self.database.path)
        return None

    def migrate(self) -> int:
        """Make the tables, or bring them to the newest version.

        Returns:
            The version before.

        Raises:
            OutboxStoreError: It could not be done; nothing was changed.
        """
        with self._troubles():
            before = migrate(self.database, PART, STEPS)
        self._checked = True
        return before

    def check(self) -> None:
        """See to it that the tables can be used: those of a SQLite file are made by themselves.

        Raises:
            OutboxStoreError: They are missing or of another version.
        """
        if self._checked:
            return
        with self._troubles():
            # Read first: a transaction of the program may hold a SQLite file just now.
            found = version_of(self.database, PART)
            if found < len(STEPS) and not self.is_shared:
                self.migrate()
            elif found != len(STEPS):
                raise SchemaVersionError(PART, found, len(STEPS))
        self._checked = True

    @contextmanager
    def writing(self, key: str | None = None) -> Generator[tuple[Session, StoreNow]]:
        """Begin a transaction.

        Args:
            key: Key of the message that is handed over, for the error.

        Raises:
            OutboxStoreError: It was not done.
        """
        self.check()
        with self._troubles(key), self.database.writing() as session:
            yield session, self.clock.now(session)

    @contextmanager
    def reading(self) -> Generator[Session]:
        """Begin to read.

        Raises:
            OutboxStoreError: It cannot be read.
        """
        self.check()
        with self._troubles(), self.database.reading() as session:
            yield session

    @contextmanager
    def counting(self) -> Generator[tuple[Session, StoreNow]]:
        """Begin to read figures, which may take long: beside those who hand over and send.

        Raises:
            OutboxStoreError: It cannot be read.
        """
        self.check()
        with self._troubles(), self._aside.reading() as session:
            yield session, self.clock.peek(session)

    def put(self, drafts: Sequence[OutboxDraft]) -> list[OutboxMessage]:
        """Write messages in a transaction.

        Args:
            drafts: The messages.

        Returns:
            The messages, or those that are there under their keys.

        Raises:
            OutboxConflictError: A key belongs to another message.
            RecipientOptedOutError: A recipient opted out.
            OutboxStoreError: Nothing was written.
        """
        key = drafts[0].key if len(drafts) == 1 else None
        for again in (True, False):
            try:
                jobs: list[OutboxJob] = []
                with self.writing(key) as (session, now):
                    made = perform(session, drafts, now, self.cipher, self.noting(jobs))
            except OutboxStoreError as error:
                # The commit may have been done all the same; the keys tell, and let nothing double.
                cause = error.__cause__
                if not (again and isinstance(cause, DatabaseError) and cause.broken):
                    raise
            else:
                self.wake(jobs)
                return made
        raise AssertionError  # pragma: no cover - the loop returns or raises

    def noting(self, jobs: list[OutboxJob]) -> Enqueue | None:
        """Return what writes jobs of the engine and notes them; None without one.

        Args:
            jobs: Gets the jobs.
        """
        engine = self.engine
        if engine is None:
            return None

        def enqueue(some: Sequence[OutboxJob]) -> Iterable[Statement]:
            jobs.extend(some)
            return engine.enqueue(some)

        return enqueue

    def hand_on(self, session: Session, jobs: Sequence[OutboxJob]) -> None:
        """Write jobs of the engine within a transaction.

        Args:
            session: The transaction.
            jobs: The jobs.
        """
        if self.engine is not None and jobs:
            for statement in self.engine.enqueue(jobs):
                session.run(*statement)

    def wake(self, jobs: Sequence[OutboxJob]) -> None:
        """Tell the engine of jobs whose transaction has committed; never raises.

        Args:
            jobs: The jobs.
        """
        if self.engine is not None and jobs:
            harmless(self.engine.wake, jobs)

    def visit(self, worker: Worker, turn: Turn, make_id: MakeId) -> Turn:
        """Write down endings and claim more work, together with all others who come just now.

        Args:
            worker: The worker.
            turn: What is wanted.
            make_id: Makes an id for a message of an operation and an instance.

        Returns:
            The turn.

        Raises:
            OutboxStoreError: Nothing was written or claimed.
        """
        self.visit_all(worker, [turn], make_id)
        if turn.error is not None:
            raise turn.error
        return turn

    def visit_all(self, worker: Worker, turns: Sequence[Turn], make_id: MakeId) -> None:
        """Make some visits at once; never raises: each turn has its own error.

        Args:
            worker: The worker.
            turns: What is wanted.
            make_id: As of :meth:`visit`.
        """
        self._waiting.extend(turns)
        last = turns[-1]
        while not last.done.is_set():
            # Whoever is first writes for all that wait; the others find theirs done.
            with self._writing:
                if last.done.is_set():
                    break
                waiting = [self._waiting.popleft() for _ in range(len(self._waiting))]
                self._write(worker, waiting, make_id)

    @contextmanager
    def _settling(self, claims: list[Claim]) -> Generator[tuple[Session, StoreNow]]:
        """Begin a transaction that writes down what was left over before all else.

        Args:
            claims: Gets the claims made in it; if it fails they may have been committed all the
                same, and are given back by the next one.
        """
        left = [self._left.popleft() for _ in range(len(self._left))]
        try:
            with self.writing() as (session, now):
                settle(session, left, now, self._curve)
                yield session, now
        except BaseException:
            self._left.extend([*left, *map(given_back, claims)])
            raise

    def abandon(self, turn: Turn) -> None:
        """Take over what a visit was about, whose caller does not wait for its end.

        Args:
            turn: The visit.
        """
        with self._handing:
            turn.abandoned = True
            self._left.extend([*turn.endings, *map(given_back, turn.claims)])

    def flush(self) -> None:
        """Write down what was left over.

        Raises:
            OutboxStoreError: It was not done, and is still to be done.
        """
        if self._left:
            with self._settling([]):
                pass

    def _write(self, worker: Worker, turns: list[Turn], make_id: MakeId) -> None:
        claims: list[Claim] = []
        error: BaseException | None = None
        try:
            with self._settling(claims) as (session, now):
                settle(session, [one for turn in turns for one in turn.endings], now, self._curve)
                self._serve(session, worker, turns, now, make_id, claims)
                rows = self._watched(session, turns)
                for turn in turns:
                    turn.at_ms, turn.rows = now.wall, rows
        except BaseException as caught:  # noqa: BLE001 - each hears of it in its own thread
            error = caught
        with self._handing:
            for turn in turns:
                if error is not None:
                    turn.error, turn.claims = error, []
                elif turn.abandoned:
                    self._left.extend(map(given_back, turn.claims))
                turn.done.set()

    def _watched(self, session: Session, turns: Sequence[Turn]) -> Mapping[int, OutboxMessage]:
        """Read what handlers are to be told of, for all visits at once."""
        ends = [
            claim.id
            for turn in turns
            for claim, outcome in turn.endings
            if isinstance(outcome, Done) and self.wants(outcome.state.value)
        ]
        found: dict[int, OutboxMessage] = {}
        try:
            for place in range(0, len(ends), _ROWS_AT_ONCE):
                found |= by_ids(session, ends[place : place + _ROWS_AT_ONCE])
        except (ValueError, TypeError):
            # A row that another version of this package wrote: that it was sent is written down
            # all the same, and who listens has it read alone.
            return {}
        return found

    def _serve(
        self,
        session: Session,
        worker: Worker,
        turns: list[Turn],
        now: StoreNow,
        make_id: MakeId,
        found: list[Claim],
    ) -> None:
        want = sum(turn.want for turn in turns)
        if not want:
            return
        if not works(session, worker):
            for turn in turns:
                turn.buried, turn.wait_ms = True, 0.0
            return
        self._turn += 1
        dropped = turns[0].dropped
        if now.steady - self._looked_round < _LOOK_ROUND_MS:
            found += claim_some(session, worker.id, want, now, make_id, self._turn, dropped)
        wait_ms: float | None = None
        if len(found) < want:
            self._looked_round = now.steady
            line_up(session, now)
            dropped += wake(session, now)
            left = want - len(found)
            found += claim_some(session, worker.id, left, now, make_id, self._turn, dropped)
            if len(found) < want:
                wait_ms = next_due(session, now)
        place = 0
        for turn in turns:
            turn.claims = found[place : place + turn.want]
            turn.wait_ms = wait_ms
            place += turn.want

    def claim_row(
        self, worker: Worker, number: int, make_id: MakeId, turn: Turn, *, drain: bool = False
    ) -> Claim | NotYet | Literal["buried"] | None:
        """Claim the chat of one message.

        Args:
            worker: The worker.
            number: Number of its row.
            make_id: As of :meth:`visit`.
            turn: Gets the claim, for :meth:`abandon`.
            drain: True to claim what is due behind it, too.

        Returns:
            The claim, which may be of another message of the chat; ``busy``, ``paused`` or
            ``waiting``; ``buried`` if others have buried the worker; None if nothing is left to be
            done, or there is no such row.

        Raises:
            OutboxStoreError: Nothing was claimed.
        """
        claims: list[Claim] = []
        found = self._claim_row(worker, number, make_id, drain, claims)
        with self._handing:
            turn.claims = claims
            if turn.abandoned:
                self._left.extend(map(given_back, claims))
        if turn.abandoned:
            self.flush()
        return found

    def _claim_row(
        self, worker: Worker, number: int, make_id: MakeId, drain: bool, claims: list[Claim]
    ) -> Claim | NotYet | Literal["buried"] | None:
        with self._settling(claims) as (session, now):
            if not works(session, worker):
                return "buried"
            rows = session.run(
                "SELECT instance, chat, priority, state, due_at FROM evolution_outbox WHERE id = ?",
                (number,),
            )
            if not rows:
                return None
            instance, chat, priority, state, due_at = rows[0]
            over = OutboxState(state).is_over
            if over and not drain:
                return None
            if not over and due_at > now.wall:
                return "waiting"
            line_up_chat(session, instance, chat, number, priority, now)
            wake(session, now)
            found = claim_chat(session, worker.id, instance, chat, now, make_id, [])
            if isinstance(found, Claim):
                claims.append(found)
            return found

    def due_rows(self, worker: Worker) -> list[int]:
        """Give back what dead workers have left, and list the first row of each chat with work.

        Args:
            worker: The worker that looks after the others.
        """
        with self._settling([]) as (session, now):
            line_up(session, now)
            wake(session, now)
            bury(session, worker, now)
            return ready_rows(session)

    def again_at(self, number: int, answer: NotYet) -> datetime:
        """Say when to look at the chat of a row again, by the store's clock.

        Args:
            number: Number of the row.
            answer: Why nothing could be done now.
        """
        with self.writing() as (session, now):
            return again_at(session, number, answer, now)

    def file(self, name: str) -> bytes | None:
        """Return a file as it is kept; None if it is gone.

        Args:
            name: Its name.

        Raises:
            OutboxStoreError: It cannot be read.
        """
        with self.reading() as session:
            rows = session.run("SELECT content FROM evolution_outbox_file WHERE hash = ?", (name,))
        return bytes(rows[0][0]) if rows else None

    def look_facts(self, claim: Claim, here: Moment) -> LookFacts:
        """Return what the store knows that a look needs.

        Args:
            claim: The message that is looked for.
            here: The present by this process's clocks.

        Raises:
            OutboxStoreError: It cannot be read.
        """
        with self.writing() as (session, now):
            return look_facts(session, claim, now, here, self.cipher)

    def known_ids(self, claim: Claim, ids: Sequence[str]) -> set[str]:
        """Tell which messages belong to other rows.

        Args:
            claim: The message that is looked for.
            ids: Ids of messages.

        Raises:
            OutboxStoreError: It cannot be read.
        """
        with self.reading() as session:
            return {
                one
                for one in ids
                if session.run(
                    "SELECT 1 FROM evolution_outbox WHERE instance = ? AND message_id = ? "
                    "AND id <> ? LIMIT 1",
                    (claim.instance, one, claim.id),
                )
            }

    def enlist(self, worker: Worker) -> None:
        """Write down that a worker is here, and give back what the dead have left.

        Args:
            worker: The worker.
        """
        begun = worker.steady()
        with self.writing() as (session, now):
            enlist(session, worker, now)
            bury(session, worker, now)
        worker.believe(begun)

    def tend(self, worker: Worker) -> bool:
        """Renew a worker's lease, and look after the others.

        Args:
            worker: The worker.

        Returns:
            Whether it still works: False after its lease was over and its work was taken.
        """
        begun = worker.steady()
        with self._settling([]) as (session, now):
            if not renew(session, worker, now):
                return False
            bury(session, worker, now)
        # Not before it is committed: a lease that is only believed in protects nobody.
        worker.believe(begun)
        return True

    def leave(self, worker: Worker) -> None:
        """Write down that a worker goes.

        Args:
            worker: The worker.
        """
        with self._settling([]) as (session, now):
            leave(session, worker, now)
        if worker.slots is not None:
            worker.slots.give()

    def close(self) -> None:
        """Close the connections; a later use opens new ones."""
        self._aside.close()
        self.database.close()

    @contextmanager
    def _troubles(self, key: str | None = None) -> Generator[None]:
        try:
            yield
        except SchemaVersionError as error:
            raise OutboxStoreError(
                f"{error} (outbox.migrate(), or: python -m evolution_sdk outbox migrate)",
                kind="schema",
                key=key,
            ) from error
        except SlotsTakenError as error:
            raise OutboxStoreError(f"{error}: end some of them", kind="busy", key=key) from error
        except sqlite3.Error as error:
            # Of a lock file beside the database.
            trouble = of_sqlite(error)
            raise OutboxStoreError(str(trouble), kind=trouble.kind, key=key) from error
        except DatabaseError as error:
            if error.kind == "schema":
                self._checked = False
            raise OutboxStoreError(str(error), kind=error.kind, key=key) from error


def perform(
    session: Session,
    drafts: Sequence[OutboxDraft],
    now: StoreNow,
    cipher: Cipher | None,
    enqueue: Enqueue | None,
) -> list[OutboxMessage]:
    """Write messages over a blocking connection.

    Args:
        session: A transaction.
        drafts: The messages.
        now: The present.
        cipher: Decrypts the rows that are there.
        enqueue: Makes the jobs of an engine; None without one.
    """
    from evolution_sdk._base.effects import drive_sync

    steps = put_steps(drafts, now.wall, cipher, enqueue)
    return drive_sync(steps, lambda step: session.run(*step))
