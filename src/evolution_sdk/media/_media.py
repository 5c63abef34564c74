"""Media: one file to send, wherever it comes from."""

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
"""The one who fetches a URL: the Evolution server, or this client."""

_FIELD = "media"


@dataclass(frozen=True, slots=True, repr=False)
class Media:
    """One file to send: made by ``from_path``, ``from_bytes``, ``from_file``, ``from_url``, ….

    Its ``repr`` shows neither content nor URL.

    Attributes:
        file_name: Its name; the server derives the type it announces from the extension.
        mime_type: Its type, ``application/octet-stream`` when nothing tells.
        path: The file, or None.
        data: The content, or None.
        url: The address, or None.
        size: Bytes, or None for a URL.
        fetch: Who fetches the URL: ``server``, ``local``, or None when nobody was named.
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
        """A file on this machine; it is read when it is sent.

        Args:
            path: Where it is.
            file_name: What the recipient sees; by default its own name.
            mime_type: Its type; by default what the name's extension stands for.

        Returns:
            A medium; nothing has been read yet but its size.

        Raises:
            RequestValidationError: It is not a readable file, or empty.
        """
        try:
            path = Path(path)
        except TypeError:
            raise RequestValidationError(_FIELD, "must be a path, as Path or text") from None
        _optional_texts(file_name, mime_type)
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
        """Content in memory.

        Args:
            data: The content.
            file_name: What the recipient sees; by default ``file`` with the type's extension.
            mime_type: Its type; by default what the name or the first bytes tell.

        Returns:
            A medium that holds the content.

        Raises:
            RequestValidationError: It is empty.
        """
        if not isinstance(data, bytes | bytearray | memoryview):  # pyright: ignore[reportUnnecessaryIsInstance] - callers err
            raise RequestValidationError(_FIELD, "must be bytes")
        _optional_texts(file_name, mime_type)
        data = bytes(data)
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
        """An open file, or an upload of Django, Flask, Starlette or FastAPI; it is read at once.

        All of it is taken, also when it was read before, and it is left where it stood: one file
        may be sent several times. What cannot be rewound is read from where it stands.

        Args:
            file: Open for reading bytes.
            file_name: What the recipient sees; by default the file's own name (``filename``, else
                the last part of ``name``).
            mime_type: Its type; by default what the name tells, else the upload's
                ``content_type``, else its first bytes.
            limit_bytes: Most bytes to read into memory. Default: 128 MB.

        Returns:
            A medium that holds the content.

        Raises:
            RequestValidationError: It is closed, empty, larger, open as text, or has to be awaited.
        """
        if not is_file(file):
            raise RequestValidationError(_FIELD, "must be a file, open for reading bytes")
        _optional_texts(file_name, mime_type)
        data = content_of(file, limit_bytes)
        name = file_name or name_of(file)
        told = _useful_type(type_of_upload(file) or "")
        known = mime_type or (None if name and type_of_name(name) else told)
        return cls.from_bytes(data, file_name=name, mime_type=known)

    @classmethod
    def from_base64(
        cls, text: str, *, file_name: str | None = None, mime_type: str | None = None
    ) -> Self:
        """Content in base64 or in a data URI, whose type is taken over.

        Args:
            text: Padded base64; line ends and blanks in it are ignored.
            file_name: What the recipient sees; by default ``file`` with the type's extension.
            mime_type: Its type; by default the data URI's, or what name or first bytes tell.

        Returns:
            A medium that holds the decoded content.

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
        """A file on the web, which the server fetches; this client only if it is asked to.

        Args:
            url: Absolute, http or https, without user name and password.
            file_name: What the recipient sees; by default the last part of the URL's path.
            mime_type: Its type; by default what the name's extension stands for.
            fetch: ``local`` to fetch it from here, from a public address, or from a host that
                ``EVOLUTION_MEDIA_FETCH_HOSTS`` names. ``server`` to hand it over whatever it points
                to. Default: from here when the setting names its host; else handed over, unless
                its address is a loopback, link-local or metadata one.

        Returns:
            A medium; nothing has been fetched yet.

        Raises:
            RequestValidationError: It is not such a URL.
        """
        url = check_url(url)
        _optional_texts(file_name, mime_type)
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
        """Whatever a method that takes media is given.

        A plain text is a URL, a data URI, or base64 of a known type of file; never a path: whether
        a file of that name exists would decide what is sent. Use ``Path`` or ``from_path`` for
        files, ``from_base64`` for base64 of any other content.

        Args:
            value: A Media, path, content, open file, upload or text.
            file_name: What the recipient sees, instead of the value's own name.
            mime_type: Its type, instead of the value's own.

        Returns:
            The value itself when it is a Media and nothing is changed, else a new one.

        Raises:
            RequestValidationError: It is none of these.
        """
        names: dict[str, Any] = {"file_name": file_name, "mime_type": mime_type}
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
        """How WhatsApp shows it, from its type."""
        return kind_of(self.mime_type)

    def name_for(self, kind: MediaKind) -> str:
        """Its name with an extension, which the server needs.

        Args:
            kind: As what it is sent; decides the extension where nothing else does.

        Returns:
            The file name.
        """
        return with_extension(self.file_name, self.mime_type, kind)

    def read_bytes(self) -> bytes:
        """The content; reads the file of a path.

        Returns:
            The bytes.

        Raises:
            RequestValidationError: It is a URL, which has to be downloaded first, or the file
                cannot be read any more.
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
        """The content as bare base64, the only form the server takes in JSON.

        Returns:
            Padded base64 without a data URI's prefix.
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
        """Make a smaller one to send: images always, recordings where asked; else this very one.

        An image is scaled down, turned upright, and packed as JPEG, or as WebP where it is
        transparent; what its camera wrote into it (the place, too) stays out. Animations, other
        files, and whatever would not become smaller stay as they are. It works and blocks: in an
        event loop use ``await asyncio.to_thread(media.optimized)``.

        Args:
            max_edge_px: Longest edge of an image, in pixels.
            quality: Of JPEG and WebP, 1 to 95.
            audio: Whether recordings become Opus of one channel, as voice notes are; needs the
                program ``ffmpeg``.
            bitrate_kbps: Of recordings, 6 to 256.

        Returns:
            The smaller medium, in memory, or this one.

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
            if type(value) is not int or not least <= value <= most:  # pyright: ignore[reportUnnecessaryIsInstance] - callers err
                raise RequestValidationError(name, f"must be a whole number from {least} to {most}")
        if self.url is not None:
            raise RequestValidationError(_FIELD, "is a URL: what is to be optimized must be here")
        made: tuple[bytes, str] | None = None
        if self.kind is MediaKind.IMAGE:
            made = smaller_image(self.read_bytes(), max_edge_px, quality)
        elif self.kind is MediaKind.AUDIO and audio:
            made = smaller_audio(self.read_bytes(), bitrate_kbps)
        if made is None:
            return self
        data, mime_type = made
        stem = PurePosixPath(self.file_name).stem or "file"
        name = with_extension(stem, mime_type, kind_of(mime_type))
        return type(self)(name, mime_type, data=data, size=len(data))

    def file_part(self, kind: MediaKind) -> FilePart:
        """The part of a multipart request; a path is passed on unread.

        Args:
            kind: As what it is sent; decides the name's extension where nothing else does.

        Returns:
            The part.
        """
        content = self.path if self.path is not None else self.read_bytes()
        return FilePart(self.name_for(kind), content, self.mime_type)

    def downloaded(self, data: bytes, content_type: str | None = None) -> Media:
        """This URL's file after the client has fetched it.

        Args:
            data: The content.
            content_type: What its response said; used when the URL did not tell the type.

        Returns:
            A medium that holds the content.
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
    """Refuse a name or a type that is no text, before it is looked at."""
    for name, value in (("file_name", file_name), ("mime_type", mime_type)):
        if value is not None:
            _text(name, value)


def _useful_type(content_type: str) -> str | None:
    """A response's type, unless it says nothing."""
    bare = bare_type(content_type)
    return bare if "/" in bare and bare not in (UNKNOWN_TYPE, "binary/octet-stream") else None
