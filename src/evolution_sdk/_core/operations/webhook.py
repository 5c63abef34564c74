"""The webhook of an instance."""

from __future__ import annotations

from evolution_sdk._core.effect import Effect
from evolution_sdk._core.operation import Operation
from evolution_sdk.models.readers import optional
from evolution_sdk.models.webhook import Webhook

SET_WEBHOOK = Operation(
    name="webhook.set_webhook",
    method="POST",
    path="/webhook/set/{instance}",
    effect=Effect.IDEMPOTENT,
    read=Webhook.from_wire,
)
FIND_WEBHOOK = Operation(
    name="webhook.find_webhook",
    method="GET",
    path="/webhook/find/{instance}",
    effect=Effect.READ,
    read=optional(Webhook),
)
