"""Media: one file to send, wherever it comes from."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Self

from evolution_sdk._core.request import FilePart
from evolution_sdk.errors import RequestValidationError

from ._sources import (
    check_url,
    decode_base64,
    is_data_uri,
    name_in_url,
    printable,
    server_can_fetch,
    split_data_uri,
)
from ._types import (
    UNKNOWN_TYPE,
    MediaKind,
    bare_type,
    kind_of,
    type_of_content,
    type_of_name,
    with_extension,
)

_FIELD = "media"


@dataclass(frozen=True, slots=True, repr=False)
class Media:
    """One file to send. Made by ``from_path``, ``from_bytes``, ``from_url``, ``from_base64``.

    Its ``repr`` shows neither content nor URL.

    Attributes:
        file_name: Its name; the server derives the type it announces from the extension.
        mime_type: Its type, ``application/octet-stream`` when nothing tells.
        path: The file, or None.
        data: The content, or None.
        url: The address, or None.
        size: Bytes, or None for a URL.
        needs_download: Whether the URL has to be fetched here, because the server cannot.
    """

    file_name: str
    mime_type: str
    path: Path | None = None
    data: bytes | None = field(default=None, repr=False)
    url: str | None = field(default=None, repr=False)
    size: int | None = None
    needs_download: bool = False

    def __post_init__(self) -> None:
        if (self.path, self.data, self.url).count(None) != 2:
            raise RequestValidationError(_FIELD, "must be one of: a path, bytes, a URL")
        name = printable(self.file_name)
        if name in ("", ".", "..") or PurePosixPath(name.replace("\\", "/")).name != name:
            raise RequestValidationError("file_name", "must be a name without directories")
        object.__setattr__(self, "file_name", name)
        if "/" not in self.mime_type or not self.mime_type.isprintable():
            raise RequestValidationError("mime_type", "must look like image/png")
        if self.size == 0:
            raise RequestValidationError(_FIELD, "must not be empty")

    @classmethod
    def from_path(
        cls, path: str | Path, *, file_name: str | None = None, mime_type: str | None = None
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
        path = Path(path)
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
        guessed = mime_type or (file_name and type_of_name(file_name)) or type_of_content(data[:32])
        final = guessed or UNKNOWN_TYPE
        name = file_name or with_extension("file", final, kind_of(final))
        return cls(name, final, data=bytes(data), size=len(data))

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
        if is_data_uri(text):
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
        download: bool | None = None,
    ) -> Self:
        """A file on the web, which the server fetches itself if it can.

        Args:
            url: Absolute, http or https.
            file_name: What the recipient sees; by default the last part of the URL's path.
            mime_type: Its type; by default what the name's extension stands for.
            download: Whether the client fetches it and sends the content. By default it does for
                hosts the server refuses (``http://localhost``, ``http://minio:9000``) or means
                another machine by (loopback addresses); private addresses are left to the server.

        Returns:
            A medium; nothing has been fetched yet.

        Raises:
            RequestValidationError: It is not such a URL.
        """
        url = check_url(url)
        in_path = name_in_url(url)
        name = file_name or in_path or "file"
        guessed = mime_type or type_of_name(name) or type_of_name(in_path) or UNKNOWN_TYPE
        fetch = not server_can_fetch(url) if download is None else download
        return cls(name, guessed, url=url, needs_download=fetch)

    @classmethod
    def of(
        cls,
        value: Media | Path | bytes | str,
        *,
        file_name: str | None = None,
        mime_type: str | None = None,
    ) -> Media:
        """Whatever a method that takes media is given.

        A plain text is a URL, a data URI or base64, never a path: whether a file of that name
        exists would decide what is sent. Use ``Path`` or ``from_path`` for files.

        Args:
            value: A Media, path, content or text.
            file_name: What the recipient sees, instead of the value's own name.
            mime_type: Its type, instead of the value's own.

        Returns:
            The value itself when it is a Media and nothing is changed, else a new one.

        Raises:
            RequestValidationError: It is none of these.
        """
        if isinstance(value, Media):
            return replace(
                value,
                file_name=file_name or value.file_name,
                mime_type=mime_type or value.mime_type,
            )
        if isinstance(value, Path):
            return cls.from_path(value, file_name=file_name, mime_type=mime_type)
        if isinstance(value, bytes | bytearray | memoryview):
            return cls.from_bytes(bytes(value), file_name=file_name, mime_type=mime_type)
        if not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers err
            raise RequestValidationError(_FIELD, "must be Media, a Path, bytes or text")
        if value.lstrip()[:8].lower().startswith(("http://", "https://")):
            return cls.from_url(value, file_name=file_name, mime_type=mime_type)
        try:
            return cls.from_base64(value, file_name=file_name, mime_type=mime_type)
        except RequestValidationError as error:
            if error.field != _FIELD:
                raise
            rule = f"{error.rule}; a text is a URL, a data URI or base64 (for a file pass a Path)"
            raise RequestValidationError(error.field, rule) from None

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


def _useful_type(content_type: str) -> str | None:
    """A response's type, unless it says nothing."""
    bare = bare_type(content_type)
    return bare if "/" in bare and bare not in (UNKNOWN_TYPE, "binary/octet-stream") else None
