"""Labels (WHATSAPP-BAILEYS only)."""

from __future__ import annotations

from evolution_sdk._core.effect import Effect
from evolution_sdk._core.operation import Operation
from evolution_sdk.models.label import Label, LabelAck
from evolution_sdk.models.readers import list_of

FIND_LABELS = Operation(
    name="label.find_labels",
    method="GET",
    path="/label/findLabels/{instance}",
    effect=Effect.READ,
    channels=("baileys",),
    read=list_of(Label),
)
HANDLE_LABEL = Operation(
    name="label.handle_label",
    method="POST",
    path="/label/handleLabel/{instance}",
    effect=Effect.IDEMPOTENT,
    channels=("baileys",),
    read=LabelAck.from_wire,
)
