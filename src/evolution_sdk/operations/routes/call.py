"""Calls (WHATSAPP-BAILEYS only)."""

from __future__ import annotations

from evolution_sdk._base.effect import Effect
from evolution_sdk.models.call import CallOffer

from ._declare import BAILEYS, Family

_call = Family("call", session=True)

# does nothing in 2.3.6, but a later version may ring
OFFER_CALL = _call(
    "offer_call", "POST", "offer", Effect.SEND, CallOffer.from_wire, channels=BAILEYS
)
