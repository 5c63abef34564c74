"""Media that the server keeps in S3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from .base import IsoTime, Model, RequestModel
from .message import StoredMessage

StoredMediaType = Literal["image", "video", "audio", "document", "sticker"]
_CALLED: Mapping[str, str] = {"id": "media_id", "type": "media_type"}


class StoredMedia(Model):
    """A stored file, with the message it belongs to."""

    shown: ClassVar[tuple[str, ...]] = ("id", "type", "mimetype")
    expected: ClassVar[tuple[str, ...]] = ("id", "fileName")

    id: str = ""
    file_name: str = ""
    type: str | None = None
    mimetype: str | None = None
    created_at: IsoTime | None = None
    message: StoredMessage | None = Field(default=None, alias="Message")


class StoredMediaUrl(StoredMedia):
    """A stored file with a URL that anyone can open for seven days; ``repr`` never shows it."""

    expected: ClassVar[tuple[str, ...]] = ("id", "fileName", "mediaUrl")

    media_url: str = ""


class FindMediaRequest(RequestModel):
    """Filters for files. ``messageId`` is left out: schema and database differ on its type."""

    called: ClassVar[Mapping[str, str]] = _CALLED

    id: str | None = Field(default=None, min_length=1)
    type: StoredMediaType | None = None


class InstanceQuery(RequestModel):
    """Id of the instance; without it the server searches the media of all instances."""

    instance_id: str = Field(min_length=1)


class MediaUrlRequest(RequestModel):
    """One file. ``expiry`` is left out: the schema demands text, which the storage rejects."""

    called: ClassVar[Mapping[str, str]] = _CALLED

    id: str = Field(pattern=r"\d")
