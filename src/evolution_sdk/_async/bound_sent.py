"""Sent messages with an async client attached.

Apart from events, which most programs that only send never load.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from evolution_sdk._base.pending_calls import tracked_class
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.models.message import Message, MessageStatus, SentMessage

if TYPE_CHECKING:
    # By their public home: events with a client give sent messages, so that these two files would
    # import each other.
    from evolution_sdk import AsyncMessagesUpdate, AsyncMessagesUpsert
    from evolution_sdk.events import MessagesUpsert
    from evolution_sdk.identity import Jid
    from evolution_sdk.tracking.event_bus import Cursor

__all__ = ["AsyncSentMessage", "Waits", "cursor_of", "sent_with"]


class Waits(Protocol):
    """Waits for what becomes of a message: ``client.messages``, as sent messages need it."""

    async def wait_until(
        self, sent: Message, status: str | MessageStatus, *, timeout_ms: float
    ) -> MessageStatus:
        """Wait until a message has reached a status."""
        ...

    async def wait_for_reply(
        self,
        sent: Message,
        *,
        timeout_ms: float,
        sender: str | Jid | None,
        quoted: bool,
        where: Callable[[MessagesUpsert], bool] | None,
        consume: bool,
    ) -> AsyncMessagesUpsert:
        """Wait until somebody answers a message."""
        ...

    async def wait_for_vote(
        self,
        sent: Message,
        *,
        timeout_ms: float,
        voter: str | Jid | None,
        option: str | None,
        consume: bool,
    ) -> AsyncMessagesUpsert | AsyncMessagesUpdate:
        """Wait until somebody votes in a poll."""
        ...


@tracked_class
class AsyncSentMessage(SentMessage):
    """A message that an async client sent; it can be waited for.

    A copy that was pickled has no client any more: give it to ``client.messages.wait_until``.
    """

    # Slots, as in the model itself: private attributes of pydantic double the cost of an answer.
    __slots__ = ("_cursor", "_waits")

    async def wait_until(
        self,
        status: str | MessageStatus = MessageStatus.DELIVERY_ACK,
        *,
        timeout_ms: float = 60_000,
    ) -> MessageStatus:
        """Wait until the message got that far; see ``client.messages.wait_until``.

        Args:
            status: How far: ``SERVER_ACK``, ``DELIVERY_ACK``, ``READ`` or ``PLAYED``.
            timeout_ms: Longest wait, in milliseconds.

        Returns:
            The furthest status known, at least the one wanted.

        Raises:
            WaitTimeoutError: It did not get that far in time; the error has the last status seen.
            DeliveryRefusedError: WhatsApp refused it: code, meaning and advice as far as told.
            ConfigurationError: The message has no client: it has been pickled since it was sent.
        """
        return await self._client().wait_until(self, status, timeout_ms=timeout_ms)

    async def wait_for_reply(
        self,
        *,
        timeout_ms: float = 300_000,
        sender: str | Jid | None = None,
        quoted: bool = False,
        where: Callable[[MessagesUpsert], bool] | None = None,
        consume: bool = False,
    ) -> AsyncMessagesUpsert:
        """Wait until somebody answers; see ``client.messages.wait_for_reply``.

        Args:
            timeout_ms: Longest wait, in milliseconds.
            sender: Only answers of this person; useful in groups.
            quoted: True for only those answers that quote the message.
            where: A further condition, such as ``lambda event: event.text == "1"``.
            consume: True to keep the answer from the handlers of receivers and streams.

        Returns:
            The answer, with the client attached (``reply.reply_text(…)``).

        Raises:
            WaitTimeoutError: No answer came in time.
            ConfigurationError: The message has no client: it has been pickled since it was sent.
        """
        return await self._client().wait_for_reply(
            self,
            timeout_ms=timeout_ms,
            sender=sender,
            quoted=quoted,
            where=where,
            consume=consume,
        )

    async def wait_for_vote(
        self,
        *,
        timeout_ms: float = 300_000,
        voter: str | Jid | None = None,
        option: str | None = None,
        consume: bool = False,
    ) -> AsyncMessagesUpsert | AsyncMessagesUpdate:
        """Wait until somebody votes in this poll; see ``client.messages.wait_for_vote``.

        Args:
            timeout_ms: Longest wait, in milliseconds.
            voter: Only votes of this person.
            option: Only votes with this choice among theirs.
            consume: True to keep the vote from the handlers of receivers and streams.

        Returns:
            The event: ``event.poll_vote.options`` are the choices.

        Raises:
            WaitTimeoutError: No such vote came in time.
            ConfigurationError: The message has no client: it has been pickled since it was sent.
        """
        return await self._client().wait_for_vote(
            self, timeout_ms=timeout_ms, voter=voter, option=option, consume=consume
        )

    def _client(self) -> Waits:
        # A slot that was never set: unpickling makes the message without it.
        waits: Waits | None = getattr(self, "_waits", None)
        if waits is None:
            raise ConfigurationError(
                "this message has no client attached: use client.messages.wait_until(sent, …) or "
                "client.messages.wait_for_reply(sent, …)"
            )
        return waits

    def _kept(self) -> dict[str, Any]:
        # Without the client: it holds connections and keys, which no copy may carry away.
        left_out = ("_waits", "_cursor")
        return {name: value for name, value in super()._kept().items() if name not in left_out}


def sent_with(waits: Waits, cursor: Cursor, sent: SentMessage) -> AsyncSentMessage:
    """Return a sent message with its client attached; every send of a client does so.

    Args:
        waits: ``client.messages``.
        cursor: The place in the client's stream of events where the send was over.
        sent: The message as the server answered.
    """
    # As in unpickling, but the fields are shared and not validated once more: both are frozen.
    made = AsyncSentMessage.__new__(AsyncSentMessage)
    made.__setstate__(
        {
            "__dict__": sent.__dict__,
            "__pydantic_extra__": sent.__pydantic_extra__,
            "__pydantic_fields_set__": sent.__pydantic_fields_set__,
            "__pydantic_private__": None,
            "kept": {
                "_raw": (sent.raw,),
                "_drift": sent.drift,
                "_evidence": sent.evidence,
                "_waits": waits,
                "_cursor": cursor,
            },
        }
    )
    return made


# Of any message: replies can also be waited for to one that was found in the store.
def cursor_of(message: Message) -> Cursor | None:
    """Return the place in the client's stream of events where a send was over; None if unknown."""
    return getattr(message, "_cursor", None)
