"""Messages and events with an async client attached: what they can do is typed to the end.

A sent message is waited for and gives an event; an event is answered and gives a sent message. The
two belong together, and know their client only by the two protocols below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from os import PathLike
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Protocol, Unpack, cast

from evolution_sdk._base.pending_calls import tracked_class
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import (
    Event,
    EventMessage,
    MessageEvent,
    MessagesDelete,
    MessagesEdited,
    MessagesUpdate,
    MessagesUpsert,
    SendMessage,
    SendMessageUpdate,
)
from evolution_sdk.events._base import D_co
from evolution_sdk.events.message import MessageStatusChange, ProtocolNotice
from evolution_sdk.models.message import Message, MessageStatus, SentMessage

from ._seam import HandlerColour

if TYPE_CHECKING:
    from evolution_sdk._client.compose import ComposeOptions, MediaLike
    from evolution_sdk._client.options import CallOptions, SendOptions
    from evolution_sdk.identity import Jid
    from evolution_sdk.media.saving import SavedMedia
    from evolution_sdk.models.chat import ReadAck
    from evolution_sdk.tracking.event_bus import Cursor

__all__ = [
    "Actions",
    "AsyncBoundEvent",
    "AsyncMessageEvent",
    "AsyncMessagesDelete",
    "AsyncMessagesEdited",
    "AsyncMessagesUpdate",
    "AsyncMessagesUpsert",
    "AsyncSendMessage",
    "AsyncSendMessageUpdate",
    "AsyncSentMessage",
    "Waits",
    "bound",
    "cursor_of",
    "sent_with",
]

DEFAULT_MAX_BYTES = 100 * 1024 * 1024
"""Room for a file in base64 under the server's own JSON limit of 136 MB."""


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
    ) -> AsyncMessagesUpsert:
        """Wait until somebody answers a message."""
        ...


