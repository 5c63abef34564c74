"""Files to send: :class:`Media`, and :func:`plan_media`, which decides how one goes out."""

from ._files import MAX_OPEN_FILE_BYTES, BinaryFile, FileLike, UploadedFile, UploadedStream
from ._media import FetchFrom, Media
from ._plan import (
    MAX_BASE64_BYTES,
    MEDIA_LIMITS,
    MULTIPART_THRESHOLD_BYTES,
    Base64,
    Download,
    MediaForm,
    MediaPlan,
    MediaRule,
    Multipart,
    Url,
    plan_media,
)
from ._types import MediaKind

__all__ = [
    "MAX_BASE64_BYTES",
    "MAX_OPEN_FILE_BYTES",
    "MEDIA_LIMITS",
    "MULTIPART_THRESHOLD_BYTES",
    "Base64",
    "BinaryFile",
    "Download",
    "FetchFrom",
    "FileLike",
    "Media",
    "MediaForm",
    "MediaKind",
    "MediaPlan",
    "MediaRule",
    "Multipart",
    "UploadedFile",
    "UploadedStream",
    "Url",
    "plan_media",
]
