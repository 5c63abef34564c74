"""Procrastinate 3 as the engine of an outbox in PostgreSQL (extra ``outbox-postgres``).

Its jobs hold the number of a row and nothing else. Procrastinate leaves the job of a killed worker
as it is; here it is given back, and the outbox looks for what that worker may have sent.

Workers: ``await engine.run(concurrency=4)``, for an :class:`Outbox` and an :class:`AsyncOutbox`
alike; a command calls ``asyncio.run(engine.run(…))``.
"""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from evolution_sdk._base.harmless import quiet_logger
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk._common.arguments import checked
from evolution_sdk._sql.postgres import KEEPALIVES, load_psycopg
from evolution_sdk._sql.troubles import of_connecting, of_postgres
from evolution_sdk.errors import ConfigurationError, OutboxStoreError

from .engine import OutboxWork
from .handing_over import Statement
from .jobs import OutboxJob

if TYPE_CHECKING:
    from procrastinate import App, JobContext
    from procrastinate.jobs import Job

__all__ = ["ProcrastinateEngine"]

_log = quiet_logger("evolution_sdk.outbox")
_AT_ONCE = 500
_LOCK = 0x70726F63  # one process at a time makes the tables
_FUNCTION = re.compile(r"\bprocrastinate_\w+_v\d+(?=\()")
_REST_S = 2.0
# Before all messages, whose priorities end at 32,767: it is what brings lost ones back.
_FIRST = 1_000_000
_DIVISORS = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60)
_ACTIVE = (
    "SELECT DISTINCT lock FROM procrastinate_jobs "
    "WHERE status IN ('todo', 'doing') AND lock = ANY(%(locks)s)"
)


