"""The file of a message, from wherever it can be had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from os import PathLike
from typing import TYPE_CHECKING, Protocol, Unpack

from evolution_sdk._client.options import CallOptions
from evolution_sdk.errors import (
    ClientClosedError,
    ConfigurationError,
    EvolutionError,
    RequestValidationError,
    ResponseTooLargeError,
)
from evolution_sdk.events import EventMessage, MediaInfo
from evolution_sdk.events._files import (
    Readable,
    check_size,
    embedded,
    in_base64,
    is_whole_size,
    readable_copy,
    suggested_name,
    too_large,
)
from evolution_sdk.media.decryption import (
    ENCRYPTION_OVERHEAD_BYTES,
    DamagedMediaError,
    MediaDecryptor,
)
from evolution_sdk.media.fetching import host_is_listed, is_whatsapp_url
from evolution_sdk.media.saving import (
    FileStore,
    MediaSource,
    MemoryStore,
    SavedMedia,
    Store,
    check_folder,
    check_max_bytes,
)
from evolution_sdk.operations.answer_bound import answers_up_to

from ._seam import Later, run_blocking

if TYPE_CHECKING:
    from .resources.chats import AsyncChatsApi

__all__ = ["AsyncMediaDownload", "Ways", "WebFiles"]


class WebFiles(Protocol):
    """Fetches files from elsewhere."""

    @property
    def fetch_hosts(self) -> tuple[str, ...]:
        """The hosts that the settings name for files."""
        ...

    async def download(self, url: str, limit_bytes: int) -> tuple[bytes, str | None]:
        """Fetch a file; return it with its type."""
        ...

    async def stream_file(
        self,
        url: str,
        limit_bytes: int,
        sink: Callable[[bytes], Later[None]],
        allowed: Callable[[str], bool] | None = None,
    ) -> str | None:
        """Fetch a file piece by piece; return its type."""
        ...


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways to a file that may be gone; what the event itself carries is always taken.

    Attributes:
        url: Its public address.
        server: The server's base64 route.
        whatsapp: WhatsApp's encrypted copy, decrypted here.
    """

    url: bool = True
    server: bool = True
    whatsapp: bool = True


@dataclass(frozen=True, slots=True)
class _Origin:
    source: MediaSource
    mimetype: str | None = None


class AsyncMediaDownload:
    """Gets the file of a message: from the event, its public address, the server, or WhatsApp.

    Args:
        chats: Gives the chats of the instance that acts, once they are needed.
        downloads: Fetches files from elsewhere.
    """

    __slots__ = ("_chats", "_downloads")

    def __init__(self, chats: Callable[[], AsyncChatsApi], downloads: WebFiles) -> None:
        self._chats = chats
        self._downloads = downloads

    async def download(
        self,
        message: EventMessage,
        *,
        max_bytes: int,
        ways: Ways,
        **options: Unpack[CallOptions],
    ) -> bytes:
        """Get the file as bytes."""
        media = _media_of(message, max_bytes)
        store = MemoryStore(max_bytes)
        await _Fetch(self._chats, self._downloads, message, media, max_bytes, ways).into(
            store, options
        )
        return await run_blocking(lambda: store.content)

    async def save(
        self,
        message: EventMessage,
        path: str | PathLike[str],
        *,
        max_bytes: int,
        ways: Ways,
        **options: Unpack[CallOptions],
    ) -> SavedMedia:
        """Get the file into a folder, under a safe name, or to a path."""
        media = _media_of(message, max_bytes)
        folder, target = await run_blocking(partial(check_folder, path))
        store = FileStore(folder, max_bytes)
        try:
            origin = await _Fetch(
                self._chats, self._downloads, message, media, max_bytes, ways
            ).into(store, options)
            mimetype = media.mimetype or origin.mimetype
            name = suggested_name(media, message.id, mimetype)
            size = store.size
            saved = await run_blocking(partial(store.keep, target, name))
        finally:
            # Not awaited, so that it also happens when the task is cancelled.
            store.discard()
        return SavedMedia(saved, size, mimetype, media.file_name, origin.source)


