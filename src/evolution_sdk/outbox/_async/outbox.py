"""The outbox: messages that are handed over are written down first, and sent once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

from evolution_sdk._async._seam import Later, run_blocking
from evolution_sdk._async.pipeline import Pipeline
from evolution_sdk._async.resources.messages import AsyncMessagesApi
from evolution_sdk._base.pending_calls import tracked_class
from evolution_sdk._common.arguments import checked
from evolution_sdk.config import OutboxConfig
from evolution_sdk.errors import ConfigurationError, RequestValidationError
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.identity._server import recipient, with_country_code
from evolution_sdk.operations.target import Target
from evolution_sdk.outbox import changes, questions
from evolution_sdk.outbox.claims import ready_rows
from evolution_sdk.outbox.composing import chat_of, names_of
from evolution_sdk.outbox.decisions import Rules
from evolution_sdk.outbox.engine import OutboxEngine, OutboxWork
from evolution_sdk.outbox.events import OutboxEvent, OutboxEventName
from evolution_sdk.outbox.facts import OutboxFact
from evolution_sdk.outbox.handing_over import OutboxDraft, drafts_of, millis
from evolution_sdk.outbox.jobs import OutboxJob
from evolution_sdk.outbox.options import OwnOptions, WhenUnknown
from evolution_sdk.outbox.payload import open_cipher
from evolution_sdk.outbox.questions import OptOut, OutboxPause, OutboxStats
from evolution_sdk.outbox.records import OutboxMessage, OutboxState
from evolution_sdk.outbox.schedule import jobs_of, jobs_of_key
from evolution_sdk.outbox.store import OutboxStore

from ._seam import AWAITS
from .courier import Courier
from .drafting import DraftMaker
from .messages import AsyncOutboxMessages
from .runner import Runner
from .telling import Teller
from .waiting import until_reached
from .within import AsyncOutboxTransaction

if TYPE_CHECKING:
    from evolution_sdk._async.client import AsyncEvolutionClient
    from evolution_sdk._async.namespaces import AsyncInstance

__all__ = ["AsyncOutbox"]

_FIRST_PAUSE_MS = 2_000.0
_LONGEST_PAUSE_MS = 300_000.0
# A job of an engine ends now and then, so that others have their turn and a worker can stop.
_CARRIED_AT_ONCE = 5

Handler: TypeAlias = Callable[[OutboxEvent], object]


@tracked_class
@checked()
class AsyncOutbox:
    """Sends messages that must not be lost or doubled, whatever dies meanwhile.

    A hand-over checks the message as the client does, writes one row, and returns. Workers, of this
    process or of others, send it: in order for each chat, different chats at once. A message whose
    answer was lost, or whose worker died, is looked for and never just sent again.

    Args:
        store: Where it is kept: the path of a SQLite file, which the processes of one machine may
            share, or ``postgresql://…`` for several machines. Default: ``EVOLUTION_OUTBOX_STORE``,
            else ``outbox.db``.
        client: The client, or a handle of an instance, that checks and sends.
        workers: Messages sent at once by this process. Default: the settings (4).
        on_unknown: What becomes of a message of which neither is proven, that it was sent or that
            it was not: ``hold`` (it waits as ``unknown`` for :meth:`resolve`) or ``resend``.
            Default: the settings (``hold``).
        encryption_key: Key of Fernet that encrypts contents and files in the store; several, the
            newest first, separated by commas. Default: ``EVOLUTION_OUTBOX_KEY``, else none.
        max_file_bytes: Largest file that is kept beside a message, in bytes. Default: the settings
            (16 MiB).
        max_failures: So often may the server itself refuse a message for a passing reason before it
            counts as failed. Default: the settings (10).
        poll_ms: Longest wait before the store is asked for work of other processes, in
            milliseconds. Default: the settings (1,000).
        lease_ms: How long a worker over PostgreSQL is believed to be alive without a word, in
            milliseconds. Default: the settings (30,000).
        tokens: Keys of instances that the client's own key may not use: by name, or a function of
            it. Keys are never stored.
        engine: A job queue that moves the messages on, such as :class:`ProcrastinateEngine`.
            Default: workers of the outbox's own.

    Raises:
        ConfigurationError: A setting is wrong, or an extra is not installed.

    Attributes:
        messages: The sends of ``client.messages``; each returns an :class:`OutboxMessage`.
        drafts: The same; each returns an :class:`OutboxDraft`, for :meth:`put_many`.
    """

    def __init__(
        self,
        store: str | Path | None = None,
        *,
        client: AsyncEvolutionClient | AsyncInstance,
        workers: int | None = None,
        on_unknown: WhenUnknown | None = None,
        encryption_key: str | None = None,
        max_file_bytes: int | None = None,
        max_failures: int | None = None,
        poll_ms: float | None = None,
        lease_ms: float | None = None,
        tokens: Mapping[str, str] | Callable[[str], str | None] | None = None,
        engine: OutboxEngine | None = None,
    ) -> None:
        self._pipeline, target = _parts_of(client)
        self._instance = target.instance
        settings: OutboxConfig = self._pipeline.config.outbox
        changed = {
            "workers": workers,
            "on_unknown": on_unknown,
            "key": encryption_key,
            "max_file_bytes": max_file_bytes,
            "max_failures": max_failures,
            "poll_ms": poll_ms,
            "lease_ms": lease_ms,
        }
        chosen = {name: value for name, value in changed.items() if value is not None}
        self._settings = settings.replace(**chosen) if chosen else settings
        key = self._settings.key
        ports = self._pipeline.ports
        self._store = OutboxStore(
            store if store is not None else self._settings.store.get_secret_value(),
            cipher=None if key is None else open_cipher(key.get_secret_value()),
            clock=ports.clock,
            curve=_pause_ms,
        )
        tokens_of = partial(_token_of, target, tokens)
        courier = Courier(
            self._pipeline, self._store, tokens_of, Rules(self._settings.max_failures)
        )
        self._teller = Teller(self._pipeline, self._store)
        self._runner = Runner(
            self._store,
            courier,
            ports,
            self._teller.ended,
            self._teller.dropped,
            poll_ms=self._settings.poll_ms,
            lease_ms=self._settings.lease_ms,
        )
        drafts = DraftMaker(self._pipeline, self._store, self._settings, target.instance)
        self._draft = drafts.make
        self.messages: AsyncOutboxMessages[OutboxMessage] = AsyncOutboxMessages(self._put)
        self.drafts: AsyncOutboxMessages[OutboxDraft] = AsyncOutboxMessages(self._draft)
        if engine is not None:
            self._attach(engine)

    def _attach(self, engine: OutboxEngine) -> None:
        if not callable(getattr(engine, "attach", None)):
            raise ConfigurationError(
                "engine: must be an OutboxEngine, such as ProcrastinateEngine().", variable="engine"
            )
        self._store.engine = engine
        engine.attach(
            OutboxWork(
                awaits=AWAITS,
                url=self._store.address,
                lease_ms=self._settings.lease_ms,
                poll_ms=self._settings.poll_ms,
                start=self.start,
                carry=self._carry,
                recover=self.recover,
                jobs=lambda rows: self._read(partial(jobs_of, numbers=rows)),
            )
        )

    async def _carry(self, row_id: int) -> datetime | None:
        """Carry some messages of a chat; tells when to come again."""
        answer = await self._runner.deliver(row_id, most=_CARRIED_AT_ONCE)
        if answer is None:
            return None
        return await run_blocking(partial(self._store.again_at, row_id, answer))

    async def put_many(self, drafts: Sequence[OutboxDraft]) -> list[OutboxMessage]:
        """Write many messages in one transaction: all of them, or none.

        Args:
            drafts: The messages, made with :attr:`drafts`.

        Returns:
            The messages, in the same order; of a key that was there already, the first row.

        Raises:
            OutboxConflictError: A key belongs to another message; nothing was written.
            RecipientOptedOutError: A recipient opted out; nothing was written.
            OutboxStoreError: Nothing was written.
        """
        made = await run_blocking(partial(self._store.put, drafts_of(drafts)))
        self._runner.ring()
        return made

    def using(self, connection: Any) -> AsyncOutboxTransaction:
        """Hand messages over in a transaction of the program: they commit or vanish with it.

        Args:
            connection: A connection of psycopg 3 to the database of the outbox, of either colour,
                of :mod:`sqlite3` to its file, or one of SQLAlchemy or Django around such a one. It
                must not be in autocommit mode outside of a transaction.

        Returns:
            What has ``messages`` and ``put_many`` over that connection. Workers find the messages
            once it has committed.

        Raises:
            ConfigurationError: It is no such connection.
        """
        return AsyncOutboxTransaction(connection, self._store, self._draft)

    async def get(self, key: str) -> OutboxMessage | None:
        """Return a message by its key; None if there is none.

        Args:
            key: Its key.

        Raises:
            OutboxStoreError: The store cannot be read.
        """
        found: OutboxMessage | None = await run_blocking(partial(self._read, partial(_by_key, key)))
        return found

    async def find(
        self,
        *,
        state: OutboxState | str | Collection[OutboxState | str] | None = None,
        recipient: str | PhoneNumber | Jid | None = None,
        instance: str | None = None,
        since: datetime | None = None,
        after_id: int = 0,
        limit: int = 100,
    ) -> list[OutboxMessage]:
        """Return messages, the oldest first.

        Args:
            state: Only in this state, or in one of these. Default: all.
            recipient: Only to this number or JID. Default: all.
            instance: Only of this instance. Default: all.
            since: Only handed over since then (aware). Default: all.
            after_id: Only rows after this one, to read page by page.
            limit: Most messages, 1 or more.

        Raises:
            RequestValidationError: A value breaks a rule.
            OutboxStoreError: The store cannot be read.
        """
        if limit < 1:
            raise RequestValidationError("limit", "must be 1 or more")
        if since is not None and since.utcoffset() is None:
            raise RequestValidationError("since", "must be aware, such as datetime.now(UTC)")
        ask = partial(
            questions.find,
            states=_states(state),
            chats=() if recipient is None else self._chats(recipient, "recipient"),
            instance=instance,
            since_ms=millis(since),
            after_id=after_id,
            limit=limit,
        )
        return await run_blocking(partial(self._read, ask))

    async def counts(self, instance: str | None = None) -> dict[str, int]:
        """Count the messages by state: ``{"queued": 3, "sending": 1, "sent": 996}``.

        Args:
            instance: Only of this instance. Default: all.

        Raises:
            OutboxStoreError: The store cannot be read.
        """
        figures = await self.stats()
        found: dict[str, int] = {}
        for (name, state), many in figures.counts.items():
            if instance in (None, name):
                found[state] = found.get(state, 0) + many
        return found

    async def stats(self) -> OutboxStats:
        """Return figures about the outbox: counts, ages and pauses.

        Raises:
            OutboxStoreError: The store cannot be read.
        """
        return await run_blocking(self.read_stats)

    def read_stats(self) -> OutboxStats:
        """Return the figures of :meth:`stats`, blocking: for monitors, from any thread.

        Raises:
            OutboxStoreError: The store cannot be read.
        """
        with self._store.counting() as (session, now):
            return questions.stats(session, now)

    async def wait(
        self,
        key: str,
        state: Literal["sent", "server", "delivered", "read"] = "sent",
        *,
        timeout_ms: float = 60_000,
    ) -> OutboxMessage:
        """Wait until a message got that far.

        Args:
            key: Its key.
            state: How far; a later state is further. ``server``, ``delivered`` and ``read`` need
                events: a receiver or stream with this client, in some process.
            timeout_ms: Longest wait, in milliseconds.

        Returns:
            The message.

        Raises:
            OutboxEndedError: It failed, was refused, or is unknown: it will not get that far by
                itself.
            WaitTimeoutError: It did not get that far in time.
            RequestValidationError: There is no such message.
            OutboxStoreError: The store cannot be read.
        """
        ports = self._pipeline.ports
        return await until_reached(self.get, self._teller, ports, key, state, timeout_ms)

    async def cancel(self, key: str, *, reason: str = "cancelled") -> bool:
        """Take a message back that is not being sent yet.

        Args:
            key: Its key.
            reason: Words to be kept with it.

        Returns:
            Whether it was taken back; False if it is being sent, or is over.

        Raises:
            OutboxStoreError: The store cannot be written.
        """
        return await self._change(key, partial(changes.cancel, key=key, reason=reason))

    async def retry(self, key: str) -> bool:
        """Queue a message anew that has failed, expired, was refused or taken back.

        Args:
            key: Its key.

        Returns:
            Whether it was queued; False in all other states. One that is ``unknown`` may have been
            sent: see :meth:`resolve`.

        Raises:
            OutboxStoreError: The store cannot be written.
        """
        ask = partial(
            changes.requeue, key=key, states=changes.RETRIABLE, reason="queued anew", same_id=False
        )
        return await self._change(key, ask)

    async def resolve(self, key: str, *, sent: bool) -> bool:
        """Decide about a message that is ``unknown``, after a person has looked at the phone.

        Args:
            key: Its key.
            sent: True: it was sent. False: it was not, and is sent again.

        Returns:
            Whether it was unknown.

        Raises:
            OutboxStoreError: The store cannot be written.
        """
        if sent:
            return await self._change(key, partial(changes.resolve_sent, key=key))
        ask = partial(
            changes.requeue,
            key=key,
            states=("unknown",),
            reason="a person says that it was not sent",
            same_id=True,
        )
        return await self._change(key, ask)

    async def purge(self, older_than: timedelta) -> int:
        """Delete messages that are over, with files that nobody needs; never unknown ones.

        Their keys are forgotten: a message that is handed over again under one is sent again. A
        file is kept for an hour at least.

        Args:
            older_than: Only those that were due (``not_before``, else the hand-over) longer ago
                than this.

        Returns:
            How many were deleted.

        Raises:
            RequestValidationError: The time is negative.
            OutboxStoreError: The store cannot be written.
        """
        if older_than < timedelta(0):
            raise RequestValidationError("older_than", "must not be negative")
        age_ms = round(older_than.total_seconds() * 1_000)

        def purge(instance: str, state: str) -> int:
            with self._store.writing() as (session, now):
                return changes.purge(session, instance, state, now.wall - age_ms)

        def purge_files() -> int:
            with self._store.writing() as (session, now):
                return changes.purge_files(session, now)

        total = 0
        for instance, state in await run_blocking(partial(self._read, changes.ended_kinds)):
            while gone := await run_blocking(partial(purge, instance, state)):
                total += gone
        while await run_blocking(purge_files):
            pass
        return total

    async def pause(self, instance: str | None = None, *, reason: str = "paused") -> None:
        """Send nothing more through an instance until :meth:`resume`; hand-overs go on.

        Args:
            instance: The instance. Default: all.
            reason: Words to be shown.

        Raises:
            OutboxStoreError: The store cannot be written.
        """

        def write() -> None:
            with self._store.writing() as (session, now):
                changes.set_pause(session, instance, reason, now)

        await run_blocking(write)

    async def resume(self, instance: str | None = None) -> bool:
        """End a pause at once, whoever began it.

        Args:
            instance: The instance. Default: the pause of all of them.

        Returns:
            Whether there was one.

        Raises:
            OutboxStoreError: The store cannot be written.
        """

        def write() -> bool:
            jobs: list[OutboxJob] = []
            with self._store.writing() as (session, _):
                ended = changes.end_pause(session, instance)
                if self._store.engine is not None:
                    # Jobs that were told of the pause come later, and hold the locks of their
                    # chats until then.
                    jobs = [
                        replace(one, lock=None) for one in jobs_of(session, ready_rows(session))
                    ]
                    self._store.hand_on(session, jobs)
            self._store.wake(jobs)
            return ended

        ended = await run_blocking(write)
        self._runner.ring()
        return ended

    async def pauses(self) -> tuple[OutboxPause, ...]:
        """Return the pauses in force, by persons and by troubles.

        Raises:
            OutboxStoreError: The store cannot be read.
        """
        return (await self.stats()).pauses

    async def opt_out(
        self,
        number: str | PhoneNumber | Jid,
        *,
        instance: str | None = None,
        reason: str = "",
    ) -> None:
        """Note that somebody asked not to be written to: hand-overs to them are refused.

        What was handed over before and is not sent yet is taken back when its turn comes.

        Args:
            number: The number or JID.
            instance: Only for this instance. Default: for all.
            reason: Words to be kept, such as the text of the request.

        Raises:
            RequestValidationError: It names nobody.
            OutboxStoreError: The store cannot be written.
        """
        chats = self._chats(number, "number")

        def write() -> None:
            with self._store.writing() as (session, now):
                for chat in chats:
                    changes.add_opt_out(session, instance, chat, reason, now)

        await run_blocking(write)

    async def opt_in(self, number: str | PhoneNumber | Jid, *, instance: str | None = None) -> bool:
        """Note that somebody may be written to again.

        Args:
            number: The number or JID.
            instance: As it was given to :meth:`opt_out`.

        Returns:
            Whether there was an opt-out.

        Raises:
            RequestValidationError: It names nobody.
            OutboxStoreError: The store cannot be written.
        """
        chats = self._chats(number, "number")

        def write() -> bool:
            with self._store.writing() as (session, _):
                return changes.drop_opt_out(session, instance, chats)

        return await run_blocking(write)

    async def opt_outs(self, *, limit: int = 1_000) -> list[OptOut]:
        """Return those who asked not to be written to, the earliest first.

        Args:
            limit: Most entries.

        Raises:
            OutboxStoreError: The store cannot be read.
        """
        return await run_blocking(partial(self._read, partial(questions.opt_outs, limit=limit)))

    async def migrate(self) -> int:
        """Make the tables, or bring them to the newest version; deletes nothing.

        A SQLite file does so by itself; for PostgreSQL call it once with a role that may make
        tables. The tables of the engine are made and checked as well.

        Returns:
            The version of the outbox's own before; 0 for none.

        Raises:
            OutboxStoreError: It could not be done; nothing was changed.
        """

        def make() -> int:
            before = self._store.migrate()
            if self._store.engine is not None:
                self._store.engine.migrate()
            return before

        return await run_blocking(make)

    async def start(self) -> Self:
        """Begin to send, with workers of this process.

        With an engine, its own workers send; then this only says that the process is alive.

        Returns:
            The outbox.

        Raises:
            OutboxStoreError: The store cannot be used.
        """
        self._teller.follow()
        await self._runner.start(0 if self._store.engine is not None else self._settings.workers)
        return self

    async def close(self, *, timeout_ms: float = 90_000) -> bool:
        """Claim nothing more, finish what is being sent, and close the store.

        Args:
            timeout_ms: Longest wait for what is being sent, in milliseconds.

        Returns:
            Whether all of it was finished; the rest is looked for by the next who works here.
        """
        over = await self._runner.stop(timeout_ms)
        await run_blocking(self._teller.close)
        if over:
            await run_blocking(self._store.close)
        return over

    async def deliver(self, row_id: int) -> Literal["busy", "paused", "waiting"] | None:
        """Send one message now, and before it what its chat still waits for: for job queues.

        Safe to call any number of times, from anywhere: each message is sent once.

        Args:
            row_id: ``OutboxMessage.id``.

        Returns:
            None when nothing is left to be done for it. Else why it must be called again later:
            ``busy`` (another worker has its chat), ``paused``, or ``waiting`` (not due, or its
            chat waits).

        Raises:
            OutboxStoreError: The store cannot be used; nothing is lost.
        """
        return await self._runner.deliver(row_id)

    async def recover(self) -> list[int]:
        """Look after what dead workers have left, and list what is due: for job queues.

        Returns:
            Rows for which :meth:`deliver` is to be called: one for each chat with work.

        Raises:
            OutboxStoreError: The store cannot be used.
        """
        return await self._runner.recover()

    def on(self, event: OutboxEventName, handler: Handler | None = None) -> Any:
        """Subscribe to an event; the handler is given an :class:`OutboxEvent`.

        Told by the process that did it: workers tell what they sent, whoever is fed with events
        tells ``delivered``, ``read`` and ``refused``.

        Args:
            event: ``sent``, ``server``, ``delivered``, ``read``, ``failed``, ``refused``,
                ``unknown``, ``expired``, ``cancelled`` or ``paused``.
            handler: The handler. Default: returns a decorator.

        Returns:
            The handler, or a decorator.

        Raises:
            ConfigurationError: There is no such event.
        """
        return self._teller.handlers.on(event, handler)

    def observe(self, observer: Callable[[OutboxFact], object]) -> Callable[[], None]:
        """Tell an observer of each send and each look of this process's workers: for metrics.

        It is called where they work, once the outcome is written down, and costs no query. What
        it raises is logged, and harms nothing.

        Args:
            observer: Takes an :class:`OutboxFact`.

        Returns:
            A function that ends it.
        """
        return self._teller.observers.add(observer)

    def once(self, event: OutboxEventName, handler: Handler | None = None) -> Any:
        """Subscribe to the next event of a name; see :meth:`on`."""
        return self._teller.handlers.once(event, handler)

    def remove_listener(self, event: OutboxEventName, handler: Handler) -> bool:
        """Unsubscribe a handler; tells if it was subscribed."""
        return self._teller.handlers.remove_listener(event, handler)

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._store.database!r}, instance={self._instance!r})"

    async def _put(
        self, own: OwnOptions, compose: Callable[[AsyncMessagesApi], Later[Any]]
    ) -> OutboxMessage:
        draft = await self._draft(own, compose)
        (made,) = await run_blocking(partial(self._store.put, [draft]))
        self._runner.ring()
        return made

    def _chats(self, number: str | PhoneNumber | Jid, field: str) -> tuple[str, ...]:
        """The names under which a person, known by any of them, has rows."""
        code = self._pipeline.config.default_country_code
        if isinstance(number, str) and code is not None:
            number = with_country_code(number, code, field)
        try:
            known = recipient(number)
        except RequestValidationError as error:
            raise RequestValidationError(field, error.rule) from None
        names = names_of(known, self._pipeline.parts.reconciler.lids)
        return tuple(dict.fromkeys(map(chat_of, names)))

    def _read(self, ask: Callable[[Any], Any]) -> Any:
        with self._store.reading() as session:
            return ask(session)

    async def _change(self, key: str, ask: Callable[..., bool]) -> bool:
        def write() -> tuple[bool, OutboxMessage | None]:
            jobs: list[OutboxJob] = []
            with self._store.writing() as (session, now):
                done = ask(session, now)
                if done and self._store.engine is not None:
                    jobs = jobs_of_key(session, key)
                    self._store.hand_on(session, jobs)
                found = done, questions.by_key(session, key)
            self._store.wake(jobs)
            return found

        done: bool
        done, message = await run_blocking(write)
        if done and message is not None:
            self._teller.moved(message)
        self._runner.ring()
        return done


def _by_key(key: str, session: Any) -> OutboxMessage | None:
    return questions.by_key(session, key)


def _states(
    given: OutboxState | str | Collection[OutboxState | str] | None,
) -> tuple[str, ...]:
    if given is None:
        return ()
    names = (given,) if isinstance(given, str) else tuple(given)
    known = [one.value for one in OutboxState]
    for name in names:
        if name not in known:
            raise RequestValidationError("state", f"must be one of {', '.join(known)}")
    return tuple(str(OutboxState(name).value) for name in names)


def _parts_of(client: Any) -> tuple[Pipeline, Target]:
    """The client's own parts, which are used as they are, and not made a second time."""
    pipeline, target = getattr(client, "_pipeline", None), getattr(client, "_target", None)
    if not isinstance(pipeline, Pipeline) or not isinstance(target, Target):
        raise ConfigurationError(
            "client: must be an AsyncEvolutionClient, or one of its instances.", variable="client"
        )
    return pipeline, target


def _pause_ms(troubles: int) -> float:
    return min(_FIRST_PAUSE_MS * 2.0 ** min(troubles, 20), _LONGEST_PAUSE_MS)


def _token_of(
    target: Target,
    tokens: Mapping[str, str] | Callable[[str], str | None] | None,
    instance: str,
) -> str | None:
    """The key of an instance; None for the client's own."""
    if instance == target.instance and target.token is not None:
        return target.token
    if tokens is None:
        return None
    return tokens(instance) if callable(tokens) else tokens.get(instance)
