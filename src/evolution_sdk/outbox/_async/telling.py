"""Telling what becomes of messages: to handlers, and to whoever waits for one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evolution_sdk._async.pipeline import Pipeline
from evolution_sdk._base.forking import in_child
from evolution_sdk._base.handler_log import tell_handler_failure
from evolution_sdk._base.harmless import harmless, quiet_logger
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk._client.observers import Observers
from evolution_sdk._common.emitter import Subscribers
from evolution_sdk.outbox import questions
from evolution_sdk.outbox.claims import ALL, Claim
from evolution_sdk.outbox.events import EVENTS, OutboxEvent
from evolution_sdk.outbox.facts import OutboxFact
from evolution_sdk.outbox.following import Follower
from evolution_sdk.outbox.records import OutboxMessage
from evolution_sdk.outbox.settling import Done, Outcome
from evolution_sdk.outbox.store import OutboxStore
from evolution_sdk.retry.background import spawn

from ._seam import Bell

__all__ = ["Teller"]

_log = quiet_logger("evolution_sdk.outbox")


class Teller:
    """Hears what workers and events do to messages, and tells whoever wants to know.

    Args:
        pipeline: Of the client whose events count.
        store: The store.

    Attributes:
        handlers: Those who subscribed.
        observers: Those who are told of each send and look.
        changes: Rings whenever something changed.
    """

    def __init__(self, pipeline: Pipeline, store: OutboxStore) -> None:
        ports = pipeline.ports
        self._bus = pipeline.event_bus
        self._store = store
        self._follower = Follower(
            store, pipeline.event_intake.lids, ports.wall, ports.monotonic, self.moved
        )
        self._failures = QuietLog(_log, ports.monotonic)
        self.handlers: Subscribers = Subscribers(EVENTS, self._handler_failed, spawn)
        self.observers: Observers[OutboxFact] = Observers()
        self.changes: Bell = Bell()
        self._unfollow: Callable[[], None] | None = None
        store.wants = self.handlers.wants
        self.follow()
        in_child(self._begin_anew)

    def follow(self) -> None:
        """Listen to the events of the client, unless that is done."""
        if self._unfollow is None:
            self._unfollow = self._bus.listen(self._follower.hear, replay=False)

    def _begin_anew(self) -> None:
        # The bus of a child has no listeners.
        if self._unfollow is not None:
            self._unfollow = self._bus.listen(self._follower.hear, replay=False)

    def again(self) -> None:
        """Try once more what was told of messages that no row knew yet."""
        self._follower.again()

    def close(self) -> None:
        """Listen no more, and write down what was told."""
        unfollow, self._unfollow = self._unfollow, None
        if unfollow is not None:
            unfollow()
        harmless(self._follower.close)

    def ended(
        self, claim: Claim, outcome: Outcome, at_ms: int, row: OutboxMessage | None = None
    ) -> None:
        """Tell whoever listens what came of a claim; called once it is written down.

        Args:
            claim: What was to be done.
            outcome: What came of it.
            at_ms: When it was written down, by the store's clock, in milliseconds since 1970.
            row: The message as it was written, where that is known.
        """
        self.changes.ring()
        if self.observers.listening:
            self.observers.tell(OutboxFact.of(claim, outcome, at_ms))
        if not isinstance(outcome, Done):
            pause = outcome.pause
            if pause is not None and pause.trouble and self.handlers.wants("paused"):
                self.handlers.emit("paused", OutboxEvent.of_pause(pause, ALL))
            return
        if outcome.message_id is not None:
            self._follower.learned(outcome.message_id)
        if row is not None:
            self.moved(row)
        else:
            self._tell_row(claim.id, outcome.state.value)

    def dropped(self, number: int) -> None:
        """Tell whoever listens that a row is not to be sent any more.

        Args:
            number: The row.
        """
        self.changes.ring()
        self._tell_row(number, "expired", "cancelled")

    def _tell_row(self, number: int, *names: str) -> None:
        # It is read only where somebody wants it.
        if not any(map(self.handlers.wants, names)):
            return
        with self._store.reading() as session:
            message = questions.by_id(session, number)
        if message is not None:
            self.moved(message)

    def moved(self, message: OutboxMessage) -> None:
        """Tell whoever listens of a message's new state."""
        self.changes.ring()
        if self.handlers.wants(message.state.value):
            self.handlers.emit(message.state.value, OutboxEvent.of_message(message))

    def _handler_failed(self, event: Any, error: BaseException) -> None:
        name = getattr(event, "name", "?")
        tell_handler_failure(self._failures, f"a handler of the outbox's {name!r}", error)
