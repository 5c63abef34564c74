"""WebhookReceiver: takes what the server posts, answers at once, has it handled afterwards."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Self

from evolution_sdk._core.quiet_log import QuietLog
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import ActionSource, Event, EventRouter, MalformedEvent, parse_event
from evolution_sdk.retry import EvolutionRetryService

from .answers import Answer, Response, respond
from .asgi import AsgiApp
from .body import DEFAULT_MAX_BYTES, Headers, announced_too_large, hint_of, lower_headers, unpack
from .desk import DeadLetter, Desk, ReceiverMetrics, moment
from .inbox import Entry, Inbox, MemoryInbox
from .sqlite_inbox import SqliteInbox
from .verify import DEFAULT_LEEWAY_MS, Verification, secret_values
from .work import Job, TaskWorkers, ThreadWorkers
from .wsgi import WsgiApp


class WebhookReceiver:
    """Accepts events first and handles them afterwards, so that none is lost.

    An event is verified, parsed, told apart from copies, stored and answered; then workers give it
    to the router: one at a time for each chat, different chats at once. Whatever is refused is
    answered with a status after which the server tries again (``ANSWERS``).

    Mount ``receiver.asgi`` or ``receiver.wsgi``, or call :meth:`handle` from a view. Inside a
    running event loop events are handled by tasks, else by threads.

    Args:
        router: Who handles the events.
        client: Attached to each event, so that handlers can answer it; fed with it, too.
        jwt_key: The key that the webhook's header ``jwt_key`` holds; several while it is changed.
        jwt_leeway_ms: How long after its end a token is still taken, in milliseconds: the server
            makes one per event, not per attempt. Default: 1 h, longer than it ever tries.
        secret_headers: Headers that must be there, each with its value or values.
        apikeys: Instance tokens, one of which the body must name.
        server_url: What ``server_url`` in the body must be; default: not looked at.
        inbox: Path of a SQLite file, or an inbox. Default: memory, so that accepted events end
            with the process.
        retry: Tries failing handlers again; default: one attempt, because a handler that sent
            something before it failed would send it twice.
        concurrency: How many events are handled at once.
        max_queue: Most events waiting or being handled; beyond that the answer is 503.
        max_queue_bytes: Most bytes of those, with the same answer.
        max_body_bytes: Most bytes of one body, packed and unpacked.
        body_timeout_ms: How long a body may take to arrive, in milliseconds (ASGI).
        clock: Seconds since 1970.

    Raises:
        ConfigurationError: A value is empty or out of range.
    """

    def __init__(
        self,
        router: EventRouter,
        *,
        client: ActionSource[Any] | None = None,
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
        body_timeout_ms: float = 20_000,
        clock: Callable[[], float] = time.time,
    ) -> None:
        limits = {
            "concurrency": concurrency,
            "max_queue": max_queue,
            "max_queue_bytes": max_queue_bytes,
            "max_body_bytes": max_body_bytes,
        }
        for name, value in limits.items():
            if value < 1:
                raise ConfigurationError(f"{name} must be at least 1.", variable=name)
        secrets = secret_headers or {}
        self._verification = Verification(
            () if jwt_key is None else secret_values("jwt_key", jwt_key),
            jwt_leeway_ms,
            {name.lower(): secret_values("secret_headers", one) for name, one in secrets.items()},
            () if apikeys is None else secret_values("apikeys", apikeys),
            None if server_url is None else server_url.rstrip("/"),
        )
        self._router = router
        self._job = Job(router, retry, client)
        self._clock = clock
        self._concurrency = concurrency
        self.max_body_bytes: int = max_body_bytes
        self.body_timeout_ms: float = body_timeout_ms
        self._trouble = QuietLog(logging.getLogger("evolution_sdk.webhooks"))
        self._closing = False
        self._workers: ThreadWorkers | TaskWorkers | None = None
        if isinstance(inbox, str | Path):
            inbox = SqliteInbox(inbox)
        elif inbox is None:
            inbox = MemoryInbox()
        self._desk = Desk(inbox, clock, max_queue, max_queue_bytes)
        self.asgi: AsgiApp = AsgiApp(self)
        self.wsgi: WsgiApp = WsgiApp(self)

    def handle(self, method: str, path: str, headers: Headers, body: bytes) -> Response:
        """Judge one request, store its event and answer; never raises, never waits for a handler.

        Args:
            method: The HTTP method.
            path: The path as it was asked for, query string included.
            headers: A mapping or pairs, of text or bytes.
            body: The body as it came.

        Returns:
            Status, headers and body of the answer; see ``ANSWERS``.
        """
        named = lower_headers(headers)
        return self._answered(lambda: self._judge(method, path, named, body))

    def handle_body(self, path: str, headers: Headers, body: bytes) -> Response:
        """As :meth:`handle`, of a request that :meth:`judge_head` has let pass.

        Args:
            path: The path as it was asked for, query string included.
            headers: A mapping or pairs, of text or bytes.
            body: The body as it came.

        Returns:
            Status, headers and body of the answer.
        """
        named = lower_headers(headers)
        return self._answered(lambda: self._judge_body(path, named, body))

    def judge_head(self, method: str, headers: Headers) -> Answer | None:
        """Judge a request before its body is read.

        Args:
            method: The HTTP method.
            headers: A mapping or pairs, of text or bytes.

        Returns:
            Why it is refused, or None.
        """
        return self._judge_head(method, lower_headers(headers))

    def answer(self, answer: Answer) -> Response:
        """Count an answer and make its response.

        Args:
            answer: Why the request is answered as it is.

        Returns:
            Status, headers and body.
        """
        self._desk.answered(answer)
        return respond(answer)

    def start(self) -> Self:
        """Begin to handle events in threads: also what an earlier process left.

        Returns:
            The receiver itself.

        Raises:
            ConfigurationError: The router needs an event loop, or the inbox cannot be used.
        """
        if self._workers is None or not self._workers.alive:
            self._router.check_sync()
            self._desk.open()
            self._closing = False
            self._workers = ThreadWorkers(self._desk, self._job, self._concurrency)
        return self

    def start_tasks(self) -> Self:
        """Begin to handle events in tasks of the running loop: also what was left.

        Returns:
            The receiver itself.

        Raises:
            ConfigurationError: The inbox cannot be used.
        """
        if self._workers is None or not self._workers.alive:
            self._desk.open()
            self._closing = False
            self._workers = TaskWorkers(self._desk, self._job, self._concurrency)
        return self

    def running(self, app: object = None) -> AbstractAsyncContextManager[None]:
        """Handle events while the context lasts; fits ``FastAPI(lifespan=receiver.running)``.

        Mounted applications hear nothing of start and end, so that without this the events an
        earlier process left wait for the first request.

        Args:
            app: Not looked at.

        Returns:
            An async context manager.
        """
        return self._running()

    @asynccontextmanager
    async def _running(self) -> AsyncGenerator[None]:
        self.start_tasks()
        try:
            yield
        finally:
            await self.close_async()

    def drain(self, *, timeout_ms: float = 30_000) -> bool:
        """Wait until every accepted event is handled (threads).

        Args:
            timeout_ms: How long, in milliseconds.

        Returns:
            Whether it was so in time.
        """
        workers = self._workers
        if isinstance(workers, TaskWorkers):
            raise ConfigurationError("Tasks handle the events: await drain_async().")
        return self._desk.idle if workers is None else workers.drain(timeout_ms / 1_000)

    async def drain_async(self, *, timeout_ms: float = 30_000) -> bool:
        """Wait until every accepted event is handled (tasks).

        Args:
            timeout_ms: How long, in milliseconds.

        Returns:
            Whether it was so in time.
        """
        if isinstance(self._workers, TaskWorkers):
            return await self._workers.drain(timeout_ms / 1_000)
        return await asyncio.to_thread(self.drain, timeout_ms=timeout_ms)

    def close(self, *, timeout_ms: float = 30_000) -> None:
        """Accept nothing more, finish what is under way, keep the rest in the inbox (threads).

        Args:
            timeout_ms: How long a handler under way may take, in milliseconds.
        """
        self._closing = True
        if isinstance(self._workers, ThreadWorkers):
            self._workers.stop(timeout_ms / 1_000)
        self._workers = None
        self._desk.close()

    async def close_async(self, *, timeout_ms: float = 30_000) -> None:
        """Accept nothing more, finish what is under way, keep the rest in the inbox (tasks).

        Args:
            timeout_ms: How long a handler under way may take, in milliseconds.
        """
        self._closing = True
        if isinstance(self._workers, TaskWorkers):
            await self._workers.stop(timeout_ms / 1_000)
        self.close(timeout_ms=timeout_ms)

    def metrics(self) -> ReceiverMetrics:
        """What was counted, and what waits.

        Returns:
            The numbers, as a copy.
        """
        return self._desk.metrics()

    def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        """Events whose handlers failed, the oldest first.

        Args:
            limit: At most so many.

        Returns:
            The events, each with the reason.
        """
        self._desk.open()
        return self._desk.dead_letters(limit)

    def replay(self, ids: Iterable[int] | None = None) -> int:
        """Have dead letters handled again; handlers that had finished are not called again.

        Args:
            ids: Which; None for all.

        Returns:
            How many were queued.
        """
        self._desk.open()
        return self._desk.replay(ids)

    def discard(self, ids: Iterable[int] | None = None) -> int:
        """Forget dead letters.

        Args:
            ids: Which; None for all.

        Returns:
            How many there were.
        """
        self._desk.open()
        return self._desk.discard(ids)

    @property
    def is_slow_inbox(self) -> bool:
        """Whether storing an event may take milliseconds, so that no event loop should wait."""
        return self._desk.blocks

    def offer(self, event: Event[Any], body: bytes) -> Answer:
        """Take in an event of another transport: the same deduplication, storage and handlers.

        Args:
            event: The event; its ``source`` says where it is from.
            body: The JSON that it was made of.

        Returns:
            ``ACCEPTED``, ``DUPLICATE``, ``IGNORED``, ``FULL`` or ``CLOSING``.

        Raises:
            ConfigurationError: The inbox cannot be used.
        """
        return self._store(event, body, None)

    def _answered(self, judge: Callable[[], Answer]) -> Response:
        why = ""
        try:
            answer = judge()
        except Exception as error:  # noqa: BLE001 - the server must hear a status after which it retries
            # The class alone, unless the words are ours: others may hold what people wrote.
            why = str(error) if isinstance(error, ConfigurationError) else type(error).__qualname__
            answer = Answer.FAILED
        if why:
            self._trouble.trouble("", "the webhook receiver failed: %s", why, level=logging.ERROR)
        elif answer is Answer.ACCEPTED:
            self._trouble.over("", "the webhook receiver works again")
        return self.answer(answer)

    def _judge_head(self, method: str, headers: Mapping[str, str]) -> Answer | None:
        if self._closing:
            return Answer.CLOSING
        if method.upper() != "POST":
            return Answer.NOT_POST
        if announced_too_large(headers, self.max_body_bytes):
            return Answer.TOO_LARGE
        return self._verification.of_headers(headers, self._clock())

    def _judge(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        return self._judge_head(method, headers) or self._judge_body(path, headers, body)

    def _judge_body(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        plain = unpack(bytes(body), headers, self.max_body_bytes)
        if isinstance(plain, Answer):
            return plain
        hint = hint_of(path)
        event = parse_event(
            plain, source="webhook", received_at=moment(self._clock()), event_hint=hint
        )
        if isinstance(event, MalformedEvent):
            return Answer.UNREADABLE
        return self._verification.of_body(event.raw) or self._store(event, plain, hint)

    def _store(self, event: Event[Any], body: bytes, hint: str | None) -> Answer:
        if not self._router.wants(event):
            return self._job.told(Answer.IGNORED, event)
        self._begin()
        came = event.received_at
        entry = Entry(
            event.delivery_key,
            body,
            event.source or "webhook",
            hint,
            self._clock() if came is None else came.timestamp(),
        )
        return self._job.told(self._desk.accept(entry, event), event)

    def _begin(self) -> None:
        if self._closing or (self._workers is not None and self._workers.alive):
            return
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            self.start()
        else:
            self.start_tasks()

    def __repr__(self) -> str:
        return f"WebhookReceiver({self._router!r})"
