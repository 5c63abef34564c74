"""Business catalogues (WHATSAPP-BAILEYS only, in spite of the name)."""

from __future__ import annotations

from evolution_sdk._core.effect import Effect
from evolution_sdk._core.operation import Operation
from evolution_sdk.models.business import Catalog, ProductCollections

# Two number look-ups, the business profile, and up to five pages, each from WhatsApp.
_LOOKUPS_MS = 60_000

GET_CATALOG = Operation(
    name="business.get_catalog",
    method="POST",
    path="/business/getCatalog/{instance}",
    effect=Effect.READ,
    channels=("baileys",),
    read=Catalog.from_wire,
    patience_ms=_LOOKUPS_MS,
)
GET_COLLECTIONS = Operation(
    name="business.get_collections",
    method="POST",
    path="/business/getCollections/{instance}",
    effect=Effect.READ,
    channels=("baileys",),
    read=ProductCollections.from_wire,
    patience_ms=_LOOKUPS_MS,
)
