"""The webhooks on their way: what waits, what is due, and what became of each attempt."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from evolution_sdk.testing.fake import lifecycle
from evolution_sdk.testing.fake.js import JsonObject
from evolution_sdk.testing.fake.state import Instance, ServerState

from .rules import Delivery, Drop, Post, WebhookOptions, posts

Outcome: TypeAlias = Literal["delivered", "retried", "given_up", "dropped"]


@dataclass(frozen=True, slots=True)
class WebhookAttempt:
    """One attempt to deliver an event, or one event that was dropped.

    Attributes:
        delivery: Number of the event's delivery; its attempts have the same one. 0 if dropped.
        attempt: Number of the attempt, counted from 1; 0 if dropped.
        event: Name of the event, such as ``messages.upsert``.
        instance: Name of the instance.
        url: The address.
        headers: The headers sent, names in lower case.
        body: The envelope sent.
        at: Time of its beginning, in milliseconds since the epoch.
        status: Status of the answer; None without one.
        error: What went wrong where there was no answer.
        outcome: ``delivered``, ``retried`` (another attempt follows), ``given_up``, or
            ``dropped``: subscribed to, but never tried.
        next_at: Time of the attempt that follows, in milliseconds since the epoch.
    """

    delivery: int
    attempt: int
    event: str
    instance: str
    url: str
    headers: dict[str, str] = field(repr=False)
    body: JsonObject = field(repr=False)
    at: float
    status: int | None
    error: str | None
    outcome: Outcome
    next_at: float | None


@dataclass(frozen=True, slots=True)
class Result:
    """The end of an attempt.

    Attributes:
        status: Status of the answer; None without one.
        error: What went wrong where there was none.
        timed_out: Whether the receiver took too long.
        final: Whether no other attempt makes sense, as when a test run forbids the host.
    """

    status: int | None = None
    error: str | None = None
    timed_out: bool = False
    final: bool = False

    @property
    def delivered(self) -> bool:
        """True for a status of the two hundreds, which is what axios asks for."""
        return self.status is not None and 200 <= self.status < 300


class Outbox:
    """Holds the webhooks that are on their way; safe for threads.

    Args:
        server: The server's state; its lock guards the outbox, too.
        options: Settings of webhooks.
        chance: Source of randomness of the jitter.

    Attributes:
        working: Whether anybody delivers; a deletion then waits for its ``remove.instance``.
        on_change: Called when there may be something new to deliver.
    """

    def __init__(self, server: ServerState, options: WebhookOptions, chance: random.Random) -> None:
        self._server = server
        self._options = options.played_by(server.profile)
        self._chance = chance
        self._waiting: list[Delivery] = []
        self._attempts: list[WebhookAttempt] = []
        self._count = 0
        self.working = False
        self.on_change: Callable[[], object] = lambda: None

    @property
    def timeout_ms(self) -> float:
        """Longest time of an attempt, in milliseconds; infinite on 2.2.3."""
        return self._options.timeout_ms

    @property
    def attempts(self) -> list[WebhookAttempt]:
        """The attempts so far, and the dropped events, oldest first."""
        with self._server.lock:
            return list(self._attempts)

    @property
    def waiting(self) -> int:
        """Number of deliveries that are neither over nor given up."""
        with self._server.lock:
            return len(self._waiting)

    def clear(self) -> None:
        """Forget everything."""
        self._waiting.clear()
        self._attempts.clear()
        self._count = 0

    def take(self, envelope: JsonObject) -> None:
        """Accept an event, as it happens."""
        server = self._server
        instance = server.loaded(str(envelope["instance"]))
        first: Delivery | None = None
        found = posts(server.profile, self._options, instance, envelope, server.now_ms())
        for post in found:
            if isinstance(post, Drop):
                self._drop(envelope, post)
                continue
            made = self._made(envelope, post)
            # The server sends to the global webhook once it is done with the instance's own.
            if first is None:
                first = made
                self._waiting.append(made)
            else:
                first.then = made
        if first is None:
            return
        if envelope["event"] == "remove.instance" and instance is not None:
            (first.then or first).releases = instance
        self.on_change()

    def holds(self, instance: Instance) -> bool:
        """Tell if the deletion of an instance has to wait: its last event is not delivered yet."""
        return self.working and any(
            each.releases is instance or (each.then is not None and each.then.releases is instance)
            for each in self._waiting
        )

    def claim(self) -> list[Delivery]:
        """Take those that are due, in the order of their times; each has to be settled."""
        with self._server.lock:
            now = self._server.now_ms()
            due = [each for each in self._waiting if not each.under_way and each.due_ms <= now]
            due.sort(key=lambda each: (each.due_ms, each.number))
            for each in due:
                each.under_way = True
            return due

    def release(self, delivery: Delivery) -> None:
        """Put a claimed one back, as if it had not been tried."""
        with self._server.lock:
            delivery.under_way = False

    def next_due_ms(self) -> float | None:
        """Return the time of the next attempt, in milliseconds since the epoch, if there is one."""
        with self._server.lock:
            return min((each.due_ms for each in self._waiting if not each.under_way), default=None)

    def settle(self, delivery: Delivery, started_ms: float, result: Result) -> WebhookAttempt:
        """Note the end of an attempt, and decide what follows.

        Args:
            delivery: The claimed one.
            started_ms: Time of the attempt's beginning, in milliseconds since the epoch.
            result: The end.

        Returns:
            The attempt.
        """
        with self._server.lock:
            delivery.under_way = False
            delivery.attempts += 1
            # On a clock that stands still, a time-out has taken its time all the same.
            waited = self._options.timeout_ms if result.timed_out else 0.0
            ended = max(self._server.now_ms(), started_ms + waited)
            wait_s = None
            if not result.delivered and not result.final:
                wait_s = self._options.wait_s(
                    delivery.attempts, result.status, self._chance.random()
                )
            next_at = None if wait_s is None else ended + wait_s * 1_000
            outcome: Outcome = "retried" if next_at is not None else "given_up"
            done = WebhookAttempt(
                delivery=delivery.number,
                attempt=delivery.attempts,
                event=delivery.event,
                instance=delivery.instance,
                url=delivery.url,
                headers=dict(delivery.headers),
                body=delivery.envelope,
                at=started_ms,
                status=result.status,
                error=result.error,
                outcome="delivered" if result.delivered else outcome,
                next_at=next_at,
            )
            # A reset while the attempt was under way has forgotten it.
            if delivery in self._waiting:
                self._attempts.append(done)
                self._go_on(delivery, ended, next_at)
        self.on_change()
        return done

    def _go_on(self, delivery: Delivery, ended_ms: float, next_at: float | None) -> None:
        if next_at is not None:
            delivery.due_ms = next_at
            return
        self._waiting.remove(delivery)
        if delivery.then is not None:
            delivery.then.due_ms = ended_ms
            self._waiting.append(delivery.then)
        released = delivery.releases
        if released is not None and released.removal_waits and not self.holds(released):
            lifecycle.unload(self._server, released)

    def _made(self, envelope: JsonObject, post: Post) -> Delivery:
        self._count += 1
        return Delivery(
            number=self._count,
            instance=str(envelope["instance"]),
            event=str(envelope["event"]),
            url=post.url,
            headers=post.headers,
            envelope=post.envelope,
            fault=post.fault,
            due_ms=self._server.now_ms(),
        )

    def _drop(self, envelope: JsonObject, drop: Drop) -> None:
        self._attempts.append(
            WebhookAttempt(
                delivery=0,
                attempt=0,
                event=str(envelope["event"]),
                instance=str(envelope["instance"]),
                url=drop.url,
                headers={},
                body=envelope,
                at=self._server.now_ms(),
                status=None,
                error=drop.reason,
                outcome="dropped",
                next_at=None,
            )
        )
