"""Business catalogues; WHATSAPP-BAILEYS only."""

from __future__ import annotations

from typing import Unpack

from evolution_sdk._client.options import CallOptions
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.models.business import (
    Catalog,
    CatalogRequest,
    CollectionsRequest,
    ProductCollections,
)
from evolution_sdk.operations.routes import business as ops

from .base import AsyncResourceApi


class AsyncBusinessApi(AsyncResourceApi):
    """The catalogue of a business."""

    __slots__ = ()

    async def get_catalog(
        self,
        number: str | PhoneNumber | Jid | None = None,
        *,
        limit: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Catalog:
        """List the products of a business.

        Args:
            number: Whose; default: the account's own.
            limit: Products per page, of which the server fetches at most five. Default: 10.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The products; ``degraded`` when the server failed inside.

        Raises:
            RequestValidationError: A value breaks a rule.
            RecipientNotFoundError: The number is not on WhatsApp.
            InstanceNotConnectedError: The connection is dead.
            ChannelNotSupportedError: Only WHATSAPP-BAILEYS can do it.
        """
        request = CatalogRequest.check(number=number, limit=limit)
        return await self._pipeline.call(
            ops.GET_CATALOG, self._target, request.body(), options=options
        )

    async def get_collections(
        self,
        number: str | PhoneNumber | Jid | None = None,
        *,
        limit: int | None = None,
        **options: Unpack[CallOptions],
    ) -> ProductCollections:
        """List the collections of a business.

        Args:
            number: Whose; default: the account's own.
            limit: How many, at most 20. Default: 20.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The collections; ``degraded`` when the server failed inside.

        Raises:
            RequestValidationError: A value breaks a rule.
            RecipientNotFoundError: The number is not on WhatsApp.
            InstanceNotConnectedError: The connection is dead.
            ChannelNotSupportedError: Only WHATSAPP-BAILEYS can do it.
        """
        request = CollectionsRequest.check(number=number, limit=limit)
        return await self._pipeline.call(
            ops.GET_COLLECTIONS, self._target, request.body(), options=options
        )
