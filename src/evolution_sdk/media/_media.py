"""Media, one file to send from any source."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, Literal, Self, get_args

from evolution_sdk._base.request import FilePart
from evolution_sdk.errors import RequestValidationError

from ._files import MAX_OPEN_FILE_BYTES, FileLike, content_of, is_file, name_of, type_of_upload
from ._optimizing import MAX_EDGE_PX, smaller_audio, smaller_image
from ._signatures import LONGEST_FRAME, type_of_content
from ._sources import decode_base64, decode_unnamed, is_data_uri, split_data_uri
from ._types import UNKNOWN_TYPE, MediaKind, bare_type, kind_of, type_of_name, with_extension
from ._urls import check_url, name_in_url, printable

__all__ = ["FetchFrom", "Media"]

FetchFrom = Literal["server", "local"]
"""The party that fetches a URL: the Evolution server, or this client (``local``)."""

_FIELD = "media"


@dataclass(frozen=True, slots=True, repr=False)
class Media:
    """One file to send, made by ``from_path``, ``from_bytes``, ``from_file``, ``from_url``, ….

    Its ``repr`` shows neither content nor URL.

    Attributes:
        file_name: Its name; the server derives the announced type from the extension.
        mime_type: Its type; ``application/octet-stream`` if unknown.
        path: Path of the file, or None.
        data: The content, or None.
        url: The URL, or None.
        size: Size in bytes, or None for a URL.
        fetch: The party that fetches the URL: ``server``, ``local``, or None if not chosen.
    """

    file_name: str
    mime_type: str
    path: Path | None = None
    data: bytes | None = field(default=None, repr=False)
    url: str | None = field(default=None, repr=False)
    size: int | None = None
    fetch: FetchFrom | None = None

    def __post_init__(self) -> None:
        if (self.path, self.data, self.url).count(None) != 2:
            raise RequestValidationError(_FIELD, "must be one of: a path, bytes, a URL")
        if self.fetch not in (None, *get_args(FetchFrom)):
            raise RequestValidationError("fetch", "must be 'server', 'local' or None")
        if self.url is not None:
            object.__setattr__(self, "url", check_url(self.url))
        # The server announces the name to the recipient: no directories, no control characters.
        name = printable(_text("file_name", self.file_name))
        if name in ("", ".", "..") or PurePosixPath(name.replace("\\", "/")).name != name:
            raise RequestValidationError("file_name", "must be a name without directories")
        object.__setattr__(self, "file_name", name)
        mime_type = _text("mime_type", self.mime_type)
        if "/" not in mime_type or not mime_type.isprintable():
            raise RequestValidationError("mime_type", "must look like image/png")
        if self.size == 0:
            raise RequestValidationError(_FIELD, "must not be empty")

    @classmethod
    def from_path(
        cls,
        path: str | os.PathLike[str],
        *,
        file_name: str | None = None,
        mime_type: str | None = None,
    ) -> Self:
        """Make media from a file on this machine, which is read when it is sent.

        Args:
            path: Path of the file.
            file_name: Name that the recipient sees. Default: the file's own name.
            mime_type: Its type. Default: the type of the name's extension.

        Returns:
            The media; only the size has been read so far.

        Raises:
            RequestValidationError: It is not a readable file, or empty.
        """
        try:
            path = Path(path)
        except TypeError:
            raise RequestValidationError(_FIELD, "must be a path, as Path or text") from None
        _optional_texts(file_name, mime_type)
        # ValueError: a path with a NUL. Directories and devices have no content to send.
        try:
            regular, size = path.is_file(), path.stat().st_size
        except (OSError, ValueError):
            regular, size = False, 0
        if not regular:
            raise RequestValidationError(_FIELD, f"must be an existing file; {path} is not")
        name = file_name or path.name
        guessed = mime_type or type_of_name(name) or type_of_name(path.name) or UNKNOWN_TYPE
        return cls(name, guessed, path=path, size=size)

    @classmethod
    def from_bytes(
        cls, data: bytes, *, file_name: str | None = None, mime_type: str | None = None
    ) -> Self:
        """Make media from content in memory.

        Args:
            data: The content.
            file_name: Name that the recipient sees. Default: ``file`` with the type's extension.
            mime_type: Its type. Default: recognised by the name or the first bytes.

        Returns:
            Media that hold the content.

        Raises:
            RequestValidationError: It is empty.
        """
        if not isinstance(data, bytes | bytearray | memoryview):  # pyright: ignore[reportUnnecessaryIsInstance] - callers err
            raise RequestValidationError(_FIELD, "must be bytes")
        _optional_texts(file_name, mime_type)
        data = bytes(data)  # a copy: the caller may change a bytearray later
        guessed = mime_type or (file_name and type_of_name(file_name))
        final = guessed or type_of_content(data[:LONGEST_FRAME]) or UNKNOWN_TYPE
        name = file_name or with_extension("file", final, kind_of(final))
        return cls(name, final, data=data, size=len(data))

    @classmethod
    def from_file(
        cls,
        file: FileLike,
        *,
        file_name: str | None = None,
        mime_type: str | None = None,
        limit_bytes: int = MAX_OPEN_FILE_BYTES,
    ) -> Self:
        """Make media from an open file, or an upload of Django, Flask, Starlette or FastAPI.

        The whole file is read at once, even if part of it was read before, and its position is
        restored, so that one file can be sent several times. A file that cannot be rewound is read
        from its current position.

        Args:
            file: A file open for reading bytes.
            file_name: Name that the recipient sees. Default: the file's own (``filename``, or else
                the last part of ``name``).
            mime_type: Its type. Default: recognised by the name, or else the upload's
                ``content_type``, or else the first bytes.
            limit_bytes: Limit of bytes to read into memory. Default: 128 MB.

        Returns:
            Media that hold the content.

        Raises:
            RequestValidationError: It is closed, empty, too large, open as text, or async.
        """
        if not is_file(file):
            raise RequestValidationError(_FIELD, "must be a file, open for reading bytes")
        _optional_texts(file_name, mime_type)
        data = content_of(file, limit_bytes)
        name = file_name or name_of(file)
        # A known extension counts for more than the browser's type, which may be generic.
        told = _useful_type(type_of_upload(file) or "")
        # The name goes before the sender's type: the server announces the type of the name.
        known = mime_type or (None if name and type_of_name(name) else told)
        return cls.from_bytes(data, file_name=name, mime_type=known)

    @classmethod
    def from_base64(
        cls, text: str, *, file_name: str | None = None, mime_type: str | None = None
    ) -> Self:
        """Make media from base64, or from a data URI with its type.

        Args:
            text: Padded base64; line ends and blanks in it are ignored.
            file_name: Name that the recipient sees. Default: ``file`` with the type's extension.
            mime_type: Its type. Default: the data URI's, or recognised by name or first bytes.

        Returns:
            Media that hold the decoded content.

        Raises:
            RequestValidationError: It is empty, or not complete, padded base64.
        """
        if isinstance(text, str) and is_data_uri(text):  # pyright: ignore[reportUnnecessaryIsInstance] - callers err
            found, data = split_data_uri(text)
            return cls.from_bytes(data, file_name=file_name, mime_type=mime_type or found)
        return cls.from_bytes(decode_base64(text), file_name=file_name, mime_type=mime_type)

    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        file_name: str | None = None,
        mime_type: str | None = None,
        fetch: FetchFrom | None = None,
    ) -> Self:
        """Make media from a URL, which the server fetches unless this client is asked to.

        Args:
            url: An absolute http(s) URL without user name and password.
            file_name: Name that the recipient sees. Default: the last part of the URL's path.
            mime_type: Its type. Default: the type of the name's extension.
            fetch: ``local``: this client fetches it, from a public address or from a host in
                ``EVOLUTION_MEDIA_FETCH_HOSTS``. ``server``: the server gets the URL, whatever it
                points to. Default: this client fetches it if the setting names its host; otherwise
                the server does, unless the address is loopback, link-local or metadata.

        Returns:
            The media; nothing has been fetched yet.

        Raises:
            RequestValidationError: The URL is not valid.
        """
        url = check_url(url)
        _optional_texts(file_name, mime_type)
        # The given name may have no extension while the URL has one.
        in_path = name_in_url(url)
        name = file_name or in_path or "file"
        guessed = mime_type or type_of_name(name) or type_of_name(in_path) or UNKNOWN_TYPE
        return cls(name, guessed, url=url, fetch=fetch)

    @classmethod
    def of(
        cls,
        value: Media | os.PathLike[str] | bytes | str | FileLike,
        *,
        file_name: str | None = None,
        mime_type: str | None = None,
    ) -> Media:
        """Make media from any value that a method with media accepts.

        Plain text is a URL, a data URI, or base64 of a known type of file. It is never a path, or
        the existence of a file of that name would decide what is sent. Use ``Path`` or
        ``from_path`` for files, and ``from_base64`` for base64 of any other content.

        Args:
            value: A Media, path, content, open file, upload or text.
            file_name: Name that the recipient sees, instead of the value's own name.
            mime_type: Its type, instead of the value's own.

        Returns:
            The value itself if it is a Media and nothing is changed, otherwise a new one.

        Raises:
            RequestValidationError: It is none of these.
        """
        names: dict[str, Any] = {"file_name": file_name, "mime_type": mime_type}
        # Most specific first: a path-like or a file must not be taken for text.
        if isinstance(value, Media):
            given = {name: given for name, given in names.items() if given}
            return replace(value, **given)
        if isinstance(value, os.PathLike):
            return cls.from_path(value, **names)
        if isinstance(value, bytes | bytearray | memoryview):
            return cls.from_bytes(bytes(value), **names)
        if not isinstance(value, str):
            if is_file(value):
                return cls.from_file(value, **names)
            rule = "must be Media, a Path, bytes, an open file, or text (a URL, base64)"
            raise RequestValidationError(_FIELD, rule)
        if value.lstrip()[:8].lower().startswith(("http://", "https://")):
            return cls.from_url(value, **names)
        if is_data_uri(value):
            return cls.from_base64(value, **names)
        return cls.from_bytes(decode_unnamed(value), **names)

    @property
    def kind(self) -> MediaKind:
        """The kind that WhatsApp shows it as, derived from its type."""
        return kind_of(self.mime_type)

    def name_for(self, kind: MediaKind) -> str:
        """Return its name with an extension, which the server needs.

        Args:
            kind: Kind it is sent as; decides the extension if nothing else does.

        Returns:
            The file name.
        """
        return with_extension(self.file_name, self.mime_type, kind)

    def read_bytes(self) -> bytes:
        """Return the content, reading the file of a path.

        Returns:
            The bytes.

        Raises:
            RequestValidationError: It is a URL, which has to be downloaded first, or the file
                can no longer be read.
        """
        if self.data is not None:
            return self.data
        if self.path is None:
            raise RequestValidationError(_FIELD, "is a URL: download it first")
        try:
            return self.path.read_bytes()
        except OSError as error:
            rule = f"must be readable; {self.path} is not ({type(error).__name__})"
            raise RequestValidationError(_FIELD, rule) from None

    def read_base64(self) -> str:
        """Return the content as bare base64, the only form that the server accepts in JSON.

        Returns:
            Padded base64 without the prefix of a data URI.

        Raises:
            RequestValidationError: See :meth:`read_bytes`.
        """
        return base64.b64encode(self.read_bytes()).decode("ascii")

    def optimized(
        self,
        *,
        max_edge_px: int = MAX_EDGE_PX,
        quality: int = 80,
        audio: bool = False,
        bitrate_kbps: int = 32,
    ) -> Media:
        """Make a smaller copy of an image or, if asked, of a recording.

        An image is scaled down, turned upright and encoded as JPEG, or as WebP if it is
        transparent. The camera's metadata, including the place, is dropped. Animations, other
        files, and files that would not become smaller are returned unchanged. The call blocks: in
        an event loop use ``await asyncio.to_thread(media.optimized)``.

        Args:
            max_edge_px: Longest edge of an image, in pixels.
            quality: Quality of JPEG and WebP, 1 to 95.
            audio: Whether recordings are converted to one-channel Opus, the format of voice notes;
                needs the program ``ffmpeg``.
            bitrate_kbps: Bit rate of recordings in kilobits per second, 6 to 256.

        Returns:
            The smaller media, in memory, or this object.

        Raises:
            RequestValidationError: It is a URL, an argument is out of range, or the content is
                damaged or has more than 64 million pixels.
            ConfigurationError: The extra ``pillow``, or ``ffmpeg``, is not installed.
        """
        for name, value, least, most in (
            ("max_edge_px", max_edge_px, 16, 16_384),
            ("quality", quality, 1, 95),
            ("bitrate_kbps", bitrate_kbps, 6, 256),
        ):
            # ``type``, because True is an int.
            if type(value) is not int or not least <= value <= most:  # pyright: ignore[reportUnnecessaryIsInstance] - callers err
                raise RequestValidationError(name, f"must be a whole number from {least} to {most}")
        if self.url is not None:
            raise RequestValidationError(_FIELD, "is a URL: download it first, or pass the content")
        made: tuple[bytes, str] | None = None
        if self.kind is MediaKind.IMAGE:
            made = smaller_image(self.read_bytes(), max_edge_px, quality)
        elif self.kind is MediaKind.AUDIO and audio:
            made = smaller_audio(self.read_bytes(), bitrate_kbps)
        if made is None:
            return self
        # The extension follows the new type, because the server goes by the extension.
        data, mime_type = made
        stem = PurePosixPath(self.file_name).stem or "file"
        name = with_extension(stem, mime_type, kind_of(mime_type))
        return type(self)(name, mime_type, data=data, size=len(data))

    def file_part(self, kind: MediaKind) -> FilePart:
        """Build the part of a multipart request; a path is passed on unread.

        Args:
            kind: Kind it is sent as; decides the name's extension if nothing else does.

        Returns:
            The part.
        """
        content = self.path if self.path is not None else self.read_bytes()
        return FilePart(self.name_for(kind), content, self.mime_type)

    def downloaded(self, data: bytes, content_type: str | None = None) -> Media:
        """Make media from this URL's file after the client has fetched it.

        Args:
            data: The content.
            content_type: Type in the response; used if the URL does not show the type.

        Returns:
            Media that hold the content.
        """
        known = self.mime_type if self.mime_type != UNKNOWN_TYPE else None
        told = _useful_type(content_type or "")
        return Media.from_bytes(data, file_name=self.file_name, mime_type=known or told)

    def __repr__(self) -> str:
        source = "path" if self.path else "url" if self.url else "bytes"
        size = "" if self.size is None else f", {self.size} bytes"
        return f"Media({self.file_name!r}, {self.mime_type}, from {source}{size})"


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise RequestValidationError(name, "must be text")
    return value


def _optional_texts(file_name: object, mime_type: object) -> None:
    """Reject a name or a type that is not text, before it is used."""
    for name, value in (("file_name", file_name), ("mime_type", mime_type)):
        if value is not None:
            _text(name, value)


def _useful_type(content_type: str) -> str | None:
    """Return a response's type; None if it does not say anything."""
    bare = bare_type(content_type)
    return bare if "/" in bare and bare not in (UNKNOWN_TYPE, "binary/octet-stream") else None
