"""Media that the server keeps in S3."""

from __future__ import annotations

from evolution_sdk._base.effect import Effect
from evolution_sdk.models.readers import list_of
from evolution_sdk.models.s3 import StoredMedia, StoredMediaUrl

from ._declare import Family

_s3 = Family("s3", session=False)

GET_MEDIA = _s3(
    "get_media", "POST", "getMedia", Effect.READ, list_of(StoredMedia), query=("instanceId",)
)
GET_MEDIA_URL = _s3("get_media_url", "POST", "getMediaUrl", Effect.READ, StoredMediaUrl.from_wire)
