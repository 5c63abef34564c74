"""What happens to a message after it was sent."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from evolution_sdk._async.following import follow
from evolution_sdk.identity import Jid
from evolution_sdk.models.message import Message, MessageStatus, SentMessage

from .base import AsyncResourceApi
from .store import AsyncStoreApi

if TYPE_CHECKING:
    from evolution_sdk.events import MessagesUpsert
    from evolution_sdk.models.message import StoredMessage
    from evolution_sdk.tracking.watches import ReplyFilter

_PAGE_SIZE = 100
_BEFORE = timedelta(seconds=2)


class AsyncFollowedApi(AsyncResourceApi):
    """Following messages; part of :class:`AsyncMessagesApi`."""

    __slots__ = ()

    async def wait_until(
        self,
        sent: Message,
        status: str | MessageStatus = MessageStatus.DELIVERY_ACK,
        *,
        timeout_ms: float = 60_000,
    ) -> MessageStatus:
        """Wait until a message got that far: 201 only means handed to WhatsApp.

        By events where they come in (``client.feed``, a receiver or stream with this client), else
        by asking the server's store, which needs ``DATABASE_SAVE_MESSAGE_UPDATE=true`` there. The
        EVOLUTION channel has no statuses. Statuses only go forward: READ is further than
        DELIVERY_ACK and settles a wait for it. Only what is told of the message's own chat and
        instance counts, whatever others do with its id.

        Args:
            sent: The message.
            status: How far; ``SERVER_ACK``, ``DELIVERY_ACK``, ``READ``, ``PLAYED``, or the words of
                the Business channel (``SENT``, ``DELIVERED``, ``READ``).
            timeout_ms: Longest wait, in milliseconds.

        Returns:
            The furthest status known, at least the one wanted.

        Raises:
            WaitTimeoutError: It did not get that far in time; says the last status seen.
            DeliveryFailedError: WhatsApp reported a failure.
            RequestValidationError: The message has no id, or the status is none to wait for.
        """
        # Here, because who follows nothing should not pay for loading the events.
        from evolution_sdk.tracking.watches import StatusWatch

        lids = self._pipeline.hearing.lids
        watch = StatusWatch(sent, status, self._target.instance, lids)

        async def ask() -> None:
            store = AsyncStoreApi(self._pipeline, self._target)
            for change in await store.find_status_message(message_id=sent.id):
                watch.learn(change)

        await follow(self._pipeline, watch, ask, timeout_ms)
        return watch.result()

    async def wait_for_reply(
        self,
        sent: Message,
        *,
        timeout_ms: float = 300_000,
        sender: str | Jid | None = None,
        quoted: bool = False,
        where: ReplyFilter | None = None,
    ) -> MessagesUpsert:
        """Wait until somebody answers: the next message of others in the same chat.

        By events where they come in, also those that came since the send was over, else by asking
        the server's store, which needs ``DATABASE_SAVE_DATA_NEW_MESSAGE=true`` there. Edits and
        deletions are no answers. One process waits for its own events: where
        several consumers share the work, the answer may go to another one.

        Args:
            sent: The message.
            timeout_ms: Longest wait, in milliseconds.
            sender: Only answers of this person; useful in groups.
            quoted: Whether only answers that quote the message count.
            where: What else must be so, such as ``lambda event: event.text == "1"``.

        Returns:
            The answer, with the client attached (``reply.reply_text(…)``).

        Raises:
            WaitTimeoutError: No answer came in time.
            RequestValidationError: The message has no id.
        """
        from evolution_sdk._async.namespaces import AsyncFamilies
        from evolution_sdk.tracking.watches import ReplyWatch

        watch = ReplyWatch(
            sent, sender=sender, quoted=quoted, where=where, instance=self._target.instance,
            lids=self._pipeline.hearing.lids,
        )  # fmt: skip

        async def ask() -> None:
            store = AsyncStoreApi(self._pipeline, self._target)
            found: list[StoredMessage] = []
            for chat in watch.places():
                page = await store.find_messages(
                    remote_jid=chat,
                    since=None if sent.sent_at is None else sent.sent_at - _BEFORE,
                    page_size=_PAGE_SIZE,
                )
                found.extend(page.records)
            watch.learn(found)

        mark = sent.heard_until if isinstance(sent, SentMessage) else None
        await follow(self._pipeline, watch, ask, timeout_ms, mark)
        return watch.result().bind(AsyncFamilies(self._pipeline, self._target))
