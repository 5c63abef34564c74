"""What can be done about an event."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Unpack

from evolution_sdk._base.pending_calls import tracked_class
from evolution_sdk._client.compose import ComposeOptions, MediaLike
from evolution_sdk._client.options import CallOptions, SendOptions
from evolution_sdk.errors import (
    ClientClosedError,
    EvolutionError,
    RequestValidationError,
    ResponseTooLargeError,
)
from evolution_sdk.events import Event, EventMessage
from evolution_sdk.events._answering import (
    DEFAULT_MAX_BYTES,
    check_size,
    embedded,
    in_base64,
    is_whole,
    message_of,
    quotable,
    reply_to,
    too_large,
)
from evolution_sdk.models.chat import ReadAck
from evolution_sdk.models.message import SentMessage
from evolution_sdk.operations.answer_bound import answers_up_to

from ._seam import run_blocking
from .pipeline import Pipeline

if TYPE_CHECKING:
    from .namespaces import AsyncFamilies


@tracked_class
class AsyncEventActions:
    """Actions about the message of one event; made by ``event.actions(client)``."""

    __slots__ = ("_event", "_handle", "_pipeline")

    def __init__(self, handle: AsyncFamilies, pipeline: Pipeline, event: Event[Any]) -> None:
        self._handle = handle
        self._pipeline = pipeline
        self._event = event

    async def reply_text(
        self, text: str, *, quote: bool = True, **options: Unpack[ComposeOptions]
    ) -> SentMessage:
        """Answer in the same chat; a story is answered to whoever posted it.

        A person known by both a ``@lid`` and a phone number is answered by phone number.

        Args:
            text: The text, not blank.
            quote: Whether to quote the message.
            **options: Options of a message, see :class:`~evolution_sdk.ComposeOptions`.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: The event does not say where to answer, or a value breaks a
                rule; nothing was sent.
            SendOutcomeUnknownError: No answer tells whether it was sent, and it was not found.
        """
        message = message_of(self._event)
        number = reply_to(message)
        return await self._handle.messages.send_text(
            number, text, **_quoting(message, quote, options)
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
    ) -> SentMessage:
        """Answer with a file, in the same chat as ``reply_text`` would.

        Args:
            media: The file.
            quote: Whether to quote the message.
            caption: Text below it.
            mediatype: What to send it as. Default: by the file's type.
            file_name: What the recipient sees.
            mimetype: The type, where name and content do not tell.
            **options: Options of a message, see :class:`~evolution_sdk.ComposeOptions`.

        Returns:
            The accepted message.

        Raises:
            RequestValidationError: The event does not say where to answer, or the file breaks a
                rule; nothing was sent.
            SendOutcomeUnknownError: No answer tells whether it was sent, and it was not found.
        """
        message = message_of(self._event)
        return await self._handle.messages.send_media(
            reply_to(message),
            media,
            caption=caption,
            mediatype=mediatype,
            file_name=file_name,
            mimetype=mimetype,
            **_quoting(message, quote, options),
        )

    async def react(self, emoji: str, **options: Unpack[SendOptions]) -> SentMessage:
        """React to the message, or take the reaction back.

        Args:
            emoji: Exactly one emoji, or ``""`` to remove.
            **options: Options of one send, see :class:`~evolution_sdk.SendOptions`.

        Returns:
            The accepted reaction.

        Raises:
            RequestValidationError: Not one emoji, or the event is about no message.
            SendOutcomeUnknownError: No answer tells whether it was sent, and it was not found.
        """
        message = message_of(self._event)
        return await self._handle.messages.send_reaction(message, emoji, **options)

    async def mark_read(self, **options: Unpack[CallOptions]) -> ReadAck | None:
        """Mark the message as read.

        The server needs a participant to do so for a story and drops it, so that stories are left
        alone; it skips ``@lid`` chats silently.

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Acknowledgement; None for an own message or a story, of which nothing was asked.

        Raises:
            RequestValidationError: The event is about no message.
            InstanceNotConnectedError: The connection is dead.
        """
        message = message_of(self._event)
        if message.from_me or message.is_status:
            return None
        return await self._handle.chats.mark_message_as_read(message, **options)

    async def download_media(
        self,
        *,
        max_bytes: int = DEFAULT_MAX_BYTES,
        use_url: bool = True,
        **options: Unpack[CallOptions],
    ) -> bytes:
        """Get the file of the message.

        From the event itself where the webhook embeds files; else from its public address
        (``mediaUrl``, with S3); else from the server, which must have stored the message. A file
        that has not the size its sender announced is taken only where no other source is better.

        Args:
            max_bytes: Largest file accepted, in bytes; no more are read.
            use_url: Whether to fetch the public address. The event names it: an address inside a
                network is only asked where ``EVOLUTION_MEDIA_FETCH_HOSTS`` names its host (such as
                the MinIO of your server). Switch it off where events are not verified.
            **options: Options of the call that asks the server.

        Returns:
            The file's bytes.

        Raises:
            RequestValidationError: The message has no file, or it is larger than allowed.
            BadRequestError: The server has not stored it, or WhatsApp no longer has it.
        """
        message = message_of(self._event)
        media = message.media
        if media is None:
            raise RequestValidationError("event", f"a message of kind {message.kind} has no file")
        check_size(media.size_bytes, max_bytes)
        found = await run_blocking(partial(embedded, message, max_bytes))
        if found and is_whole(found, message):
            return found
        if use_url and media.url is not None:
            fetched = await self._fetched(media.url, max_bytes)
            if fetched and is_whole(fetched, message):
                return fetched
            found = found or fetched
        try:
            return await self._asked(message, max_bytes, options)
        except EvolutionError:
            if found:
                return found
            raise

    async def _fetched(self, url: str, max_bytes: int) -> bytes | None:
        """From its public address; None where that fails, because such addresses expire."""
        if not url.startswith(("http://", "https://")):
            return None
        try:
            content, _ = await self._pipeline.download(url, max_bytes)
        except ClientClosedError:
            raise
        except EvolutionError:
            return None
        return content

    async def _asked(self, message: EventMessage, max_bytes: int, options: CallOptions) -> bytes:
        try:
            with answers_up_to(in_base64(max_bytes)):
                answer = await self._handle.chats.get_base64_from_media_message(
                    message.key, **options
                )
        except ResponseTooLargeError as error:
            raise too_large(max_bytes) from error
        content = await run_blocking(lambda: answer.content)
        check_size(len(content), max_bytes)
        if not content:
            raise RequestValidationError("event", "the server answered without the file's content")
        return content


def _quoting(message: EventMessage, quote: bool, options: ComposeOptions) -> ComposeOptions:
    if not quote or "quoted" in options:
        return options
    return {**options, "quoted": quotable(message)}
