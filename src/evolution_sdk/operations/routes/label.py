"""Labels (WHATSAPP-BAILEYS only)."""

from __future__ import annotations

from evolution_sdk._base.effect import Effect
from evolution_sdk.models.label import Label, LabelAck
from evolution_sdk.models.readers import list_of

from ._declare import BAILEYS, Family

_label = Family("label", session=False)

FIND_LABELS = _label(
    "find_labels", "GET", "findLabels", Effect.READ, list_of(Label), channels=BAILEYS
)
HANDLE_LABEL = _label(
    "handle_label",
    "POST",
    "handleLabel",
    Effect.IDEMPOTENT,
    LabelAck.from_wire,
    channels=BAILEYS,
    session=True,
)
