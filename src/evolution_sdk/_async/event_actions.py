"""The actions on an event: how its message is answered, marked as read, and its file fetched."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from os import PathLike
from typing import TYPE_CHECKING, Literal, Unpack

from evolution_sdk._client.compose import ComposeOptions, MediaLike
from evolution_sdk._client.options import CallOptions, SendOptions
from evolution_sdk.errors import BadRequestError, RequestValidationError
from evolution_sdk.events import Event
from evolution_sdk.events._replies import key_in, message_of, other_chat, quotable, reply_to

from .bound import DEFAULT_MAX_BYTES, AsyncSentMessage, ReplyTarget, bound
from .forwarding import Forwarder
from .media_download import AsyncMediaDownload, Ways, WebFiles

if TYPE_CHECKING:
    from evolution_sdk.identity import Jid, PhoneNumber
    from evolution_sdk.identity.lids import LidMap
    from evolution_sdk.media.saving import SavedMedia
    from evolution_sdk.models.chat import PlayedAck, ReadAck
    from evolution_sdk.models.message import ProtocolMessage

    from .presence import AsyncPresence
    from .resources.chats import AsyncChatsApi
    from .resources.messages import AsyncMessagesApi

__all__ = ["AsyncEventActions", "EventBinding"]

_OTHER_CHAT = "RemoteJid does not match"
"""The server's refusal to edit a message that it has stored under another name of the chat."""


class AsyncEventActions:
    """The actions on the message of one event; a bound event calls them.

    Arguments, results and errors are those of :class:`~evolution_sdk._async.bound.AsyncBoundEvent`.

    Args:
        messages: Gives the messages of the instance that acts, once they are needed.
        chats: Gives its chats, once they are needed.
        downloads: Fetches the file of a message from its public address.
        event: The event.
        lids: Proven pairs of hidden id and phone, by which a recipient may be chosen.
    """

    __slots__ = ("_chats", "_event", "_files", "_lids", "_messages")

    def __init__(
        self,
        messages: Callable[[], AsyncMessagesApi],
        chats: Callable[[], AsyncChatsApi],
        downloads: WebFiles,
        event: Event,
        lids: LidMap | None = None,
    ) -> None:
        self._messages = messages
        self._chats = chats
        self._files = AsyncMediaDownload(chats, downloads)
        self._event = event
        self._lids = lids

    def reply_target(self, *, quote: bool, options: ComposeOptions) -> ReplyTarget:
        """Return the recipient and the options of an answer in the same chat."""
        message = message_of(self._event)
        recipient = reply_to(message, self._lids)
        # The caller may have chosen another message to quote.
        if quote and "quoted" not in options:
            options = {**options, "quoted": quotable(message, recipient)}
        return ReplyTarget(self._messages(), recipient, options)

    async def reply_text(
        self,
        text: str,
        *,
        quote: bool = True,
        link_preview: bool | None = None,
        **options: Unpack[ComposeOptions],
    ) -> AsyncSentMessage:
        """Answer with a text in the same chat."""
        to = self.reply_target(quote=quote, options=options)
        return await to.messages.send_text(to.number, text, link_preview=link_preview, **to.options)

    async def reply_media(
        self,
        media: MediaLike,
        *,
        quote: bool = True,
        caption: str | None = None,
        mediatype: Literal["image", "document", "video", "audio"] | None = None,
        file_name: str | None = None,
        mimetype: str | None = None,
        prefer: Literal["base64", "multipart"] | None = None,
        gif_playback: bool | None = None,
        gif_attribution: Literal[0, 1, 2] | None = None,
        **options: Unpack[ComposeOptions],
    ) -> AsyncSentMessage:
        """Answer with a file in the same chat."""
        to = self.reply_target(quote=quote, options=options)
        return await to.messages.send_media(
            to.number,
            media,
            caption=caption,
            mediatype=mediatype,
            file_name=file_name,
            mimetype=mimetype,
            prefer=prefer,
            gif_playback=gif_playback,
            gif_attribution=gif_attribution,
            **to.options,
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

    async def mark_played(self, options: CallOptions) -> PlayedAck | None:
        """Mark the message as played; own messages and stories are left alone."""
        message = message_of(self._event)
        if message.from_me or message.is_status:
            return None
        return await self._chats().mark_message_as_played(message, **options)

    async def forward(
        self,
        number: str | PhoneNumber | Jid,
        *,
        by: Literal["content", "url"],
        max_bytes: int,
        options: SendOptions,
    ) -> AsyncSentMessage:
        """Send the content of the message to somebody else."""
        download = partial(self.download_media, max_bytes=max_bytes)
        forwarder = Forwarder(self._messages(), message_of(self._event), download)
        return await forwarder.send(number, by, **options)

    async def edit(self, text: str, options: CallOptions) -> ProtocolMessage:
        """Change the text of an own message."""
        message = message_of(self._event)
        if not message.from_me:
            raise RequestValidationError("event", "only own messages can be edited")
        chats, key = self._chats(), message.key
        try:
            return await chats.update_message(key, text, **options)
        except BadRequestError as error:
            other = other_chat(key, self._lids)
            # Refused before anything was sent: the row may name the chat by its hidden id.
            if other is None or _OTHER_CHAT not in str(error):
                raise
        return await chats.update_message(key_in(key, other), text, **options)

    async def delete(self, options: CallOptions) -> ProtocolMessage:
        """Delete the message for everyone."""
        message = message_of(self._event)
        if not message.from_me and not message.is_group:
            raise RequestValidationError(
                "event", "another person's message can only be deleted in a group, by an admin"
            )
        return await self._chats().delete_message_for_everyone(message, **options)

    def presence(self, presence: Literal["composing", "recording"], renew_ms: int) -> AsyncPresence:
        """Show a presence in the chat of the message."""
        number = reply_to(message_of(self._event), self._lids)
        chats = self._chats()
        show = chats.typing if presence == "composing" else chats.recording
        return show(number, renew_ms=renew_ms)

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
        lids: Proven pairs of hidden id and phone.
    """

    __slots__ = ("_downloads", "_lids")

    def __init__(self, downloads: WebFiles, lids: LidMap | None = None) -> None:
        self._downloads = downloads
        self._lids = lids

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
        return bound(event, AsyncEventActions(messages, chats, self._downloads, event, self._lids))
