"""WebhookReceiver: takes what the server posts, answers at once, has it handled afterwards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self

from evolution_sdk._base.forking import check
from evolution_sdk._base.serial_worker import on_event_loop
from evolution_sdk._common.arguments import checked
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import Event, EventBinder, EventRouter
from evolution_sdk.events._feeding import server_url_of
from evolution_sdk.retry import EvolutionRetryService

from .answers import Answer, Response
from .asgi import AsgiApp
from .body import DEFAULT_MAX_BYTES, Headers, lower_headers
from .budget import BodyBudget
from .desk import DeadLetter, Desk, ReceiverMetrics
from .front import Front
from .gate import Gate, at_least_one
from .inbox import Inbox, MemoryInbox
from .lines import Lines
from .sqlite_inbox import SqliteInbox
from .staff import Staff
from .verify import DEFAULT_LEEWAY_MS, Verification
from .work import Job, TaskWorkers, ThreadWorkers
from .wsgi import WsgiApp


@checked()
class WebhookReceiver:
    """Accepts events first and handles them afterwards, so that none is lost.

    An event is verified, parsed, told apart from copies, stored and answered; then workers give it
    to the router: one at a time for each chat, different chats at once. Whatever is refused is
    answered with a status after which the server tries again (``ANSWERS``).

    Mount ``receiver.asgi`` or ``receiver.wsgi``, or call :meth:`handle` from a view. Inside a
    running event loop events are handled by tasks, else by threads; a forked process begins its own
    with the first event that it accepts.

    Args:
        router: Who handles the events.
        client: Attached to each event, and fed with it. Sends whose answer was lost are settled
            only by a receiver that verifies: ``jwt_key``, ``secret_headers`` or ``apikeys``.
        jwt_key: The key that the webhook's header ``jwt_key`` holds, of 16 bytes or more; several
            while it is changed.
        jwt_leeway_ms: How long after its end a token is still taken, in milliseconds: the server
            makes one per event, not per attempt. Default: 1 h, longer than it ever tries.
        secret_headers: Headers that must be there, each with its value or values.
        apikeys: Instance tokens, one of which the body must name.
        server_url: What ``server_url`` in the body must be. Default: ``EVOLUTION_SERVER_URL`` of
            the client's settings, else it is not looked at.
        inbox: Path of a SQLite file, or an inbox. Default: memory, so that accepted events end
            with the process.
        retry: Tries failing handlers again; default: one attempt, because a handler that sent
            something before it failed would send it twice.
        concurrency: How many events are handled at once.
        max_queue: Most events waiting or being handled; beyond that the answer is 503.
        max_queue_bytes: Most bytes of those, with the same answer.
        max_body_bytes: Most bytes of one body, packed and unpacked.
        max_unfinished_bytes: Most bytes of all bodies together that arrive or are being judged;
            beyond that the answer is 503. Default: 64 MiB, or twice ``max_body_bytes``.
        body_timeout_ms: How long a body may take to arrive, in milliseconds.
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
        server_url = server_url_of(client) if server_url is None else server_url
        verification = Verification.made(
            jwt_key=jwt_key, jwt_leeway_ms=jwt_leeway_ms, secret_headers=secret_headers,
            apikeys=apikeys, server_url=server_url,
        )  # fmt: skip
        self._router = router
        lines = Lines()
        self._job = Job(router, retry, client, lines, clock=clock)
        self.max_body_bytes: int = max_body_bytes
        self.body_timeout_ms: float = body_timeout_ms
        self._gate = Gate(verification, max_body_bytes, max_unfinished_bytes, clock)
        if isinstance(inbox, str | Path):
            inbox = SqliteInbox(inbox)
        elif inbox is None:
            inbox = MemoryInbox()
        self._desk = Desk(inbox, clock, max_queue, max_queue_bytes)
        self._staff = Staff(self._desk, self._job, concurrency)
        self._front = Front(self._gate, self._desk, router, self._job, clock, self._begin, lines)
        self.asgi: AsgiApp = AsgiApp(self)
        self.wsgi: WsgiApp = WsgiApp(self)

    def handle(self, method: str, path: str, headers: Headers, body: bytes | None) -> Response:
        """Judge one request, store its event and answer; never raises, never waits for a handler.

        Args:
            method: The HTTP method.
            path: The path as it was asked for, query string included.
            headers: A mapping or pairs, of text or bytes.
            body: The body as it came.

        Returns:
            Status, headers and body of the answer; see ``ANSWERS``.
        """
        named, body = lower_headers(headers), body or b""
        with self._front.admitted(self.judge_head(method, named), body) as refused:
            if refused is not None:
                return self.answer(refused)
            return self.handle_body(path, named, body)

    async def handle_async(
        self, method: str, path: str, headers: Headers, body: bytes | None
    ) -> Response:
        """As :meth:`handle`, for views of an event loop, which then waits for no file.

        Args:
            method: The HTTP method.
            path: The path as it was asked for, query string included.
            headers: A mapping or pairs, of text or bytes.
            body: The body as it came.

        Returns:
            Status, headers and body of the answer.
        """
        named, body = lower_headers(headers), body or b""
        with self._front.admitted(self.judge_head(method, named), body) as refused:
            if refused is not None:
                return self.answer(refused)
            return await self.handle_body_async(path, named, body)

    def handle_body(self, path: str, headers: Headers, body: bytes) -> Response:
        """As :meth:`handle`, of a request that :meth:`judge_head` has let pass.

        Args:
            path: The path as it was asked for, query string included.
            headers: A mapping or pairs, of text or bytes.
            body: The body as it came.

        Returns:
            Status, headers and body of the answer.
        """
        return self._front.body(path, headers, body)

    async def handle_body_async(self, path: str, headers: Headers, body: bytes) -> Response:
        """As :meth:`handle_body`, where no event loop waits for a large body or for a file.

        Args:
            path: The path as it was asked for, query string included.
            headers: A mapping or pairs, of text or bytes.
            body: The body as it came.

        Returns:
            Status, headers and body of the answer.
        """
        try:
            await self.start_async()
        except Exception as error:  # noqa: BLE001 - never raises, as handle_body
            return self._front.failed(error)
        return await self._front.apart(partial(self.handle_body, path, headers, body), body)

    def judge_head(self, method: str, headers: Headers) -> Answer | None:
        """Judge a request before its body is read.

        Args:
            method: The HTTP method.
            headers: A mapping or pairs, of text or bytes.

        Returns:
            Why it is refused, or None.
        """
        check()
        return self._front.head(method, headers, closing=self._staff.closing)

    def answer(self, answer: Answer) -> Response:
        """Count an answer and make its response.

        Args:
            answer: Why the request is answered as it is.

        Returns:
            Status, headers and body.
        """
        return self._front.answer(answer)

    def start(self) -> Self:
        """Begin to handle events in threads: also what an earlier process left.

        Returns:
            The receiver itself.

        Raises:
            ConfigurationError: The router needs an event loop, or the inbox cannot be used.
        """
        if not self._staff.alive:
            self._router.check_sync()
            self._staff.begin(ThreadWorkers)
        return self

    def start_tasks(self) -> Self:
        """Begin to handle events in tasks of the running loop: also what was left.

        Returns:
            The receiver itself.

        Raises:
            ConfigurationError: The inbox cannot be used.
        """
        self._staff.begin(TaskWorkers)
        return self

    async def start_async(self) -> Self:
        """As :meth:`start_tasks`, where no event loop waits for the inbox to open.

        Returns:
            The receiver itself.

        Raises:
            ConfigurationError: The inbox cannot be used.
        """
        if not self._staff.alive:
            await self._desk.off_loop(self._desk.open)
        return self.start_tasks()

    @asynccontextmanager
    async def running(self, app: object = None) -> AsyncGenerator[None]:
        """Handle events while the context lasts; fits ``FastAPI(lifespan=receiver.running)``.

        Mounted applications hear nothing of start and end, so that without this the events an
        earlier process left wait for the first request.

        Args:
            app: Not looked at.
        """
        await self.start_async()
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
        workers = self._staff.workers
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
        workers = self._staff.workers
        if isinstance(workers, TaskWorkers):
            return await workers.drain(timeout_ms / 1_000)
        return await asyncio.to_thread(self.drain, timeout_ms=timeout_ms)

    def close(self, *, timeout_ms: float = 30_000) -> None:
        """Accept nothing more, finish what is under way, keep the rest in the inbox (threads).

        Args:
            timeout_ms: How long a handler under way may take, in milliseconds.
        """
        staff, self._staff.closing = self._staff, True
        if isinstance(staff.workers, ThreadWorkers):
            staff.workers.stop(timeout_ms / 1_000)
        staff.workers = None
        self._desk.close()
        self._desk.dismiss()

    async def close_async(self, *, timeout_ms: float = 30_000) -> None:
        """Accept nothing more, finish what is under way, keep the rest in the inbox (tasks).

        Args:
            timeout_ms: How long a handler under way may take, in milliseconds.
        """
        self._staff.closing = True
        if isinstance(self._staff.workers, TaskWorkers):
            await self._staff.workers.stop(timeout_ms / 1_000)
            self._staff.workers = None
        if self._desk.blocks:
            await asyncio.to_thread(self.close, timeout_ms=timeout_ms)
        else:
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

    @property
    def budget(self) -> BodyBudget:
        """Room for all bodies together that arrive or are being judged."""
        return self._gate.budget

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
        check()
        return self._front.store(event, body, None, verified=False)

    def _begin(self) -> None:
        if self._staff.closing or self._staff.alive:
            return
        if on_event_loop():
            self.start_tasks()
        else:
            self.start()

    def __repr__(self) -> str:
        return f"WebhookReceiver({self._router!r})"
