"""Business catalogues (WHATSAPP-BAILEYS only, in spite of the name)."""

from __future__ import annotations

from evolution_sdk._base.effect import Effect
from evolution_sdk.models.business import Catalog, ProductCollections
from evolution_sdk.operations.error_facts import ErrorFacts

from ._declare import BAILEYS, Family

# Two number look-ups, the business profile, and up to five pages, each from WhatsApp.
_LOOKUPS_MS = 60_000

_business = Family("business", session=True, since="2.3", errors=ErrorFacts(detailed=True))

GET_CATALOG = _business(
    "get_catalog",
    "POST",
    "getCatalog",
    Effect.READ,
    Catalog.from_wire,
    channels=BAILEYS,
    patience_ms=_LOOKUPS_MS,
)
GET_COLLECTIONS = _business(
    "get_collections",
    "POST",
    "getCollections",
    Effect.READ,
    ProductCollections.from_wire,
    channels=BAILEYS,
    patience_ms=_LOOKUPS_MS,
)
