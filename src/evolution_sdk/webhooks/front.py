"""From a request to its answer: judged at the gate, stored at the desk, and nothing gets out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from evolution_sdk._base.harmless import harmless
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk._base.serial_worker import DEFAULT_PATIENCE_MS, WorkerBusyError
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import Event, EventRouter

from .answers import Answer, Response, respond
from .body import Headers, lower_headers
from .desk import Desk
from .gate import Gate
from .inbox import Entry
from .lines import Lines
from .work import Job

_log = logging.getLogger("evolution_sdk.webhooks")
_LARGE = 256 * 1024


class Front:
    """Answers requests.

    Args:
        gate: Judges them.
        desk: Stores their events.
        router: Says which events it wants.
        job: Tells the client of them.
        clock: Seconds since 1970.
        begin: Sees to it that somebody handles what is stored.
        lines: Where each request leaves its line.
    """

    def __init__(
        self,
        gate: Gate,
        desk: Desk,
        router: EventRouter,
        job: Job,
        clock: Callable[[], float],
        begin: Callable[[], None],
        lines: Lines,
    ) -> None:
        self._gate = gate
        self._desk = desk
        self._router = router
        self._job = job
        self._clock = clock
        self._begin = begin
        self._lines = lines
        self._trouble = QuietLog(_log)

    def answer(
        self, answer: Answer, event: Event[Any] | None = None, size: int | None = None
    ) -> Response:
        """Count an answer, leave its line, and make its response.

        Args:
            answer: Why the request is answered as it is.
            event: Its event, where it could be read.
            size: Bytes of its body, where it came.
        """
        if answer is Answer.ACCEPTED:
            self._trouble.over("", "the webhook receiver works again")
        depth = self._desk.answered(answer)
        harmless(self._lines.answered, answer, event, size, depth)
        return respond(answer)

    def head(self, method: str, headers: Headers, *, closing: bool) -> Answer | None:
        """Judge the head of a request; never raises.

        Args:
            method: The HTTP method.
            headers: A mapping or pairs, of text or bytes.
            closing: Whether the receiver ends.

        Returns:
            Why it is refused, or None.
        """
        if closing:
            return Answer.CLOSING
        try:
            return self._gate.judge_head(method, lower_headers(headers))
        except Exception as error:  # noqa: BLE001 - as in body()
            return self._failed(error)

    @contextmanager
    def admitted(self, refused: Answer | None, body: bytes) -> Generator[Answer | None]:
        """Hold the room of a body that is here already.

        Args:
            refused: Why its head was refused, or None.
            body: The body.

        Yields:
            Why it is refused, or None.
        """
        size = _size(body)
        with self._gate.budget.lease() as lease:
            fits = refused is not None or size > self._gate.max_bytes or lease.add(size)
            yield refused if fits else Answer.BUSY

    def body(self, path: str, headers: Headers, body: bytes) -> Response:
        """Judge a body, store its event and answer; never raises."""
        try:
            found = self._gate.judge_body(path, lower_headers(headers), body)
            if isinstance(found, Answer):
                return self.answer(found, size=_size(body))
            event, verified = found.event, self._gate.proves
            answer = self.store(event, found.body, found.hint, verified=verified)
        except Exception as error:  # noqa: BLE001 - the server must hear that it is to try again
            return self.answer(self._failed(error), size=_size(body))
        return self.answer(answer, event, _size(body))

    async def apart(self, handle: Callable[[], Response], body: bytes) -> Response:
        """Handle a body where no event loop waits for it.

        Args:
            handle: Handles it; never raises.
            body: The body.
        """
        try:
            if self._desk.blocks:
                return await self._desk.off_loop(handle, patience_ms=DEFAULT_PATIENCE_MS)
        except WorkerBusyError:
            return self.answer(Answer.UNSTORED)
        return await asyncio.to_thread(handle) if _size(body) > _LARGE else handle()

    def failed(self, error: Exception) -> Response:
        """Log an error of our own and answer."""
        return self.answer(self._failed(error))

    def _failed(self, error: Exception) -> Answer:
        # The class alone, unless the words are ours: others may hold what people wrote.
        why = str(error) if isinstance(error, ConfigurationError) else type(error).__qualname__
        self._trouble.trouble("", "the webhook receiver failed: %s", why, level=logging.ERROR)
        return Answer.FAILED

    def store(self, event: Event[Any], body: bytes, hint: str | None, *, verified: bool) -> Answer:
        """Store an event, if anybody wants it.

        Args:
            event: The event.
            body: The JSON that it was made of.
            hint: Its name in the path.
            verified: Whether it is surely the server's, so that it proves something.

        Raises:
            ConfigurationError: The inbox cannot be used.
        """
        if not self._router.wants(event):
            return self._job.told(Answer.IGNORED, event, verified=verified)
        self._begin()
        came = event.received_at
        entry = Entry(
            event.delivery_key,
            body,
            event.source or "webhook",
            hint,
            self._clock() if came is None else came.timestamp(),
        )
        return self._job.told(self._desk.accept(entry, event), event, verified=verified)


def _size(body: bytes | None) -> int:
    """Its bytes; a view may hand over None, which is answered like everything that is no event."""
    return 0 if body is None else len(body)
