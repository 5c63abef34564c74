"""Methods for business catalogues; WHATSAPP-BAILEYS only."""

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
    """Catalogues of businesses."""

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
            number: Number of the business or person. Default: the account itself.
            limit: Products per page, of which the server fetches at most five. Default: 10.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The products; ``degraded`` if the server failed inside.

        Raises:
            RequestValidationError: A value breaks a rule.
            RecipientNotFoundError: The number is not on WhatsApp.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            ChannelNotSupportedError: Only WHATSAPP-BAILEYS supports it.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = CatalogRequest.check(number=number, limit=limit)
        return await self._call(ops.GET_CATALOG, request, options)

    async def get_collections(
        self,
        number: str | PhoneNumber | Jid | None = None,
        *,
        limit: int | None = None,
        **options: Unpack[CallOptions],
    ) -> ProductCollections:
        """List the collections of a business.

        Args:
            number: Number of the business or person. Default: the account itself.
            limit: Most collections, at most 20. Default: 20.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The collections; ``degraded`` if the server failed inside.

        Raises:
            RequestValidationError: A value breaks a rule.
            RecipientNotFoundError: The number is not on WhatsApp.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            ChannelNotSupportedError: Only WHATSAPP-BAILEYS supports it.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = CollectionsRequest.check(number=number, limit=limit)
        return await self._call(ops.GET_COLLECTIONS, request, options)
