"""Media that the server keeps in S3."""

from __future__ import annotations

from evolution_sdk._core.effect import Effect
from evolution_sdk._core.operation import Operation
from evolution_sdk.models.readers import list_of
from evolution_sdk.models.s3 import StoredMedia, StoredMediaUrl

GET_MEDIA = Operation(
    name="s3.get_media",
    method="POST",
    path="/s3/getMedia/{instance}",
    effect=Effect.READ,
    read=list_of(StoredMedia),
    query=("instanceId",),
)
GET_MEDIA_URL = Operation(
    name="s3.get_media_url",
    method="POST",
    path="/s3/getMediaUrl/{instance}",
    effect=Effect.READ,
    read=StoredMediaUrl.from_wire,
)
