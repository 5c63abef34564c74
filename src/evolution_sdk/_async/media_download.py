"""The file of a message, from wherever it can be had."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Protocol, Unpack

from evolution_sdk._client.options import CallOptions
from evolution_sdk.errors import (
    ClientClosedError,
    EvolutionError,
    RequestValidationError,
    ResponseTooLargeError,
)
from evolution_sdk.events import EventMessage
from evolution_sdk.events._files import check_size, embedded, in_base64, is_whole, too_large
from evolution_sdk.operations.answer_bound import answers_up_to

from ._seam import run_blocking

if TYPE_CHECKING:
    from .resources.chats import AsyncChatsApi

__all__ = ["AsyncMediaDownload", "Downloads"]


class Downloads(Protocol):
    """Fetches files from elsewhere."""

    async def download(self, url: str, limit_bytes: int) -> tuple[bytes, str | None]:
        """Fetch a file; return it with its type."""
        ...


class AsyncMediaDownload:
    """Gets the file of a message: from the event, its public address, or the server.

    Args:
        chats: Gives the chats of the instance that acts, once they are needed.
        downloads: Fetches the file of a message from its public address.
    """

    __slots__ = ("_chats", "_downloads")

    def __init__(self, chats: Callable[[], AsyncChatsApi], downloads: Downloads) -> None:
        self._chats = chats
        self._downloads = downloads

    async def download(
        self,
        message: EventMessage,
        *,
        max_bytes: int,
        use_url: bool,
        **options: Unpack[CallOptions],
    ) -> bytes:
        """Get the file: from the event, else from its public address, else from the server."""
        media = message.media
        if media is None:
            raise RequestValidationError("event", f"a message of kind {message.kind} has no file")
        # As announced first: a file that is too large is not even asked for.
        check_size(media.size_bytes, max_bytes)
        # Decoding 100 MB of base64 takes a while: the loop goes on meanwhile.
        found = await run_blocking(partial(embedded, message, max_bytes))
        if found and is_whole(found, message):
            return found
        if use_url and media.url is not None:
            fetched = await self._fetched(media.url, max_bytes)
            if fetched and is_whole(fetched, message):
                return fetched
            found = found or fetched
        # A file of the wrong size was cut short, or its size was told wrongly. It is kept for the
        # case that the server has none at all.
        try:
            return await self._asked(message, max_bytes, options)
        except EvolutionError:
            if found:
                return found
            raise

    async def _fetched(self, url: str, max_bytes: int) -> bytes | None:
        """Fetch the file from its public address; None if that fails: such addresses expire."""
        # The event names the address, and whoever posts the event chooses it.
        if not url.startswith(("http://", "https://")):
            return None
        try:
            content, _ = await self._downloads.download(url, max_bytes)
        except ClientClosedError:
            raise
        except EvolutionError:
            return None
        return content

    async def _asked(self, message: EventMessage, max_bytes: int, options: CallOptions) -> bytes:
        """Get the file from the server, and read no more of its answer than such a file needs."""
        try:
            with answers_up_to(in_base64(max_bytes)):
                answer = await self._chats().get_base64_from_media_message(message.key, **options)
        except ResponseTooLargeError as error:
            raise too_large(max_bytes) from error
        content = await run_blocking(lambda: answer.content)
        # Checked again: the size that was announced need not be true.
        check_size(len(content), max_bytes)
        if not content:
            raise RequestValidationError("event", "the server answered without the file's content")
        return content
