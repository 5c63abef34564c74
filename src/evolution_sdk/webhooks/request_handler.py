"""From a request to its answer: judged, stored and answered; nothing raises."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import Any

from evolution_sdk._base.harmless import harmless
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import Event, EventRouter

from .admission import AdmissionControl
from .body import Headers, lower_headers
from .delivery_log import DeliveryLog
from .inbox import InboxEntry
from .queue import DeliveryQueue
from .responses import Answer, Response, respond
from .workers import DeliveryRunner

_log = logging.getLogger("evolution_sdk.webhooks")

# Above this size, parsing takes milliseconds, for which an event loop should not wait.
_LARGE_BODY = 256 * 1024


class RequestHandler:
    """Answers requests.

    Args:
        admission: Judges them.
        queue: Stores their events.
        router: Tells which events it wants.
        runner: Feeds the client with the events.
        clock: Seconds since 1970.
        begin: Begins the workers, unless there are some.
        log: Log of requests.
    """

    def __init__(
        self,
        admission: AdmissionControl,
        queue: DeliveryQueue,
        router: EventRouter,
        runner: DeliveryRunner,
        clock: Callable[[], float],
        begin: Callable[[], None],
        log: DeliveryLog,
    ) -> None:
        self._admission = admission
        self._queue = queue
        self._router = router
        self._runner = runner
        self._clock = clock
        self._begin = begin
        self._log = log
        self._trouble = QuietLog(_log)

    def answer(
        self, answer: Answer, event: Event[Any] | None = None, size: int | None = None
    ) -> Response:
        """Count an answer, log it, and make its response.

        Args:
            answer: The reason for the answer.
            event: The event of the request, where it could be read.
            size: Bytes of its body, where it came.

        Returns:
            Status, headers and body.
        """
        if answer is Answer.ACCEPTED:
            self._trouble.over("", "the webhook receiver works again")
        depth = self._queue.count_answer(answer)
        # What went well is told at this level only.
        if answer is not Answer.ACCEPTED or _log.isEnabledFor(logging.DEBUG):
            harmless(self._log.answered, answer, event, size, depth)
        return respond(answer)

    def judge_head(self, method: str, headers: Headers, *, closing: bool) -> Answer | None:
        """Judge the head of a request; never raises.

        Args:
            method: The HTTP method.
            headers: A mapping or pairs, of text or bytes.
            closing: True once the receiver ends.

        Returns:
            The reason to refuse it, or None.
        """
        if closing:
            return Answer.CLOSING
        try:
            return self._admission.judge_head(method, lower_headers(headers))
        except Exception as error:  # noqa: BLE001 - as in handle_body()
            return self._log_failure(error)

    @contextmanager
    def held(self, refused: Answer | None, body: bytes) -> Generator[Answer | None]:
        """Hold the room of a body that has arrived already.

        Args:
            refused: The reason why its head was refused, or None.
            body: The body.

        Yields:
            The reason to refuse it, or None.
        """
        size = _size(body)
        with self._admission.budget.lease() as lease:
            # A body that is refused for another reason needs no room, and keeps its own answer.
            fits = refused is not None or size > self._admission.max_bytes or lease.add(size)
            yield refused if fits else Answer.BUSY

    def handle_body(self, path: str, headers: Headers, body: bytes) -> Response:
        """Judge a body, store its event and answer; never raises.

        Args:
            path: The path as it was asked for, query string included.
            headers: A mapping or pairs, of text or bytes.
            body: The body as it came.

        Returns:
            Status, headers and body of the answer.
        """
        try:
            found = self._admission.judge_body(path, lower_headers(headers), body)
            if isinstance(found, Answer):
                return self.answer(found, size=_size(body))
            event, verified = found.event, self._admission.proves
            answer = self.store(event, found.body, found.hint, verified=verified)
        except Exception as error:  # noqa: BLE001 - the server must hear that it is to try again
            return self.answer(self._log_failure(error), size=_size(body))
        return self.answer(answer, event, _size(body))

    async def handle_body_async(self, path: str, headers: Headers, body: bytes) -> Response:
        """Handle a body as :meth:`handle_body` does, without making an event loop wait for it.

        Args:
            path: The path as it was asked for, query string included.
            headers: A mapping or pairs, of text or bytes.
            body: The body as it came.

        Returns:
            Status, headers and body of the answer.
        """
        size = _size(body)
        try:
            judge, named = self._admission.judge_body, lower_headers(headers)
            large = size > _LARGE_BODY or named.get("content-encoding") is not None
            found = (
                await asyncio.to_thread(judge, path, named, body)
                if large
                else judge(path, named, body)
            )
            if isinstance(found, Answer):
                return self.answer(found, size=size)
            event, verified = found.event, self._admission.proves
            entry = self._entry_of(event, found.body, found.hint, verified=verified)
            answer = Answer.IGNORED
            if entry is not None:
                answer = await self._queue.accept_async(entry, event, self._offer(event, verified))
        except Exception as error:  # noqa: BLE001 - as above
            return self.answer(self._log_failure(error), size=size)
        return self.answer(answer, event, size)

    def fail(self, error: Exception) -> Response:
        """Log an error of our own and answer.

        Args:
            error: The error.

        Returns:
            Status, headers and body of the answer.
        """
        return self.answer(self._log_failure(error))

    def _log_failure(self, error: Exception) -> Answer:
        # The text of other errors is left out, since it may quote a message.
        why = str(error) if isinstance(error, ConfigurationError) else type(error).__qualname__
        self._trouble.trouble("", "the webhook receiver failed: %s", why, level=logging.ERROR)
        # A database that cannot be reached when the inbox is opened comes back by itself.
        passing = getattr(error.__cause__, "passing", False) is True
        return Answer.UNSTORED if passing else Answer.FAILED

    def store(self, event: Event[Any], body: bytes, hint: str | None, *, verified: bool) -> Answer:
        """Store an event, if it has a handler.

        Args:
            event: The event.
            body: The JSON that it was made of.
            hint: Its name in the path.
            verified: True if it is surely the server's, so that it proves something.

        Returns:
            The answer to its request.

        Raises:
            ConfigurationError: The inbox cannot be used.
        """
        entry = self._entry_of(event, body, hint, verified=verified)
        if entry is None:
            return Answer.IGNORED
        return self._queue.accept(entry, event, self._offer(event, verified))

    def _entry_of(
        self, event: Event[Any], body: bytes, hint: str | None, *, verified: bool
    ) -> InboxEntry | None:
        """Make the entry of an event and begin the workers; None for one without a handler."""
        if not self._router.wants(event):
            # It may still tell who is who.
            self._router.learn(event)
            self._runner.feed(event, verified=verified)
            return None
        # Before the event is stored: the inbox is opened by whoever begins the workers.
        self._begin()
        came = event.received_at
        return InboxEntry(
            event.delivery_key,
            body,
            event.source or "webhook",
            hint,
            self._clock() if came is None else came.timestamp(),
        )

    def _offer(self, event: Event[Any], verified: bool) -> Callable[[], object] | None:
        if not self._runner.feeds:
            return None
        return partial(self._runner.feed, event, verified=verified)


def _size(body: bytes | None) -> int:
    """Return the bytes of a body; a view may hand over None, which is answered like no event."""
    return 0 if body is None else len(body)
