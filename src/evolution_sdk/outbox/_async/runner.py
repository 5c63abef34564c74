"""Workers of one process: each claims a chat, carries its message, writes down what came of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial

from evolution_sdk._async._seam import Later, run_blocking
from evolution_sdk._async.ports import Ports
from evolution_sdk._base.forking import free_in_child, in_child
from evolution_sdk._base.harmless import harmless, quiet_logger
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk.errors import OutboxStoreError
from evolution_sdk.outbox.claims import Claim, NotYet
from evolution_sdk.outbox.records import OutboxMessage
from evolution_sdk.outbox.settling import Ending, Lost, Outcome
from evolution_sdk.outbox.store import OutboxStore, Turn
from evolution_sdk.outbox.workers import Worker

from ._seam import Bell, Crew, Desk
from .courier import Courier

__all__ = ["Runner"]

_log = quiet_logger("evolution_sdk.outbox")
_FIRST_WAIT_MS = 100.0
_LONGEST_WAIT_MS = 5_000.0


class Runner:
    """Delivers what is in the store, with some workers at once.

    Args:
        store: The store.
        courier: Carries one message.
        ports: Time and sleep.
        ended: Hears of each outcome that was written down, and when, by the store's clock; with
            the message, where the store has read it.
        dropped: Hears of each row that is not to be sent any more.
        poll_ms: Longest wait before the store is asked for work of other processes, in
            milliseconds.
        lease_ms: How long a worker of PostgreSQL is believed to be alive, in milliseconds.
    """

    def __init__(
        self,
        store: OutboxStore,
        courier: Courier,
        ports: Ports,
        ended: Callable[[Claim, Outcome, int, OutboxMessage | None], None],
        dropped: Callable[[int], None],
        *,
        poll_ms: float,
        lease_ms: float,
    ) -> None:
        self._store = store
        self._courier = courier
        self._ports = ports
        self._ended = ended
        self._dropped = dropped
        self._poll_ms = poll_ms
        self._lease_ms = lease_ms
        self._worker: Worker | None = None
        self._stopping = False
        self._bell = Bell()
        self._crew = Crew()
        self._desk = Desk(self._visit)
        self._quiet = QuietLog(_log, ports.monotonic)
        self._heart: threading.Thread | None = None
        self._heart_ends = threading.Event()
        self._enlisting = free_in_child(threading.RLock())
        in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        """Leave the parent its worker, and what that has under way."""
        self._worker, self._heart = None, None
        self._heart_ends = threading.Event()
        self._bell, self._crew, self._desk = Bell(), Crew(), Desk(self._visit)

    @property
    def running(self) -> bool:
        """True from the start to the end."""
        return self._heart is not None

    def ring(self) -> None:
        """Tell the workers that there may be something to do."""
        self._bell.ring()

    async def start(self, workers: int) -> None:
        """Begin.

        Args:
            workers: How many messages at once.

        Raises:
            OutboxStoreError: The store cannot be used.
        """
        if self.running:
            return
        self._stopping = False
        await run_blocking(self._enlisted)
        self._heart_ends.clear()
        # A thread in both colours: a loop that a handler holds up must not cost the lease.
        self._heart = threading.Thread(
            target=self._beat, name="evolution-outbox-heart", daemon=True
        )
        self._heart.start()
        self._crew.begin(workers, self._work)

    async def stop(self, patience_ms: float) -> bool:
        """Claim nothing more, and wait for what is under way.

        Args:
            patience_ms: How long, in milliseconds.

        Returns:
            Whether all is over; what is not is looked for by the next who works here.
        """
        self._stopping = True
        self._bell.ring()
        over = await self._crew.join(patience_ms)
        self._heart_ends.set()
        heart, self._heart = self._heart, None
        if heart is not None:
            await run_blocking(heart.join)
        worker, self._worker = self._worker, None
        if worker is not None and over:
            await run_blocking(partial(harmless, self._store.leave, worker))
        return over

    async def deliver(self, number: int, *, most: int | None = None) -> NotYet | None:
        """Carry the messages of a chat in order, up to one of them and what is due behind it.

        Args:
            number: Number of the row.
            most: Most messages that are carried. Default: all. With it the whole chat counts, even
                when the row itself is over: whoever comes back goes on with what it left.

        Returns:
            None when nothing is left to be done for it; else why: ``busy``, ``paused`` or
            ``waiting``.

        Raises:
            OutboxStoreError: The store cannot be used; nothing is lost.
        """
        drain, carried = most is not None, 0
        while True:
            if most is not None and carried >= most:
                return "waiting"
            worker = await run_blocking(self._enlisted)
            turn = Turn()
            claim = partial(
                self._store.claim_row, worker, number, self._courier.make_id, turn, drain=drain
            )
            try:
                found = await run_blocking(claim)
            except OutboxStoreError:
                raise
            except BaseException:
                self._abandon(turn)
                raise
            if found == "buried":
                await run_blocking(partial(self._tend, worker))
                continue
            if not isinstance(found, Claim):
                return found
            # What is due behind it goes as well: its own caller has found the chat busy, and left.
            drain = True
            carried += 1
            await self._write_down([(found, await self._outcome(worker, found))])

    async def recover(self) -> list[int]:
        """Look after what dead workers have left, and list what is due.

        Returns:
            The first row of each chat with work.

        Raises:
            OutboxStoreError: The store cannot be used.
        """
        worker = await run_blocking(self._enlisted)
        return await run_blocking(partial(self._store.due_rows, worker))

    def _enlisted(self) -> Worker:
        """The worker of this process, which is written down in the store."""
        with self._enlisting:
            worker = self._worker
            if worker is None:
                worker = Worker.new(self._store.new_slots(), self._lease_ms)
                self._store.enlist(worker)
                self._worker = worker
            elif worker.slots is None and not (self.running and worker.may_call()):
                # Without workers no heart beats: the lease is renewed with each use. A machine that
                # slept, or was cut off, begins with that, too.
                self._tend(worker)
                worker = self._worker or worker
            return worker

    def _beat(self) -> None:
        """Renew the lease and look after the others, until the end."""
        interval_s = self._lease_ms / 4 / 1_000
        while not self._heart_ends.wait(interval_s):
            worker = self._worker
            if worker is None:
                continue
            try:
                self._tend(worker)
            except Exception as error:  # noqa: BLE001 - the heart beats on
                self._store_failed(error)

    def _tend(self, worker: Worker) -> None:
        with self._enlisting:
            self._tend_alone(worker)

    def _tend_alone(self, worker: Worker) -> None:
        if self._worker is not worker or self._store.tend(worker):
            return
        # Its lease was over, and its work is in other hands: it begins anew under another name.
        _log.warning("a worker of the outbox was cut off for too long; others took its work over")
        fresh = Worker.new(worker.slots, self._lease_ms)
        self._store.enlist(fresh)
        self._worker = fresh

    async def _work(self) -> None:
        """Work until the end; never raises."""
        endings: list[Ending] = []
        waited_ms = _FIRST_WAIT_MS
        while not self._stopping:
            turn = Turn(endings=endings, want=1)
            try:
                worker = await self._desk.visit(turn)
            except Exception as error:  # noqa: BLE001 - a worker never ends by itself
                self._store_failed(error)
                await self._rest(endings, partial(self._bell.wait, waited_ms))
                waited_ms = min(waited_ms * 2, _LONGEST_WAIT_MS)
                continue
            except BaseException:
                self._abandon(turn)
                raise
            self._quiet.over("store", "the outbox's database answers again")
            waited_ms = _FIRST_WAIT_MS
            self._tell(turn)
            endings = []
            for number in turn.dropped:
                harmless(self._dropped, number)
            if not turn.claims:
                wait_ms = self._poll_ms if turn.wait_ms is None else turn.wait_ms
                await self._bell.wait(max(1.0, min(wait_ms, self._poll_ms)))
                continue
            claim = turn.claims[0]
            endings = [(claim, await self._outcome(worker, claim))]
        if endings:
            await self._write_down(endings)

    async def _outcome(self, worker: Worker, claim: Claim) -> Outcome:
        try:
            return await self._courier.carry(claim, worker.may_call)
        except Exception as error:  # noqa: BLE001 - a mistake of ours: how far it came is not known
            _log.error("a message could not be carried: %s", type(error).__name__)
            return Lost(_LONGEST_WAIT_MS, "its worker failed in an unexpected way")
        except BaseException:
            # Cancelled in the middle of a call: the server works on without us.
            lost = Lost(0, "its worker was stopped in the middle of the call")
            self._abandon(Turn(endings=[(claim, lost)]))
            raise

    def _abandon(self, turn: Turn) -> None:
        """Have written down, by another thread, what this one has no time for any more."""
        self._store.abandon(turn)
        flush = partial(harmless, self._store.flush)
        threading.Thread(target=flush, name="evolution-outbox-rest", daemon=True).start()

    async def _rest(self, endings: list[Ending], wait: Callable[[], Later[None]]) -> None:
        """Wait before the store is asked again."""
        try:
            await wait()
        except BaseException:
            self._abandon(Turn(endings=endings))
            raise

    def _store_failed(self, error: Exception) -> None:
        kind = error.kind if isinstance(error, OutboxStoreError) else type(error).__name__
        self._quiet.trouble(
            "store", "the outbox's database cannot be used (%s); workers wait", kind
        )

    async def _write_down(self, endings: list[Ending]) -> None:
        """Write endings down; while the store is away it is tried again and again."""
        waited_ms = _FIRST_WAIT_MS
        while True:
            try:
                worker = await run_blocking(self._enlisted)
                turn = Turn(endings=endings)
                await run_blocking(partial(self._store.visit, worker, turn, _no_id))
                self._quiet.over("store", "the outbox's database answers again")
            except Exception as error:  # noqa: BLE001 - what was done must not be forgotten
                self._store_failed(error)
                await self._rest(endings, partial(self._ports.sleep_ms, waited_ms))
                waited_ms = min(waited_ms * 2, _LONGEST_WAIT_MS)
            except BaseException:
                self._abandon(Turn(endings=endings))
                raise
            else:
                self._tell(turn)
                return

    def _visit(self, turns: Sequence[Turn]) -> Worker:
        """Write down what was done, and claim more."""
        worker = self._enlisted()
        self._store.visit_all(worker, turns, self._courier.make_id)
        if any(turn.buried for turn in turns):
            self._tend(worker)
        return worker

    def _tell(self, turn: Turn) -> None:
        for claim, outcome in turn.endings:
            harmless(self._ended, claim, outcome, turn.at_ms, turn.rows.get(claim.id))


def _no_id(_operation: str, _instance: str) -> None:
    """Make no id: nothing is claimed."""
