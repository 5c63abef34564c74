"""The catalogue of a business."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from .base import Model, Number, RequestModel
from .requests_text import Correspondent


class Product(Model):
    """A product. ``price`` is WhatsApp's number, in WhatsApp's unit."""

    shown: ClassVar[tuple[str, ...]] = ("id", "price", "currency")
    expected: ClassVar[tuple[str, ...]] = ("id",)

    id: str = ""
    name: str | None = None
    retailer_id: str | None = None
    url: str | None = None
    description: str | None = None
    price: int | float | None = None
    currency: str | None = None
    is_hidden: bool | None = None
    image_urls: Mapping[str, Any] | None = None
    review_status: Mapping[str, Any] | None = None
    availability: str | None = None


class BusinessLookup(Model):
    """The fields that catalogue and collections share.

    If the look-up fails after the number was found, the server still answers, but with almost
    nothing; see ``degraded``.
    """

    shown: ClassVar[tuple[str, ...]] = ("wuid", "is_business")
    expected: ClassVar[tuple[str, ...]] = ("wuid",)

    wuid: str = ""
    name: str | None = None
    number_exists: bool | None = None
    is_business: bool = False

    @property
    def degraded(self) -> bool:
        """Tell whether the look-up failed inside the server (it answers 200, without products)."""
        return self.number_exists is None


class Catalog(BusinessLookup):
    """The products of a business, from at most five pages."""

    catalog_length: Number | None = None
    catalog: tuple[Product, ...] = ()


class CollectionStatus(Model):
    """The state of WhatsApp's review of a collection."""

    shown: ClassVar[tuple[str, ...]] = ("status",)

    status: str | None = None
    can_appeal: bool | None = None


class ProductCollection(Model):
    """A collection of products."""

    shown: ClassVar[tuple[str, ...]] = ("id",)

    id: str | None = None
    name: str | None = None
    products: tuple[Product, ...] = ()
    status: CollectionStatus | None = None


class ProductCollections(BusinessLookup):
    """The collections of a business."""

    collections_length: Number | None = None
    collections: tuple[ProductCollection, ...] = ()


class CatalogRequest(RequestModel):
    """The owner of a catalogue, and a limit; the server ignores its own ``cursor``."""

    number: Correspondent | None = None
    limit: int | None = Field(default=None, ge=1)


class CollectionsRequest(RequestModel):
    """The owner of collections, and a limit; the server caps larger limits silently."""

    number: Correspondent | None = None
    limit: int | None = Field(default=None, ge=1, le=20)