@checked()
class ProcrastinateEngine:
    """Moves the messages of an outbox on by jobs of Procrastinate, in the outbox's own database.

    A job is written in the transaction that writes its message, also in that of ``outbox.using``.
    The jobs of a chat follow each other by Procrastinate's ``lock``; that of a message with
    ``not_before`` has none until its time, for a job that is not due holds up all behind it.

    Args:
        app: The program's own app, over the database and schema of the outbox. Default: one is
            made, with connections of its own.
        queue: Name of its queue, and of its tasks; engines that share an app need several.
        recover_every_s: How often lost work is looked for, in seconds: 1 to 60, a divisor of 60.

    Raises:
        ConfigurationError: The extra is not installed, or a value breaks a rule.
    """

    def __init__(
        self,
        app: App | None = None,
        *,
        queue: str = "evolution_outbox",
        recover_every_s: int = 10,
    ) -> None:
        if not 0 < len(queue) <= 64:
            raise ConfigurationError("queue: must have 1 to 64 characters.", variable="queue")
        if recover_every_s not in _DIVISORS:
            raise ConfigurationError(
                f"recover_every_s: must be one of {', '.join(map(str, _DIVISORS))}.",
                variable="recover_every_s",
            )
        self._procrastinate = _loaded()
        self._given = app
        self._app: App | None = None
        self._work: OutboxWork | None = None
        self._queue = queue
        self._recover_every_s = recover_every_s
        self._threads: ThreadPoolExecutor | None = None
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._quiet = QuietLog(_log)
        # What this process works on, and as whom.
        self._under_way: set[int | None] = set()
        self._worker_id: int | None = None

    @property
    def app(self) -> App:
        """The app, with the tasks of the outbox, for Procrastinate's own commands.

        Raises:
            ConfigurationError: No outbox was made with this engine yet.
        """
        if self._app is None:
            raise ConfigurationError(
                "Make the outbox first: Outbox(…, engine=engine).", variable="engine"
            )
        return self._app

    def attach(self, work: OutboxWork) -> None:
        """Take the outbox; see :meth:`OutboxEngine.attach`."""
        if self._work is not None:
            raise ConfigurationError(
                "engine: belongs to another outbox; make one for each.", variable="engine"
            )
        if not work.url:
            raise ConfigurationError(
                "engine: Procrastinate needs an outbox in PostgreSQL: "
                "Outbox('postgresql://…', engine=…).",
                variable="engine",
            )
        app = self._given
        if app is None:
            connector = self._procrastinate.PsycopgConnector(
                conninfo=work.url, min_size=1, max_size=4, kwargs=dict(_CONNECTING)
            )
            app = self._procrastinate.App(connector=connector)
        self._work, self._app = work, app
        self._add_tasks(app)

    def enqueue(self, jobs: Sequence[OutboxJob]) -> list[Statement]:
        """Make the statements that write jobs; see :meth:`OutboxEngine.enqueue`."""
        return [
            self._statement(jobs[place : place + _AT_ONCE])
            for place in range(0, len(jobs), _AT_ONCE)
        ]

    def wake(self, jobs: Sequence[OutboxJob]) -> None:
        """Do nothing: PostgreSQL tells Procrastinate's workers by itself, on commit.

        Args:
            jobs: The jobs.
        """

    def migrate(self) -> None:
        """Make Procrastinate's tables where there are none, else check their version.

        Tables of an older version are left as they are: Procrastinate's own migrations may need
        its workers to be stopped.

        Raises:
            OutboxStoreError: It could not be done, or the tables are of another version.
        """
        from procrastinate.schema import SchemaManager

        psycopg = load_psycopg()
        try:
            connection = psycopg.connect(self._attached.url, **_CONNECTING)
        except (psycopg.Error, UnicodeError) as error:
            trouble = of_connecting(error)
            raise OutboxStoreError(str(trouble), kind=trouble.kind) from None
        try:
            with connection:
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
                there = connection.execute("SELECT to_regclass('procrastinate_jobs')").fetchone()
                if there[0] is None:
                    connection.execute(SchemaManager.get_schema())
                missing = [name for name in _needed() if not _has(connection, name)]
        except psycopg.Error as error:
            trouble = of_postgres(error)
            raise OutboxStoreError(str(trouble), kind=trouble.kind) from error
        if missing:
            raise OutboxStoreError(
                "The tables of Procrastinate are of another version than the installed one "
                f"({missing[0]} is missing). Apply the migrations that it ships: "
                "procrastinate schema --migrations-path.",
                kind="schema",
            )

    async def run(
        self,
        *,
        concurrency: int = 4,
        stop_timeout_ms: float = 90_000,
        handle_signals: bool = True,
    ) -> None:
        """Work until :meth:`stop`, a signal, or cancellation; through outages of the database.

        Args:
            concurrency: Messages sent at once by this process, 1 or more.
            stop_timeout_ms: Longest wait at the end for what is being sent, in milliseconds; the
                rest is looked for by the next who works here.
            handle_signals: Whether SIGINT and SIGTERM end it, where it runs in the main thread.

        Raises:
            ConfigurationError: A value breaks a rule.
        """
        if concurrency < 1:
            raise ConfigurationError("concurrency: must be 1 or more.", variable="concurrency")
        work, stop = self._attached, asyncio.Event()
        self._loop, self._stop = asyncio.get_running_loop(), stop
        if not work.awaits:
            self._threads = ThreadPoolExecutor(concurrency + 1, "evolution-outbox-job")
        options: dict[str, Any] = {
            "queues": [self._queue],
            "name": self._queue,
            "concurrency": concurrency,
            # The outbox's table is the record; finished jobs would only fill this one.
            "delete_jobs": "successful",
            "install_signal_handlers": False,
            # Nobody is told when the time of a job has come.
            "fetch_job_polling_interval": work.poll_ms / 1_000,
            "update_heartbeat_interval": work.lease_ms / 4_000,
            "stalled_worker_timeout": work.lease_ms / 1_000,
            "shutdown_graceful_timeout": stop_timeout_ms / 1_000,
        }
        try:
            with _signals(stop.set if handle_signals else None):
                while not stop.is_set():
                    await self._run_once(options, stop)
        finally:
            if self._threads is not None:
                self._threads.shutdown(wait=False)
            self._stop = self._threads = self._loop = None

    def stop(self) -> None:
        """Let :meth:`run` finish what is being sent, and return; from any thread."""
        loop, stop = self._loop, self._stop
        if loop is not None and stop is not None:
            with suppress(RuntimeError):  # the loop may be closed by now
                loop.call_soon_threadsafe(stop.set)

    @property
    def _attached(self) -> OutboxWork:
        if self._work is None:
            raise ConfigurationError(
                "Make the outbox first: Outbox(…, engine=engine).", variable="engine"
            )
        return self._work

    async def _run_once(self, options: Mapping[str, Any], stop: asyncio.Event) -> None:
        """Run a worker of Procrastinate, which ends when its database is away."""
        self._worker_id = None
        worker = asyncio.create_task(self._worker(options))
        stopped = asyncio.create_task(stop.wait())
        watch = asyncio.create_task(self._watch())
        try:
            await asyncio.wait({worker, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            watch.cancel()
            # It finishes what it has begun before it ends.
            worker.cancel()
            (ended,) = await asyncio.gather(worker, return_exceptions=True)
        if stop.is_set():
            return
        reason = type(ended).__name__ if isinstance(ended, BaseException) else "it ended"
        self._quiet.trouble(
            "worker", "Procrastinate's worker has ended (%s); it starts anew", reason
        )
        with suppress(TimeoutError):
            async with asyncio.timeout(_REST_S):
                await stop.wait()

    async def _worker(self, options: Mapping[str, Any]) -> None:
        app, exceptions = self.app, self._procrastinate.exceptions
        await self._call(self._attached.start)
        try:
            await app.check_connection_async()
        except exceptions.AppNotOpen:
            async with app.open_async():
                await app.run_worker_async(**options)
        else:
            await app.run_worker_async(**options)

    async def _call(self, work: Callable[..., Any], *values: Any) -> Any:
        """Call the outbox, of either colour."""
        if self._attached.awaits:
            return await work(*values)
        return await self._blocking(work, *values)

    async def _blocking(self, work: Callable[..., Any], *values: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(work, *values))

    def _add_tasks(self, app: App) -> None:
        from procrastinate import BaseRetryStrategy, RetryDecision

        class ComeAgain(BaseRetryStrategy):
            def get_retry_decision(
                self, *, exception: BaseException, job: Job
            ) -> RetryDecision | None:
                if isinstance(exception, _NotYetError):
                    return RetryDecision(retry_at=exception.at)
                if isinstance(exception, asyncio.CancelledError):
                    return RetryDecision()
                return RetryDecision(retry_in={"seconds": 5})

        task: Any = app.task(
            name=f"{self._queue}:deliver", queue=self._queue, retry=ComeAgain(), pass_context=True
        )
        task(self._deliver)
        task = app.task(
            name=f"{self._queue}:recover",
            queue=self._queue,
            queueing_lock=f"{self._queue}:recover",
            priority=_FIRST,
            pass_context=True,
        )
        every = "0" if self._recover_every_s == 60 else f"*/{self._recover_every_s}"
        periodic: Any = app.periodic(cron=f"* * * * * {every}", periodic_id=self._queue)
        periodic(task(self._recover))

    @contextmanager
    def _working_on(self, job: Job) -> Generator[None]:
        self._worker_id = job.worker_id
        self._under_way.add(job.id)
        try:
            yield
        finally:
            self._under_way.discard(job.id)

    async def _deliver(self, context: JobContext, row_id: int) -> None:
        """Be the job of a row."""
        with self._working_on(context.job):
            at = await self._call(self._attached.carry, row_id)
        if at is not None:
            raise _NotYetError(at)

    async def _recover(self, context: JobContext, timestamp: int) -> None:
        """Look for lost work: of dead workers, and without a job."""
        del timestamp
        with self._working_on(context.job):
            await self._look_for_lost_work()

    async def _look_for_lost_work(self) -> None:
        try:
            rows = await self._call(self._attached.recover)
            await self._give_back_of_the_dead()
            jobs = await self._blocking(self._attached.jobs, rows)
            found = await self.app.connector.execute_query_all_async(
                _ACTIVE, locks=[job.lock for job in jobs]
            )
            active = {row["lock"] for row in found}
            lost = [job for job in jobs if job.lock not in active]
            if lost:
                await self.app.job_manager.batch_defer_jobs_async(list(map(self._job, lost)))
        except (OutboxStoreError, self._procrastinate.exceptions.ConnectorException) as error:
            kind = error.kind if isinstance(error, OutboxStoreError) else type(error).__name__
            self._quiet.trouble("recover", "lost work cannot be looked for (%s)", kind)
        else:
            self._quiet.over("recover", "lost work is looked for again")

    async def _watch(self) -> None:
        """Find jobs of this worker that are done, and whose end could not be written down.

        A connection that breaks just then leaves them to a worker that lives, for Procrastinate:
        the lock of their chat would be held for as long as this process runs.
        """
        idle = set[int | None]()
        while True:
            await asyncio.sleep(self._recover_every_s)
            # What is told here ends the worker, too, which says so.
            with suppress(self._procrastinate.exceptions.ProcrastinateException):
                idle = await self._give_back_own(idle)

    async def _give_back_own(self, before: set[int | None]) -> set[int | None]:
        """Give back what nobody has worked on at two looks; return what is idle at this one."""
        if self._worker_id is None:
            return set()
        jobs = await self.app.job_manager.list_jobs_async(
            queue=self._queue, status="doing", worker_id=self._worker_id
        )
        idle = {job.id: job for job in jobs if job.id not in self._under_way}
        await self._give_back([job for number, job in idle.items() if number in before])
        return idle.keys() - before

    async def _give_back_of_the_dead(self) -> None:
        await self._give_back(
            await self.app.job_manager.get_stalled_jobs(
                queue=self._queue, seconds_since_heartbeat=self._attached.lease_ms / 1_000
            )
        )

    async def _give_back(self, jobs: Iterable[Job]) -> None:
        """Queue jobs anew: the outbox knows what was done for them."""
        manager, exceptions = self.app.job_manager, self._procrastinate.exceptions
        for job in jobs:
            # Another worker may be giving it back just now.
            with suppress(exceptions.ConnectorException):
                if job.task_name.endswith(":deliver"):
                    await manager.retry_job(job)
                else:
                    status = self._procrastinate.jobs.Status.FAILED
                    await manager.finish_job(job, status=status, delete_job=True)

    def _job(self, job: OutboxJob) -> Job:
        made: Job = self._procrastinate.jobs.Job(
            queue=self._queue,
            task_name=f"{self._queue}:deliver",
            lock=job.lock,
            queueing_lock=None,
            priority=job.priority,
            scheduled_at=job.not_before,
            task_kwargs={"row_id": job.row_id},
        )
        return made

    def _statement(self, jobs: Sequence[OutboxJob]) -> Statement:
        """The statement by which Procrastinate itself would write jobs."""
        from procrastinate.manager import JobManager

        noted = _noting()
        manager = JobManager(noted)
        manager.batch_defer_jobs(list(map(self._job, jobs)))
        query, values = noted.asked
        return query.replace("%(jobs)s", "?"), values

    def __repr__(self) -> str:
        return f"{type(self).__name__}(queue={self._queue!r})"


_CONNECTING: Mapping[str, Any] = {"connect_timeout": 5, **KEEPALIVES}


class _NotYetError(Exception):
    """Tells Procrastinate to run a job again."""

    def __init__(self, at: Any) -> None:
        super().__init__("the outbox has more to do for it later")
        self.at = at


def _loaded() -> Any:
    try:
        import procrastinate
    except ImportError:
        raise ConfigurationError(
            "Jobs of Procrastinate need an extra: pip install 'evolutionapi-sdk[outbox-postgres]'.",
            variable="evolutionapi-sdk[outbox-postgres]",
        ) from None
    return procrastinate


def _noting() -> Any:
    """A connector that notes what Procrastinate would ask, for a transaction of somebody else."""
    from procrastinate.connector import BaseConnector

    psycopg = load_psycopg()
    import psycopg.types.json as _  # noqa: F401

    class Noting(BaseConnector):
        asked: tuple[str, tuple[Any, ...]] = ("", ())

        def get_sync_connector(self) -> BaseConnector:
            return self

        def execute_query_all(self, query: Any, **arguments: Any) -> list[dict[str, Any]]:
            jobs = [
                tuple(
                    psycopg.types.json.Jsonb(value) if isinstance(value, dict) else value
                    for value in job
                )
                for job in arguments["jobs"]
            ]
            self.asked = (query, (jobs,))
            return [{"id": 0}] * len(jobs)

    return Noting()


def _needed() -> list[str]:
    """The functions that the installed Procrastinate calls in the database."""
    from procrastinate import sql

    return sorted({name for query in sql.queries.values() for name in _FUNCTION.findall(query)})


def _has(connection: Any, name: str) -> bool:
    found = connection.execute(
        "SELECT 1 FROM pg_proc WHERE proname = %s AND pg_function_is_visible(oid)", (name,)
    )
    return found.fetchone() is not None


@contextmanager
def _signals(stop: Callable[[], None] | None) -> Generator[None]:
    """Call something on SIGINT and SIGTERM, where that can be done."""
    loop = asyncio.get_running_loop()
    taken: list[signal.Signals] = []
    if stop is not None:
        # Not in another thread than the main one, and not on Windows.
        with suppress(NotImplementedError, RuntimeError, ValueError):
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, stop)
                taken.append(number)
    try:
        yield
    finally:
        for number in taken:
            loop.remove_signal_handler(number)
