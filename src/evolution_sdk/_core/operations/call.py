"""Calls (WHATSAPP-BAILEYS only)."""

from __future__ import annotations

from evolution_sdk._core.effect import Effect
from evolution_sdk._core.operation import Operation
from evolution_sdk.models.call import CallOffer

OFFER_CALL = Operation(
    name="call.offer_call",
    method="POST",
    path="/call/offer/{instance}",
    effect=Effect.SEND,  # does nothing in 2.3.6, but a later version may ring
    channels=("baileys",),
    read=CallOffer.from_wire,
)
