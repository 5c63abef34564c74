"""Files to send, as :class:`Media`."""

from evolution_sdk._base.public import publish

from ._files import MAX_OPEN_FILE_BYTES, BinaryFile, FileLike, UploadedFile, UploadedStream
from ._media import FetchFrom, Media
from ._plan import (
    MEDIA_LIMITS,
)
from ._types import MediaKind
from .saving import SavedMedia

__all__ = [
    "MAX_OPEN_FILE_BYTES",
    "MEDIA_LIMITS",
    "BinaryFile",
    "FetchFrom",
    "FileLike",
    "Media",
    "MediaKind",
    "SavedMedia",
    "UploadedFile",
    "UploadedStream",
]

publish(__name__, __all__)
