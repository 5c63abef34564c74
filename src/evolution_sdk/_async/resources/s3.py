"""Media that the server keeps in S3."""

from __future__ import annotations

from typing import Unpack

from evolution_sdk._client.options import CallOptions
from evolution_sdk.models.s3 import (
    FindMediaRequest,
    InstanceQuery,
    MediaUrlRequest,
    StoredMedia,
    StoredMediaType,
    StoredMediaUrl,
)
from evolution_sdk.operations.routes import s3 as ops

from .base import AsyncResourceApi


class AsyncS3Api(AsyncResourceApi):
    """Media that the server keeps in S3."""

    __slots__ = ()

    async def get_media(
        self,
        instance_id: str,
        *,
        media_id: str | None = None,
        media_type: StoredMediaType | None = None,
        **options: Unpack[CallOptions],
    ) -> list[StoredMedia]:
        """List stored files.

        Args:
            instance_id: Id of the instance (not its name), from ``instances.fetch()`` or any stored
                message. It is mandatory here, because without it the server searches the files of
                **all** instances (`facts/endpoints.json`, s3.get_media).
            media_id: Only the file with this id.
            media_type: Only files of this type.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The files, with their messages.

        Raises:
            RequestValidationError: A value breaks a rule.
            NotFoundError: There is no file; the server does not answer with an empty list.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        query = InstanceQuery.check(instance_id=instance_id)
        request = FindMediaRequest.check(id=media_id, type=media_type)
        return await self._pipeline.call(
            ops.GET_MEDIA, self._target, request.body(), query=query.body(), options=options
        )

    async def get_media_url(self, media_id: str, **options: Unpack[CallOptions]) -> StoredMediaUrl:
        """Make a URL to download a file without a key.

        Args:
            media_id: The file's id.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The file with its URL, which works for seven days.

        Raises:
            RequestValidationError: It is not an id.
            NotFoundError: There is no such file.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = MediaUrlRequest.check(id=media_id)
        return await self._call(ops.GET_MEDIA_URL, request, options)
