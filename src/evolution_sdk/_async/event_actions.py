"""The actions on an event: how its message is answered, marked as read, and its file fetched."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import TYPE_CHECKING, Literal, Unpack

from evolution_sdk._client.compose import ComposeOptions, MediaLike
from evolution_sdk._client.options import CallOptions, SendOptions
from evolution_sdk.events import Event, EventMessage
from evolution_sdk.events._replies import message_of, quotable, reply_to

from .bound import DEFAULT_MAX_BYTES, AsyncSentMessage, bound
from .media_download import AsyncMediaDownload, Ways, WebFiles

if TYPE_CHECKING:
    from evolution_sdk.media.saving import SavedMedia
    from evolution_sdk.models.chat import ReadAck

    from .resources.chats import AsyncChatsApi
    from .resources.messages import AsyncMessagesApi

__all__ = ["AsyncEventActions", "EventBinding"]


class AsyncEventActions:
    """The actions on the message of one event; a bound event calls them.

    Arguments, results and errors are those of :class:`~evolution_sdk._async.bound.AsyncBoundEvent`.

    Args:
        messages: Gives the messages of the instance that acts, once they are needed.
        chats: Gives its chats, once they are needed.
        downloads: Fetches the file of a message from its public address.
        event: The event.
    """

    __slots__ = ("_chats", "_event", "_files", "_messages")

    def __init__(
        self,
        messages: Callable[[], AsyncMessagesApi],
        chats: Callable[[], AsyncChatsApi],
        downloads: WebFiles,
        event: Event,
    ) -> None:
        self._messages = messages
        self._chats = chats
        self._files = AsyncMediaDownload(chats, downloads)
        self._event = event

    async def reply_text(
        self, text: str, *, quote: bool = True, **options: Unpack[ComposeOptions]
    ) -> AsyncSentMessage:
        """Answer with a text in the same chat."""
        message = message_of(self._event)
        return await self._messages().send_text(
            reply_to(message), text, **_quoting(message, quote, options)
        )

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
        """Answer with a file in the same chat."""
        message = message_of(self._event)
        return await self._messages().send_media(
            reply_to(message),
            media,
            caption=caption,
            mediatype=mediatype,
            file_name=file_name,
            mimetype=mimetype,
            **_quoting(message, quote, options),
        )

    async def react(self, emoji: str, **options: Unpack[SendOptions]) -> AsyncSentMessage:
        """React to the message, or take the reaction back."""
        message = message_of(self._event)
        return await self._messages().send_reaction(message, emoji, **options)

    async def mark_read(self, **options: Unpack[CallOptions]) -> ReadAck | None:
        """Mark the message as read; own messages and stories are left alone."""
        message = message_of(self._event)
        # The server drops a story: without a participant it cannot mark one.
        if message.from_me or message.is_status:
            return None
        return await self._chats().mark_message_as_read(message, **options)

    async def download_media(
        self,
        *,
        max_bytes: int = DEFAULT_MAX_BYTES,
        use_url: bool = True,
        use_server: bool = True,
        use_whatsapp: bool = True,
        **options: Unpack[CallOptions],
    ) -> bytes:
        """Get the file of the message."""
        return await self._files.download(
            message_of(self._event),
            max_bytes=max_bytes,
            ways=Ways(use_url, use_server, use_whatsapp),
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
        """Save the file of the message."""
        return await self._files.save(
            message_of(self._event),
            path,
            max_bytes=max_bytes,
            ways=Ways(use_url, use_server, use_whatsapp),
            **options,
        )


class EventBinding:
    """Attaches a client to events.

    Args:
        downloads: Fetches files of messages from their public addresses.
    """

    __slots__ = ("_downloads",)

    def __init__(self, downloads: WebFiles) -> None:
        self._downloads = downloads

    def bind(
        self,
        event: Event,
        messages: Callable[[], AsyncMessagesApi],
        chats: Callable[[], AsyncChatsApi],
    ) -> Event:
        """Return an event that can be answered; one that is about no message as it is.

        Args:
            event: The event.
            messages: Gives the messages of the instance that acts, once they are needed.
            chats: Gives its chats, once they are needed.
        """
        return bound(event, AsyncEventActions(messages, chats, self._downloads, event))


def _quoting(message: EventMessage, quote: bool, options: ComposeOptions) -> ComposeOptions:
    """Add the quoted message to the options, unless the caller chose one."""
    if not quote or "quoted" in options:
        return options
    return {**options, "quoted": quotable(message)}
