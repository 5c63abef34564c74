"""WebhookReceiver: accepts the events that the server posts, and has them handled afterwards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from evolution_sdk._base.forking import check
from evolution_sdk._base.serial_worker import on_event_loop
from evolution_sdk._common.arguments import checked
from evolution_sdk._sql.dialect import is_postgres
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import Event, EventBinder, EventRouter
from evolution_sdk.events._feeding import server_url_of
from evolution_sdk.retry import EvolutionRetryService

from .admission import AdmissionControl, at_least_one
from .asgi import AsgiApp
from .body import DEFAULT_MAX_BYTES, Headers, lower_headers
from .budget import BodyBudget
from .delivery_log import DeliveryLog
from .inbox import Inbox, MemoryInbox
from .postgres_inbox import PostgresInbox
from .queue import DeadLetter, DeliveryQueue, ReceiverMetrics
from .request_handler import RequestHandler
from .responses import Answer, Response
from .sqlite_inbox import SqliteInbox
from .verify import DEFAULT_LEEWAY_MS, Verification
from .worker_pool import WorkerPool
from .workers import DeliveryRunner, TaskWorkers, ThreadWorkers
from .wsgi import WsgiApp


@checked()
class WebhookReceiver:
    """Accepts events first and handles them afterwards, so that none is lost.

    An event is verified, parsed, told apart from copies, stored and answered. Workers then give it
    to the router: one event at a time for each chat, different chats at once. A request that is
    refused is answered with a status after which the server tries again (``ANSWERS``).

    Mount ``receiver.asgi`` or ``receiver.wsgi``, or call :meth:`handle` from a view. Inside a
    running event loop events are handled by tasks, else by threads; a forked process begins its own
    with the first event that it accepts.

    Args:
        router: Handles the events.
        client: Attached to each event, and fed with it. Sends whose answer was lost are settled
            only by a receiver that verifies: ``jwt_key``, ``secret_headers`` or ``apikeys``.
        jwt_key: The key that the webhook's header ``jwt_key`` holds, of 16 bytes or more; several
            while it is changed.
        jwt_leeway_ms: Time for which an expired token is still taken, in milliseconds: the server
            makes one per event, not per attempt. Default: 1 h, longer than it ever tries.
        secret_headers: Headers that must be there, each with its value or values.
        apikeys: Instance tokens, one of which the body must name.
        server_url: Required value of ``server_url`` in the body. Default: ``EVOLUTION_SERVER_URL``
            of the client's settings, else it is not looked at.
        inbox: Path of a SQLite file, address of a PostgreSQL database (``postgresql://…``), which
            receivers of several machines share, or an inbox. Default: memory, so that accepted
            events end with the process.
        retry: Repeats attempts of failing handlers. Default: one attempt, because a handler that
            sent something before it failed would send it twice.
        concurrency: Most events handled at once. Default: 16.
        max_queue: Most events waiting or being handled; beyond that the answer is 503. Default:
            10,000.
        max_queue_bytes: Most bytes of those, with the same answer. Default: 256 MiB.
        max_body_bytes: Most bytes of one body, packed and unpacked. Default: 20 MiB.
        max_unfinished_bytes: Most bytes of all bodies together that arrive or are being judged;
            beyond that the answer is 503. Default: 64 MiB, or twice ``max_body_bytes``.
        body_timeout_ms: Longest time for a body to arrive, in milliseconds. Default: 20 s.
        clock: Seconds since 1970.

    Raises:
        ConfigurationError: A value is empty, too short or out of range.
    """

    def __init__(
        self,
        router: EventRouter,
        *,
        client: EventBinder[Any, Any] | None = None,
        jwt_key: str | Iterable[str] | None = None,
        jwt_leeway_ms: float = DEFAULT_LEEWAY_MS,
        secret_headers: Mapping[str, str | Iterable[str]] | None = None,
        apikeys: str | Iterable[str] | None = None,
        server_url: str | None = None,
        inbox: Inbox | str | Path | None = None,
        retry: EvolutionRetryService | None = None,
        concurrency: int = 16,
        max_queue: int = 10_000,
        max_queue_bytes: int = 256 * 1024 * 1024,
        max_body_bytes: int = DEFAULT_MAX_BYTES,
        max_unfinished_bytes: int | None = None,
        body_timeout_ms: float = 20_000,
        clock: Callable[[], float] = time.time,
    ) -> None:
        at_least_one(
            concurrency=concurrency, max_queue=max_queue, max_queue_bytes=max_queue_bytes,
            max_body_bytes=max_body_bytes,
        )  # fmt: skip
        # The setting of the client counts, so that it is written in one place.
        server_url = server_url_of(client) if server_url is None else server_url
        verification = Verification.made(
            jwt_key=jwt_key, jwt_leeway_ms=jwt_leeway_ms, secret_headers=secret_headers,
            apikeys=apikeys, server_url=server_url,
        )  # fmt: skip
        self._router = router
        log = DeliveryLog()
        self._runner = DeliveryRunner(router, retry, client, log, clock=clock)
        self.max_body_bytes: int = max_body_bytes
        self.body_timeout_ms: float = body_timeout_ms
        self._admission = AdmissionControl(
            verification, max_body_bytes, max_unfinished_bytes, clock
        )
        if is_postgres(inbox):
            inbox = PostgresInbox(str(inbox))
        elif isinstance(inbox, str | Path):
            inbox = SqliteInbox(inbox)
        elif inbox is None:
            inbox = MemoryInbox()
        self._queue = DeliveryQueue(inbox, clock, max_queue, max_queue_bytes)
        self._pool = WorkerPool(self._queue, self._runner, concurrency)
        self._requests = RequestHandler(
            self._admission, self._queue, router, self._runner, clock, self._begin, log
        )
        self._door = _Door(self, self._requests, self._pool)
        self.asgi: AsgiApp = AsgiApp(self._door)
        self.wsgi: WsgiApp = WsgiApp(self._door)

    def handle(self, method: str, path: str, headers: Headers, body: bytes | None) -> Response:
        """Judge one request, store its event and answer.

        It never raises, and never waits for a handler.

        Args:
            method: The HTTP method.
            path: The path as it was asked for, query string included.
            headers: A mapping or pairs, of text or bytes.
            body: The body as it came.

        Returns:
            Status, headers and body of the answer; see ``ANSWERS``.
        """
        named, body, door = lower_headers(headers), body or b"", self._door
        # Its room is taken before anything is judged: many large bodies may come at once.
        with self._requests.held(door.judge_head(method, named), body) as refused:
            if refused is not None:
                return door.answer(refused)
            return door.handle_body(path, named, body)

    async def handle_async(
        self, method: str, path: str, headers: Headers, body: bytes | None
    ) -> Response:
        """Handle one request as :meth:`handle` does, without making an event loop wait for a file.

        Args:
            method: The HTTP method.
            path: The path as it was asked for, query string included.
            headers: A mapping or pairs, of text or bytes.
            body: The body as it came.

        Returns:
            Status, headers and body of the answer.
        """
        named, body, door = lower_headers(headers), body or b"", self._door
        with self._requests.held(door.judge_head(method, named), body) as refused:
            if refused is not None:
                return door.answer(refused)
            return await door.handle_body_async(path, named, body)

    def handle_body(self, path: str, headers: Headers, body: bytes) -> Response:
        """Handle a request that :meth:`judge_head` has let pass; else as :meth:`handle`.

        Args:
            path: The path as it was asked for, query string included.
            headers: A mapping or pairs, of text or bytes.
            body: The body as it came.

        Returns:
            Status, headers and body of the answer.
        """
        return self._door.handle_body(path, headers, body)

    async def handle_body_async(self, path: str, headers: Headers, body: bytes) -> Response:
        """Handle a body as :meth:`handle_body` does, without making an event loop wait for it.

        Args:
            path: The path as it was asked for, query string included.
            headers: A mapping or pairs, of text or bytes.
            body: The body as it came.

        Returns:
            Status, headers and body of the answer.
        """
        return await self._door.handle_body_async(path, headers, body)

    def judge_head(self, method: str, headers: Headers) -> Answer | None:
        """Judge a request before its body is read.

        Args:
            method: The HTTP method.
            headers: A mapping or pairs, of text or bytes.

        Returns:
            The reason to refuse it, or None.
        """
        return self._door.judge_head(method, headers)

    def answer(self, answer: Answer) -> Response:
        """Count an answer and make its response.

        Args:
            answer: The reason for the answer.

        Returns:
            Status, headers and body.
        """
        return self._door.answer(answer)

    def start(self) -> Self:
        """Begin to handle events in threads, also those that an earlier process left.

        Returns:
            The receiver itself.

        Raises:
            ConfigurationError: The router needs an event loop, or the inbox cannot be used.
        """
        if not self._pool.alive:
            self._router.check_sync()
            self._pool.begin(ThreadWorkers)
        return self

    def start_tasks(self) -> Self:
        """Begin to handle events in tasks of the running loop, also those that were left.

        Returns:
            The receiver itself.

        Raises:
            ConfigurationError: The inbox cannot be used.
        """
        self._pool.begin(TaskWorkers)
        return self

    async def start_async(self) -> Self:
        """Begin as :meth:`start_tasks` does, without making the event loop wait for the inbox.

        Returns:
            The receiver itself.

        Raises:
            ConfigurationError: The inbox cannot be used.
        """
        if not self._pool.alive:
            await self._queue.off_loop(self._queue.open)
        return self.start_tasks()

    @asynccontextmanager
    async def running(self, app: object = None) -> AsyncGenerator[None]:
        """Handle events while the context lasts; fits ``FastAPI(lifespan=receiver.running)``.

        Frameworks do not tell mounted applications of start and end. Without this, the events that
        an earlier process left wait for the first request.

        Args:
            app: The application, as a lifespan is given it; not used.
        """
        await self.start_async()
        try:
            yield
        finally:
            await self.close_async()

    def drain(self, *, timeout_ms: float = 30_000) -> bool:
        """Wait until every accepted event is handled (threads).

        Args:
            timeout_ms: Longest wait, in milliseconds. Default: 30 s.

        Returns:
            True if all were handled in time.
        """
        workers = self._pool.workers
        if isinstance(workers, TaskWorkers):
            raise ConfigurationError("Tasks handle the events: await drain_async().")
        return self._queue.idle if workers is None else workers.drain(timeout_ms / 1_000)

    async def drain_async(self, *, timeout_ms: float = 30_000) -> bool:
        """Wait until every accepted event is handled (tasks).

        Args:
            timeout_ms: Longest wait, in milliseconds. Default: 30 s.

        Returns:
            True if all were handled in time.
        """
        workers = self._pool.workers
        if isinstance(workers, TaskWorkers):
            return await workers.drain(timeout_ms / 1_000)
        return await asyncio.to_thread(self.drain, timeout_ms=timeout_ms)

    def close(self, *, timeout_ms: float = 30_000) -> None:
        """Accept nothing more, finish what is under way, keep the rest in the inbox (threads).

        Args:
            timeout_ms: Longest wait for the handlers under way, in milliseconds. Default: 30 s.
        """
        pool = self._pool
        # First, so that requests of the moment are answered with 503 and posted again.
        pool.closing = True
        if isinstance(pool.workers, ThreadWorkers):
            pool.workers.stop(timeout_ms / 1_000)
        pool.workers = None
        self._queue.close()
        self._queue.end_thread()

    async def close_async(self, *, timeout_ms: float = 30_000) -> None:
        """Accept nothing more, finish what is under way, keep the rest in the inbox (tasks).

        Args:
            timeout_ms: Longest wait for the handlers under way, in milliseconds. Default: 30 s.
        """
        self._pool.closing = True
        # Tasks are ended here, in their loop. Threads, and an inbox that may block, are waited for
        # in a thread.
        if isinstance(self._pool.workers, TaskWorkers):
            await self._pool.workers.stop(timeout_ms / 1_000)
            self._pool.workers = None
        if self._queue.blocks:
            await asyncio.to_thread(self.close, timeout_ms=timeout_ms)
        else:
            self.close(timeout_ms=timeout_ms)

    def metrics(self) -> ReceiverMetrics:
        """Return the counts, and the numbers of events that wait.

        Returns:
            The numbers, as a copy.
        """
        return self._queue.metrics()

    def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        """Return the events whose handlers failed, the oldest first.

        Args:
            limit: Most of them. Default: 100.

        Returns:
            The events, each with the reason.
        """
        self._queue.open()
        return self._queue.dead_letters(limit)

    def replay(self, ids: Iterable[int] | None = None) -> int:
        """Queue dead letters again; handlers that had finished are not called again.

        Args:
            ids: Their numbers; None for all.

        Returns:
            How many were queued.
        """
        self._queue.open()
        return self._queue.replay(ids)

    def discard(self, ids: Iterable[int] | None = None) -> int:
        """Delete dead letters.

        Args:
            ids: Their numbers; None for all.

        Returns:
            How many there were.
        """
        self._queue.open()
        return self._queue.discard(ids)

    @property
    def is_slow_inbox(self) -> bool:
        """True if storing an event may take milliseconds, so that no event loop should wait."""
        return self._queue.blocks

    @property
    def budget(self) -> BodyBudget:
        """Room for all bodies together that arrive or are being judged."""
        return self._admission.budget

    def offer(self, event: Event[Any], body: bytes) -> Answer:
        """Accept an event of another transport, with the same storage and the same handlers.

        Args:
            event: The event; its ``source`` names the transport.
            body: The JSON that it was made of.

        Returns:
            ``ACCEPTED``, ``DUPLICATE``, ``IGNORED``, ``FULL`` or ``CLOSING``.

        Raises:
            ConfigurationError: The inbox cannot be used.
        """
        check()
        # Unverified: only the caller knows the origin of the event.
        return self._requests.store(event, body, None, verified=False)

    def _begin(self) -> None:
        if self._pool.closing or self._pool.alive:
            return
        # A receiver that nobody started: the kind of server shows in the first request.
        if on_event_loop():
            self.start_tasks()
        else:
            self.start()

    def __repr__(self) -> str:
        return f"WebhookReceiver({self._router!r})"


class _Door:
    """The receiver as its adapters use it: servers pass what they must, and nobody looks again.

    For every event the arguments of five calls would be held against their annotations otherwise.
    """

    __slots__ = ("_pool", "_receiver", "_requests", "budget")

    def __init__(
        self, receiver: WebhookReceiver, requests: RequestHandler, pool: WorkerPool
    ) -> None:
        self._receiver = receiver
        self._requests = requests
        self._pool = pool
        self.budget: BodyBudget = receiver.budget

    @property
    def max_body_bytes(self) -> int:
        return self._receiver.max_body_bytes

    @property
    def body_timeout_ms(self) -> float:
        return self._receiver.body_timeout_ms

    def judge_head(self, method: str, headers: Headers) -> Answer | None:
        check()
        return self._requests.judge_head(method, headers, closing=self._pool.closing)

    def handle_body(self, path: str, headers: Headers, body: bytes) -> Response:
        return self._requests.handle_body(path, headers, body)

    async def handle_body_async(self, path: str, headers: Headers, body: bytes) -> Response:
        try:
            if not self._pool.alive:
                await self._receiver.start_async()
        except Exception as error:  # noqa: BLE001 - never raises, as handle_body
            return self._requests.fail(error)
        return await self._requests.handle_body_async(path, headers, body)

    def answer(self, answer: Answer) -> Response:
        return self._requests.answer(answer)

    async def start_async(self) -> object:
        return await self._receiver.start_async()

    async def close_async(self) -> None:
        await self._receiver.close_async()
