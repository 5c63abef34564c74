"""Files to send: :class:`Media`, and :func:`plan_media`, which decides how one goes out."""

from ._media import Media
from ._plan import (
    MAX_BASE64_BYTES,
    MEDIA_LIMITS,
    MEDIA_RULES,
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
    "MEDIA_LIMITS",
    "MEDIA_RULES",
    "MULTIPART_THRESHOLD_BYTES",
    "Base64",
    "Download",
    "Media",
    "MediaForm",
    "MediaKind",
    "MediaPlan",
    "MediaRule",
    "Multipart",
    "Url",
    "plan_media",
]