class Actions(Protocol):
    """The actions on the message of one event, as the event needs them."""

    async def reply_text(
        self, text: str, *, quote: bool, **options: Unpack[ComposeOptions]
    ) -> AsyncSentMessage:
        """Answer with a text."""
        ...

    async def reply_media(
        self,
        media: MediaLike,
        *,
        quote: bool,
        caption: str | None,
        mediatype: Literal["image", "document", "video", "audio"] | None,
        file_name: str | None,
        mimetype: str | None,
        **options: Unpack[ComposeOptions],
    ) -> AsyncSentMessage:
        """Answer with a file."""
        ...

    async def react(self, emoji: str, **options: Unpack[SendOptions]) -> AsyncSentMessage:
        """React to the message."""
        ...

    async def mark_read(self, **options: Unpack[CallOptions]) -> ReadAck | None:
        """Mark the message as read."""
        ...

    async def download_media(
        self,
        *,
        max_bytes: int,
        use_url: bool,
        use_server: bool,
        use_whatsapp: bool,
        **options: Unpack[CallOptions],
    ) -> bytes:
        """Get the file of the message."""
        ...

    async def download_to(
        self,
        path: str | PathLike[str],
        *,
        max_bytes: int,
        use_url: bool,
        use_server: bool,
        use_whatsapp: bool,
        **options: Unpack[CallOptions],
    ) -> SavedMedia:
        """Save the file of the message."""
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
    ) -> AsyncMessagesUpsert:
        """Wait until somebody answers; see ``client.messages.wait_for_reply``.

        Args:
            timeout_ms: Longest wait, in milliseconds.
            sender: Only answers of this person; useful in groups.
            quoted: True for only those answers that quote the message.
            where: A further condition, such as ``lambda event: event.text == "1"``.

        Returns:
            The answer, with the client attached (``reply.reply_text(…)``).

        Raises:
            WaitTimeoutError: No answer came in time.
            ConfigurationError: The message has no client: it has been pickled since it was sent.
        """
        return await self._client().wait_for_reply(
            self, timeout_ms=timeout_ms, sender=sender, quoted=quoted, where=where
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


@tracked_class
class AsyncBoundEvent(HandlerColour, Event[D_co]):
    """An event about a message, with an async client attached: it can be answered.

    Args:
        event: The event without a client.
        actions: The actions on its message.
    """

    __slots__ = ("_actions",)

    _actions: Actions

    def __init__(self, event: Event, actions: Actions) -> None:
        super().__init__(
            event._raw,
            event._data,
            event=event.event,
            instance=event.instance,
            source=event.source,
            received_at=event.received_at,
        )
        # The views of the data that were made already need not be made again.
        object.__setattr__(self, "_memo", event._memo)
        object.__setattr__(self, "_actions", actions)

    @property
    def is_bound(self) -> bool:
        """Tell whether a client is attached."""
        return True

    @classmethod
    def plain(cls) -> type[Event]:
        """Return the class of the same event without a client."""
        # The first base that knows no client: MessagesUpsert of AsyncMessagesUpsert.
        bases = cast("tuple[type[Event], ...]", cls.__mro__)
        return next(base for base in bases if not issubclass(base, HandlerColour))

    async def reply_text(
        self, text: str, *, quote: bool = True, **options: Unpack[ComposeOptions]
    ) -> AsyncSentMessage:
        """Answer in the same chat; a story is answered to whoever posted it.

        A person known by both a ``@lid`` and a phone number is answered by phone number.

        Args:
            text: The text, not blank.
            quote: False to answer without quoting the message.
            **options: Options of a message, see :class:`~evolution_sdk.ComposeOptions`.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: The event does not say where to answer, or a value breaks a
                rule; nothing was sent.
            SendOutcomeUnknownError: No answer tells whether it was sent, and it was not found.
            EvolutionError: Whatever ``messages.send_text`` raises.
        """
        return await self._actions.reply_text(text, quote=quote, **options)

    async def reply_media(
        self,
        media: MediaLike,
        *,
        quote: bool = True,
        caption: str | None = None,
        mediatype: Literal["image", "document", "video", "audio"] | None = None,
        file_name: str | None = None,
        mimetype: str | None = None,
        **options: Unpack[ComposeOptions],
    ) -> AsyncSentMessage:
        """Answer with a file, in the same chat as ``reply_text`` would.

        Args:
            media: The file.
            quote: False to answer without quoting the message.
            caption: Text below the file.
            mediatype: The form in which to send it. Default: by the file's type.
            file_name: The name that the recipient sees.
            mimetype: The type, where name and content do not tell.
            **options: Options of a message, see :class:`~evolution_sdk.ComposeOptions`.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: The event does not say where to answer, or the file breaks a
                rule; nothing was sent.
            SendOutcomeUnknownError: No answer tells whether it was sent, and it was not found.
            EvolutionError: Whatever ``messages.send_media`` raises.
        """
        return await self._actions.reply_media(
            media,
            quote=quote,
            caption=caption,
            mediatype=mediatype,
            file_name=file_name,
            mimetype=mimetype,
            **options,
        )

    async def react(self, emoji: str, **options: Unpack[SendOptions]) -> AsyncSentMessage:
        """React to the message, or take the reaction back.

        Args:
            emoji: Exactly one emoji, or ``""`` to remove.
            **options: Options of one send, see :class:`~evolution_sdk.SendOptions`.

        Returns:
            The accepted reaction.

        Raises:
            RequestValidationError: Not one emoji, or the event names no message.
            SendOutcomeUnknownError: No answer tells whether it was sent, and it was not found.
            EvolutionError: Whatever ``messages.send_reaction`` raises.
        """
        return await self._actions.react(emoji, **options)

    async def mark_read(self, **options: Unpack[CallOptions]) -> ReadAck | None:
        """Mark the message as read.

        The server needs a participant to do so for a story and drops it, so that stories are left
        alone; it skips ``@lid`` chats silently.

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The server's acknowledgement; None for an own message or a story, for which nothing was
            asked.

        Raises:
            RequestValidationError: The event names no message.
            InstanceNotConnectedError: The connection is dead.
            EvolutionError: Whatever ``chats.mark_message_as_read`` raises.
        """
        return await self._actions.mark_read(**options)

    async def download_media(
        self,
        *,
        max_bytes: int = DEFAULT_MAX_BYTES,
        use_url: bool = True,
        use_server: bool = True,
        use_whatsapp: bool = True,
        **options: Unpack[CallOptions],
    ) -> bytes:
        """Get the file of the message.

        From the event itself where the webhook embeds files; else from its public address
        (``mediaUrl``, with S3); else from the server, which must have stored the message; else
        WhatsApp's encrypted copy is fetched and decrypted here (extra ``media``), and accepted only
        if its authentication code and hashes are those of the message. A file of the first two
        that has not the size its sender announced is taken only where no other source is better.

        Args:
            max_bytes: Largest file accepted, in bytes; no more are read.
            use_url: False to leave the public address alone, as you should where events are not
                verified: the event names it. An address inside a network is only asked where
                ``EVOLUTION_MEDIA_FETCH_HOSTS`` names its host (such as the MinIO of your server).
            use_server: False not to ask the server.
            use_whatsapp: False not to fetch WhatsApp's encrypted copy. Only ``*.whatsapp.net`` is
                asked for it, over TLS.
            **options: Options of the call that asks the server.

        Returns:
            The file's bytes.

        Raises:
            RequestValidationError: The message has no file, or it is larger than allowed.
            BadRequestError: The server has not stored it, or WhatsApp no longer has it.
            ConfigurationError: The server was not to be asked, and the extra ``media`` is not
                installed.
            EvolutionError: Whatever ``chats.get_base64_from_media_message`` raises. If WhatsApp's
                copy failed, too, a note of the error says why.
        """
        return await self._actions.download_media(
            max_bytes=max_bytes,
            use_url=use_url,
            use_server=use_server,
            use_whatsapp=use_whatsapp,
            **options,
        )

    async def download_to(
        self,
        path: str | PathLike[str],
        *,
        max_bytes: int = DEFAULT_MAX_BYTES,
        use_url: bool = True,
        use_server: bool = True,
        use_whatsapp: bool = True,
        **options: Unpack[CallOptions],
    ) -> SavedMedia:
        """Save the file of the message; the sources are those of :meth:`download_media`.

        What comes by address or from WhatsApp is written while it arrives, so that a large file
        needs no memory; an answer of the server is held in memory. The file appears under its name
        when it is complete, readable by this user only (mode ``0600``); if anything fails, nothing
        is left.

        Args:
            path: A folder that exists: the file gets a safe name there (that of a document, else
                kind and message id, with the extension of its type), and no other file is
                replaced. Or the path of the file itself, which is replaced if it is there.
            max_bytes: Largest file accepted, in bytes; no more are read.
            use_url: False to leave the public address alone.
            use_server: False not to ask the server.
            use_whatsapp: False not to fetch WhatsApp's encrypted copy.
            **options: Options of the call that asks the server.

        Returns:
            Where it is, its size, type and name, and where it came from.

        Raises:
            RequestValidationError: There is no such folder, the message has no file, or it is
                larger than allowed.
            BadRequestError: The server has not stored it, or WhatsApp no longer has it.
            EvolutionError: Whatever :meth:`download_media` raises.
            OSError: The file cannot be written.
        """
        return await self._actions.download_to(
            path,
            max_bytes=max_bytes,
            use_url=use_url,
            use_server=use_server,
            use_whatsapp=use_whatsapp,
            **options,
        )


class AsyncMessageEvent(AsyncBoundEvent[D_co], MessageEvent[D_co]):
    """An event about one message, with an async client attached."""

    __slots__ = ()


class AsyncMessagesUpsert(AsyncMessageEvent[EventMessage], MessagesUpsert):
    """:class:`~evolution_sdk.events.MessagesUpsert` with an async client attached."""

    __slots__ = ()


class AsyncSendMessage(AsyncMessageEvent[EventMessage], SendMessage):
    """:class:`~evolution_sdk.events.SendMessage` with an async client attached."""

    __slots__ = ()


class AsyncMessagesEdited(AsyncMessageEvent[ProtocolNotice], MessagesEdited):
    """:class:`~evolution_sdk.events.MessagesEdited` with an async client attached."""

    __slots__ = ()


class AsyncSendMessageUpdate(AsyncMessageEvent[ProtocolNotice], SendMessageUpdate):
    """:class:`~evolution_sdk.events.SendMessageUpdate` with an async client attached."""

    __slots__ = ()


class AsyncMessagesDelete(AsyncMessageEvent[EventMessage], MessagesDelete):
    """:class:`~evolution_sdk.events.MessagesDelete` with an async client attached."""

    __slots__ = ()


# No AsyncMessageEvent: it tells of a status, and carries nothing of the message but its key.
class AsyncMessagesUpdate(AsyncBoundEvent[MessageStatusChange], MessagesUpdate):
    """:class:`~evolution_sdk.events.MessagesUpdate` with an async client attached."""

    __slots__ = ()


# Only events about messages can be answered; all others are given back as they are.
_BOUND_CLASSES: Mapping[type[Event], type[AsyncBoundEvent]] = MappingProxyType(
    {
        MessagesUpsert: AsyncMessagesUpsert,
        SendMessage: AsyncSendMessage,
        MessagesEdited: AsyncMessagesEdited,
        SendMessageUpdate: AsyncSendMessageUpdate,
        MessagesDelete: AsyncMessagesDelete,
        MessagesUpdate: AsyncMessagesUpdate,
    }
)


def bound(event: Event, actions: Actions) -> Event:
    """Return an event with its actions; one that is about no message as it is.

    Args:
        event: The event.
        actions: The actions on its message.
    """
    # By the plain class: an event may be bound already, to another client.
    kind = _BOUND_CLASSES.get(event.plain())
    return event if kind is None else kind(event, actions)
