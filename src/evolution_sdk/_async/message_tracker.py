"""Waiting for what becomes of a sent message: its statuses, the reply to it, votes in its poll.

By events where they come in, else by asking the server's store.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from evolution_sdk._base.harmless import harmless
from evolution_sdk.errors import ClientClosedError, EvolutionError, WaitTimeoutError
from evolution_sdk.identity import Jid
from evolution_sdk.identity.chat_forms import person_jid
from evolution_sdk.models.message import Message, MessageStatus
from evolution_sdk.operations.target import Target
from evolution_sdk.tracking.consumption import Hold

from ._seam import Later, Signal
from .bound_sent import cursor_of
from .pipeline import Pipeline

if TYPE_CHECKING:
    from evolution_sdk.events import Event, MessagesUpdate, MessagesUpsert
    from evolution_sdk.models.message import StoredMessage
    from evolution_sdk.tracking.event_bus import Cursor
    from evolution_sdk.tracking.expectations import AnswerExpectation, Expectation, ReplyFilter

    from .bound import AsyncMessagesUpdate, AsyncMessagesUpsert

_FIRST_PAUSE_MS = 500.0
_LONGEST_PAUSE_MS = 10_000.0
_GROWTH = 1.5
_BESIDE_EVENTS_MS = 15_000.0
_PAGE_SIZE = 100
# The store knows whole seconds, and its clock need not be the one that dated the message.
_BEFORE = timedelta(seconds=2)


class MessageTracker:
    """Waits for the statuses of messages, for replies to them, and for votes.

    Args:
        pipeline: Gives clock, sleep, events and calls.
        target: The instance whose messages are followed.
        bind: Attaches the client to a reply.
        bind_update: Attaches it to the votes of server 2.2.3.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        target: Target,
        bind: Callable[[MessagesUpsert], AsyncMessagesUpsert],
        bind_update: Callable[[MessagesUpdate], AsyncMessagesUpdate],
    ) -> None:
        self._pipeline = pipeline
        self._target = target
        self._bind = bind
        self._bind_update = bind_update

    async def wait_until(
        self, sent: Message, status: str | MessageStatus, timeout_ms: float
    ) -> MessageStatus:
        """Wait until a message got that far; see ``AsyncMessagesApi.wait_until``."""
        # Loaded here, because who follows nothing should not pay for it.
        from evolution_sdk.tracking.expectations import StatusExpectation

        intake, instance = self._pipeline.event_intake, self._target.instance
        chats = [name for name in (sent.key.remote_jid, sent.key.remote_jid_alt) if name]
        expected = StatusExpectation(
            sent,
            status,
            instance,
            intake.lids,
            lambda: intake.contacts.likely(instance, chats),
        )

        hold = Hold(expected, None)

        async def ask() -> None:
            from .resources.chats import AsyncChatsApi

            store = AsyncChatsApi(self._pipeline, self._target)
            changes = await store.find_status_message(message_id=sent.id)
            hold.learn(lambda: expected.learn_all(changes))

        await self._wait(expected, hold, ask, timeout_ms, None)
        if expected.refused:
            # Where no events come in, the store tells of it first.
            harmless(intake.contacts.note_refusal, instance, sent.id, chats)
        return expected.result()

    async def wait_for_reply(
        self,
        sent: Message,
        timeout_ms: float,
        *,
        sender: str | Jid | None,
        quoted: bool,
        where: ReplyFilter | None,
        consume: bool,
    ) -> AsyncMessagesUpsert:
        """Wait until somebody answers; see ``AsyncMessagesApi.wait_for_reply``."""
        from evolution_sdk.tracking.expectations import ReplyExpectation

        expected = ReplyExpectation(
            sent,
            sender=sender,
            quoted=quoted,
            where=where,
            instance=self._target.instance,
            lids=self._pipeline.event_intake.lids,
        )
        await self._answer(sent, expected, timeout_ms, consume)
        return self._bind(expected.result())

    async def wait_for_vote(
        self,
        sent: Message,
        timeout_ms: float,
        *,
        voter: str | Jid | None,
        option: str | None,
        consume: bool,
    ) -> AsyncMessagesUpsert | AsyncMessagesUpdate:
        """Wait until somebody votes; see ``AsyncMessagesApi.wait_for_vote``."""
        from evolution_sdk.events import MessagesUpsert
        from evolution_sdk.tracking.polls import VoteExpectation

        expected = VoteExpectation(
            sent,
            voter=voter,
            option=option,
            instance=self._target.instance,
            lids=self._pipeline.event_intake.lids,
        )
        await self._answer(sent, expected, timeout_ms, consume)
        found = expected.result()
        return self._bind(found) if isinstance(found, MessagesUpsert) else self._bind_update(found)

    async def _answer(
        self, sent: Message, expected: AnswerExpectation, timeout_ms: float, consume: bool
    ) -> None:
        """Wait for an event about a message, by events and by the messages in the store."""
        bus = self._pipeline.event_bus
        hold = Hold(expected, bus.claims if consume else None)

        async def ask() -> None:
            from .resources.chats import AsyncChatsApi

            store = AsyncChatsApi(self._pipeline, self._target)
            found: list[StoredMessage] = []
            for chat in expected.places():
                page = await store.find_messages(
                    remote_jid=chat,
                    # Rows under a hidden id that name the phone beside it (2.3.7).
                    remote_jid_alt=person_jid(chat),
                    since=None if sent.sent_at is None else sent.sent_at - _BEFORE,
                    page_size=_PAGE_SIZE,
                )
                found.extend(page.records)
            hold.learn(lambda: expected.learn(found))

        try:
            # An answer may have come between the end of the send and the beginning of this wait.
            await self._wait(expected, hold, ask, timeout_ms, cursor_of(sent))
        except BaseException:
            # Also where it was cancelled: then handlers get the event.
            hold.give_up()
            raise
        hold.keep(expected.result())

    async def _wait(
        self,
        expected: Expectation,
        hold: Hold,
        ask: Callable[[], Later[None]],
        timeout_ms: float,
        cursor: Cursor | None,
    ) -> None:
        """Wait until an expectation is met.

        With events the store is asked at the beginning, for what was told before anybody listened,
        at the end, and every 15 s, since events get lost; without, in growing intervals.

        Args:
            expected: The expectation.
            hold: Takes the events in for it.
            ask: Asks the store and tells the expectation.
            timeout_ms: Longest wait, in milliseconds.
            cursor: The place from which remembered messages count; None for none of them.

        Raises:
            WaitTimeoutError: It was not met in time; the error says what is known.
        """
        bus, ports = self._pipeline.event_bus, self._pipeline.ports
        signal = Signal()

        def heard(event: Event) -> None:
            if hold.take(event):
                signal.set()

        # Listening begins before anything is asked, so that nothing falls between the two.
        stop = bus.listen(heard, topics=expected.topics)
        begun = ports.monotonic()
        pause_ms, slept_ms, next_ms = _FIRST_PAUSE_MS, 0.0, 0.0
        try:
            for event in bus.since(cursor):
                heard(event)
            while not expected.done:
                # With a simulated sleep the clock may stand still: the time slept counts as well,
                # or this loop would never end.
                passed_ms = max((ports.monotonic() - begun) * 1_000, slept_ms)
                left_ms = timeout_ms - passed_ms
                # Read anew in each round: the first event may come during the wait.
                by_events = bus.attached
                if passed_ms >= next_ms or left_ms <= 0 or not by_events:
                    await self._ask(ask, by_events)
                    next_ms = passed_ms + _BESIDE_EVENTS_MS
                if expected.done:
                    return
                if left_ms <= 0:
                    late = WaitTimeoutError(f"Waited {timeout_ms:g} ms for {expected}.")
                    late.last_status = None if expected.status is None else str(expected.status)
                    raise late
                if by_events:
                    await ports.wait_ms(signal, min(left_ms, next_ms - passed_ms))
                else:
                    nap_ms = min(pause_ms, left_ms)
                    await ports.sleep_ms(nap_ms)
                    slept_ms += nap_ms
                    pause_ms = min(pause_ms * _GROWTH, _LONGEST_PAUSE_MS)
        finally:
            stop()

    async def _ask(self, ask: Callable[[], Later[None]], by_events: bool) -> None:
        """Ask the store; where events come, a store that cannot be read does not end the wait."""
        try:
            await ask()
        except ClientClosedError:
            raise
        except EvolutionError:
            if not by_events:
                raise