class _Fetch:
    """The file of one message, by one way after the other."""

    def __init__(
        self,
        chats: Callable[[], AsyncChatsApi],
        downloads: WebFiles,
        message: EventMessage,
        media: MediaInfo,
        max_bytes: int,
        ways: Ways,
    ) -> None:
        self._chats = chats
        self._downloads = downloads
        self._message = message
        self._media = media
        self._max = max_bytes
        self._ways = ways
        # A file of the wrong size was cut short, or its size was told wrongly. It is kept for the
        # case that nobody has a better one.
        self._second_choice: _Origin | None = None

    async def into(self, store: Store, options: CallOptions) -> _Origin:
        """Fill the store.

        Raises:
            EvolutionError: The server's answer where it was asked, else that of the last way; what
                failed beside it is in its notes.
        """
        for way in (self._from_event, self._from_url):
            origin = await way(store)
            if origin is not None:
                return origin
        error: EvolutionError | None = None
        if self._ways.server:
            try:
                return await self._from_server(store, options)
            except EvolutionError as failed:
                if _is_final(failed):
                    raise
                error = failed
        copy = self._readable_copy()
        if copy is not None:
            try:
                return await self._from_whatsapp(store, copy)
            except EvolutionError as failed:
                if isinstance(failed, ClientClosedError):
                    raise
                error = _both(error, failed)
        if self._second_choice is not None and await run_blocking(store.take_back):
            return self._second_choice
        raise error or RequestValidationError(
            "event", "tells of no way to its file that may be gone: see use_server"
        )

    def _readable_copy(self) -> Readable | None:
        if not self._ways.whatsapp or self._media.encrypted is None:
            return None
        return readable_copy(self._media, self._downloads.fetch_hosts)

    async def _from_event(self, store: Store) -> _Origin | None:
        """Take the file that the event carries."""
        # Decoding 100 MB of base64 takes a while: the loop goes on meanwhile.
        found = await run_blocking(partial(embedded, self._message, self._max))
        if not found:
            return None
        await run_blocking(partial(store.write, found))
        return await self._judged(store, _Origin("event"))

    async def _from_url(self, store: Store) -> _Origin | None:
        """Fetch the file from its public address; None if that fails: such addresses expire."""
        url = self._media.url
        # The event names the address, and whoever posts the event chooses it.
        if not self._ways.url or url is None or not url.startswith(("http://", "https://")):
            return None
        try:
            if isinstance(store, MemoryStore):
                content, mimetype = await self._downloads.download(url, self._max)
                store.write(content)
            else:
                mimetype = await self._downloads.stream_file(url, self._max, _writing(store))
        except ClientClosedError:
            raise
        except EvolutionError:
            await run_blocking(store.restart)
            return None
        return await self._judged(store, _Origin("url", mimetype))

    async def _judged(self, store: Store, origin: _Origin) -> _Origin | None:
        """Accept a file that has the size its sender announced."""
        if is_whole_size(store.size, self._media):
            return origin
        if store.size and self._second_choice is None:
            self._second_choice = origin
        await run_blocking(store.set_aside)
        return None

    async def _from_server(self, store: Store, options: CallOptions) -> _Origin:
        """Get the file from the server, and read no more of its answer than such a file needs."""
        try:
            with answers_up_to(in_base64(self._max)):
                answer = await self._chats().get_base64_from_media_message(self._message, **options)
        except ResponseTooLargeError as error:
            raise too_large(self._max) from error
        content = await run_blocking(lambda: answer.content)
        if not content:
            raise RequestValidationError("event", "the server answered without the file's content")
        # Bounded again: the size that was announced need not be true.
        await run_blocking(partial(store.write, content))
        return _Origin("server", answer.mimetype)

    async def _from_whatsapp(self, store: Store, copy: Readable) -> _Origin:
        """Fetch WhatsApp's encrypted copy and decrypt it; the store keeps nothing unverified."""
        hosts = self._downloads.fetch_hosts
        try:
            decryptor = MediaDecryptor(
                copy.media_key,
                copy.kind,
                file_sha256=copy.file_sha256,
                file_enc_sha256=copy.file_enc_sha256,
            )

            async def sink(data: bytes) -> None:
                await run_blocking(lambda: store.write(decryptor.feed(data)))

            await self._downloads.stream_file(
                copy.url,
                self._max + ENCRYPTION_OVERHEAD_BYTES,
                sink,
                lambda url: is_whatsapp_url(url) or host_is_listed(url, hosts),
            )
            await run_blocking(lambda: store.write(decryptor.finish()))
        except DamagedMediaError as error:
            await run_blocking(store.restart)
            raise RequestValidationError("event", f"WhatsApp's copy is damaged: {error}") from None
        except EvolutionError:
            await run_blocking(store.restart)
            raise
        return _Origin("whatsapp")


def _media_of(message: EventMessage, max_bytes: int) -> MediaInfo:
    media = message.media
    if media is None:
        raise RequestValidationError("event", f"a message of kind {message.kind} has no file")
    check_max_bytes(max_bytes)
    # As announced first: a file that is too large is not even asked for.
    check_size(media.size_bytes, max_bytes)
    return media


def _writing(store: Store) -> Callable[[bytes], Later[None]]:
    async def sink(data: bytes) -> None:
        await run_blocking(partial(store.write, data))

    return sink


def _is_final(error: EvolutionError) -> bool:
    """Tell if the server's failure is one of the call itself, which no other way would mend."""
    if isinstance(error, RequestValidationError):
        return error.field != "event"
    return isinstance(error, ClientClosedError | ConfigurationError)


def _both(first: EvolutionError | None, second: EvolutionError) -> EvolutionError:
    """Return the error to raise: the server's, with a note on the other."""
    if first is None:
        return second
    first.add_note(f"Nor could WhatsApp's encrypted copy be read: {second}")
    return first
