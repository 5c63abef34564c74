"""Making the attempts: in the process for a test, or in real time by a thread."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections.abc import Awaitable, Callable, Generator, Iterator, MutableMapping
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import httpx

from evolution_sdk._base.network import check_host
from evolution_sdk._common.arguments import checked
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.testing.fake.clock import Clock

from .outbox import Outbox, Result, WebhookAttempt
from .rules import Delivery

Answering: TypeAlias = Callable[[httpx.Request], httpx.Response]
Asgi: TypeAlias = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[MutableMapping[str, Any]]],
        Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ],
    Awaitable[None],
]

_POLL_S = 0.2
"""Longest sleep while something waits: the clock may be moved without a word to this thread."""


def _request(delivery: Delivery) -> httpx.Request:
    """Make the request: the recorded headers, and those alone.

    Raises:
        LocalProtocolError: No request can be made of it.
    """
    if delivery.fault is not None:
        raise httpx.LocalProtocolError(delivery.fault)
    named = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in delivery.headers]
    return httpx.Request("POST", delivery.url, headers=named, content=delivery.body)


def _failure(error: Exception) -> Result:
    if isinstance(error, ConfigurationError):
        # A test run lets the SDK connect to this machine only; trying again changes nothing.
        return Result(error=str(error), final=True)
    timed_out = isinstance(error, httpx.TimeoutException | TimeoutError)
    return Result(error=f"{type(error).__name__}: {error}", timed_out=timed_out)


_EXPECTED = (httpx.TransportError, httpx.InvalidURL, ConfigurationError, OSError)


def _reach(delivery: Delivery) -> None:
    check_host(urlsplit(delivery.url).hostname or "")


def _timeout(outbox: Outbox) -> httpx.Timeout:
    endless = outbox.timeout_ms == float("inf")
    return httpx.Timeout(None if endless else outbox.timeout_ms / 1_000)


@checked()
class FakeWebhooks:
    """Delivery of the fake's webhooks, at the test's command.

    Events of an instance with a webhook wait here. A fake that is served by the system's clock
    delivers them by itself, in real time; otherwise :meth:`deliver` does, without waiting. An
    answer that asks for a redirect counts as a failure: nothing goes to an address that was not
    set.

    Args:
        outbox: What waits.
        clock: The fake's time.
        chance: Source of randomness of ``shuffle``.
    """

    def __init__(self, outbox: Outbox, clock: Clock, chance: random.Random) -> None:
        self._outbox = outbox
        self._clock = clock
        self._chance = chance

    @property
    def waiting(self) -> int:
        """Number of deliveries that are neither done nor given up."""
        return self._outbox.waiting

    @property
    def attempts(self) -> list[WebhookAttempt]:
        """The attempts so far, oldest first, and the events that were dropped."""
        return self._outbox.attempts

    def deliver(
        self,
        to: httpx.BaseTransport | Answering | None = None,
        *,
        for_ms: float = 0.0,
        shuffle: bool = False,
    ) -> list[WebhookAttempt]:
        """Make the attempts that are due, one after the other, and those that become due.

        Args:
            to: What gets the requests instead of the network: an httpx transport, such as
                ``httpx.WSGITransport(app)``, or a function from request to response.
            for_ms: Time to move the clock by, from one attempt to the next, in milliseconds: the
                retries in it are made, too.
            shuffle: Make those that are due in any order, as the server promises none.

        Returns:
            The attempts made.

        Raises:
            ConfigurationError: The test run forbids the host of a webhook.
        """
        transport: httpx.BaseTransport | None
        if to is None or isinstance(to, httpx.BaseTransport):
            transport = to
        else:
            transport = httpx.MockTransport(to)
        client = httpx.Client(transport=transport, trust_env=False, timeout=_timeout(self._outbox))
        made: list[WebhookAttempt] = []
        # An owner closes its transport itself.
        with client if to is None else contextlib.nullcontext(client):
            for delivery in self._rounds(for_ms, shuffle):
                with self._attempt(delivery, made) as ended:
                    if to is None:
                        _reach(delivery)
                    answer = client.send(_request(delivery), stream=True)
                    answer.close()
                    ended.append(answer.status_code)
        return made

    async def deliver_async(
        self,
        to: httpx.AsyncBaseTransport | Asgi | None = None,
        *,
        for_ms: float = 0.0,
        shuffle: bool = False,
    ) -> list[WebhookAttempt]:
        """Make the attempts that are due, as :meth:`deliver`, inside an event loop.

        Args:
            to: What gets the requests instead of the network: an ASGI application, such as
                ``receiver.asgi``, or an httpx transport.
            for_ms: Time to move the clock by, in milliseconds.
            shuffle: Make those that are due in any order.

        Returns:
            The attempts made.

        Raises:
            ConfigurationError: The test run forbids the host of a webhook.
        """
        transport: httpx.AsyncBaseTransport | None
        if to is None or isinstance(to, httpx.AsyncBaseTransport):
            transport = to
        else:
            # An application that fails answers 500, as behind any server.
            transport = httpx.ASGITransport(to, raise_app_exceptions=False)
        timeout = _timeout(self._outbox)
        client = httpx.AsyncClient(transport=transport, trust_env=False, timeout=timeout)
        made: list[WebhookAttempt] = []
        async with client if to is None else contextlib.nullcontext(client):
            for delivery in self._rounds(for_ms, shuffle):
                with self._attempt(delivery, made) as ended:
                    if to is None:
                        _reach(delivery)
                    answer = await client.send(_request(delivery), stream=True)
                    await answer.aclose()
                    ended.append(answer.status_code)
        return made

    def _rounds(self, for_ms: float, shuffle: bool) -> Iterator[Delivery]:
        """Walk the due deliveries, and move the clock on to the next ones."""
        self._outbox.working = True
        end_ms = self._clock.now_ms() + for_ms
        while True:
            due = self._outbox.claim()
            if shuffle:
                self._chance.shuffle(due)
            try:
                while due:
                    yield due.pop(0)
            finally:
                # The caller stopped at an error: the others are as if nobody had taken them.
                for delivery in due:
                    self._outbox.release(delivery)
            now, following = self._clock.now_ms(), self._outbox.next_due_ms()
            if following is not None and following <= max(now, end_ms):
                self._clock.advance(max(0.0, following - now))
                continue
            self._clock.advance(max(0.0, end_ms - now))
            return

    @contextlib.contextmanager
    def _attempt(self, delivery: Delivery, made: list[WebhookAttempt]) -> Generator[list[int]]:
        """Settle an attempt by the status that its body notes, or by the error that it raises."""
        started, status = self._clock.now_ms(), list[int]()
        try:
            yield status
        except _EXPECTED as error:
            made.append(self._outbox.settle(delivery, started, _failure(error)))
            if isinstance(error, ConfigurationError):
                raise
        except BaseException:
            self._outbox.release(delivery)
            raise
        else:
            made.append(self._outbox.settle(delivery, started, Result(status[0])))


class DeliveryThread:
    """Delivers in real time, each event by itself, as the server does, while it is entered.

    Args:
        outbox: What waits.
        clock: The fake's time.
    """

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox = outbox
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed: asyncio.Event | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._main, name="fake-webhooks", daemon=True)

    def __enter__(self) -> None:
        self._outbox.working = True
        self._outbox.on_change = self._wake
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._outbox.on_change = lambda: None
        self._stopping = True
        self._wake()
        self._thread.join()

    def _wake(self) -> None:
        loop, changed = self._loop, self._changed
        if loop is not None and changed is not None:
            with contextlib.suppress(RuntimeError):  # the loop has just been closed
                loop.call_soon_threadsafe(changed.set)

    def _main(self) -> None:
        asyncio.run(self._work())

    async def _work(self) -> None:
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        tasks: set[asyncio.Task[None]] = set()
        async with httpx.AsyncClient(trust_env=False, timeout=_timeout(self._outbox)) as client:
            while not self._stopping:
                self._changed.clear()
                for delivery in self._outbox.claim():
                    task = asyncio.create_task(self._attempt(client, delivery))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), self._sleep_s())
            # Retries live in memory only: they end with the server.
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _sleep_s(self) -> float | None:
        following = self._outbox.next_due_ms()
        if following is None:
            return None
        return min(max(0.0, following - self._clock.now_ms()) / 1_000, _POLL_S)

    async def _attempt(self, client: httpx.AsyncClient, delivery: Delivery) -> None:
        started = self._clock.now_ms()
        try:
            # May look the host up, which blocks only where a test run has a gate.
            _reach(delivery)
            answer = await client.send(_request(delivery), stream=True)
            await answer.aclose()
            result = Result(answer.status_code)
        except asyncio.CancelledError:
            self._outbox.release(delivery)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it may not end the deliveries
            result = _failure(error)
        self._outbox.settle(delivery, started, result)
