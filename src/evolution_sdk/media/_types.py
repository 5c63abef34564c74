"""File types: from a name to a type, and back to an extension."""

from __future__ import annotations

import mimetypes
from enum import StrEnum
from pathlib import PurePosixPath

UNKNOWN_TYPE = "application/octet-stream"


class MediaKind(StrEnum):
    """The form in which WhatsApp shows a file; the server calls it ``mediatype``."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"


# Python's own table differs between versions, and lacks types that are common in chats.
_TYPES = mimetypes.MimeTypes()
for _extension, _type in {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".heic": "image/heic",
    ".m4a": "audio/mp4",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".ogv": "video/ogg",
    ".opus": "audio/ogg",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".rar": "application/vnd.rar",
    ".webp": "image/webp",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}.items():
    _TYPES.add_type(_type, _extension)

# The usual extension of types that have several.
_EXTENSIONS = {
    "audio/mp4": ".m4a",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "image/jpeg": ".jpg",
    "image/tiff": ".tif",
    "text/plain": ".txt",
    "video/mp4": ".mp4",
    "video/mpeg": ".mpg",
    UNKNOWN_TYPE: ".bin",
}
_KIND_EXTENSIONS = {
    MediaKind.IMAGE: ".jpg",
    MediaKind.VIDEO: ".mp4",
    MediaKind.AUDIO: ".mp3",
    MediaKind.DOCUMENT: ".bin",
}


def type_of_name(name: str) -> str | None:
    """Return the MIME type of a file name's extension, or None."""
    return _TYPES.guess_type(f"x{PurePosixPath(name).suffix.lower()}", strict=False)[0]


def kind_of(mime_type: str) -> MediaKind:
    """Return the kind that WhatsApp shows a type as; unknown types are documents."""
    family = mime_type.partition("/")[0].strip().lower()
    return MediaKind(family) if family in ("image", "video", "audio") else MediaKind.DOCUMENT


def bare_type(mime_type: str) -> str:
    """Return a type without its parameters, in lower case."""
    return mime_type.partition(";")[0].strip().lower()


def with_extension(name: str, mime_type: str, kind: MediaKind) -> str:
    """Add the extension of its type to a name, unless it has one that stands for a type.

    The server derives the announced type from the extension alone, and announces the text
    ``false`` if that fails.
    """
    # A name with a known extension is kept, even if the type says otherwise.
    if type_of_name(name):
        return name
    bare = bare_type(mime_type)
    if bare == UNKNOWN_TYPE:
        return name if PurePosixPath(name).suffix else name + _KIND_EXTENSIONS[kind]
    extension = _EXTENSIONS.get(bare) or _TYPES.guess_extension(bare, strict=False)
    return name + (extension or _KIND_EXTENSIONS[kind])
